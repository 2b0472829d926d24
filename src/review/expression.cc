// SPDX-License-Identifier: Apache-2.0
#include "review/expression.h"

#include "core/result.h"
#include "core/utf8.h"
#include "review/fold.h"
#include "review/internal/characters.h"

#include <fmt/format.h>
#include <hs_common.h>
#include <hs_compile.h>
#include <hs_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

Error wrong_expression(std::string what) {
    return {ErrorCode::kInvalidArgument, std::move(what)};
}

unsigned flags_of(Folding folding) noexcept {
    return HS_FLAG_UTF8 | (folding == Folding::kExact ? 0U : unsigned{HS_FLAG_CASELESS});
}

struct FreeError {
    void operator()(hs_compile_error_t* error) const noexcept { hs_free_compile_error(error); }
};
using CompileError = std::unique_ptr<hs_compile_error_t, FreeError>;

std::string words_of(const CompileError& complaint) {
    std::string reason =
        complaint == nullptr || complaint->message == nullptr ? "" : complaint->message;
    while (!reason.empty() && reason.back() == '.') {
        reason.pop_back();
    }
    return reason;
}

// Whether "$", "\z" or "\Z" stands in it as an assertion.
bool asks_for_the_end(std::string_view expression) noexcept {
    bool in_class = false;
    bool quoted = false;
    for (std::size_t at = 0; at < expression.size(); ++at) {
        const char c = expression[at];
        const char next = at + 1 < expression.size() ? expression[at + 1] : '\0';
        if (quoted) {
            quoted = !(c == '\\' && next == 'E');
        } else if (c == '\\') {
            if (!in_class && (next == 'z' || next == 'Z')) {
                return true;
            }
            quoted = next == 'Q';
            ++at;
        } else if (in_class) {
            in_class = c != ']';
        } else if (c == '[') {
            in_class = true;
            // "]" is no end right after the beginning.
            at += next == '^' ? 1U : 0U;
            at += at + 1 < expression.size() && expression[at + 1] == ']' ? 1U : 0U;
        } else if (c == '$') {
            return true;
        }
    }
    return false;
}

// Characters beyond ASCII as the text will have them, except at the ends of ranges, which would
// become other ranges.
std::string folded_expression(std::string_view expression) {
    std::string folded;
    std::size_t at = 0;
    bool after_dash = false;
    while (at < expression.size()) {
        const std::size_t begin = at;
        const char32_t character = internal::take_character(expression, at);
        const bool before_dash = at < expression.size() && expression[at] == '-';
        const Folded to = fold(character, Folding::kPlain);
        if (character >= 0x80 && !after_dash && !before_dash && to.count == 1) {
            append_utf8(folded, to.characters[0]);
        } else {
            folded += expression.substr(begin, at - begin);
        }
        after_dash = character == U'-';
    }
    return folded;
}

// Bytes of the longest match.
Result<std::size_t> width_of(const std::string& expression, unsigned flags) {
    hs_expr_info_t* raw_info = nullptr;
    hs_compile_error_t* raw_error = nullptr;
    const auto done = hs_expression_info(expression.c_str(), flags, &raw_info, &raw_error);
    const CompileError complaint(raw_error);
    struct Release {
        void operator()(hs_expr_info_t* info) const noexcept { std::free(info); }
    };
    const std::unique_ptr<hs_expr_info_t, Release> info(raw_info);
    if (done != HS_SUCCESS || info == nullptr) {
        return wrong_expression(
            fmt::format("the expression is not understood: {}", words_of(complaint)));
    }
    if (info->min_width == 0) {
        return wrong_expression("the expression matches where there is nothing");
    }
    if (info->max_width > kExpressionWidthMax) {
        return wrong_expression(fmt::format(
            "the expression matches texts of any length or of more than {} bytes; say how "
            "often at most instead of * or +, because a stream is held back by as much",
            kExpressionWidthMax));
    }
    if (info->matches_at_eod != 0 && asks_for_the_end(expression)) {
        return wrong_expression(
            "an expression cannot ask for the end of a line or of the text, "
            "which no stream knows");
    }
    return std::size_t{info->max_width};
}

Result<hs_database_t*> compiled(std::span<const std::string> expressions, unsigned flags,
                                unsigned mode) {
    std::vector<const char*> pointers;
    std::vector<unsigned> ids;
    for (const std::string& each : expressions) {
        ids.push_back(static_cast<unsigned>(pointers.size()));
        pointers.push_back(each.c_str());
    }
    const std::vector<unsigned> all_flags(pointers.size(), flags);
    hs_database_t* database = nullptr;
    hs_compile_error_t* raw_error = nullptr;
    const auto done = hs_compile_multi(pointers.data(), all_flags.data(), ids.data(),
                                       static_cast<unsigned>(pointers.size()), mode, nullptr,
                                       &database, &raw_error);
    const CompileError complaint(raw_error);
    if (done != HS_SUCCESS) {
        return wrong_expression(
            fmt::format("the expression cannot be searched for: {}", words_of(complaint)));
    }
    return database;
}

// Whether a match ends at the end of what is looked at.
struct EndsHere {
    std::uint64_t end;
    bool found = false;
};

int note_end(unsigned /*id*/, unsigned long long /*from*/, unsigned long long to,
             unsigned /*flags*/, void* context) {
    auto& ends = *static_cast<EndsHere*>(context);
    ends.found = ends.found || to == ends.end;
    return ends.found ? 1 : 0;
}

// What plain folding leaves alone needs no search in its tables.
bool is_usual(char32_t character) noexcept {
    return character < 0x80 && character >= 0x20 && (character < 'A' || character > 'Z');
}

}  // namespace

// Working memory, one for each text that is searched at the same moment.
struct ExpressionSet::Scratches {
    std::mutex mutex;
    hs_scratch_t* model = nullptr;
    std::vector<hs_scratch_t*> free;
};

struct ExpressionScan::Found {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> ends;  // expression, where it ended
    static int note(unsigned id, unsigned long long /*from*/, unsigned long long to,
                    unsigned /*flags*/, void* context) {
        static_cast<Found*>(context)->ends.emplace_back(id, to);
        return 0;
    }
};

void ExpressionSet::Free::operator()(hs_database* database) const noexcept {
    hs_free_database(database);
}

ExpressionSet::ExpressionSet(Private /*only*/, Folding folding)
    : folding_(folding), scratches_(std::make_unique<Scratches>()) {}

ExpressionSet::~ExpressionSet() {
    for (hs_scratch_t* scratch : scratches_->free) {
        hs_free_scratch(scratch);
    }
    hs_free_scratch(scratches_->model);
}

Result<void> ExpressionSet::add(const std::string& expression) {
    if (expression.empty() || expression.size() > kExpressionBytesMax ||
        find_invalid_utf8(expression) || expression.find('\0') != std::string::npos) {
        return wrong_expression(
            fmt::format("an expression is 1 to {} bytes of UTF-8", kExpressionBytesMax));
    }
    // Settings at its beginning that no group may stand before.
    if (expression.starts_with("(*")) {
        return wrong_expression("an expression does not begin with (*");
    }
    const unsigned flags = flags_of(folding_);
    widths_.push_back(TRY(width_of(expression, flags)));
    const std::string anchored = "^(?:" + expression + ")";
    anchored_.emplace_back(TRY(compiled({&anchored, 1}, flags, HS_MODE_BLOCK)));
    return {};
}

Result<void> ExpressionSet::finish(std::span<const std::string> expressions) {
    all_.reset(TRY(compiled(expressions, flags_of(folding_), HS_MODE_STREAM)));
    bool good = hs_alloc_scratch(all_.get(), &scratches_->model) == HS_SUCCESS;
    for (const Database& each : anchored_) {
        good = good && hs_alloc_scratch(each.get(), &scratches_->model) == HS_SUCCESS;
    }
    if (!good) {
        return Error{ErrorCode::kUnavailable, "this machine cannot search for expressions"};
    }
    return {};
}

Result<std::shared_ptr<const ExpressionSet>> ExpressionSet::compile(
    Folding folding, std::span<const std::string> expressions, std::size_t& wrong) {
    using Key = std::pair<Folding, std::vector<std::string>>;
    static std::mutex mutex;
    static std::map<Key, std::weak_ptr<const ExpressionSet>> known;
    const Key key(folding, {expressions.begin(), expressions.end()});
    {
        const std::lock_guard lock(mutex);
        std::erase_if(known, [](const auto& each) { return each.second.expired(); });
        if (const auto found = known.find(key); found != known.end()) {
            if (auto set = found->second.lock()) {
                return set;
            }
        }
    }
    auto set = std::make_shared<ExpressionSet>(Private(), folding);
    std::vector<std::string> forms;
    for (wrong = 0; wrong < expressions.size(); ++wrong) {
        const std::string& each = expressions[wrong];
        forms.push_back(folding == Folding::kExact ? each : folded_expression(each));
        TRY(set->add(forms.back()));
    }
    wrong = 0;
    TRY(set->finish(forms));
    const std::lock_guard lock(mutex);
    known.insert_or_assign(key, set);
    return std::shared_ptr<const ExpressionSet>(set);
}

hs_scratch* ExpressionSet::borrow() const {
    {
        const std::lock_guard lock(scratches_->mutex);
        if (!scratches_->free.empty()) {
            hs_scratch_t* const scratch = scratches_->free.back();
            scratches_->free.pop_back();
            return scratch;
        }
    }
    hs_scratch_t* scratch = nullptr;
    return hs_clone_scratch(scratches_->model, &scratch) == HS_SUCCESS ? scratch : nullptr;
}

void ExpressionSet::give_back(hs_scratch* scratch) const noexcept {
    const std::lock_guard lock(scratches_->mutex);
    scratches_->free.push_back(scratch);
}

ExpressionScan::ExpressionScan(std::shared_ptr<const ExpressionSet> set, std::size_t width)
    : set_(std::move(set)), width_(width), exact_begins_(set_->anchored_.size()) {
    if (hs_open_stream(set_->all_.get(), 0, &stream_) != HS_SUCCESS) {
        throw std::bad_alloc();  // which is all that can fail
    }
}

ExpressionScan::~ExpressionScan() {
    if (stream_ != nullptr) {
        hs_close_stream(stream_, nullptr, nullptr, nullptr);
    }
}

ExpressionScan::ExpressionScan(ExpressionScan&& other) noexcept
    : set_(std::move(other.set_)),
      width_(other.width_),
      stream_(std::exchange(other.stream_, nullptr)),
      places_(std::move(other.places_)),
      window_(std::move(other.window_)),
      fed_(other.fed_),
      offset_(other.offset_),
      characters_(other.characters_),
      exact_begins_(std::move(other.exact_begins_)),
      told_(std::move(other.told_)),
      finished_(other.finished_) {}

// The piece as it is searched.
void ExpressionScan::feed(std::string_view piece, std::string& fed) {
    const bool folds = set_->folding() != Folding::kExact;
    std::size_t at = 0;
    while (at < piece.size()) {
        const std::size_t begin = at;
        const char32_t character = internal::take_character(piece, at);
        const std::size_t before = fed.size();
        ++characters_;
        if (character == internal::kInvalid) {
            append_utf8(fed, 0xFFFD);
        } else if (!folds || is_usual(character)) {
            fed += piece.substr(begin, at - begin);
        } else {
            for (const char32_t each : fold(character, set_->folding()).all()) {
                append_utf8(fed, each);
            }
        }
        if (fed.size() != before) {
            places_.push_back({.fed = fed_ + before,
                               .begin = offset_ + begin,
                               .end = offset_ + at,
                               .character = characters_});
        }
    }
    offset_ += piece.size();
}

const ExpressionScan::Place& ExpressionScan::place_of(std::uint64_t fed) const noexcept {
    const auto after = std::ranges::upper_bound(places_, fed, {}, &Place::fed);
    return after == places_.begin() ? places_.front() : *(after - 1);
}

void ExpressionScan::push(std::string_view piece, bool last, std::vector<Hit>& hits) {
    if (finished_) {
        return;
    }
    std::string fed;
    feed(piece, fed);
    window_ += fed;
    const std::uint64_t before = fed_;
    fed_ += fed.size();
    hs_scratch_t* const scratch = set_->borrow();
    if (scratch == nullptr) {
        throw std::bad_alloc();
    }
    Found found;
    bool good = hs_scan_stream(stream_, fed.data(), static_cast<unsigned>(fed.size()), 0, scratch,
                               Found::note, &found) == HS_SUCCESS;
    if (last) {
        good = hs_close_stream(stream_, scratch, Found::note, &found) == HS_SUCCESS && good;
        stream_ = nullptr;
        finished_ = true;
    }
    drop_told(found, before);
    for (const auto& [expression, to] : found.ends) {
        hits.push_back(hit_of(expression, to, scratch));
    }
    set_->give_back(scratch);
    forget();
    if (!good) {
        throw std::bad_alloc();
    }
}

// The search tells an end more than once, and not in order.
void ExpressionScan::drop_told(Found& found, std::uint64_t before) {
    const auto by_end = [](const auto& each) { return std::pair(each.second, each.first); };
    std::ranges::sort(found.ends, {}, by_end);
    const auto twice = std::ranges::unique(found.ends);
    found.ends.erase(twice.begin(), twice.end());
    std::erase_if(found.ends, [&](const auto& each) {
        return each.second == before && std::ranges::find(told_, each.first) != told_.end();
    });
    if (fed_ != before) {
        told_.clear();
    }
    for (const auto& [expression, to] : found.ends) {
        if (to == fed_) {
            told_.push_back(expression);
        }
    }
}

ExpressionScan::Hit ExpressionScan::hit_of(std::uint32_t expression, std::uint64_t to,
                                           hs_scratch* scratch) {
    const Place& last = place_of(to - 1);
    Hit hit{.expression = expression, .begin = 0, .end = last.end, .end_character = last.character};
    std::optional<std::size_t> begin;
    if (exact_begins_[expression] < kExactBeginsMax) {
        ++exact_begins_[expression];
        begin = exact_begin(expression, to, scratch);
    }
    const std::uint64_t width = std::min<std::uint64_t>(set_->width(expression), to);
    hit.begin = begin ? *begin : place_of(to - width).begin;
    return hit;
}

// The first beginning from which a match ends there.
std::optional<std::size_t> ExpressionScan::exact_begin(std::uint32_t expression, std::uint64_t to,
                                                       hs_scratch* scratch) const {
    const std::uint64_t base = fed_ - window_.size();
    const std::uint64_t furthest = to - std::min<std::uint64_t>(set_->width(expression), to - base);
    const hs_database_t* database = set_->anchored_[expression].get();
    for (auto place = std::ranges::lower_bound(places_, furthest, {}, &Place::fed);
         place != places_.end() && place->fed < to; ++place) {
        EndsHere ends{.end = to - place->fed};
        hs_scan(database, window_.data() + (place->fed - base),
                static_cast<unsigned>(to - place->fed), 0, scratch, note_end, &ends);
        if (ends.found) {
            return place->begin;
        }
    }
    return std::nullopt;
}

// What lies before all that is still to come.
void ExpressionScan::forget() {
    const std::uint64_t kept = fed_ - std::min<std::uint64_t>(width_, fed_);
    while (places_.size() > 1 && places_[1].fed <= kept) {
        places_.pop_front();
    }
    const std::uint64_t base = fed_ - window_.size();
    const std::uint64_t first = places_.empty() ? fed_ : places_.front().fed;
    if (first - base > 4 * kExpressionWidthMax) {
        window_.erase(0, first - base);
    }
}

std::size_t ExpressionScan::known() const noexcept {
    return finished_ || places_.empty() ? offset_ : places_.back().begin;
}

std::size_t ExpressionScan::earliest() const noexcept {
    if (finished_ || places_.empty()) {
        return offset_;
    }
    return place_of(fed_ - std::min<std::uint64_t>(width_, fed_)).begin;
}

}  // namespace colophon::review
