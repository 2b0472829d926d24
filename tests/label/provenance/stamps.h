// SPDX-License-Identifier: Apache-2.0
#pragma once

// A time-stamp authority for tests: OpenSSL's `ts`, with a certificate of a root of its own.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signers.h"
#include "label/provenance/time_stamp.h"
#include "support/tools.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::label::provenance::test {

inline constexpr std::uint64_t kNonce = 4711;

enum class StampCertificate : std::uint8_t {
    kUsual,
    kNotYet,  // valid from tomorrow on
    kWeak,    // signed by itself, with a key of 1024 bits
};

class StampAuthority {
public:
    explicit StampAuthority(StampCertificate kind = StampCertificate::kUsual) {
        SystemClock clock;
        CertificateRequest wanted = request(SignatureAlgorithm::kEs256);
        wanted.not_before = clock.now() - std::chrono::hours(1);
        wanted.common_name = "Stamp root";
        root_ = make_root(wanted).value();
        wanted.common_name = "Stamps";
        if (kind == StampCertificate::kNotYet) {
            wanted.not_before = clock.now() + std::chrono::hours(24);
        }
        const IssuedKey pair = issue(root_, wanted, Purpose::kTimeStamp).value();
        colophon::test::write_file(dir_.file("tsa.pem"), as_bytes(pair.certificate_pem));
        colophon::test::write_file(dir_.file("tsa-key.pem"), as_bytes(pair.key_pem));
        if (kind == StampCertificate::kWeak) {
            make_weak();
        }
        colophon::test::write_file(dir_.file("root.pem"), as_bytes(root_.certificate_pem));
        colophon::test::write_file(dir_.file("serial"), as_bytes("01\n"));
        colophon::test::write_file(
            dir_.file("tsa.cnf"),
            as_bytes("[tsa]\ndefault_tsa = t\n[t]\nserial = " + dir_.file("serial") +
                     "\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n"
                     "digests = sha256, sha384, sha512\ness_cert_id_alg = sha256\n"));
    }

    // The whole answer to a request.
    Buffer answer(Bytes question) const {
        colophon::test::write_file(dir_.file("request"), question);
        colophon::test::run_tool_ok({"openssl", "ts", "-reply", "-config", dir_.file("tsa.cnf"),
                                     "-queryfile", dir_.file("request"), "-signer",
                                     dir_.file("tsa.pem"), "-inkey", dir_.file("tsa-key.pem"),
                                     "-chain", dir_.file("root.pem"), "-out",
                                     dir_.file("response")});
        return colophon::test::read_file(dir_.file("response"));
    }
    Buffer token(Bytes message) const {
        return read_time_stamp_response(answer(make_time_stamp_request(message, kNonce).value()),
                                        message, kNonce)
            .value();
    }
    std::vector<Certificate> anchors() const {
        return certificates_from_pem(root_.certificate_pem, 1).value();
    }
    const std::string& root_pem() const { return root_.certificate_pem; }

private:
    void make_weak() {
        colophon::test::run_tool_ok({"openssl",  "req",
                                     "-x509",    "-newkey",
                                     "rsa:1024", "-nodes",
                                     "-subj",    "/CN=Weak",
                                     "-days",    "30",
                                     "-keyout",  dir_.file("tsa-key.pem"),
                                     "-out",     dir_.file("tsa.pem"),
                                     "-addext",  "basicConstraints=critical,CA:FALSE",
                                     "-addext",  "keyUsage=critical,digitalSignature",
                                     "-addext",  "extendedKeyUsage=critical,timeStamping"});
        root_.certificate_pem =
            std::string(as_text(colophon::test::read_file(dir_.file("tsa.pem"))));
    }

    colophon::test::TempDir dir_;
    IssuedKey root_;
};

}  // namespace colophon::label::provenance::test
