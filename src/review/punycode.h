// SPDX-License-Identifier: Apache-2.0
#pragma once

// Labels of domain names beyond ASCII in the form that the network has for them (RFC 3492).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::review {

inline constexpr std::size_t kDomainLabelBytesMax = 63;

// Of a label without its "xn--". Nothing when it is none, or is longer than a label may be.
std::optional<std::u32string> decode_punycode(std::string_view label);
// Nothing when it becomes longer than a label may be.
std::optional<std::string> encode_punycode(std::u32string_view label);

}  // namespace colophon::review
