// SPDX-License-Identifier: Apache-2.0
#include "identity/resident_id.h"

#include "core/result.h"
#include "identity/internal/folding.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

constexpr std::size_t kChars = 18;
constexpr std::size_t kOldChars = 15;
constexpr int kYearsAgoMax = 130;

// ISO 7064 MOD 11-2: the weight of a place is 2^(places behind it) mod 11, and all 18 together are
// 1 modulo 11. Neighbouring weights differ by a factor of 2, so that one wrong character and one
// exchange of neighbours always show.
constexpr std::array<unsigned, kChars - 1> kWeights{7, 9, 10, 5,  8, 4, 2, 1, 6,
                                                    3, 7, 9,  10, 5, 8, 4, 2};
constexpr std::string_view kCheckCharacters = "10X98765432";  // by the sum modulo 11

// GB/T 2260: the provinces. 71, 81, 82 and 83 are not among the regions of citizens' numbers.
constexpr std::array<std::string_view, 31> kProvinces{
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41",
    "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65"};

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

int number_of(std::string_view digits) noexcept {
    int value = 0;
    for (const char c : digits) {
        value = value * 10 + (c - '0');
    }
    return value;
}

// The character that belongs behind 17 digits.
char check_character(std::string_view digits) noexcept {
    unsigned sum = 0;
    for (std::size_t i = 0; i < kWeights.size(); ++i) {
        sum += static_cast<unsigned>(digits[i] - '0') * kWeights[i];
    }
    return kCheckCharacters[sum % 11];
}

bool is_province(std::string_view two) noexcept {
    return std::ranges::find(kProvinces, two) != kProvinces.end();
}

std::optional<ResidentIdSeries> series_of(std::string_view number) noexcept {
    const std::string_view region = number.substr(0, 6);
    if (region == "810000") {
        return ResidentIdSeries::kHongKongPermit;
    }
    if (region == "820000") {
        return ResidentIdSeries::kMacaoPermit;
    }
    if (region == "830000") {
        return ResidentIdSeries::kTaiwanPermit;
    }
    // 9, the province that accepted the application, three digits of the country (ISO 3166-1).
    if (region.front() == '9') {
        return is_province(region.substr(1, 2)) && region.substr(3) != "000"
                   ? std::optional(ResidentIdSeries::kForeignResident)
                   : std::nullopt;
    }
    return is_province(region.substr(0, 2)) ? std::optional(ResidentIdSeries::kCitizen)
                                            : std::nullopt;
}

std::chrono::year_month_day date_of(std::string_view eight) noexcept {
    return {std::chrono::year(number_of(eight.substr(0, 4))),
            std::chrono::month(static_cast<unsigned>(number_of(eight.substr(4, 2)))),
            std::chrono::day(static_cast<unsigned>(number_of(eight.substr(6, 2))))};
}

ResidentIdVerdict judge_form(std::string_view number) noexcept {
    if (number.empty()) {
        return ResidentIdVerdict::kEmpty;
    }
    if (number.size() == kOldChars && std::ranges::all_of(number, is_digit)) {
        return ResidentIdVerdict::kFifteenDigits;
    }
    const bool ascii =
        std::ranges::all_of(number, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii) {
        return ResidentIdVerdict::kCharacter;
    }
    if (number.size() != kChars) {
        return ResidentIdVerdict::kLength;
    }
    const bool digits = std::ranges::all_of(number.substr(0, kChars - 1), is_digit);
    return digits && (is_digit(number.back()) || number.back() == 'X')
               ? ResidentIdVerdict::kValid
               : ResidentIdVerdict::kCharacter;
}

ResidentIdVerdict judge_birth(std::chrono::year_month_day birth,
                              std::chrono::year_month_day today) noexcept {
    if (!birth.ok()) {
        return ResidentIdVerdict::kBirthDate;
    }
    if (birth > today) {
        return ResidentIdVerdict::kFutureBirth;
    }
    return birth.year() < today.year() - std::chrono::years(kYearsAgoMax)
               ? ResidentIdVerdict::kBirthDate
               : ResidentIdVerdict::kValid;
}

struct Words {
    ResidentIdVerdict verdict;
    std::string_view english;
    std::string_view chinese;
};

constexpr Words words(ResidentIdVerdict verdict, std::string_view english,
                      std::string_view chinese) {
    return {.verdict = verdict, .english = english, .chinese = chinese};
}

constexpr std::array kWords{
    words(ResidentIdVerdict::kValid, "the number is well formed", "身份证号码格式正确"),
    words(ResidentIdVerdict::kEmpty, "a resident identity number is missing", "缺少身份证号码"),
    words(ResidentIdVerdict::kLength, "a resident identity number has 18 characters",
          "身份证号码应为 18 位"),
    words(ResidentIdVerdict::kCharacter,
          "a resident identity number has 17 digits and then a digit or X",
          "身份证号码应为 17 位数字加 1 位数字或 X"),
    words(ResidentIdVerdict::kFifteenDigits,
          "resident identity numbers of 15 digits are no longer valid; give the one of 18",
          "15 位身份证号码已停止使用，请提供 18 位号码"),
    words(ResidentIdVerdict::kRegion,
          "the first six digits of the resident identity number are no region",
          "身份证号码前六位不是有效的行政区划代码"),
    words(ResidentIdVerdict::kBirthDate,
          "digits 7 to 14 of the resident identity number are no possible day of birth",
          "身份证号码第 7 至 14 位不是有效的出生日期"),
    words(ResidentIdVerdict::kFutureBirth,
          "the day of birth in the resident identity number is in the future",
          "身份证号码中的出生日期晚于今天"),
    words(ResidentIdVerdict::kCheckCharacter,
          "the check character of the resident identity number is wrong, so one of its characters "
          "is; compare it with the card",
          "身份证号码校验位不符，请与证件核对"),
};

const Words& words_of(ResidentIdVerdict verdict) noexcept {
    return *std::ranges::find(kWords, verdict, &Words::verdict);
}

}  // namespace

ResidentIdReading read_resident_id(std::string_view text, std::chrono::year_month_day today) {
    ResidentIdReading reading;
    const auto number = internal::fold_number(text);
    reading.verdict = number ? judge_form(*number) : ResidentIdVerdict::kCharacter;
    if (reading.verdict != ResidentIdVerdict::kValid) {
        return reading;
    }
    const auto series = series_of(*number);
    if (!series) {
        reading.verdict = ResidentIdVerdict::kRegion;
        return reading;
    }
    const auto birth = date_of(std::string_view(*number).substr(6, 8));
    reading.verdict = judge_birth(birth, today);
    if (reading.verdict == ResidentIdVerdict::kValid &&
        check_character(*number) != number->back()) {
        reading.verdict = ResidentIdVerdict::kCheckCharacter;
    }
    if (reading.verdict == ResidentIdVerdict::kValid) {
        const bool odd = (number->at(16) - '0') % 2 == 1;
        reading.id = ResidentId{.number = *number,
                                .birth = birth,
                                .sex = odd ? Sex::kMale : Sex::kFemale,
                                .series = *series};
    }
    return reading;
}

Result<ResidentId> parse_resident_id(std::string_view text, std::chrono::year_month_day today) {
    ResidentIdReading reading = read_resident_id(text, today);
    if (reading.verdict != ResidentIdVerdict::kValid) {
        return Error{ErrorCode::kInvalidArgument, std::string(describe_english(reading.verdict))};
    }
    return std::move(reading.id);
}

std::string_view describe_english(ResidentIdVerdict verdict) noexcept {
    return words_of(verdict).english;
}

std::string_view describe_chinese(ResidentIdVerdict verdict) noexcept {
    return words_of(verdict).chinese;
}

Result<std::string> eighteen_from_fifteen(std::string_view text) {
    const auto number = internal::fold_number(text);
    if (!number || judge_form(*number) != ResidentIdVerdict::kFifteenDigits) {
        return Error{ErrorCode::kInvalidArgument, "this is no number of 15 digits"};
    }
    std::string longer = number->substr(0, 6) + "19" + number->substr(6);
    if (!date_of(std::string_view(longer).substr(6, 8)).ok()) {
        return Error{ErrorCode::kInvalidArgument,
                     "digits 7 to 12 of the number of 15 digits are no day of birth"};
    }
    longer.push_back(check_character(longer));
    return longer;
}

std::string masked_resident_id(std::string_view number) {
    if (number.size() != kChars) {
        return std::string(std::min(number.size(), kChars), '*');
    }
    return std::string(number.substr(0, 6)) + "********" + std::string(number.substr(14));
}

}  // namespace colophon::identity
