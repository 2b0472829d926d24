// SPDX-License-Identifier: Apache-2.0
// `colophon ledger` as a person uses it, and other people's verifiers as witnesses of our logs.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "support/json_answer.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

using test::object_of;

namespace fs = std::filesystem;

struct DemoLog {
    test::TempDir dir;
    std::string key;

    explicit DemoLog(const std::string& entries = "1000") {
        test::run_tool_ok({COLOPHON_DEMO_LOG, dir.path().string(), entries});
        key = std::string(as_text(test::read_file(dir.file("log.key"))));
        key.pop_back();
    }
    test::ToolRun colophon(std::vector<std::string> arguments) const {
        std::vector<std::string> command{"env",
                                         "-i",
                                         "-C",
                                         dir.path().string(),
                                         "PATH=/usr/bin:/bin",
                                         "LANG=C.UTF-8",
                                         COLOPHON_PROGRAM,
                                         "ledger"};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return test::run_tool(command);
    }
};

// A key of type 0x04, by the definition of its text.
std::string witness_key() {
    Buffer named = to_buffer("witness.example\n");
    Buffer key{0x04};
    key.insert(key.end(), 32, 0x5A);
    append(named, key);
    return "witness.example+" + to_hex(Bytes(sha256(named)).first(4)) + "+" + to_base64(key);
}

// [DSP-10] What is logged can be checked by anybody, and shown to have been logged.
TEST_CASE("a log is checked, kept, proved and exported with nothing but its key") {
    const DemoLog log;
    const test::ToolRun good = log.colophon({"check", "log", "--key", "log.key", "--json"});
    REQUIRE_MESSAGE(good.exit_code == 0, good.out, good.err);
    const json::Value report = object_of(good.out);
    CHECK(report.string_or("verdict", "") == "good");
    CHECK(report.find("entries_read")->as_uint().value() == 1000);
    const test::ToolRun older =
        log.colophon({"check", "log", "--key", log.key, "--older", "kept.checkpoint"});
    CHECK(older.exit_code == 0);
    CHECK(older.out.find("extends     1 older checkpoints") != std::string::npos);
    CHECK(log.colophon({"checkpoint", "log", "--key", log.key, "-o", "now.checkpoint"}).exit_code ==
          0);
    CHECK(test::read_file(log.dir.file("now.checkpoint")) ==
          test::read_file(log.dir.file("log/checkpoint")));
    const test::ToolRun proved =
        log.colophon({"prove", "log", "417", "-o", "417.evidence", "--key", log.key});
    CHECK_MESSAGE(proved.exit_code == 0, proved.out, proved.err);
    const test::ToolRun checked = log.colophon({"check", "417.evidence", "--key", log.key});
    CHECK(checked.exit_code == 0);
    CHECK(checked.out.find("object      content-417") != std::string::npos);
    CHECK(log.colophon({"export", "log", "-o", "copy", "--key", log.key}).exit_code == 0);
    CHECK(log.colophon({"check", "copy", "now.checkpoint", "--key", log.key}).exit_code == 0);
    CHECK(log.colophon({"export", "log", "-o", "copy", "--key", log.key}).exit_code == 1);
}

TEST_CASE("a broken log gives 2 and names the place, wrong usage 64, a missing file 1") {
    const DemoLog log;
    Buffer bundle = test::read_file(log.dir.file("log/tile/entries/001"));
    bundle[100] ^= 0x01U;
    test::write_file(log.dir.file("log/tile/entries/001"), bundle);
    const test::ToolRun bad = log.colophon({"check", "log", "--key", log.key});
    CHECK(bad.exit_code == 2);
    CHECK_MESSAGE(
        bad.out.find("tile/entries/001: entry 256 (number 0 of the bundle)") != std::string::npos,
        bad.out);
    CHECK(log.colophon({"export", "log", "-o", "copy", "--key", log.key}).exit_code == 2);
    CHECK_FALSE(fs::exists(log.dir.file("copy")));
    CHECK(log.colophon({"prove", "log", "256", "-o", "x", "--key", log.key}).exit_code == 2);
    CHECK_FALSE(fs::exists(log.dir.file("x")));
    CHECK(log.colophon({"check", "log"}).exit_code == 64);
    CHECK(log.colophon({"check", "log", "--key", "a+b+c"}).exit_code == 64);
    CHECK(log.colophon({"check"}).exit_code == 1);  // no installation lies here
    CHECK(log.colophon({}).exit_code == 64);
    CHECK(log.colophon({"check", "nothing", "--key", log.key}).exit_code == 1);
    CHECK(log.colophon({"prove", "log", "1000", "-o", "x", "--key", log.key}).exit_code == 1);
}

TEST_CASE("a proof without its entry asks for it, and a policy for its witnesses") {
    const DemoLog log;
    CHECK(log.colophon({"prove", "log", "3", "--bare", "-o", "3.tlog-proof", "--key", log.key})
              .exit_code == 0);
    CHECK(log.colophon({"check", "3.tlog-proof", "--key", log.key}).exit_code == 2);
    const std::string none = "log " + log.key + "\nquorum none\n";
    test::write_file(log.dir.file("none.policy"), as_bytes(none));
    CHECK(log.colophon({"check", "log", "--policy", "none.policy"}).exit_code == 0);
    const std::string some = "log " + log.key + "\nwitness W " + witness_key() + "\nquorum W\n";
    test::write_file(log.dir.file("some.policy"), as_bytes(some));
    const test::ToolRun refused = log.colophon({"check", "log", "--policy", "some.policy"});
    CHECK(refused.exit_code == 2);
    CHECK(refused.out.find("fewer witnesses signed than the policy asks for") != std::string::npos);
    test::write_file(log.dir.file("bad.policy"), as_bytes("quorum\n"));
    const test::ToolRun bad = log.colophon({"check", "log", "--policy", "bad.policy"});
    CHECK(bad.exit_code == 64);
    CHECK(bad.err.find("bad.policy: policy: line 1") != std::string::npos);
}

TEST_CASE("@sigstore/verify accepts our evidence and refuses it with any change") {
    const DemoLog log;
    for (const std::string_view index : {"1", "255", "256", "998"}) {
        const std::string file = log.dir.file(std::string(index) + ".evidence");
        REQUIRE(log.colophon({"prove", "log", std::string(index), "-o", file, "--key", log.key})
                    .exit_code == 0);
        const test::ToolRun run =
            test::run_tool({"node", COLOPHON_SOURCE_DIR "/tests/witness/evidence.js",
                            COLOPHON_SOURCE_DIR "/build/witness/node_modules", file, log.key});
        CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
        CHECK(run.out.starts_with("accepted: the evidence\n"));
    }
}

TEST_CASE("Go's checksum database packages accept a log of 100,000 entries, and no changed one" *
          doctest::test_suite("slow")) {
    if (!fs::exists("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog") ||
        test::run_tool({"sh", "-c", "command -v go"}).exit_code != 0) {
        MESSAGE("not tried: golang-go and golang-golang-x-mod-dev are not installed");
        return;
    }
    const DemoLog log("100000");
    const auto go = [&] {
        return test::run_tool({"env", "GO111MODULE=off", "GOPATH=/usr/share/gocode",
                               "GOCACHE=" + log.dir.file("cache"), "GOFLAGS=", "go", "run",
                               COLOPHON_SOURCE_DIR "/tests/witness/sumdb/main.go",
                               log.dir.file("log"), log.key, log.dir.file("kept.checkpoint")});
    };
    const test::ToolRun run = go();
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
    CHECK(run.out == "100000 entries, 394 tiles, 500 proofs, extends 50000\n");
    Buffer tile = test::read_file(log.dir.file("log/tile/0/100"));
    tile[5000] ^= 0x01U;
    test::write_file(log.dir.file("log/tile/0/100"), tile);
    CHECK(go().exit_code == 1);
}

}  // namespace
}  // namespace colophon
