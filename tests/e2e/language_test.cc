// SPDX-License-Identifier: Apache-2.0
// What a person who reads Chinese meets: reports, errors, findings and help, none of it English;
// and what a program meets, which is the same in every language.

#include "core/bytes.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

struct Home {
    test::TempDir dir;

    test::ToolRun run(const std::string& language,
                      const std::vector<std::string>& arguments) const {
        std::vector<std::string> command{"env", "-i", "PATH=/usr/bin:/bin", language,
                                         "HOME=" + dir.file("home")};
        command.emplace_back(COLOPHON_PROGRAM);
        command.insert(command.end(), arguments.begin(), arguments.end());
        return test::run_tool(command);
    }
    test::ToolRun chinese(const std::vector<std::string>& arguments) const {
        return run("LANG=zh_CN.UTF-8", arguments);
    }
};

void check_says(const std::string& text, std::string_view words) {
    CHECK_MESSAGE(text.find(words) != std::string::npos, text, "\nlacks ", words);
}

TEST_CASE("errors are Chinese when the locale or the setting is, to the last word") {
    const Home home;
    const std::string broken = home.dir.file("broken.png");
    test::write_file(broken, as_bytes("\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIHDR"));
    const std::string missing = home.dir.file("missing.png");
    check_says(home.chinese({"verify", broken}).err,
               "colophon: " + broken + ": PNG 块长 4294967295（字节偏移 8）\n");
    check_says(home.chinese({"verify", missing}).err,
               "colophon: " + missing + ": 无法打开 " + missing + "：没有该文件或文件夹\n");
    for (const std::string language : {"COLOPHON_LANG=zh", "LC_ALL=zh_TW.UTF-8", "LANG=zh_CN"}) {
        check_says(home.run(language, {"verify", "--trust", broken, broken}).err,
                   "没有 SM2 或 RSA（最长 8192 位）的 PEM 公钥或证书\n");
    }
    check_says(home.run("LANG=de_DE.UTF-8", {"verify", broken}).err, "a PNG chunk of length");
    std::filesystem::create_directories(home.dir.file("home/.config/colophon"));
    test::write_file(home.dir.file("home/.config/colophon/colophon.toml"),
                     as_bytes("[label]\ncolour = 1\n"));
    check_says(home.chinese({"verify", broken}).err,
               "colophon.toml，第 2 行：[label] 中没有“colour”这个键\n");
}

TEST_CASE("findings are Chinese in a report") {
    const Home home;
    const std::string page = home.dir.file("page.md");
    test::write_file(page, as_bytes("---\nAIGC:\n  Label: \"7\"\n---\nhello\n"));
    const std::string report = home.chinese({"verify", page}).out;
    check_says(report, "metadata.missing_field：缺少字段 ProduceID\n");
    check_says(report, "metadata.label_value：Label 为“7”；标准只规定“1”“2”“3”\n");
}

TEST_CASE("a file's own words inside a message are not translated and cannot pass for another") {
    const Home home;
    const std::string page = home.dir.file("not a number");
    test::write_file(page, as_bytes("\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIHDR"));
    check_says(home.chinese({"verify", page}).err, page + ": PNG 块长");
    check_says(home.chinese({"verify", page + "/the file ends early"}).err,
               "无法打开 " + page + "/the file ends early：不是文件夹");
}

TEST_CASE("wrong usage is told in Chinese") {
    const Home home;
    struct Case {
        std::vector<std::string> arguments;
        std::string_view says;
    };
    const std::vector<Case> cases{
        {{}, "colophon: 缺少子命令\n"},
        {{"label"}, "colophon: 缺少 IN\n"},
        {{"label", "x"}, "colophon: 缺少 --output\n"},
        {{"label", "x", "-o"}, "colophon: --output 之后缺少 1 个取值（文本）\n"},
        {{"label", "x", "-o", "y", "-j", "0"}, "--jobs：值 0 不在 1 至 256 的范围内\n"},
        {{"label", "x", "-o", "y", "--text", "a", "--text", "b"},
         "--text 最多给出 1 次，实际给出 2 次\n"},
        {{"verify", "x", "--bogus"}, "无法识别的参数：--bogus\n"},
        {{"label", "x", "-o", "y", "--producer-name", "a", "--profile", "mars"},
         "“mars”不是有效的适用法域；可用的有 cn、eu、us-ca、all\n"},
    };
    for (const Case& each : cases) {
        const test::ToolRun run = home.chinese(each.arguments);
        CHECK(run.exit_code == 64);
        check_says(run.err, each.says);
    }
}

TEST_CASE("help is Chinese but for names, in straight columns") {
    const Home home;
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"--help"}, {"label", "--help"}, {"verify", "--help"}, {"version", "--help"}}) {
        const std::string help = home.chinese(arguments).out;
        check_says(help, "用法: colophon");
        check_says(help, "选项:\n  -h,--help                   显示帮助\n");
        for (const std::string_view english : {"Usage", "Options", "Positionals", "Subcommands",
                                               "REQUIRED", "TEXT", "UINT", " the ", " of "}) {
            CHECK_MESSAGE(help.find(english) == std::string::npos, english, " in\n", help);
        }
    }
    check_says(home.chinese({"label", "--help"}).out,
               "  --profile 文本              适用法域：cn、eu、us-ca、all\n");
    check_says(home.run("LANG=C", {"label", "--help"}).out,
               "  --profile TEXT              cn, eu, us-ca or all\n");
}

TEST_CASE("JSON is the same in every language") {
    const Home home;
    const std::string page = home.dir.file("page.md");
    test::write_file(page, as_bytes("---\nAIGC:\n  Label: \"7\"\n---\nhello\n"));
    const std::string broken = home.dir.file("broken.png");
    test::write_file(broken, as_bytes("\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIHDR"));
    const std::vector<std::string> arguments{"verify", "--json", page, broken};
    const std::string english = home.run("LANG=C", arguments).out;
    check_says(english, "the field ProduceID is missing");
    CHECK(home.chinese(arguments).out == english);
}

}  // namespace
}  // namespace colophon
