// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checker's own strict readers of small texts.

#include "core/bytes.h"
#include "ledger/verify/internal/hash.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::ledger::verify::internal {

// Decimal digits without sign and leading zeros, below 2^63.
std::optional<std::uint64_t> read_number(std::string_view text);
// Base64 with padding, in its only form.
std::optional<Buffer> read_base64(std::string_view text);
std::string write_base64(Bytes bytes);
// Base64 of exactly 32 bytes.
std::optional<Hash> read_hash(std::string_view text);

// Takes a line with its line feed away from the front; nothing when no line feed is there.
std::optional<std::string_view> take_line(std::string_view& text);

// "x001/x234/067".
std::string write_tile_number(std::uint64_t number);

}  // namespace colophon::ledger::verify::internal
