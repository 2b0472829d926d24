// SPDX-License-Identifier: Apache-2.0
// The reference pages say all that there is and nothing else: options, settings, fields, codes.

#include "core/bytes.h"
#include "core/json.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

std::vector<std::string> lines_of(const std::string& path) {
    const Buffer bytes = test::read_file(std::string(COLOPHON_SOURCE_DIR) + "/" + path);
    std::vector<std::string> lines;
    std::istringstream in{std::string(as_text(bytes))};
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

// The `code` parts of the column (from 0) of every table row, below the heading `under` when that
// is not empty.
Names code_in_tables(const std::string& path, std::size_t column, std::string_view under = {}) {
    Names names;
    bool inside = under.empty();
    for (const std::string& line : lines_of(path)) {
        if (!under.empty() && line.starts_with("## ")) {
            inside = line == under;
        }
        if (!inside || !line.starts_with("| ")) {
            continue;
        }
        std::istringstream cells(line.substr(1));
        std::string cell;
        for (std::size_t i = 0; i <= column && std::getline(cells, cell, '|'); ++i) {
        }
        std::size_t open = cell.find('`');
        while (open != std::string::npos) {
            const std::size_t close = cell.find('`', open + 1);
            REQUIRE(close != std::string::npos);
            names.insert(cell.substr(open + 1, close - open - 1));
            open = cell.find('`', close + 1);
        }
    }
    return names;
}

void check_same(const Names& real, const Names& written, std::string_view page) {
    CHECK_FALSE(real.empty());
    for (const std::string& name : real) {
        CHECK_MESSAGE(written.contains(name), name, " is missing in ", page);
    }
    for (const std::string& name : written) {
        CHECK_MESSAGE(real.contains(name), name, " stands in ", page, ", but there is none");
    }
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// Adds the string literals "PART.word" of a line of code.
void add_codes(std::string_view line, Names& codes) {
    constexpr std::array<std::string_view, 9> kParts{"explicit",  "label", "ledger",
                                                     "metadata",  "plan",  "provenance",
                                                     "signature", "video", "watermark"};
    const std::size_t comment = line.find("// ");
    line = line.substr(0, comment);
    for (const std::string_view part : kParts) {
        const std::string start = "\"" + std::string(part) + ".";
        for (std::size_t at = line.find(start); at != std::string_view::npos;
             at = line.find(start, at + 1)) {
            std::size_t end = at + start.size();
            while (end < line.size() && is_name_character(line[end])) {
                ++end;
            }
            if (end < line.size() && line[end] == '"' && end > at + start.size()) {
                codes.insert(std::string(line.substr(at + 1, end - at - 1)));
            }
        }
    }
}

Names codes_in_sources() {
    Names codes;
    for (const auto& entry : fs::recursive_directory_iterator(COLOPHON_SOURCE_DIR "/src")) {
        const std::string path = fs::relative(entry.path(), COLOPHON_SOURCE_DIR).string();
        // Keys of a provider's file, such as "signature.kind", look alike but are none.
        if ((!path.ends_with(".cc") && !path.ends_with(".h")) ||
            path.starts_with("src/identity/provider_")) {
            continue;
        }
        for (const std::string& line : lines_of(path)) {
            add_codes(line, codes);
        }
    }
    return codes;
}

// `verb` is one word or more, as in "ledger check".
Names options_of_help(const std::string& verb) {
    Names options;
    std::vector<std::string> command{"env", "LANG=C.UTF-8", COLOPHON_PROGRAM};
    std::istringstream words(verb);
    for (std::string word; words >> word;) {
        command.push_back(word);
    }
    command.emplace_back("--help");
    std::istringstream in(test::run_tool_ok(command));
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with("  -")) {
            continue;
        }
        const std::string word = line.substr(2, line.find(' ', 2) - 2);
        std::istringstream names(word);
        for (std::string name; std::getline(names, name, ',');) {
            options.insert(name);
        }
    }
    return options;
}

// The options in a page's table come with the name of their value, as in `--font FILE`.
Names options_of_page(const std::string& verb) {
    Names options;
    for (const std::string& each :
         code_in_tables("docs/reference/cli.md", 0, "## colophon " + verb)) {
        if (each.starts_with('-')) {
            options.insert(each.substr(0, each.find(' ')));
        }
    }
    return options;
}

// Rows like TextKey{"folder", &ObjectsConfig::folder} of the tables in cli/config.cc.
Names keys_in_source() {
    Names keys;
    constexpr std::string_view kRow = "TextKey{\"";
    constexpr std::string_view kOwner = "\", &";
    for (const std::string& line : lines_of("src/cli/config.cc")) {
        const std::size_t at = line.find(kRow);
        if (at == std::string::npos) {
            continue;
        }
        const std::size_t start = at + kRow.size();
        const std::size_t end = line.find(kOwner, start);
        REQUIRE(end != std::string::npos);
        const std::size_t owner = end + kOwner.size();
        std::string section = line.substr(owner, line.find("Config::", owner) - owner);
        section[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(section[0])));
        keys.insert(section + "." + line.substr(start, end - start));
    }
    keys.insert({"verify.trust", "verify.trust_list", "verify.tsa_list", "keys.others",
                 "identity.providers"});
    return keys;
}

// Rows like Key<ServerConfig>{"address", ... of the tables in cli/serve_sections.cc.
Names serve_keys_in_source() {
    Names keys;
    constexpr std::string_view kRow = "Key<";
    for (const std::string& line : lines_of("src/cli/serve_sections.cc")) {
        const std::size_t at = line.find(kRow);
        const std::size_t owner = at + kRow.size();
        const std::size_t name = line.find("Config>{\"", owner);
        if (at == std::string::npos || name == std::string::npos) {
            continue;
        }
        std::string section;  // SignIn is sign_in
        for (const char c : line.substr(owner, name - owner)) {
            const auto letter = static_cast<unsigned char>(c);
            section += std::isupper(letter) != 0 && !section.empty() ? "_" : "";
            section += static_cast<char>(std::tolower(letter));
        }
        const std::size_t start = name + std::string_view("Config>{\"").size();
        keys.insert(section + "." + line.substr(start, line.find('"', start) - start));
    }
    keys.insert({"model.targets", "model.tenants", "webhook.tenants", "webhook.services",
                 "policy.tenants", "policy.services", "policy.input", "policy.output",
                 "policy.thresholds.CHECK", "policy.actions.CHECK"});
    return keys;
}

// Adds the paths of all members, "metadata.label", with [] behind the name of a list.
void add_paths(const json::Value& value, const std::string& path, Names& paths) {
    if (const json::Object* object = value.if_object()) {
        for (const json::Member& member : *object) {
            add_paths(member.second, path.empty() ? member.first : path + "." + member.first,
                      paths);
        }
        return;
    }
    if (const json::Array* array = value.if_array()) {
        for (const json::Value& each : *array) {
            add_paths(each, path + "[]", paths);
        }
        return;
    }
    paths.insert(path);
}

struct JsonRun {
    test::TempDir dir;
    Names label;
    Names verify;

    std::string colophon(std::vector<std::string> arguments) const {
        std::vector<std::string> command{"env", "-i", "PATH=/usr/bin:/bin",
                                         "HOME=" + dir.file("home"), COLOPHON_PROGRAM};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return test::run_tool(command).out;
    }
    static void add(const std::string& line, Names& paths) {
        const auto value = json::parse(line);
        REQUIRE_MESSAGE(value.ok(), line);
        add_paths(*value, {}, paths);
    }
    void take(const std::string& in, const std::vector<std::string>& more) {
        const std::string out = dir.file("out" + fs::path(in).extension().string());
        std::vector<std::string> arguments{"label", "--json", in, "-o", out};
        arguments.insert(arguments.end(), more.begin(), more.end());
        add(colophon(arguments), label);
        add(colophon({"verify", "--json", out}), verify);
    }
};

TEST_CASE("every code that a finding may have stands in the reference, and no other") {
    for (const std::string page :
         {"docs/reference/findings.md", "docs/reference/findings.zh-CN.md"}) {
        check_same(codes_in_sources(), code_in_tables(page, 0), page);
    }
}

TEST_CASE("the reference gives a finding the same level in both languages") {
    const std::vector<std::string> english = lines_of("docs/reference/findings.md");
    const std::vector<std::string> chinese = lines_of("docs/reference/findings.zh-CN.md");
    const auto levels = [](const std::vector<std::string>& lines) {
        std::string out;
        for (const std::string& line : lines) {
            if (line.starts_with("| `")) {
                const std::size_t end = line.find('|', line.find('|', 1) + 1);
                for (const std::string_view level : {"info", "warning", "error"}) {
                    out += line.substr(0, end).find(level) != std::string::npos ? level : "-";
                }
                out += line.substr(0, line.find('|', 1)) + "\n";
            }
        }
        return out;
    };
    CHECK(levels(english) == levels(chinese));
}

TEST_CASE("every option of a verb stands in the reference, and no other") {
    for (const std::string verb : {"label",
                                   "verify",
                                   "serve",
                                   "library list",
                                   "library figures",
                                   "library propose",
                                   "library trial",
                                   "library approve",
                                   "library refuse",
                                   "library retire",
                                   "library keep",
                                   "library train",
                                   "library measure",
                                   "library policies",
                                   "library import",
                                   "library export",
                                   "scan",
                                   "admin user sign-in",
                                   "admin user password",
                                   "version",
                                   "ledger check",
                                   "ledger checkpoint",
                                   "ledger prove",
                                   "ledger export",
                                   "ledger records",
                                   "ledger hold",
                                   "ledger holds",
                                   "ledger release",
                                   "ledger sequence",
                                   "ledger purge",
                                   "admin init",
                                   "admin migrate",
                                   "admin backup",
                                   "admin restore",
                                   "admin ca",
                                   "admin tenant create",
                                   "admin tenant list",
                                   "admin tenant show",
                                   "admin tenant disable",
                                   "admin tenant enable",
                                   "admin key create",
                                   "admin key list",
                                   "admin key show",
                                   "admin key rotate",
                                   "admin key revoke",
                                   "admin subject add",
                                   "admin subject verify",
                                   "admin subject mobile",
                                   "admin subject list",
                                   "admin subject show",
                                   "admin subject close",
                                   "admin subject erase",
                                   "admin user create",
                                   "admin user list",
                                   "admin user show",
                                   "admin user roles",
                                   "admin user link",
                                   "admin user reset",
                                   "admin user disable",
                                   "admin user enable",
                                   "admin agreement propose",
                                   "admin agreement list",
                                   "admin agreement show",
                                   "admin agreement grant",
                                   "admin agreement refuse",
                                   "admin agreement revoke",
                                   "admin keys add",
                                   "admin keys retire",
                                   "admin keys status",
                                   "admin keys rotate"}) {
        CAPTURE(verb);
        check_same(options_of_help(verb), options_of_page(verb), "docs/reference/cli.md");
    }
}

TEST_CASE("every setting of the server stands in the reference, and no other") {
    check_same(serve_keys_in_source(),
               code_in_tables("docs/reference/configuration.md", 0, "## Server"),
               "docs/reference/configuration.md");
}

TEST_CASE("every setting stands in the reference with its variable, and no other") {
    const Names keys = keys_in_source();
    check_same(keys, code_in_tables("docs/reference/configuration.md", 0, "## Keys"),
               "docs/reference/configuration.md");
    Names variables;
    for (const std::string& key : keys) {
        std::string variable = "COLOPHON_";
        for (const char c : key) {
            variable +=
                c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        variables.insert(variable);
    }
    check_same(variables, code_in_tables("docs/reference/configuration.md", 1, "## Keys"),
               "docs/reference/configuration.md");
}

TEST_CASE("every field of the JSON that the program prints stands in the reference" *
          doctest::test_suite("slow")) {
    JsonRun run;
    const std::vector<std::string> full{
        "--producer", "001191000000000000000K10001", "--system", "m/1", "--profile",
        "all",        "--metadata-key-id",           "press-1"};
    run.take(test::make_sample(run.dir, "png"), full);
    test::run_tool_ok({COLOPHON_DEMO_PICTURE, run.dir.file("large.png")});
    std::vector<std::string> longer = full;
    longer.insert(longer.end(), {"--payload", "long"});
    run.take(run.dir.file("large.png"), longer);
    run.take(test::make_sample(run.dir, "wav"), full);
    run.take(test::make_sample(run.dir, "text"), full);  // its credentials lie beside it
    run.take(test::make_sample(run.dir, "markdown"), {"--producer-name", "somebody"});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "testsrc2=size=320x240:d=3", "-pix_fmt", "yuv420p", run.dir.file("in.mp4")});
    run.take(run.dir.file("in.mp4"), full);
    JsonRun::add(run.colophon({"verify", "--json", COLOPHON_PROGRAM}), run.verify);
    test::write_file(run.dir.file("elsewhere.html"),
                     to_buffer("<!DOCTYPE html><html><head><link rel=\"c2pa-manifest\" "
                               "href=\"https://a.example/x\"></head><body>x</body></html>"));
    JsonRun::add(run.colophon({"verify", "--json", run.dir.file("elsewhere.html")}), run.verify);
    const Names label = code_in_tables("docs/reference/json.md", 0, "## label");
    const Names verify = code_in_tables("docs/reference/json.md", 0, "## verify");
    // No time-stamp authority was asked, and no credential was broken.
    run.verify.insert(
        {"provenance.signed_at", "provenance.time_authority", "provenance.failures[]"});
    // No picture here is small or has lost its number.
    run.verify.insert({"watermark.handle", "watermark.unreadable"});
    check_same(run.verify, verify, "docs/reference/json.md");
    // Errors look the same for both verbs; here only verify was given something unreadable.
    run.label.insert({"error.code", "error.what"});
    check_same(run.label, label, "docs/reference/json.md");
}

TEST_CASE("every field of the JSON that ledger prints stands in the reference") {
    JsonRun run;
    test::run_tool_ok({COLOPHON_DEMO_LOG, run.dir.path().string(), "300"});
    const std::string key = run.dir.file("log.key");
    const std::string log = run.dir.file("log");
    const auto take = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "ledger");
        arguments.insert(arguments.end(), {"--key", key, "--json"});
        JsonRun::add(run.colophon(std::move(arguments)), run.verify);
    };
    take({"check", log});
    take({"checkpoint", log});
    take({"prove", log, "7", "-o", run.dir.file("7.evidence")});
    take({"check", run.dir.file("nothing")});
    Buffer bundle = test::read_file(log + "/tile/entries/000");
    bundle[5] ^= 0x01U;
    test::write_file(log + "/tile/entries/000", bundle);
    take({"check", log});
    const std::string data = run.dir.file("data");
    run.colophon({"admin", "init", "--data", data});
    JsonRun::add(
        run.colophon({"ledger", "checkpoint", "--data", data, "--log", "conduct", "--json"}),
        run.verify);
    JsonRun::add(run.colophon({"ledger", "check", data, "--log", "conduct", "--json"}), run.verify);
    // No witness signed this log, and its evidence opens nothing.
    run.verify.insert({"witnesses[].name", "witnesses[].time", "opened[].field", "opened[].value"});
    // Nor did a service sign a result; serve_test.cc reads one.
    run.verify.insert(
        {"content.sha256", "content.bytes", "detector", "time", "record", "verification"});
    check_same(run.verify, code_in_tables("docs/reference/json.md", 0, "## ledger"),
               "docs/reference/json.md");
}

}  // namespace
}  // namespace colophon
