// SPDX-License-Identifier: Apache-2.0
#pragma once

// Assertions that stay on in every build. They guard against our own mistakes and are never applied
// to input: what comes from outside is answered with an Error (core/result.h).

namespace colophon {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace colophon

#define COLOPHON_ASSERT(condition)                                        \
    do {                                                                  \
        if (!(condition)) [[unlikely]] {                                  \
            ::colophon::assertion_failed(#condition, __FILE__, __LINE__); \
        }                                                                 \
    } while (false)
