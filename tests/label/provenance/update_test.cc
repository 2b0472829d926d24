// SPDX-License-Identifier: Apache-2.0
// Update manifests: files that are passed on and whose content stays as it is.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/existing.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/provenance/carrier.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/crjson.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "label/verify.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::run_tool;
using colophon::test::TempDir;
using colophon::test::write_file;

Buffer sample(Format format) {
    const TempDir dir;
    return read_file(make_sample(dir, facts(format).name));
}

// Empty when the format allows none.
Buffer update(Bytes file, Format format, std::uint8_t number) {
    CredentialSigner by = test::signer();
    const auto made =
        update_credential(file, format, test::passing_on(test::read(file, format), number), by);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().what));
    return *made ? apply_splice(file, (*made)->splice) : Buffer();
}

TEST_CASE(
    "update manifests add to a credential, whose binding and words stay the ones that count") {
    for (const Carrier& carrier : all_carriers()) {
        CAPTURE(facts(carrier.format).name);
        const Buffer first = test::sign(sample(carrier.format), carrier.format);
        const Buffer second = update(first, carrier.format, 2);
        CHECK(second.empty() == (carrier.growth == Growth::kFixed));
        if (second.empty()) {
            continue;
        }
        const CredentialReading reading = test::read(second, carrier.format);
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        CHECK(reading.manifests == 2);
        CHECK(reading.actions.front().name == "c2pa.opened");
        CHECK(reading.actions.at(1).name == "c2pa.published");
        CHECK(reading.actions.at(2).name == "c2pa.created");
        CHECK(!reading.source_type.empty());
        CHECK(write_crjson(reading).find(R"("label":"urn:c2pa:)") != std::string::npos);
        // A second one on top, and a manifest of its own above that.
        const Buffer third = update(second, carrier.format, 3);
        CHECK(test::read(third, carrier.format).trusted());
        CHECK(test::read(third, carrier.format).manifests == 3);
        CredentialInput own = test::passing_on(test::read(third, carrier.format), 4);
        own.as_producer = true;
        const Buffer fourth = test::sign(third, carrier.format, own);
        CHECK(test::read(fourth, carrier.format).trusted());
        CHECK(test::read(fourth, carrier.format).manifests == 4);
    }
}

TEST_CASE("what a changed bit does to a file with update manifests is noticed" *
          doctest::test_suite("slow attacks")) {
    SeededRandom random(62);
    for (const Carrier& carrier : all_carriers()) {
        if (carrier.growth == Growth::kFixed) {
            continue;
        }
        const Buffer file =
            update(test::sign(sample(carrier.format), carrier.format), carrier.format, 2);
        const FoundStore found = carrier.find(file).value().value();
        for (std::size_t i = 0; i < 400; ++i) {
            const ByteRange& store = found.ranges[i % found.ranges.size()];
            const std::uint64_t base = i % 4 == 0 ? 0 : store.offset;
            const std::uint64_t span = i % 4 == 0 ? file.size() : store.size;
            const auto at = static_cast<std::size_t>(base + random.next().value() % span);
            // The file type box is left out of the hash by the specification, and the number of
            // JUMBF boxes in a JPEG means nothing.
            const std::uint64_t first = found.ranges.front().offset;
            if ((carrier.binding == Binding::kBmff && at < first) ||
                (carrier.format == Format::kJpeg && (at == first + 6 || at == first + 7))) {
                continue;
            }
            Buffer changed = file;
            changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
            const auto reading = read_credential(changed, carrier.format, test::trust_root());
            // Without the box at its end, or with that box for something else, the file is what it
            // was before it was passed on.
            const bool as_before = carrier.growth == Growth::kAppended && reading.ok() &&
                                   reading->intact() && reading->manifests == 1 &&
                                   at >= found.ranges.back().offset;
            CHECK_MESSAGE((as_before || !reading.ok() || !reading->found || !reading->intact()),
                          facts(carrier.format).name, " byte ", at);
        }
    }
}

TEST_CASE("an action that changes content makes an update manifest invalid") {
    // The manifest of a whole credential, said to be an update.
    const Buffer first = test::sign(sample(Format::kPng), Format::kPng);
    const CredentialReading before = test::read(first, Format::kPng);
    CredentialInput input = test::passing_on(before, 2);
    input.as_producer = true;
    const Buffer second = test::sign(first, Format::kPng, input);
    Buffer store = test::read(second, Format::kPng).store;
    const ManifestStore parsed = ManifestStore::create(store).value();
    const auto at = static_cast<std::size_t>(parsed.active().box->offset) + 16;
    CHECK(as_text(Bytes(store).subspan(at, 4)) == "c2ma");
    std::ranges::copy(std::string_view("c2um"), store.begin() + static_cast<std::ptrdiff_t>(at));
    const Placement placement = find_carrier(Format::kPng)->place(second, store).value();
    const CredentialReading reading =
        test::read(apply_splice(second, placement.splice), Format::kPng);
    CHECK(test::failures(reading).find("manifest.update.invalid") != std::string::npos);
}

ApplyOptions options(std::uint8_t number) {
    ApplyOptions options;
    options.record.producer_name = "Platform";
    options.record.propagator_code = "001191000000000000000K10001";
    options.record.own_id = "43";
    options.record.created_at = test::test_time();
    options.marks = MarkSet().add(Mark::kProvenance);
    options.credentials = test::trust_root();
    options.existing = ExistingPolicy::kPropagate;
    options.manifest_id.fill(number);
    return options;
}

bool has(const Findings& findings, std::string_view code) {
    return std::ranges::find(findings, code, &Finding::code) != findings.end();
}

TEST_CASE("passing a file on adds an update manifest, once, or a manifest where there is no way") {
    CredentialSigner signer = test::signer();
    Resources resources;
    resources.signer = &signer;
    MemoryHolder holder;
    for (const Format format : {Format::kPng, Format::kMp4, Format::kWav}) {
        CAPTURE(facts(format).name);
        const Buffer file = test::sign(sample(format), format);
        const Applied once = apply(file, format, options(5), resources, holder).value();
        const bool can = format != Format::kWav;
        CHECK(has(once.findings, "provenance.updated") == can);
        CHECK(has(once.findings, "provenance.ingredient") == !can);
        const CredentialReading reading = test::read(once.file, format);
        CHECK(reading.trusted());
        CHECK(reading.manifests == 2);
        VerifyOptions wanted;
        wanted.marks = MarkSet().add(Mark::kProvenance);
        wanted.credentials = test::trust_root();
        if (can) {
            CHECK(verify(once.file, format, wanted, {}).value().verdict == Verdict::kIntact);
            const Applied twice = apply(once.file, format, options(6), resources, holder).value();
            CHECK(has(twice.findings, "provenance.kept"));
            CHECK(std::ranges::equal(twice.file, once.file));
        }
    }
}

TEST_CASE("c2pa-rs trusts update manifests in every format that takes them" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    SystemClock clock;
    const auto authority = test::FreshAuthority::make();
    CredentialSigner signer = authority.signer();
    const Trust trust = authority.trust();
    std::vector<std::string> command = test::rust_witness(dir, authority);
    for (const Carrier& carrier : all_carriers()) {
        if (carrier.growth == Growth::kFixed || !test::others_read(carrier)) {
            continue;
        }
        command.push_back(make_sample(dir, facts(carrier.format).name));
        Buffer file = read_file(command.back());
        CredentialInput input = test::input();
        input.now = clock.now();
        CAPTURE(command.back());
        const auto first = add_credential(file, carrier.format, input, signer);
        REQUIRE_MESSAGE(first.ok(), (first.ok() ? std::string() : first.error().what));
        file = apply_splice(file, first->splice);
        CredentialInput second =
            test::passing_on(read_credential(file, carrier.format, trust).value(), 2);
        second.now = clock.now();
        const auto update = update_credential(file, carrier.format, second, signer);
        REQUIRE_MESSAGE(update.ok(), (update.ok() ? std::string() : update.error().what));
        REQUIRE(update->has_value());
        file = apply_splice(file, (*update)->splice);
        write_file(command.back(), file);
    }
    const auto run = run_tool(command);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
}

}  // namespace
}  // namespace colophon::label::provenance
