// SPDX-License-Identifier: Apache-2.0
#pragma once

// Base64 with the standard alphabet and padding (RFC 4648, section 4), in its one canonical form:
// no white space, and the bits behind the last byte are zero. So a text has one meaning and a
// meaning has one text, which signed formats rely on.

#include "core/bytes.h"

#include <string>
#include <string_view>

namespace colophon {

std::string to_base64(Bytes bytes);
// Anything that to_base64() does not write is Error{kInvalidArgument}.
Result<Buffer> from_base64(std::string_view text);

}  // namespace colophon
