// SPDX-License-Identifier: Apache-2.0
#pragma once

// Manifest stores inside of plain text (C2PA 2.4, A.8): a character that nobody sees for each byte,
// behind a mark that nobody sees either.
//
//   wrapper = U+FEFF *selector      of "C2PATXT" 00 | version:u8 1 | length:u32 | store
//   byte b  = U+FE00 + b below 16, U+E0100 + b - 16 from 16 on: 3 or 4 bytes of UTF-8
//
// So the length of a wrapper depends on the bytes of the store, not on their number alone.

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {

struct TextWrapper {
    ByteRange range;      // in the file
    Buffer store;         // empty when it is broken
    std::string problem;  // why it is broken, in words; empty when it is not
};

// All that begin like a wrapper, in order. At most so many that two tell of more.
std::vector<TextWrapper> find_text_wrappers(std::string_view text);

std::string write_text_wrapper(Bytes store);
// How long that is.
std::uint64_t text_wrapper_bytes(Bytes store) noexcept;

// 15.12.1.3: what the hash covers is the text without the wrapper in form C, and the range of the
// wrapper is counted in form C too.
void check_text_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                     Report& report);

}  // namespace colophon::label::provenance::internal
