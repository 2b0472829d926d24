// SPDX-License-Identifier: Apache-2.0
// How fast content is sealed and opened on one core: the whole path, pieces in, sealed bytes out,
// turn by turn with `openssl speed` over blocks of the same size. Prints megabytes a second and the
// ratio of the medians.

#include "core/bytes.h"
#include "core/random.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace storage = colophon::storage;
using colophon::Buffer;
using colophon::Bytes;

constexpr int kRounds = 7;
constexpr std::size_t kContentBytes = 32U << 20U;
constexpr std::size_t kPieceBytes = 1U << 20U;
constexpr storage::SealContext kContext{.owner = "owner", .purpose = "bench", .id = "object"};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

// Of processor time, as `openssl speed` counts: others on the machine do not matter.
template <class F>
double processor_seconds(F&& call) {
    const std::clock_t start = std::clock();
    call();
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

template <class F>
double megabytes_per_second(std::size_t bytes, F&& call) {
    return static_cast<double>(bytes) / 1e6 / processor_seconds(call);
}

// The pieces come from and go to the same memory, as they do between two sockets.
void seal_all(const storage::Secret& key, storage::Suite suite, Bytes piece, Buffer& out) {
    colophon::SystemRandom random;
    auto stream = storage::SealStream::start(key, kContext, {.suite = suite}, random).value();
    for (std::size_t done = 0; done < kContentBytes; done += piece.size()) {
        out.clear();
        stream.append(piece, out);
    }
    stream.finish(out);
}

void open_all(const storage::Secret& key, Bytes sealed, Buffer& out) {
    auto opener = storage::ChunkOpener::start(key, sealed, kContext).value();
    const std::size_t step = storage::kSealChunkBytes + 16;
    for (std::size_t done = 0; done < kContentBytes; done += storage::kSealChunkBytes) {
        out.clear();
        if (!opener.open(0, false, sealed.subspan(storage::kSealedHeaderBytes, step), out).ok()) {
            std::abort();
        }
    }
}

// Megabytes a second of the last line of `openssl speed`, whose numbers are thousands of bytes.
double openssl_speed(const std::string& algorithm) {
    const std::string command =
        "openssl speed -seconds 1 -bytes 65536 -evp " + algorithm + " 2>/dev/null | tail -n 1";
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::array<char, 256> line{};
    if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) {
        return 0;
    }
    const char* number = std::strrchr(line.data(), ' ');
    return number == nullptr ? 0 : std::strtod(number, nullptr) / 1000;
}

void compare(const char* name, storage::Suite suite, const std::string& algorithm) {
    const storage::Secret key(Buffer(32, 7));
    const Buffer piece(kPieceBytes, 'x');
    Buffer out;
    out.reserve(2 * kPieceBytes);
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int round = 0; round < kRounds; ++round) {
        ours.push_back(
            megabytes_per_second(kContentBytes, [&] { seal_all(key, suite, piece, out); }));
        theirs.push_back(openssl_speed(algorithm));
    }
    std::printf("seal %s: %.0f MB/s, openssl speed %s: %.0f MB/s, ratio %.2f (medians of %d)\n",
                name, median(ours), algorithm.c_str(), median(theirs),
                median(ours) / median(theirs), kRounds);
}

void time_opening() {
    const storage::Secret key(Buffer(32, 7));
    colophon::SystemRandom random;
    const Buffer sealed =
        storage::seal(key, kContext, {}, Buffer(2 * storage::kSealChunkBytes, 'x'), random).value();
    Buffer out;
    std::vector<double> rates;
    for (int round = 0; round < kRounds; ++round) {
        rates.push_back(megabytes_per_second(kContentBytes, [&] { open_all(key, sealed, out); }));
    }
    std::printf("open aes-256-gcm: %.0f MB/s\n", median(rates));
}

void time_small_values() {
    constexpr int kValues = 100'000;
    const storage::Secret key(Buffer(32, 7));
    colophon::SystemRandom random;
    std::vector<double> microseconds;
    for (int round = 0; round < kRounds; ++round) {
        const double seconds = processor_seconds([&] {
            for (int i = 0; i < kValues; ++i) {
                if (!storage::seal(key, kContext, {}, colophon::as_bytes("13800138000"), random)
                         .ok()) {
                    std::abort();
                }
            }
        });
        microseconds.push_back(seconds * 1e6 / kValues);
    }
    std::printf("seal a value of 11 bytes: %.2f us\n", median(microseconds));
}

}  // namespace

int main() {
    compare("aes-256-gcm", storage::Suite::kAes256Gcm, "aes-256-gcm");
    compare("sm4-ctr + hmac-sm3", storage::Suite::kSm4HmacSm3, "sm4-ctr");
    time_opening();
    time_small_values();
    return 0;
}
