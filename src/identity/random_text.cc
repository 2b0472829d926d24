// SPDX-License-Identifier: Apache-2.0
#include "identity/internal/random_text.h"

#include "core/random.h"
#include "core/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity::internal {

Result<std::string> random_text(Random& random, std::string_view alphabet, std::size_t characters) {
    const std::size_t fair = 256 - 256 % alphabet.size();
    std::string text;
    std::array<std::uint8_t, 32> bytes{};
    while (text.size() < characters) {
        TRY(random.fill(bytes));
        for (const std::uint8_t byte : bytes) {
            if (byte < fair && text.size() < characters) {
                text.push_back(alphabet[byte % alphabet.size()]);
            }
        }
    }
    return text;
}

}  // namespace colophon::identity::internal
