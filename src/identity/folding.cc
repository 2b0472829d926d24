// SPDX-License-Identifier: Apache-2.0
#include "identity/internal/folding.h"

#include "core/utf8.h"
#include "identity/limits.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::identity::internal {

char32_t fold_width(char32_t character) noexcept {
    if (character >= 0xFF01 && character <= 0xFF5E) {
        return character - 0xFF01 + 0x21;
    }
    if (character == 0x3000 || character == 0x00A0) {
        return U' ';
    }
    return character;
}

std::optional<std::string> fold_number(std::string_view text) {
    if (text.size() > kNumberBytesMax) {
        return std::nullopt;
    }
    std::string folded;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto character = next_code_point(text, at);
        if (!character) {
            return std::nullopt;
        }
        char32_t plain = fold_width(*character);
        if (plain == 0x2169 || plain == 0x2179) {
            plain = U'X';
        } else if (plain >= U'a' && plain <= U'z') {
            plain = plain - U'a' + U'A';
        }
        append_utf8(folded, plain);
    }
    const std::size_t first = folded.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) {
        return std::string();
    }
    return folded.substr(first, folded.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace colophon::identity::internal
