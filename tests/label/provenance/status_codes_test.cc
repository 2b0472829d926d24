// SPDX-License-Identifier: Apache-2.0
// Every status code of the specification (C2PA 2.4, 15.2.2): that a file which deserves it gets it,
// what c2pa-rs says of that file, and that the reference tells the truth about it.

#include "label/provenance/status_codes.h"

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/credential.h"
#include "label/provenance/signers.h"
#include "label/provenance/status_rows.h"
#include "label/provenance/validate.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance {
namespace {

using test::StatusCase;
using test::StatusRow;

// Given by what fetches, or of movies in several files: these have their tests elsewhere, in which
// the code stands.
constexpr std::array kElsewhere{
    std::pair<std::string_view, std::string_view>{"manifest.inaccessible",
                                                  "tests/e2e/remote_manifest_test.cc"},
    std::pair<std::string_view, std::string_view>{"livevideo.assertion.invalid",
                                                  "tests/label/provenance/live_video_test.cc"},
    std::pair<std::string_view, std::string_view>{"livevideo.continuityMethod.invalid",
                                                  "tests/label/provenance/live_video_test.cc"},
    std::pair<std::string_view, std::string_view>{"livevideo.init.invalid",
                                                  "tests/label/provenance/live_video_test.cc"},
    std::pair<std::string_view, std::string_view>{"livevideo.manifest.invalid",
                                                  "tests/label/provenance/live_video_test.cc"},
    std::pair<std::string_view, std::string_view>{"livevideo.segment.invalid",
                                                  "tests/label/provenance/live_video_test.cc"},
    std::pair<std::string_view, std::string_view>{"livevideo.sessionkey.invalid",
                                                  "tests/label/provenance/live_video_test.cc"},
};

// Where c2pa-rs judges otherwise; why stands in docs/reference/status-codes.md.
struct Differing {
    std::string_view code;
    bool they_trust;
};
constexpr std::array kDiffering{
    Differing{"assertion.action.redactionMismatch", true},
    Differing{"assertion.alternativeContentRepresentation.hashMismatch", true},
    Differing{"assertion.alternativeContentRepresentation.malformed", true},
    Differing{"assertion.alternativeContentRepresentation.missing", true},
    Differing{"assertion.boxesHash.unknownBox", true},
    Differing{"assertion.cloud-data.labelMismatch", true},
    Differing{"assertion.external-reference.hashMismatch", true},
    Differing{"assertion.external-reference.labelMismatch", true},
    Differing{"assertion.multiAssetHash.match", false},
    Differing{"assertion.timestamp.malformed", true},
    Differing{"manifest.multipleParents", true},
    Differing{"manifest.update.wrongParents", true},
};

std::vector<StatusRow> all_rows() {
    std::vector<StatusRow> rows;
    for (const auto& make :
         {test::claim_rows, test::assertion_rows, test::binding_rows, test::signature_rows}) {
        for (StatusRow& each : make()) {
            rows.push_back(std::move(each));
        }
    }
    return rows;
}

bool has(const std::vector<Status>& statuses, std::string_view code) {
    return std::ranges::find(statuses, code, &Status::code) != statuses.end();
}

std::string all_codes(const CredentialReading& reading) {
    std::string text;
    for (const Status& each : reading.statuses) {
        text += each.code + " ";
    }
    for (const IngredientReport& below : reading.ingredients) {
        for (const Status& each : below.statuses) {
            text += "(" + each.code + ") ";
        }
    }
    return text;
}

bool is_elsewhere(std::string_view code) {
    return std::ranges::any_of(kElsewhere, [&](const auto& row) { return row.first == code; });
}

TEST_CASE("each status code is given to a file that deserves it" *
          doctest::test_suite("slow pictures")) {
    std::set<std::string_view> seen;
    for (const StatusRow& row : all_rows()) {
        CAPTURE(row.code);
        const StatusCode* known = find_status_code(row.code);
        REQUIRE(known != nullptr);
        REQUIRE(known->given.has_value());
        const StatusCase made = row.make();
        bool found = has(made.reading.statuses, row.code);
        for (const IngredientReport& each : made.reading.ingredients) {
            found = found || has(each.statuses, row.code);
        }
        CHECK_MESSAGE(found, all_codes(made.reading));
        // A failure of any kind but one makes it invalid; a success of itself does not.
        const bool fails =
            *known->given == StatusKind::kFailure && row.code != "signingCredential.untrusted";
        CHECK_MESSAGE((!fails || !made.reading.intact()), all_codes(made.reading));
        seen.insert(row.code);
    }
    for (const StatusCode& each : all_status_codes()) {
        CAPTURE(each.code);
        CHECK((seen.contains(each.code) || is_elsewhere(each.code)) == each.given.has_value());
    }
    for (const auto& [code, file] : kElsewhere) {
        CAPTURE(code);
        const std::string text(
            as_text(colophon::test::read_file(COLOPHON_SOURCE_DIR "/" + std::string(file))));
        CHECK(text.find(code) != std::string::npos);
    }
}

// c2pa-rs of the files that one authority signed: each of its words about one of them.
std::map<std::string, std::string> asked(const colophon::test::TempDir& dir,
                                         const std::vector<std::string>& files) {
    const std::string anchors = dir.file("root.pem");
    colophon::test::write_file(anchors, as_bytes(test::forge_authority().root.certificate_pem));
    std::vector<std::string> command{"timeout",
                                     "200",
                                     "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/codes.mjs",
                                     COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                                     anchors};
    command.insert(command.end(), files.begin(), files.end());
    const std::string out = colophon::test::run_tool_ok(command);
    std::map<std::string, std::string> answers;
    for (std::size_t at = 0; at < out.size();) {
        const std::size_t end = std::min(out.find('\n', at), out.size());
        const std::string line = out.substr(at, end - at);
        answers[line.substr(0, line.find(' '))] = line.substr(line.find(' ') + 1);
        at = end + 1;
    }
    return answers;
}

TEST_CASE("c2pa-rs judges the files like this program, but where the reference says why not" *
          doctest::test_suite("slow pictures")) {
    const colophon::test::TempDir dir;
    std::map<std::string, CredentialReading> ours;
    std::map<std::string, std::string_view> codes;
    std::vector<std::string> files;
    for (const auto& make : {test::claim_rows, test::assertion_rows, test::binding_rows}) {
        for (const StatusRow& row : make()) {
            StatusCase made = row.make();
            const Carrier* carrier = find_carrier(made.format);
            if (!test::others_read(*carrier)) {
                continue;
            }
            const std::string name =
                std::string(row.code) + "." + std::string(facts(made.format).name);
            colophon::test::write_file(dir.file(name), made.file);
            files.push_back(dir.file(name));
            codes[name] = row.code;
            ours.emplace(name, std::move(made.reading));
        }
    }
    const auto theirs = asked(dir, files);
    CHECK(theirs.size() == files.size());
    std::size_t same = 0;
    for (const auto& [name, answer] : theirs) {
        CAPTURE(name);
        CAPTURE(answer);
        const CredentialReading& reading = ours.at(name);
        const std::string_view code = codes[name];
        const bool named =
            (" " + answer + " ").find(" " + std::string(code) + " ") != std::string::npos;
        same += named ? 1U : 0U;
        const auto known = std::ranges::find(kDiffering, code, &Differing::code);
        const bool trusts = answer.starts_with("Trusted");
        CHECK(trusts == (known == kDiffering.end() ? reading.trusted() : known->they_trust));
        CHECK(reading.trusted() == (known == kDiffering.end() ? trusts : !known->they_trust));
    }
    CHECK(same >= 25);
}

// | `code` | kind | given as | when |
TEST_CASE("the reference lists every status code, and says as what it is given") {
    std::string page(
        as_text(colophon::test::read_file(COLOPHON_SOURCE_DIR "/docs/reference/status-codes.md")));
    page.resize(std::min(page.find("\n## "), page.size()));
    constexpr std::array<std::string_view, 3> kKinds{"success", "informational", "failure"};
    std::size_t rows = 0;
    for (std::size_t at = page.find("\n| `"); at != std::string::npos;
         at = page.find("\n| `", at + 1)) {
        ++rows;
    }
    CHECK(rows == all_status_codes().size());
    for (const StatusCode& each : all_status_codes()) {
        const std::string_view kind = kKinds[static_cast<std::size_t>(each.kind)];
        const std::string_view given =
            each.given ? kKinds[static_cast<std::size_t>(*each.given)] : "never";
        const std::string row = "\n| `" + std::string(each.code) + "` | " + std::string(kind) +
                                " | " + std::string(given) + " | ";
        CHECK_MESSAGE(page.find(row) != std::string::npos, row);
    }
}

}  // namespace
}  // namespace colophon::label::provenance
