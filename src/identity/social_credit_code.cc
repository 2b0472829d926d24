// SPDX-License-Identifier: Apache-2.0
#include "identity/social_credit_code.h"

#include "core/credit_code.h"
#include "core/result.h"
#include "identity/internal/folding.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

struct Department {
    char code;
    std::string_view categories;
};

constexpr Department department(char code, std::string_view categories) {
    return {.code = code, .categories = categories};
}

// GB 32100-2015, tables 1 and 2, with the amendments for the army and for rural collectives.
constexpr std::array kDepartments{
    department('1', "1239"),    // establishment of public bodies
    department('2', "19"),      // foreign affairs
    department('3', "123459"),  // justice
    department('4', "19"),      // culture
    department('5', "1239"),    // civil affairs
    department('6', "129"),     // tourism
    department('7', "129"),     // religious affairs
    department('8', "19"),      // trade unions
    department('9', "123"),   // market regulation: companies, self-employed, farmers' cooperatives
    department('A', "19"),    // the army's reform and establishment
    department('N', "1239"),  // agriculture: collectives of groups, villages, towns
    department('Y', "1"),     // others
};

constexpr std::array<unsigned, 8> kOrganisationWeights{3, 7, 9, 10, 5, 8, 4, 2};

// Tens digits of GB/T 2260's provinces with their last ones.
bool is_region(std::string_view two) noexcept {
    constexpr std::array<std::string_view, 10> kLast{"0",     "12345", "123", "1234567", "123456",
                                                     "01234", "12345", "1",   "12",      ""};
    const auto tens = static_cast<std::size_t>(two[0] - '0');
    if (tens == 1 && two[1] == '0') {
        return true;  // 100000: registered at the national level
    }
    return tens != 0 && kLast[tens].find(two[1]) != std::string_view::npos;
}

void judge(SocialCreditCode& code) {
    const auto* found = std::ranges::find(kDepartments, code.code[0], &Department::code);
    if (found == kDepartments.end()) {
        code.warnings.push_back(CreditCodeWarning::kDepartment);
    } else if (found->categories.find(code.code[1]) == std::string_view::npos) {
        code.warnings.push_back(CreditCodeWarning::kCategory);
    }
    if (!is_region(std::string_view(code.code).substr(2, 2))) {
        code.warnings.push_back(CreditCodeWarning::kRegion);
    }
    if (!organisation_code_checks(code.organisation_code)) {
        code.warnings.push_back(CreditCodeWarning::kInnerCheck);
    }
}

}  // namespace

bool organisation_code_checks(std::string_view code) noexcept {
    if (code.size() != kOrganisationWeights.size() + 1) {
        return false;
    }
    unsigned sum = 0;
    for (std::size_t i = 0; i < kOrganisationWeights.size(); ++i) {
        const char c = code[i];
        if (c >= '0' && c <= '9') {
            sum += static_cast<unsigned>(c - '0') * kOrganisationWeights[i];
        } else if (c >= 'A' && c <= 'Z') {
            sum += static_cast<unsigned>(c - 'A' + 10) * kOrganisationWeights[i];
        } else {
            return false;
        }
    }
    const unsigned check = (11 - sum % 11) % 11;
    return code.back() == (check == 10 ? 'X' : static_cast<char>('0' + check));
}

Result<SocialCreditCode> parse_social_credit_code(std::string_view text) {
    auto folded = internal::fold_number(text);
    if (!folded) {
        return Error{ErrorCode::kInvalidArgument,
                     "a unified social credit code has 18 digits and Latin letters, nothing else"};
    }
    TRY(check_credit_code(*folded));
    const std::string_view region = std::string_view(*folded).substr(2, 6);
    if (!std::ranges::all_of(region, [](char c) { return c >= '0' && c <= '9'; })) {
        return Error{
            ErrorCode::kInvalidArgument,
            "characters 3 to 8 of a unified social credit code are the digits of a region"};
    }
    SocialCreditCode code;
    code.code = *std::move(folded);
    code.organisation_code = code.code.substr(8, 9);
    judge(code);
    return code;
}

std::string_view describe_english(CreditCodeWarning warning) noexcept {
    switch (warning) {
        case CreditCodeWarning::kInnerCheck:
            return "the organisation code inside does not satisfy GB 11714; some codes that were "
                   "handed out do not";
        case CreditCodeWarning::kDepartment:
            return "the first character names no registering department of GB 32100";
        case CreditCodeWarning::kCategory:
            return "the second character names no category of that department";
        case CreditCodeWarning::kRegion:
            return "characters 3 to 8 begin with no province";
    }
    return "";
}

std::string_view describe_chinese(CreditCodeWarning warning) noexcept {
    switch (warning) {
        case CreditCodeWarning::kInnerCheck:
            return "主体标识码不符合 GB 11714 校验规则（部分存量代码如此）";
        case CreditCodeWarning::kDepartment:
            return "第 1 位不是 GB 32100 规定的登记管理部门代码";
        case CreditCodeWarning::kCategory:
            return "第 2 位不是该登记管理部门的机构类别代码";
        case CreditCodeWarning::kRegion:
            return "第 3 至 8 位不以省级行政区划代码开头";
    }
    return "";
}

}  // namespace colophon::identity
