// SPDX-License-Identifier: Apache-2.0
#pragma once

// Unicode's normalization form C (UAX 15): one way to write what may be written in several, by the
// tables of the Unicode version that the program was built with.

#include "core/result.h"  // IWYU pragma: export

#include <string>
#include <string_view>

namespace colophon {

// The text in form C. kInvalidArgument names the byte that is no UTF-8; kLimit: more marks on one
// character than any text has. Cost: linear, and only a scan where nothing can change.
Result<std::string> to_nfc(std::string_view text);

}  // namespace colophon
