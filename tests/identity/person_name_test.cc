// SPDX-License-Identifier: Apache-2.0
#include "identity/person_name.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

struct Row {
    std::string_view text;
    std::string_view kept;  // empty: refused
};

constexpr Row kRows[] = {
    {"张三", "张三"},
    {" 张三 ", "张三"},
    {"张 三", "张三"},
    {"张\xE3\x80\x80三", "张三"},
    {"张\xC2\xA0三", "张三"},
    {"欧阳娜娜", "欧阳娜娜"},
    {"王", "王"},
    {"買買提", "買買提"},
    {"买买提·阿不都拉", "买买提·阿不都拉"},
    {"买买提•阿不都拉", "买买提·阿不都拉"},
    {"买买提․阿不都拉", "买买提·阿不都拉"},
    {"买买提‧阿不都拉", "买买提·阿不都拉"},
    {"买买提・阿不都拉", "买买提·阿不都拉"},
    {"买买提･阿不都拉", "买买提·阿不都拉"},
    {"买买提．阿不都拉", "买买提·阿不都拉"},
    {"买买提.阿不都拉", "买买提·阿不都拉"},
    {"买买提∙阿不都拉", "买买提·阿不都拉"},
    {"买买提 · 阿不都拉", "买买提·阿不都拉"},
    {"\xF0\xA0\xAE\xB7"
     "野家",
     "\xF0\xA0\xAE\xB7"
     "野家"},
    {"张\xF0\xAB\x96\xAF", "张\xF0\xAB\x96\xAF"},
    {"李\xF0\xB0\x80\x80", "李\xF0\xB0\x80\x80"},
    {"王\xEE\xA1\xA3", "王\xEE\xA1\xA3"},
    {"John Smith", "John Smith"},
    {"John   Smith ", "John Smith"},
    {"Ｊｏｈｎ　Ｓｍｉｔｈ", "John Smith"},
    {"John A. Smith", "John A. Smith"},
    {"Zoë O'Brien", "Zoë O'Brien"},
    {"Anne-Marie", "Anne-Marie"},
    {"阿卜杜热合曼·阿卜杜热合曼·阿卜杜热合曼·阿卜杜热合",
     "阿卜杜热合曼·阿卜杜热合曼·阿卜杜热合曼·阿卜杜热合"},
    {"", ""},
    {"   ", ""},
    {"张三1", ""},
    {"张三１", ""},
    {"·张三", ""},
    {"张三·", ""},
    {"张\xE2\x80\x8B三", ""},
    {"张\xE2\x80\xAE三", ""},
    {"\xEF\xBB\xBF张三", ""},
    {"张\n三", ""},
    {"张\x1B[31m三", ""},
    {"张\xC2\xAD三", ""},
    {"张\xEF\xB8\x8F三", ""},
    {"\xD5\xC5\xC8\xFD", ""},  // GBK
    {"张\xE4\xB8", ""},
};

TEST_CASE("names are brought to one form or refused") {
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        const auto name = normalise_person_name(row.text);
        CHECK((name.ok() ? *name : "") == row.kept);
        if (name.ok()) {
            CHECK(normalise_person_name(*name).value() == *name);
        } else if (row.text.size() > 3) {
            CHECK(name.error().what.find(row.text) == std::string::npos);
        }
    }
}

TEST_CASE("a name has its longest length") {
    std::string longest;
    for (int i = 0; i < 60; ++i) {
        longest += "王";
    }
    CHECK(normalise_person_name(longest).ok());
    CHECK_FALSE(normalise_person_name(longest + "王").ok());
    CHECK_FALSE(normalise_person_name(std::string(1'000'000, 'a')).ok());
}

TEST_CASE("a masked name shows one character and not how many follow") {
    CHECK(masked_person_name("张三") == "张**");
    CHECK(masked_person_name("欧阳娜娜") == "欧**");
    CHECK(masked_person_name("\xF0\xA0\xAE\xB7"
                             "野家") == "\xF0\xA0\xAE\xB7**");
    CHECK(masked_person_name("") == "");
}

}  // namespace
}  // namespace colophon::identity
