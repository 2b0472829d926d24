// SPDX-License-Identifier: Apache-2.0
#include "core/base64.h"

#include "core/bytes.h"
#include "core/result.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kForeign = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
    std::array<std::uint8_t, 256> values{};
    values.fill(kForeign);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
        values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

Error no_base64() {
    return {ErrorCode::kInvalidArgument, "not base64 in its canonical form"};
}

}  // namespace

std::string to_base64(Bytes bytes) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = (group << 8U) | (j < count ? bytes[i + j] : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            out += j <= count ? kAlphabet[(group >> (18U - 6U * j)) & 0x3FU] : '=';
        }
    }
    return out;
}

Result<Buffer> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return no_base64();
    }
    std::size_t padding = 0;
    while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') {
        ++padding;
    }
    Buffer out;
    out.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool padded = i >= text.size() - padding;
        const std::uint8_t value = padded ? 0 : kValues[static_cast<std::uint8_t>(text[i])];
        if (value == kForeign) {
            return no_base64();
        }
        group = (group << 6U) | value;
        if (i % 4 == 3) {
            append_be24(out, group & 0xFFFFFFU);
            group = 0;
        }
    }
    for (std::size_t i = 0; i < padding; ++i) {
        if (out.back() != 0) {
            return no_base64();
        }
        out.pop_back();
    }
    return out;
}

}  // namespace colophon
