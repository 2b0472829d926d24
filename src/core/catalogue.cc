// SPDX-License-Identifier: Apache-2.0
#include "core/catalogue.h"

#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

// What one translation may cost: tries of a row, and ways in which one piece of a row is looked
// for.
constexpr std::size_t kTriesMax = 20'000;
constexpr std::size_t kWaysMax = 8;

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_number(std::string_view text) noexcept {
    return !text.empty() && text.find_first_not_of("0123456789.-") == std::string_view::npos;
}

Error wrong(std::string_view what, std::string_view row) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} in the row: {}", what, row)};
}

// Takes a brace that is written twice, "{{" or "}}", as the text that it stands for.
bool take_brace(std::string_view text, std::size_t& at, std::string& out) {
    if ((text[at] != '{' && text[at] != '}') || at + 1 >= text.size() || text[at + 1] != text[at]) {
        return false;
    }
    out += text[at];
    at += 2;
    return true;
}

}  // namespace

Result<void> Catalogue::read_pattern(std::string_view pattern, Row& row) {
    row.pieces.emplace_back();
    for (std::size_t at = 0; at < pattern.size();) {
        if (take_brace(pattern, at, row.pieces.back())) {
            continue;
        }
        if (pattern.substr(at).starts_with("{}")) {
            if (row.pieces.size() > 1 && row.pieces.back().empty()) {
                return wrong("two places without text between them", pattern);
            }
            row.pieces.emplace_back();
            at += 2;
        } else if (pattern[at] == '{' || pattern[at] == '}') {
            return wrong("a single brace", pattern);
        } else {
            row.pieces.back() += pattern[at++];
        }
    }
    for (const std::string& piece : row.pieces) {
        row.letters += static_cast<std::size_t>(std::ranges::count_if(piece, is_letter));
    }
    return {};
}

Result<void> Catalogue::read_translation(std::string_view translation, Row& row) {
    constexpr std::size_t kUnseen = 99;
    const std::size_t places = row.pieces.size() - 1;
    std::vector<std::size_t> seen(places, 0);
    row.kinds.assign(places, PlaceKind::kCopied);
    std::string text;
    for (std::size_t at = 0; at < translation.size();) {
        if (take_brace(translation, at, text)) {
            continue;
        }
        if (translation[at] != '{' && translation[at] != '}') {
            text += translation[at++];
            continue;
        }
        const std::size_t end = std::min(translation.find('}', at), translation.size());
        const std::string_view inside = translation.substr(at, end - at);  // "{2:m"
        const std::size_t number = inside.size() >= 2 && inside[1] >= '1' && inside[1] <= '9'
                                       ? static_cast<std::size_t>(inside[1] - '1')
                                       : kUnseen;
        const std::string_view kind = inside.substr(std::min<std::size_t>(2, inside.size()));
        if (number >= places || ++seen[number] > 1 || end == translation.size() ||
            (!kind.empty() && kind != ":m" && kind != ":n")) {
            return wrong("a place that the pattern does not have, or that stands there already",
                         translation);
        }
        row.kinds[number] = kind == ":m"   ? PlaceKind::kSentence
                            : kind == ":n" ? PlaceKind::kNumber
                                           : PlaceKind::kCopied;
        row.parts.push_back({std::exchange(text, {}), number});
        at = end + 1;
    }
    if (row.parts.size() != places) {
        return wrong("a place is missing", translation);
    }
    row.tail = std::move(text);
    return {};
}

Result<Catalogue::Row> Catalogue::read_row(std::string_view pattern, std::string_view translation) {
    Row row;
    TRY(read_pattern(pattern, row));
    TRY(read_translation(translation, row));
    return row;
}

Result<Catalogue> Catalogue::create(std::span<const std::string_view> rows) {
    Catalogue catalogue;
    for (const std::string_view line : rows) {
        const std::size_t tab = line.find('\t');
        if (tab == std::string_view::npos) {
            return wrong("no tab", line);
        }
        const std::string_view pattern = line.substr(0, tab);
        const std::string_view rest = line.substr(tab + 1);
        const std::string_view translation = rest.substr(0, rest.find('\t'));
        if (pattern.empty() || translation.empty()) {
            return wrong("an empty side", line);
        }
        if (translation == "=") {
            continue;
        }
        Row row = TRY(read_row(pattern, translation));
        std::vector<Row>& same = catalogue.rows_[row.pieces.front()];
        if (std::ranges::find(same, row.pieces, &Row::pieces) != same.end()) {
            return wrong("a pattern that stands there twice", line);
        }
        same.push_back(std::move(row));
        ++catalogue.size_;
    }
    for (const auto& [start, same] : catalogue.rows_) {
        catalogue.start_sizes_.push_back(start.size());
    }
    std::ranges::sort(catalogue.start_sizes_);
    const auto more = std::ranges::unique(catalogue.start_sizes_);
    catalogue.start_sizes_.erase(more.begin(), more.end());
    return catalogue;
}

// One call of translate(). All texts are parts of the one that was given, so that a part which is
// met again, in another row or another way to fit one, is known by its place.
class Catalogue::Translation {
public:
    struct Best {
        std::string text;
        std::size_t letters = 0;  // how many letters were translated
        std::size_t rows = 0;     // by how many rows

        // Of two that translate as much, the one of fewer rows cuts less through what is copied.
        bool better_than(const Best& other) const noexcept {
            return letters != other.letters ? letters > other.letters : rows < other.rows;
        }
    };

    explicit Translation(const Catalogue& catalogue) : catalogue_(catalogue) {}

    Best best(std::string_view text, std::size_t depth) {
        const auto key = std::pair(text.data(), text.size());
        if (const auto known = known_.find(key); known != known_.end()) {
            return known->second;
        }
        Best found{.text = std::string(text), .letters = 0, .rows = 0};
        if (depth < kDepthMax && std::ranges::any_of(text, is_letter)) {
            for (const std::size_t size : catalogue_.start_sizes_) {
                if (size > text.size()) {
                    break;
                }
                const auto rows = catalogue_.rows_.find(text.substr(0, size));
                if (rows != catalogue_.rows_.end()) {
                    for (const Row& row : rows->second) {
                        try_row(row, text, depth, found);
                    }
                }
            }
        }
        known_.emplace(key, found);
        return found;
    }

private:
    struct Fit {
        const Row& row;
        std::string_view text;
        std::size_t depth;
        std::vector<std::string_view> places;
        Best& found;
    };

    void try_row(const Row& row, std::string_view text, std::size_t depth, Best& found) {
        if (!text.ends_with(row.pieces.back())) {
            return;
        }
        if (row.kinds.empty()) {
            Best whole{.text = row.tail, .letters = row.letters, .rows = 1};
            if (text.size() == row.pieces.back().size() && whole.better_than(found)) {
                found = std::move(whole);
            }
            return;
        }
        Fit fit{.row = row, .text = text, .depth = depth, .places = {}, .found = found};
        fill(fit, row.pieces.front().size());
    }

    // Fills the next place, which begins at `at`, in each way that the piece behind it allows.
    void fill(Fit& fit, std::size_t at) {
        const std::size_t place = fit.places.size();
        const std::string& piece = fit.row.pieces[place + 1];
        if (place + 1 == fit.row.kinds.size()) {
            const std::size_t end = fit.text.size() - piece.size();
            if (end >= at && take(fit, at, end)) {
                finish(fit);
                fit.places.pop_back();
            }
            return;
        }
        std::size_t end = fit.text.find(piece, at);
        for (std::size_t way = 0; way < kWaysMax && end != std::string_view::npos; ++way) {
            if (take(fit, at, end)) {
                fill(fit, end + piece.size());
                fit.places.pop_back();
            }
            end = fit.text.find(piece, end + 1);
        }
    }

    bool take(Fit& fit, std::size_t begin, std::size_t end) {
        const std::string_view part = fit.text.substr(begin, end - begin);
        const bool wrong_kind =
            fit.row.kinds[fit.places.size()] == PlaceKind::kNumber && !is_number(part);
        if (tries_ >= kTriesMax || wrong_kind) {
            return false;
        }
        ++tries_;
        fit.places.push_back(part);
        return true;
    }

    void finish(const Fit& fit) {
        Best whole{.text = {}, .letters = fit.row.letters, .rows = 1};
        std::vector<std::string> places;
        for (std::size_t i = 0; i < fit.places.size(); ++i) {
            if (fit.row.kinds[i] == PlaceKind::kSentence) {
                Best part = best(fit.places[i], fit.depth + 1);
                whole.letters += part.letters;
                whole.rows += part.rows;
                places.push_back(std::move(part.text));
            } else {
                places.emplace_back(fit.places[i]);
            }
        }
        if (whole.letters == 0 || !whole.better_than(fit.found)) {
            return;
        }
        for (const Part& part : fit.row.parts) {
            whole.text += part.text + places[part.place];
        }
        whole.text += fit.row.tail;
        fit.found = std::move(whole);
    }

    const Catalogue& catalogue_;
    std::map<std::pair<const char*, std::size_t>, Best> known_;
    std::size_t tries_ = 0;
};

std::string Catalogue::translate(std::string_view text) const {
    if (text.size() > kTextBytesMax) {
        return std::string(text);
    }
    return Translation(*this).best(text, 0).text;
}

}  // namespace colophon
