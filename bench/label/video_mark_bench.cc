// SPDX-License-Identifier: Apache-2.0
// video_mark_bench mark IN OUT: the watermark in a video, and how long that takes beside coding the
// same video without it. video_mark_bench find FILE...: what is found in each, and how fast.
#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/watermark/detect.h"
#include "label/watermark/key.h"
#include "label/watermark/video.h"
#include "media/video.h"
#include "media/video_transcode.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace label = colophon::label;
namespace media = colophon::media;

colophon::Buffer read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class FileSink final : public media::ByteSink {
public:
    explicit FileSink(const std::string& path) : out_(path, std::ios::binary) {}
    colophon::Result<void> write_at(std::uint64_t offset, colophon::Bytes bytes) override {
        out_.seekp(static_cast<std::streamoff>(offset));
        out_.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        return {};
    }

private:
    std::ofstream out_;
};

struct Clock {
    double wall() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    }
    double processor() const { return static_cast<double>(std::clock() - ticks) / CLOCKS_PER_SEC; }
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
    std::clock_t ticks = std::clock();
};

using Change = std::function<colophon::Result<void>(media::VideoPicture&)>;

int run(const colophon::Buffer& file, const std::string& out, const char* what,
        const std::function<Change(const media::VideoFacts&)>& change) {
    const Clock clock;
    auto video = media::VideoTranscoder::open(file, {});
    if (!video.ok()) {
        std::printf("%s\n", video.error().what.c_str());
        return 1;
    }
    FileSink sink(out);
    const Change each = change(video->facts());
    const auto done = video->run(each, sink);
    if (!done.ok()) {
        std::printf("%s\n", done.error().what.c_str());
        return 1;
    }
    std::printf("%-8s %4llu pictures of %d x %d: %.1f pictures/s, %.2f ms of processor a picture\n",
                what, static_cast<unsigned long long>(done->pictures), video->facts().width,
                video->facts().height, static_cast<double>(done->pictures) / clock.wall(),
                1000 * clock.processor() / static_cast<double>(done->pictures));
    return 0;
}

int mark(const std::string& in, const std::string& out, double psnr_db) {
    const colophon::Buffer file = read(in);
    const auto nothing = [](const media::VideoFacts&) {
        return [](media::VideoPicture&) { return colophon::Result<void>(); };
    };
    std::vector<label::VideoMarker> marker;
    const auto marking = [&](const media::VideoFacts& facts) {
        auto made = label::VideoMarker::create(
            facts, {.issuer = {7}, .content_id = {0x123456789abc}, .psnr_db = psnr_db});
        if (made.ok()) {
            marker.push_back(std::move(made).value());
        }
        return [&](media::VideoPicture& picture) {
            marker.front().mark(picture);
            return colophon::Result<void>();
        };
    };
    if (run(file, out, "coded", nothing) != 0 || run(file, out, "marked", marking) != 0) {
        return 1;
    }
    std::printf("%.1f dB before coding\n", marker.front().psnr_db());
    return 0;
}

void find(const std::string& path) {
    const colophon::Buffer file = read(path);
    const auto container = path.ends_with(".mkv") || path.ends_with(".webm")
                               ? media::VideoContainer::kMatroska
                               : media::VideoContainer::kMp4;
    const Clock clock;
    const std::vector keys{label::published_watermark_key()};
    const auto seen = label::find_video_watermark(file, container, keys, {});
    if (!seen.ok()) {
        std::printf("%s: %s\n", path.c_str(), seen.error().what.c_str());
        return;
    }
    const label::WatermarkReading& best = seen->best;
    std::printf(
        "%s: %s score %.1f pilot %.1f id %012llx turn %.1f period %.1f share %.2f of %.1f s",
        path.c_str(), best.state == label::WatermarkState::kFound ? "found" : "no", best.score,
        best.pilot_score, static_cast<unsigned long long>(best.payload.content_id.value),
        best.geometry.turn_degrees, best.geometry.period_x, seen->share, seen->seconds);
    for (const label::MarkedRange& range : seen->ranges) {
        std::printf(" [%.1f-%.1f seg %d-%d %.0f]", range.from_seconds, range.to_seconds,
                    range.payload.segment, range.last_segment, range.score);
    }
    std::printf("  %.2f s, %.2f s of processor\n", clock.wall(), clock.processor());
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() >= 3 && words[0] == "mark") {
        return mark(words[1], words[2], words.size() > 3 ? std::stod(words[3]) : 42);
    }
    for (std::size_t i = 1; i < words.size() && words[0] == "find"; ++i) {
        find(words[i]);
    }
    return words.size() < 2 ? 64 : 0;
}
