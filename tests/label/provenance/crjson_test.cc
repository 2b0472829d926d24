// SPDX-License-Identifier: Apache-2.0
// What crJSON must and must not hold (C2PA 2.4, "Content Credentials JSON"), and that it says the
// same as c2pa-rs's.

#include "label/provenance/crjson.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/forge.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/stamps.h"
#include "label/provenance/validate.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

// A picture with a time stamp whose credential has a parent.
struct Stamped {
    test::StampAuthority stamps;
    Buffer file;

    Stamped() {
        const Buffer first = test::Forge().make();
        const CredentialReading before =
            read_credential(first, Format::kPng, test::forge_authority().trust()).value();
        CredentialInput input = test::input(2);
        input.now = SystemClock().now();
        input.upstream = {
            .store = before.store, .statuses = before.statuses, .ingredients = before.ingredients};
        const IssuedKey& leaf = test::forge_authority().leaf;
        CredentialSigner signer(
            SigningCredential::from_pem(leaf.key_pem, leaf.certificate_pem).value(),
            [&](Bytes message) { return Result<Buffer>(stamps.token(message)); });
        file = apply_splice(first, add_credential(first, Format::kPng, input, signer)->splice);
    }

    json::Value crjson() const {
        Trust trust = test::forge_authority().trust();
        trust.time_stamps = stamps.anchors();
        return json::parse(write_crjson(read_credential(file, Format::kPng, trust).value()))
            .value();
    }
};

const json::Value& at(const json::Value& value, std::string_view name) {
    const json::Value* member = value.find(name);
    REQUIRE_MESSAGE(member != nullptr, name);
    return *member;
}

std::vector<std::string> names(const json::Value& value) {
    std::vector<std::string> list;
    for (const auto& [name, member] : *value.if_object()) {
        list.push_back(name);
    }
    std::ranges::sort(list);
    return list;
}

TEST_CASE("crJSON holds what it must, and nothing else" * doctest::test_suite("slow pictures")) {
    const json::Value root = Stamped().crjson();
    CHECK(names(root) == std::vector<std::string>{"@context", "jsonGenerator", "manifests"});
    CHECK(names(at(root, "jsonGenerator")) == std::vector<std::string>{"name", "version"});
    const json::Array& manifests = *at(root, "manifests").if_array();
    REQUIRE(manifests.size() == 2);
    for (const json::Value& each : manifests) {
        CHECK(names(each) == std::vector<std::string>{"assertions", "claim.v2", "ingredientDeltas",
                                                      "label", "signature", "validationResults"});
        const json::Value& claim = at(each, "claim.v2");
        CHECK(at(claim, "gathered_assertions").if_array() != nullptr);
        CHECK(at(claim, "redacted_assertions").if_array() != nullptr);
        CHECK(*at(at(each, "signature"), "algorithm").if_string() == "ES256");
        CHECK(names(at(at(each, "signature"), "certificateInfo")) ==
              std::vector<std::string>{"issuer", "serialNumber", "subject", "validity"});
        for (const std::string_view name :
             {"success", "informational", "failure", "validationTime", "specVersion"}) {
            at(at(each, "validationResults"), name);
        }
        const json::Value& hash = at(at(each, "assertions"), "c2pa.hash.data");
        CHECK(at(hash, "hash").if_string()->starts_with("b64'"));
    }
    // The active one first, which bears the time stamp.
    const json::Value& stamp = at(at(manifests.front(), "signature"), "timestampInfo");
    CHECK(at(stamp, "timestamp").if_string()->ends_with("Z"));
    CHECK(*at(at(at(stamp, "certificateInfo"), "subject"), "CN").if_string() == "Stamps");
    CHECK(at(manifests.back(), "signature").find("timestampInfo") == nullptr);
}

TEST_CASE("a manifest that cannot be taken apart is shown as far as it can be") {
    test::Forge forge;
    forge.set_box("org.example.note",
                  test::assertion_box("org.example.note", "cbor", "cbor", Buffer{0xFF}));
    forge.signature_bytes = 3;
    forge.sign = [](Bytes) { return Buffer{1, 2, 3}; };
    const auto reading =
        read_credential(forge.make(), Format::kPng, test::forge_authority().trust()).value();
    const json::Value root = json::parse(write_crjson(reading)).value();
    const json::Value& manifest = at(root, "manifests").if_array()->front();
    CHECK(at(manifest, "signature").if_object()->empty());
    CHECK(at(at(manifest, "assertions"), "org.example.note").if_object()->empty());
}

// Assertions and claims of both, member by member: c2pa-rs adds two flags that 2.4 has not, and
// writes names of algorithms small.
TEST_CASE("c2pa-rs writes the same assertions and claims" * doctest::test_suite("slow pictures")) {
    const colophon::test::TempDir dir;
    const Stamped stamped;
    colophon::test::write_file(dir.file("in.png"), stamped.file);
    colophon::test::write_file(
        dir.file("root.pem"),
        as_bytes(test::forge_authority().root.certificate_pem + stamped.stamps.root_pem()));
    colophon::test::write_file(dir.file("ours.json"), as_bytes(json::write(stamped.crjson())));
    const auto run = colophon::test::run_tool(
        {"timeout", "60", "node", COLOPHON_SOURCE_DIR "/tests/witness/crjson.mjs",
         COLOPHON_SOURCE_DIR "/build/witness/node_modules", dir.file("root.pem"),
         dir.file("in.png"), dir.file("ours.json")});
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
    CHECK(run.out.find("2 manifests") != std::string::npos);
}

}  // namespace
}  // namespace colophon::label::provenance
