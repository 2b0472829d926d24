// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signed results of verifications (docs/formats/verification-result.md): what a detector said of a
// file, with the file's digest and the time, signed by the keys of its log.

#include "core/digest.h"
#include "core/json.h"
#include "ledger/verify/checkpoint.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger::verify {

struct ResultReport {
    bool good = false;
    // Only when the signatures are good:
    std::string sha256;  // of the file, in hexadecimal
    std::uint64_t bytes = 0;
    std::string detector;  // "colophon/0.1.0"
    std::string time;
    std::string record;        // of the verification, at the service that made it
    json::Value verification;  // as `colophon verify --json` writes it
    std::vector<std::string> signers;
    std::vector<std::string> signatures;
    std::vector<Finding> findings;
};

// Whether the text begins as a signed result does.
bool is_result(std::string_view file);

// Good when a key of the log signed, every signature of a known key is right, the text is a result,
// and it is about `content` when that is given.
ResultReport check_result(std::string_view note, std::span<const Key> keys,
                          const std::optional<Digest256>& content,
                          std::string_view where = "result");

}  // namespace colophon::ledger::verify
