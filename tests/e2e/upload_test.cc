// SPDX-License-Identifier: Apache-2.0
// Files that come to /v1/labels and /v1/verifications in a form, and results that are signed.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

using test::object_of;
using test::RunningService;

std::string error_of(const std::string& body) {
    return test::error_code(object_of(body));
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("a file in a form is labelled and verified as the same file alone") {
        RunningService running;
        running.start();
        const std::string in = running.dir.file("in.png");
        const std::string out = running.dir.file("out.png");
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, in});
        CHECK(running.curl({running.url("/v1/labels"), "-F", "origin=edited", "-F", "file=@" + in,
                            "-F", "service=face", "-o", out, "-w", "%{http_code}"}) == "200");
        const json::Value seen = object_of(running.ok({"verify", "--json", out}));
        CHECK(seen.string_or("verdict", "") == "intact");
        CHECK(seen.find("explicit")->string_or("text", "") == "AI合成");
        const json::Value answer =
            object_of(running.curl({running.url("/v1/verifications"), "-F", "file=@" + out}));
        CHECK(answer.string_or("file", "") == "out.png");
        CHECK(answer.string_or("verdict", "") == "intact");
        CHECK(answer.find("signed") == nullptr);
        // The record is about the file, not about the form.
        const std::string known = running.ok({"ledger", "records", "--json", "--file", out});
        CHECK(known.find("labels.create") != std::string::npos);
        CHECK(known.find("verifications.create") != std::string::npos);
        const std::string named =
            running.curl({running.url("/v1/verifications?name=asked.png"), "-F", "file=@" + out});
        CHECK(object_of(named).string_or("file", "") == "asked.png");
        // What two readers could understand differently, what is too long, and what nobody asked
        // for.
        const std::string file = "file=@" + in;
        for (const std::vector<std::string>& wrong :
             {std::vector<std::string>{"-F", "service=face"},
              {"-F", file, "-F", file},
              {"-F", "file=words"},
              {"-F", "picture=@" + in},
              {"-F", file, "-F", "color=red"},
              {"-F", file, "-F", "signed=true"},
              {"-F", file, "-F", "origin=painted"},
              {"-F", file, "-F", "name=" + std::string(5000, 'n')},
              {"-F", file, "-F", "origin=edited", "-F", "origin=edited"}}) {
            std::vector<std::string> words{running.url("/v1/labels")};
            words.insert(words.end(), wrong.begin(), wrong.end());
            CHECK(error_of(running.curl(words)) == "invalid_request");
        }
        CHECK(error_of(running.curl({running.url("/v1/labels?origin=edited"), "-F", file, "-F",
                                     "origin=edited"})) == "invalid_request");
        CHECK(error_of(running.curl({running.url("/v1/labels"), "-H",
                                     "Content-Type: Multipart/Form-Data; boundary=x",
                                     "--data-binary", "--y"})) == "invalid_request");
    }

    TEST_CASE("the result of a verification is signed where that is asked for") {
        RunningService running;
        running.start();
        const std::string in = running.dir.file("in.png");
        const std::string out = running.dir.file("out.png");
        const std::string note = running.dir.file("out.result");
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, in});
        running.curl({running.url("/v1/labels"), "--data-binary", "@" + in, "-o", out});
        const json::Value answer =
            object_of(running.curl({running.url("/v1/verifications?signed=true&name=out.png"),
                                    "--data-binary", "@" + out}));
        const std::string text = answer.string_or("signed", "");
        REQUIRE(text.starts_with("colophon verification 1\n{\"content\":{\"sha256\":\""));
        test::write_file(note, as_bytes(text));
        const json::Value checkpoint =
            object_of(running.ok({"ledger", "checkpoint", "--log", "service", "--json"}));
        const std::string vkey = *(*checkpoint.find("keys")->if_array())[0].if_string();
        const auto check = [&](const std::string& file, const std::string& content) {
            return running.colophon(
                {"ledger", "check", file, "--key", vkey, "--content", content, "--json"});
        };
        const test::ToolRun run = check(note, out);
        CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
        const json::Value seen = object_of(run.out);
        CHECK(seen.string_or("kind", "") == "result");
        CHECK(seen.string_or("verdict", "") == "good");
        CHECK(seen.find("content")->string_or("sha256", "") ==
              to_hex(sha256(test::read_file(out))));
        CHECK(seen.find("verification")->string_or("verdict", "") == "intact");
        CHECK(running.ok({"ledger", "records", "--json"}).find(seen.string_or("record", "none")) !=
              std::string::npos);
        const test::ToolRun plain = running.colophon({"ledger", "check", note, "--key", vkey});
        CHECK(plain.out.find("intact") != std::string::npos);
        CHECK(check(note, in).exit_code == 2);
        CHECK(check(note, in).out.find("ledger.content") != std::string::npos);
        CHECK(check(note, running.dir.file("none")).exit_code == 1);
        std::string changed = text;
        changed.replace(changed.find("intact"), 6, "forged");
        test::write_file(note, as_bytes(changed));
        CHECK(check(note, out).exit_code == 2);
        // OpenSSL, by nothing but what the page on the format says.
        const std::size_t blank = text.rfind("\n\n");
        const std::string line = text.substr(blank + 2, text.find('\n', blank + 2) - blank - 2);
        const Buffer signature = from_base64(line.substr(line.rfind(' ') + 1)).value();
        const Buffer key = from_base64(vkey.substr(vkey.find('+', vkey.find('+') + 1) + 1)).value();
        Buffer spki = from_hex("302A300506032B6570032100").value();
        append(spki, Bytes(key).subspan(1));
        test::write_file(running.dir.file("key.der"), spki);
        test::write_file(running.dir.file("signature"), Bytes(signature).subspan(4));
        const auto openssl = [&](std::string_view said) {
            test::write_file(running.dir.file("text"), as_bytes(said));
            return test::run_tool({"openssl", "pkeyutl", "-verify", "-pubin", "-inkey",
                                   running.dir.file("key.der"), "-keyform", "DER", "-rawin", "-in",
                                   running.dir.file("text"), "-sigfile",
                                   running.dir.file("signature")})
                .exit_code;
        };
        CHECK(openssl(text.substr(0, blank + 1)) == 0);
        CHECK(openssl(text.substr(0, blank)) != 0);
        CHECK(error_of(running.curl({running.url("/v1/verifications?signed=yes"), "--data-binary",
                                     "@" + out})) == "invalid_request");
    }
}

}  // namespace colophon
