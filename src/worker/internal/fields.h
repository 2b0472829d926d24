// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a message is decoded: field by field, and strictly.

#include "core/json.h"
#include "core/result.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::worker::internal {

// Reads the members of one object and remembers the first thing that was wrong, so that a decoder
// reads as a list of fields.
class Fields {
public:
    explicit Fields(const json::Value& value) : value_(value) {
        if (value.if_object() == nullptr) {
            fail("the message");
        }
    }

    const json::Value* find(std::string_view name) const { return value_.find(name); }

    std::string text(std::string_view name) {
        const json::Value* member = value_.find(name);
        const std::string* found = member == nullptr ? nullptr : member->if_string();
        if (found == nullptr) {
            fail(name);
            return {};
        }
        return *found;
    }
    bool flag(std::string_view name) {
        const json::Value* member = value_.find(name);
        const bool* found = member == nullptr ? nullptr : member->if_bool();
        if (found == nullptr) {
            fail(name);
            return false;
        }
        return *found;
    }
    std::uint64_t number(std::string_view name, std::uint64_t largest) {
        const json::Value* member = value_.find(name);
        const auto found = member == nullptr
                               ? Result<std::uint64_t>(Error{ErrorCode::kCorrupt, "missing"})
                               : member->as_uint();
        if (!found.ok() || *found > largest) {
            fail(name);
            return 0;
        }
        return *found;
    }
    template <class E>
    E choice(std::string_view name, E largest) {
        return static_cast<E>(number(name, static_cast<std::uint64_t>(largest)));
    }
    std::optional<double> optional_real(std::string_view name) {
        const json::Value* member = value_.find(name);
        if (member == nullptr) {
            return std::nullopt;
        }
        const auto found = member->as_double();
        if (!found.ok()) {
            fail(name);
            return std::nullopt;
        }
        return *found;
    }
    double real(std::string_view name) {
        const std::optional<double> found = optional_real(name);
        if (!found) {
            fail(name);
        }
        return found.value_or(0);
    }
    template <class T>
    T take(Result<T> result, std::string_view name) {
        if (!result.ok()) {
            fail(name);
            return T{};
        }
        return std::move(result).value();
    }

    void fail(std::string_view name) {
        if (wrong_.empty()) {
            wrong_ = name;
        }
    }
    Result<void> finish(std::string_view what) const {
        if (wrong_.empty()) {
            return {};
        }
        return Error{ErrorCode::kCorrupt,
                     fmt::format("the worker's {}: \"{}\" is missing or wrong", what, wrong_)};
    }

private:
    const json::Value& value_;
    std::string wrong_;
};

}  // namespace colophon::worker::internal
