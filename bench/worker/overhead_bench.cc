// SPDX-License-Identifier: Apache-2.0
// What the locked worker costs for one file: the same call in process and through the worker, turn
// by turn, medians and their difference.

#include "core/bytes.h"
#include "label/apply.h"
#include "label/format.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/mapping.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using colophon::Bytes;
namespace label = colophon::label;
namespace worker = colophon::worker;

constexpr int kRounds = 2000;

label::ApplyOptions options() {
    label::ApplyOptions wanted;
    wanted.record.producer_name = "bench";
    wanted.record.content_id = colophon::ContentId{1};
    wanted.marks.add(label::Mark::kMetadata);
    return wanted;
}

double median_us(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

template <class F>
double time_us(F&& call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
        .count();
}

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fail("usage: overhead_bench COLOPHON FILE");
    }
    const worker::Fd in(open(argv[2], O_RDONLY));
    const auto mapping = worker::Mapping::create(in.get());
    if (!mapping.ok()) {
        fail(mapping.error().what);
    }
    const Bytes bytes = mapping->bytes();
    const auto format =
        label::detect_format(bytes.first(std::min(bytes.size(), label::kSniffBytes)), argv[2]);
    if (!format) {
        fail("a kind of file that is not known");
    }
    const std::string out_path = "/tmp";
    const worker::Fd out(open(out_path.c_str(), O_TMPFILE | O_RDWR, 0600));
    worker::Worker client({.program = argv[1], .font_path = {}, .expects_media = false});
    std::vector<double> inside;
    std::vector<double> outside;
    for (int i = 0; i < kRounds; ++i) {
        inside.push_back(time_us([&] {
            label::MemoryHolder holder;
            const auto applied = label::apply(bytes, *format, options(), {}, holder);
            if (!applied.ok()) {
                fail(applied.error().what);
            }
        }));
        outside.push_back(time_us([&] {
            const auto report =
                client.label({.input = in.get(), .output = out.get()}, *format, options());
            if (!report.ok()) {
                fail(report.error().what);
            }
        }));
    }
    const double a = median_us(inside);
    const double b = median_us(outside);
    std::printf("in process %.0f us, in the worker %.0f us, difference %.0f us (medians of %d)\n",
                a, b, b - a, kRounds);
    return 0;
}
