// SPDX-License-Identifier: Apache-2.0
// Content Credentials that lie elsewhere: named always, fetched by verify when it is asked, from a
// real server of HTTP, by whom c2pa-rs signed or we did; and from servers that wish us ill.

#include "core/bytes.h"
#include "core/json.h"
#include "support/http_peer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::answer;
using test::HttpPeer;
using test::PeerAnswer;
using test::PeerEnd;
using test::PeerRequest;

test::ToolRun verify(const std::string& file, std::vector<std::string> more) {
    std::vector<std::string> command{COLOPHON_PROGRAM, "verify", "--json", file};
    command.insert(command.end(), more.begin(), more.end());
    return test::run_tool(command);
}

// "/provenance/failures/0" of what verify --json says, as text; empty when it is not there.
std::string field(const std::string& out, std::string_view name) {
    const json::Value value = json::parse(out).value();
    const json::Value* part = value.find("provenance");
    const json::Value* member = part == nullptr ? nullptr : part->find(name);
    if (member == nullptr) {
        return {};
    }
    return member->if_string() == nullptr ? json::write(*member) : *member->if_string();
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// The manifest store is at every address of the server, until told otherwise.
class Server {
public:
    Server() : peer_([this](const PeerRequest& request) { return handler(request); }) {}

    std::function<PeerAnswer(const PeerRequest&)> handler = [](const PeerRequest&) {
        return answer(404, "");
    };
    std::string url(std::string_view path) const { return peer_.url(path); }
    std::size_t asked() const { return peer_.requests().size(); }
    void serve(const std::string& store) {
        handler = [bytes = test::read_file(store)](const PeerRequest&) {
            return answer(200, as_text(bytes), "Content-Type: application/c2pa\r\n");
        };
    }

private:
    HttpPeer peer_;
};

// A picture without a credential that names one; the packet is written by ExifTool.
std::string picture_that_names(const test::TempDir& dir, const std::string& url) {
    const std::string path = dir.file("names.png");
    test::run_tool_ok({"convert", "-size", "120x80", "gradient:", path});
    test::write_file(
        dir.file("packet.xmp"),
        to_buffer("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://"
                  "www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
                  "rdf:about='' xmlns:dcterms='http://purl.org/dc/terms/'>"
                  "<dcterms:provenance>" +
                  url + "</dcterms:provenance></rdf:Description></rdf:RDF></x:xmpmeta>"));
    test::run_tool_ok(
        {"exiftool", "-q", "-overwrite_original", "-XMP<=" + dir.file("packet.xmp"), path});
    return path;
}

// The same with a credential of ours that lies at "store.c2pa".
std::string signed_elsewhere(const test::TempDir& dir, const std::string& url) {
    const std::string path = picture_that_names(dir, url);
    test::run_tool_ok({COLOPHON_PROGRAM, "label", "-q", path, "-o", dir.file("out.png"),
                       "--producer", "001191000000000000000K10001", "--marks", "provenance",
                       "--detached"});
    test::run_tool_ok({"mv", dir.file("out.png.c2pa"), dir.file("store.c2pa")});
    return dir.file("out.png");
}

TEST_CASE("a credential that lies elsewhere is named, and fetched when that is asked for") {
    const test::TempDir dir;
    Server server;
    const std::string url = server.url("/at/store.c2pa?key=1");
    const std::string file = signed_elsewhere(dir, url);
    server.serve(dir.file("store.c2pa"));

    const auto named = verify(file, {"--marks", "provenance"});
    CHECK(named.exit_code == 3);
    CHECK(field(named.out, "found") == "false");
    CHECK(field(named.out, "link") == url);
    CHECK(has(named.out, "provenance.elsewhere"));
    CHECK(server.asked() == 0);
    const auto shown = test::run_tool({COLOPHON_PROGRAM, "verify", file});
    CHECK(has(shown.out, "provenance    elsewhere · " + url));
    CHECK(server.asked() == 0);

    // This machine is inside of a network, so it must be allowed.
    const auto barred = verify(file, {"--marks", "provenance", "--fetch-manifests"});
    CHECK(barred.exit_code == 3);
    CHECK(has(barred.out, "leads to an address inside a network"));
    CHECK(field(barred.out, "failures") == R"(["manifest.inaccessible"])");
    CHECK(server.asked() == 0);

    const auto fetched =
        verify(file, {"--marks", "provenance", "--fetch-manifests", "--fetch-private"});
    CHECK(fetched.exit_code == 0);
    CHECK(field(fetched.out, "intact") == "true");
    CHECK(field(fetched.out, "where") == "fetched");
    CHECK(field(fetched.out, "link") == url);
    CHECK(has(fetched.out, "provenance.fetched"));
    CHECK(server.asked() == 1);
    const auto crjson = test::run_tool(
        {COLOPHON_PROGRAM, "verify", "--manifest", "--fetch-manifests", "--fetch-private", file});
    CHECK(crjson.exit_code == 0);
    CHECK(has(crjson.out, "trainedAlgorithmicMedia"));

    // Validated like any other: the file may not change.
    Buffer changed = test::read_file(file);
    changed[changed.size() - 20] ^= 1;
    test::write_file(file, changed);
    const auto altered =
        verify(file, {"--marks", "provenance", "--fetch-manifests", "--fetch-private"});
    CHECK(altered.exit_code == 2);
    CHECK(has(field(altered.out, "failures"), "assertion.dataHash.mismatch"));
}

TEST_CASE("what stands in the file or beside it is not fetched") {
    const test::TempDir dir;
    Server server;
    const std::string file = signed_elsewhere(dir, server.url("/store.c2pa"));
    server.serve(dir.file("store.c2pa"));
    const std::vector<std::string> ask{"--marks", "provenance", "--fetch-manifests",
                                       "--fetch-private"};
    test::run_tool_ok({"cp", dir.file("store.c2pa"), file + ".c2pa"});
    const auto beside = verify(file, ask);
    CHECK(field(beside.out, "where") == "detached");
    const auto embedded = test::run_tool(
        {COLOPHON_PROGRAM, "label", "-q", dir.file("names.png"), "-o", dir.file("inside.png"),
         "--producer", "001191000000000000000K10001", "--marks", "provenance", "--json"});
    CHECK(has(embedded.out, "provenance.elsewhere"));
    const auto inside = verify(dir.file("inside.png"), ask);
    CHECK(field(inside.out, "where") == "png caBX");
    CHECK(field(inside.out, "intact") == "true");
    CHECK(field(inside.out, "link") == server.url("/store.c2pa"));
    CHECK(server.asked() == 0);
    const auto alone = verify(file, {"--fetch-private"});
    CHECK(alone.exit_code == 64);
}

TEST_CASE("what c2pa-rs signed and keeps elsewhere is judged as it is") {
    const test::TempDir dir;
    Server server;
    test::run_tool_ok(
        {COLOPHON_PROGRAM, "admin", "ca", dir.file("ca"), "--organization", "Example"});
    Buffer chain = test::read_file(dir.file("ca/signer.pem"));
    append(chain, test::read_file(dir.file("ca/root.pem")));
    test::write_file(dir.file("chain.pem"), chain);
    test::run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                       "testsrc=d=1:size=128x96", "-c:v", "libx264", dir.file("in.mp4")});
    std::vector<std::string> command{"timeout",
                                     "60",
                                     "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/remote.mjs",
                                     COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                                     dir.file("ca/signer-key.pem"),
                                     dir.file("chain.pem")};
    const std::vector<std::string> formats{"png", "jpg", "webp", "tif", "gif", "mp4"};
    for (const std::string& format : formats) {
        if (format != "mp4") {
            test::run_tool_ok(
                {"convert", "-size", "120x80", "gradient:", dir.file("in." + format)});
        }
        command.insert(command.end(), {server.url("/" + format), dir.file("in." + format),
                                       dir.file("out." + format), dir.file(format + ".c2pa")});
    }
    test::run_tool_ok(command);
    server.handler = [&](const PeerRequest& request) {
        return answer(200, as_text(test::read_file(dir.file(request.target.substr(1) + ".c2pa"))),
                      "Content-Type: text/html\r\n");
    };
    for (const std::string& format : formats) {
        CAPTURE(format);
        const auto seen = verify(dir.file("out." + format),
                                 {"--marks", "provenance", "--fetch-manifests", "--fetch-private",
                                  "--trust-list", dir.file("ca/root.pem")});
        CHECK_MESSAGE(seen.exit_code == 0, seen.out);
        CHECK(field(seen.out, "trusted") == "true");
        Buffer changed = test::read_file(dir.file("out." + format));
        changed[changed.size() / 2] ^= 1;
        test::write_file(dir.file("changed." + format), changed);
        const auto other =
            verify(dir.file("changed." + format),
                   {"--marks", "provenance", "--fetch-manifests", "--fetch-private"});
        CHECK_MESSAGE(field(other.out, "intact") != "true", other.out);
    }
}

TEST_CASE("servers that wish us ill cost little and say nothing" * doctest::test_suite("slow")) {
    const test::TempDir dir;
    Server server;
    const std::string file = signed_elsewhere(dir, server.url("/store.c2pa"));
    const Buffer store = test::read_file(dir.file("store.c2pa"));
    const std::string endless = "HTTP/1.1 200 OK\r\nContent-Type: application/c2pa\r\n\r\n";
    const std::vector<std::pair<std::string, PeerAnswer>> rows{
        {"larger than the 4194304 bytes",
         {.bytes = endless + std::string(5U << 20U, '\0'), .end = PeerEnd::kHang}},
        {"did not answer within",
         {.bytes = endless + std::string(as_text(store)),
          .between_bytes = std::chrono::milliseconds(200)}},
        {"did not answer within", {.bytes = endless, .end = PeerEnd::kHang}},
        {"is no manifest store",
         answer(200, "<html>a page</html>", "Content-Type: application/c2pa\r\n")},
        {"is no manifest store", answer(200, "", "Content-Type: application/c2pa\r\n")},
        {"more than 3 times", answer(302, "", "Location: /again\r\n")},
        {"which is not followed", answer(302, "", "Location: file:///etc/passwd\r\n")},
        {"answered with status 500", answer(500, "")},
        {"no whole answer", {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nshort"}},
    };
    for (const auto& [words, reply] : rows) {
        CAPTURE(words);
        server.handler = [&reply = reply](const PeerRequest&) { return reply; };
        const auto begin = std::chrono::steady_clock::now();
        const auto seen = verify(
            file, {"--marks", "metadata,provenance", "--fetch-manifests", "--fetch-private"});
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
        CHECK(seen.exit_code == 3);
        CHECK_MESSAGE(has(seen.out, words), seen.out);
        CHECK(field(seen.out, "failures") == R"(["manifest.inaccessible"])");
        CHECK(has(seen.out, "provenance.inaccessible"));
    }
    // A store that is one from outside, and nothing from inside.
    Buffer broken(store.begin(), store.begin() + 60);
    broken.resize(store.size());
    server.handler = [&](const PeerRequest&) { return answer(200, as_text(broken)); };
    const auto seen =
        verify(file, {"--marks", "provenance", "--fetch-manifests", "--fetch-private"});
    CHECK(seen.exit_code == 2);
    CHECK(field(seen.out, "intact") == "false");
    for (const std::string link : {"ftp://a.example/x", "store.c2pa", "http://a b/x"}) {
        const test::TempDir other;
        const auto odd = verify(picture_that_names(other, link), {"--fetch-manifests"});
        CHECK(odd.exit_code == 3);
        CHECK_MESSAGE(has(odd.out, "is no http or https address"), odd.out);
        CHECK(field(odd.out, "link") == link);
    }
}

TEST_CASE("the service fetches nothing, and says so" * doctest::test_suite("slow gateway")) {
    const test::TempDir dir;
    Server server;
    const std::string file = signed_elsewhere(dir, server.url("/store.c2pa"));
    server.serve(dir.file("store.c2pa"));
    test::RunningService running;
    running.start();
    const std::string out =
        running.curl({running.url("/v1/verifications?name=out.png"), "--data-binary", "@" + file});
    CHECK(field(out, "link") == server.url("/store.c2pa"));
    CHECK(field(out, "found") == "false");
    CHECK(has(out, "provenance.elsewhere"));
    CHECK(server.asked() == 0);
}

}  // namespace
}  // namespace colophon
