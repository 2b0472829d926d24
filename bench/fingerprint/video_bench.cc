// SPDX-License-Identifier: Apache-2.0
// video_bench MP4 MP4...: the prints of MP4 files, what they cost, and how much of each later file
// is found in the first.

#include "core/bytes.h"
#include "fingerprint/video.h"
#include "media/video.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

namespace {

namespace fingerprint = colophon::fingerprint;

fingerprint::VideoPrint print_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    const colophon::Buffer file((std::istreambuf_iterator<char>(in)), {});
    const std::clock_t start = std::clock();
    auto print = fingerprint::print_video(file, colophon::media::VideoContainer::kMp4);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    if (!print.ok()) {
        std::printf("%s: %s\n", path, print.error().what.c_str());
        return {};
    }
    const auto good = std::ranges::count_if(print->frames, [](const auto& each) {
        return each.quality >= fingerprint::kPdqQualityMin;
    });
    std::printf(
        "%s: %zu pictures, %td of them good, to %.1f s; %.2f s of processor time\n", path,
        print->frames.size(), good,
        print->frames.empty() ? 0.0 : static_cast<double>(print->frames.back().time_ms) / 1000,
        seconds);
    return std::move(print).value();
}

}  // namespace

int main(int argc, char** argv) {
    fingerprint::VideoPrint first;
    for (int i = 1; i < argc; ++i) {
        const fingerprint::VideoPrint print = print_file(argv[i]);
        if (i == 1) {
            first = print;
            continue;
        }
        const fingerprint::VideoMatch match = fingerprint::match_videos(print, first);
        std::printf(
            "  %.0f %% of it in the first, %.0f %% of the first in it, %.0f %% aligned at "
            "%+.2f s: %s\n",
            match.query_percent, match.other_percent, match.query_aligned_percent,
            static_cast<double>(match.offset_ms) / 1000,
            fingerprint::is_copy(match) ? "a copy" : "no copy");
    }
    return 0;
}
