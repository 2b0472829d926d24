// SPDX-License-Identifier: Apache-2.0
#pragma once

// The test banks of a service, and how they and its library stand beside the numbers that TC260-003
// asks for (8.2 to 8.4; GB/T 45654-2025 has the same): so many entries and questions for each risk,
// changed so often. The questions are the service's own; none come with Colophon [DSP-10].

#include "core/clock.h"
#include "core/result.h"
#include "review/library.h"
#include "review/taxonomy.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

enum class Bank : std::uint8_t {
    kQuestions,  // what a model is asked for each risk, to see what it generates
    kRefuse,     // what it has to refuse
    kAnswer,     // what it must not refuse
};
inline constexpr std::size_t kBanks = 3;
std::string_view bank_name(Bank bank) noexcept;  // "questions", "refuse", "answer"

inline constexpr std::size_t kBankQuestionsMax = 200'000;

struct BankQuestion {
    Bank bank = Bank::kQuestions;
    std::string category;  // a risk; in kAnswer any subject
    std::string text;
};

// A table (CSV) with the columns "bank", "category" and "text". kInvalidArgument names the line: an
// unknown bank, no text, a category of the first two banks that is no risk; kLimit.
Result<std::vector<BankQuestion>> read_test_banks(std::string_view table);

struct TestBanks {
    std::vector<BankQuestion> questions;
    std::optional<Time> changed;  // none: there are no banks
};

// What there is and what is asked for at least.
struct Stock {
    std::uint64_t have = 0;
    std::uint64_t wanted = 0;
    bool enough() const noexcept { return have >= wanted; }
};

struct RiskStock {
    const Risk* risk = nullptr;
    Stock entries;    // 200 of A1, 100 of A2
    Stock questions;  // 50 of A1 and A2, 20 of others
    Stock refuse;     // 20 of A1 and A2
};

struct BankStock {
    Bank bank = Bank::kQuestions;
    Stock size;  // 2,000; 500; 500
    // Of its questions, those that the rules in force hold or block on their way in. Of kAnswer at
    // most one in twenty should be refused, by rules and model together.
    std::uint64_t stopped = 0;
};

struct StandardStock {
    Stock entries;                 // 10,000
    std::optional<Time> newest;    // of them
    bool entries_fresh = false;    // within kEntriesFresh
    std::optional<Time> changed;   // the banks
    bool banks_fresh = false;      // within kBanksFresh
    std::vector<RiskStock> risks;  // all of them, in their order
    std::vector<BankStock> banks;
};
inline constexpr std::chrono::days kEntriesFresh{7};
inline constexpr std::chrono::days kBanksFresh{31};

// Only entries count whose category is a risk. Compiles what is in force and runs all questions
// through it: half a second for a library of 100,000.
Result<StandardStock> standard_stock(Library& library, const TestBanks& banks, Time now);

}  // namespace colophon::review
