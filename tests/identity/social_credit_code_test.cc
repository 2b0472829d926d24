// SPDX-License-Identifier: Apache-2.0
#include "identity/social_credit_code.h"

#include "identity/credit_code_rows.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

std::string warnings_of(const SocialCreditCode& code) {
    std::string names;
    for (const CreditCodeWarning warning : code.warnings) {
        names += warning == CreditCodeWarning::kInnerCheck   ? "inner"
                 : warning == CreditCodeWarning::kDepartment ? "department"
                 : warning == CreditCodeWarning::kCategory   ? "category"
                                                             : "region";
        CHECK_FALSE(describe_english(warning).empty());
        CHECK_FALSE(describe_chinese(warning).empty());
    }
    return names;
}

// [DSP-9]
TEST_CASE("social credit codes are accepted, warned of or refused by the table") {
    static_assert(std::size(kCreditCodeRows) > 150);
    for (const CreditCodeRow& row : kCreditCodeRows) {
        CAPTURE(row.text);
        const auto code = parse_social_credit_code(row.text);
        CHECK(code.ok() == row.accepted);
        if (code.ok()) {
            CHECK(warnings_of(*code) == row.warnings);
            CHECK(code->code.size() == 18);
            CHECK(code->organisation_code == code->code.substr(8, 9));
        }
    }
}

TEST_CASE("every wrong character of a code with no warnings is refused") {
    std::size_t tried = 0;
    for (const CreditCodeRow& row : kCreditCodeRows) {
        if (!row.accepted || !row.warnings.empty() || row.text.size() != 18) {
            continue;
        }
        const std::string good = parse_social_credit_code(row.text)->code;
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
                std::string bad = good;
                bad[i] = c;
                if (bad != good) {
                    ++tried;
                    REQUIRE_FALSE(parse_social_credit_code(bad).ok());
                }
            }
        }
    }
    CHECK(tried > 30'000);
}

TEST_CASE("organisation codes check by themselves") {
    CHECK(organisation_code_checks("M000100Y4"));
    CHECK(organisation_code_checks("802100433"));
    CHECK_FALSE(organisation_code_checks("802100434"));
    CHECK_FALSE(organisation_code_checks("80210043"));
    CHECK_FALSE(organisation_code_checks("80210043é"));
    CHECK_FALSE(organisation_code_checks(""));
}

}  // namespace
}  // namespace colophon::identity
