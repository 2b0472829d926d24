// SPDX-License-Identifier: Apache-2.0
#include "label/finding.h"

#include <string_view>

namespace colophon::label {

std::string_view finding_level_name(FindingLevel level) noexcept {
    switch (level) {
        case FindingLevel::kInfo:
            return "info";
        case FindingLevel::kWarning:
            return "warning";
        case FindingLevel::kError:
            return "error";
    }
    return "error";
}

}  // namespace colophon::label
