// SPDX-License-Identifier: Apache-2.0
// Times the explicit label of a picture: drawing it, and looking for it.
//
//   explicit_image_bench FONT PICTURE [--text TEXT] [--place PLACE] [--out FILE] [--runs N]
//
// Prints one line a step: the least and the median of N runs in milliseconds, and what was read.
#include "label/codecs.h"
#include "label/explicit/image.h"
#include "label/verify.h"
#include "media/codecs.h"
#include "media/image.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace label = colophon::label;
using colophon::Buffer;
using colophon::Bytes;

Buffer slurp(const char* path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return colophon::to_buffer(colophon::as_bytes(text));
}

void time_it(const char* what, int runs, const std::function<void()>& step) {
    std::vector<double> times;
    for (int i = 0; i < runs; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        step();
        times.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                .count());
    }
    std::sort(times.begin(), times.end());
    std::printf("%-6s min %8.1f ms  median %8.1f ms\n", what, times.front(),
                times[times.size() / 2]);
}

void show(const label::ExplicitReading& reading) {
    std::printf("       found %d \"%s\" at %s, height %.2f %%, contrast %.2f\n",
                reading.found ? 1 : 0, reading.text.c_str(), reading.where.c_str(),
                reading.height_percent.value_or(0), reading.contrast.value_or(0));
    for (const label::Finding& finding : reading.findings) {
        std::printf("       %s: %s\n", finding.code.c_str(), finding.what.c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(
            stderr,
            "usage: %s FONT PICTURE [--text TEXT] [--place PLACE] [--out FILE] [--runs N]\n",
            argv[0]);
        return 2;
    }
    label::ImageMark mark{"AI生成"};
    std::string out_path;
    int runs = 1;
    for (int i = 3; i + 1 < argc; i += 2) {
        const std::string_view option = argv[i];
        if (option == "--text") {
            mark.text = argv[i + 1];
        } else if (option == "--place") {
            mark.place = label::parse_image_place(argv[i + 1]).value_or(mark.place);
        } else if (option == "--out") {
            out_path = argv[i + 1];
        } else if (option == "--runs") {
            runs = std::max(1, std::atoi(argv[i + 1]));
        }
    }
    const Buffer font = slurp(argv[1]);
    const Buffer file = slurp(argv[2]);
    const auto format = label::detect_format(
        Bytes(file).first(std::min<std::size_t>(file.size(), label::kSniffBytes)), argv[2]);
    if (!format) {
        std::fprintf(stderr, "%s: unknown format\n", argv[2]);
        return 1;
    }
    if (!colophon::media::load(label::codecs_for(*format, label::VerifyOptions{})).ok()) {
        return 1;
    }
    Buffer marked;
    std::string failure;
    time_it("mark", runs, [&] {
        const auto result = label::mark_image(file, *format, mark, font);
        if (!result) {
            failure = result.error().what;
            return;
        }
        marked = apply_splice(file, result->splice);
        if (runs == 1) {
            std::printf("       changed %d\n", result->changed ? 1 : 0);
            show(result->reading);
        }
    });
    if (!failure.empty()) {
        std::fprintf(stderr, "%s\n", failure.c_str());
        return 1;
    }
    time_it("find", runs, [&] {
        const auto result = label::find_image_mark(marked, *format, font, {mark.text});
        if (!result) {
            std::printf("       %s\n", result.error().what.c_str());
        } else if (runs == 1) {
            show(*result);
        }
    });
    if (!out_path.empty()) {
        std::ofstream(out_path, std::ios::binary)
            .write(reinterpret_cast<const char*>(marked.data()),
                   static_cast<std::streamsize>(marked.size()));
    }
    return 0;
}
