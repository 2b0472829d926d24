// SPDX-License-Identifier: Apache-2.0
#include "gateway/answer_texts.h"

#include <string>
#include <string_view>

namespace colophon::gateway {

AnswerText* AnswerTexts::next(bool is_call, std::string_view name) {
    // What was not there the first time was seen by nobody: it is collected, and stays here.
    if (collecting_ || at_ == all_.size()) {
        all_.push_back({.is_call = is_call, .name = std::string(name)});
    }
    return &all_[at_++];
}

void AnswerTexts::let_go() {
    collecting_ = false;
    at_ = 0;
    for (AnswerText& each : all_) {
        each.collecting = false;
    }
}

}  // namespace colophon::gateway
