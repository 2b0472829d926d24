// SPDX-License-Identifier: Apache-2.0
#include "review/test_banks.h"

#include "core/clock.h"
#include "core/result.h"
#include "review/internal/csv.h"
#include "review/library.h"
#include "review/live_library.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/taxonomy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::size_t kColumnsMax = 64;
constexpr std::size_t kTextBytesMax = 64U << 10U;
constexpr std::array kAll{Bank::kQuestions, Bank::kRefuse, Bank::kAnswer};

// [TC260-003 8.2.1 c, 8.3.1, 8.4.1]
constexpr std::uint64_t kEntriesWanted = 10'000;
constexpr std::array<std::uint64_t, kBanks> kBankWanted{2000, 500, 500};

bool is_of_first(const Risk& risk) {
    return risk.code.starts_with("A1");
}
bool is_of_first_two(const Risk& risk) {
    return is_of_first(risk) || risk.code.starts_with("A2");
}

RiskStock wanted_of(const Risk& risk) {
    RiskStock stock;
    stock.risk = &risk;
    stock.entries.wanted = is_of_first(risk) ? 200 : is_of_first_two(risk) ? 100 : 0;
    stock.questions.wanted = is_of_first_two(risk) ? 50 : 20;
    stock.refuse.wanted = is_of_first_two(risk) ? 20 : 0;
    return stock;
}

struct Columns {
    std::size_t bank;
    std::size_t category;
    std::size_t text;
};

Result<std::size_t> column_of(const std::vector<std::string>& names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the table has no column \"{}\"", name)};
    }
    return static_cast<std::size_t>(found - names.begin());
}

Result<BankQuestion> question_of(std::vector<std::string>& row, const Columns& columns) {
    const auto wrong = [](std::string_view what) {
        return Error{ErrorCode::kInvalidArgument, std::string(what)};
    };
    const auto* bank = std::ranges::find(kAll, row[columns.bank], bank_name);
    if (bank == kAll.end()) {
        return wrong("a bank is none of questions, refuse, answer");
    }
    BankQuestion question{.bank = *bank,
                          .category = std::move(row[columns.category]),
                          .text = std::move(row[columns.text])};
    if (question.text.empty()) {
        return wrong("a question has no text");
    }
    if (question.bank != Bank::kAnswer && find_risk(question.category) == nullptr) {
        return wrong("the category of a question is no risk (A1a to A5b)");
    }
    return question;
}

void count_entries(const std::vector<CategoryFigure>& figures, StandardStock& stock) {
    for (const CategoryFigure& figure : figures) {
        const auto risk =
            std::ranges::find(stock.risks, find_risk(figure.category), &RiskStock::risk);
        if (risk == stock.risks.end()) {
            continue;
        }
        risk->entries.have += figure.live;
        stock.entries.have += figure.live;
        stock.newest = std::max(stock.newest.value_or(figure.newest), figure.newest);
    }
}

}  // namespace

std::string_view bank_name(Bank bank) noexcept {
    constexpr std::array<std::string_view, kBanks> kNames{"questions", "refuse", "answer"};
    return kNames[static_cast<std::size_t>(bank)];
}

Result<std::vector<BankQuestion>> read_test_banks(std::string_view table) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    if (table.starts_with(kMark)) {
        table.remove_prefix(kMark.size());
    }
    internal::CsvReader reader(table,
                               {.columns_max = kColumnsMax, .field_bytes_max = kTextBytesMax});
    const auto names = TRY(reader.next());
    if (!names) {
        return Error{ErrorCode::kInvalidArgument, "the list has no row of names"};
    }
    const std::size_t bank = TRY(column_of(*names, "bank"));
    const std::size_t category = TRY(column_of(*names, "category"));
    const std::size_t text = TRY(column_of(*names, "text"));
    std::vector<BankQuestion> questions;
    while (true) {
        auto row = TRY(reader.next());
        if (!row) {
            return questions;
        }
        if (row->size() != names->size()) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("line {}: it has {} fields, the first row {}", reader.line(),
                                     row->size(), names->size())};
        }
        if (questions.size() == kBankQuestionsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("test banks have at most {} questions", kBankQuestionsMax)};
        }
        auto question = question_of(*row, {.bank = bank, .category = category, .text = text});
        if (!question.ok()) {
            return with_context(question.error(), fmt::format("line {}", reader.line()));
        }
        questions.push_back(std::move(*question));
    }
}

Result<StandardStock> standard_stock(Library& library, const TestBanks& banks, Time now) {
    StandardStock stock;
    stock.entries.wanted = kEntriesWanted;
    for (const Risk& risk : risks()) {
        stock.risks.push_back(wanted_of(risk));
    }
    for (const Bank bank : kAll) {
        BankStock of;
        of.bank = bank;
        of.size.wanted = kBankWanted[static_cast<std::size_t>(bank)];
        stock.banks.push_back(of);
    }
    count_entries(TRY(library.figures()), stock);
    std::shared_ptr<const Reviewer> rules;
    if (!banks.questions.empty()) {
        const LiveEntries live = TRY(library.live());
        rules = TRY(make_reviewer({}, live.entries));
        Occasion occasion;
        occasion.stage = Stage::kInput;
        rules = rules->on(occasion);
    }
    for (const BankQuestion& question : banks.questions) {
        BankStock& of = stock.banks[static_cast<std::size_t>(question.bank)];
        ++of.size.have;
        of.stopped += rules->review(question.text).blocked() ? 1U : 0U;
        const auto risk =
            std::ranges::find(stock.risks, find_risk(question.category), &RiskStock::risk);
        if (risk != stock.risks.end() && question.bank != Bank::kAnswer) {
            Stock& counted = question.bank == Bank::kQuestions ? risk->questions : risk->refuse;
            ++counted.have;
        }
    }
    stock.changed = banks.changed;
    stock.entries_fresh = stock.newest && now - *stock.newest <= kEntriesFresh;
    stock.banks_fresh = stock.changed && now - *stock.changed <= kBanksFresh;
    return stock;
}

}  // namespace colophon::review
