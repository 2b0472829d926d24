// SPDX-License-Identifier: Apache-2.0
// What Content Credentials contribute to the verdict on a file.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/plan.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "label/verify.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::provenance {
namespace {

Buffer picture() {
    const colophon::test::TempDir dir;
    return colophon::test::read_file(colophon::test::make_sample(dir, "png"));
}

// With a metadata label of that number, by the producer of test::input().
Buffer labelled(Bytes file, std::string_view produce_id) {
    const std::string aigc = R"({"Label":"1","ContentProducer":"Test","ProduceID":")" +
                             std::string(produce_id) +
                             R"(","ReservedCode1":"","ContentPropagator":"","PropagateID":"",)"
                             R"("ReservedCode2":""})";
    return apply_splice(
        file, find_container(Format::kPng)->write(file, {.aigc = aigc, .iptc = {}}).value());
}

VerifyOptions options() {
    VerifyOptions options;
    options.marks = MarkSet().add(Mark::kMetadata).add(Mark::kProvenance);
    options.credentials = test::trust_root();
    return options;
}

Verification verdict_of(Bytes file, const VerifyOptions& wanted = options()) {
    return verify(file, Format::kPng, wanted, {}).value();
}

bool is_error(const Verification& seen, std::string_view code) {
    return std::ranges::any_of(seen.findings, [&](const Finding& each) {
        return each.code == code && each.level == FindingLevel::kError;
    });
}

TEST_CASE("a credential alone is a mark when it says that a model made the content") {
    const Verification seen = verdict_of(test::sign(picture(), Format::kPng));
    CHECK(seen.verdict == Verdict::kIntact);
    CHECK(seen.provenance->trusted());
    CHECK(verdict_of(picture()).verdict == Verdict::kAbsent);
}

TEST_CASE("a file that was changed after it was signed is altered") {
    Buffer file = test::sign(labelled(picture(), "42"), Format::kPng);
    CHECK(verdict_of(file).verdict == Verdict::kIntact);
    file.push_back(0);
    const Verification seen = verdict_of(file);
    CHECK(seen.verdict == Verdict::kAltered);
    CHECK(is_error(seen, "provenance.altered"));
}

TEST_CASE("a broken credential that tells of a label that is gone says stripped") {
    Buffer file = test::sign(picture(), Format::kPng);
    file.push_back(0);
    const Verification seen = verdict_of(file);
    CHECK(seen.verdict == Verdict::kStripped);
    CHECK(is_error(seen, "provenance.remembers"));
}

TEST_CASE("a credential about another content than the label is forged") {
    const Verification seen = verdict_of(test::sign(labelled(picture(), "43"), Format::kPng));
    CHECK(seen.verdict == Verdict::kForged);
    CHECK(is_error(seen, "provenance.contradiction"));
}

TEST_CASE("a credential that was expected beside a label is stripped") {
    VerifyOptions wanted = options();
    wanted.expected.add(Mark::kProvenance);
    const Verification seen = verdict_of(labelled(picture(), "42"), wanted);
    CHECK(seen.verdict == Verdict::kStripped);
    CHECK(is_error(seen, "provenance.absent"));
}

ApplyOptions labelling() {
    ApplyOptions options;
    options.record.producer_name = "Test";
    options.record.own_id = "42";
    options.record.created_at = test::test_time();
    options.marks = MarkSet().add(Mark::kMetadata).add(Mark::kProvenance);
    options.credentials = test::trust_root();
    options.manifest_id.fill(9);
    return options;
}

TEST_CASE("labelling signs last, keeps an earlier credential, and changes nothing twice") {
    CredentialSigner signer = test::signer();
    Resources resources;
    resources.signer = &signer;
    MemoryHolder holder;
    const Buffer upstream = test::sign(picture(), Format::kPng, test::input(1));
    const Applied first = apply(upstream, Format::kPng, labelling(), resources, holder).value();
    CHECK(to_string(first.written) == "metadata,provenance");
    const Verification seen = verdict_of(first.file);
    CHECK(seen.verdict == Verdict::kIntact);
    CHECK(seen.provenance->trusted());
    CHECK(seen.provenance->manifests == 2);
    CHECK(seen.provenance->aigc.find(R"("ProduceID":"42")") != std::string::npos);
    const Applied second = apply(first.file, Format::kPng, labelling(), resources, holder).value();
    CHECK(std::ranges::equal(second.file, first.file));
    CHECK(second.credential == first.credential);
}

TEST_CASE("the credential names the watermark of a picture and its payload" *
          doctest::test_suite("slow pictures")) {
    const colophon::test::TempDir dir;
    colophon::test::run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                                 "testsrc=size=800x600,noise=alls=16", "-frames:v", "1",
                                 dir.file("in.png")});
    CredentialSigner signer = test::signer();
    Resources resources;
    resources.signer = &signer;
    MemoryHolder holder;
    ApplyOptions wanted = labelling();
    wanted.marks.add(Mark::kWatermark);
    wanted.record.own_id.clear();
    wanted.record.content_id = ContentId{0x123456789ABC};
    wanted.issuer = IssuerId{7};
    const Applied applied = apply(colophon::test::read_file(dir.file("in.png")), Format::kPng,
                                  wanted, resources, holder)
                                .value();
    CHECK(applied.written.has(Mark::kWatermark));
    const CredentialReading reading = test::read(applied.file, Format::kPng);
    CHECK(reading.trusted());
    REQUIRE(reading.soft_bindings.size() == 1);
    CHECK(to_hex(reading.soft_bindings[0].value) == "0007123456789abc");

    wanted.record.producer_name.clear();
    wanted.record.producer_code = "001191350100M000100Y4310001";
    wanted.payload = PayloadForm::kLong;
    const Applied longer = apply(colophon::test::read_file(dir.file("in.png")), Format::kPng,
                                 wanted, resources, holder)
                               .value();
    const CredentialReading second = test::read(longer.file, Format::kPng);
    REQUIRE(second.soft_bindings.size() == 1);
    CHECK(to_hex(second.soft_bindings[0].value) == "10b5cd94104a29ab363c123456789abc");
}

TEST_CASE("without a signer there is an error, never a file without the mark") {
    MemoryHolder holder;
    const auto applied = apply(picture(), Format::kPng, labelling(), {}, holder);
    REQUIRE(!applied.ok());
    CHECK(applied.error().code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace colophon::label::provenance
