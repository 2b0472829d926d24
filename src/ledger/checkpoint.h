// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checkpoints, C2SP tlog-checkpoint: the signed statement "this log has so many entries and this
// root". Text of a signed note: origin, size, root in base64, one a line; lines may follow.

#include "core/bytes.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

struct Checkpoint {
    std::string origin;  // the log's name: a URL without scheme and final slash
    Tree tree;
    std::vector<std::string> extensions;  // further lines; discouraged, but allowed
};

// The text that is signed.
std::string format_checkpoint(const Checkpoint& checkpoint);
// kCorrupt names the line.
Result<Checkpoint> parse_checkpoint(std::string_view text);

// The bytes of the file `checkpoint`: the text with a signature of each signer, at least one of
// them of type 0x01, the others of that or of SM2.
Result<std::string> sign_checkpoint(const Checkpoint& checkpoint,
                                    std::span<const NoteSigner> signers);

struct OpenedCheckpoint {
    Checkpoint checkpoint;
    OpenedNote note;
};

// Verifies by the log's keys (and witnesses', if given); besides open_note()'s errors kDenied when
// no key of type 0x01 signed or the origin is another one.
Result<OpenedCheckpoint> open_checkpoint(std::string_view bytes, std::string_view origin,
                                         std::span<const NoteVerifier> known);

}  // namespace colophon::ledger
