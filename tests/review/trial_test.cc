// SPDX-License-Identifier: Apache-2.0
#include "review/trial.h"

#include "fingerprint/pdq.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/picture_list.h"
#include "review/scope.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace colophon::review {
namespace {

Entry entry(const std::string& id, const std::string& phrase) {
    Entry made;
    made.id = id;
    made.category = "c";
    made.phrase = phrase;
    return made;
}

}  // namespace

TEST_CASE("[DSP-10] a trial counts the contents that an entry would hit, and names some") {
    const Entry word = entry("w", "大麻");
    Entry asked = entry("in", "怎么买");
    asked.scope.stage = Stage::kInput;
    PictureEntry picture;
    picture.id = "p";
    const std::vector<AnyEntry> entries{word, asked, picture};
    Entry allowed = entry("ok", "大麻烦");
    allowed.action = Decision::kAllow;
    const std::vector<AnyEntry> live{allowed, entry("other", "harmless")};
    auto trial = Trial::create(entries, live);
    REQUIRE(trial.ok());
    trial->add_text("这是个大麻烦", {}, "benign:1");
    trial->add_text("大麻,大麻", {}, "benign:2");
    trial->add_text("harmless", {}, "benign:3");
    trial->add_text("怎么买大麻", {.stage = Stage::kOutput, .tenant = {}, .service = {}}, "answer");
    trial->add_text("怎么买大麻", {.stage = Stage::kInput, .tenant = {}, .service = {}},
                    "question");
    trial->add_picture(std::vector<fingerprint::PdqHash>(1), {}, "black.png");
    const Trial::Seen seen = trial->seen("w");
    CHECK(seen.contents == 5);
    CHECK(seen.hits == 3);
    CHECK(seen.samples == std::vector<std::string>{"benign:2", "answer", "question"});
    CHECK(trial->seen("in").hits == 1);
    CHECK(trial->seen("in").samples == std::vector<std::string>{"question"});
    CHECK(trial->seen("p").contents == 1);
    CHECK(trial->seen("p").hits == 1);
    for (int i = 0; i < 100; ++i) {
        trial->add_text("大麻", {}, "more");
    }
    CHECK(trial->seen("w").samples.size() == kTrialSamplesMax);
    CHECK(trial->seen("w").hits == 103);
}

TEST_CASE("[DSP-10] an entry is only for the stage, the tenants and the services that it names") {
    const Scope both;
    const Scope mine{.stage = Stage::kOutput, .tenants = {"a", "b"}, .services = {"voice"}};
    CHECK(covers(both, {}));
    CHECK(covers(mine, {}));
    CHECK(covers(mine, {.stage = Stage::kOutput, .tenant = "b", .service = "voice"}));
    CHECK_FALSE(covers(mine, {.stage = Stage::kInput, .tenant = "b", .service = "voice"}));
    CHECK_FALSE(covers(mine, {.stage = Stage::kOutput, .tenant = "c", .service = "voice"}));
    CHECK_FALSE(covers(mine, {.stage = Stage::kOutput, .tenant = "b", .service = "face"}));
}

}  // namespace colophon::review
