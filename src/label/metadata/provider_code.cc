// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/provider_code.h"

#include "core/credit_code.h"
#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

constexpr std::size_t kProviderCodeSize = 27;

// How far from a code something may be that still resembles one.
constexpr std::size_t kNearSizeMin = kProviderCodeSize - 3;
constexpr std::size_t kNearSizeMax = kProviderCodeSize + 3;
constexpr std::ptrdiff_t kNearDigits = 12;  // a code of an organisation has at least as many

Error invalid(std::string what) {
    return Error{ErrorCode::kInvalidArgument, std::move(what)};
}

bool is_code_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

bool is_letter_or_digit(char c) noexcept {
    return is_code_character(c) || (c >= 'a' && c <= 'z');
}

std::string wrong_size(std::string_view text) {
    if (check_credit_code(text).ok()) {
        return fmt::format(
            "{} is a unified social credit code; the provider code has nine characters more: 0011 "
            "before it, behind it 1 for generation or 2 for propagation and four of your own",
            text);
    }
    return text.size() > kProviderCodeSize
               ? fmt::format("a provider code has 27 characters, this has {}: {} too many",
                             text.size(), text.size() - kProviderCodeSize)
               : fmt::format("a provider code has 27 characters, this has {}: {} too few",
                             text.size(), kProviderCodeSize - text.size());
}

// How a character that does not belong is shown in a message; it may be any byte.
std::string shown(char c) {
    return c > 0x20 && c < 0x7F ? fmt::format("'{}'", c)
                                : fmt::format("byte 0x{:02X}", static_cast<unsigned char>(c));
}

}  // namespace

bool looks_like_provider_code(std::string_view text) noexcept {
    return text.size() == kProviderCodeSize && text.starts_with("00");
}

bool resembles_provider_code(std::string_view text) noexcept {
    if (looks_like_provider_code(text)) {
        return true;
    }
    const bool starts_as_one =
        text.starts_with("0011") && std::ranges::all_of(text, is_letter_or_digit);
    if (starts_as_one && text.size() >= kNearSizeMin && text.size() <= kNearSizeMax) {
        return true;
    }
    if (!std::ranges::all_of(text, is_code_character)) {
        return false;
    }
    const auto digits = std::ranges::count_if(text, [](char c) { return c <= '9'; });
    return check_credit_code(text).ok() ||
           (text.size() >= kNearSizeMin && text.size() <= kNearSizeMax && digits >= kNearDigits);
}

// [TC260-PG-20252A] Fixed places, no separators; the only check is the one inside the credit code.
Result<ProviderCode> parse_provider_code(std::string_view text) {
    if (text.size() != kProviderCodeSize) {
        return invalid(wrong_size(text));
    }
    const auto* foreign = std::ranges::find_if_not(text, is_code_character);
    if (foreign != text.end()) {
        return invalid(fmt::format(
            "{} at position {} cannot stand in a provider code (digits and upper-case letters)",
            shown(*foreign), foreign - text.begin() + 1));
    }
    if (!text.starts_with("00")) {
        return invalid("a provider code starts with the format code 00");
    }
    if (text[2] != '1' || text[3] != '1') {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a provider code of subject type {} and binding {}; only 11, an "
                                 "organisation with a unified social credit code, is described",
                                 text[2], text[3])};
    }
    ProviderCode code;
    code.credit_code = text.substr(4, kCreditCodeChars);
    TRY(check_credit_code(code.credit_code));
    switch (text[22]) {
        case '0':
            code.service = ProviderService::kUnstated;
            break;
        case '1':
            code.service = ProviderService::kGeneration;
            break;
        case '2':
            code.service = ProviderService::kPropagation;
            break;
        default:
            return invalid(
                fmt::format("'{}' at position 23 of a provider code; it is 1 for generation, 2 for "
                            "propagation, 0 when it is left open",
                            text[22]));
    }
    code.model = text.substr(23);
    return code;
}

}  // namespace colophon::label
