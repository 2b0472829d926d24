// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file that already carries a label [AILM-6] [DSP-18]: what of it stays. The producer's fields
// are evidence of who made the content; whoever passes it on adds himself and leaves them alone.

#include "core/result.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"
#include "label/propagation.h"
#include "label/record.h"

#include <cstdint>
#include <optional>
#include <string>

namespace colophon::label {

enum class ExistingPolicy : std::uint8_t {
    kComplete,   // keep a foreign producer, fill what is missing, add ourselves as propagator
    kPropagate,  // only the propagator's fields, never the producer's
    kRelabel,    // we are the producer: replace, and say what was replaced
};

// The label of our own making: Label by origin, producer and propagator the same on first writing
// (Annex E, note 1), the id in both.
AigcLabel own_label(const LabelRecord& record, const std::string& reserved_code1);

struct ExistingDecision {
    AigcLabel label;          // what is written
    bool as_producer = true;  // false: we act as propagator only
    Findings findings;        // "label.completed", "label.replaced", "label.relabelled", ...
};

// `existing`: the label found in the file, if any. kConflict when kPropagate finds nothing that
// says that the content is synthetic: a platform may not invent that.
Result<ExistingDecision> decide_existing(const std::optional<AigcLabel>& existing,
                                         const AigcLabel& own, ExistingPolicy policy,
                                         const PropagationEvidence& evidence);

}  // namespace colophon::label
