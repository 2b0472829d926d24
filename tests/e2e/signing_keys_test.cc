// SPDX-License-Identifier: Apache-2.0
// Content Credentials signed by keys that are in a token (SoftHSM), behind another program and
// behind a service (both OpenSSL's), and what happens when these lie or fail.

#include "core/bytes.h"
#include "support/http_peer.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

constexpr std::string_view kModule = "/usr/lib/softhsm/libsofthsm2.so";

// An authority with a signer of one algorithm, a picture, and the program over both.
class Desk {
public:
    explicit Desk(const std::string& algorithm) : algorithm_(algorithm) {
        test::run_tool_ok({COLOPHON_PROGRAM, "admin", "ca", file("ca"), "--organization", "Example",
                           "--algorithm", algorithm});
        test::make_sample(folder_, "png");
    }

    std::string file(std::string_view name) const { return folder_.file(name); }
    std::string key() const { return file("ca/signer-key.pem"); }
    const std::string& algorithm() const { return algorithm_; }

    test::ToolRun label(const std::string& sign_key, std::vector<std::string> more = {}) const {
        std::vector<std::string> words{COLOPHON_PROGRAM,
                                       "label",
                                       file("sample.png"),
                                       "-o",
                                       file("out.png"),
                                       "--producer",
                                       "001191000000000000000K10001",
                                       "--marks",
                                       "metadata,provenance",
                                       "--sign-key",
                                       sign_key,
                                       "--sign-cert",
                                       file("ca/signer.pem")};
        words.insert(words.end(), more.begin(), more.end());
        std::filesystem::remove(file("out.png"));
        return test::run_tool(words);
    }

    // What verification says of the output, with the authority trusted.
    std::string verify() const {
        return test::run_tool_ok({COLOPHON_PROGRAM, "verify", "--json", "--marks", "provenance",
                                  "--trust-list", file("ca/root.pem"), file("out.png")});
    }

    // A program that signs its standard input as OpenSSL does; ECDSA comes as DER.
    std::string signing_program(std::string_view name, std::string_view key) const {
        std::string line = "exec openssl dgst -sha256 ";
        if (algorithm_ == "ps384") {
            line =
                "exec openssl dgst -sha384 "
                "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest ";
        }
        line += "-sign '" + std::string(key) + "'\n";
        if (algorithm_ == "ed25519") {
            // OpenSSL wants to know the length of the message beforehand.
            line = "t=$(mktemp); cat >\"$t\"; openssl pkeyutl -sign -rawin -in \"$t\" -inkey '" +
                   std::string(key) + "'; r=$?; rm \"$t\"; exit $r\n";
        }
        const std::string path = file(name);
        test::write_file(path, as_bytes("#!/bin/sh\n" + line));
        ::chmod(path.c_str(), 0700);
        return path;
    }

private:
    test::TempDir folder_;
    std::string algorithm_;
};

void check_signed(const Desk& desk, const std::string& sign_key,
                  std::vector<std::string> more = {}) {
    CAPTURE(desk.algorithm());
    CAPTURE(sign_key);
    const test::ToolRun run = desk.label(sign_key, std::move(more));
    REQUIRE_MESSAGE(run.exit_code == 0, run.err);
    const std::string said = desk.verify();
    CHECK_MESSAGE(said.find(R"("intact":true,"trusted":true)") != std::string::npos, said);
}

// Nothing is written, and the error says this.
void check_refused(const Desk& desk, const std::string& sign_key, int exit_code,
                   std::string_view words, std::vector<std::string> more = {}) {
    CAPTURE(sign_key);
    const test::ToolRun run = desk.label(sign_key, std::move(more));
    CHECK(run.exit_code == exit_code);
    CHECK_MESSAGE(run.err.find(words) != std::string::npos, run.err);
    CHECK_FALSE(std::filesystem::exists(desk.file("out.png")));
}

TEST_CASE("a key inside a PKCS#11 token signs Content Credentials by every algorithm") {
    for (const std::string algorithm : {"es256", "es384", "ps384", "ed25519"}) {
        const Desk desk(algorithm);
        std::filesystem::create_directory(desk.file("tokens"));
        test::write_file(desk.file("softhsm2.conf"),
                         as_bytes("directories.tokendir = " + desk.file("tokens") + "\n"));
        ::setenv("SOFTHSM2_CONF", desk.file("softhsm2.conf").c_str(), 1);
        test::run_tool_ok({"softhsm2-util", "--init-token", "--free", "--label", "signers", "--pin",
                           "4711", "--so-pin", "0815"});
        test::run_tool_ok({"openssl", "pkcs8", "-topk8", "-nocrypt", "-in", desk.key(), "-out",
                           desk.file("pkcs8.pem")});
        test::run_tool_ok({"softhsm2-util", "--import", desk.file("pkcs8.pem"), "--token",
                           "signers", "--label", "credentials", "--id", "01", "--pin", "4711"});
        test::write_file(desk.file("pin"), as_bytes("4711\n"));
        ::chmod(desk.file("pin").c_str(), 0600);
        const auto address = [&](const std::string& object) {
            return "pkcs11:token=signers;object=" + object +
                   ";type=private?module-path=" + std::string(kModule) +
                   "&pin-source=file:" + desk.file("pin");
        };
        check_signed(desk, address("credentials"));
        check_refused(desk, address("none"), 1, "no private key of the PKCS#11 token 'signers'");
    }
}

TEST_CASE("another program signs, and one that fails, hangs or lies makes no file") {
    for (const std::string algorithm : {"es256", "ps384", "ed25519"}) {
        const Desk desk(algorithm);
        check_signed(desk, "command:" + desk.signing_program("sign", desk.key()));
    }
    const Desk desk("es256");
    test::run_tool_ok({"openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                       "ec_paramgen_curve:P-256", "-out", desk.file("other.pem")});
    const std::string unconfirmed = "is not confirmed by the first certificate";
    check_refused(desk, "command:" + desk.signing_program("other", desk.file("other.pem")), 1,
                  unconfirmed);
    check_refused(desk, "command:/bin/cat", 1, unconfirmed);
    check_refused(desk, "command:/bin/true", 1, unconfirmed);
    check_refused(desk, "command:/bin/false", 1, "the program /bin/false ended with 1");
    check_refused(desk, "command:/nowhere/sign", 1, "the program /nowhere/sign does not start");
    check_refused(desk, "command:", 64, "command: needs a program that signs");
    check_refused(desk, "command:head -c 20000 /dev/zero", 1, "prints more than 16384 bytes");
}

TEST_CASE("a signing service signs, and one that fails, lies or wants a token makes no file") {
    const Desk desk("es256");
    const std::string program = desk.signing_program("sign", desk.key());
    ::setenv("COLOPHON_TEST_SIGN_TOKEN", "sesame", 1);
    test::HttpPeer peer([&](const test::PeerRequest& request) {
        if (request.target == "/lies") {
            return test::answer(200, "no signature");
        }
        if (request.header("authorization") != "Bearer sesame" ||
            request.header("colophon-sign-algorithm") != "ES256" || request.method != "POST") {
            return test::answer(401, "");
        }
        return test::answer(200, test::run_tool_ok({program}, request.body),
                            "Content-Type: application/octet-stream\r\n");
    });
    const std::vector<std::string> token{"--sign-token", "env:COLOPHON_TEST_SIGN_TOKEN"};
    check_signed(desk, peer.url("/sign"), token);
    check_refused(desk, peer.url("/sign"), 1, "the signing service answered with status 401");
    check_refused(desk, peer.url("/lies"), 1, "is not confirmed by the first certificate");
    check_refused(desk, "http://signer.example/sign", 64, "by http:// on this machine only");
    ::unsetenv("COLOPHON_TEST_SIGN_TOKEN");
}

}  // namespace
}  // namespace colophon
