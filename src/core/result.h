// SPDX-License-Identifier: Apache-2.0
#pragma once

// Result<T>: a value or an Error, and TRY to pass the error on.
//
// Whoever detects an error writes its message: what is wrong, where (byte offset, field, line), and
// what to do about it. Whoever passes it on adds nothing, except one with_context() where the
// meaning changes (a file, a tenant). Absence and bad verdicts are values, not errors.

#include "core/assert.h"

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace colophon {

enum class ErrorCode {
    kInvalidArgument,  // the caller asked for something that makes no sense
    kNotFound,         // a named thing does not exist
    kConflict,         // the thing is there, but in a state that forbids this
    kDenied,           // not allowed
    kCorrupt,          // bytes from outside do not follow their format
    kUnsupported,      // a valid thing that we do not handle
    kLimit,            // a named limit (core/limits.h) was reached
    kUnavailable,      // a resource failed: disk, process, network; trying again may help
};

// The name used in JSON and messages: "invalid_argument", "corrupt", ...
const char* error_code_name(ErrorCode code) noexcept;

struct [[nodiscard]] Error {
    ErrorCode code;
    std::string what;  // one sentence in plain words, no trailing full stop, no secrets
};

// Puts "CONTEXT: " before the message.
Error with_context(Error error, const std::string& context);

template <class T = void>
class [[nodiscard]] Result {
public:
    using value_type = T;

    // Implicit on purpose: `return value;` and `return Error{...};` both read as what they mean.
    // NOLINTBEGIN(google-explicit-constructor)
    Result(T value) : value_(std::in_place, std::move(value)) {}
    Result(Error error) : error_(std::move(error)) {}
    // NOLINTEND(google-explicit-constructor)

    bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }

    const T& value() const& {
        COLOPHON_ASSERT(ok());
        return *value_;
    }
    T& value() & {
        COLOPHON_ASSERT(ok());
        return *value_;
    }
    // By value, so that `for (const auto& x : f().value())` does not outlive what it walks over.
    T value() && {
        COLOPHON_ASSERT(ok());
        return std::move(*value_);
    }
    const Error& error() const& {
        COLOPHON_ASSERT(!ok());
        return *error_;
    }
    Error error() && {
        COLOPHON_ASSERT(!ok());
        return std::move(*error_);
    }

    const T& operator*() const& { return value(); }
    T& operator*() & { return value(); }
    T operator*() && { return std::move(*this).value(); }
    const T* operator->() const { return &value(); }
    T* operator->() { return &value(); }

private:
    // Not a variant, which costs a compiler three times as much for each of a thousand types.
    std::optional<T> value_;
    std::optional<Error> error_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): as above
    Result(Error error) : error_(std::move(error)) {}

    bool ok() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    void value() const { COLOPHON_ASSERT(ok()); }
    const Error& error() const& {
        COLOPHON_ASSERT(!ok());
        return *error_;
    }
    Error error() && {
        COLOPHON_ASSERT(!ok());
        return std::move(*error_);
    }

private:
    std::optional<Error> error_;
};

namespace internal {

// What TRY yields: the value moved out, or nothing for Result<void>.
template <class T>
T take_value(Result<T>&& result) {
    if constexpr (!std::is_void_v<T>) {
        return std::move(result).value();
    } else {
        result.value();
    }
}

}  // namespace internal
}  // namespace colophon

// `auto x = TRY(f());` continues with the value or returns the error from the enclosing function.
// One per statement; not usable inside coroutines.
#define TRY(expression)                                           \
    __extension__({                                               \
        auto try_result_ = (expression);                          \
        if (!try_result_.ok()) [[unlikely]] {                     \
            return std::move(try_result_).error();                \
        }                                                         \
        ::colophon::internal::take_value(std::move(try_result_)); \
    })
