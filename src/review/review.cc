// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "review/entry.h"
#include "review/text_scan.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::review {

std::string_view decision_name(Decision decision) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"allow", "flag", "hold", "block"};
    return kNames[static_cast<std::size_t>(decision)];
}

void Reviewer::add(const Match& match, Verdict& verdict) const {
    const Entry& entry = matcher_->entries()[match.entry];
    if (entry.action > verdict.decision) {
        verdict.decision = entry.action;
        verdict.category = entry.category;
        verdict.rule = fmt::format("{}/{}", version(), entry.id);
        verdict.reply = entry.reply;
    }
}

Verdict Reviewer::review(std::string_view text) const {
    Verdict verdict;
    TextScan scan(matcher_);
    scan.push(text);
    scan.finish();
    while (const auto match = scan.next()) {
        add(*match, verdict);
    }
    return verdict;
}

std::string TextStream::push(std::string_view piece) {
    if (blocked()) {
        return {};
    }
    held_ += piece;
    scan_.push(piece);
    return release();
}

std::string TextStream::finish() {
    if (blocked()) {
        return {};
    }
    scan_.finish();
    return release();
}

std::string TextStream::release() {
    while (const auto match = scan_.next()) {
        reviewer_->add(*match, verdict_);
        if (blocked()) {
            std::string before = release_to(match->begin);
            held_.clear();
            return before;
        }
    }
    return release_to(scan_.settled(released_ + held_.size()));
}

std::string TextStream::release_to(std::size_t end) {
    std::string free = held_.substr(0, end - released_);
    held_.erase(0, free.size());
    released_ = end;
    return free;
}

}  // namespace colophon::review
