// SPDX-License-Identifier: Apache-2.0
#include "label/record.h"

#include "core/ids.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

template <class T, std::size_t N>
using Names = std::array<std::pair<T, std::string_view>, N>;

constexpr Names<Origin, 3> kOrigins{{{Origin::kGenerated, "generated"},
                                     {Origin::kEdited, "edited"},
                                     {Origin::kSuspected, "suspected"}}};
constexpr Names<ServiceClass, 6> kServices{{{ServiceClass::kDialogue, "dialogue"},
                                            {ServiceClass::kVoice, "voice"},
                                            {ServiceClass::kFace, "face"},
                                            {ServiceClass::kScene, "scene"},
                                            {ServiceClass::kContent, "content"},
                                            {ServiceClass::kOther, "other"}}};
constexpr Names<Profile, 4> kProfiles{{{Profile::kCn, "cn"},
                                       {Profile::kEu, "eu"},
                                       {Profile::kUsCa, "us-ca"},
                                       {Profile::kAll, "all"}}};
constexpr Names<Language, 2> kLanguages{{{Language::kZh, "zh"}, {Language::kEn, "en"}}};

template <class T, std::size_t N>
std::string_view name_of(const Names<T, N>& names, T value) noexcept {
    for (const auto& [each, name] : names) {
        if (each == value) {
            return name;
        }
    }
    return "";
}

template <class T, std::size_t N>
std::optional<T> value_of(const Names<T, N>& names, std::string_view text) noexcept {
    for (const auto& [value, name] : names) {
        if (name == text) {
            return value;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string LabelRecord::produce_id() const {
    if (!own_id.empty()) {
        return own_id;
    }
    return content_id ? to_string(*content_id) : std::string();
}

std::string_view origin_name(Origin origin) noexcept {
    return name_of(kOrigins, origin);
}
std::string_view service_name(ServiceClass service) noexcept {
    return name_of(kServices, service);
}
std::string_view profile_name(Profile profile) noexcept {
    return name_of(kProfiles, profile);
}
std::string_view language_name(Language language) noexcept {
    return name_of(kLanguages, language);
}
std::optional<Origin> parse_origin(std::string_view text) noexcept {
    return value_of(kOrigins, text);
}
std::optional<ServiceClass> parse_service(std::string_view text) noexcept {
    return value_of(kServices, text);
}
std::optional<Profile> parse_profile(std::string_view text) noexcept {
    return value_of(kProfiles, text);
}
std::optional<Language> parse_language(std::string_view text) noexcept {
    return value_of(kLanguages, text);
}

}  // namespace colophon::label
