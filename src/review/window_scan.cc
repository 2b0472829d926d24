// SPDX-License-Identifier: Apache-2.0
#include "review/window_scan.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace colophon::review {
namespace {

bool begins_character(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
}

}  // namespace

std::size_t WindowScan::until_look(std::string_view piece) const noexcept {
    std::size_t count = count_;
    for (std::size_t at = 0; at < piece.size(); ++at) {
        if (begins_character(piece[at]) && count++ == kStep) {
            return at;
        }
    }
    return piece.size();
}

void WindowScan::push(std::string_view piece) {
    const auto begun = static_cast<std::size_t>(std::ranges::count_if(piece, begins_character));
    count_ += begun;
    recent_count_ += begun;
    recent_ += piece;
    bytes_ += piece.size();
}

bool WindowScan::look() {
    std::size_t drop = 0;
    for (; recent_count_ > kWindow; --recent_count_) {
        ++drop;
        while (drop < recent_.size() && !begins_character(recent_[drop])) {
            ++drop;
        }
    }
    recent_.erase(0, drop);
    count_ = 0;
    const double score = classifier_->score(recent_);
    score_ = std::max(score_, score);
    const bool over = score >= threshold_;
    if (!over) {
        settled_ = bytes_;
    }
    return over;
}

}  // namespace colophon::review
