// SPDX-License-Identifier: Apache-2.0
#pragma once

// Passwords of staff: argon2id by libsodium with the parameters of OWASP ASVS 5.0 appendix C (one
// pass, 47,104 KiB). Each hash takes some 46 MiB while it runs, so at most a few run at a time.
// Salts come from libsodium's own generator, which is the kernel's.

#include "core/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::identity {

inline constexpr std::size_t kPasswordCharsMin = 12;
inline constexpr std::size_t kPasswordCharsMax = 128;
inline constexpr std::size_t kHashesAtOnceMax = 4;
inline constexpr std::size_t kHashesWaitingMax = 64;

// Whether a new password may be taken: length in characters, no composition rules, not the
// account's name or the product's with a few signs around it, not a run or a repetition, not one of
// those that everybody tries first. kInvalidArgument says which; the message never repeats it.
Result<void> check_new_password(std::string_view password, std::string_view account_name);

struct PasswordVerdict {
    bool right = false;
    bool outdated = false;  // right, but hashed with other parameters: hash it again and keep that
};

// Threads: all methods may be called at once; those that find kHashesAtOnceMax running wait.
class PasswordHasher {
public:
    static Result<std::unique_ptr<PasswordHasher>> create();
    virtual ~PasswordHasher() = default;

    // A text of at most 127 bytes to keep ("$argon2id$v=19$m=47104,t=1,p=1$...").
    virtual Result<std::string> hash(std::string_view password) = 0;
    // A hash that is none is simply not right. kUnavailable: no memory, or too many are waiting.
    virtual Result<PasswordVerdict> verify(std::string_view password, std::string_view hash) = 0;
    // Costs what verify() costs and is never right: for names that nobody has, so that the time of
    // an answer does not tell which exist.
    virtual Result<void> verify_nobody(std::string_view password) = 0;
};

}  // namespace colophon::identity
