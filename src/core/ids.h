// SPDX-License-Identifier: Apache-2.0
#pragma once

// Identifiers that cross modules. Each is a type of its own, so that the compiler refuses a swap.

#include "core/random.h"
#include "core/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon {

// The number of one piece of content: 48 bits, unique and not guessable. Written as ten characters
// of Crockford base32 (the first one stands for three bits, so it is at most '7').
struct ContentId {
    static constexpr std::uint64_t kMax = (1ULL << 48U) - 1;
    std::uint64_t value = 0;
    auto operator<=>(const ContentId&) const = default;
};

// Who gave the number: 16 bits of the 64-bit watermark payload.
struct IssuerId {
    std::uint16_t value = 0;
    auto operator<=>(const IssuerId&) const = default;
};

std::string to_string(ContentId id);

// Accepts lower case, and o for 0, i and l for 1, as Crockford's alphabet intends. Any other
// character, another length or a value of 2^48 and above is Error{kInvalidArgument}.
Result<ContentId> parse_content_id(std::string_view text);

// 128 random bits that name a thing of ours and say nothing about it: safe in logs and in the
// ledger.
template <class Tag>
struct RandomId {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const RandomId&) const = default;
};

using RecordId = RandomId<struct RecordTag>;  // a service record
using TenantId = RandomId<struct TenantTag>;  // who runs a service with us
using SubjectId =
    RandomId<struct SubjectTag>;            // an end user of that service: person or organisation
using StaffId = RandomId<struct StaffTag>;  // who works in the console

namespace internal {
std::string random_id_text(const std::array<std::uint8_t, 16>& bytes);
Result<std::array<std::uint8_t, 16>> parse_random_id(std::string_view text);
}  // namespace internal

// 32 lower-case hexadecimal digits.
template <class Tag>
std::string to_string(const RandomId<Tag>& id) {
    return internal::random_id_text(id.bytes);
}

// parse_random_id<SubjectId>(text); any other form is Error{kInvalidArgument}.
template <class Id>
Result<Id> parse_random_id(std::string_view text) {
    return Id{TRY(internal::parse_random_id(text))};
}

// make_random_id<RecordId>(random)
template <class Id>
Result<Id> make_random_id(Random& random) {
    Id id;
    TRY(random.fill(id.bytes));
    return id;
}

}  // namespace colophon
