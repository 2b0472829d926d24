// SPDX-License-Identifier: Apache-2.0
#pragma once

// The mark in an SVG: a group of outlines as the last child of the root.

#include "label/explicit/image.h"

#include <string>
#include <vector>

namespace colophon::label::internal {

// Finds the group that draw_svg() writes, and text elements that have one of the wordings.
Result<ExplicitReading> find_svg_mark(Bytes file, const std::vector<std::string>& wordings);

}  // namespace colophon::label::internal
