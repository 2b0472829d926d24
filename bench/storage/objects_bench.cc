// SPDX-License-Identifier: Apache-2.0
// What a durable object in a folder costs beside the system calls that it cannot do without: write,
// fsync, rename, fsync of the folder. Turn by turn in the folder given, medians and their ratio.

#include "core/bytes.h"
#include "core/random.h"
#include "storage/directory_objects.h"
#include "storage/files.h"
#include "storage/objects.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

namespace storage = colophon::storage;

constexpr int kRounds = 200;

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

template <class F>
double milliseconds(F&& call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
}

void must(bool good) {
    if (!good) {
        std::perror("objects_bench");
        std::abort();
    }
}

void bare_put(const std::string& folder, const std::string& name, const std::string& content) {
    const std::string part = folder + "/part";
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(fd >= 0);
    must(::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    must(::fsync(fd) == 0);
    ::close(fd);
    must(::rename(part.c_str(), (folder + "/" + name).c_str()) == 0);
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(directory >= 0 && ::fsync(directory) == 0);
    ::close(directory);
}

void compare(storage::ObjectStore& objects, const std::string& folder, std::size_t size) {
    const std::string content(size, 'x');
    std::vector<double> ours;
    std::vector<double> bare;
    for (int round = 0; round < kRounds; ++round) {
        const std::string name = "n" + std::to_string(round);
        ours.push_back(milliseconds([&] {
            must(objects.put(name, colophon::as_bytes(content), storage::Existing::kReplace).ok());
        }));
        bare.push_back(milliseconds([&] { bare_put(folder, name, content); }));
    }
    std::printf("%zu bytes: put %.2f ms, system calls alone %.2f ms, ratio %.2f (medians of %d)\n",
                size, median(ours), median(bare), median(ours) / median(bare), kRounds);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: objects_bench FOLDER\n");
        return 64;
    }
    const std::string folder = argv[1];
    storage::SystemFiles files;
    colophon::SystemRandom random;
    const auto objects = storage::open_directory_objects(folder + "/objects", files, random);
    must(objects.ok());
    must(files.make_folder(folder + "/bare") == 0);
    for (const std::size_t size :
         {std::size_t{400}, std::size_t{100'000}, std::size_t{4'000'000}}) {
        compare(**objects, folder + "/bare", size);
    }
    return 0;
}
