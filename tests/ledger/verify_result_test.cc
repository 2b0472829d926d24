// SPDX-License-Identifier: Apache-2.0
// Signed results of verifications: what the page on the format says is accepted, whatever differs
// from it in one place is not, and the reason is named.

#include "core/bytes.h"
#include "core/digest.h"
#include "ledger/note.h"
#include "ledger/sample_log.h"
#include "ledger/verify/result.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace colophon::ledger {
namespace {

constexpr std::string_view kHead = "colophon verification 1\n";

Digest256 content() {
    return sha256(as_bytes("a picture"));
}

std::string body() {
    return R"({"content":{"sha256":")" + to_hex(content()) +
           R"(","bytes":9},"detector":"colophon/0.1.0","time":"2026-11-28T06:00:00.000Z",)"
           R"("record":"01a220d3885bd6eb1e131bf13813ed6c","verification":{"verdict":"intact"}})";
}

std::string signed_note(const std::string& text, std::uint64_t seed = 1) {
    const Note note{.text = text, .signatures = {test::log_signer(seed).sign(text).value()}};
    return format_note(note);
}

std::string code_of(const std::string& note, std::optional<Digest256> about = std::nullopt) {
    const auto report = verify::check_result(note, test::log_keys(), about);
    CHECK(report.good == report.findings.empty());
    return report.good ? "" : report.findings.at(0).code;
}

TEST_CASE("a signed result says what was found in which file, and when") {
    const std::string note = signed_note(std::string(kHead) + body() + "\n");
    CHECK(verify::is_result(note));
    const auto report = verify::check_result(note, test::log_keys(), content());
    REQUIRE(report.good);
    CHECK(report.sha256 == to_hex(content()));
    CHECK(report.bytes == 9);
    CHECK(report.detector == "colophon/0.1.0");
    CHECK(report.time == "2026-11-28T06:00:00.000Z");
    CHECK(report.record == "01a220d3885bd6eb1e131bf13813ed6c");
    CHECK(report.verification.string_or("verdict", "") == "intact");
    CHECK(report.signers == std::vector<std::string>{std::string(test::kLogName)});
    CHECK(code_of(note) == "");
    CHECK(code_of(note, sha256(as_bytes("another picture"))) == "ledger.content");
}

TEST_CASE("a result that was changed, or that somebody else signed, is not taken") {
    const std::string note = signed_note(std::string(kHead) + body() + "\n");
    std::string changed = note;
    changed.replace(changed.find("intact"), 6, "absent");
    CHECK(code_of(changed) == "ledger.signature");
    CHECK(code_of(signed_note(std::string(kHead) + body() + "\n", 2)) == "ledger.signature");
    for (std::size_t size = 0; size < note.size(); ++size) {
        CHECK(code_of(note.substr(0, size)) != "");
    }
}

TEST_CASE("what a key of the log signed is no result unless it has the form of one") {
    const std::string good = body();
    const auto without = [&](std::string_view part, std::string_view by) {
        std::string text = good;
        text.replace(text.find(part), part.size(), by);
        return std::string(kHead) + text + "\n";
    };
    for (const std::string& text :
         {std::string(kHead), "colophon verification 2\n" + good + "\n", good + "\n",
          std::string(kHead) + good + "\n" + good + "\n", std::string(kHead) + "{}\n",
          std::string(kHead) + "[1]\n", std::string(kHead) + "{\n",
          without("\"bytes\":9", "\"b\":9"), without("\"bytes\":9", "\"bytes\":-9"),
          without("sha256", "sha512"), without(to_hex(content()), "abc"),
          without("{\"verdict\":\"intact\"}", "1"), without("colophon/0.1.0", ""),
          without("\"time\"", "\"tide\"")}) {
        CAPTURE(text);
        CHECK(code_of(signed_note(text)) == "ledger.result");
    }
}

}  // namespace
}  // namespace colophon::ledger
