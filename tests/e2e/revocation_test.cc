// SPDX-License-Identifier: Apache-2.0
// OCSP responses beside the signatures of Content Credentials: asked of a responder that is
// OpenSSL's, or out of a file, with time stamps by OpenSSL's authority; and credentials that files
// get on their way.

#include "core/bytes.h"
#include "support/http_peer.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

constexpr std::string_view kProducer = "001191000000000000000K10001";

// An authority that tells what it revoked, a time-stamp authority, and the program over both.
class Desk {
public:
    Desk() : peer_([this](const test::PeerRequest& request) { return serve(request); }) {
        test::run_tool_ok({COLOPHON_PROGRAM, "admin", "ca", file("ca"), "--organization", "Example",
                           "--ocsp-responder", peer_.url("/ocsp")});
        test::write_file(file("chain.pem"),
                         as_bytes(std::string(text("ca/signer.pem")) + text("ca/root.pem")));
        make_stamps();
        test::make_sample(folder_, "png");
        set("V");
    }

    const test::TempDir& folder() const { return folder_; }
    std::string file(std::string_view name) const { return folder_.file(name); }
    std::string text(std::string_view name) const {
        return std::string(as_text(test::read_file(file(name))));
    }
    std::string stamps() const { return peer_.url("/tsa"); }
    std::size_t questions() const {
        std::size_t count = 0;
        for (const test::PeerRequest& each : peer_.requests()) {
            count += each.target == "/ocsp" ? 1U : 0U;
        }
        return count;
    }

    // What the responder says from now on: "V" good, "R" revoked, "" nothing known.
    void set(std::string_view state) const {
        std::string serial = test::run_tool_ok(
            {"openssl", "x509", "-noout", "-serial", "-in", file("ca/signer.pem")});
        serial = serial.substr(serial.find('=') + 1);
        serial.pop_back();
        const std::string line = state.empty() ? std::string()
                                               : std::string(state) + "\t400101000000Z\t" +
                                                     (state == "R" ? "250101000000Z" : "") + "\t" +
                                                     serial + "\tunknown\t/CN=Signer\n";
        test::write_file(file("index.txt"), as_bytes(line));
        test::write_file(file("index.txt.attr"), as_bytes("unique_subject = no\n"));
    }

    test::ToolRun label(std::vector<std::string> more, std::string_view chain = "chain.pem",
                        std::string_view input = "sample.png",
                        std::string_view output = "out.png") const {
        std::vector<std::string> words{COLOPHON_PROGRAM,
                                       "label",
                                       file(input),
                                       "-o",
                                       file(output),
                                       "--producer",
                                       std::string(kProducer),
                                       "--marks",
                                       "metadata,provenance",
                                       "--sign-key",
                                       file("ca/signer-key.pem"),
                                       "--sign-cert",
                                       file(chain)};
        words.insert(words.end(), more.begin(), more.end());
        std::filesystem::remove(file(output));
        return test::run_tool(words);
    }
    std::string manifest(std::string_view name) const {
        return test::run_tool_ok({COLOPHON_PROGRAM, "verify", "--manifest", "--trust-list",
                                  file("ca/root.pem"), "--tsa-list", file("tsa.pem"), file(name)});
    }
    // Nothing is written, and the error says this.
    void check_refused(const std::vector<std::string>& more, std::string_view words,
                       std::string_view chain = "chain.pem") const {
        const test::ToolRun run = label(more, chain);
        CHECK(run.exit_code != 0);
        CHECK_MESSAGE(run.err.find(words) != std::string::npos, run.err);
        CHECK_FALSE(std::filesystem::exists(file("out.png")));
    }

    Buffer answer(Bytes question) const {
        test::write_file(file("question"), question);
        test::run_tool_ok({"openssl", "ocsp", "-index", file("index.txt"), "-CA",
                           file("ca/root.pem"), "-rsigner", file("ca/root.pem"), "-rkey",
                           file("ca/root-key.pem"), "-reqin", file("question"), "-respout",
                           file("answer"), "-ndays", "2"});
        return test::read_file(file("answer"));
    }
    // The same without the program: OpenSSL asks.
    void write_answer(std::string_view name) const {
        test::run_tool_ok({"openssl", "ocsp", "-issuer", file("ca/root.pem"), "-cert",
                           file("ca/signer.pem"), "-reqout", file("asked")});
        test::write_file(file(name), answer(test::read_file(file("asked"))));
    }

private:
    void make_stamps() const {
        test::write_file(file("tsa.ext"),
                         as_bytes("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,"
                                  "digitalSignature\nextendedKeyUsage=critical,timeStamping\n"));
        test::run_tool_ok({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:P-256", "-nodes", "-keyout", file("tsa-root-key.pem"),
                           "-out", file("tsa.pem"), "-days", "30", "-subj", "/O=Stamps/CN=Root"});
        test::run_tool_ok({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                           "-nodes", "-keyout", file("stamp-key.pem"), "-out", file("stamp.csr"),
                           "-subj", "/O=Stamps/CN=Stamp"});
        test::run_tool_ok({"openssl", "x509", "-req", "-in", file("stamp.csr"), "-CA",
                           file("tsa.pem"), "-CAkey", file("tsa-root-key.pem"), "-CAcreateserial",
                           "-days", "20", "-sha256", "-extfile", file("tsa.ext"), "-out",
                           file("stamp.pem")});
        test::write_file(file("serial"), as_bytes("01\n"));
        test::write_file(file("tsa.cnf"),
                         as_bytes("[tsa]\ndefault_tsa = t\n[t]\nserial = " + file("serial") +
                                  "\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n"
                                  "digests = sha256\ness_cert_id_alg = sha256\n"));
    }

    // One at a time: they share their files.
    test::PeerAnswer serve(const test::PeerRequest& request) const {
        const std::scoped_lock lock(mutex_);
        if (request.target == "/ocsp") {
            CHECK(request.header("content-type") == "application/ocsp-request");
            return test::answer(200, as_text(answer(as_bytes(request.body))),
                                "Content-Type: application/ocsp-response\r\n");
        }
        test::write_file(file("request"), as_bytes(request.body));
        test::run_tool_ok({"openssl", "ts", "-reply", "-config", file("tsa.cnf"), "-queryfile",
                           file("request"), "-signer", file("stamp.pem"), "-inkey",
                           file("stamp-key.pem"), "-chain", file("tsa.pem"), "-out",
                           file("response")});
        return test::answer(200, as_text(test::read_file(file("response"))),
                            "Content-Type: application/timestamp-reply\r\n");
    }

    test::TempDir folder_;
    mutable std::mutex mutex_;
    test::HttpPeer peer_;
};

TEST_CASE("a responder is asked once for many files, and its answer shows that nobody revoked") {
    const Desk desk;
    std::filesystem::create_directory(desk.file("in"));
    for (const char* name : {"in/a.png", "in/b.png", "in/c.png"}) {
        std::filesystem::copy_file(desk.file("sample.png"), desk.file(name));
    }
    const test::ToolRun run = desk.label({"--ocsp", "responder", "--time-stamp", desk.stamps()},
                                         "chain.pem", "in", "out");
    REQUIRE_MESSAGE(run.exit_code == 0, run.err);
    CHECK(desk.questions() == 1);
    for (const char* name : {"out/a.png", "out/b.png", "out/c.png"}) {
        const std::string said = desk.manifest(name);
        CHECK_MESSAGE(said.find("signingCredential.ocsp.notRevoked") != std::string::npos, said);
        CHECK(said.find("signingCredential.trusted") != std::string::npos);
        CHECK(said.find("timeStamp.trusted") != std::string::npos);
    }
}

TEST_CASE("an answer out of a file goes beside the signature, also by the configuration") {
    const Desk desk;
    desk.write_answer("status.der");
    const test::ToolRun run =
        desk.label({"--ocsp", desk.file("status.der"), "--time-stamp", desk.stamps()});
    REQUIRE_MESSAGE(run.exit_code == 0, run.err);
    CHECK(desk.questions() == 0);
    CHECK(desk.manifest("out.png").find("signingCredential.ocsp.notRevoked") != std::string::npos);
    test::write_file(desk.file("colophon.toml"),
                     as_bytes("[label]\nocsp = \"" + desk.file("status.der") +
                              "\"\ntime_stamp = \"" + desk.stamps() + "\"\n"));
    std::filesystem::remove(desk.file("out.png"));
    test::run_tool_ok({"env", "COLOPHON_CONFIG=" + desk.file("colophon.toml"), COLOPHON_PROGRAM,
                       "label", desk.file("sample.png"), "-o", desk.file("out.png"), "--producer",
                       std::string(kProducer), "--marks", "provenance", "--sign-key",
                       desk.file("ca/signer-key.pem"), "--sign-cert", desk.file("chain.pem")});
    CHECK(desk.manifest("out.png").find("signingCredential.ocsp.notRevoked") != std::string::npos);
}

TEST_CASE(
    "a certificate that was revoked signs nothing, and neither does an answer that is no good") {
    const Desk desk;
    const std::vector<std::string> asked{"--ocsp", "responder", "--time-stamp", desk.stamps()};
    desk.set("R");
    desk.check_refused(asked, "was revoked");
    desk.set("");
    desk.check_refused(asked, "does not know the certificate");
    desk.set("V");
    desk.check_refused({"--ocsp", "responder"}, "--ocsp goes with --time-stamp");
    desk.check_refused(asked, "needs the certificate of the authority", "ca/signer.pem");
    test::write_file(desk.file("bad.der"), as_bytes("no answer"));
    desk.check_refused({"--ocsp", desk.file("bad.der"), "--time-stamp", desk.stamps()},
                       "it is no OCSP response");
    desk.check_refused({"--ocsp", desk.file("none.der"), "--time-stamp", desk.stamps()},
                       "none.der");
}

TEST_CASE("who passes a file on adds to its credential, and the producer's words stay") {
    const Desk desk;
    REQUIRE(desk.label({}).exit_code == 0);
    test::run_tool_ok({COLOPHON_PROGRAM, "label", desk.file("out.png"), "-o", desk.file("on.png"),
                       "--propagator", "001191000000000000000K10002", "--propagate", "--marks",
                       "provenance", "--sign-key", desk.file("ca/signer-key.pem"), "--sign-cert",
                       desk.file("chain.pem")});
    const std::string said =
        test::run_tool_ok({COLOPHON_PROGRAM, "verify", "--json", "--trust-list",
                           desk.file("ca/root.pem"), desk.file("on.png")});
    CHECK(said.find(R"("verdict":"intact")") != std::string::npos);
    CHECK(said.find(R"("source_type":"trainedAlgorithmicMedia")") != std::string::npos);
    CHECK(desk.manifest("on.png").find(R"("action":"c2pa.published")") != std::string::npos);
}

TEST_CASE("a credential beside a file becomes the parent of what the file is labelled with") {
    const Desk desk;
    REQUIRE(desk.label({"--detached"}).exit_code == 0);
    REQUIRE(std::filesystem::exists(desk.file("out.png.c2pa")));
    // Beside the input, and named.
    const auto check_parent = [&](const std::vector<std::string>& more) {
        CHECK(desk.label(more, "chain.pem", "out.png", "again.png").exit_code == 0);
        const std::string said = desk.manifest("again.png");
        CHECK(said.find("parentOf") != std::string::npos);
        CHECK(said.find(R"("failure":[])") != std::string::npos);
    };
    check_parent({});
    std::filesystem::rename(desk.file("out.png.c2pa"), desk.file("elsewhere.c2pa"));
    check_parent({"--credential", desk.file("elsewhere.c2pa")});
    CHECK(desk.label({}, "chain.pem", "out.png", "again.png").exit_code == 0);
    CHECK(desk.manifest("again.png").find("parentOf") == std::string::npos);
    // One that is about another file is left out when it lies there, and refused when it is named.
    std::filesystem::copy_file(desk.file("elsewhere.c2pa"), desk.file("sample.png.c2pa"));
    const test::ToolRun beside = desk.label({}, "chain.pem", "sample.png", "new.png");
    CHECK(beside.exit_code == 0);
    CHECK(beside.err.find("provenance.beside") != std::string::npos);
    CHECK(desk.manifest("new.png").find("parentOf") == std::string::npos);
    desk.check_refused({"--credential", desk.file("elsewhere.c2pa")}, "do not fit the file");
}

TEST_CASE("a plain text keeps its words to itself unless it is asked to carry a credential") {
    const Desk desk;
    test::make_sample(desk.folder(), "text");
    const std::string words = desk.text("sample.txt");
    const auto label = [&](const std::vector<std::string>& more, const std::string& out) {
        std::vector<std::string> command{COLOPHON_PROGRAM,
                                         "label",
                                         desk.file("sample.txt"),
                                         "-o",
                                         desk.file(out),
                                         "--producer",
                                         std::string(kProducer),
                                         "--profile",
                                         "eu",
                                         "--sign-key",
                                         desk.file("ca/signer-key.pem"),
                                         "--sign-cert",
                                         desk.file("chain.pem")};
        command.insert(command.end(), more.begin(), more.end());
        return test::run_tool_ok(command);
    };
    label({}, "beside.txt");
    CHECK(std::filesystem::exists(desk.file("beside.txt.c2pa")));
    CHECK(desk.text("beside.txt").size() < words.size() + 500);
    label({"--embedded"}, "inside.txt");
    CHECK(!std::filesystem::exists(desk.file("inside.txt.c2pa")));
    CHECK(desk.text("inside.txt").size() > words.size() + 5000);
    for (const char* name : {"beside.txt", "inside.txt"}) {
        const std::string said =
            test::run_tool_ok({COLOPHON_PROGRAM, "verify", "--json", "--marks", "provenance",
                               "--trust-list", desk.file("ca/root.pem"), desk.file(name)});
        CHECK_MESSAGE(said.find(R"("intact":true,"trusted":true)") != std::string::npos, said);
    }
    // The words stand before what nobody sees, once.
    const std::string inside = desk.text("inside.txt");
    std::filesystem::rename(desk.file("inside.txt"), desk.file("sample.txt"));
    const std::string said = label({"--embedded"}, "again.txt");
    const std::string again = desk.text("again.txt");
    const std::size_t mark = inside.rfind("\uFEFF");
    REQUIRE(mark != std::string::npos);
    CHECK_MESSAGE(again.substr(0, again.rfind("\uFEFF")) == inside.substr(0, mark), said);
}

TEST_CASE(
    "who verifies may ask the responder that the certificate names, and otherwise nobody does") {
    const Desk desk;
    REQUIRE(desk.label({}).exit_code == 0);
    const auto verify = [&](std::vector<std::string> more) {
        std::vector<std::string> words{COLOPHON_PROGRAM, "verify",       desk.file("out.png"),
                                       "--manifest",     "--trust-list", desk.file("ca/root.pem")};
        words.insert(words.end(), more.begin(), more.end());
        return test::run_tool(words);
    };
    CHECK(verify({}).out.find("signingCredential.ocsp.skipped") != std::string::npos);
    CHECK(desk.questions() == 0);
    // This machine is inside of a network, so it must be allowed.
    const test::ToolRun barred = verify({"--fetch-revocation"});
    CHECK(barred.exit_code == 0);
    CHECK_MESSAGE(barred.out.find("signingCredential.ocsp.inaccessible") != std::string::npos,
                  barred.out);
    CHECK(desk.questions() == 0);
    const auto asked = [&] { return verify({"--fetch-revocation", "--fetch-private"}); };
    CHECK(asked().out.find("signingCredential.ocsp.notRevoked") != std::string::npos);
    CHECK(desk.questions() == 1);
    desk.set("");
    CHECK(asked().out.find("signingCredential.ocsp.unknown") != std::string::npos);
    desk.set("R");
    const test::ToolRun revoked = asked();
    CHECK(revoked.exit_code == 2);
    CHECK(revoked.out.find("signingCredential.ocsp.revoked") != std::string::npos);
}

}  // namespace
}  // namespace colophon
