// SPDX-License-Identifier: Apache-2.0
#pragma once

// What stands in the log about one event: a leaf. It holds no personal data. Handles are random,
// and a value is present only as a commitment, HMAC-SHA256 under a salt of its own that is kept,
// and can be destroyed, elsewhere. Whoever has salt and value can show that they are the ones that
// were logged; without the salt not even a telephone number can be guessed.
//
// The form is binary and canonical: one leaf, one encoding. docs/formats/ledger-leaf.md has it.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/random.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

using Handle = std::array<std::uint8_t, 16>;  // of a subject: random, not derived from anything
using Nonce = std::array<std::uint8_t, 16>;
using Salt = std::array<std::uint8_t, 32>;

struct Commitment {
    std::string field;  // [a-z0-9_.-], 1 to 64
    Digest256 digest{};
};

struct Leaf {
    std::string type;            // what happened: [a-z0-9_.-], 1 to 64, as in "call", "erasure"
    Time time;                   // not before 1970
    Handle actor{};              // all zero: the service itself
    std::string object;          // what it is about: printable ASCII without spaces, 0 to 64
    std::string policy_version;  // the rules in force, in the same form
    std::vector<Commitment> commitments;  // ascending by field, each field once, at most 64
    Nonce nonce{};                        // random: hashes of guessed leaves match nothing
};

// kInvalidArgument names the field that breaks a rule above.
Result<Buffer> encode_leaf(const Leaf& leaf);
// Accepts exactly what encode_leaf() makes; kCorrupt names the byte.
Result<Leaf> parse_leaf(Bytes bytes);

// HMAC-SHA256(salt, "colophon/v1/" || field || 0x00 || value).
Digest256 commit(const Salt& salt, std::string_view field, Bytes value);

// Salt and value of one commitment, as handed to somebody who may see the value.
struct Opening {
    std::string field;
    Salt salt{};
    Buffer value;
};
// Whether the leaf committed to exactly this value in this field.
bool opens(const Leaf& leaf, const Opening& opening);

Result<Salt> make_salt(Random& random);
Result<Nonce> make_nonce(Random& random);

// Whether the text may name a type or a field.
bool is_leaf_word(std::string_view text);

}  // namespace colophon::ledger
