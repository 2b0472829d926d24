// SPDX-License-Identifier: Apache-2.0
#include "ledger/leaf.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::ledger {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kCommitmentPrefix = "colophon/v1/";

bool is_printable_word(std::string_view text) {
    return text.size() <= limits::kLeafTextBytesMax &&
           std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

Error invalid(std::string_view what) {
    return {ErrorCode::kInvalidArgument, "leaf: " + std::string(what)};
}

// Why this is no leaf; empty when it is one.
std::string_view fault_of(const Leaf& leaf) {
    if (!is_leaf_word(leaf.type)) {
        return "the type is 1 to 64 of a-z, 0-9, '.', '_' and '-'";
    }
    if (leaf.time.time_since_epoch().count() < 0) {
        return "the time is before 1970";
    }
    if (!is_printable_word(leaf.object)) {
        return "the object is at most 64 printable ASCII characters without spaces";
    }
    if (!is_printable_word(leaf.policy_version)) {
        return "the policy version is at most 64 printable ASCII characters without spaces";
    }
    if (leaf.commitments.size() > limits::kLeafCommitmentsMax) {
        return "more than 64 commitments";
    }
    for (std::size_t i = 0; i < leaf.commitments.size(); ++i) {
        if (!is_leaf_word(leaf.commitments[i].field)) {
            return "the field of a commitment is 1 to 64 of a-z, 0-9, '.', '_' and '-'";
        }
        if (i > 0 && leaf.commitments[i - 1].field >= leaf.commitments[i].field) {
            return "commitments stand in ascending order of their fields, each once";
        }
    }
    return {};
}

void append_text(Buffer& out, std::string_view text) {
    out.push_back(static_cast<std::uint8_t>(text.size()));
    append(out, text);
}

Result<std::string> take_text(ByteReader& reader, std::string_view what) {
    const std::uint8_t size = TRY(reader.u8(what));
    return std::string(as_text(TRY(reader.take(size, what))));
}

template <std::size_t kSize>
Result<std::array<std::uint8_t, kSize>> take_array(ByteReader& reader, std::string_view what) {
    const Bytes bytes = TRY(reader.take(kSize, what));
    std::array<std::uint8_t, kSize> out{};
    std::ranges::copy(bytes, out.begin());
    return out;
}

}  // namespace

bool is_leaf_word(std::string_view text) {
    return !text.empty() && text.size() <= limits::kLeafTextBytesMax &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                      c == '-';
           });
}

Result<Buffer> encode_leaf(const Leaf& leaf) {
    if (const std::string_view fault = fault_of(leaf); !fault.empty()) {
        return invalid(fault);
    }
    constexpr std::size_t kUsualBytes = 512;
    Buffer out;
    out.reserve(kUsualBytes);
    out.push_back(kVersion);
    append_text(out, leaf.type);
    append_be64(out, static_cast<std::uint64_t>(leaf.time.time_since_epoch().count()));
    append(out, leaf.actor);
    append_text(out, leaf.object);
    append_text(out, leaf.policy_version);
    out.push_back(static_cast<std::uint8_t>(leaf.commitments.size()));
    for (const Commitment& commitment : leaf.commitments) {
        append_text(out, commitment.field);
        append(out, commitment.digest);
    }
    append(out, leaf.nonce);
    COLOPHON_ASSERT(out.size() <= limits::kEntryBytesMax);
    return out;
}

Result<Leaf> parse_leaf(Bytes bytes) {
    ByteReader reader(bytes);
    const std::uint8_t version = TRY(reader.u8("version"));
    if (version != kVersion) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a leaf of version {}; version 1 is known", version)};
    }
    Leaf leaf;
    leaf.type = TRY(take_text(reader, "type"));
    const std::uint64_t time = TRY(reader.be64("time"));
    if (time > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return corrupt_at("a time before 1970", reader.offset() - 8);
    }
    leaf.time = Time(std::chrono::milliseconds(static_cast<std::int64_t>(time)));
    leaf.actor = TRY(take_array<16>(reader, "actor"));
    leaf.object = TRY(take_text(reader, "object"));
    leaf.policy_version = TRY(take_text(reader, "policy version"));
    const std::uint8_t count = TRY(reader.u8("number of commitments"));
    for (unsigned i = 0; i < count; ++i) {
        Commitment commitment;
        commitment.field = TRY(take_text(reader, "field of a commitment"));
        commitment.digest = TRY(take_array<32>(reader, "commitment"));
        leaf.commitments.push_back(std::move(commitment));
    }
    leaf.nonce = TRY(take_array<16>(reader, "nonce"));
    if (!reader.done()) {
        return corrupt_at("something behind the leaf", reader.offset());
    }
    if (const std::string_view fault = fault_of(leaf); !fault.empty()) {
        return Error{ErrorCode::kCorrupt, "leaf: " + std::string(fault)};
    }
    return leaf;
}

Digest256 commit(const Salt& salt, std::string_view field, Bytes value) {
    constexpr std::array<std::uint8_t, 1> kZero{};
    return HmacSha256(salt).of({as_bytes(kCommitmentPrefix), as_bytes(field), kZero, value});
}

bool opens(const Leaf& leaf, const Opening& opening) {
    const auto found = std::ranges::find_if(
        leaf.commitments, [&](const Commitment& each) { return each.field == opening.field; });
    return found != leaf.commitments.end() &&
           found->digest == commit(opening.salt, opening.field, opening.value);
}

Result<Salt> make_salt(Random& random) {
    Salt salt{};
    TRY(random.fill(salt));
    return salt;
}

Result<Nonce> make_nonce(Random& random) {
    Nonce nonce{};
    TRY(random.fill(nonce));
    return nonce;
}

}  // namespace colophon::ledger
