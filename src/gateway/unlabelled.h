// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content without its explicit label [AILM-9]: a call that asks for it gets it when an agreement
// with its end user covers it at that moment, and is refused otherwise. The implicit label is on
// everything. What was given out so is a record of its own kind.

#include "gateway/call.h"
#include "gateway/refusal.h"

#include <optional>
#include <string_view>

namespace colophon::gateway {

// Of requests that ask for it, and of the answers: "none". In small letters.
inline constexpr std::string_view kExplicitLabelHeader = "colophon-explicit-label";

// A stage of admission, after the end user is known.
Task<std::optional<Refusal>> admit_unlabelled(const Stages& stages, Call& call);
// Whether an agreement covers the call's end user now. Asked again before anything goes out that
// took a while to make: an agreement may have been revoked meanwhile.
Task<std::optional<Refusal>> check_agreement(const Stages& stages, Call& call);
// For what gives out no content of its own, so that nobody believes to have got it.
std::optional<Refusal> refuse_unlabelled(const Call& call);
// Before the record is kept: whether something was released so.
void note_release(const Stages& stages, Call& call);

}  // namespace colophon::gateway
