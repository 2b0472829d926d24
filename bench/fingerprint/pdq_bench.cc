// SPDX-License-Identifier: Apache-2.0
// pdq_bench [JPEG...]: how many pictures of 512 x 512 a thread hashes in a second, the luma given;
// and the hash of each file, to be compared with other implementations.

#include "core/bytes.h"
#include "core/random.h"
#include "fingerprint/pdq.h"
#include "fingerprint/picture.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

namespace {

namespace fingerprint = colophon::fingerprint;

void time_hashes() {
    colophon::SeededRandom random(1);
    fingerprint::Luma luma(512, 512);
    for (float& value : luma.values) {
        value = static_cast<float>(random.next().value() & 0xffU);
    }
    constexpr int kRounds = 500;
    const std::clock_t start = std::clock();
    std::uint64_t sum = 0;
    for (int i = 0; i < kRounds; ++i) {
        sum += fingerprint::pdq_of(luma).hash.words[0];
    }
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    std::printf("%.0f hashes a second of processor time, 512 x 512 (check %llx)\n",
                kRounds / seconds, static_cast<unsigned long long>(sum));
}

int print_file(const char* path) {
    std::ifstream in(path, std::ios::binary);
    const colophon::Buffer file((std::istreambuf_iterator<char>(in)), {});
    auto luma = fingerprint::read_luma(file, fingerprint::PictureCoding::kJpeg);
    if (!luma.ok()) {
        std::printf("%s: %s\n", path, luma.error().what.c_str());
        return 1;
    }
    const fingerprint::PdqPrint print = fingerprint::pdq_of(std::move(luma).value());
    std::printf("%s %d %s\n", fingerprint::to_hex(print.hash).c_str(), print.quality, path);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    time_hashes();
    int failures = 0;
    for (int i = 1; i < argc; ++i) {
        failures += print_file(argv[i]);
    }
    return failures == 0 ? 0 : 1;
}
