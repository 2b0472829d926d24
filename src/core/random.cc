// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include "core/bytes.h"
#include "core/result.h"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon {

Result<std::uint64_t> Random::next() {
    std::array<std::uint8_t, 8> bytes{};
    TRY(fill(bytes));
    return load_le64(bytes);
}

namespace {

Result<void> ask_kernel(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return Error{ErrorCode::kUnavailable, "the system gives no random bytes"};
        }
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

// What a thread has asked the kernel for ahead, so that ids, salts and nonces of a call cost one
// system call in many. It lies in a page that a fork finds empty (MADV_WIPEONFORK), so that no two
// processes give the same bytes, and what was given is wiped.
class Ahead {
public:
    Ahead() {
        void* const page =
            mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) {
            return;
        }
        if (madvise(page, sizeof(Page), MADV_WIPEONFORK) != 0) {
            munmap(page, sizeof(Page));
            return;
        }
        (void)madvise(page, sizeof(Page), MADV_DONTDUMP);
        page_ = static_cast<Page*>(page);
    }
    ~Ahead() {
        if (page_ != nullptr) {
            OPENSSL_cleanse(page_, sizeof(Page));
            munmap(page_, sizeof(Page));
        }
    }
    Ahead(const Ahead&) = delete;
    Ahead& operator=(const Ahead&) = delete;
    Ahead(Ahead&&) = delete;
    Ahead& operator=(Ahead&&) = delete;

    Result<void> give(std::span<std::uint8_t> out) {
        if (page_ == nullptr || out.size() > kAheadMost) {
            return ask_kernel(out);
        }
        if (page_->left < out.size()) {
            page_->left = 0;
            TRY(ask_kernel(page_->bytes));
            page_->left = page_->bytes.size();
        }
        page_->left -= out.size();
        const std::span<std::uint8_t> taken =
            std::span(page_->bytes).subspan(page_->left, out.size());
        std::ranges::copy(taken, out.begin());
        OPENSSL_cleanse(taken.data(), taken.size());
        return {};
    }

private:
    static constexpr std::size_t kAheadMost = 64;
    struct Page {
        std::size_t left;  // of bytes, from their start
        std::array<std::uint8_t, 4096 - sizeof(std::size_t)> bytes;
    };
    Page* page_ = nullptr;
};

}  // namespace

Result<void> SystemRandom::fill(std::span<std::uint8_t> out) {
    thread_local Ahead ahead;
    return ahead.give(out);
}

Result<void> SeededRandom::fill(std::span<std::uint8_t> out) {
    // Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
    while (!out.empty()) {
        state_ += 0x9E3779B97F4A7C15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        z ^= z >> 31U;
        for (std::size_t i = 0; i < 8 && !out.empty(); ++i) {
            out.front() = static_cast<std::uint8_t>(z & 0xFFU);
            z >>= 8U;
            out = out.subspan(1);
        }
    }
    return {};
}

}  // namespace colophon
