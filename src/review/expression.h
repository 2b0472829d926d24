// SPDX-License-Identifier: Apache-2.0
#pragma once

// Expressions searched for by Vectorscan, all in one walk, in a text that comes in pieces
// [DSP-10]. The syntax is PCRE's without look-around, back references and the end of the text: what
// is not known before the text ends cannot stop a stream.

#include "core/result.h"
#include "review/fold.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct hs_database;
struct hs_scratch;
struct hs_stream;

namespace colophon::review {

inline constexpr std::size_t kExpressionBytesMax = 1000;
inline constexpr std::size_t kExpressionsMax = 1000;  // in force at once
// The longest text that one may match, in bytes of UTF-8: so much of a stream is held back.
inline constexpr std::size_t kExpressionWidthMax = 400;
// Of so many matches of one expression in a text the beginning is told; of those after them the
// furthest it can be.
inline constexpr std::uint8_t kExactBeginsMax = 32;

// Does not change.
class ExpressionSet {
    class Private {
        friend class ExpressionSet;
        Private() = default;
    };

public:
    ExpressionSet(Private only, Folding folding);
    // kExact searches the text as it is; kPlain the folded text, without regard to case.
    // Expressions are shared with the sets that were compiled before, as long as one lives.
    // kInvalidArgument: `wrong` says which.
    static Result<std::shared_ptr<const ExpressionSet>> compile(
        Folding folding, std::span<const std::string> expressions, std::size_t& wrong);

    ExpressionSet(const ExpressionSet&) = delete;
    ExpressionSet& operator=(const ExpressionSet&) = delete;
    ~ExpressionSet();

    Folding folding() const noexcept { return folding_; }
    // Bytes of the longest match, of the text that is searched.
    std::size_t width(std::size_t expression) const noexcept { return widths_[expression]; }

private:
    friend class ExpressionScan;
    struct Free {
        void operator()(hs_database* database) const noexcept;
    };
    using Database = std::unique_ptr<hs_database, Free>;
    struct Scratches;

    Result<void> add(const std::string& expression);
    Result<void> finish(std::span<const std::string> expressions);
    hs_scratch* borrow() const;
    void give_back(hs_scratch* scratch) const noexcept;

    Folding folding_;
    std::vector<std::size_t> widths_;
    std::vector<Database> anchored_;  // each by itself, from a given beginning
    Database all_;
    std::unique_ptr<Scratches> scratches_;
};

// One text.
class ExpressionScan {
public:
    // `width`: of the longest of the expressions whose matches count.
    ExpressionScan(std::shared_ptr<const ExpressionSet> set, std::size_t width);
    ~ExpressionScan();
    ExpressionScan(ExpressionScan&&) noexcept;
    ExpressionScan& operator=(ExpressionScan&&) = delete;
    ExpressionScan(const ExpressionScan&) = delete;
    ExpressionScan& operator=(const ExpressionScan&) = delete;

    struct Hit {
        std::uint32_t expression = 0;
        std::size_t begin = 0;  // bytes of the text
        std::size_t end = 0;
        std::uint64_t end_character = 0;
    };
    // Whole characters and invalid bytes. What ends in them, by where it ends.
    void push(std::string_view piece, bool last, std::vector<Hit>& hits);

    // All that ends here or before has been told.
    std::size_t known() const noexcept;
    // What is still to be told begins here or later.
    std::size_t earliest() const noexcept;

private:
    // A character of the text, and where it stands in what is searched.
    struct Place {
        std::uint64_t fed = 0;
        std::size_t begin = 0;
        std::size_t end = 0;
        std::uint64_t character = 0;
    };
    struct Found;
    void feed(std::string_view piece, std::string& fed);
    const Place& place_of(std::uint64_t fed) const noexcept;
    Hit hit_of(std::uint32_t expression, std::uint64_t to, hs_scratch* scratch);
    std::optional<std::size_t> exact_begin(std::uint32_t expression, std::uint64_t to,
                                           hs_scratch* scratch) const;
    void drop_told(Found& found, std::uint64_t before);
    void forget();

    std::shared_ptr<const ExpressionSet> set_;
    std::size_t width_;
    hs_stream* stream_ = nullptr;
    std::deque<Place> places_;
    std::string window_;  // the end of what is searched
    std::uint64_t fed_ = 0;
    std::size_t offset_ = 0;
    std::uint64_t characters_ = 0;
    std::vector<std::uint8_t> exact_begins_;  // of each expression
    // Those that ended at the very end: with "\b" they may be told once more by what comes next.
    std::vector<std::uint32_t> told_;
    bool finished_ = false;
};

}  // namespace colophon::review
