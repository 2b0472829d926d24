// SPDX-License-Identifier: Apache-2.0
#include "identity/password.h"

#include "core/result.h"
#include "core/utf8.h"

#include <fmt/format.h>
#include <sodium/core.h>
#include <sodium/crypto_pwhash.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

constexpr unsigned long long kPasses = 1;
constexpr std::size_t kMemoryBytes = 47'104ULL << 10U;
constexpr std::size_t kDistinctCharsMin = 5;
constexpr std::size_t kOwnCharsMin = 8;  // beside the account's name

// Those of twelve characters and more that lists of leaked passwords begin with.
constexpr std::array<std::string_view, 24> kCommon{
    "123456789012",   "1234567890123",  "1234567890qwe",  "123456789abc",     "abc123456789",
    "password1234",   "password12345",  "password123456", "passwordpassword", "qwertyuiop12",
    "qwertyuiop123",  "qwertyuiopasdf", "qwerty123456",   "1qaz2wsx3edc",     "1q2w3e4r5t6y",
    "zaq12wsxcde3",   "asdfghjkl123",   "iloveyou1234",   "administrator",    "admin1234567",
    "administrator1", "letmein12345",   "changeme1234",   "woaini1314520"};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// Three quarters of all steps from one byte to the next are the same small one: 12345..., aaaa...
bool is_run(std::string_view text) noexcept {
    std::array<std::size_t, 3> steps{};  // down, same, up
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        const auto now = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(text[i + 1]);
        steps[0] += next + 1 == now ? 1U : 0U;
        steps[1] += next == now ? 1U : 0U;
        steps[2] += next == now + 1 ? 1U : 0U;
    }
    return *std::ranges::max_element(steps) * 4 >= (text.size() - 1) * 3;
}

Error refused(std::string_view why) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("choose another password: {}", why)};
}

class Hasher final : public PasswordHasher {
public:
    Result<void> prepare() {
        nobody_ = TRY(hash("nobody's password, never right"));
        return {};
    }

    Result<std::string> hash(std::string_view password) override {
        TRY(enter());
        std::array<char, crypto_pwhash_STRBYTES> out{};
        const int failed =
            crypto_pwhash_str_alg(out.data(), password.data(), password.size(), kPasses,
                                  kMemoryBytes, crypto_pwhash_ALG_ARGON2ID13);
        leave();
        if (failed != 0) {
            return Error{ErrorCode::kUnavailable, "not enough memory to hash a password"};
        }
        return std::string(out.data());
    }

    Result<PasswordVerdict> verify(std::string_view password, std::string_view hash) override {
        std::array<char, crypto_pwhash_STRBYTES> text{};
        // Other algorithms and larger memory than ours come from a foreign database: not right.
        if (hash.size() >= text.size() || !hash.starts_with("$argon2id$")) {
            TRY(verify_nobody(password));
            return PasswordVerdict{};
        }
        std::ranges::copy(hash, text.begin());
        TRY(enter());
        const int wrong = crypto_pwhash_str_verify(text.data(), password.data(), password.size());
        leave();
        const int outdated = crypto_pwhash_str_needs_rehash(text.data(), kPasses, kMemoryBytes);
        return PasswordVerdict{.right = wrong == 0, .outdated = wrong == 0 && outdated != 0};
    }

    Result<void> verify_nobody(std::string_view password) override {
        TRY(verify(password, nobody_));
        return {};
    }

private:
    Result<void> enter() {
        std::unique_lock lock(mutex_);
        if (waiting_ >= kHashesWaitingMax) {
            return Error{ErrorCode::kUnavailable,
                         "too many passwords are being checked; try again in a few seconds"};
        }
        ++waiting_;
        free_.wait(lock, [this] { return running_ < kHashesAtOnceMax; });
        --waiting_;
        ++running_;
        return {};
    }

    void leave() {
        {
            const std::scoped_lock lock(mutex_);
            --running_;
        }
        free_.notify_one();
    }

    std::string nobody_;  // set once, before the object is shared
    std::mutex mutex_;
    std::condition_variable free_;
    std::size_t running_ = 0;
    std::size_t waiting_ = 0;
};

}  // namespace

Result<void> check_new_password(std::string_view password, std::string_view account_name) {
    if (find_invalid_utf8(password)) {
        return refused("it is not UTF-8");
    }
    const std::size_t characters = count_code_points(password);
    if (characters < kPasswordCharsMin) {
        return refused(
            fmt::format("it has {} characters, {} are the least", characters, kPasswordCharsMin));
    }
    if (characters > kPasswordCharsMax) {
        return refused(
            fmt::format("it has {} characters, {} are the most", characters, kPasswordCharsMax));
    }
    const std::string folded = lower(password);
    const std::set<char> distinct(folded.begin(), folded.end());
    if (distinct.size() < kDistinctCharsMin || is_run(folded)) {
        return refused("it repeats one thing or counts up");
    }
    for (const std::string& word : {lower(account_name), std::string("colophon")}) {
        const bool holds = word.size() >= 3 && folded.find(word) != std::string::npos;
        if (holds && folded.size() < word.size() + kOwnCharsMin) {
            return refused("it is little more than the name of the account or of the product");
        }
    }
    if (std::ranges::find(kCommon, folded) != kCommon.end()) {
        return refused("it is among those that everybody tries first");
    }
    return {};
}

Result<std::unique_ptr<PasswordHasher>> PasswordHasher::create() {
    if (sodium_init() < 0) {
        return Error{ErrorCode::kUnavailable, "libsodium does not start"};
    }
    auto hasher = std::make_unique<Hasher>();
    TRY(hasher->prepare());
    return std::unique_ptr<PasswordHasher>(std::move(hasher));
}

}  // namespace colophon::identity
