// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of people as identity cards write them, brought to the one form that is sent to providers
// and kept (sealed).

#include "core/result.h"

#include <string>
#include <string_view>

namespace colophon::identity {

// Blanks at the ends go; every dot that people type inside a name (· • ․ ‧ ∙ ⋅ ・ ･ ．, and .
// between other characters than Latin letters) becomes U+00B7; full-width Latin letters become
// ASCII; blanks beside Chinese characters go, others become one. Characters stay as they are
// otherwise: rare ones (CJK extensions) are sent as they stand on the card, traditional forms are
// not simplified. kInvalidArgument: empty, longer than kNameCharsMax, not UTF-8, or with digits,
// controls, invisible or direction-changing characters; never repeats the name.
Result<std::string> normalise_person_name(std::string_view text);

// "张**" whatever the length: the first character only. Empty stays empty.
std::string masked_person_name(std::string_view name);

}  // namespace colophon::identity
