// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where entries matched in a text, for the eyes of a person.

#include "review/queue.h"
#include "review/review.h"

#include <string_view>
#include <vector>

namespace colophon::review {

// In the order of the text; the first kSpansMax.
std::vector<Span> spans_of(const Reviewer& reviewer, std::string_view text);

}  // namespace colophon::review
