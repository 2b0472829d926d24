// SPDX-License-Identifier: Apache-2.0
#pragma once

// The texts of one answer, held back until somebody outside looked at them (gateway/webhooks.h).
// An answer passes its gates twice: the first time nothing goes out and each text is written down
// here, the second time it goes out, changed where that was wanted. Gates are made in the same
// order both times, because both times they read the same answer.

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::gateway {

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.is_call = ...}`.
struct AnswerText {
    bool is_call = false;   // of a tool: its arguments
    std::string name = {};  // of the tool, where it is known
    std::string said = {};
    std::optional<std::string> instead = {};  // what goes out in its place
    bool collecting = true;
};
// NOLINTEND(readability-redundant-member-init)

class AnswerTexts {
public:
    // The place of the next text: new while texts are collected, the same again afterwards.
    AnswerText* next(bool is_call, std::string_view name);
    // From now on the texts go out.
    void let_go();
    // The same answer is read once more.
    void rewind() noexcept { at_ = 0; }

    // In the order in which they begin. Addresses stay as they are.
    std::deque<AnswerText>& all() noexcept { return all_; }

private:
    std::deque<AnswerText> all_;
    std::size_t at_ = 0;
    bool collecting_ = true;
};

}  // namespace colophon::gateway
