// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/credential.h"

#include "core/bytes.h"
#include "core/random.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/provenance/carrier.h"
#include "label/provenance/certificate.h"
#include "label/provenance/crjson.h"
#include "label/provenance/hashing.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "label/record.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::TempDir;

Buffer sample(Format format) {
    const TempDir dir;
    return read_file(make_sample(dir, facts(format).name));
}

TEST_CASE("every carrier takes a credential, which reads back as trusted and says who made it") {
    for (const Carrier& carrier : all_carriers()) {
        CAPTURE(facts(carrier.format).name);
        const Buffer file = sample(carrier.format);
        CHECK(!test::read(file, carrier.format).found);
        const Buffer signed_file = test::sign(file, carrier.format);
        const CredentialReading reading = test::read(signed_file, carrier.format);
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        CHECK(reading.signer == "Signer");
        CHECK(reading.generator == "Colophon " COLOPHON_VERSION);
        CHECK(reading.source_type ==
              (is_written_text(carrier.format)
                   ? "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData"
                   : "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"));
        CHECK(reading.aigc.find(R"("ProduceID":"42")") != std::string::npos);
        CHECK(!write_crjson(reading).empty());
    }
}

TEST_CASE("placing the same store again gives the same bytes, and one of another size moves") {
    for (const Carrier& carrier : all_carriers()) {
        CAPTURE(facts(carrier.format).name);
        const Buffer signed_file = test::sign(sample(carrier.format), carrier.format);
        const auto found = carrier.find(signed_file).value();
        REQUIRE(found.has_value());
        CHECK(found->problem == "");
        const Placement again = carrier.place(signed_file, found->store).value();
        CHECK(apply_splice(signed_file, again.splice) == signed_file);
        CHECK(again.ranges == found->ranges);
        // A larger store and back again.
        Buffer larger = found->store;
        larger.resize(larger.size() + 70000);
        store_be32(larger, 0, static_cast<std::uint32_t>(larger.size()));
        const Placement grown = carrier.place(signed_file, larger).value();
        const Buffer big = apply_splice(signed_file, grown.splice);
        const auto big_found = carrier.find(big).value();
        REQUIRE(big_found.has_value());
        CHECK(big_found->store == larger);
        CHECK(big_found->ranges == grown.ranges);
        const Placement back = carrier.place(big, found->store).value();
        const Buffer small = apply_splice(big, back.splice);
        CHECK(carrier.find(small).value()->store == found->store);
        // An ID3 tag keeps the room that it had as padding, a PDF its older revisions; the hash
        // covers both.
        const bool pads = carrier.format == Format::kMp3 || carrier.format == Format::kFlac ||
                          carrier.format == Format::kPdf;
        CHECK((pads || test::read(small, carrier.format).trusted()));
    }
}

TEST_CASE("all signature algorithms sign and are checked") {
    const Buffer file = sample(Format::kPng);
    for (const SignatureAlgorithmFacts& row : all_signature_algorithms()) {
        // One RSA key is like another; its length decides which digest goes with it.
        if (row.algorithm == SignatureAlgorithm::kPs256 ||
            row.algorithm == SignatureAlgorithm::kPs512) {
            continue;
        }
        CAPTURE(row.name);
        const Buffer signed_file = test::sign(file, Format::kPng, test::input(), row.algorithm);
        const CredentialReading reading = test::read(signed_file, Format::kPng);
        CHECK(reading.trusted());
        CHECK(reading.algorithm == row.name);
    }
}

TEST_CASE("intact and trusted are two answers") {
    const Buffer signed_file = test::sign(sample(Format::kPng), Format::kPng);
    Trust nobody;
    nobody.now = test::test_time();
    const auto unknown = read_credential(signed_file, Format::kPng, nobody).value();
    CHECK(unknown.state == CredentialState::kValid);
    CHECK(test::failures(unknown) == "signingCredential.untrusted");
    Trust late = test::trust_root();
    late.now += std::chrono::days{400};
    const auto expired = read_credential(signed_file, Format::kPng, late).value();
    CHECK(expired.state == CredentialState::kInvalid);
    CHECK(test::failures(expired).find("claimSignature.outsideValidity") != std::string::npos);
}

TEST_CASE("a credential that is there becomes the parent of the new one") {
    for (const Format format : {Format::kPng, Format::kJpeg}) {
        CAPTURE(facts(format).name);
        const Buffer first = test::sign(sample(format), format, test::input(1));
        CredentialReading before = test::read(first, format);
        CredentialInput input = test::input(2);
        input.upstream = {
            .store = before.store, .statuses = before.statuses, .ingredients = before.ingredients};
        const Buffer second = test::sign(first, format, input);
        const CredentialReading after = test::read(second, format);
        CHECK(after.trusted());
        CHECK(after.manifests == 2);
        REQUIRE(after.ingredients.size() == 1);
        CHECK(after.ingredients[0].manifest_label == before.manifest_label);
        CHECK(after.actions.front().name == "c2pa.opened");
        CHECK(write_crjson(after).find("validationDeltas") != std::string::npos);
    }
}

// [SB942-22757.3]
TEST_CASE("the credential names provider, system, version, time and number of the content") {
    const Buffer signed_file = test::sign(sample(Format::kPng), Format::kPng);
    const std::string text = write_crjson(test::read(signed_file, Format::kPng));
    for (const std::string_view part :
         {R"("ContentProducer":"Test")", R"("ProduceID":"42")", R"("name":"painter")",
          R"("version":"3")", R"("when":"2026-11-26T08:00:00Z")"}) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("soft bindings name the watermark and its payload") {
    CredentialInput input = test::input();
    input.soft_bindings = {{.algorithm = "com.example.mark", .value = Buffer{1, 2, 3}}};
    const Buffer signed_file = test::sign(sample(Format::kPng), Format::kPng, input);
    const CredentialReading reading = test::read(signed_file, Format::kPng);
    CHECK(reading.trusted());
    REQUIRE(reading.soft_bindings.size() == 1);
    CHECK(reading.soft_bindings[0].algorithm == "com.example.mark");
    CHECK(reading.soft_bindings[0].value == Buffer{1, 2, 3});
    CHECK(reading.actions.back().name == "c2pa.watermarked.bound");
}

// Bytes whose change changes nothing that anybody signs: the file type box, which the specification
// leaves out of the hash, and the number that tells the JUMBF boxes of a JPEG apart.
bool is_free(const Carrier& carrier, const FoundStore& found, std::size_t at) {
    if (carrier.binding == Binding::kBmff) {
        return at < found.ranges.front().offset;
    }
    const std::uint64_t number = found.ranges.front().offset + 6;
    return carrier.format == Format::kJpeg && (at == number || at == number + 1);
}

// Whether somebody would still be told that the file is as it was signed.
bool goes_unnoticed(Bytes file, Format format) {
    const auto reading = read_credential(file, format, test::trust_root());
    return reading.ok() && reading->found && reading->intact();
}

TEST_CASE("a bit that flips anywhere in a signed file is noticed" *
          doctest::test_suite("slow attacks")) {
    SeededRandom random(20261126);
    for (const Carrier& carrier : all_carriers()) {
        const Buffer signed_file = test::sign(sample(carrier.format), carrier.format);
        const auto found = carrier.find(signed_file).value();
        REQUIRE(found.has_value());
        // Every byte of the carrier's own bytes in turn would be slow; every seventh, and as many
        // elsewhere.
        std::vector<std::size_t> places;
        for (const ByteRange& range : found->ranges) {
            for (std::uint64_t at = range.offset; at < range.end(); at += 7) {
                places.push_back(static_cast<std::size_t>(at));
            }
        }
        for (std::size_t i = 0; i < 200; ++i) {
            places.push_back(static_cast<std::size_t>(random.next().value() % signed_file.size()));
        }
        for (const std::size_t at : places) {
            if (is_free(carrier, *found, at)) {
                continue;
            }
            Buffer changed = signed_file;
            changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
            const bool unnoticed = goes_unnoticed(changed, carrier.format);
            CHECK_MESSAGE(!unnoticed, facts(carrier.format).name, " byte ", at);
        }
    }
}

// The containers' own checksums stand aside here: every byte of the store, one bit each.
TEST_CASE("a bit that flips anywhere in a manifest store is noticed" *
          doctest::test_suite("slow attacks")) {
    SeededRandom random(6);
    const Buffer signed_file = test::sign(sample(Format::kPng), Format::kPng);
    const Carrier& carrier = *find_carrier(Format::kPng);
    const Buffer store = carrier.find(signed_file).value()->store;
    REQUIRE(store.size() > 2000);
    for (std::size_t at = 0; at < store.size(); ++at) {
        Buffer changed = store;
        changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
        const Placement placement = carrier.place(signed_file, changed).value();
        CHECK_MESSAGE(!goes_unnoticed(apply_splice(signed_file, placement.splice), Format::kPng),
                      "byte ", at);
    }
}

// Assertions, claims and signatures of two files, each whole, put together anew.
TEST_CASE("parts of another credential are noticed" * doctest::test_suite("slow attacks")) {
    CredentialInput other = test::input(2);
    other.origin = Origin::kEdited;
    const Buffer file = sample(Format::kPng);
    const Buffer a = test::sign(file, Format::kPng, test::input(1));
    const Buffer b = test::sign(file, Format::kPng, other);
    const Carrier& carrier = *find_carrier(Format::kPng);
    const Buffer store_a = carrier.find(a).value()->store;
    const Buffer store_b = carrier.find(b).value()->store;
    const ManifestStore parsed_a = ManifestStore::create(store_a).value();
    const ManifestStore parsed_b = ManifestStore::create(store_b).value();
    const auto rebuild = [&](std::size_t part, bool drop, bool twice) {
        Buffer content;
        std::size_t number = 0;
        const auto boxes = [&](const jumbf::Superbox& from, const jumbf::Superbox& to) {
            Buffer out;
            for (std::size_t i = 0; i < from.children.size(); ++i, ++number) {
                if (number != part) {
                    append(out, from.children[i].whole);
                } else if (!drop) {
                    append(out, to.children[i].whole);
                    append(out, twice ? from.children[i].whole : Bytes());
                }
            }
            return out;
        };
        const jumbf::Superbox& from = *parsed_a.active().box;
        const jumbf::Superbox& to = *parsed_b.active().box;
        jumbf::append_superbox(content, "c2as", kAssertionsLabel,
                               boxes(from.children[0], to.children[0]));
        for (std::size_t i = 1; i < from.children.size(); ++i, ++number) {
            if (number != part) {
                append(content, from.children[i].whole);
            } else if (!drop) {
                append(content, to.children[i].whole);
                append(content, twice ? from.children[i].whole : Bytes());
            }
        }
        Buffer manifest;
        jumbf::append_superbox(manifest, "c2ma", from.label, content);
        Buffer store;
        jumbf::append_superbox(store, "c2pa", kStoreLabel, manifest);
        return apply_splice(a, carrier.place(a, store).value().splice);
    };
    const std::size_t parts = parsed_a.active().box->children[0].children.size() + 2;
    CHECK(!goes_unnoticed(rebuild(parts, true, false), Format::kPng) == false);  // all of its own
    for (std::size_t part = 0; part < parts; ++part) {
        const jumbf::Superbox& assertions = parsed_a.active().box->children[0];
        // The TC260 record and the disclosure are the same in both.
        const bool same =
            part < assertions.children.size() &&
            std::ranges::equal(assertions.children[part].whole,
                               parsed_b.active().box->children[0].children[part].whole);
        CAPTURE(part);
        CHECK((same || !goes_unnoticed(rebuild(part, false, false), Format::kPng)));
        CHECK(!goes_unnoticed(rebuild(part, true, false), Format::kPng));
        CHECK(!goes_unnoticed(rebuild(part, false, true), Format::kPng));
    }
}

TEST_CASE("bytes that are taken away or put in are noticed" * doctest::test_suite("slow attacks")) {
    SeededRandom random(4);
    for (const Carrier& carrier : all_carriers()) {
        const Buffer signed_file = test::sign(sample(carrier.format), carrier.format);
        const auto found = carrier.find(signed_file).value();
        REQUIRE(found.has_value());
        const ByteRange store = found->ranges.front();
        for (std::size_t i = 0; i < 60; ++i) {
            const std::uint64_t span = i % 2 == 0 ? store.size : signed_file.size();
            const std::uint64_t base = i % 2 == 0 ? store.offset : 0;
            const auto at = static_cast<std::ptrdiff_t>(base + random.next().value() % span);
            if (is_free(carrier, *found, static_cast<std::size_t>(at))) {
                continue;
            }
            Buffer shorter = signed_file;
            shorter.erase(shorter.begin() + at);
            CHECK_MESSAGE(!goes_unnoticed(shorter, carrier.format), facts(carrier.format).name,
                          " without byte ", at);
            Buffer longer = signed_file;
            longer.insert(longer.begin() + at, std::uint8_t{0});
            CHECK_MESSAGE(!goes_unnoticed(longer, carrier.format), facts(carrier.format).name,
                          " with a byte at ", at);
        }
        Buffer trailing = signed_file;
        trailing.push_back(0);
        CHECK(!goes_unnoticed(trailing, carrier.format));
    }
}

}  // namespace
}  // namespace colophon::label::provenance
