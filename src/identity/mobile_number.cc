// SPDX-License-Identifier: Apache-2.0
#include "identity/mobile_number.h"

#include "core/result.h"
#include "identity/internal/folding.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

constexpr std::size_t kDigits = 11;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Digits only, with a + in front when there was one. A separator is one blank or hyphen between two
// digits; it is how people group numbers.
std::optional<std::string> without_separators(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_digit(c) || (c == '+' && i == 0)) {
            plain.push_back(c);
        } else if ((c == ' ' || c == '-') && i > 0 && i + 1 < text.size() &&
                   is_digit(text[i - 1]) && is_digit(text[i + 1])) {
            continue;
        } else {
            return std::nullopt;
        }
    }
    return plain;
}

MobileVerdict judge(std::string_view digits) noexcept {
    if (digits.size() == 13 && digits[0] == '1') {
        return MobileVerdict::kThing;
    }
    if (digits.size() != kDigits) {
        return MobileVerdict::kLength;
    }
    return digits[0] == '1' && digits[1] >= '3' ? MobileVerdict::kValid : MobileVerdict::kPrefix;
}

struct Words {
    MobileVerdict verdict;
    std::string_view english;
    std::string_view chinese;
};

constexpr Words words(MobileVerdict verdict, std::string_view english, std::string_view chinese) {
    return {.verdict = verdict, .english = english, .chinese = chinese};
}

constexpr std::array kWords{
    words(MobileVerdict::kValid, "the number is well formed", "手机号码格式正确"),
    words(MobileVerdict::kEmpty, "a mobile number is missing", "缺少手机号码"),
    words(MobileVerdict::kCharacter, "a mobile number has digits only, after an optional +86",
          "手机号码只能包含数字，可带前缀 +86"),
    words(MobileVerdict::kForeign, "only mobile numbers of mainland China (+86) can be verified",
          "仅支持中国大陆（+86）手机号码"),
    words(MobileVerdict::kThing, "a number of 13 digits belongs to a device, not to a person",
          "13 位号码为物联网号码，不能用于个人实名"),
    words(MobileVerdict::kLength, "a mobile number has 11 digits", "手机号码应为 11 位"),
    words(MobileVerdict::kPrefix, "a mobile number begins with 13 to 19",
          "手机号码应以 13 至 19 开头"),
};

const Words& words_of(MobileVerdict verdict) noexcept {
    return *std::ranges::find(kWords, verdict, &Words::verdict);
}

}  // namespace

MobileReading read_mobile_number(std::string_view text) {
    const auto folded = internal::fold_number(text);
    if (!folded) {
        return {.verdict = MobileVerdict::kCharacter, .number = {}};
    }
    if (folded->empty()) {
        return {.verdict = MobileVerdict::kEmpty, .number = {}};
    }
    const auto plain = without_separators(*folded);
    if (!plain) {
        return {.verdict = MobileVerdict::kCharacter, .number = {}};
    }
    std::string_view digits = *plain;
    const bool plus = digits.starts_with('+');
    if (plus || digits.starts_with("00")) {
        digits.remove_prefix(plus ? 1 : 2);
        if (!digits.starts_with("86")) {
            return {.verdict = MobileVerdict::kForeign, .number = {}};
        }
        digits.remove_prefix(2);
    } else if (digits.size() == kDigits + 2 && digits.starts_with("861")) {
        digits.remove_prefix(2);
    }
    const MobileVerdict verdict = judge(digits);
    return {.verdict = verdict,
            .number = verdict == MobileVerdict::kValid ? "+86" + std::string(digits) : ""};
}

Result<std::string> parse_mobile_number(std::string_view text) {
    MobileReading reading = read_mobile_number(text);
    if (reading.verdict != MobileVerdict::kValid) {
        return Error{reading.verdict == MobileVerdict::kForeign ? ErrorCode::kUnsupported
                                                                : ErrorCode::kInvalidArgument,
                     std::string(describe_english(reading.verdict))};
    }
    return std::move(reading.number);
}

std::string_view describe_english(MobileVerdict verdict) noexcept {
    return words_of(verdict).english;
}

std::string_view describe_chinese(MobileVerdict verdict) noexcept {
    return words_of(verdict).chinese;
}

std::string masked_mobile_number(std::string_view e164) {
    if (e164.size() != 3 + kDigits || !e164.starts_with("+86")) {
        return std::string(std::min<std::size_t>(e164.size(), kDigits), '*');
    }
    return std::string(e164.substr(3, 3)) + "****" + std::string(e164.substr(10));
}

}  // namespace colophon::identity
