// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/sound_index.h"

#include "core/assert.h"
#include "core/result.h"
#include "fingerprint/pdq_index.h"
#include "fingerprint/sound.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace colophon::fingerprint {
namespace {

constexpr std::size_t kItemBits = 32;
constexpr auto kWindowErrorsMax =
    static_cast<std::size_t>(kSoundBitErrorMax * kItemBits * kSoundWindowItems);
// Items of the query that, with their neighbours, stand at more places say too little to be looked
// up: those of single notes.
constexpr std::size_t kPlacesMax = 4096;

using Items = std::span<const std::uint32_t>;

std::size_t bits_apart(std::uint32_t a, std::uint32_t b) noexcept {
    return static_cast<std::size_t>(std::popcount(a ^ b));
}

bool changes(Items items, std::size_t at) noexcept {
    return at > 0 && items[at] != items[at - 1];
}

// Of `a` and `b` of one length, the longest run of windows that are alike.
std::optional<SoundStretch> longest_run(Items a, Items b) {
    constexpr std::size_t kWindow = kSoundWindowItems;
    std::optional<SoundStretch> best;
    std::size_t errors = 0;  // of the window that ends at i
    std::size_t changed = 0;
    std::size_t begin = 0;  // of the run, while there is one
    bool running = false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        errors += bits_apart(a[i], b[i]);
        changed += static_cast<std::size_t>(changes(a, i) && changes(b, i));
        if (i >= kWindow) {
            errors -= bits_apart(a[i - kWindow], b[i - kWindow]);
            changed -= static_cast<std::size_t>(changes(a, i - kWindow) && changes(b, i - kWindow));
        }
        const bool alike =
            i + 1 >= kWindow && errors <= kWindowErrorsMax && changed >= kSoundChangesMin;
        if (alike && !running) {
            begin = i + 1 - kWindow;
        }
        running = alike;
        if (running && (!best || i + 1 - begin > best->items)) {
            best = SoundStretch{.items = i + 1 - begin, .query_begin = begin, .other_begin = begin};
        }
    }
    if (best) {
        std::size_t apart = 0;
        for (std::size_t i = 0; i < best->items; ++i) {
            apart += bits_apart(a[best->query_begin + i], b[best->query_begin + i]);
        }
        best->bit_error = static_cast<double>(apart) / static_cast<double>(kItemBits * best->items);
    }
    return best;
}

std::optional<SoundStretch> match_items(Items query, Items other, std::int64_t offset) {
    const auto query_skip = static_cast<std::size_t>(std::max<std::int64_t>(-offset, 0));
    const auto other_skip = static_cast<std::size_t>(std::max<std::int64_t>(offset, 0));
    if (query_skip >= query.size() || other_skip >= other.size()) {
        return std::nullopt;
    }
    const std::size_t shared = std::min(query.size() - query_skip, other.size() - other_skip);
    auto stretch =
        longest_run(query.subspan(query_skip, shared), other.subspan(other_skip, shared));
    if (stretch) {
        stretch->query_begin += query_skip;
        stretch->other_begin += other_skip;
    }
    return stretch;
}

bool is_better(const SoundStretch& a, const SoundStretch& b) noexcept {
    return a.items != b.items ? a.items > b.items : a.bit_error < b.bit_error;
}

double seconds_at(std::size_t item) noexcept {
    return static_cast<double>(item * kSoundStepSamples) / kSoundRate;
}

std::uint32_t mixed(std::uint32_t item) noexcept {
    std::uint32_t x = item;
    x ^= x >> 16U;
    x *= 0x7feb352dU;
    x ^= x >> 15U;
    x *= 0x846ca68bU;
    return x ^ (x >> 16U);
}

}  // namespace

double SoundStretch::query_seconds() const noexcept {
    return seconds_at(query_begin);
}

double SoundStretch::other_seconds() const noexcept {
    return seconds_at(other_begin);
}

std::optional<SoundStretch> match_at(const SoundPrint& query, const SoundPrint& other,
                                     std::int64_t offset) {
    return match_items(query.items, other.items, offset);
}

std::optional<SoundStretch> match_sounds(const SoundPrint& query, const SoundPrint& other) {
    std::optional<SoundStretch> best;
    const auto most = static_cast<std::int64_t>(other.items.size());
    for (auto offset = -static_cast<std::int64_t>(query.items.size()); offset < most; ++offset) {
        const auto stretch = match_at(query, other, offset);
        if (stretch && (!best || is_better(*stretch, *best))) {
            best = stretch;
        }
    }
    return best;
}

// All sounds one behind the other, and the places of all items in groups by their mixed bits.
struct SoundIndex::Tables {
    std::vector<PrintId> ids;
    std::vector<std::uint32_t> begins;  // of each sound in items, and the end
    std::vector<std::uint32_t> items;
    unsigned shift = 31;                // a group is what is left of 32 mixed bits
    std::vector<std::uint32_t> groups;  // where each begins in places, and the end
    std::vector<std::uint32_t> places;

    std::size_t group_of(std::uint32_t item) const noexcept { return mixed(item) >> shift; }

    void add_places(std::uint32_t item, std::vector<std::uint32_t>& out) const {
        const std::size_t group = group_of(item);
        for (std::uint32_t i = groups[group]; i < groups[group + 1]; ++i) {
            if (items[places[i]] == item) {
                out.push_back(places[i]);
            }
        }
    }

    std::size_t sound_at(std::uint32_t place) const {
        const auto after = std::ranges::upper_bound(begins, place);
        return static_cast<std::size_t>(after - begins.begin()) - 1;
    }

    Items sound(std::size_t number) const {
        return Items(items).subspan(begins[number], begins[number + 1] - begins[number]);
    }
};

// Of one query.
class SoundIndex::Search {
public:
    Search(const Tables& tables, Items query) : tables_(tables), query_(query) {}

    // Item `at` of the query, or one of its neighbours, stands at that place.
    void look(std::size_t at, std::uint32_t place) {
        const std::size_t number = tables_.sound_at(place);
        const Items sound = tables_.sound(number);
        const std::size_t there = place - tables_.begins[number];
        const std::int64_t offset =
            static_cast<std::int64_t>(there) - static_cast<std::int64_t>(at);
        if (seen_.contains({number, offset}) || !is_alike_around(at, sound, there)) {
            return;
        }
        seen_.insert({number, offset});
        const auto stretch = match_items(query_, sound, offset);
        COLOPHON_ASSERT(stretch.has_value());
        const auto [best, is_new] = best_.try_emplace(number, *stretch);
        if (!is_new && is_better(*stretch, best->second)) {
            best->second = *stretch;
        }
    }

    std::vector<SoundFound> take_found() const {
        std::vector<SoundFound> found;
        found.reserve(best_.size());
        for (const auto& [number, stretch] : best_) {
            found.push_back({.id = tables_.ids[number], .stretch = stretch});
        }
        std::ranges::sort(found, is_better, &SoundFound::stretch);
        return found;
    }

private:
    // Whether any window that holds both places is.
    bool is_alike_around(std::size_t at, Items sound, std::size_t there) const {
        const std::size_t before = std::min({at, there, kSoundWindowItems});
        const std::size_t after =
            std::min({query_.size() - at, sound.size() - there, kSoundWindowItems});
        return longest_run(query_.subspan(at - before, before + after),
                           sound.subspan(there - before, before + after))
            .has_value();
    }

    const Tables& tables_;
    Items query_;
    std::set<std::pair<std::size_t, std::int64_t>> seen_;
    std::map<std::size_t, SoundStretch> best_;
};

Result<SoundIndex> SoundIndex::create(std::vector<SoundEntry> sounds) {
    auto tables = std::make_shared<Tables>();
    std::size_t total = 0;
    for (const SoundEntry& sound : sounds) {
        total += sound.print.items.size();
    }
    if (total > kItemsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("an index of sounds has at most {} items", kItemsMax)};
    }
    tables->items.reserve(total);
    for (SoundEntry& sound : sounds) {
        tables->ids.push_back(sound.id);
        tables->begins.push_back(static_cast<std::uint32_t>(tables->items.size()));
        tables->items.insert(tables->items.end(), sound.print.items.begin(),
                             sound.print.items.end());
        sound.print.items = {};  // so that a list is not there twice
    }
    tables->begins.push_back(static_cast<std::uint32_t>(total));
    const int bits = std::clamp(static_cast<int>(std::bit_width(total)), 1, 24);
    tables->shift = static_cast<unsigned>(32 - bits);
    // Counted, then filled from the back, so that the places of a group ascend.
    tables->groups.assign((std::size_t{1} << static_cast<unsigned>(bits)) + 1, 0);
    for (const std::uint32_t item : tables->items) {
        ++tables->groups[tables->group_of(item)];
    }
    std::uint32_t sum = 0;
    for (std::uint32_t& group : tables->groups) {
        sum += group;
        group = sum;
    }
    tables->places.resize(total);
    for (std::size_t place = total; place-- > 0;) {
        tables->places[--tables->groups[tables->group_of(tables->items[place])]] =
            static_cast<std::uint32_t>(place);
    }
    SoundIndex index;
    index.tables_ = std::move(tables);
    return index;
}

std::size_t SoundIndex::size() const noexcept {
    return tables_ == nullptr ? 0 : tables_->ids.size();
}

std::vector<SoundFound> SoundIndex::find(const SoundPrint& query) const {
    if (size() == 0) {
        return {};
    }
    Search search(*tables_, query.items);
    std::vector<std::uint32_t> places;
    for (std::size_t i = 0; i < query.items.size(); ++i) {
        const std::uint32_t item = query.items[i];
        if (item == kSilentItem || (i > 0 && item == query.items[i - 1])) {
            continue;
        }
        places.clear();
        tables_->add_places(item, places);
        for (unsigned bit = 0; bit < kItemBits; ++bit) {
            tables_->add_places(item ^ (std::uint32_t{1} << bit), places);
        }
        if (places.size() > kPlacesMax) {
            continue;
        }
        for (const std::uint32_t place : places) {
            search.look(i, place);
        }
    }
    return search.take_found();
}

}  // namespace colophon::fingerprint
