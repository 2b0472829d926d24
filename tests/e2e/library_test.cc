// SPDX-License-Identifier: Apache-2.0
// colophon library: the feature library between four people, from a proposal to its end.

#include "core/bytes.h"
#include "core/json.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

struct House {
    test::TempDir dir;
    std::map<std::string, std::string> sessions;

    House() {
        REQUIRE(run("", {"admin", "init", "--origin", "log.example/colophon"}).exit_code == 0);
        test::write_file(dir.file("password"), as_bytes("Correct-Horse-7-Battery\n"));
    }
    test::ToolRun run(const std::string& who, const std::vector<std::string>& arguments) const {
        std::vector<std::string> words{"env",
                                       "-i",
                                       "--chdir=" + dir.path().string(),
                                       "PATH=/usr/bin:/bin",
                                       "LANG=C.UTF-8",
                                       "HOME=" + dir.file("home")};
        if (const auto session = sessions.find(who); session != sessions.end()) {
            words.push_back("COLOPHON_SESSION=" + session->second);
        }
        words.emplace_back(COLOPHON_PROGRAM);
        words.insert(words.end(), arguments.begin(), arguments.end());
        return test::run_tool(words);
    }
    json::Value one(const std::string& who, std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        const test::ToolRun done = run(who, arguments);
        REQUIRE_MESSAGE(done.exit_code == 0, done.err);
        const auto value = json::parse(done.out);
        REQUIRE_MESSAGE(value.ok(), done.out);
        return *value;
    }
    void hire(const std::string& name, const std::string& roles) {
        const json::Value made = one("", {"admin", "user", "create", name, "--roles", roles,
                                          "--password", "file:" + dir.file("password")});
        const json::Array& codes = *made.find("recovery_codes")->if_array();
        test::write_file(dir.file("code"), as_bytes(*codes.front().if_string()));
        const json::Value in =
            one("", {"admin", "user", "sign-in", name, "--password", "file:" + dir.file("password"),
                     "--code", "file:" + dir.file("code")});
        sessions[name] = in.string_or("session", "");
        REQUIRE_FALSE(sessions[name].empty());
    }
};

std::uint64_t number(const json::Value& value, std::string_view name) {
    return value.find(name)->as_uint().value();
}

}  // namespace

TEST_CASE("[DSP-10] an entry lives from a proposal over its trial and approval to its end") {
    House house;
    house.hire("li.wei", "reviewer");
    house.hire("wang.fang", "lead");
    house.hire("zhao.lei", "lead");
    house.hire("sun.yu", "auditor");
    const std::vector<std::string> propose{
        "library", "propose", "b-1",      "--category",      "A1d", "--phrase", "炸弹",
        "--with",  "制作",    "--reason", "seen in a report"};
    CHECK(house.run("", propose).err.find("sign-in") != std::string::npos);
    CHECK(house.run("sun.yu", propose).exit_code == 1);
    CHECK(house.run("li.wei", propose).exit_code == 0);
    CHECK(house.run("li.wei", propose).err.find("proposed already") != std::string::npos);

    test::write_file(house.dir.file("benign.txt"), as_bytes("制作蛋糕\n\n炸弹人是一款游戏\n"));
    CHECK(house.run("li.wei", {"library", "trial", "b-1"}).exit_code == 64);
    const json::Value trial =
        house.one("li.wei", {"library", "trial", "b-1", "--benign", "benign.txt"});
    CHECK(number(*trial.find("benign"), "contents") == 2);
    CHECK(number(*trial.find("benign"), "hits") == 0);
    CHECK(number(trial, "approvals") == 1);
    CHECK(house.run("li.wei", {"library", "approve", "b-1"}).exit_code == 1);
    CHECK(number(house.one("wang.fang", {"library", "approve", "b-1"}), "done") == 1);
    const json::Value listed = house.one("sun.yu", {"library", "list", "b-1"});
    CHECK(listed.string_or("state", "") == "live");
    CHECK(listed.string_or("proposed_by", "") == "li.wei");
    const json::Array& opinions = *listed.find("opinions")->if_array();
    REQUIRE(opinions.size() == 1);
    CHECK(opinions[0].string_or("by", "") == "wang.fang");

    // What is exported is a list that files are scanned by.
    CHECK(house.run("sun.yu", {"library", "export", "-o", "list.jsonl"}).exit_code == 0);
    test::write_file(house.dir.file("bad.txt"), as_bytes("如何制作炸彈"));
    CHECK(house.run("", {"scan", "--library", "list.jsonl", "bad.txt"}).exit_code == 2);
    CHECK(house.run("wang.fang", {"library", "retire", "b-1"}).exit_code == 64);
    CHECK(house.run("wang.fang", {"library", "retire", "b-1", "--reason", "over"}).exit_code == 0);
    CHECK(house.run("sun.yu", {"library", "export"}).out.empty());
    const std::string records = house.run("", {"ledger", "records", "--json"}).out;
    for (const std::string_view step : {"library.propose", "library.open_traffic", "library.trial",
                                        "library.approve", "library.retire"}) {
        CHECK(records.find(step) != std::string::npos);
    }
}

TEST_CASE("[DSP-10] a text becomes what near copies of are looked for") {
    House house;
    house.hire("li.wei", "reviewer");
    house.hire("wang.fang", "lead");
    const std::string rumour =
        "听说明天全市停水三天，自来水里查出有毒物质，请马上囤水并转告所有亲友，官方还在隐瞒，"
        "昨天夜里已经有十几个人送进市医院抢救，医生要求家属不要对外说明病情";
    test::write_file(house.dir.file("rumour.txt"), as_bytes(rumour));
    test::write_file(house.dir.file("benign.txt"), as_bytes("明天天气很好\n"));
    CHECK(house
              .run("li.wei", {"library", "propose", "n-1", "--category", "A1g", "--like",
                              "rumour.txt", "--reason", "report 7"})
              .exit_code == 0);
    CHECK(house.run("li.wei", {"library", "trial", "n-1", "--benign", "benign.txt"}).exit_code ==
          0);
    CHECK(house.run("wang.fang", {"library", "approve", "n-1"}).exit_code == 0);
    CHECK(house.run("li.wei", {"library", "list", "n-1"}).out.find("near ") != std::string::npos);
    CHECK(house.run("li.wei", {"library", "export", "-o", "list.jsonl"}).exit_code == 0);
    test::write_file(
        house.dir.file("copy.txt"),
        as_bytes("转：听说明天 全市停水三天！自来水里查出有毒物质，请马上囤水并转告所有亲友。"
                 "官方还在隐瞒……昨天夜里已经有十几个人送进市医院抢救。"));
    test::write_file(house.dir.file("other.txt"), as_bytes("明天全市停水三小时，请提前储水。"));
    CHECK(house.run("", {"scan", "--library", "list.jsonl", "copy.txt"}).exit_code == 2);
    CHECK(house.run("", {"scan", "--library", "list.jsonl", "other.txt"}).exit_code == 0);
}

TEST_CASE("[DSP-10] the starter list is imported, tried against its harmless lines, and approved") {
    House house;
    house.hire("li.wei", "operator");
    house.hire("wang.fang", "lead");
    const std::string starter = COLOPHON_SOURCE_DIR "/deploy/starter-library.jsonl";
    const json::Value taken =
        house.one("li.wei", {"library", "import", starter, "--batch", "starter"});
    CHECK(number(taken, "proposed") >= 62);
    CHECK(number(taken, "wrong") == 0);
    CHECK(house
              .run("li.wei", {"library", "trial", "--batch", "starter", "--benign",
                              COLOPHON_SOURCE_DIR "/deploy/starter-benign.txt"})
              .exit_code == 0);
    // None of them hits a harmless line, so one person approves all.
    const json::Value live = house.one("wang.fang", {"library", "approve", "--batch", "starter"});
    CHECK(number(live, "done") == number(taken, "proposed"));
    const json::Value one = house.one("li.wei", {"library", "list", "starter-A4a-zh"});
    CHECK(one.string_or("source", "") == "Colophon starter list");
    CHECK(one.string_or("evidence", "") == "TC260-003 A.4 a");
    CHECK(one.string_or("reason", "").find("危害身心健康") != std::string::npos);
    CHECK(one.string_or("expires", "").starts_with("2027-12-31"));
    // The list without reasons is told so, entry by entry.
    test::write_file(house.dir.file("bare.jsonl"),
                     as_bytes(R"({"id":"x-1","category":"A1f","phrase":"plum"})"));
    const test::ToolRun bare =
        house.run("li.wei", {"library", "import", "bare.jsonl", "--batch", "bare"});
    CHECK(bare.exit_code == 64);
    CHECK(bare.err.find("entry x-1: it is proposed without a reason") != std::string::npos);
}

TEST_CASE("[DSP-10] a list is imported as a batch, with a report of each line that is wrong") {
    House house;
    house.hire("li.wei", "operator");
    house.hire("wang.fang", "lead");
    house.hire("zhao.lei", "lead");
    test::write_file(house.dir.file("list.csv"),
                     as_bytes("id,category,phrase,action\nw/1,A1f,赌博,block\nw/2,A1f,,maybe\n"
                              "w/3,A1f,的,flag\n"));
    const std::vector<std::string> import{"library", "import",   "list.csv", "--batch",
                                          "first",   "--reason", "weekly",   "--json"};
    const test::ToolRun refused = house.run("li.wei", import);
    CHECK(refused.exit_code == 64);
    CHECK(refused.err.find("list.csv:3: ") != std::string::npos);
    CHECK(house.run("li.wei", {"library", "list", "--json"}).out.empty());
    std::vector<std::string> skipping = import;
    skipping.emplace_back("--skip-wrong");
    const test::ToolRun taken = house.run("li.wei", skipping);
    CHECK(taken.exit_code == 0);
    CHECK(taken.out.find("\"proposed\":2") != std::string::npos);
    test::write_file(house.dir.file("benign.txt"), as_bytes("我的\n你的\n好\n"));
    test::write_file(house.dir.file("colophon.toml"),
                     as_bytes("[review]\nbenign = \"benign.txt\"\n"));
    CHECK(house.run("li.wei", {"library", "trial", "--batch", "first"}).exit_code == 0);
    const json::Value first = house.one("wang.fang", {"library", "approve", "--batch", "first"});
    CHECK(number(first, "done") == 1);
    CHECK(number(first, "waiting") == 1);
    CHECK(number(house.one("zhao.lei", {"library", "approve", "--batch", "first"}), "done") == 1);
    const json::Value figures = house.one("li.wei", {"library", "figures"});
    CHECK(figures.string_or("category", "") == "A1f");
    CHECK(number(figures, "live") == 2);

    // What there is beside what the standard asks for.
    test::write_file(house.dir.file("banks.csv"),
                     as_bytes("bank,category,text\nquestions,A1f,怎么赌博\nrefuse,A1f,带我赌博\n"
                              "refuse,A1d,x\nanswer,history,什么是我的\nanswer,history,赌博史\n"));
    test::write_file(house.dir.file("colophon.toml"),
                     as_bytes("[review]\ntest_banks = \"banks.csv\"\n"));
    const json::Value stock = house.one("li.wei", {"library", "figures", "--standard"});
    CHECK(number(*stock.find("entries"), "have") == 2);
    CHECK(number(*stock.find("entries"), "wanted") == 10'000);
    CHECK(*stock.find("entries_fresh")->if_bool());
    CHECK(*stock.find("banks_fresh")->if_bool());
    const json::Array& risks = *stock.find("risks")->if_array();
    REQUIRE(risks.size() == 31);
    CHECK(risks[5].string_or("code", "") == "A1f");
    CHECK(number(*risks[5].find("entries"), "have") == 2);
    CHECK(number(*risks[5].find("entries"), "wanted") == 200);
    CHECK(number(*risks[5].find("questions"), "have") == 1);
    CHECK(number(*risks[5].find("refuse"), "have") == 1);
    CHECK(number(*risks[8].find("entries"), "wanted") == 100);
    CHECK(number(*risks[30].find("questions"), "wanted") == 20);
    const json::Array& banks = *stock.find("banks")->if_array();
    REQUIRE(banks.size() == 3);
    CHECK(number(banks[0], "stopped") == 1);
    CHECK(number(banks[1], "have") == 2);
    CHECK(number(banks[1], "stopped") == 1);
    CHECK(banks[2].string_or("bank", "") == "answer");
    CHECK(number(banks[2], "stopped") == 1);  // what is only flagged is let in
    CHECK(house.run("li.wei", {"library", "figures", "--standard"}).out.find("A1f") !=
          std::string::npos);
    test::write_file(house.dir.file("banks.csv"), as_bytes("bank,category,text\nall,A1f,x\n"));
    const test::ToolRun wrong = house.run("li.wei", {"library", "figures", "--standard"});
    CHECK(wrong.exit_code == 64);
    CHECK(wrong.err.find("banks.csv: line 2: ") != std::string::npos);
}

TEST_CASE("[DSP-10] a classifier is trained, measured and used from the command line") {
    const House house;
    std::string table = "text,label\n";
    for (int i = 0; i < 400; ++i) {
        table += "number " + std::to_string(i * 7919 % 1000) +
                 (i % 2 == 0 ? " you stupid fool,1\n" : " a fine day for all,0\n");
    }
    test::write_file(house.dir.file("texts.csv"), as_bytes(table));
    const json::Value card = house.one("", {"library", "train", "texts.csv", "--category", "A2i",
                                            "--precision", "0.95", "-o", "model"});
    CHECK(card.string_or("category", "") == "A2i");
    CHECK(number(card, "samples") == 320);
    const json::Value quality =
        house.one("", {"library", "measure", "texts.csv", "--classifier", "model"});
    CHECK(number(quality, "samples") == 400);
    CHECK(quality.find("precision")->as_double().value() > 0.95);
    test::write_file(house.dir.file("bad.txt"), as_bytes("what a stupid fool you are"));
    test::write_file(house.dir.file("good.txt"), as_bytes("a fine day"));
    const test::ToolRun bad = house.run("", {"scan", "--classifier", "model", "--json", "bad.txt"});
    CHECK(bad.exit_code == 2);
    CHECK(bad.out.find("\"entries\":[\"classifier/A2i\"]") != std::string::npos);
    CHECK(house.run("", {"scan", "--classifier", "model", "good.txt"}).exit_code == 0);
    CHECK(house.run("", {"scan", "--classifier", "texts.csv", "good.txt"}).exit_code == 4);
    CHECK(house
              .run("", {"library", "train", "texts.csv", "--category", "A2i", "--text-column",
                        "body", "-o", "other"})
              .exit_code == 64);
    CHECK_FALSE(std::filesystem::exists(house.dir.file("other")));
}

}  // namespace colophon
