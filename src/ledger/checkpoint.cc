// SPDX-License-Identifier: Apache-2.0
#include "ledger/checkpoint.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/limits.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

Error corrupt(std::string_view what) {
    return {ErrorCode::kCorrupt, "checkpoint: " + std::string(what)};
}

// Decimal, no sign, no leading zero.
std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::size_t kDigitsMax = 19;
    if (text.empty() || text.size() > kDigitsMax || (text.size() > 1 && text[0] == '0') ||
        !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
        return std::nullopt;
    }
    std::uint64_t size = 0;
    for (const char c : text) {
        size = size * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return size <= limits::kTreeSizeMax ? std::optional(size) : std::nullopt;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty() && lines.size() < 4 + limits::kCheckpointExtensionsMax) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

}  // namespace

std::string format_checkpoint(const Checkpoint& checkpoint) {
    std::string text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.tree.size,
                                   to_base64(checkpoint.tree.root));
    for (const std::string& line : checkpoint.extensions) {
        text += line + "\n";
    }
    return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
    if (!text.ends_with('\n')) {
        return corrupt("the text does not end with a line feed");
    }
    const std::vector<std::string_view> lines = lines_of(text);
    if (lines.size() < 3) {
        return corrupt("fewer than three lines: origin, size and root are needed");
    }
    if (std::ranges::any_of(lines, [](std::string_view line) { return line.empty(); })) {
        return corrupt("an empty line");
    }
    if (lines.size() > 3 + limits::kCheckpointExtensionsMax) {
        return Error{ErrorCode::kLimit, "checkpoint: more than 16 lines behind the root"};
    }
    const auto size = parse_size(lines[1]);
    if (!size) {
        return corrupt("line 2 is no size: decimal digits without leading zeros, at most 2^62");
    }
    const auto root = from_base64(lines[2]);
    if (!root.ok() || root->size() != sizeof(Hash)) {
        return corrupt("line 3 is no root: base64 of 32 bytes");
    }
    Checkpoint checkpoint{.origin = std::string(lines[0]), .tree = {}, .extensions = {}};
    checkpoint.tree.size = *size;
    std::ranges::copy(*root, checkpoint.tree.root.begin());
    checkpoint.extensions.assign(lines.begin() + 3, lines.end());
    return checkpoint;
}

Result<std::string> sign_checkpoint(const Checkpoint& checkpoint,
                                    std::span<const NoteSigner> signers) {
    Note note{.text = format_checkpoint(checkpoint), .signatures = {}};
    // Nothing is signed that would not be read again.
    TRY(parse_checkpoint(note.text));
    if (signers.empty() || !is_key_name(checkpoint.origin)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a checkpoint needs a signer and an origin without spaces and '+'"};
    }
    const auto signs_by = [&](SignatureType type) {
        return std::ranges::any_of(
            signers, [&](const NoteSigner& each) { return each.verifier().type() == type; });
    };
    if (!signs_by(SignatureType::kEd25519) || signs_by(SignatureType::kCosignature)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a log signs with a key of type 0x01, and with SM2 only beside it"};
    }
    for (const NoteSigner& signer : signers) {
        note.signatures.push_back(TRY(signer.sign(note.text)));
    }
    return format_note(note);
}

Result<OpenedCheckpoint> open_checkpoint(std::string_view bytes, std::string_view origin,
                                         std::span<const NoteVerifier> known) {
    OpenedNote note = TRY(open_note(bytes, known));
    Checkpoint checkpoint = TRY(parse_checkpoint(note.text));
    if (checkpoint.origin != origin) {
        return Error{ErrorCode::kDenied, fmt::format("the checkpoint is of the log {}, not of {}",
                                                     checkpoint.origin, origin)};
    }
    const bool by_log = std::ranges::any_of(known, [&](const NoteVerifier& key) {
        return key.type() == SignatureType::kEd25519 &&
               std::ranges::any_of(note.verified, [&](const NoteSignature& signature) {
                   return key.signed_by(signature);
               });
    });
    if (!by_log) {
        return Error{ErrorCode::kDenied, "no known key of the log signed this checkpoint"};
    }
    return OpenedCheckpoint{.checkpoint = std::move(checkpoint), .note = std::move(note)};
}

}  // namespace colophon::ledger
