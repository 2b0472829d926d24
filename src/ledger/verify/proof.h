// SPDX-License-Identifier: Apache-2.0
#pragma once

// Checks what somebody was handed: a proof file (C2SP tlog-proof) beside the entry that it is
// about, or an evidence file, which has the entry inside and may open some of its commitments.
// Works offline, with nothing but the log's public key. It shares no code with the writer.

#include "core/bytes.h"
#include "ledger/verify/checkpoint.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger::verify {

// A leaf of this product's logs, as far as a reader wants to see it (docs/formats/ledger-leaf.md).
struct LeafReading {
    std::string type;
    std::uint64_t milliseconds = 0;  // since 1970, UTC
    std::array<std::uint8_t, 16> actor{};
    std::string object;
    std::string policy_version;
    struct Committed {
        std::string field;
        std::array<std::uint8_t, 32> digest{};
    };
    std::vector<Committed> commitments;
};
// Nothing when the entry is none: other logs have entries of other forms.
std::optional<LeafReading> read_leaf(Bytes entry);

struct OpenedValue {
    std::string field;
    Buffer value;  // the leaf committed to exactly this
};

struct ProofReport {
    bool good = false;
    SignedCheckpoint checkpoint;
    std::uint64_t index = 0;
    std::array<std::uint8_t, 32> entry_hash{};  // of the leaf: what stands in the level-0 tile
    Buffer entry;
    std::optional<LeafReading> leaf;
    std::vector<OpenedValue> opened;
    std::vector<Finding> findings;
};

enum class FileKind : std::uint8_t { kProof, kEvidence, kOther };
// By the first line.
FileKind kind_of(std::string_view file);

// A proof file needs `entry`, the bytes that were logged; an evidence file has them, and `entry`
// must be the same when given.
ProofReport check_proof(std::string_view file, std::optional<Bytes> entry,
                        std::span<const Key> keys);

}  // namespace colophon::ledger::verify
