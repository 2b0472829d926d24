// SPDX-License-Identifier: Apache-2.0
#pragma once

// The log's side of C2SP tlog-witness: what is posted to a witness's add-checkpoint and what its
// answer means. Sending is the caller's.

#include "core/bytes.h"
#include "core/clock.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

// The body of the request. `proof` leads from `old_size` to the checkpoint and is empty when that
// is 0. kInvalidArgument for more than 63 hashes.
Result<std::string> format_add_checkpoint(std::uint64_t old_size, std::span<const Hash> proof,
                                          std::string_view checkpoint);

enum class WitnessVerdict : std::uint8_t {
    kCosigned,  // 200, and a good cosignature by a known key
    kStale,     // 409: the witness knows another size; send a proof from there
    kRefused,   // 400, 403, 404, 422, an answer that breaks the form, a wrong signature or time
};

struct WitnessAnswer {
    WitnessVerdict verdict = WitnessVerdict::kRefused;
    std::vector<NoteSignature> cosignatures;  // kCosigned
    std::uint64_t size = 0;                   // kStale
    std::string why;                          // kRefused, without any text of the witness
};

// `status` and `body` as they came; `text` is the checkpoint's text; `known` the witness's keys. A
// time more than five minutes away from `now` is refused, because a reader could not rely on it.
WitnessAnswer read_witness_answer(int status, std::string_view body, std::string_view text,
                                  std::span<const NoteVerifier> known, Time now);

// The checkpoint with further signature lines; a key that signed already does not sign again.
Result<std::string> add_signatures(std::string_view checkpoint,
                                   std::span<const NoteSignature> signatures);

}  // namespace colophon::ledger
