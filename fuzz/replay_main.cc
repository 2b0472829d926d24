// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of the folders and files given, with the limits that the
// product promises for hostile input: one second of processor time and 256 MB each.

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::clock_t kTicksMax = CLOCKS_PER_SEC;  // one second
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
    // Processor time: a busy machine must not fail an honest parser.
    const std::clock_t start = std::clock();
    (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    const std::clock_t took = std::clock() - start;
    if (kMeasure && took > kTicksMax) {
        (void)std::fprintf(stderr, "%s takes longer than a second\n", path.c_str());
        return false;
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    if (kMeasure && usage.ru_maxrss > kMemoryKilobytesMax) {
        (void)std::fprintf(stderr, "%s takes more than 256 MB\n", path.c_str());
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
