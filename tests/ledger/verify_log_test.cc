// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/sample_log.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using test::check_files;
using test::Files;
using test::SampleLog;
using verify::Finding;
using verify::LogReport;

std::string text_of(const LogReport& report) {
    std::string out;
    for (const Finding& each : report.findings) {
        out += each.code + " " + each.where + ": " + each.what + "\n";
    }
    return out;
}

TEST_CASE("logs of all sizes around full tiles are good, and everything in them was read") {
    for (const std::uint64_t size : {0U, 1U, 2U, 255U, 256U, 257U, 511U, 512U, 513U, 700U}) {
        CAPTURE(size);
        SampleLog log;
        log.grow(size);
        const LogReport report = check_files(log.files());
        CHECK_MESSAGE(report.good, text_of(report));
        CHECK(report.checkpoint.size == size);
        CHECK(report.entries == size);
        CHECK(report.files == verify::files_of_log(size).size());
    }
}

TEST_CASE("the checker and the writer agree on which files a log has") {
    for (const std::uint64_t size : {0U, 1U, 256U, 300U, 65536U, 70000U, 16777217U}) {
        std::vector<std::string> paths;
        for (const Tile& tile : tiles_of(size)) {
            paths.push_back(tile_path(tile));
        }
        CHECK(verify::files_of_log(size) == paths);
    }
}

TEST_CASE("a log of three levels is good on several threads, and tells how far it is" *
          doctest::test_suite("slow")) {
    SampleLog log;
    log.grow(66'000);
    const Files files = log.files();
    std::uint64_t last = 0;
    std::uint64_t all = 0;
    const auto report = verify::check_log(test::fetch_from(files),
                                          {.keys = test::log_keys(),
                                           .older = {},
                                           .threads = 4,
                                           .findings_max = 100,
                                           .progress = [&](std::uint64_t done, std::uint64_t of) {
                                               last = std::max(last, done);
                                               all = of;
                                           }});
    REQUIRE(report.ok());
    CHECK(report->good);
    CHECK(last == 258);
    CHECK(all == 258);
    // A wrong entry below a full level-1 tile is named alone; so are tiles of each level.
    for (const auto& [name, what] :
         std::vector<std::pair<std::string, std::string>>{{"tile/entries/100", "entry 25600 "},
                                                          {"tile/0/100", "hash 0 is wrong"},
                                                          {"tile/1/000", "hash 0 is wrong"},
                                                          {"tile/2/000.p/1", "hash 0 is wrong"}}) {
        Files wrong = files;
        wrong.at(name)[2] ^= 0x01U;
        const LogReport bad = check_files(wrong);
        REQUIRE(bad.findings_count == 1);
        CHECK(bad.findings[0].where == name);
        CHECK(bad.findings[0].what.find(what) != std::string::npos);
    }
}

TEST_CASE("a changed entry is named, and only that one") {
    SampleLog log;
    log.grow(600);
    for (const std::uint64_t index : {0U, 255U, 256U, 511U, 512U, 599U}) {
        Files files = log.files();
        const Tile bundle{.kind = TileKind::kEntries,
                          .level = 0,
                          .index = index / 256,
                          .width = index / 256 == 2 ? 88U : 256U};
        Buffer& bytes = files.at(tile_path(bundle));
        std::size_t at = 2;
        for (std::uint64_t i = bundle.index * 256; i < index; ++i) {
            at += 2 + log.entries[i].size();
        }
        bytes[at] ^= 0x20U;
        const LogReport report = check_files(files);
        CHECK_FALSE(report.good);
        REQUIRE_MESSAGE(report.findings_count == 1, text_of(report));
        CHECK(report.findings[0].code == "ledger.entry");
        CHECK(report.findings[0].where == tile_path(bundle));
        CHECK(report.findings[0].what.starts_with("entry " + std::to_string(index) + " (number " +
                                                  std::to_string(index % 256) +
                                                  " of the bundle) is not the one"));
    }
}

TEST_CASE("a changed hash in a tile of any level is named, and only that one") {
    SampleLog log;
    log.grow(600);
    for (const std::string_view name :
         {"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"}) {
        Files files = log.files();
        Buffer& bytes = files.find(name)->second;
        bytes[bytes.size() - 1] ^= 0x80U;
        const LogReport report = check_files(files);
        REQUIRE_MESSAGE(report.findings_count == 1, text_of(report));
        CHECK(report.findings[0].code == "ledger.tile");
        CHECK(report.findings[0].where == name);
        CHECK(report.findings[0].what.starts_with("hash " + std::to_string(bytes.size() / 32 - 1) +
                                                  " is wrong"));
    }
}

TEST_CASE("two faults at once are both named") {
    SampleLog log;
    log.grow(600);
    Files files = log.files();
    files.at("tile/entries/000")[2] ^= 0x01U;
    files.at("tile/0/001")[0] ^= 0x01U;
    const LogReport report = check_files(files);
    CHECK(report.findings_count == 2);
    const std::string text = text_of(report);
    CHECK_MESSAGE(text.find("ledger.entry tile/entries/000: entry 0 ") != std::string::npos, text);
    CHECK_MESSAGE(text.find("ledger.tile tile/0/001: ") != std::string::npos, text);
}

TEST_CASE("each file that is missing, cut, longer or another one is named") {
    SampleLog log;
    log.grow(600);
    const Files files = log.files();
    for (const auto& [name, content] : files) {
        CAPTURE(name);
        std::vector<Files> wrong(4, files);
        wrong[0].erase(name);
        wrong[1].at(name).pop_back();
        wrong[2].at(name).push_back(0x0A);
        // Another file of the same log in its place.
        const std::string other = name == "tile/0/000"              ? "tile/0/001"
                                  : name == "tile/0/001"            ? "tile/0/000"
                                  : name == "tile/entries/000"      ? "tile/entries/001"
                                  : name == "tile/entries/001"      ? "tile/entries/000"
                                  : name == "tile/entries/002.p/88" ? "tile/0/002.p/88"
                                                                    : "tile/entries/002.p/88";
        wrong[3].at(name) = files.at(other);
        for (const Files& each : wrong) {
            const LogReport report = check_files(each);
            CHECK_FALSE(report.good);
            const bool named = std::ranges::any_of(
                report.findings, [&](const Finding& finding) { return finding.where == name; });
            CHECK_MESSAGE(named, text_of(report));
        }
    }
    // Two bundles exchanged.
    Files swapped = files;
    std::swap(swapped.at("tile/entries/000"), swapped.at("tile/entries/001"));
    CHECK(check_files(swapped).findings_count == 512);
}

TEST_CASE("a checkpoint of before, beside files of now, is good: files may be ahead") {
    SampleLog log;
    const std::string older = log.grow(250);
    log.grow(350);
    Files files = log.files();
    files["checkpoint"] = to_buffer(older);
    const LogReport report = check_files(files);
    CHECK_MESSAGE(report.good, text_of(report));
    CHECK(report.checkpoint.size == 250);
    CHECK(report.entries == 250);
}

TEST_CASE("a log that extends the checkpoints that somebody kept says so") {
    SampleLog log;
    std::vector<std::string> kept;
    for (const std::uint64_t count : {0U, 1U, 254U, 1U, 1U, 300U, 43U}) {
        kept.push_back(log.grow(count));
    }
    const LogReport report = check_files(log.files(), kept);
    CHECK_MESSAGE(report.good, text_of(report));
    CHECK(report.older_good == kept.size());
}

TEST_CASE(
    "a history that was rewritten is found by whoever kept a checkpoint, and by nobody else") {
    SampleLog first;
    const std::string kept = first.grow(300);
    SampleLog second;
    second.grow(400, [&](std::uint64_t i) {
        return to_buffer(i == 17 ? std::string("something else") : "entry " + std::to_string(i));
    });
    CHECK(check_files(second.files()).good);
    const LogReport report = check_files(second.files(), {kept});
    REQUIRE(report.findings_count == 1);
    CHECK(report.findings[0].code == "ledger.history");
    CHECK(report.findings[0].where == "older checkpoint 1");
    CHECK(report.findings[0].what ==
          "its 300 entries are not the first 300 of this log: the history was rewritten");
    // The log was cut.
    SampleLog shorter;
    shorter.grow(299);
    CHECK(check_files(shorter.files(), {kept}).findings[0].what ==
          "has 300 entries, and this log only 299: entries were taken away");
}

TEST_CASE("another key, a changed checkpoint and somebody else's log are bad") {
    SampleLog log;
    log.grow(10);
    const Files files = log.files();
    const auto by_other = verify::check_log(test::fetch_from(files), {.keys = test::log_keys(2),
                                                                      .older = {},
                                                                      .threads = 1,
                                                                      .findings_max = 10,
                                                                      .progress = {}})
                              .value();
    CHECK(text_of(by_other) ==
          "ledger.signature checkpoint: no key of the log that you gave signed it\n");
    Files resized = files;
    Buffer& note = resized.at("checkpoint");
    note[std::string(as_text(note)).find("\n10\n") + 2] = '1';
    CHECK(check_files(resized).findings[0].what.starts_with(
        "the signature of log.example/records is wrong"));
}

TEST_CASE("a signed root that is of other entries is said to be so") {
    SampleLog one;
    one.grow(300);
    SampleLog two;
    two.grow(300, [](std::uint64_t i) { return to_buffer("x" + std::to_string(i)); });
    Files files = one.files();
    files["checkpoint"] = two.files().at("checkpoint");
    const LogReport report = check_files(files);
    REQUIRE(report.findings_count == 1);
    CHECK(report.findings[0].code == "ledger.root");
    CHECK(report.findings[0].where == "checkpoint");
}

TEST_CASE("many findings are counted and the first are listed") {
    SampleLog log;
    log.grow(256);
    Files files = log.files();
    Buffer& tile = files.at("tile/0/000");
    for (std::size_t i = 0; i < tile.size(); i += 32) {
        tile[i] ^= 0x01U;
    }
    const LogReport report = check_files(files);
    CHECK(report.findings_count == 256);
    CHECK(report.findings.size() == 100);
}

TEST_CASE("a file that is there and cannot be read is an error and no verdict") {
    SampleLog log;
    log.grow(300);
    const Files files = log.files();
    for (const std::string_view name : {"checkpoint", "tile/0/001.p/44", "tile/1/000.p/1"}) {
        const verify::Fetch fetch = [&](const std::string& each) -> Result<std::optional<Buffer>> {
            if (each == name) {
                return Error{ErrorCode::kUnavailable, "the host does not answer"};
            }
            return test::fetch_from(files)(each);
        };
        const auto report = verify::check_log(fetch, {.keys = test::log_keys(),
                                                      .older = {},
                                                      .threads = 3,
                                                      .findings_max = 100,
                                                      .progress = {}});
        REQUIRE_FALSE(report.ok());
        CHECK(report.error().what == "the host does not answer");
    }
}

// [DSP-10] The logs that are kept hold up: no bit of them can change unseen.
TEST_CASE("every bit of a log of 300 entries counts, and the place of each flip is named" *
          doctest::test_suite("slow")) {
    SampleLog log;
    log.grow(300, [](std::uint64_t i) { return encode_leaf(test::make_leaf(i).leaf).value(); });
    Files files = log.files();
    std::uint64_t flips = 0;
    for (auto& [name, content] : files) {
        // Each bit at the start of a file, then every other one: all bytes, in bounded time.
        for (std::size_t bit = 0; bit < content.size() * 8; bit += bit < 8192 ? 1U : 2U) {
            content[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            const LogReport report = check_files(files);
            content[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            REQUIRE_FALSE(report.good);
            REQUIRE_FALSE(report.findings.empty());
            const bool named = std::ranges::all_of(
                report.findings, [&](const Finding& finding) { return finding.where == name; });
            REQUIRE_MESSAGE(named, name, " bit ", bit, "\n", text_of(report));
            ++flips;
        }
    }
    MESSAGE(flips, " flips, all found and named");
    CHECK(flips > 200'000);
}

}  // namespace
}  // namespace colophon::ledger
