// SPDX-License-Identifier: Apache-2.0
// Time stamps by a real authority: OpenSSL's `ts`, with a certificate of the test authority.

#include "label/provenance/time_stamp.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
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
using colophon::test::run_tool_ok;
using colophon::test::TempDir;
using colophon::test::write_file;

using test::kNonce;
using test::StampAuthority;

bool has(const CredentialReading& reading, std::string_view code) {
    return std::ranges::find(reading.statuses, code, &Status::code) != reading.statuses.end();
}

TEST_CASE("a token is worth what its authority is, for its own message") {
    const StampAuthority authority;
    const Buffer message = to_buffer("what was signed");
    const Buffer token = authority.token(message);
    const auto state = [&](Bytes of, const std::vector<Certificate>& anchors) {
        return read_time_stamp(token, TimeStampForm::kToken, of, anchors).state;
    };
    CHECK(state(message, authority.anchors()) == TimeStampState::kValid);
    CHECK(state(as_bytes("something else"), authority.anchors()) == TimeStampState::kMismatch);
    CHECK(state(message, {}) == TimeStampState::kUntrusted);
    CHECK(state(message, test::trust_root().signers) == TimeStampState::kUntrusted);
    Buffer cut = token;
    cut.pop_back();
    CHECK(read_time_stamp(cut, TimeStampForm::kToken, message, {}).state ==
          TimeStampState::kMalformed);
    // Every flipped bit makes it worthless.
    for (std::size_t at = 0; at < token.size(); at += 5) {
        Buffer changed = token;
        changed[at] ^= 0x04U;
        const auto reading =
            read_time_stamp(changed, TimeStampForm::kToken, message, authority.anchors());
        const auto whole =
            read_time_stamp(token, TimeStampForm::kToken, message, authority.anchors());
        // Bytes of certificates that nobody needs do not count.
        CHECK((reading.state != TimeStampState::kValid || reading.time == whole.time));
    }
}

TEST_CASE("an answer to another request is none") {
    const StampAuthority authority;
    const Buffer message = to_buffer("message");
    const Buffer answer = authority.answer(make_time_stamp_request(message, kNonce).value());
    CHECK(read_time_stamp_response(answer, message, kNonce).ok());
    CHECK(read_time_stamp_response(answer, message, kNonce + 1).error().code ==
          ErrorCode::kCorrupt);
    CHECK(read_time_stamp_response(answer, as_bytes("other"), kNonce).error().code ==
          ErrorCode::kCorrupt);
    CHECK(read_time_stamp_response(as_bytes("no DER"), message, kNonce).error().code ==
          ErrorCode::kCorrupt);
    // A request that is none is refused by the authority.
    CHECK(read_time_stamp_response(authority.answer(as_bytes("no request")), message, kNonce)
              .error()
              .code == ErrorCode::kDenied);
}

TEST_CASE("a time stamp keeps a credential good after its certificate has ended" *
          doctest::test_suite("slow pictures")) {
    const StampAuthority authority;
    const TempDir dir;
    SystemClock clock;
    CertificateRequest request = test::request(SignatureAlgorithm::kEs256);
    request.not_before = clock.now() - std::chrono::hours(1);
    CertificateRequest above = request;
    above.common_name = "Root";
    above.lifetime = std::chrono::days{3650};
    const IssuedKey root = make_root(above).value();
    const IssuedKey leaf = issue(root, request, Purpose::kClaim).value();
    CredentialSigner signer(
        SigningCredential::from_pem(leaf.key_pem, leaf.certificate_pem).value(),
        [&](Bytes message) { return Result<Buffer>(authority.token(message)); });
    CredentialInput input = test::input();
    input.now = clock.now();
    const std::string path = make_sample(dir, "png");
    const Buffer file = read_file(path);
    const Credential made = add_credential(file, Format::kPng, input, signer).value();
    const Buffer signed_file = apply_splice(file, made.splice);

    Trust trust{.signers = certificates_from_pem(root.certificate_pem, 1).value(),
                .time_stamps = authority.anchors(),
                .now = clock.now()};
    const auto now = read_credential(signed_file, Format::kPng, trust).value();
    CHECK(now.trusted());
    CHECK(has(now, "timeStamp.trusted"));
    CHECK(now.time_authority == "Stamps");
    REQUIRE(now.signed_at.has_value());
    CHECK(*now.signed_at > clock.now() - std::chrono::minutes(5));

    trust.now += std::chrono::days{400};
    CHECK(read_credential(signed_file, Format::kPng, trust).value().trusted());
    trust.time_stamps.clear();
    const auto untimed = read_credential(signed_file, Format::kPng, trust).value();
    CHECK(!untimed.intact());
    CHECK(has(untimed, "claimSignature.outsideValidity"));
    CHECK(has(untimed, "timeStamp.untrusted"));

    // c2pa-rs takes signers and time-stamp authorities from one list; c2pa-ts knows no stamps of
    // version 2.
    write_file(path, signed_file);
    write_file(dir.file("anchors.pem"), as_bytes(root.certificate_pem + authority.root_pem()));
    const auto run = run_tool(
        {"timeout", "60", "node", COLOPHON_SOURCE_DIR "/tests/witness/credentials.mjs", "--rust",
         COLOPHON_SOURCE_DIR "/build/witness/node_modules", dir.file("anchors.pem"), path});
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
}

}  // namespace
}  // namespace colophon::label::provenance
