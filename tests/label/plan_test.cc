// SPDX-License-Identifier: Apache-2.0
#include "label/plan.h"

#include "label/format.h"
#include "label/record.h"

#include <doctest/doctest.h>

#include <string>

namespace colophon::label {
namespace {

std::string owed(ServiceClass service, Profile profile, Format format) {
    return to_string(plan(service, profile, format).owed);
}

// [DSP-16] [DSP-17]
TEST_CASE("the implicit label is owed by all, the explicit one by the five confusable services") {
    struct Row {
        ServiceClass service;
        const char* marks;
    };
    for (const Row& row : {Row{ServiceClass::kDialogue, "explicit,metadata"},
                           Row{ServiceClass::kVoice, "explicit,metadata"},
                           Row{ServiceClass::kFace, "explicit,metadata"},
                           Row{ServiceClass::kScene, "explicit,metadata"},
                           Row{ServiceClass::kContent, "explicit,metadata"},
                           Row{ServiceClass::kOther, "metadata"}}) {
        CAPTURE(service_name(row.service));
        CHECK(owed(row.service, Profile::kCn, Format::kPng) == row.marks);
        CHECK(owed(row.service, Profile::kAll, Format::kMarkdown) ==
              std::string(row.marks) + ",provenance");
    }
    CHECK(owed(ServiceClass::kContent, Profile::kUsCa, Format::kMarkdown) == "metadata,provenance");
}

// [EUCP-1.1] Outside of China the metadata is to be signed: Content Credentials, where the format
// carries them.
TEST_CASE("profiles other than cn owe Content Credentials besides") {
    CHECK(owed(ServiceClass::kContent, Profile::kEu, Format::kPng) ==
          "explicit,metadata,provenance");
    CHECK(owed(ServiceClass::kContent, Profile::kUsCa, Format::kPng) == "metadata,provenance");
    CHECK(owed(ServiceClass::kContent, Profile::kAll, Format::kJpeg) ==
          "explicit,metadata,provenance");
    CHECK(owed(ServiceClass::kContent, Profile::kCn, Format::kPng) == "explicit,metadata");
}

TEST_CASE("plain text has no place but its words, so the words are owed by every service") {
    CHECK(owed(ServiceClass::kOther, Profile::kCn, Format::kPlainText) == "explicit");
    CHECK(owed(ServiceClass::kDialogue, Profile::kCn, Format::kMarkdown) == "explicit,metadata");
}

TEST_CASE("what a profile asks for beyond this version is named, not hidden") {
    CHECK(plan(ServiceClass::kContent, Profile::kCn, Format::kPng).out_of_reach.empty());
    CHECK(plan(ServiceClass::kContent, Profile::kEu, Format::kPng).out_of_reach.empty());
    CHECK(to_string(plan(ServiceClass::kContent, Profile::kEu, Format::kWav).out_of_reach) ==
          "watermark");
    CHECK(to_string(plan(ServiceClass::kContent, Profile::kEu, Format::kMarkdown).out_of_reach) ==
          "watermark");
    CHECK(to_string(plan(ServiceClass::kContent, Profile::kEu, Format::kPlainText).out_of_reach) ==
          "watermark,provenance");
    CHECK(to_string(plan(ServiceClass::kContent, Profile::kCn, Format::kPdf).out_of_reach) ==
          "explicit");
    CHECK(owed(ServiceClass::kContent, Profile::kEu, Format::kPdf) == "metadata,provenance");
}

TEST_CASE("marks are read from words, and a wrong word is named") {
    CHECK(to_string(parse_marks("metadata,explicit").value()) == "explicit,metadata");
    const auto wrong = parse_marks("metadata,tattoo");
    REQUIRE(!wrong.ok());
    CHECK(wrong.error().what.find("tattoo") != std::string::npos);
    CHECK(parse_marks("").value().empty());
}

TEST_CASE("a kind of content is taken for its usual service") {
    CHECK(default_service(Kind::kText) == ServiceClass::kDialogue);
    CHECK(default_service(Kind::kAudio) == ServiceClass::kVoice);
    CHECK(default_service(Kind::kImage) == ServiceClass::kContent);
}

}  // namespace
}  // namespace colophon::label
