// SPDX-License-Identifier: Apache-2.0
#include "messages/messages.h"

#include "core/bytes.h"
#include "core/catalogue.h"
#include "core/random.h"
#include "core/result.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::messages {
namespace {

struct Row {
    std::vector<std::string> pieces;  // of the English pattern
    std::string chinese;
};

// Reads a pattern again, by a way of its own: what stands between the places.
std::vector<std::string> pieces_of(std::string_view pattern) {
    std::vector<std::string> pieces(1);
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::string_view two = pattern.substr(i, 2);
        if (two == "{}") {
            pieces.emplace_back();
        } else {
            pieces.back() += pattern[i];
        }
        i += two == "{}" || two == "{{" || two == "}}" ? 1U : 0U;
    }
    return pieces;
}

std::vector<Row> rows() {
    const Buffer bytes = test::read_file(std::string(COLOPHON_SOURCE_DIR) + "/src/messages/zh.tsv");
    std::istringstream in{std::string(as_text(bytes))};
    std::vector<Row> out;
    for (std::string line; std::getline(in, line);) {
        std::istringstream cells(line);
        std::string pattern;
        std::string chinese;
        std::getline(cells, pattern, '\t');
        std::getline(cells, chinese, '\t');
        if (chinese != "=") {
            out.push_back({pieces_of(pattern), chinese});
        }
    }
    return out;
}

bool is_number_place(const Row& row, std::size_t place) {
    return row.chinese.find("{" + std::to_string(place + 1) + ":n}") != std::string::npos;
}

std::string filled(const Row& row, const std::vector<std::string>& places) {
    std::string text = row.pieces.front();
    for (std::size_t i = 0; i < places.size(); ++i) {
        text += places[i] + row.pieces[i + 1];
    }
    return text;
}

TEST_CASE("the table that the program bears is the one in the sources") {
    CHECK(rows().size() > 700);
    CHECK(chinese().size() == rows().size());
}

TEST_CASE("every row is found again by its message, with all that stands in its places") {
    for (const Row& row : rows()) {
        std::vector<std::string> places;
        std::string expected = row.chinese;
        for (std::size_t i = 0; i + 1 < row.pieces.size(); ++i) {
            places.push_back(std::to_string(7000 + i));
            for (const std::string kind : {"", ":m", ":n"}) {
                const std::string mark = "{" + std::to_string(i + 1) + kind + "}";
                if (const std::size_t at = expected.find(mark); at != std::string::npos) {
                    expected.replace(at, mark.size(), places.back());
                }
            }
        }
        for (const std::string_view brace : {"{{", "}}"}) {
            if (const std::size_t at = expected.find(brace); at != std::string::npos) {
                expected.erase(at, 1);
            }
        }
        const std::string message = filled(row, places);
        CAPTURE(message);
        // A row of letters elsewhere, such as "{}: {}", says nothing by itself.
        CHECK((in_chinese(message) == expected || row.pieces == pieces_of("{}: {}")));
    }
}

TEST_CASE("hostile texts in the places of every row are kept, whatever row they make fit") {
    constexpr std::uint64_t kSeed = 20261126;
    CAPTURE(kSeed);
    SeededRandom random(kSeed);
    const std::vector<Row> all = rows();
    const auto below = [&](std::size_t limit) -> std::size_t {
        return random.next().value() % limit;
    };
    // Pieces of other rows, braces, signs of the Chinese rows.
    const auto hostile = [&] {
        std::string text;
        const std::size_t parts = below(4);
        for (std::size_t i = 0; i <= parts; ++i) {
            const Row& other = all[below(all.size())];
            text += other.pieces[below(other.pieces.size())];
            text += std::array{"", "{1}", "{", "：", "\"", " 7 ", "\xFF", "{2:m}"}[below(8)];
        }
        return text;
    };
    const auto begin = std::chrono::steady_clock::now();
    std::size_t translated = 0;
    for (const Row& row : all) {
        std::vector<std::string> places;
        for (std::size_t i = 0; i + 1 < row.pieces.size(); ++i) {
            // The words in the middle of the place come out again unless they are a message.
            places.push_back(is_number_place(row, i) ? "42" : hostile() + "Xq9" + hostile());
        }
        const std::string message = filled(row, places);
        CAPTURE(message);
        const std::string seen = in_chinese(message);
        std::size_t marks = 0;
        for (std::size_t at = seen.find("Xq9"); at != std::string::npos;
             at = seen.find("Xq9", at + 1)) {
            ++marks;
        }
        std::size_t expected = 0;
        for (const std::string& place : places) {
            expected += place == "42" ? 0U : 1U;
        }
        CHECK(marks == expected);
        translated += seen != message ? 1U : 0U;
    }
    CHECK(translated >= all.size() * 95 / 100);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
}

TEST_CASE("messages as the program makes them are Chinese to the last word") {
    struct Case {
        std::string_view english;
        std::string_view chinese;
    };
    constexpr std::array kCases{
        Case{"truncated: length of a PNG chunk needs 4 bytes, 2 are left at byte 33",
             "数据不完整：PNG 块的长度需要 4 字节，仅剩 2 字节（字节偏移 33）"},
        Case{"keys/a.pem: no private key in PEM form without a passphrase; make one with: openssl "
             "genpkey -algorithm SM2",
             "keys/a.pem：没有不带口令的 PEM 私钥；可这样生成：openssl genpkey -algorithm SM2"},
        Case{"cannot open a.png: No such file or directory", "无法打开 a.png：没有该文件或文件夹"},
        Case{"foo is no place in a picture; known are bottom-right, bottom-left, top-right, "
             "top-left, bottom, top, left and right",
             "“foo”不是有效的图片中的位置；可用的有 "
             "bottom-right、bottom-left、top-right、top-left、bottom、top、left、right"},
        Case{"the worker died on this file (signal 11 (Segmentation fault))",
             "工作进程在处理该文件时终止（信号 11（段错误））"},
        Case{"colophon.toml, line 3: [label] has no key \"colour\"",
             "colophon.toml，第 3 行：[label] 中没有“colour”这个键"},
        Case{"ProduceID: is empty; give the provider's number of this content",
             "ProduceID：为空；请给出服务提供者对该内容的编号"},
        Case{"PNG chunk at byte 33: a compressed text is not a whole zlib stream",
             "字节偏移 33 处的 PNG 块：压缩文本不是完整的 zlib 流"},
        Case{"cannot open the sound: Invalid data found when processing input",
             "无法打开音频：输入数据无效"},
    };
    for (const Case& each : kCases) {
        CHECK(in_chinese(each.english) == each.chinese);
    }
}

}  // namespace
}  // namespace colophon::messages
