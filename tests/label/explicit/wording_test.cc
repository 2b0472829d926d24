// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/wording.h"

#include "core/utf8.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

constexpr Profile kProfiles[] = {Profile::kCn, Profile::kEu, Profile::kUsCa, Profile::kAll};
constexpr Kind kKinds[] = {Kind::kText, Kind::kImage, Kind::kAudio, Kind::kVideo};
constexpr Origin kOrigins[] = {Origin::kGenerated, Origin::kEdited, Origin::kSuspected};

// [GB45438-5.1] [GB45438-5.2] [GB45438-5.3] [GB45438-5.4]
TEST_CASE("every default wording passes its own check and is known to detectors") {
    for (const Kind kind : kKinds) {
        const auto known = known_wordings(kind);
        for (const Profile profile : kProfiles) {
            for (const Language language : {Language::kZh, Language::kEn}) {
                for (const Origin origin : kOrigins) {
                    const std::string text = default_wording(profile, language, kind, origin);
                    CAPTURE(text);
                    CHECK(check_wording(text, profile, WordingForm::kFull).ok());
                    CHECK(std::ranges::find(known, text) != known.end());
                }
            }
        }
        CHECK(std::ranges::is_sorted(known, std::ranges::greater{}, count_code_points));
    }
}

TEST_CASE("a wording that was good is judged anew for another profile or form") {
    const std::string corner = "AI";
    const std::string foreign = "AI-generated";
    for (int round = 0; round < 2; ++round) {
        CHECK(check_wording(corner, Profile::kCn, WordingForm::kCornerMark).ok());
        CHECK_FALSE(check_wording(corner, Profile::kCn, WordingForm::kFull).ok());
        CHECK(check_wording(foreign, Profile::kEu, WordingForm::kFull).ok());
        CHECK(check_wording(foreign, Profile::kEu, WordingForm::kFull).ok());
        CHECK_FALSE(check_wording(foreign, Profile::kCn, WordingForm::kFull).ok());
        CHECK_FALSE(check_wording("AI-generate", Profile::kEu, WordingForm::kFull).ok());
        CHECK_FALSE(check_wording("", Profile::kEu, WordingForm::kFull).ok());
    }
}

TEST_CASE("the wordings of the profiles") {
    CHECK(default_wording(Profile::kCn, Language::kZh, Kind::kImage, Origin::kGenerated) ==
          "AI生成");
    CHECK(default_wording(Profile::kCn, Language::kEn, Kind::kImage, Origin::kEdited) ==
          "AI合成 AI-modified");
    CHECK(default_wording(Profile::kEu, Language::kEn, Kind::kVideo, Origin::kGenerated) ==
          "AI-generated");
    CHECK(default_wording(Profile::kAll, Language::kZh, Kind::kText, Origin::kGenerated) ==
          "本内容由AI生成 This content is AI-generated");
    CHECK(default_wording(Profile::kCn, Language::kZh, Kind::kAudio, Origin::kSuspected) ==
          "以下内容疑似由人工智能生成");
}

TEST_CASE("AI counts only as a word of its own") {
    for (const std::string_view text :
         {"AI", "AI生成", "由AI生成", "ＡＩ生成", "A.I. generated", "made by AI.", "(AI)", "_AI_",
          "人工智能", "AI-generated", "Ａ.Ｉ", "بـAI"}) {
        CAPTURE(text);
        CHECK(has_ai_element(text));
    }
    for (const std::string_view text : {"MAIL", "AIR", "said", "ai生成", "Ai", "AIGC", "XAI", "AI2",
                                        "ÉAI", "ＡＩＲ", "人工", "", "A I", "АI"}) {
        CAPTURE(text);
        CHECK_FALSE(has_ai_element(text));
    }
}

TEST_CASE("foreign words count as the second element only whole") {
    for (const std::string_view text : {"AI-generated", "Synthetic media", "EDITED with AI",
                                        "manipulated", "synthesised", "modified."}) {
        CAPTURE(text);
        CHECK(has_foreign_generation_element(text));
    }
    for (const std::string_view text : {"unedited", "regenerated", "photosynthetic", "editedly"}) {
        CAPTURE(text);
        CHECK_FALSE(has_foreign_generation_element(text));
    }
}

// [GB45438-5.1] b), c)
TEST_CASE("a wording that lacks an element is refused with what would do") {
    struct Row {
        std::string_view text;
        Profile profile;
        WordingForm form;
        std::string_view reason;  // empty: accepted
    };
    const std::string long_text = "AI生成" + std::string(61, 'x');
    const Row rows[] = {
        {"人工智能合成", Profile::kCn, WordingForm::kFull, ""},
        {"AI", Profile::kCn, WordingForm::kCornerMark, ""},
        {"AI", Profile::kCn, WordingForm::kFull, "the generation element"},
        {"AI-generated", Profile::kCn, WordingForm::kFull, "\"AI生成\""},
        {"AI-generated", Profile::kAll, WordingForm::kFull, "\"AI生成\""},
        {"AI-generated", Profile::kEu, WordingForm::kFull, ""},
        {"AI生成", Profile::kEu, WordingForm::kFull, ""},
        {"AI", Profile::kUsCa, WordingForm::kFull, "AI-generated"},
        {"机器生成", Profile::kCn, WordingForm::kFull, "the AI element"},
        {"生成", Profile::kCn, WordingForm::kCornerMark, "the AI element"},
        {"", Profile::kCn, WordingForm::kFull, "the AI element"},
        {"AI\n生成", Profile::kCn, WordingForm::kFull, "one line"},
        {"AI生成\xFF", Profile::kCn, WordingForm::kFull, "not UTF-8"},
        {long_text, Profile::kCn, WordingForm::kFull, "65 characters"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto checked = check_wording(row.text, row.profile, row.form);
        CHECK(checked.ok() == row.reason.empty());
        if (!checked.ok()) {
            CHECK(checked.error().code == ErrorCode::kInvalidArgument);
            CHECK_MESSAGE(checked.error().what.find(row.reason) != std::string::npos,
                          checked.error().what);
        }
    }
}

}  // namespace
TEST_CASE("each control character and line break is refused, and nothing beside them") {
    const auto refused = [](const std::string& between) {
        return !check_wording_form("AI" + between + "生成").ok();
    };
    for (const char* text : {"\n", "\r", "\t", "\x01", "\x1F", "\x7F", "\xC2\x80", "\xC2\x85",
                             "\xC2\x9F", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
        CHECK(refused(text));
    }
    for (const char* text : {" ", "~", "\xC2\xA0", "\xC3\x80", "\xE2\x80\xA7", "\xE2\x80\xAA",
                             "\xE2\x81\xA8", "\xF0\x9F\x98\x80"}) {
        CHECK_FALSE(refused(text));
    }
}

}  // namespace colophon::label
