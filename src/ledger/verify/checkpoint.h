// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checker's own reading of keys and signed checkpoints. It shares no code with the writer.

#include "core/bytes.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger::verify {

// Something wrong, and where: a file of the log, or the checkpoint.
struct Finding {
    std::string code;   // "ledger.entry", ...: docs/reference/findings.md
    std::string where;  // "tile/entries/003.p/12", "checkpoint"
    std::string what;
};

// A public key of a log (type 0x01, or 0xff with SM2) or of a witness (type 0x04), from its text
// NAME+ID+BASE64.
struct Key {
    std::string name;
    std::uint32_t id = 0;
    bool witness = false;
    bool sm2 = false;
    Buffer bytes;  // 32 of Ed25519; of SM2 a point, 65
};
// kInvalidArgument when the text is no such key.
Result<Key> read_key(std::string_view text);

struct Cosigner {
    std::string name;
    std::uint32_t key_id = 0;
    std::uint64_t seconds = 0;  // POSIX time that the witness states
};

struct SignedCheckpoint {
    std::string origin;
    std::uint64_t size = 0;
    std::array<std::uint8_t, 32> root{};
    std::vector<std::string> signers;     // names of the log's keys that signed, each once
    std::vector<std::string> signatures;  // of these keys: "ed25519 33d7b496", "sm2-sm3 0badc0de"
    std::vector<Cosigner> cosigners;      // known witnesses that signed
};

struct CheckpointReport {
    bool good = false;
    SignedCheckpoint checkpoint;  // only when good
    std::vector<Finding> findings;
};

// Good when a key of the log signed, every signature of a known key is right, and the origin is the
// name of the key. `where` names the file in findings.
CheckpointReport check_checkpoint(std::string_view note, std::span<const Key> keys,
                                  std::string_view where = "checkpoint");

// Any text that a key of a log signed.
struct SignedText {
    bool good = false;
    std::string text;                     // only when good
    std::vector<std::string> signers;     // as of a checkpoint
    std::vector<std::string> signatures;  // the same
    std::vector<Finding> findings;
};
SignedText open_signed(std::string_view note, std::span<const Key> keys, std::string_view where);

std::string root_text(const std::array<std::uint8_t, 32>& root);  // base64, as in a checkpoint

}  // namespace colophon::ledger::verify
