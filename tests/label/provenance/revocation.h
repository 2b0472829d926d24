// SPDX-License-Identifier: Apache-2.0
#pragma once

// An authority for tests that tells which of its certificates it revoked: OpenSSL's `ocsp` over an
// index that the test writes.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/ocsp.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signers.h"
#include "support/tools.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::test {

inline Certificate certificate_of(const IssuedKey& pair) {
    return certificates_from_pem(pair.certificate_pem, 1).value().front();
}

class RevocationAuthority {
public:
    RevocationAuthority() {
        SystemClock clock;
        CertificateRequest wanted = request(SignatureAlgorithm::kEs256);
        wanted.not_before = clock.now() - std::chrono::hours(1);
        wanted.common_name = "Root";
        wanted.lifetime = std::chrono::days{3650};
        root_ = make_root(wanted).value();
        wanted.common_name = "Signer";
        wanted.lifetime = std::chrono::days{365};
        signer_ = issue(root_, wanted, Purpose::kClaim).value();
        wanted.common_name = "Responder";
        responder_ = issue(root_, wanted, Purpose::kRevocation).value();
        put("root", root_);
        put("responder", responder_);
        put("signer", signer_);
    }

    const IssuedKey& root() const { return root_; }
    const IssuedKey& signer() const { return signer_; }
    const colophon::test::TempDir& dir() const { return dir_; }
    std::string file(std::string_view name) const { return dir_.file(name); }

    // As the next answer says: "V" good, "R" revoked (",REASON" behind it), a minute ago or when
    // is said, "" unknown.
    void set(std::string_view state, const IssuedKey& about,
             Time revoked = SystemClock().now() - std::chrono::minutes(1)) const {
        std::string line;
        if (!state.empty()) {
            std::string serial = certificate_of(about).serial();
            std::ranges::transform(serial, serial.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
            const std::string when = state.front() == 'R'
                                         ? index_time(revoked) + std::string(state.substr(1))
                                         : std::string();
            line = std::string(state.substr(0, 1)) + "\t" +
                   index_time(SystemClock().now() + std::chrono::days{365}) + "\t" + when + "\t" +
                   serial + "\tunknown\t/CN=Signer\n";
        }
        colophon::test::write_file(file("index.txt"), as_bytes(line));
        colophon::test::write_file(file("index.txt.attr"), as_bytes("unique_subject = no\n"));
    }

    // The answer to any request, signed by that pair.
    Buffer answer(Bytes question, std::string_view by = "root",
                  const std::vector<std::string>& more = {"-ndays", "1"}) const {
        colophon::test::write_file(file("question"), question);
        std::vector<std::string> command{"openssl",  "ocsp",
                                         "-index",   file("index.txt"),
                                         "-CA",      file("root.pem"),
                                         "-rsigner", file(std::string(by) + ".pem"),
                                         "-rkey",    file(std::string(by) + "-key.pem"),
                                         "-reqin",   file("question"),
                                         "-respout", file("answer")};
        command.insert(command.end(), more.begin(), more.end());
        colophon::test::run_tool_ok(command);
        return colophon::test::read_file(file("answer"));
    }
    Buffer answer_about(const IssuedKey& about, std::string_view by = "root",
                        const std::vector<std::string>& more = {"-ndays", "1"}) const {
        return answer(make_ocsp_request(certificate_of(about), certificate_of(root_)).value(), by,
                      more);
    }

    // "261126080000Z"
    static std::string index_time(Time time) {
        std::string text = format_time(time).substr(2, 17);
        std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == 'T'; });
        return text + "Z";
    }

    void put(std::string_view name, const IssuedKey& pair) const {
        colophon::test::write_file(file(std::string(name) + ".pem"),
                                   as_bytes(pair.certificate_pem));
        colophon::test::write_file(file(std::string(name) + "-key.pem"), as_bytes(pair.key_pem));
    }

private:
    colophon::test::TempDir dir_;
    IssuedKey root_;
    IssuedKey signer_;
    IssuedKey responder_;
};

}  // namespace colophon::label::provenance::test
