// SPDX-License-Identifier: Apache-2.0
#include "label/existing.h"

#include "core/ids.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"
#include "label/propagation.h"
#include "label/record.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace colophon::label {
namespace {

AigcLabel ours() {
    LabelRecord record;
    record.producer_name = "us";
    record.content_id = ContentId{1};
    return own_label(record, "signed");
}

AigcLabel theirs(std::string_view id) {
    return {.label = "1",
            .content_producer = "them",
            .produce_id = std::string(id),
            .reserved_code1 = "seal",
            .content_propagator = "first",
            .propagate_id = "p1",
            .reserved_code2 = "old"};
}

bool has(const ExistingDecision& decision, std::string_view code) {
    return std::ranges::any_of(decision.findings,
                               [&](const Finding& finding) { return finding.code == code; });
}

// [GB45438-E] Note 1: on first writing, propagator and producer are the same.
TEST_CASE("a first label names us as producer and propagator with one id") {
    const AigcLabel label = ours();
    CHECK(label.label == "1");
    CHECK(label.content_producer == "us");
    CHECK(label.content_propagator == "us");
    CHECK(label.produce_id == "0000000001");
    CHECK(label.propagate_id == label.produce_id);
    LabelRecord suspected;
    suspected.origin = Origin::kSuspected;
    CHECK(own_label(suspected, "").label == "3");
}

// [AILM-6] [DSP-18]
TEST_CASE("a foreign producer's fields stay, whatever the policy but relabel") {
    for (const ExistingPolicy policy : {ExistingPolicy::kComplete, ExistingPolicy::kPropagate}) {
        const auto decision = decide_existing(theirs("t1"), ours(), policy, {}).value();
        CHECK(decision.label.content_producer == "them");
        CHECK(decision.label.produce_id == "t1");
        CHECK(decision.label.reserved_code1 == "seal");
        CHECK(decision.label.content_propagator == "us");
        CHECK(decision.label.propagate_id == "0000000001");
        CHECK(decision.label.reserved_code2.empty());
        CHECK_FALSE(decision.as_producer);
    }
}

TEST_CASE("a label without an id is completed, but a mere propagator does not touch it") {
    const auto completed =
        decide_existing(theirs(""), ours(), ExistingPolicy::kComplete, {}).value();
    CHECK(completed.label.produce_id == "0000000001");
    CHECK(has(completed, "label.completed"));
    const auto propagated =
        decide_existing(theirs(""), ours(), ExistingPolicy::kPropagate, {}).value();
    CHECK(propagated.label.produce_id.empty());
}

TEST_CASE("relabelling replaces and says whose label it was") {
    const auto decision =
        decide_existing(theirs("t1"), ours(), ExistingPolicy::kRelabel, {}).value();
    CHECK(decision.label == ours());
    CHECK(has(decision, "label.relabelled"));
    CHECK(decision.findings.front().what.find("them") != std::string::npos);
}

TEST_CASE("our own earlier label is replaced") {
    AigcLabel earlier = ours();
    earlier.produce_id = "earlier";
    const auto decision = decide_existing(earlier, ours(), ExistingPolicy::kComplete, {}).value();
    CHECK(decision.label == ours());
    CHECK(has(decision, "label.replaced"));
}

// [AILM-6] The three cases of evidence, and none.
TEST_CASE("without a label a propagator writes what the evidence allows") {
    struct Row {
        PropagationEvidence evidence;
        const char* label;
    };
    const Row rows[] = {{{.user_declares = true}, "2"},
                        {{.explicit_mark_or_traces = true}, "3"},
                        {{.user_declares = true, .explicit_mark_or_traces = true}, "2"}};
    for (const Row& row : rows) {
        const auto decision =
            decide_existing(std::nullopt, ours(), ExistingPolicy::kPropagate, row.evidence).value();
        CHECK(decision.label.label == row.label);
        CHECK(decision.label.content_producer.empty());
        CHECK(decision.label.content_propagator == "us");
    }
    const auto nothing = decide_existing(std::nullopt, ours(), ExistingPolicy::kPropagate, {});
    REQUIRE(!nothing.ok());
    CHECK(nothing.error().code == ErrorCode::kConflict);
}

}  // namespace
}  // namespace colophon::label
