// SPDX-License-Identifier: Apache-2.0
// An installation as its operator meets it: made, given tenants, keys, users and staff, its logs
// kept and checked by a stranger, its keys changed. On the embedded store and on PostgreSQL.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "support/http_peer.h"
#include "support/postgres_server.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

namespace fs = std::filesystem;

enum class Engine { kSqlite, kPostgres };

struct Operator {
    test::TempDir dir;
    std::vector<std::string> environment;

    explicit Operator(Engine engine) {
        if (engine == Engine::kPostgres) {
            test::write_file(dir.file("address"),
                             as_bytes(test::PostgresServer::shared().new_address() + "\n"));
            environment = {"COLOPHON_STORAGE_URL=file:" + dir.file("address"),
                           "COLOPHON_OBJECTS_FOLDER=" + dir.file("data/objects"),
                           "COLOPHON_KEYS_MASTER=file:" + dir.file("data/master.key")};
            fs::create_directory(dir.file("data"));
        }
    }
    std::vector<std::string> command() const {
        std::vector<std::string> words{"env",
                                       "-i",
                                       "--chdir=" + dir.path().string(),
                                       "PATH=/usr/bin:/bin",
                                       "LANG=C.UTF-8",
                                       "HOME=" + dir.file("home")};
        words.insert(words.end(), environment.begin(), environment.end());
        return words;
    }
    test::ToolRun run(const std::vector<std::string>& arguments) const {
        std::vector<std::string> words = command();
        words.emplace_back(COLOPHON_PROGRAM);
        words.insert(words.end(), arguments.begin(), arguments.end());
        return test::run_tool(words);
    }
    test::ToolRun shell(const std::string& script) const {
        std::vector<std::string> words = command();
        words.insert(words.end(), {"sh", "-c", script, COLOPHON_PROGRAM});
        return test::run_tool(words);
    }
    std::vector<json::Value> lines(std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        const test::ToolRun done = run(arguments);
        CHECK_MESSAGE(done.exit_code == 0, done.err);
        std::vector<json::Value> values;
        std::istringstream in(done.out);
        for (std::string line; std::getline(in, line);) {
            const auto value = json::parse(line);
            REQUIRE_MESSAGE(value.ok(), line);
            values.push_back(*value);
        }
        return values;
    }
    json::Value one(const std::vector<std::string>& arguments) const {
        const auto values = lines(arguments);
        REQUIRE(values.size() == 1);
        return values.front();
    }
    int code(const std::vector<std::string>& arguments) const { return run(arguments).exit_code; }
};

template <class F>
void each_engine(F test) {
    for (const Engine engine : {Engine::kSqlite, Engine::kPostgres}) {
        CAPTURE(engine == Engine::kSqlite);
        const Operator person(engine);
        REQUIRE(person.code({"admin", "init", "--origin", "log.example/colophon"}) == 0);
        test(person);
    }
}

std::vector<std::string> operations(const Operator& person) {
    std::vector<std::string> names;
    for (const json::Value& record : person.lines({"ledger", "records"})) {
        names.insert(names.begin(), record.string_or("operation", ""));
    }
    return names;
}

bool stands_in_files(const Operator& person, const std::string& text) {
    return person.shell("grep -rqF '" + text + "' data").exit_code == 0;
}

// Whether openssl finds the line of an SM2 key in a checkpoint right: only what the page on the
// format says is used.
bool openssl_accepts(const Operator& person, const std::string& file, const std::string& vkey) {
    const std::size_t last = vkey.find('+', vkey.find('+') + 1);
    const Buffer key = from_base64(vkey.substr(last + 1)).value();
    const std::size_t point = key.size() - 65;
    Buffer spki = from_hex("3059301306072A8648CE3D020106082A811CCF5501822D034200").value();
    append(spki, Bytes(key).subspan(point));
    const std::string note(as_text(test::read_file(person.dir.file(file))));
    const std::size_t blank = note.rfind("\n\n");
    test::write_file(person.dir.file("text"), as_bytes(note.substr(0, blank + 1)));
    test::write_file(person.dir.file("key.der"), spki);
    const std::string id = vkey.substr(vkey.find('+') + 1, 8);
    std::istringstream lines(note.substr(blank + 2));
    for (std::string line; std::getline(lines, line);) {
        const Buffer signature = from_base64(line.substr(line.rfind(' ') + 1)).value();
        if (to_hex(Bytes(signature).first(4)) == id) {
            test::write_file(person.dir.file("signature"), Bytes(signature).subspan(4));
        }
    }
    const auto verify = [&] {
        return person
            .shell(
                "openssl pkeyutl -verify -pubin -inkey key.der -keyform DER -rawin -digest sm3 "
                "-in text -sigfile signature -pkeyopt distid:1234567812345678")
            .exit_code;
    };
    const bool accepted = verify() == 0;
    test::write_file(person.dir.file("text"), as_bytes(note.substr(0, blank)));
    return accepted && verify() != 0;
}

}  // namespace

// [DSP-10] What staff did is in the log, and anybody can check that it stays there.
TEST_CASE("every change by an operator is a record in a log that a stranger checks") {
    each_engine([](const Operator& person) {
        const std::string tenant =
            person.one({"admin", "tenant", "create", "Example"}).string_or("tenant", "");
        CHECK(tenant.size() == 32);
        CHECK(person.code({"admin", "tenant", "create", "Example"}) == 1);
        const json::Value key =
            person.one({"admin", "key", "create", "Example", "--scopes", "generate,records"});
        const std::string id = key.string_or("key", "");
        const std::string secret = key.string_or("secret", "");
        CHECK(secret.starts_with("clp_live_"));
        CHECK_FALSE(stands_in_files(person, secret));
        const json::Value next = person.one({"admin", "key", "rotate", id, "--overlap", "3"});
        CHECK(next.string_or("scopes", "") == "generate,records");
        CHECK(next.string_or("secret", "") != secret);
        CHECK(person.one({"admin", "key", "show", id}).find("expires")->if_string() != nullptr);
        CHECK(person.one({"admin", "key", "revoke", id}).string_or("state", "") == "revoked");
        CHECK(person.lines({"admin", "key", "list", "Example"}).size() == 2);
        CHECK(person.code({"admin", "tenant", "disable", "Example"}) == 0);
        CHECK(person.one({"admin", "tenant", "show", "Example"}).string_or("state", "") ==
              "disabled");
        CHECK(person.code({"admin", "tenant", "enable", "Example"}) == 0);
        CHECK(person.code({"admin", "tenant", "show", "Nobody"}) == 1);
        CHECK(operations(person) == std::vector<std::string>{"tenant.create", "key.create",
                                                             "key.rotate", "key.revoke",
                                                             "tenant.suspend", "tenant.resume"});

        const auto checkpoints = person.lines({"ledger", "checkpoint"});
        REQUIRE(checkpoints.size() == 2);
        CHECK(checkpoints[1].string_or("log", "") == "conduct");
        CHECK(checkpoints[1].find("size")->as_int().value() == 6);
        const std::string vkey = *(*checkpoints[1].find("keys")->if_array())[0].if_string();
        const std::string record =
            person.lines({"ledger", "records", "--limit", "1"}).front().string_or("id", "");
        REQUIRE(person.code({"ledger", "prove", record, "-o", "last.evidence", "--open", "facts",
                             "--open", "account"}) == 0);
        REQUIRE(person.code({"ledger", "checkpoint", "--log", "conduct", "-o", "kept"}) == 0);

        // The stranger has the log's files, the evidence and the public key, nothing else.
        const test::TempDir elsewhere;
        fs::copy(person.dir.file("data/objects/ledger/conduct"), elsewhere.file("log"),
                 fs::copy_options::recursive);
        const auto check = [&](const std::string& what) {
            return test::run_tool({COLOPHON_PROGRAM, "ledger", "check", what, "--key", vkey,
                                   "--older", person.dir.file("kept")});
        };
        CHECK(check(elsewhere.file("log")).exit_code == 0);
        const test::ToolRun evidence = test::run_tool(
            {COLOPHON_PROGRAM, "ledger", "check", person.dir.file("last.evidence"), "--key", vkey});
        CHECK(evidence.exit_code == 0);
        CHECK(evidence.out.find("tenant.resume") != std::string::npos);
        CHECK(evidence.out.find("system user") != std::string::npos);
        const std::string bundle = elsewhere.file("log/tile/entries/000.p/6");
        Buffer bytes = test::read_file(bundle);
        bytes[40] ^= 0x01U;
        test::write_file(bundle, bytes);
        CHECK(check(elsewhere.file("log")).exit_code == 2);
        CHECK(person.code({"ledger", "check"}) == 0);
    });
}

TEST_CASE("staff is made with roles, a password and second factors, and nothing is kept in clear") {
    each_engine([](const Operator& person) {
        const json::Value made =
            person.one({"admin", "user", "create", "li.wei", "--roles", "reviewer,lead"});
        CHECK(made.find("recovery_codes")->if_array()->size() == 10);
        CHECK(made.string_or("totp_address", "").starts_with("otpauth://totp/Colophon:li.wei"));
        CHECK(made.string_or("password", "").size() == 20);
        for (const std::string_view field : {"password", "totp_secret"}) {
            CHECK_FALSE(stands_in_files(person, made.string_or(field, "")));
        }
        test::write_file(person.dir.file("password"), as_bytes("four very unlikely words\n"));
        const json::Value chosen = person.one(
            {"admin", "user", "create", "boss", "--roles", "admin", "--password", "file:password"});
        CHECK(chosen.find("password") == nullptr);
        CHECK(*chosen.find("must_change")->if_bool() == false);
        CHECK(person
                  .shell("printf 'another unlikely phrase\\n' | \"$0\" admin user create third "
                         "--roles auditor --password prompt")
                  .exit_code == 0);
        CHECK(person
                  .shell("printf '12345678901234\\n' | \"$0\" admin user create fourth "
                         "--roles auditor --password prompt")
                  .exit_code == 64);
        CHECK(person.code({"admin", "user", "create", "li.wei", "--roles", "admin"}) == 1);
        CHECK(person.code({"admin", "user", "create", "eyes", "--roles", "inspector,admin"}) == 64);
        CHECK(person.code({"admin", "user", "roles", "li.wei", "--roles", "operator"}) == 0);
        CHECK(person.one({"admin", "user", "reset", "li.wei"}).string_or("password", "") !=
              made.string_or("password", ""));
        CHECK(person.code({"admin", "user", "disable", "boss"}) == 0);
        CHECK(person.one({"admin", "user", "show", "boss"}).string_or("state", "") == "disabled");
        CHECK(person.code({"admin", "user", "enable", "boss"}) == 0);
        CHECK(person.lines({"admin", "user", "list"}).size() == 3);
        CHECK(operations(person) ==
              std::vector<std::string>{"user.create", "user.create", "user.create", "user.roles",
                                       "user.reset", "user.disable", "user.enable"});
        // Names of persons are in the sealed half of records only.
        for (const json::Value& record : person.lines({"ledger", "records"})) {
            CHECK(json::write(record).find("li.wei") == std::string::npos);
        }
    });
}

// [DSP-9] A person is known by number alone, and erasing is a key that is gone.
TEST_CASE("a subject is added, closed and erased, and its name is nowhere") {
    each_engine([](const Operator& person) {
        REQUIRE(person.code({"admin", "tenant", "create", "Example"}) == 0);
        const json::Value made = person.one({"admin", "subject", "add", "Example", "wang-er-xiao"});
        const std::string id = made.string_or("subject", "");
        CHECK(person.one({"admin", "subject", "add", "Example", "wang-er-xiao"})
                  .string_or("subject", "") == id);
        CHECK(person.one({"admin", "subject", "show", "Example", id, "--id"})
                  .find("verified")
                  ->if_bool() != nullptr);
        CHECK_FALSE(stands_in_files(person, "wang-er-xiao"));
        CHECK(person.code({"admin", "subject", "erase", "Example", "wang-er-xiao"}) == 64);
        CHECK(person.code({"admin", "subject", "erase", "Example", "wang-er-xiao", "--reason",
                           "request 7"}) == 0);
        CHECK(person.code({"admin", "subject", "show", "Example", "wang-er-xiao"}) == 1);
        const json::Value gone = person.one({"admin", "subject", "show", "Example", id, "--id"});
        CHECK(*gone.find("closed")->if_bool());
        // Again: nothing is left to do, and that is no error.
        CHECK(person.code({"admin", "subject", "erase", "Example", id, "--id", "--reason", "7"}) ==
              0);
        CHECK(person.shell("find data/objects/destroyed -type f | wc -l").out == "1\n");
        CHECK(person.one({"admin", "subject", "add", "Example", "wang-er-xiao"})
                  .string_or("subject", "") != id);
        CHECK(person.lines({"admin", "subject", "list", "Example"}).size() == 2);
        const auto erasures = person.lines({"ledger", "records", "--kind", "erasure"});
        CHECK(erasures.size() == 2);
    });
}

// [DSP-9] Two providers over real HTTP: the first is busy, the second judges.
TEST_CASE("a user is verified by the providers of the configuration, and it is on record") {
    each_engine([](const Operator& person) {
        const test::HttpPeer busy([](const auto&) { return test::answer(429, "{}"); });
        std::string result = "1";
        const test::HttpPeer judge(
            [&](const auto&) { return test::answer(200, "{\"result\":\"" + result + "\"}"); });
        const auto describe = [&](const std::string& name, const test::HttpPeer& peer) {
            test::write_file(
                person.dir.file(name + ".toml"),
                as_bytes("name = \"" + name +
                         "\"\nmeans = [\"resident_id\"]\nassurance = \"name and number\"\n"
                         "[request]\nmethod = \"POST\"\nurl = \"" +
                         peer.url("/v") +
                         "\"\n[request.json]\nid = \"{number}\"\nname = \"{name}\"\n"
                         "[answer]\noutcome = \"result\"\n[answer.outcomes]\n1 = \"match\"\n"
                         "2 = \"mismatch\"\n"));
        };
        describe("busy", busy);
        describe("judge", judge);
        REQUIRE(person.code({"admin", "tenant", "create", "Example"}) == 0);
        REQUIRE(person.code({"admin", "subject", "add", "Example", "user-7"}) == 0);
        const auto verify = [&](const std::string& number) {
            return person.shell("printf '张三\\n" + number +
                                "\\n' | COLOPHON_IDENTITY_PROVIDERS=busy.toml:judge.toml \"$0\" "
                                "admin subject verify Example user-7 --person prompt --number "
                                "prompt --json");
        };
        CHECK(verify("11010519491231002Y").exit_code == 64);
        CHECK(judge.requests().empty());
        const test::ToolRun done = verify("11010519491231002X");
        REQUIRE_MESSAGE(done.exit_code == 0, done.err);
        const json::Value state = json::parse(done.out).value();
        CHECK(*state.find("verified")->if_bool());
        CHECK(state.string_or("age", "") == "adult");
        CHECK(busy.requests().size() >= 1);
        CHECK(judge.requests().size() == 1);
        CHECK(judge.requests()[0].body.find("11010519491231002X") != std::string::npos);
        for (const std::string_view secret : {"11010519491231002X", "张三"}) {
            CHECK_FALSE(stands_in_files(person, std::string(secret)));
        }
        const auto records = person.lines({"ledger", "records", "--kind", "verification"});
        REQUIRE(records.size() == 1);
        const std::string detail = records[0].string_or("detail", "");
        CHECK(detail.find("\"state\":\"verified\"") != std::string::npos);
        CHECK(detail.find("\"earlier\":[{\"provider\":\"busy\"") != std::string::npos);
        const std::string id = records[0].string_or("id", "");
        CHECK(person.code({"ledger", "prove", id, "-o", "verified.evidence"}) == 0);
        // The record has to be kept: the person goes only when somebody says that it must.
        CHECK(person.code({"admin", "subject", "erase", "Example", "user-7", "--reason", "r"}) ==
              1);
        CHECK(person.code({"admin", "subject", "erase", "Example", "user-7", "--reason", "r",
                           "--despite-retention"}) == 0);
        CHECK(person.code({"ledger", "prove", id, "-o", "still.evidence"}) == 0);
        CHECK(person.code({"ledger", "prove", id, "-o", "none", "--open", "account"}) == 1);
        CHECK(person.code({"ledger", "check"}) == 0);
    });
}

// [DSP-10] Whoever owns the database cannot change what it says unseen.
// [DSP-10] [DSP-16]
TEST_CASE("records are found by time, subject, number and digest, and held by order") {
    each_engine([](const Operator& person) {
        REQUIRE(person.code({"admin", "tenant", "create", "Example"}) == 0);
        REQUIRE(person.code({"admin", "tenant", "create", "Other"}) == 0);
        const json::Value user = person.one({"admin", "subject", "add", "Example", "user-1"});
        const std::string subject = user.string_or("subject", "");
        const json::Value all = person.lines({"ledger", "records"}).front();
        const std::string number = all.string_or("id", "");
        CHECK(person.one({"ledger", "records", number}).string_or("id", "") == number);
        CHECK(person.lines({"ledger", "records", "--since", "2026-01-01T00:00:00Z"}).size() == 3);
        CHECK(person.lines({"ledger", "records", "--until", "2026-01-01T00:00:00Z"}).empty());
        CHECK(person.code({"ledger", "records", number, "--kind", "call"}) == 3);
        CHECK(person.lines({"ledger", "records", "--tenant", "Example", "--subject", "user-1"})
                  .empty());
        CHECK(person.code({"ledger", "records", "--subject", "user-1"}) == 64);
        CHECK(person.code({"ledger", "records", "--digest", std::string(64, '0')}) == 3);
        CHECK(person.code({"ledger", "records", "--digest", "0"}) == 64);
        test::write_file(person.dir.file("content"), as_bytes("never said"));
        CHECK(person.code({"ledger", "records", "--file", "content"}) == 3);

        const json::Value hold = person.one({"ledger", "hold", "--tenant", "Example", "--subject",
                                             "user-1", "--reason", "order 2026-17"});
        CHECK(hold.string_or("subject", "") == subject);
        CHECK(person.one({"ledger", "holds"}).string_or("reason", "") == "order 2026-17");
        CHECK(person.one({"ledger", "purge"}).find("holds")->as_int().value() == 1);
        const std::vector<std::string> erase{
            "admin",  "subject",  "erase",   "Example",
            "user-1", "--reason", "request", "--despite-retention"};
        CHECK(person.run(erase).err.find("a legal hold covers this subject") != std::string::npos);
        const std::string id = hold.string_or("hold", "");
        CHECK(person.code({"ledger", "release", id}) == 0);
        CHECK(person.code({"ledger", "release", id}) == 1);
        CHECK(person.code({"ledger", "release", "nothing"}) == 1);
        CHECK(person.lines({"ledger", "holds"}).empty());
        CHECK(person.code(erase) == 0);
        const std::vector<std::string> done = operations(person);
        CHECK(std::ranges::count(done, "hold.place") == 1);
        CHECK(std::ranges::count(done, "hold.lift") == 1);
        CHECK(person.code({"ledger", "hold", "--reason", ""}) == 64);
    });
}

TEST_CASE("rows that were changed behind the program are named by the check") {
    const Operator person(Engine::kSqlite);
    REQUIRE(person.code({"admin", "init"}) == 0);
    for (const char* name : {"A", "B", "C"}) {
        REQUIRE(person.code({"admin", "tenant", "create", name}) == 0);
    }
    CHECK(person.code({"ledger", "check", "data"}) == 0);
    REQUIRE(person.code({"ledger", "checkpoint"}) == 0);
    CHECK(person.code({"ledger", "check", "data"}) == 0);
    CHECK(person
              .shell("python3 -c \"import sqlite3; d = sqlite3.connect('data/colophon.db'); "
                     "d.execute('DELETE FROM records WHERE id = (SELECT record FROM log_entries "
                     "WHERE log = 2 AND entry = 1)'); d.commit()\"")
              .exit_code == 0);
    const test::ToolRun found = person.run({"ledger", "check", "data"});
    CHECK(found.exit_code == 2);
    CHECK_MESSAGE(found.out.find("entry 1: its record ") != std::string::npos, found.out);
    CHECK(person.one({"ledger", "purge"}).find("removed")->as_int().value() == 0);
}

TEST_CASE("the master key is changed, the old one is refused, and a lost one is never replaced") {
    each_engine([](const Operator& person) {
        REQUIRE(person.code({"admin", "tenant", "create", "Example"}) == 0);
        REQUIRE(person.code({"admin", "user", "create", "boss", "--roles", "admin"}) == 0);
        CHECK(person
                  .shell("(umask 077; openssl rand -hex 32 > new.key); (umask 022; openssl rand "
                         "-hex 32 > open.key; chmod 644 open.key)")
                  .exit_code == 0);
        CHECK(person.code({"admin", "keys", "rotate", "--to", "file:open.key"}) == 1);
        const auto after = person.lines({"admin", "keys", "rotate", "--to", "file:new.key"});
        REQUIRE(after.size() == 4);
        CHECK(after[0].string_or("state", "") + after[1].string_or("state", "") == "retiredmaster");
        CHECK(person.code({"admin", "tenant", "create", "Later"}) == 1);
        fs::rename(person.dir.file("new.key"), person.dir.file("data/master.key"));
        CHECK(person.code({"admin", "tenant", "create", "Later"}) == 0);
        CHECK(person.code({"admin", "user", "reset", "boss"}) == 0);
        fs::remove(person.dir.file("data/master.key"));
        const test::ToolRun lost = person.run({"admin", "init"});
        CHECK(lost.exit_code == 1);
        CHECK(lost.err.find("master.key") != std::string::npos);
        CHECK_FALSE(fs::exists(person.dir.file("data/master.key")));
    });
}

// [DSP-10] A log outlives its keys.
TEST_CASE("keys of the logs are changed, SM2 signs beside, and old checkpoints stay good") {
    each_engine([](const Operator& person) {
        REQUIRE(person.code({"admin", "tenant", "create", "Example"}) == 0);
        REQUIRE(person.code({"ledger", "checkpoint", "--log", "conduct", "-o", "old"}) == 0);
        const json::Value sm2 = person.one({"admin", "keys", "add", "--log", "conduct", "--sm2"});
        const json::Value next = person.one({"admin", "keys", "add", "--log", "conduct"});
        const std::string sm2_key = sm2.string_or("key", "");
        const std::string next_key = next.string_or("key", "");
        std::string old_key;
        for (const json::Value& each : person.lines({"admin", "keys", "status"})) {
            const std::string key = each.string_or("key", "");
            if (each.string_or("log", "") == "conduct" && key != sm2_key && key != next_key) {
                old_key = key;
            }
        }
        REQUIRE(person.code({"ledger", "checkpoint", "--log", "conduct", "-o", "both"}) == 0);
        const auto check = [&](const std::string& file, const std::string& key) {
            return person.code({"ledger", "check", file, "--key", key});
        };
        for (const std::string& key : {old_key, next_key, sm2_key}) {
            CHECK(check("both", key) == 0);
        }
        CHECK(openssl_accepts(person, "both", sm2_key));
        const std::string record = person.lines({"ledger", "records"}).back().string_or("id", "");
        REQUIRE(person.code({"ledger", "prove", record, "-o", "first.evidence"}) == 0);
        const test::ToolRun other =
            test::run_tool({"node", COLOPHON_SOURCE_DIR "/tests/witness/evidence.js",
                            COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                            person.dir.file("first.evidence"), next_key});
        CHECK_MESSAGE(other.exit_code == 0, other.out, other.err);
        const std::string id = old_key.substr(old_key.find('+') + 1, 8);
        CHECK(person.one({"admin", "keys", "retire", id}).string_or("state", "") == "retired");
        CHECK(person.code({"admin", "keys", "retire", id}) == 1);
        CHECK(person.code({"admin", "keys", "retire", next_key}) == 1);  // the last one
        REQUIRE(person.code({"ledger", "checkpoint", "--log", "conduct", "-o", "new"}) == 0);
        CHECK(check("new", next_key) == 0);
        CHECK(check("new", old_key) == 2);
        CHECK(check("old", old_key) == 0);
        CHECK(check("old", next_key) == 2);
        CHECK(openssl_accepts(person, "new", sm2_key));
        // The checker takes all keys of a log at once.
        CHECK(person.code({"ledger", "check", "data/objects/ledger/conduct", "--key", old_key,
                           "--key", next_key, "--older", "old", "--older", "both"}) == 0);
        CHECK(person.code({"ledger", "check", "--log", "conduct", "--older", "old"}) == 0);
        const std::vector<std::string> done = operations(person);
        CHECK(std::ranges::count(done, "log_key.add") == 2);
        CHECK(std::ranges::count(done, "log_key.retire") == 1);
        // A changed line is refused by whoever knows its key.
        const std::string text(as_text(test::read_file(person.dir.file("new"))));
        std::string changed = text;
        const std::size_t line = text.rfind(' ') + 20;
        changed[line] = changed[line] == 'A' ? 'B' : 'A';
        test::write_file(person.dir.file("changed"), as_bytes(changed));
        CHECK(check("changed", next_key) + check("changed", sm2_key) == 2);
    });
}

// [DSP-10]
TEST_CASE("a sequencer that is killed at any moment loses nothing and forks nothing" *
          doctest::test_suite("slow")) {
    each_engine([](const Operator& person) {
        const std::string script =
            "for round in 1 2 3 4 5 6 7 8; do\n"
            "  \"$0\" ledger sequence 2>/dev/null & one=$!\n"
            "  \"$0\" ledger sequence 2>/dev/null & two=$!\n"
            "  for n in 1 2 3; do \"$0\" admin tenant create \"T $round-$n\" >/dev/null || exit 9; "
            "done\n"
            "  kill -9 $one $two 2>/dev/null; wait $one $two 2>/dev/null\n"
            "  \"$0\" ledger check --log conduct --json >/dev/null || exit 8\n"
            "  cp data/objects/ledger/conduct/checkpoint kept.$round\n"
            "done\n";
        const test::ToolRun run = person.shell(script);
        REQUIRE_MESSAGE(run.exit_code == 0, run.out, run.err);
        // A lease that a killed process held ends by itself.
        const test::ToolRun rest = person.shell(
            "for n in $(seq 100); do \"$0\" ledger checkpoint --log conduct --json | grep -q "
            "'\"size\":24,' && exit 0; sleep 0.3; done; exit 1");
        CHECK(rest.exit_code == 0);
        std::vector<std::string> check{"ledger", "check", "--log", "conduct"};
        for (int round = 1; round <= 8; ++round) {
            check.insert(check.end(), {"--older", "kept." + std::to_string(round)});
        }
        const test::ToolRun whole = person.run(check);
        CHECK_MESSAGE(whole.exit_code == 0, whole.out, whole.err);
        CHECK(whole.out.find("extends     8 older checkpoints") != std::string::npos);
    });
}

TEST_CASE("places that are missing, doubled or wrong are told before anything is made") {
    const Operator person(Engine::kPostgres);
    const auto with = [&](const std::vector<std::string>& variables) {
        std::vector<std::string> words{"env", "-i", "--chdir=" + person.dir.path().string(),
                                       "PATH=/usr/bin:/bin", "HOME=" + person.dir.file("home")};
        words.insert(words.end(), variables.begin(), variables.end());
        words.insert(words.end(), {COLOPHON_PROGRAM, "admin", "init"});
        return test::run_tool(words);
    };
    const std::string store = person.environment[0];
    CHECK(with({store}).exit_code == 64);
    CHECK(with({store, "COLOPHON_OBJECTS_FOLDER=o"}).exit_code == 64);
    CHECK(with({"COLOPHON_OBJECTS_FOLDER=o", "COLOPHON_OBJECTS_ENDPOINT=https://s3"}).exit_code ==
          64);
    CHECK(with({"COLOPHON_KEYS_SUITE=des"}).exit_code == 64);
    const test::ToolRun bare =
        with({"COLOPHON_OBJECTS_ENDPOINT=http://127.0.0.1:1", "COLOPHON_OBJECTS_BUCKET=b",
              "COLOPHON_OBJECTS_ACCESS_KEY=a", "COLOPHON_OBJECTS_SECRET_KEY=hush-hush"});
    CHECK(bare.exit_code == 64);
    CHECK(bare.err.find("hush") == std::string::npos);
    CHECK(person.code({"admin", "tenant", "list"}) == 1);
}

}  // namespace colophon
