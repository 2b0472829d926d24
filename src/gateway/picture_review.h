// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pictures that go in and come out, compared with those of the feature library [DSP-10].

#include "core/bytes.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "review/scope.h"

#include <optional>
#include <string_view>

namespace colophon::gateway {

// A refusal when an entry blocks or holds it, and when it cannot be compared: what was not reviewed
// does not pass. Where the library has no pictures it passes, and the record keeps its print all
// the same (gateway/file_prints.h). The bytes outlive the task.
Task<std::optional<Refusal>> review_picture(Gateway& gateway, Call& call, review::Stage stage,
                                            Bytes picture);

// "image/png", from its first bytes.
std::string_view media_type_of(Bytes picture);

}  // namespace colophon::gateway
