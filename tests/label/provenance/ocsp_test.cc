// SPDX-License-Identifier: Apache-2.0
// Revocation as a real responder tells it: OpenSSL's `ocsp`, with certificates of a test authority.

#include "label/provenance/ocsp.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/revocation.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/stamps.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::run_tool;
using colophon::test::TempDir;
using colophon::test::write_file;
using test::certificate_of;
using test::RevocationAuthority;
using test::StampAuthority;

OcspReading read(const RevocationAuthority& authority, Bytes answer) {
    return read_ocsp_response(answer, certificate_of(authority.signer()),
                              certificate_of(authority.root()));
}

TEST_CASE("what a responder says is read, by the issuer and by whom it authorised") {
    const RevocationAuthority authority;
    for (const std::string_view by : {"root", "responder"}) {
        CAPTURE(by);
        const auto says = [&](std::string_view state) {
            authority.set(state, authority.signer());
            return read(authority, authority.answer_about(authority.signer(), by));
        };
        const OcspReading good = says("V");
        CHECK(good.state == OcspState::kGood);
        CHECK(good.ends_at() - good.this_update == std::chrono::hours(24));
        const OcspReading revoked = says("R,keyCompromise");
        CHECK(revoked.state == OcspState::kRevoked);
        REQUIRE(revoked.revoked_since.has_value());
        CHECK(*revoked.revoked_since < SystemClock().now());
        // Without a reason nobody knows since when.
        CHECK(!says("R").revoked_since.has_value());
        CHECK(says("R,removeFromCRL").state == OcspState::kGood);
        CHECK(says("").state == OcspState::kUnknown);
    }
}

TEST_CASE("an answer by somebody else, about another certificate or with a changed bit is none") {
    const RevocationAuthority authority;
    authority.set("V", authority.signer());
    // The signer's own certificate may not speak of itself.
    const OcspReading own = read(authority, authority.answer_about(authority.signer(), "signer"));
    CHECK(own.state == OcspState::kUnusable);
    CHECK(own.problem.find("did not authorise") != std::string::npos);
    // Another authority of the same name.
    const RevocationAuthority other;
    other.set("V", authority.signer());
    CHECK(read(authority, other.answer_about(authority.signer())).state == OcspState::kUnusable);
    // A certificate of the same issuer with another number.
    const OcspReading about = read_ocsp_response(
        authority.answer_about(authority.signer()),
        certificate_of(
            issue(authority.root(), test::request(SignatureAlgorithm::kEs256), Purpose::kClaim)
                .value()),
        certificate_of(authority.root()));
    CHECK(about.problem.find("about other certificates") != std::string::npos);
    const Buffer answer = authority.answer_about(authority.signer());
    for (std::size_t at = 0; at < answer.size(); ++at) {
        Buffer changed = answer;
        changed[at] ^= static_cast<std::uint8_t>(1U << (at % 8));
        const OcspReading reading = read(authority, changed);
        // Certificates that come along and that nobody needs do not count.
        CHECK_MESSAGE((reading.state == OcspState::kUnusable || reading.state == OcspState::kGood),
                      "byte ", at);
    }
    CHECK(read(authority, Bytes(answer).first(answer.size() - 1)).problem ==
          "it is no OCSP response");
    CHECK(read(authority, {}).state == OcspState::kUnusable);
    // "tryLater", without an answer.
    CHECK(read(authority, Buffer{0x30, 0x03, 0x0A, 0x01, 0x03}).problem ==
          "the OCSP responder gave no answer");
}

TEST_CASE("an answer speaks for what was signed before it or while it holds") {
    OcspReading reading;
    reading.this_update = test::test_time();
    reading.produced_at = test::test_time();
    using std::chrono::hours;
    CHECK(reading.speaks_for(test::test_time() - hours(1)));
    CHECK(reading.speaks_for(test::test_time() + hours(23)));
    CHECK(!reading.speaks_for(test::test_time() + hours(25)));
    reading.next_update = test::test_time() + hours(48);
    CHECK(reading.speaks_for(test::test_time() + hours(25)));
    CHECK(!reading.speaks_for(test::test_time() + hours(49)));
}

// A picture, signed with an answer beside the signature and with or without a time.
struct Signed {
    const RevocationAuthority& authority;
    const StampAuthority& stamps;

    Buffer file(const Buffer& answer, bool timed, const IssuedKey& pair,
                const std::string& above = {}) const {
        const TempDir dir;
        TimeStamper stamper;
        if (timed) {
            stamper = [this](Bytes message) { return Result<Buffer>(stamps.token(message)); };
        }
        CredentialSigner signer(
            SigningCredential::from_pem(pair.key_pem, pair.certificate_pem + above).value(),
            std::move(stamper),
            {.response = [&] { return Result<Buffer>(answer); },
             .response_bytes_max = answer.size()});
        CredentialInput input = test::input();
        input.now = SystemClock().now();
        const Buffer source = read_file(make_sample(dir, "png"));
        return apply_splice(source,
                            add_credential(source, Format::kPng, input, signer).value().splice);
    }
    Trust trust() const {
        return {.signers = certificates_from_pem(authority.root().certificate_pem, 1).value(),
                .time_stamps = stamps.anchors(),
                .now = SystemClock().now()};
    }
    CredentialReading read(Bytes file) const {
        return read_credential(file, Format::kPng, trust()).value();
    }
};

bool has(const CredentialReading& reading, std::string_view code) {
    return std::ranges::find(reading.statuses, code, &Status::code) != reading.statuses.end();
}

TEST_CASE("an answer beside a signature and a time stamp shows that the signer was not revoked") {
    const RevocationAuthority authority;
    const StampAuthority stamps;
    const Signed make{.authority = authority, .stamps = stamps};
    authority.set("V", authority.signer());
    const Buffer good = authority.answer_about(authority.signer(), "responder");
    const Buffer file = make.file(good, true, authority.signer());
    const CredentialReading reading = make.read(file);
    CHECK(reading.trusted());
    CHECK(has(reading, "signingCredential.ocsp.notRevoked"));
    CHECK(!has(reading, "signingCredential.ocsp.skipped"));
    // Without the time nobody knows whether the answer was there when the claim was signed.
    const CredentialReading untimed = make.read(make.file(good, false, authority.signer()));
    CHECK(untimed.trusted());
    CHECK(has(untimed, "signingCredential.ocsp.skipped"));

    // c2pa-rs says so too, and trusts the file.
    const TempDir dir;
    write_file(dir.file("signed.png"), file);
    write_file(dir.file("anchors.pem"),
               as_bytes(authority.root().certificate_pem + stamps.root_pem()));
    const auto run =
        run_tool({"timeout", "60", "node", COLOPHON_SOURCE_DIR "/tests/witness/credentials.mjs",
                  "--rust", COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                  dir.file("anchors.pem"), dir.file("signed.png")});
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
    CHECK_MESSAGE(run.out.find("signingCredential.ocsp.notRevoked") != std::string::npos, run.out);
}

TEST_CASE("a signer that was revoked is not valid, with and without a time stamp") {
    const RevocationAuthority authority;
    const StampAuthority stamps;
    const Signed make{.authority = authority, .stamps = stamps};
    authority.set("R,keyCompromise", authority.signer());
    const Buffer revoked = authority.answer_about(authority.signer());
    for (const bool timed : {true, false}) {
        const CredentialReading reading = make.read(make.file(revoked, timed, authority.signer()));
        CHECK(!reading.intact());
        CHECK(test::failures(reading) == "signingCredential.ocsp.revoked");
    }
    authority.set("", authority.signer());
    const CredentialReading unknown =
        make.read(make.file(authority.answer_about(authority.signer()), true, authority.signer()));
    CHECK(unknown.trusted());
    CHECK(has(unknown, "signingCredential.ocsp.unknown"));
    // What cannot be read says nothing.
    const CredentialReading garbage =
        make.read(make.file(to_buffer("no DER"), true, authority.signer()));
    CHECK(garbage.trusted());
    CHECK(has(garbage, "signingCredential.ocsp.skipped"));
}

// C2PA 2.4, 15.9: what happened to a certificate after it had signed takes nothing back.
TEST_CASE("a revocation counts from its time on, and only a trusted time stamp comes before it") {
    using std::chrono::minutes;
    const RevocationAuthority authority;
    const StampAuthority stamps;
    const Signed make{.authority = authority, .stamps = stamps};
    const Time now = SystemClock().now();
    struct Row {
        std::string state;
        minutes revoked;  // after now
        bool timed;
        bool intact;
    };
    const std::string day_before =
        "R,keyTime," + RevocationAuthority::index_time(now - std::chrono::hours(24));
    // The answers hold for a day, and the files are read at once: a revocation in the future is
    // one after the time stamp.
    const std::vector<Row> rows{
        {"R,superseded", minutes(10), true, true},
        {"R,superseded", minutes(-10), true, false},
        {"R,superseded", minutes(10), false, false},
        {"R,keyCompromise", minutes(10), true, true},
        {"R,keyCompromise", minutes(-10), true, false},
        // Revoked later, and the key in doubt before: RFC 5280, 5.3.2.
        {day_before, minutes(10), true, false},
        {"R,removeFromCRL", minutes(-10), true, true},
        {"R,removeFromCRL", minutes(10), true, true},
        // Without a reason, as c2pa-rs has it.
        {"R", minutes(10), true, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.state);
        CAPTURE(row.revoked.count());
        CAPTURE(row.timed);
        authority.set(row.state, authority.signer(), now + row.revoked);
        const Buffer answer = authority.answer_about(authority.signer());
        const CredentialReading reading =
            make.read(make.file(answer, row.timed, authority.signer()));
        CHECK(reading.trusted() == row.intact);
        CHECK(has(reading, "signingCredential.ocsp.revoked") == !row.intact);
        CHECK(has(reading, "signingCredential.ocsp.notRevoked") == row.intact);
        CHECK(test::failures(reading) ==
              (row.intact ? std::string() : "signingCredential.ocsp.revoked"));
    }
}

TEST_CASE("an authority in between that was revoked leads to nobody whom we trust") {
    const RevocationAuthority authority;
    const StampAuthority stamps;
    // An authority below the root, made by OpenSSL, and a signer below that.
    const auto openssl = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "openssl");
        colophon::test::run_tool_ok(words);
    };
    write_file(authority.file("ca.cnf"),
               as_bytes("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
                        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"));
    openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
             authority.file("between-key.pem"), "-out", authority.file("between.csr"), "-subj",
             "/O=Test/CN=Between"});
    openssl({"x509", "-req", "-in", authority.file("between.csr"), "-CA",
             authority.file("root.pem"), "-CAkey", authority.file("root-key.pem"),
             "-CAcreateserial", "-days", "30", "-sha256", "-extfile", authority.file("ca.cnf"),
             "-out", authority.file("between.pem")});
    const IssuedKey between{
        .key_pem = std::string(as_text(read_file(authority.file("between-key.pem")))),
        .certificate_pem = std::string(as_text(read_file(authority.file("between.pem"))))};
    CertificateRequest wanted = test::request(SignatureAlgorithm::kEs256);
    wanted.not_before = SystemClock().now() - std::chrono::minutes(5);
    wanted.lifetime = std::chrono::days{7};
    const IssuedKey signer = issue(between, wanted, Purpose::kClaim).value();
    const Signed make{.authority = authority, .stamps = stamps};
    authority.set("V", between);
    const Buffer good = authority.answer_about(between);
    CHECK(make.read(make.file(good, true, signer, between.certificate_pem)).trusted());
    authority.set("R", between);
    const Buffer revoked = authority.answer_about(between);
    const CredentialReading reading =
        make.read(make.file(revoked, true, signer, between.certificate_pem));
    CHECK(test::failures(reading) == "signingCredential.untrusted");
    CHECK(reading.state == CredentialState::kValid);
    // After it had vouched for what was signed, that stands.
    authority.set("R,superseded", between, SystemClock().now() + std::chrono::minutes(10));
    const Buffer later = authority.answer_about(between);
    CHECK(make.read(make.file(later, true, signer, between.certificate_pem)).trusted());
    CHECK(test::failures(make.read(make.file(later, false, signer, between.certificate_pem))) ==
          "signingCredential.untrusted");
}

TEST_CASE("a certificate tells its issuer and where to ask about it") {
    const RevocationAuthority authority;
    const Certificate root = certificate_of(authority.root());
    const Certificate signer = certificate_of(authority.signer());
    CHECK(root.issued(signer));
    CHECK(root.issued(root));
    CHECK(!signer.issued(root));
    CHECK(signer.ocsp_responder().empty());
    CertificateRequest wanted = test::request(SignatureAlgorithm::kEs256);
    wanted.ocsp_responder = "http://127.0.0.1:8888/ocsp";
    CHECK(
        certificate_of(issue(authority.root(), wanted, Purpose::kClaim).value()).ocsp_responder() ==
        wanted.ocsp_responder);
    for (const std::string_view bad :
         {"ftp://x", "http://a,caIssuers;URI:http://b", "http://a b", "file:///x"}) {
        wanted.ocsp_responder = bad;
        CHECK(issue(authority.root(), wanted, Purpose::kClaim).error().code ==
              ErrorCode::kInvalidArgument);
    }
}

}  // namespace
}  // namespace colophon::label::provenance
