// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/inquiry.h"

#include <algorithm>

namespace colophon::label::provenance {

const Answer* Inquiry::find(const Question& question) const noexcept {
    const auto row = std::ranges::find(answers, question, &Answer::question);
    return row == answers.end() ? nullptr : &*row;
}

}  // namespace colophon::label::provenance
