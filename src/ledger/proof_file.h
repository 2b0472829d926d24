// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is handed to a third party, who checks it offline with nothing but the log's public key.
// docs/formats/ledger-proof.md has both grammars.
//
// A proof file (C2SP tlog-proof, suffix .tlog-proof) shows that an entry that the reader already
// has is in the log. An evidence file (ours, suffix .evidence) is a proof file with the entry in
// front of it and, as far as somebody may see them, the values behind its commitments.

#include "core/bytes.h"
#include "ledger/leaf.h"
#include "ledger/merkle.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

struct ProofFile {
    Buffer extra;  // not authenticated; empty: none
    std::uint64_t index = 0;
    Hashes proof;            // from the leaf's sister to the root's child
    std::string checkpoint;  // the signed note, as it is
};

std::string format_proof(const ProofFile& file);
// The grammar only, not whether anything is true. kCorrupt names the line, kLimit above 2 MiB.
Result<ProofFile> parse_proof(std::string_view text);

struct Evidence {
    Buffer entry;                   // the bytes in the log
    std::vector<Opening> openings;  // of the leaf that the entry is; may be empty
    ProofFile proof;
};

std::string format_evidence(const Evidence& evidence);
Result<Evidence> parse_evidence(std::string_view text);

}  // namespace colophon::ledger
