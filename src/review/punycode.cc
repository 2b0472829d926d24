// SPDX-License-Identifier: Apache-2.0
#include "review/punycode.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::review {
namespace {

// RFC 3492, 5.
constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kThresholdMin = 1;
constexpr std::uint32_t kThresholdMax = 26;
constexpr std::uint32_t kSkew = 38;
constexpr std::uint32_t kDamp = 700;
constexpr std::uint32_t kFirstBias = 72;
constexpr std::uint32_t kFirstCode = 0x80;
constexpr std::uint32_t kLastCode = 0x10ffff;

std::uint32_t adapted(std::uint32_t delta, std::uint32_t points, bool first) noexcept {
    delta = first ? delta / kDamp : delta / 2;
    delta += delta / points;
    std::uint32_t k = 0;
    while (delta > (kBase - kThresholdMin) * kThresholdMax / 2) {
        delta /= kBase - kThresholdMin;
        k += kBase;
    }
    return k + (kBase - kThresholdMin + 1) * delta / (delta + kSkew);
}

std::uint32_t threshold(std::uint32_t k, std::uint32_t bias) noexcept {
    return k <= bias ? kThresholdMin : std::clamp(k - bias, kThresholdMin, kThresholdMax);
}

char digit(std::uint32_t value) noexcept {
    return static_cast<char>(value < 26 ? 'a' + value : '0' + (value - 26));
}

std::optional<std::uint32_t> value_of(char c) noexcept {
    if (c >= 'a' && c <= 'z') {
        return static_cast<std::uint32_t>(c - 'a');
    }
    if (c >= 'A' && c <= 'Z') {
        return static_cast<std::uint32_t>(c - 'A');
    }
    if (c >= '0' && c <= '9') {
        return static_cast<std::uint32_t>(c - '0' + 26);
    }
    return std::nullopt;
}

// One number of variable length. Nothing when it is broken or too large.
std::optional<std::uint32_t> take_number(std::string_view& rest, std::uint32_t bias) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    std::uint64_t number = 0;
    std::uint64_t weight = 1;
    for (std::uint32_t k = kBase;; k += kBase) {
        const auto value = rest.empty() ? std::nullopt : value_of(rest.front());
        if (!value) {
            return std::nullopt;
        }
        rest.remove_prefix(1);
        number += *value * weight;
        const std::uint32_t t = threshold(k, bias);
        if (number > kMost) {
            return std::nullopt;
        }
        if (*value < t) {
            return static_cast<std::uint32_t>(number);
        }
        weight *= kBase - t;
        if (weight > kMost) {
            return std::nullopt;
        }
    }
}

void put_number(std::string& out, std::uint32_t number, std::uint32_t bias) {
    for (std::uint32_t k = kBase;; k += kBase) {
        const std::uint32_t t = threshold(k, bias);
        if (number < t) {
            out += digit(number);
            return;
        }
        out += digit(t + (number - t) % (kBase - t));
        number = (number - t) / (kBase - t);
    }
}

}  // namespace

std::optional<std::u32string> decode_punycode(std::string_view label) {
    if (label.empty() || label.size() > kDomainLabelBytesMax) {
        return std::nullopt;
    }
    std::u32string out;
    const std::size_t dash = label.rfind('-');
    if (dash != std::string_view::npos) {
        out.assign(label.begin(), label.begin() + static_cast<std::ptrdiff_t>(dash));
        label.remove_prefix(dash + 1);
    }
    std::uint64_t code = kFirstCode;
    std::uint64_t at = 0;
    std::uint32_t bias = kFirstBias;
    bool first = true;
    while (!label.empty()) {
        const auto delta = take_number(label, bias);
        if (!delta) {
            return std::nullopt;
        }
        const auto points = static_cast<std::uint32_t>(out.size() + 1);
        bias = adapted(*delta, points, first);
        first = false;
        at += *delta;
        code += at / points;
        at %= points;
        if (code > kLastCode || (code >= 0xd800 && code <= 0xdfff)) {
            return std::nullopt;
        }
        out.insert(static_cast<std::size_t>(at), 1, static_cast<char32_t>(code));
        ++at;
    }
    return out;
}

std::optional<std::string> encode_punycode(std::u32string_view label) {
    if (label.size() > kDomainLabelBytesMax) {
        return std::nullopt;
    }
    std::string out;
    for (const char32_t each : label) {
        if (each < kFirstCode) {
            out += static_cast<char>(each);
        }
    }
    const auto basic = static_cast<std::uint32_t>(out.size());
    std::uint32_t done = basic;
    if (basic > 0) {
        out += '-';
    }
    std::uint32_t code = kFirstCode;
    std::uint32_t delta = 0;
    std::uint32_t bias = kFirstBias;
    while (done < label.size()) {
        char32_t next = kLastCode + 1;
        for (const char32_t each : label) {
            next = each >= code ? std::min(next, each) : next;
        }
        // At most 63 characters of 21 bits: no overflow.
        delta += (next - code) * (done + 1);
        code = next;
        for (const char32_t each : label) {
            delta += each < code ? 1U : 0U;
            if (each == code) {
                put_number(out, delta, bias);
                bias = adapted(delta, done + 1, done == basic);
                delta = 0;
                ++done;
            }
        }
        ++delta;
        ++code;
    }
    if (out.size() > kDomainLabelBytesMax) {
        return std::nullopt;
    }
    return out;
}

}  // namespace colophon::review
