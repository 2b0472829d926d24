// SPDX-License-Identifier: Apache-2.0
// How the queue does, and whether people agree.
#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"
#include "review/queue.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

using storage::Rows;
using storage::Statement;
using storage::time_value;

constexpr std::chrono::days kPeriod{30};

constexpr Statement kOpen{
    "SELECT state, COUNT(*), MIN(created_at),"
    " CAST(SUM(CASE WHEN due_at <= $1 THEN 1 ELSE 0 END) AS BIGINT) FROM review_items"
    " WHERE state <= 3 AND expires_at > $1 GROUP BY state"};
constexpr Statement kExpired{
    "SELECT COUNT(*) FROM review_items WHERE state <= 3 AND expires_at <= $1 AND created_at >= $2"};
constexpr Statement kEnded{
    "SELECT state, decided_at - created_at FROM review_items WHERE created_at >= $1"
    " AND state IN (4, 5) AND cause = 1"};
constexpr Statement kDecisions{
    "SELECT a.item, i.sample_of, a.act_by, a.ruling FROM review_acts a"
    " JOIN review_items i ON i.id = a.item WHERE a.act = 5 AND a.undone = 0 AND a.act_at >= $1"
    " ORDER BY a.item, a.number"};

struct Ruled {
    std::string by;
    Ruling ruling = Ruling::kRefuse;
};
struct Rulings {
    std::optional<ItemId> sample_of;
    std::vector<Ruled> all;
};
using Decisions = std::map<ItemId, Rulings>;

Error misshapen() {
    return {ErrorCode::kCorrupt, "a row of the review queue has another form"};
}

Result<ItemId> id_of(const storage::Value& value) {
    const auto* bytes = std::get_if<Buffer>(&value);
    ItemId id;
    if (bytes == nullptr || bytes->size() != id.bytes.size()) {
        return misshapen();
    }
    std::ranges::copy(*bytes, id.bytes.begin());
    return id;
}

Result<void> take(Decisions& decisions, const storage::Values& row) {
    const auto* by = std::get_if<std::string>(&row[2]);
    const auto* ruling = std::get_if<std::int64_t>(&row[3]);
    if (by == nullptr || ruling == nullptr || *ruling < 1 || *ruling > 3) {
        return misshapen();
    }
    const ItemId id = TRY(id_of(row[0]));
    Rulings& decided = decisions[id];
    if (!std::holds_alternative<std::monostate>(row[1])) {
        decided.sample_of = TRY(id_of(row[1]));
    }
    decided.all.push_back({.by = *by, .ruling = static_cast<Ruling>(*ruling)});
    return {};
}

std::chrono::milliseconds quantile(const std::vector<std::int64_t>& sorted, double part) {
    const auto place = static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * part);
    return std::chrono::milliseconds(sorted[place]);
}

// How often two ruled what, the first by row.
using Table = std::array<std::array<std::uint64_t, 2>, 2>;

// Cohen, "A coefficient of agreement for nominal scales", 1960.
std::optional<double> kappa_of(const Table& table) {
    const auto all = static_cast<double>(table[0][0] + table[0][1] + table[1][0] + table[1][1]);
    if (all == 0) {
        return std::nullopt;
    }
    const double same = static_cast<double>(table[0][0] + table[1][1]) / all;
    double chance = 0;
    for (std::size_t k = 0; k < 2; ++k) {
        chance += static_cast<double>(table[k][0] + table[k][1]) / all *
                  static_cast<double>(table[0][k] + table[1][k]) / all;
    }
    if (chance >= 1) {
        return std::nullopt;
    }
    return (same - chance) / (1 - chance);
}

class Counting {
public:
    explicit Counting(QueueFigures& figures) : figures_(figures) {}

    void count(const Decisions& decisions) {
        for (const auto& [id, decided] : decisions) {
            for (const Ruled& each : decided.all) {
                ++people_[each.by].decided;
            }
            if (decided.sample_of) {
                count_sample(decisions, decided);
            } else if (decided.all.size() > 1) {
                pair(decided.all[0].ruling, decided.all[1].ruling);
            }
        }
        figures_.pairs = table_[0][0] + table_[0][1] + table_[1][0] + table_[1][1];
        figures_.agreed = table_[0][0] + table_[1][1];
        figures_.kappa = kappa_of(table_);
        for (auto& [name, person] : people_) {
            person.name = name;
            figures_.people.push_back(std::move(person));
        }
    }

private:
    void count_sample(const Decisions& decisions, const Rulings& again) {
        const auto first = decisions.find(*again.sample_of);
        if (first == decisions.end()) {
            return;
        }
        const Ruled& before = first->second.all.back();
        const Ruled& after = again.all.front();
        ++people_[before.by].sampled;
        // A lead who was asked has the last word.
        if (again.all.back().ruling != before.ruling) {
            ++people_[before.by].differed;
        }
        pair(before.ruling, after.ruling);
    }
    void pair(Ruling first, Ruling second) {
        if (first != Ruling::kEscalate && second != Ruling::kEscalate) {
            ++table_[first == Ruling::kRelease ? 0 : 1][second == Ruling::kRelease ? 0 : 1];
        }
    }

    QueueFigures& figures_;
    Table table_{};
    std::map<std::string, PersonFigures> people_;
};

Result<void> count_open(const Rows& rows, QueueFigures& figures) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto state = static_cast<ItemState>(TRY(rows.integer(row, 0)));
        const auto count = static_cast<std::uint64_t>(TRY(rows.integer(row, 1)));
        const Time oldest = TRY(storage::time_at(rows, row, 2));
        figures.overdue += static_cast<std::uint64_t>(TRY(rows.integer(row, 3)));
        figures.oldest = figures.oldest ? std::min(*figures.oldest, oldest) : oldest;
        (state == ItemState::kWaiting  ? figures.waiting
         : state == ItemState::kSecond ? figures.second
                                       : figures.escalated) = count;
    }
    return {};
}

}  // namespace

Result<QueueFigures> ReviewQueue::figures() const {
    QueueFigures figures;
    const Time now = parts_.clock.now();
    const Time since = now - kPeriod;
    Decisions decisions;
    std::vector<std::int64_t> waits;
    const auto body = [&](storage::Snapshot& data) -> Result<void> {
        figures = {};
        decisions.clear();
        waits.clear();
        const Rows open = TRY(data.query(kOpen, {time_value(now)}));
        TRY(count_open(open, figures));
        const Rows expired = TRY(data.query(kExpired, {time_value(now), time_value(since)}));
        figures.expired = static_cast<std::uint64_t>(TRY(expired.integer(0, 0)));
        const auto ended = [&](const storage::Values& row) -> Result<void> {
            const auto* state = std::get_if<std::int64_t>(&row[0]);
            const auto* wait = std::get_if<std::int64_t>(&row[1]);
            if (state == nullptr || wait == nullptr) {
                return misshapen();
            }
            ++(*state == static_cast<std::int64_t>(ItemState::kReleased) ? figures.released
                                                                         : figures.refused);
            waits.push_back(*wait);
            return {};
        };
        TRY(data.visit(kEnded, {time_value(since)}, ended));
        const auto decided = [&](const storage::Values& row) { return take(decisions, row); };
        return data.visit(kDecisions, {time_value(since)}, decided);
    };
    TRY(parts_.store.snapshot(body));
    if (!waits.empty()) {
        std::ranges::sort(waits);
        figures.median_wait = quantile(waits, 0.5);
        figures.p95_wait = quantile(waits, 0.95);
    }
    Counting(figures).count(decisions);
    return figures;
}

}  // namespace colophon::review
