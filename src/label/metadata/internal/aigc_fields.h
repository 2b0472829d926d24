// SPDX-License-Identifier: Apache-2.0
#pragma once

// The fields of the AIGC object by name, shared by its reader and its writer.

#include "label/metadata/aigc.h"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::label::internal {

struct AigcField {
    std::string_view name;
    std::string AigcLabel::* member;
};

// [GB45438-E] In the order in which they are written.
inline constexpr std::array<AigcField, 7> kAigcFields{{
    {"Label", &AigcLabel::label},
    {"ContentProducer", &AigcLabel::content_producer},
    {"ProduceID", &AigcLabel::produce_id},
    {"ReservedCode1", &AigcLabel::reserved_code1},
    {"ContentPropagator", &AigcLabel::content_propagator},
    {"PropagateID", &AigcLabel::propagate_id},
    {"ReservedCode2", &AigcLabel::reserved_code2},
}};

// A text from outside as it may stand in a message: at most 40 characters, controls replaced.
std::string shorten(std::string_view text);

}  // namespace colophon::label::internal
