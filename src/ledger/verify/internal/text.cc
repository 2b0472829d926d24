// SPDX-License-Identifier: Apache-2.0
#include "ledger/verify/internal/text.h"

#include "core/bytes.h"
#include "ledger/verify/internal/hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace colophon::ledger::verify::internal {

std::optional<std::uint64_t> read_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = fault == std::errc() && end == text.data() + text.size();
    if (!whole || number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
        std::to_string(number) != text) {
        return std::nullopt;
    }
    return number;
}

std::string write_base64(Bytes bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

// OpenSSL decodes, and is lenient; what does not encode to the same text is refused.
std::optional<Buffer> read_base64(std::string_view text) {
    constexpr std::size_t kTextBytesMax = 4U << 20U;
    if (text.size() % 4 != 0 || text.size() > kTextBytesMax) {
        return std::nullopt;
    }
    Buffer out(text.size() / 4 * 3);
    const Bytes in = as_bytes(text);
    const int size = EVP_DecodeBlock(out.data(), in.data(), static_cast<int>(in.size()));
    if (size < 0 || static_cast<std::size_t>(size) != out.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < 2 && i < text.size() && text[text.size() - 1 - i] == '='; ++i) {
        out.pop_back();
    }
    if (write_base64(out) != text) {
        return std::nullopt;
    }
    return out;
}

std::optional<Hash> read_hash(std::string_view text) {
    const auto bytes = read_base64(text);
    if (!bytes || bytes->size() != sizeof(Hash)) {
        return std::nullopt;
    }
    Hash hash{};
    std::ranges::copy(*bytes, hash.begin());
    return hash;
}

std::optional<std::string_view> take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

std::string write_tile_number(std::uint64_t number) {
    std::string digits = std::to_string(number);
    digits.insert(0, (3 - digits.size() % 3) % 3, '0');
    std::string out;
    for (std::size_t at = 0; at < digits.size(); at += 3) {
        const bool last = at + 3 == digits.size();
        out += (last ? "" : "x") + digits.substr(at, 3) + (last ? "" : "/");
    }
    return out;
}

}  // namespace colophon::ledger::verify::internal
