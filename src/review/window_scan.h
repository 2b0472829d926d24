// SPDX-License-Identifier: Apache-2.0
#pragma once

// A classifier on a text that comes in pieces: it looks at the last kWindow characters every kStep
// characters and at the end, so that something bad is not thinned out by what stands around it, and
// the same is seen however the text was cut.

#include "review/classifier.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::review {

class WindowScan {
public:
    static constexpr std::size_t kWindow = 300;  // characters
    static constexpr std::size_t kStep = 150;

    // Without a classifier there is nothing to look at. The threshold is of its scores, 0 to 1.
    WindowScan(std::shared_ptr<const Classifier> classifier, double threshold)
        : classifier_(std::move(classifier)), threshold_(threshold) {}

    bool active() const noexcept { return classifier_ != nullptr; }
    // How many bytes of the piece come before the next look. The caller passes no more at a time to
    // push(); when it is fewer than the piece has, look() is due after them.
    std::size_t until_look(std::string_view piece) const noexcept;
    void push(std::string_view piece);
    // True when the window is over the threshold; then nothing of it is settled until pass().
    bool look();
    void pass() noexcept { settled_ = bytes_; }
    // The highest score so far.
    double score() const noexcept { return score_; }
    // Bytes of the text that a look has passed.
    std::size_t settled() const noexcept { return settled_; }
    bool has_new() const noexcept { return bytes_ > settled_; }

private:
    std::shared_ptr<const Classifier> classifier_;
    double threshold_;
    std::string recent_;            // the last characters, at most kWindow at a look
    std::size_t recent_count_ = 0;  // characters in it
    std::size_t count_ = 0;         // characters begun since the last look
    std::size_t bytes_ = 0;
    std::size_t settled_ = 0;
    double score_ = 0;
};

}  // namespace colophon::review
