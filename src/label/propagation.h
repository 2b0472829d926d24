// SPDX-License-Identifier: Apache-2.0
#pragma once

// The propagation rules of the Labelling Measures, article 6 [AILM-6]: what a platform that passes
// content on must say about it, decided by the evidence in this order.

#include "label/record.h"

#include <cstdint>
#include <string_view>

namespace colophon::label {

struct PropagationEvidence {
    bool metadata_says_generated = false;  // a metadata label that names AIGC
    bool user_declares = false;
    bool explicit_mark_or_traces = false;  // an explicit label or another trace was detected
};

enum class PropagationStatus : std::uint8_t { kNone, kConfirmed, kPossible, kSuspected };

struct PropagationDecision {
    PropagationStatus status = PropagationStatus::kNone;
    std::string_view label;  // "1", "2", "3"; empty when none
};

PropagationDecision decide_propagation(const PropagationEvidence& evidence) noexcept;
std::string_view propagation_status_name(PropagationStatus status) noexcept;
// The prompt that stands around the published content; empty for kNone.
std::string_view propagation_prompt(PropagationStatus status, Language language) noexcept;

}  // namespace colophon::label
