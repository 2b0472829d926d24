// SPDX-License-Identifier: Apache-2.0
#include "review/test_banks.h"

#include "core/result.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::review {
namespace {

TEST_CASE("[DSP-10] test banks are a table, and each line that is wrong is named") {
    const auto banks = read_test_banks(
        "\xef\xbb\xbf"
        "category,text,bank,note\r\n"
        "A1d,\"what, then?\",questions,x\n"
        "A2e,how,refuse,\n"
        "history,when,answer,\n");
    REQUIRE(banks.ok());
    REQUIRE(banks->size() == 3);
    CHECK((*banks)[0].bank == Bank::kQuestions);
    CHECK((*banks)[0].category == "A1d");
    CHECK((*banks)[0].text == "what, then?");
    CHECK((*banks)[1].bank == Bank::kRefuse);
    CHECK((*banks)[2].bank == Bank::kAnswer);

    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kWrong{{
        {"", "no row of names"},
        {"bank,text\n", "no column \"category\""},
        {"bank,category,text\nquestions,A1d\n", "line 2: it has 2 fields"},
        {"bank,category,text\nall,A1d,x\n", "line 2: a bank is none of"},
        {"bank,category,text\nquestions,A1d,x\nrefuse,A9z,x\n", "line 3: the category"},
        {"bank,category,text\nanswer,x,\n", "line 2: a question has no text"},
        {"bank,category,text\nanswer,x,\"y\n", "a quote is never closed"},
    }};
    for (const auto& [table, what] : kWrong) {
        CAPTURE(table);
        const auto refused = read_test_banks(table);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().what.find(what) != std::string::npos);
    }
}

}  // namespace
}  // namespace colophon::review
