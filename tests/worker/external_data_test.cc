// SPDX-License-Identifier: Apache-2.0
// What a credential keeps elsewhere, fetched through the program by whoever asks for that: from a
// real server of HTTP, through the worker and back.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/forge.h"
#include "label/provenance/hashing.h"
#include "support/http_peer.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

namespace forged = label::provenance::test;
using label::cbor::Map;

TEST_CASE("data elsewhere are fetched when that is asked for, and are those that were signed") {
    const test::TempDir dir;
    Buffer served = forged::assertion_box("org.example.note", "cbor", "cbor", Buffer{0xA0});
    int status = 200;
    test::HttpPeer peer([&](const test::PeerRequest&) {
        return test::answer(status, as_text(served), "Content-Type: application/jumbf\r\n");
    });
    forged::Forge forge;
    forge.set("c2pa.cloud-data",
              Map{{"label", "org.example.note"},
                  {"size", std::uint64_t{served.size()}},
                  {"location",
                   Map{{"url", peer.url("/note")},
                       {"alg", "sha256"},
                       {"hash", label::provenance::hash(label::provenance::HashAlgorithm::kSha256,
                                                        Bytes(served).subspan(8))}}}});
    test::write_file(dir.file("in.png"), forge.make());
    test::write_file(dir.file("root.pem"),
                     as_bytes(forged::forge_authority().root.certificate_pem));
    const auto verify = [&](std::vector<std::string> more) {
        std::vector<std::string> words{COLOPHON_PROGRAM, "verify",       dir.file("in.png"),
                                       "--manifest",     "--trust-list", dir.file("root.pem")};
        words.insert(words.end(), more.begin(), more.end());
        return test::run_tool(words);
    };
    const auto says = [](const test::ToolRun& run, std::string_view word) {
        return run.out.find(word) != std::string::npos;
    };
    CHECK(verify({}).exit_code == 0);
    // This machine is inside of a network, so it must be allowed.
    CHECK(says(verify({"--fetch-data"}), "assertion.inaccessible"));
    CHECK(peer.requests().empty());
    const auto fetched = [&] { return verify({"--fetch-data", "--fetch-private"}); };
    const test::ToolRun good = fetched();
    CHECK_MESSAGE(says(good, "assertion.accessible"), good.out, good.err);
    CHECK(good.exit_code == 0);
    CHECK(peer.requests().size() == 1);
    served.back() ^= 1U;
    const test::ToolRun changed = fetched();
    CHECK(says(changed, "assertion.hashedURI.mismatch"));
    CHECK(changed.exit_code == 2);
    status = 500;
    const test::ToolRun refused = fetched();
    CHECK(says(refused, "assertion.inaccessible"));
    CHECK(refused.exit_code == 0);
}

}  // namespace
}  // namespace colophon
