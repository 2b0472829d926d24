// SPDX-License-Identifier: Apache-2.0
#include "ledger/witness.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "ledger/limits.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::ledger {
namespace {

constexpr std::size_t kProofLinesMax = 63;
constexpr std::int64_t kClockSecondsMax = 300;

WitnessAnswer refused(std::string why) {
    return {
        .verdict = WitnessVerdict::kRefused, .cosignatures = {}, .size = 0, .why = std::move(why)};
}

std::string_view meaning(int status) {
    switch (status) {
        case 400:
            return "the old size is above the new one, or the request is malformed";
        case 403:
            return "no signature by a key of the log that the witness trusts";
        case 404:
            return "the witness does not know this log";
        case 422:
            return "the proof does not lead to this checkpoint: the witness has seen another tree";
        default:
            return "an answer that the protocol does not have";
    }
}

// "123" and a line feed.
std::optional<std::uint64_t> parse_size_line(std::string_view body) {
    constexpr std::size_t kDigitsMax = 19;
    if (!body.ends_with('\n')) {
        return std::nullopt;
    }
    body.remove_suffix(1);
    if (body.empty() || body.size() > kDigitsMax || (body.size() > 1 && body[0] == '0') ||
        !std::ranges::all_of(body, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    std::uint64_t size = 0;
    for (const char c : body) {
        size = size * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return size <= limits::kTreeSizeMax ? std::optional(size) : std::nullopt;
}

bool near(std::uint64_t seconds, Time now) {
    const auto present =
        std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    constexpr std::uint64_t kSecondsMax = 1ULL << 40U;
    return seconds < kSecondsMax &&
           std::abs(static_cast<std::int64_t>(seconds) - present) <= kClockSecondsMax;
}

WitnessAnswer read_cosignatures(std::string_view body, std::string_view text,
                                std::span<const NoteVerifier> known, Time now) {
    WitnessAnswer answer{
        .verdict = WitnessVerdict::kCosigned, .cosignatures = {}, .size = 0, .why = {}};
    while (!body.empty()) {
        const std::size_t end = body.find('\n');
        if (end == std::string_view::npos) {
            return refused("the last signature line of the answer does not end");
        }
        auto signature = parse_signature_line(body.substr(0, end));
        body.remove_prefix(end + 1);
        if (!signature.ok()) {
            return refused("the answer is not made of signature lines");
        }
        const auto key = std::ranges::find_if(known, [&](const NoteVerifier& each) {
            return each.type() == SignatureType::kCosignature && each.signed_by(*signature);
        });
        if (key == known.end()) {
            continue;
        }
        if (!key->verify(text, *signature)) {
            return refused("a cosignature of " + key->name() + " is wrong");
        }
        const auto seconds = cosignature_seconds(*signature);
        if (!seconds || !near(*seconds, now)) {
            return refused("the time of the cosignature of " + key->name() +
                           " is more than five minutes away from ours");
        }
        answer.cosignatures.push_back(std::move(signature).value());
    }
    return answer.cosignatures.empty() ? refused("no cosignature by a known key") : answer;
}

}  // namespace

Result<std::string> format_add_checkpoint(std::uint64_t old_size, std::span<const Hash> proof,
                                          std::string_view checkpoint) {
    if (proof.size() > kProofLinesMax || (old_size == 0 && !proof.empty())) {
        return Error{ErrorCode::kInvalidArgument,
                     "a witness takes at most 63 hashes, and none from an old size of 0"};
    }
    std::string body = fmt::format("old {}\n", old_size);
    for (const Hash& hash : proof) {
        body += to_base64(hash) + "\n";
    }
    return body + "\n" + std::string(checkpoint);
}

WitnessAnswer read_witness_answer(int status, std::string_view body, std::string_view text,
                                  std::span<const NoteVerifier> known, Time now) {
    if (body.size() > limits::kWitnessReplyBytesMax) {
        return refused("the answer has more than 65,536 bytes");
    }
    if (status == 200) {
        return read_cosignatures(body, text, known, now);
    }
    if (status == 409) {
        if (const auto size = parse_size_line(body)) {
            return {
                .verdict = WitnessVerdict::kStale, .cosignatures = {}, .size = *size, .why = {}};
        }
        return refused("status 409 without the size that the witness knows");
    }
    return refused(fmt::format("status {}: {}", status, meaning(status)));
}

Result<std::string> add_signatures(std::string_view checkpoint,
                                   std::span<const NoteSignature> signatures) {
    Note note = TRY(parse_note(checkpoint));
    for (const NoteSignature& signature : signatures) {
        const bool there = std::ranges::any_of(note.signatures, [&](const NoteSignature& each) {
            return each.name == signature.name && each.key_id == signature.key_id;
        });
        if (!there) {
            note.signatures.push_back(signature);
        }
    }
    return format_note(note);
}

}  // namespace colophon::ledger
