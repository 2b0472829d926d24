// SPDX-License-Identifier: Apache-2.0
#pragma once

// The AIGC object of GB 45438-2025 Annex E: seven strings in a fixed order. Strict when writing,
// tolerant when reading, with a finding for each deviation.

#include "core/result.h"
#include "label/finding.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {

// [GB45438-E] Fields in the order in which they are written.
struct AigcLabel {
    std::string label;  // "1" is, "2" may be, "3" suspected
    std::string content_producer;
    std::string produce_id;
    std::string reserved_code1;  // the producer's protection of the label: see security_data.h
    std::string content_propagator;
    std::string propagate_id;
    std::string reserved_code2;
    bool operator==(const AigcLabel&) const = default;
};

// Which of the schemas seen in the wild a value follows.
enum class AigcSchema : std::uint8_t {
    kTc260,         // the seven fields, bare or in {"AIGC":{...}}
    kTencentCloud,  // ServiceProvider / ServiceUser / Time / ContentId
    kByteDance,     // aigc_label_type 1 or 2: a disclosure, not a TC260 label
};

struct AigcReading {
    AigcSchema schema = AigcSchema::kTc260;
    bool wrapped = false;  // in {"AIGC":{...}}
    AigcLabel label;       // foreign schemas are mapped to the nearest fields
    // About the form: "metadata.label_number", "metadata.unknown_field", "metadata.base64", ...
    // judge_aigc() speaks about the values, so that one who calls both hears nothing twice.
    Findings findings;
};

// Reads a value as found in a file: bare or wrapped, fields in any order or case, numbers for
// strings, ReservedCode as an object, a blob "AIGC{...}", extra keys; each deviation is a finding.
// kCorrupt when it is no JSON object at all or holds none of the known fields; kLimit by size.
Result<AigcReading> read_aigc(std::string_view text);

enum class Wrapping : std::uint8_t { kBare, kWrapped };

// The text that goes into a file: compact JSON, fixed order, ASCII.
std::string write_aigc(const AigcLabel& label, Wrapping wrapping);

// What a writer demands before anything is written: Label 1-3, producer code or name, ids present,
// the charset of Annex E j), field lengths, and the check digit of a provider code.
// kInvalidArgument names the field, the rule and what to do.
Result<void> check_aigc(const AigcLabel& label);

// Findings about the values of a label that was read: the same rules, as warnings and errors. Only
// for AigcSchema::kTc260; a foreign schema has no such fields.
Findings judge_aigc(const AigcLabel& label);

}  // namespace colophon::label
