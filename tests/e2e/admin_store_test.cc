// SPDX-License-Identifier: Apache-2.0
// colophon admin init, migrate, backup and restore as an operator meets them.

#include "core/bytes.h"
#include "core/json.h"
#include "support/postgres_server.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace colophon {
namespace {

struct Operator {
    test::TempDir dir;

    test::ToolRun run(const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {}) const {
        std::vector<std::string> command{"env",
                                         "-i",
                                         "--chdir=" + dir.path().string(),
                                         "PATH=/usr/bin:/bin",
                                         "LANG=C.UTF-8",
                                         "HOME=" + dir.file("home")};
        command.insert(command.end(), environment.begin(), environment.end());
        command.insert(command.end(), {COLOPHON_PROGRAM, "admin"});
        command.insert(command.end(), arguments.begin(), arguments.end());
        return test::run_tool(command);
    }
    json::Value json_of(std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        const test::ToolRun done = run(arguments);
        CHECK_MESSAGE(done.exit_code == 0, done.err);
        const auto value = json::parse(done.out);
        REQUIRE_MESSAGE(value.ok(), done.out);
        return *value;
    }
};

}  // namespace

TEST_CASE("a store is made, backed up, moved to PostgreSQL and back") {
    const Operator person;
    CHECK(person.run({"migrate"}).exit_code == 1);  // nothing there yet
    CHECK(person.json_of({"init"}).find("steps")->as_int().value() >= 1);
    CHECK(person.json_of({"migrate"}).find("steps")->as_int().value() == 0);
    CHECK(std::filesystem::exists(person.dir.file("data/colophon.db")));
    const json::Value made = person.json_of({"backup", "-o", "one.colophon"});
    const std::string url = test::PostgresServer::shared().new_address();
    test::write_file(person.dir.file("address"), as_bytes(url + "\n"));
    const std::string named = "file:" + person.dir.file("address");
    const json::Value moved = person.json_of({"restore", "one.colophon", "--store", named});
    CHECK(moved.string_or("digest", "") == made.string_or("digest", "-"));
    CHECK(moved.string_or("store", "") == "PostgreSQL");
    CHECK(person.run({"restore", "one.colophon", "--store", named}).exit_code == 1);
    CHECK(person.run({"backup", "-o", "two.colophon"}, {"COLOPHON_STORAGE_URL=" + url}).exit_code ==
          0);
    CHECK(person.run({"restore", "two.colophon", "--data", "again"}).exit_code == 0);
    CHECK(person.json_of({"migrate", "--data", "again"}).find("steps")->as_int().value() == 0);
}

TEST_CASE("a damaged backup makes no store, a failed backup no file, and no message has a secret") {
    const Operator person;
    REQUIRE(person.run({"init"}).exit_code == 0);
    REQUIRE(person.run({"backup", "-o", "one.colophon"}).exit_code == 0);
    Buffer bytes = test::read_file(person.dir.file("one.colophon"));
    bytes[bytes.size() / 2] ^= 1U;
    test::write_file(person.dir.file("bad.colophon"), bytes);
    CHECK(person.run({"restore", "bad.colophon", "--data", "new"}).exit_code == 1);
    CHECK_FALSE(std::filesystem::exists(person.dir.file("new")));
    CHECK(person.run({"backup", "-o", "none.colophon", "--data", "missing"}).exit_code == 1);
    CHECK_FALSE(std::filesystem::exists(person.dir.file("none.colophon")));
    CHECK(person.run({"init", "--data", "x", "--store", "postgres://a"}).exit_code == 64);
    const test::ToolRun refused = person.run(
        {"migrate", "--store", "postgres://user:hush-hush@127.0.0.1:1/x?connect_timeout=2"});
    CHECK(refused.exit_code == 1);
    CHECK(refused.err.find("hush-hush") == std::string::npos);
    CHECK(person.run({"init", "--store", "hush-hush"}).err.find("hush") == std::string::npos);
}

}  // namespace colophon
