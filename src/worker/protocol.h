// SPDX-License-Identifier: Apache-2.0
#pragma once

// What goes over the channel, as JSON. Decoding is strict: a message with a missing or wrong field
// is an error, because the other side may have been taken over by the file that it was reading.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"
#include "label/plan.h"
#include "label/verify.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::worker {

// What labelling says of a file whose bytes went through a descriptor: label::Applied without them.
struct LabelReport {
    label::MarkSet written;
    std::optional<label::ExplicitReading> explicit_mark;
    std::optional<label::WatermarkVerification> watermark;
    std::optional<label::AigcLabel> label;
    std::string where;
    std::string credential;                // label of the C2PA manifest; empty: none
    Buffer detached;                       // its store, when it is to lie beside the file
    std::vector<std::uint64_t> fragments;  // bytes of each, one behind the other in their file
    label::Findings findings;
};

// Files that lie one behind the other in one.
json::Value encode_sizes(const std::vector<std::uint64_t>& sizes);
Result<std::vector<std::uint64_t>> decode_sizes(const json::Value* value);

json::Value encode(const label::ApplyOptions& options);
json::Value encode(const label::VerifyOptions& options);
json::Value encode(const label::Verification& seen);
json::Value encode(const LabelReport& report);
json::Value encode(const Error& error);

Result<label::ApplyOptions> decode_apply_options(const json::Value& value);
Result<label::VerifyOptions> decode_verify_options(const json::Value& value);
Result<label::Verification> decode_verification(const json::Value& value);
Result<LabelReport> decode_label_report(const json::Value& value);
Error decode_error(const json::Value& value);  // or what is wrong with the message

}  // namespace colophon::worker
