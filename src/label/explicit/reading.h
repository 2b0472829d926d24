// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was found, or drawn, of the explicit label of a file.

#include "core/splice.h"
#include "label/finding.h"

#include <optional>
#include <string>

namespace colophon::label {

struct ExplicitReading {
    bool found = false;
    std::string text;   // the wording, where it could be read
    std::string where;  // "bottom-right", "start", "start and end", ...
    std::optional<double>
        height_percent;              // pictures: ink height over the shortest side [GB45438-5.2]
    std::optional<double> contrast;  // pictures: WCAG contrast against what lies under the text
    // Videos: for how long it stays at the beginning, as far as was looked; at least 2 is enough
    // [GB45438-5.4].
    std::optional<double> seconds = std::nullopt;
    Findings findings;
};

// A file with its explicit label, as an edit of the original.
struct MarkedFile {
    Splice splice;
    ExplicitReading reading;  // measured on the result, not assumed
    bool changed = true;      // false: the same mark was there already and the file is left alone
};

}  // namespace colophon::label
