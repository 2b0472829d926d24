// SPDX-License-Identifier: Apache-2.0
// watermark_bench [PICTURE...]: processor time a megapixel of embedding the watermark and of
// looking for it, and of searches the time on the wall with one thread and with several; of
// pictures of its own and of the files that are named. Behind each
// time stands what came out, so that two builds can be compared. Last the marker of videos, on
// pictures of 1920 x 1080 in memory; video_mark_bench has what that is beside coding.
#include "core/bytes.h"
#include "core/ids.h"
#include "core/parallel.h"
#include "core/result.h"
#include "label/format.h"
#include "label/watermark/detect.h"
#include "label/watermark/embed.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/picture_file.h"
#include "label/watermark/internal/pixels.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "label/watermark/video.h"
#include "media/image.h"
#include "media/video_transcode.h"
#include "support/natural_picture.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace label = colophon::label;
namespace media = colophon::media;

constexpr label::WatermarkPayload kPayload{
    .form = label::PayloadForm::kStandard, .issuer = {7}, .content_id = {0x0123456789ab}};

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Times {
    double processor = 1e9;  // seconds
    double wall = 1e9;
};

// The least of several runs: what others do to the caches only adds.
Times least_times(const std::function<void()>& what) {
    constexpr int kRuns = 7;
    Times least;
    for (int i = 0; i < kRuns; ++i) {
        const double begun = processor_seconds();
        const auto from = std::chrono::steady_clock::now();
        what();
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - from;
        least = {.processor = std::min(least.processor, processor_seconds() - begun),
                 .wall = std::min(least.wall, wall.count())};
    }
    return least;
}

// FNV-1a, over what came out.
std::uint32_t digest(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 2166136261U;
    for (const std::uint8_t byte : bytes) {
        value = (value ^ byte) * 16777619U;
    }
    return value;
}

media::Image as_image(const label::Luma& luma) {
    media::Image image;
    image.width = luma.width;
    image.height = luma.height;
    image.channels = 3;
    image.pixels.reserve(luma.values.size() * 3);
    for (const float value : luma.values) {
        const auto level = static_cast<int>(std::lrint(std::clamp(value, 0.0F, 255.0F)));
        for (const int shift : {8, 0, -8}) {
            image.pixels.push_back(static_cast<std::uint8_t>(std::clamp(level + shift, 0, 255)));
        }
    }
    return image;
}

void row(const std::string& name, const char* what, double seconds, double megapixels) {
    std::printf("%-28s %-24s %8.2f ms %8.2f ms/megapixel  ", name.c_str(), what, 1000 * seconds,
                1000 * seconds / megapixels);
}

void print(const label::WatermarkReading& reading) {
    constexpr const char* kStates[]{"absent", "present", "found"};
    std::printf("%s, score %.3f, pilot %.3f, turn %.2f, period %.2f\n",
                kStates[static_cast<int>(reading.state)], reading.score, reading.pilot_score,
                reading.geometry.turn_degrees, reading.geometry.period_x);
}

void find(const std::string& name, const char* what, const label::Luma& picture,
          label::DetectEffort effort) {
    static const label::internal::Carrier kCarrier(label::published_watermark_key());
    label::WatermarkReading reading;
    const auto search = [&](std::size_t threads) {
        return least_times([&] {
            reading = label::WatermarkSearch(picture, threads)
                          .find(kCarrier, effort, label::SearchParts::kForget);
        });
    };
    const Times one = search(1);
    row(name, what, one.processor, static_cast<double>(picture.values.size()) / 1e6);
    const std::size_t threads = colophon::useful_threads(label::kSearchThreadsMax);
    const Times several = search(threads);
    std::printf("wall %.2f ms; %zu threads: wall %.2f ms, processor %.2f ms; ", 1000 * one.wall,
                threads, 1000 * several.wall, 1000 * several.processor);
    print(reading);
}

// What the options ask for, as add_marks of label/watermark/picture.cc does it; the marked picture.
media::Image embed(const std::string& name, const char* what, const media::Image& before,
                   const label::EmbedOptions& options) {
    static const label::internal::Carrier kCarrier(label::published_watermark_key());
    media::Image after;
    double seconds = 1e9;
    for (int i = 0; i < 5; ++i) {
        after = before;
        const double begun = processor_seconds();
        const label::Luma luma = label::internal::luma_of(after, 0);
        const auto pattern = label::watermark_pattern(luma, kCarrier, kPayload, options);
        if (!pattern.ok()) {
            std::printf("%s: %s\n", name.c_str(), pattern.error().what.c_str());
            return {};
        }
        label::internal::add_to_image(after, 0, *pattern);
        seconds = std::min(seconds, processor_seconds() - begun);
    }
    row(name, what, seconds, static_cast<double>(before.width) * before.height / 1e6);
    std::printf(
        "%.3f dB, digest %08x\n",
        label::psnr(label::internal::luma_of(before, 0), label::internal::luma_of(after, 0)),
        digest(after.pixels));
    return after;
}

void measure(const std::string& name, const label::Luma& picture) {
    const media::Image before = as_image(picture);
    embed(name, "embed, SSIM kept", before, {.ssim_min = 0.9855});
    const media::Image after = embed(name, "embed into RGB", before, {});
    if (after.pixels.empty()) {
        return;
    }
    const label::Luma unmarked = label::internal::luma_of(before, 0);
    const label::Luma marked = label::internal::luma_of(after, 0);
    find(name, "fast, marked", marked, label::DetectEffort::kFast);
    find(name, "fast, unmarked", unmarked, label::DetectEffort::kFast);
    find(name, "full, unmarked", unmarked, label::DetectEffort::kThorough);
    find(name, "full, turned by 33", colophon::test::turned_and_scaled(marked, 33, 1, 0.8),
         label::DetectEffort::kThorough);
}

void measure_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    const colophon::Buffer file{std::istreambuf_iterator<char>(in), {}};
    const auto format = label::detect_format(file, path);
    if (!format) {
        std::printf("%s: no format that is known\n", path.c_str());
        return;
    }
    auto picture = label::internal::open_picture(file, *format);
    if (!picture.ok()) {
        std::printf("%s: %s\n", path.c_str(), picture.error().what.c_str());
        return;
    }
    const auto luma = (*picture)->luma(0);
    if (luma.ok()) {
        measure(path.substr(path.rfind('/') + 1), *luma);
    }
}

// A film that pans over a picture.
void measure_video() {
    constexpr int kWidth = 1920;
    constexpr int kHeight = 1080;
    constexpr int kPictures = 150;
    const label::Luma scene = colophon::test::natural_picture(kWidth + kPictures, kHeight, 5);
    const media::VideoFacts facts{.width = kWidth, .height = kHeight};
    auto marker =
        label::VideoMarker::create(facts, {.issuer = {7}, .content_id = {0x123456789abc}});
    if (!marker.ok()) {
        return;
    }
    std::vector<std::uint8_t> pixels(std::size_t{kWidth} * kHeight);
    std::uint32_t all = 0;
    double seconds = 0;
    for (int i = 0; i < kPictures; ++i) {
        for (int y = 0; y < kHeight; ++y) {
            std::transform(scene.row(y) + i, scene.row(y) + i + kWidth,
                           pixels.begin() + std::ptrdiff_t{y} * kWidth, [](float value) {
                               return static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
                           });
        }
        media::VideoPicture picture{.time_us = i * 1'000'000LL / 30,
                                    .number = static_cast<std::uint64_t>(i),
                                    .depth = 8,
                                    .planes = {}};
        picture.planes[0] = {
            .data = pixels.data(), .row_bytes = kWidth, .width = kWidth, .height = kHeight};
        const double begun = processor_seconds();
        marker->mark(picture);
        seconds += processor_seconds() - begun;
        all ^= digest(pixels) + static_cast<std::uint32_t>(i);
    }
    std::printf("video 1920 x 1080: %.2f ms a picture, %.1f pictures/s, digest %08x\n",
                1000 * seconds / kPictures, kPictures / seconds, all);
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        measure_file(argv[i]);
    }
    if (argc == 1) {
        measure("1 megapixel", colophon::test::natural_picture(1152, 864, 1));
        measure("12 megapixels", colophon::test::natural_picture(4000, 3000, 2));
        measure_video();
    }
    return 0;
}
