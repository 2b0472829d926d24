// SPDX-License-Identifier: Apache-2.0
#pragma once

// Numbers reach us through Chinese input methods: full-width digits, an ideographic blank at the
// end, a lower-case or Roman x. Folding brings them to ASCII before anything is judged.

#include <optional>
#include <string>
#include <string_view>

namespace colophon::identity::internal {

// Full-width forms become ASCII, the Roman numeral ten becomes X, letters become upper case, blanks
// of any kind at both ends go. Nothing when the text is not UTF-8 or longer than kNumberBytesMax.
// Other characters stay as they are, for the caller to refuse.
std::optional<std::string> fold_number(std::string_view text);

// U+FF01..U+FF5E to ASCII, U+3000 and U+00A0 to a blank; every other character as it is.
char32_t fold_width(char32_t character) noexcept;

}  // namespace colophon::identity::internal
