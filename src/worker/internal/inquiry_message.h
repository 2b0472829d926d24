// SPDX-License-Identifier: Apache-2.0
#pragma once

// What others are asked about a credential, and their answers, over the channel.

#include "core/json.h"
#include "core/result.h"
#include "label/provenance/inquiry.h"

#include <vector>

namespace colophon::worker::internal {

json::Value encode_inquiry(const label::provenance::Inquiry& inquiry);
Result<label::provenance::Inquiry> decode_inquiry(const json::Value& value);
json::Value encode_questions(const std::vector<label::provenance::Question>& questions);
Result<std::vector<label::provenance::Question>> decode_questions(const json::Value* value);

}  // namespace colophon::worker::internal
