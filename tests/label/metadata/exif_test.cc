// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/exif.h"

#include "core/bytes.h"
#include "label/container/tiff_ifds.h"
#include "label/metadata/container.h"
#include "label/metadata/exif_blocks.h"
#include "label/metadata/internal/label_text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using namespace std::string_literals;

const std::string kWrapped = R"({"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}})";
const std::string kTencent =
    R"({"ServiceProvider":"s","ServiceUser":"u","Time":"t","ContentId":"c"})";
const std::string kByteDance = R"({"aigc_label_type":1,"source_info":"x"})";

Buffer blanked(Buffer exif) {
    const std::vector<ExifPatch> patches = blank_exif_labels(exif).value();
    for (const ExifPatch& patch : patches) {
        std::ranges::copy(patch.bytes, exif.begin() + static_cast<std::ptrdiff_t>(patch.offset));
    }
    return exif;
}

struct Row {
    std::string what;
    ExifTexts texts;
    std::string where;
    std::string value;
    bool stays;  // a disclosure of another schema is no TC260 label and is kept
};

TEST_CASE("labels in EXIF are found in every place and character set seen in the wild") {
    // [GB45438-6.1] Wild variants 4, 5 and 17.
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
        const std::vector<Row> rows{
            {"ASCII", {"", "", "ASCII\0\0\0"s + kWrapped}, "EXIF UserComment", kWrapped, false},
            {"undefined",
             {"", "", "\0\0\0\0\0\0\0\0"s + kWrapped},
             "EXIF UserComment",
             kWrapped,
             false},
            {"no character set", {"", "", kWrapped}, "EXIF UserComment", kWrapped, false},
            {"UNICODE",
             {"", "", "UNICODE\0"s + utf16(kWrapped, order)},
             "EXIF UserComment",
             kWrapped,
             false},
            {"UNICODE in the other order",
             {"", "",
              "UNICODE\0"s +
                  utf16(kWrapped, order == ByteOrder::kBig ? ByteOrder::kLittle : ByteOrder::kBig)},
             "EXIF UserComment",
             kWrapped,
             false},
            {"XPComment",
             {"", utf16(kWrapped, ByteOrder::kLittle), ""},
             "EXIF XPComment",
             kWrapped,
             false},
            {"ImageDescription", {kWrapped, "", ""}, "EXIF ImageDescription", kWrapped, false},
            {"Tencent Cloud", {kTencent, "", ""}, "EXIF ImageDescription", kTencent, true},
            {"ByteDance",
             {"", "", "ASCII\0\0\0"s + kByteDance},
             "EXIF UserComment",
             kByteDance,
             true},
        };
        for (const Row& row : rows) {
            CAPTURE(row.what);
            const Buffer exif = make_exif(row.texts, order);
            const auto sites = find_exif_labels(exif, 100, "x").value();
            REQUIRE(sites.size() == 1);
            CHECK(sites[0].where == "x " + row.where);
            CHECK(sites[0].value == row.value);
            CHECK_FALSE(sites[0].standard_place);
            const Buffer after = blanked(exif);
            CHECK(after.size() == exif.size());
            CHECK((after == exif) == row.stays);
            CHECK(find_exif_labels(after, 0, "x").value().size() == (row.stays ? 1 : 0));
        }
    }
}

TEST_CASE("prose in EXIF is no label, and prose around a label stays") {
    CHECK(find_exif_labels(make_exif({"made with AIGC tools", "", ""}, ByteOrder::kLittle), 0, "x")
              .value()
              .empty());
    const Buffer after =
        blanked(make_exif({"A 5\" lantern " + kWrapped + " at night", "", ""}, ByteOrder::kBig));
    CHECK(as_text(after).find("A 5\" lantern  ") != std::string_view::npos);
    CHECK(as_text(after).find("  at night") != std::string_view::npos);
    CHECK(as_text(after).find("ProduceID") == std::string_view::npos);
    CHECK(as_text(after).find("a camera") != std::string_view::npos);
}

TEST_CASE("EXIF cut at any byte is an error or has no label, and never crashes") {
    const Buffer exif =
        make_exif({kTencent, utf16(kWrapped, ByteOrder::kLittle), kWrapped}, ByteOrder::kLittle);
    for (std::size_t size = 0; size < exif.size(); ++size) {
        const auto sites = find_exif_labels(Bytes(exif).first(size), 0, "x");
        CHECK((!sites.ok() || sites->size() < 3));
        (void)blank_exif_labels(Bytes(exif).first(size)).ok();
    }
    CHECK(find_exif_labels(exif, 0, "x").value().size() == 3);
}

TEST_CASE("a text with a label that lies over another text is refused, not overwritten") {
    const std::string both = kWrapped + " by night";
    Buffer exif = make_exif({both, utf16(kWrapped, ByteOrder::kLittle), ""}, ByteOrder::kLittle);
    CHECK(blank_exif_labels(exif).ok());
    // XPComment, the third entry, now claims the bytes of ImageDescription as well.
    const std::size_t third = 8 + 2 + 2 * 12;
    store_le32(exif, third + 8, load_le32(Bytes(exif).subspan(8 + 2 + 8)));
    CHECK(blank_exif_labels(exif).error().code == ErrorCode::kCorrupt);
}

struct TextRow {
    std::string text;
    std::string left;
    std::vector<std::string> labels;
};

TEST_CASE("labels are found in text, alone, wrapped, as blobs and as members") {
    const std::string bare = R"({"Label":"1","ContentProducer":"{}","ProduceID":"\"}"})";
    const std::vector<TextRow> rows{
        {"AIGC is here", "AIGC is here", {}},
        {bare, "", {bare}},
        {" " + kWrapped + "\n\0"s, "", {kWrapped}},
        {"AIGC" + bare, "", {"AIGC" + bare}},
        {"AIGC: " + bare, "", {"AIGC: " + bare}},
        {"a " + bare + " b " + kWrapped + " c", "a  b  c", {bare, kWrapped}},
        {R"({"AIGC":{"Label":"1"}})", "", {R"({"AIGC":{"Label":"1"}})"}},
        {R"({"label":"cat"})", R"({"label":"cat"})", {}},
        {R"({"seed":1,"AIGC":)" + bare + "}", R"({"seed":1,"AIGC":{}})", {bare}},
        {R"({"labelproduceid":{"x":1}})", "", {R"({"labelproduceid":{"x":1}})"}},
        {R"({"PRODUCEID":"9"})", "", {R"({"PRODUCEID":"9"})"}},
        {kTencent, kTencent, {kTencent}},
        {R"({"Label":"1","ProduceID":"cut)", "", {R"({"Label":"1","ProduceID":"cut)"}},
        {"{ and then " + bare, "{ and then {}", {bare}},
    };
    for (const TextRow& row : rows) {
        CAPTURE(row.text);
        std::vector<std::string> labels;
        for (const internal::TextLabel& label : internal::find_text_labels(row.text)) {
            labels.push_back(row.text.substr(label.offset, label.size));
        }
        CHECK(labels == row.labels);
        CHECK(internal::without_tc260_labels(row.text) == row.left);
        CHECK(internal::without_tc260_labels(row.left) == row.left);
    }
}

}  // namespace
}  // namespace colophon::label
