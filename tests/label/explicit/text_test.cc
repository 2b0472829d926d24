// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/text.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/splice.h"
#include "support/processor_time.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::string_view kWords = "本内容由AI生成";

std::string apply(std::string_view file, Format format, TextPlace place,
                  std::string_view words = kWords) {
    const auto marked = mark_text(as_bytes(file), format, {std::string(words), place});
    REQUIRE_MESSAGE(marked.ok(), (marked.ok() ? "" : marked.error().what));
    const Buffer out = apply_splice(as_bytes(file), marked->splice);
    CHECK(marked->changed == (as_text(out) != file));
    if (place != TextPlace::kBoth) {
        std::string inserted;
        for (const SplicePiece& piece : marked->splice.pieces()) {
            inserted += as_text(piece.bytes);
        }
        const auto words_alone = label_words(file, format, {std::string(words), place});
        REQUIRE(words_alone.ok());
        CHECK(*words_alone == inserted);
    }
    // Never twice.
    const auto again = mark_text(out, format, {std::string(words), place});
    REQUIRE(again.ok());
    CHECK_FALSE(again->changed);
    CHECK(apply_splice(out, again->splice) == out);
    return std::string(as_text(out));
}

std::string where(std::string_view file, Format format) {
    const auto reading = find_text_mark(as_bytes(file), format);
    REQUIRE(reading.ok());
    return reading->found ? reading->where + ": " + reading->text : "none";
}

// Long enough that its two ends are two windows.
std::string long_text() {
    std::string text;
    for (int i = 0; i < 20; ++i) {
        text += "春眠不觉晓，处处闻啼鸟。\n";
    }
    return text;
}

struct MarkRow {
    std::string_view what;
    std::string before;
    TextPlace place;
    std::string after;
};

void check_rows(Format format, const std::vector<MarkRow>& rows) {
    for (const MarkRow& row : rows) {
        CAPTURE(row.what);
        CHECK(apply(row.before, format, row.place) == row.after);
    }
}

// [GB45438-5.1] a), b), c)
TEST_CASE("plain text gets its label at the start, the end, both, or in the corner") {
    const std::string label(kWords);
    const std::string text = long_text();
    check_rows(
        Format::kPlainText,
        {
            {"start", text, TextPlace::kStart, label + "\n\n" + text},
            {"end", text, TextPlace::kEnd, text + "\n" + label + "\n"},
            {"both", text, TextPlace::kBoth, label + "\n\n" + text + "\n" + label + "\n"},
            {"corner", text, TextPlace::kCorner, "[" + label + "] " + text},
            {"no line break at the end", "一", TextPlace::kEnd, "一\n\n" + label + "\n"},
            {"a blank line at the end", "一\n\n", TextPlace::kEnd, "一\n\n" + label + "\n"},
            {"CRLF", "一\r\n二\r\n", TextPlace::kBoth,
             label + "\r\n\r\n一\r\n二\r\n\r\n" + label + "\r\n"},
            {"byte order mark", "\xEF\xBB\xBF一\n", TextPlace::kStart,
             "\xEF\xBB\xBF" + label + "\n\n一\n"},
            {"empty", "", TextPlace::kBoth, label + "\n"},
            {"there already", label + "\n\n" + text, TextPlace::kStart, label + "\n\n" + text},
            {"one of two there", label + "\n\n" + text, TextPlace::kBoth,
             label + "\n\n" + text + "\n" + label + "\n"},
            {"another wording there", "由人工智能合成\n" + text, TextPlace::kStart,
             "由人工智能合成\n" + text},
        });
}

TEST_CASE("the corner mark may be AI alone") {
    CHECK(apply("一二三\n", Format::kPlainText, TextPlace::kCorner, "AI") == "[AI] 一二三\n");
    CHECK(apply("# 一\n", Format::kMarkdown, TextPlace::kCorner, "AI") == "[AI]\n\n# 一\n");
    CHECK(where("[AI] 一二三", Format::kPlainText) == "corner: AI");
    CHECK(where("ᴬᴵ 一二三", Format::kPlainText) == "corner: AI");
    CHECK(where("<body><p>AI</p><p>一</p>", Format::kHtml) == "corner: AI");
    CHECK(where("AI 一二三", Format::kPlainText) == "none");
    CHECK_FALSE(mark_text(as_bytes("x"), Format::kPlainText, {"AI", TextPlace::kStart}).ok());
    CHECK_FALSE(label_words("x", Format::kPlainText, {"AI", TextPlace::kStart}).ok());
    CHECK_FALSE(label_words("x", Format::kPng, {std::string(kWords), TextPlace::kStart}).ok());
    CHECK_FALSE(label_words("x", Format::kPlainText, {std::string(kWords), TextPlace::kBoth}).ok());
}

// Unicode Standard Annex 9: an isolate takes no part in the direction of the line around it.
TEST_CASE("in texts from right to left, and in Mongolian, the label is isolated") {
    const std::string isolated = "\u2068" + std::string(kWords) + "\u2069";
    for (const std::string_view text :
         {"مرحبا بالعالم\n", "שלום עולם\n", "12 שלום\n", "ᠮᠣᠩᠭᠣᠯ\n"}) {
        CAPTURE(text);
        CHECK(apply(text, Format::kPlainText, TextPlace::kStart) ==
              isolated + "\n\n" + std::string(text));
        CHECK(apply(text, Format::kPlainText, TextPlace::kCorner, "AI") ==
              "\u2068[AI]\u2069 " + std::string(text));
        CHECK(apply(text, Format::kMarkdown, TextPlace::kEnd) ==
              std::string(text) + "\n> " + isolated + "\n");
    }
    CHECK(apply("Hello שלום\n", Format::kPlainText, TextPlace::kStart).starts_with(kWords));
}

TEST_CASE("Markdown gets a quotation behind its front matter, and nothing around it changes") {
    const std::string quote = "> " + std::string(kWords);
    const std::string matter = "---\ntitle: x\n---\n";
    check_rows(
        Format::kMarkdown,
        {
            {"heading", "# 一\n\n二\n", TextPlace::kStart, quote + "\n\n# 一\n\n二\n"},
            {"front matter", matter + "# 一\n", TextPlace::kStart,
             matter + "\n" + quote + "\n\n# 一\n"},
            {"front matter alone", "---\na: 1\n---", TextPlace::kStart,
             "---\na: 1\n---\n\n" + quote + "\n\n"},
            {"TOML", "+++\na = 1\n+++\n一\n", TextPlace::kStart,
             "+++\na = 1\n+++\n\n" + quote + "\n\n一\n"},
            {"a rule is no front matter", "---\n一\n", TextPlace::kStart, quote + "\n\n---\n一\n"},
            {"open fence", "一\n```c\nint x;\n", TextPlace::kEnd,
             "一\n```c\nint x;\n```\n\n" + quote + "\n"},
            {"closed fence", "```\nx\n```\n", TextPlace::kEnd, "```\nx\n```\n\n" + quote + "\n"},
            {"longer fence", "~~~~\n~~~\n", TextPlace::kEnd, "~~~~\n~~~\n~~~~\n\n" + quote + "\n"},
            {"code within a line", "``` a ``` b\n", TextPlace::kEnd,
             "``` a ``` b\n\n" + quote + "\n"},
            {"open comment", "<!-- x\n", TextPlace::kEnd, "<!-- x\n-->\n\n" + quote + "\n"},
            {"definition at the end", "[一][1]\n\n[1]: http://e.org", TextPlace::kEnd,
             "[一][1]\n\n[1]: http://e.org\n\n" + quote + "\n"},
            {"both, CRLF", "# 一\r\n", TextPlace::kBoth,
             quote + "\r\n\r\n# 一\r\n\r\n" + quote + "\r\n"},
        });
    CHECK(apply("x\n", Format::kMarkdown, TextPlace::kStart, "AI_生成*#1") ==
          "> AI\\_生成\\*\\#1\n\nx\n");
}

constexpr std::string_view kStyleStart = "<p class=\"aigc-label\" role=\"note\" lang=\"zh-Hans\"";

TEST_CASE("HTML gets a paragraph inside its body") {
    struct Row {
        std::string_view before;
        std::string_view start;  // what stands before the label at the start
        std::string_view end;    // what stands behind the label at the end
    };
    constexpr Row kRows[] = {
        {"<!DOCTYPE html><html><head><title>t</title></head><body "
         "class=x><h1>一</h1></body></html>",
         "<!DOCTYPE html><html><head><title>t</title></head><body class=x>", "</body></html>"},
        {"<p>一</p>", "", ""},
        {"<!DOCTYPE html><meta charset=utf-8><title>t</title>\n<p>一", "", ""},
        {"<!-- </body> --><body><script>'</body>'</script>一</body>", "<!-- </body> --><body>",
         "</body>"},
        {"<BODY dir=rtl>مرحبا</BODY>\n</HTML>\n", "<BODY dir=rtl>", "</BODY>\n</HTML>\n"},
        {"一</html>", "", "</html>"},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.before);
        const std::string out = apply(row.before, Format::kHtml, TextPlace::kStart);
        if (!row.start.empty()) {
            CHECK(out.starts_with(std::string(row.start) + std::string(kStyleStart)));
        }
        const std::string tail = apply(row.before, Format::kHtml, TextPlace::kEnd);
        CHECK(tail.ends_with(std::string(kWords) + "</p>\n" + std::string(row.end)));
        CHECK(where(out, Format::kHtml).find(kWords) != std::string::npos);
    }
    const std::string titled = apply("<!DOCTYPE html><meta charset=utf-8><title>t</title>\n<p>一",
                                     Format::kHtml, TextPlace::kStart);
    CHECK(titled.find("</title>\n<p class=\"aigc-label\"") != std::string::npos);
}

TEST_CASE("on an ASCII page without a declared encoding the label is ASCII") {
    const std::string out = apply("<body><p>x</p></body>", Format::kHtml, TextPlace::kStart);
    CHECK(out.find("AI&#") != std::string::npos);
    CHECK(where(out, Format::kHtml) == "start and end: " + std::string(kWords));
    CHECK(
        apply("<meta charset=UTF-8><body></body>", Format::kHtml, TextPlace::kStart).find(kWords) !=
        std::string::npos);
    CHECK(apply("<body>x</body>", Format::kHtml, TextPlace::kStart, "AI-generated <&>")
              .find("lang=\"en\"") != std::string::npos);
}

TEST_CASE("pages that would swallow the label are refused") {
    const TextMark mark{std::string(kWords), TextPlace::kEnd};
    for (const std::string_view page :
         {"<!-- </body>", "<title>x", "<p>x</p><script>var a;", "<p>x</p><!-- never closed",
          "<p>x</p><style>", "<p>x</p><b", "<p>x</p><b title='>", "<p>x</p></b title=\">"}) {
        CAPTURE(page);
        const auto marked = mark_text(as_bytes(page), Format::kHtml, mark);
        REQUIRE_FALSE(marked.ok());
        CHECK(marked.error().code == ErrorCode::kCorrupt);
    }
    const auto frames =
        mark_text(as_bytes("<html><frameset><frame></frameset></html>"), Format::kHtml, mark);
    REQUIRE_FALSE(frames.ok());
    CHECK(frames.error().code == ErrorCode::kUnsupported);
}

TEST_CASE("a hidden label counts for nothing") {
    for (const std::string_view page :
         {"<body><p style='display: none'>AI生成</p><p>一</p>",
          "<body><p hidden>AI生成</p><p>一</p>", "<head><title>AI生成</title></head><body>一",
          "<body><!-- AI生成 -->一", "<body><script>AI生成</script>一",
          "<body><div hidden><div>x</div>AI生成</div>一"}) {
        CAPTURE(page);
        CHECK(where(page, Format::kHtml) == "none");
    }
    CHECK(where("<body><p hidden>x</p>由<b>AI</b>生成", Format::kHtml) ==
          "start and end: 由AI生成");
    const std::string buried = "<body><div hidden>never closed";
    const auto marked =
        mark_text(as_bytes(buried), Format::kHtml, {std::string(kWords), TextPlace::kEnd});
    REQUIRE(marked.ok());
    REQUIRE(marked->reading.findings.size() == 1);
    CHECK(marked->reading.findings[0].code == "explicit.not_visible");
    apply(buried, Format::kHtml, TextPlace::kEnd);
}

// [GB45438-5.1]
TEST_CASE("labels are found at either end, by whomever they were written") {
    const std::string text = long_text();
    struct Row {
        std::string text;
        std::string_view where;
        Format format = Format::kPlainText;
    };
    const Row rows[] = {
        {"以下内容由人工智能生成\n" + text, "start: 以下内容由人工智能生成"},
        {text + "（本文由 AI 辅助生成）", "end: （本文由 AI 辅助生成）"},
        {"AI生成\n" + text + "AI合成", "start and end: AI生成"},
        {"AI-generated\n" + text, "start: AI-generated"},
        {"This text was generated by AI.\n" + text, "start: This text was generated by AI."},
        {text, "none"},
        {"", "none"},
        {text + "AI生成\n" + text, "none"},
        {"生成式人工智能服务管理暂行办法\n" + text, "none"},
        {"Email generated daily, she said\n" + text, "none"},
        {"> **本内容由AI生成**\n\n# x\n" + text, "start: 本内容由AI生成", Format::kMarkdown},
        {"---\nt: AI生成\n---\n" + text, "none", Format::kMarkdown},
        {"[AI](http://x)[生成](y)\n" + text, "start: [AI][生成]", Format::kMarkdown},
        {"<style>p{}</style><p>AI&#29983;成</p>" + text, "start: AI生成", Format::kHtml},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(where(row.text, row.format) == row.where);
    }
}

std::string utf16(std::string_view ascii_and_cjk, bool little) {
    std::string out = little ? "\xFF\xFE" : "\xFE\xFF";
    for (const char16_t unit : std::u16string(u"一😀二\r\n")) {
        const char low = static_cast<char>(unit & 0xFF);
        const char high = static_cast<char>(unit >> 8);
        out += little ? low : high;
        out += little ? high : low;
    }
    return out + std::string(ascii_and_cjk);
}

TEST_CASE("UTF-16 stays UTF-16") {
    for (const bool little : {true, false}) {
        const std::string text = utf16("", little);
        const std::string out = apply(text, Format::kPlainText, TextPlace::kBoth);
        // The mark, two labels of 8 characters, three line breaks more than before, the text.
        CHECK(out.size() == text.size() + 2 * (2 * 8 + 2 * 2 + 2 * 2));
        CHECK(out.starts_with(text.substr(0, 2)));
        CHECK(out.find(text.substr(2)) != std::string::npos);
        CHECK(where(out, Format::kPlainText) == "start and end: " + std::string(kWords));
    }
}

TEST_CASE("bytes that are no text are refused with their place") {
    struct Row {
        std::string bytes;
        std::string_view reason;
    };
    const Row rows[] = {
        {"abc\xFF", "at byte 3; if it is GB 18030, convert it first"},
        {"\xC9\xFA\xB3\xC9", "at byte 0"},
        {"\xEF\xBB\xBF"
         "a\xC0\x80",
         "at byte 4"},
        {std::string("\xFF\xFE"
                     "a",
                     3),
         "half a character at byte 2"},
        {std::string("\xFF\xFE\x00\xD8", 4), "surrogate pair at byte 2"},
    };
    for (const Row& row : rows) {
        const auto marked = mark_text(as_bytes(row.bytes), Format::kPlainText,
                                      {std::string(kWords), TextPlace::kStart});
        REQUIRE_FALSE(marked.ok());
        CHECK(marked.error().code == ErrorCode::kCorrupt);
        CHECK_MESSAGE(marked.error().what.find(row.reason) != std::string::npos,
                      marked.error().what);
    }
    const Buffer big(limits::kTextFileBytesMax + 1, 'x');
    CHECK(find_text_mark(big, Format::kPlainText).error().code == ErrorCode::kLimit);
}

TEST_CASE("hostile texts of many megabytes take less than a second each" *
          doctest::test_suite("slow")) {
    constexpr std::size_t kBytes = 8U << 20U;
    const auto repeat = [](std::string_view part) {
        std::string out;
        while (out.size() < kBytes) {
            out += part;
        }
        return out;
    };
    const std::string texts[] = {
        repeat("x"),    repeat("\n"),   repeat("<p>"),   repeat("<"),    repeat("AI "),
        repeat("[](("), repeat("`"),    repeat("```\n"), repeat("<!--"), repeat("<b hidden>"),
        repeat("&#1;"), repeat("一。"), repeat("---\n")};
    for (const std::string& text : texts) {
        for (const Format format : {Format::kPlainText, Format::kMarkdown, Format::kHtml}) {
            CAPTURE(text.substr(0, 12));
            CAPTURE(static_cast<int>(format));
            const test::ProcessorTime time;
            (void)mark_text(as_bytes(text), format, {std::string(kWords), TextPlace::kBoth});
            const auto took = time.spent();
            CHECK(took < std::chrono::seconds(1));
        }
    }
}

// [GB45438-5.1] White space and what nobody sees is not counted.
TEST_CASE("a label counts when it ends within the first or begins within the last 64 characters") {
    const std::string label = "AI生成";  // which is none when a character is missing
    constexpr std::size_t kChars = 4;
    for (const std::string_view letter : {"x", "字", "é"}) {
        for (const std::string_view gap : {"", " ", "   ", "\t ", "\u200B", " \u3000 "}) {
            for (const std::size_t before : {0U, 1U, 31U, 59U, 60U, 61U, 64U, 200U}) {
                std::string others;
                for (std::size_t i = 0; i < before; ++i) {
                    others += letter;
                    others += gap;
                }
                const std::string far(300, 'z');
                const bool seen = before + kChars <= 64;
                CAPTURE(letter);
                CAPTURE(gap);
                CAPTURE(before);
                for (const Format format : {Format::kPlainText, Format::kMarkdown}) {
                    CHECK(where(others + "\n" + label + "\n" + far, format) ==
                          (seen ? "start: " + label : "none"));
                    CHECK(where(far + "\n" + label + "\n" + others, format) ==
                          (seen ? "end: " + label : "none"));
                }
            }
        }
    }
}

}  // namespace
}  // namespace colophon::label
