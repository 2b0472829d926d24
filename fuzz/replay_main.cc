// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of the folders and files given, with the limits that the
// product promises for hostile input: one second and 256 MB each.

#include <sys/resource.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::chrono::seconds kTimeMax{1};
constexpr long kMemoryKilobytesMax = 256L * 1024L;

// Sanitizers slow a program down and blow it up; their builds look for other faults.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasure = false;
#else
constexpr bool kMeasure = true;
#endif

bool replay(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    const auto start = std::chrono::steady_clock::now();
    (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    const auto took = std::chrono::steady_clock::now() - start;
    if (kMeasure && took > kTimeMax) {
        std::fprintf(stderr, "%s takes longer than a second\n", path.c_str());
        return false;
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    if (kMeasure && usage.ru_maxrss > kMemoryKilobytesMax) {
        std::fprintf(stderr, "%s takes more than 256 MB\n", path.c_str());
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 0;
    bool good = true;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            good = replay(argv[i]) && good;
            ++count;
            continue;
        }
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            good = replay(entry.path()) && good;
            ++count;
        }
    }
    std::printf("%zu inputs replayed\n", count);
    return good && count > 0 ? 0 : 1;
}
