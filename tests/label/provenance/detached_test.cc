// SPDX-License-Identifier: Apache-2.0
// Content Credentials that lie beside the file.
#include "core/bytes.h"
#include "core/random.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::TempDir;

Buffer sample(Format format) {
    const TempDir dir;
    return read_file(make_sample(dir, facts(format).name));
}

Buffer detach(Bytes file, Format format) {
    CredentialSigner by = test::signer();
    auto made = make_detached_credential(file, format, test::input(), by);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().what));
    return std::move(made).value().store;
}

CredentialReading read(Bytes store, Bytes file, Format format) {
    return read_detached(store, file, format, test::trust_root());
}

TEST_CASE("a credential beside a file is trusted, and says who made the file") {
    for (const std::string_view name : colophon::test::writable_formats()) {
        CAPTURE(name);
        const Format format = format_by_name(name).value();
        const Buffer file = sample(format);
        const Buffer store = detach(file, format);
        const CredentialReading reading = read(store, file, format);
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        CHECK(reading.where == "detached");
        CHECK(reading.signer == "Signer");
    }
}

TEST_CASE("a bit that flips in the file or in the credential beside it is noticed") {
    SeededRandom random(7);
    for (const Format format : {Format::kMarkdown, Format::kOpus, Format::kPng}) {
        CAPTURE(facts(format).name);
        const Buffer file = sample(format);
        const Buffer store = detach(file, format);
        for (std::size_t i = 0; i < 100; ++i) {
            const auto bit = static_cast<std::uint8_t>(1U << (random.next().value() % 8));
            Buffer changed = file;
            changed[random.next().value() % file.size()] ^= bit;
            CHECK(!read(store, changed, format).intact());
            Buffer other = store;
            other[random.next().value() % store.size()] ^= bit;
            CHECK(!read(other, file, format).intact());
        }
        Buffer longer = file;
        longer.push_back(0);
        CHECK(!read(store, longer, format).intact());
    }
}

TEST_CASE("a credential taken out of a file leaves its place in the file to nobody") {
    const Buffer signed_file = test::sign(sample(Format::kPng), Format::kPng);
    const FoundStore found = find_carrier(Format::kPng)->find(signed_file).value().value();
    Buffer forged = signed_file;
    for (std::uint64_t at = found.ranges.front().offset; at < found.ranges.front().end(); ++at) {
        forged[static_cast<std::size_t>(at)] = 0x55;
    }
    CHECK(!read(found.store, forged, Format::kPng).intact());
    CHECK(!read(found.store, signed_file, Format::kPng).intact());
}

TEST_CASE("a file that carries a credential gets no other one beside it") {
    const Buffer signed_file = test::sign(sample(Format::kPng), Format::kPng);
    CredentialSigner by = test::signer();
    const auto made = make_detached_credential(signed_file, Format::kPng, test::input(), by);
    REQUIRE(!made.ok());
    CHECK(made.error().code == ErrorCode::kConflict);
}

TEST_CASE("bytes beside a file that are no manifest store are bad, not absent") {
    const Buffer file = sample(Format::kMarkdown);
    for (const Buffer& store : {Buffer{}, Buffer{1, 2, 3}, Buffer(400)}) {
        const CredentialReading reading = read(store, file, Format::kMarkdown);
        CHECK(reading.found);
        CHECK(!reading.intact());
    }
}

}  // namespace
}  // namespace colophon::label::provenance
