// SPDX-License-Identifier: Apache-2.0
#include "gateway/refusal.h"

#include "review/entry.h"
#include "review/review.h"

#include <doctest/doctest.h>

#include <string>

namespace colophon::gateway {

TEST_CASE("[DSP-10] what may not pass is refused with the reply of its entry, or the usual words") {
    review::Verdict verdict;
    verdict.decision = review::Decision::kBlock;
    verdict.category = "A1d";
    const Refusal usual = blocked(verdict, "input_blocked");
    CHECK(usual.status == 403);
    CHECK(usual.code == "input_blocked");
    CHECK(usual.category == "A1d");
    CHECK(usual.message.find("rules of this service") != std::string::npos);
    verdict.reply = "请拨打援助热线。";
    CHECK(blocked(verdict, "output_blocked").message == verdict.reply);
    verdict.decision = review::Decision::kHold;
    CHECK(blocked(verdict, "output_blocked").code == "held_for_review");
}

}  // namespace colophon::gateway
