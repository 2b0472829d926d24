// SPDX-License-Identifier: Apache-2.0
#pragma once

// The facts of a record as its row has them: the exact text that its leaf commits to, in a third of
// the bytes. Nearly all of that text is names of members and what all calls have in common, so it
// is told as pieces of a dictionary that every reader has, and of what came before.
//
//   version (1)  bytes of the text (4, big-endian)  sequences
//   sequence     token (1): bytes that follow as they are (4 bits), bytes that are repeated less
//                four (4 bits); fifteen of either goes on in bytes that are added until one is not
//                255: first those of what follows, then what follows, then how far back the
//                repeated ones begin (2, little-endian) in dictionary and text, then the rest of
//                how many they are; nothing back means an id, 16 bytes for 32 hexadecimal digits
// The last sequence ends after what follows as it is. The dictionary of a version never changes.

#include "core/bytes.h"
#include "core/result.h"
#include "storage/value.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::ledger::internal {

inline constexpr std::size_t kFactsTextMax = 64U << 20U;

Buffer pack_facts(std::string_view text);  // at most kFactsTextMax bytes
// kCorrupt for what pack_facts() did not write, kUnsupported for a later version.
Result<std::string> unpack_facts(Bytes packed);

// The dictionary of the version that is written, for those who check that it stays what it is.
std::string_view facts_dictionary() noexcept;

// From the columns `facts` and, after it, `facts_packed`, of which one has it.
Result<std::string> facts_text_at(const storage::Rows& rows, std::size_t row, std::size_t column);

}  // namespace colophon::ledger::internal
