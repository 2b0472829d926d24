// SPDX-License-Identifier: Apache-2.0
// What a manifest may not say of data that lie elsewhere, and of time stamps (C2PA 2.4, 15.10.3.2);
// nothing is fetched, and that alone speaks against no manifest (15.10.4.1).

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/bound.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/collection_hash.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

// The failures of a text with a credential that has this assertion besides the usual ones.
std::string failures_with(std::string_view label, const cbor::Value& assertion) {
    const Buffer text = to_buffer("<html><head></head><body>words</body></html>");
    const CredentialInput wanted = test::input();
    CredentialSigner signer = test::signer();
    internal::ManifestWriter statements(wanted);
    REQUIRE(internal::add_statements(wanted, Format::kHtml, statements).ok());
    statements.add(label, assertion);
    const auto place = test::usual_place(text, Format::kHtml);
    const auto store_of = [&](const test::PlacedStore& placed, bool finished) {
        internal::ManifestWriter writer = statements;
        writer.add(
            "c2pa.hash.data",
            internal::data_hash(placed.ranges, hash_without(HashAlgorithm::kSha256,
                                                            FileView(placed.file), placed.ranges)));
        const Buffer claim = writer.claim();
        const Buffer signature =
            finished ? signer.sign(claim).value() : Buffer(signer.signature_bytes());
        return internal::make_store(wanted, writer.manifest(claim, signature)).value();
    };
    const Buffer zeros = store_of(place(Buffer(16)), false);
    const Buffer store = store_of(place(zeros), true);
    return test::failures(test::read(place(store).file, Format::kHtml));
}

cbor::Value external(std::string_view label, cbor::Map location) {
    cbor::Map map{{"location", std::move(location)}, {"size", 10}};
    if (!label.empty()) {
        map.emplace_back("label", label);
    }
    return map;
}

TEST_CASE("references to data elsewhere are checked for their form") {
    const cbor::Map whole{{"url", "https://a.example/x"}, {"alg", "sha256"}, {"hash", Buffer(32)}};
    const cbor::Map plain{{"url", "https://a.example/x"}};
    const cbor::Map no_hash{{"url", "https://a.example/x"}, {"alg", "sha256"}};
    const cbor::Map no_alg{{"url", "https://a.example/x"}, {"hash", Buffer(32)}};
    const cbor::Map no_url{{"alg", "sha256"}, {"hash", Buffer(32)}};
    struct Row {
        std::string_view assertion;
        cbor::Value value;
        std::string_view failures;
    };
    const std::vector<Row> rows{
        {"c2pa.cloud-data", external("org.example.data", whole), ""},
        {"c2pa.cloud-data", external("", whole), "assertion.cloud-data.malformed"},
        {"c2pa.cloud-data", external("org.example.data", no_url), "assertion.cloud-data.malformed"},
        {"c2pa.cloud-data", external("c2pa.hash.data", whole), "assertion.cloud-data.hardBinding"},
        {"c2pa.cloud-data", external("c2pa.hash.multi-asset", whole),
         "assertion.cloud-data.hardBinding"},
        {"c2pa.cloud-data", external("c2pa.actions.v2__2", whole),
         "assertion.cloud-data.hardBinding"},
        {"c2pa.cloud-data", external("c2pa.cloud-data", whole), "assertion.cloud-data.hardBinding"},
        {"c2pa.external-reference", external("", whole), ""},
        {"c2pa.external-reference", external("org.example.data", plain), ""},
        {"c2pa.external-reference", external("", no_hash),
         "assertion.external-reference.malformed"},
        {"c2pa.external-reference", external("", no_alg), "assertion.external-reference.malformed"},
        {"c2pa.external-reference", external("", no_url), "assertion.external-reference.malformed"},
        {"c2pa.external-reference", external("c2pa.ingredient.v3", plain),
         "assertion.external-reference.malformed"},
        {"c2pa.external-reference", external("c2pa.external-reference", plain),
         "assertion.external-reference.malformed"},
    };
    for (const Row& row : rows) {
        const std::string* label = row.value.text("label");
        CAPTURE(row.assertion);
        CAPTURE((label == nullptr ? std::string() : *label));
        const std::string found = failures_with(row.assertion, row.value);
        CHECK(found.find(row.failures) != std::string::npos);
        CHECK(found.empty() == row.failures.empty());
    }
}

TEST_CASE("an assertion of time stamps is a map with at least one") {
    CHECK(failures_with("c2pa.time-stamp", cbor::Map{{"urn:c2pa:x", Buffer{1, 2}}}) == "");
    CHECK(failures_with("c2pa.time-stamp", cbor::Map{}).find("assertion.timestamp.malformed") !=
          std::string::npos);
    CHECK(failures_with("c2pa.time-stamp", cbor::Array{}).find("assertion.timestamp.malformed") !=
          std::string::npos);
}

TEST_CASE("an archive from which a listed file is missing has not as many files as were signed") {
    const colophon::test::TempDir dir;
    const Buffer archive = colophon::test::read_file(colophon::test::make_sample(dir, "docx"));
    CredentialSigner signer = test::signer();
    const auto with = [&](const std::vector<std::string>& more) {
        const test::MakeBinding binding = [&](Bytes file, const std::vector<ByteRange>&) {
            cbor::Map map = *internal::collection_hash(FileView(file), false)->if_map();
            for (auto& [name, value] : map) {
                if (name.if_text() == nullptr || *name.if_text() != "uris") {
                    continue;
                }
                cbor::Array list = *value.if_array();
                for (const std::string& each : more) {
                    list.emplace_back(cbor::Map{{"uri", each}, {"hash", Buffer(32)}});
                }
                value = std::move(list);
            }
            return cbor::Value(std::move(map));
        };
        const Buffer file =
            test::sign_bound(test::usual_place(archive, Format::kDocx), Format::kDocx,
                             "c2pa.hash.collection.data", binding, signer);
        return test::failures(test::read(file, Format::kDocx));
    };
    CHECK(with({}) == "");
    CHECK(with({"word/gone.xml"}) == "assertion.collectionHash.incorrectFileCount");
}

}  // namespace
}  // namespace colophon::label::provenance
