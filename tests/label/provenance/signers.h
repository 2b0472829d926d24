// SPDX-License-Identifier: Apache-2.0
#pragma once

// A certification authority for tests, and what is signed by it. Made once a process: keys cost
// time, and their numbers do not matter.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/carrier.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/signer.h"
#include "label/provenance/validate.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {

inline Time test_time() {
    return parse_time("2026-11-26T08:00:00Z").value();
}

inline CertificateRequest request(SignatureAlgorithm algorithm) {
    return {.organization = "Test",
            .common_name = "Signer",
            .algorithm = algorithm,
            .not_before = test_time() - std::chrono::hours(24),
            .lifetime = std::chrono::days{365},
            .ocsp_responder = {}};
}

// An authority of its own and a signer under it, good since an hour ago: for witnesses, who look at
// the clock.
struct FreshAuthority {
    IssuedKey root;
    IssuedKey leaf;

    static FreshAuthority make(SignatureAlgorithm algorithm = SignatureAlgorithm::kEs256) {
        CertificateRequest wanted = request(algorithm);
        wanted.not_before = SystemClock().now() - std::chrono::hours(1);
        CertificateRequest above = wanted;
        above.algorithm = SignatureAlgorithm::kEs256;
        above.common_name = "Root";
        const IssuedKey root = make_root(above).value();
        return {.root = root, .leaf = issue(root, wanted, Purpose::kClaim).value()};
    }
    CredentialSigner signer() const {
        return CredentialSigner(
            SigningCredential::from_pem(leaf.key_pem, leaf.certificate_pem).value(), {});
    }
    Trust trust() const {
        return {.signers = certificates_from_pem(root.certificate_pem, 1).value(),
                .time_stamps = {},
                .now = SystemClock().now()};
    }
};

inline const IssuedKey& root() {
    static const IssuedKey kRoot = [] {
        CertificateRequest wanted = request(SignatureAlgorithm::kEs256);
        wanted.common_name = "Root";
        wanted.lifetime = std::chrono::days{3650};
        return make_root(wanted).value();
    }();
    return kRoot;
}

inline const IssuedKey& leaf(SignatureAlgorithm algorithm) {
    static std::map<SignatureAlgorithm, IssuedKey> leaves;
    auto row = leaves.find(algorithm);
    if (row == leaves.end()) {
        row = leaves.emplace(algorithm, issue(root(), request(algorithm), Purpose::kClaim).value())
                  .first;
    }
    return row->second;
}

inline Trust trust_root() {
    return {.signers = certificates_from_pem(root().certificate_pem, 1).value(),
            .time_stamps = {},
            .now = test_time()};
}

inline CredentialSigner signer(SignatureAlgorithm algorithm = SignatureAlgorithm::kEs256) {
    const IssuedKey& pair = leaf(algorithm);
    return CredentialSigner(SigningCredential::from_pem(pair.key_pem, pair.certificate_pem).value(),
                            {});
}

inline CredentialInput input(std::uint8_t number = 1) {
    CredentialInput made;
    made.system_name = "painter";
    made.system_version = "3";
    made.aigc = R"({"Label":"1","ContentProducer":"Test","ProduceID":"42"})";
    made.now = test_time();
    made.manifest_id.fill(number);
    made.instance_id.fill(static_cast<std::uint8_t>(number + 100));
    return made;
}

// The file with a credential by the test authority.
inline Buffer sign(Bytes file, Format format, const CredentialInput& wanted = input(),
                   SignatureAlgorithm algorithm = SignatureAlgorithm::kEs256) {
    CredentialSigner by = signer(algorithm);
    const auto made = add_credential(file, format, wanted, by);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().what));
    return apply_splice(file, made->splice);
}

inline CredentialReading read(Bytes file, Format format) {
    auto reading = read_credential(file, format, trust_root());
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? std::string() : reading.error().what));
    return std::move(reading).value();
}

// Whether the tools of others that the tests could install read credentials in the format.
inline bool others_read(const Carrier& carrier) {
    switch (carrier.format) {
        case Format::kHtml:
        case Format::kMarkdown:
        case Format::kOggVorbis:
        case Format::kOpus:
        case Format::kPlainText:
            return false;
        default:
            return carrier.binding != Binding::kZip;
    }
}

// "assertion.dataHash.mismatch signingCredential.untrusted": the failures of the active manifest.
inline std::string failures(const CredentialReading& reading) {
    std::string text;
    for (const Status& each : reading.statuses) {
        if (each.kind == StatusKind::kFailure) {
            text += (text.empty() ? "" : " ") + each.code;
        }
    }
    return text;
}

// Of a platform that passes on a file with this credential.
inline CredentialInput passing_on(const CredentialReading& before, std::uint8_t number) {
    CredentialInput passed = input(number);
    passed.as_producer = false;
    passed.upstream = {
        .store = before.store, .statuses = before.statuses, .ingredients = before.ingredients};
    return passed;
}

// The command that asks c2pa-rs, which trusts this authority; the files follow.
inline std::vector<std::string> rust_witness(const colophon::test::TempDir& dir,
                                             const FreshAuthority& authority) {
    colophon::test::write_file(dir.file("root.pem"), as_bytes(authority.root.certificate_pem));
    return {"timeout",
            "100",
            "node",
            COLOPHON_SOURCE_DIR "/tests/witness/credentials.mjs",
            "--rust",
            COLOPHON_SOURCE_DIR "/build/witness/node_modules",
            dir.file("root.pem")};
}

}  // namespace colophon::label::provenance::test
