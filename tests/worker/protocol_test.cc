// SPDX-License-Identifier: Apache-2.0
#include "worker/protocol.h"

#include "core/bytes.h"
#include "core/json.h"
#include "worker/channel.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace colophon::worker {
namespace {

label::ApplyOptions all_options() {
    label::ApplyOptions options;
    options.record.origin = label::Origin::kEdited;
    options.record.service = label::ServiceClass::kFace;
    options.record.producer_code = "P";
    options.record.system_name = "model";
    options.record.content_id = ContentId{123456789};
    options.record.created_at = parse_time("2026-11-23T08:15:30Z").value();
    options.profile = label::Profile::kAll;
    options.language = label::Language::kEn;
    options.marks.add(label::Mark::kExplicit).add(label::Mark::kMetadata);
    options.text = "AI生成";
    options.image_place = label::ImagePlace::kTop;
    options.text_place = label::TextPlace::kCorner;
    options.sound_form = label::SoundForm::kRhythm;
    options.sound_place = label::SoundPlace::kBoth;
    options.existing = label::ExistingPolicy::kRelabel;
    options.user_declares = true;
    options.reserved_code1 = R"({"SecurityData":{}})";
    options.optional.add(label::Mark::kWatermark);
    options.watermark_key.bytes[7] = 9;
    options.issuer = {513};
    options.payload = label::PayloadForm::kLong;
    options.detached = true;
    return options;
}

TEST_CASE("what goes over the channel comes back the same") {
    const json::Value options = encode(all_options());
    CHECK(json::write(encode(decode_apply_options(options).value())) == json::write(options));

    label::Verification seen;
    seen.format = label::Format::kOpus;
    seen.verdict = label::Verdict::kForged;
    seen.explicit_mark = label::ExplicitReading{.found = true,
                                                .text = "AI生成",
                                                .where = "top",
                                                .height_percent = 5.5,
                                                .contrast = 12.25,
                                                .findings = {}};
    seen.metadata = label::MetadataVerification{};
    seen.metadata->found = true;
    seen.metadata->label.produce_id = "X";
    seen.metadata->content_id = ContentId{7};
    seen.metadata->signature = label::SignatureState::kInvalid;
    label::warn(seen.findings, "a.b", "c");
    seen.manifest = "{}";
    seen.provenance = label::provenance::CredentialReading{};
    seen.provenance->found = true;
    seen.provenance->state = label::provenance::CredentialState::kTrusted;
    seen.provenance->statuses = {{.kind = label::provenance::StatusKind::kFailure,
                                  .code = "claim.missing",
                                  .url = "self#jumbf=x",
                                  .what = "why"}};
    seen.provenance->ingredients = {
        {.assertion_uri = "a", .manifest_label = "b", .statuses = seen.provenance->statuses}};
    seen.provenance->actions = {{.name = "c2pa.created", .source_type = "t", .when = "w"}};
    seen.provenance->soft_bindings = {{.algorithm = "x", .value = Buffer{1, 2}}};
    seen.provenance->signed_at = parse_time("2026-11-26T08:00:00Z").value();
    seen.watermark = label::WatermarkVerification{};
    seen.watermark->reading.state = label::WatermarkState::kFound;
    seen.watermark->reading.payload = {
        .form = label::PayloadForm::kLong,
        .issuer = {},
        .content_id = {77},
        .provider = label::MarkProvider::create("91350100M000100Y43").value()};
    seen.watermark->reading.score = 31.5;
    seen.watermark->reading.geometry.turn_degrees = -12.5;
    seen.watermark->reading.geometry.mirrored = true;
    seen.watermark->strength = label::WatermarkStrength::kFair;
    const json::Value encoded = encode(seen);
    CHECK(json::write(encode(decode_verification(encoded).value())) == json::write(encoded));

    const LabelReport report{.written = all_options().marks,
                             .explicit_mark = seen.explicit_mark,
                             .watermark = seen.watermark,
                             .label = seen.metadata->label,
                             .where = "here",
                             .credential = "urn:c2pa:1",
                             .detached = {1, 2, 255},
                             .fragments = {0, 7, 1ULL << 40U},
                             .findings = seen.findings};
    CHECK(json::write(encode(decode_label_report(encode(report)).value())) ==
          json::write(encode(report)));
}

TEST_CASE("a message with any field missing or of another type is refused") {
    const json::Value whole = encode(all_options());
    for (const json::Member& member : *whole.if_object()) {
        CAPTURE(member.first);
        json::Object without;
        json::Object other_type;
        for (const json::Member& each : *whole.if_object()) {
            if (each.first != member.first) {
                without.push_back(each);
                other_type.push_back(each);
            } else {
                other_type.emplace_back(each.first, json::Array{});
            }
        }
        CHECK_FALSE(decode_apply_options(json::Value(without)).ok());
        CHECK_FALSE(decode_apply_options(json::Value(other_type)).ok());
    }
    CHECK_FALSE(decode_verification(json::parse(R"({"format":99})").value()).ok());
    CHECK(decode_error(json::Value(1)).code == ErrorCode::kCorrupt);
}

struct Pair {
    Pair() {
        std::array<int, 2> fds{};
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
        a = Fd(fds[0]);
        b = Fd(fds[1]);
    }
    Fd a;
    Fd b;
};

TEST_CASE("messages carry descriptors, and a closed channel is noticed") {
    Pair pair;
    std::array<int, 2> pipe_fds{};
    REQUIRE(pipe(pipe_fds.data()) == 0);
    const Fd read_end(pipe_fds[0]);
    Fd write_end(pipe_fds[1]);
    REQUIRE(send_message(pair.a.get(), json::Object{{"x", 1}}, {write_end.get()}).ok());
    write_end = Fd();
    auto message = receive_message(pair.b.get()).value().value();
    REQUIRE(message.fds.size() == 1);
    REQUIRE(write(message.fds[0].get(), "hi", 2) == 2);
    std::array<char, 2> got{};
    CHECK(read(read_end.get(), got.data(), 2) == 2);
    pair.a = Fd();
    CHECK_FALSE(receive_message(pair.b.get()).value().has_value());
}

TEST_CASE("a length that is too large is refused before anything is allocated") {
    Pair pair;
    REQUIRE(write(pair.a.get(), "\xFF\xFF\xFF\xFF", 4) == 4);
    const auto message = receive_message(pair.b.get());
    REQUIRE(!message.ok());
    CHECK(message.error().code == ErrorCode::kLimit);
}

TEST_CASE("a message that stops half way is an error when the time is up") {
    Pair pair;
    REQUIRE(write(pair.a.get(), "\x10\x00\x00\x00{", 5) == 5);
    const auto message = receive_message(
        pair.b.get(), std::chrono::steady_clock::now() + std::chrono::milliseconds(30));
    REQUIRE(!message.ok());
    CHECK(message.error().code == ErrorCode::kLimit);
}

}  // namespace
}  // namespace colophon::worker
