// SPDX-License-Identifier: Apache-2.0
// colophon serve under a service manager: it takes the socket that was opened for it, and says when
// it is ready, reads its configuration again, and ends.

#include "core/bytes.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon {
namespace {

using test::RunningService;

TEST_CASE("a service manager's socket is served, and the manager is told") {
    const RunningService installed;
    const std::string folder = installed.dir.path().string();
    const test::ToolRun run =
        test::run_tool({"env", "-C", folder, "HOME=" + folder, "python3",
                        COLOPHON_SOURCE_DIR "/tests/support/service_manager.py", folder,
                        COLOPHON_PROGRAM, "serve"});
    CHECK_MESSAGE(run.out ==
                      "told READY=1\nanswer alive\ntold RELOADING=1\ntold READY=1\n"
                      "answer ready\ntold STOPPING=1\nended 0\n",
                  run.out, run.err);
}

// A certificate for 127.0.0.1 in the name of `who`, where the service looks for it.
void make_certificate(const RunningService& installed, const std::string& who) {
    test::run_tool_ok(
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", installed.dir.file("tls.key"), "-out", installed.dir.file("tls.pem"),
         "-days", "2", "-subj", "/CN=" + who, "-addext", "subjectAltName=IP:127.0.0.1"});
}

TEST_CASE("TLS is served on connection after connection, and a new certificate is taken") {
    constexpr int kConnections = 12;
    const RunningService installed;
    const std::string path = installed.dir.file("colophon.toml");
    std::string config(as_text(test::read_file(path)));
    config.insert(config.find("[gateway]"),
                  "tls_certificate = \"tls.pem\"\ntls_key = \"tls.key\"\n");
    test::write_file(path, as_bytes(config));
    make_certificate(installed, "first");
    test::Background service(
        {"/usr/bin/env", "-C", installed.dir.path().string(), COLOPHON_PROGRAM, "serve"},
        installed.dir.file("serve"),
        {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + installed.dir.path().string()});
    constexpr std::string_view kListening = "listening on https://127.0.0.1:";
    REQUIRE(test::soon([&] { return service.err().find(kListening) != std::string::npos; }));
    const std::string said = service.err();
    const std::size_t at = said.find(kListening) + kListening.size();
    const std::string port = said.substr(at, said.find('\n', at) - at);
    const auto subject = [&] {
        const test::ToolRun run =
            test::run_tool({"sh", "-c",
                            "openssl s_client -connect 127.0.0.1:" + port +
                                " </dev/null 2>/dev/null | openssl x509 -noout -subject"});
        return run.out;
    };
    const auto check_calls = [&] {
        for (int i = 0; i < kConnections; ++i) {
            CHECK(test::run_tool({"curl", "-sk", "https://127.0.0.1:" + port + "/healthz"}).out ==
                  "alive\n");
        }
    };
    check_calls();
    CHECK(subject() == "subject=CN = first\n");
    make_certificate(installed, "second");
    service.signal(SIGHUP);
    CHECK(test::soon([&] { return subject() == "subject=CN = second\n"; }));
    check_calls();
    test::write_file(installed.dir.file("tls.pem"), as_bytes("no certificate"));
    service.signal(SIGHUP);
    CHECK(test::soon(
        [&] { return service.err().find("the old configuration stays") != std::string::npos; }));
    check_calls();
    CHECK(subject() == "subject=CN = second\n");
    service.signal(SIGTERM);
    CHECK(service.wait() == 0);
}

}  // namespace
}  // namespace colophon
