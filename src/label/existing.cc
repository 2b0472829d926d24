// SPDX-License-Identifier: Apache-2.0
#include "label/existing.h"

#include "core/result.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"
#include "label/propagation.h"
#include "label/record.h"

#include <fmt/format.h>

#include <optional>
#include <string>

namespace colophon::label {
namespace {

// The producer's triple stays; the propagator's is ours, and an earlier platform's signature over
// its own fields would no longer fit.
AigcLabel with_propagator(AigcLabel label, const AigcLabel& own) {
    label.content_propagator = own.content_propagator;
    label.propagate_id = own.propagate_id;
    label.reserved_code2.clear();
    return label;
}

Result<ExistingDecision> propagate(const std::optional<AigcLabel>& existing, const AigcLabel& own,
                                   const PropagationEvidence& evidence) {
    ExistingDecision decision;
    decision.as_producer = false;
    if (existing) {
        decision.label = with_propagator(*existing, own);
        note(decision.findings, "label.propagated",
             "the producer's fields are kept; the propagator's are ours");
        return decision;
    }
    const PropagationDecision rule = decide_propagation(evidence);
    if (rule.status == PropagationStatus::kNone) {
        return Error{ErrorCode::kConflict,
                     "nothing says that this content is synthetic: no metadata label, no "
                     "declaration, no explicit label; if the user declares it, say --declared"};
    }
    decision.label = with_propagator(AigcLabel{}, own);
    decision.label.label = std::string(rule.label);
    note(decision.findings, "label.propagated",
         fmt::format("the producer is unknown; the content is labelled \"{}\"",
                     propagation_status_name(rule.status)));
    return decision;
}

}  // namespace

AigcLabel own_label(const LabelRecord& record, const std::string& reserved_code1) {
    AigcLabel label;
    label.label = std::string(1, record.origin == Origin::kSuspected ? '3' : '1');
    label.content_producer =
        record.producer_code.empty() ? record.producer_name : record.producer_code;
    label.produce_id = record.produce_id();
    label.reserved_code1 = reserved_code1;
    label.content_propagator =
        record.propagator_code.empty() ? label.content_producer : record.propagator_code;
    label.propagate_id = label.produce_id;
    return label;
}

Result<ExistingDecision> decide_existing(const std::optional<AigcLabel>& existing,
                                         const AigcLabel& own, ExistingPolicy policy,
                                         const PropagationEvidence& evidence) {
    if (policy == ExistingPolicy::kPropagate) {
        return propagate(existing, own, evidence);
    }
    ExistingDecision decision;
    decision.label = own;
    if (!existing) {
        return decision;
    }
    if (existing->content_producer == own.content_producer) {
        note(decision.findings, "label.replaced",
             fmt::format("an earlier label of the same producer (ProduceID {}) is replaced",
                         existing->produce_id));
        return decision;
    }
    if (policy == ExistingPolicy::kRelabel) {
        warn(decision.findings, "label.relabelled",
             fmt::format("the label of {} (ProduceID {}) is replaced by ours",
                         existing->content_producer, existing->produce_id));
        return decision;
    }
    decision.as_producer = false;
    decision.label = with_propagator(*existing, own);
    if (existing->produce_id.empty()) {
        decision.label.produce_id = own.produce_id;
        note(decision.findings, "label.completed",
             fmt::format("the label of {} had no id; it has ours now", existing->content_producer));
    } else {
        note(decision.findings, "label.propagated",
             fmt::format("the label of {} is kept; we stand in it as propagator",
                         existing->content_producer));
    }
    return decision;
}

}  // namespace colophon::label
