// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include "core/bytes.h"
#include "support/http_peer.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace colophon::http {
namespace {

using test::answer;
using test::HttpPeer;
using test::PeerAnswer;
using test::PeerEnd;
using test::PeerRequest;

HttpExchange client(const ClientOptions& options = {}) {
    return make_client_exchange(options).value();
}

// The code of what comes of one GET from a peer that answers so.
ErrorCode failure_with(const PeerAnswer& reply, std::chrono::milliseconds total_max) {
    const HttpPeer peer([&](const PeerRequest&) { return reply; });
    const auto result = client()({.url = peer.url("/x"), .total_max = total_max});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().what.find("127.0.0.1") != std::string::npos);
    return result.error().code;
}

TEST_CASE("a request arrives as it was written and the answer comes back whole") {
    const HttpPeer peer([](const PeerRequest&) {
        return answer(201, "{\"ok\":true}", "X-One: 1\r\nx-ONE: 2\r\n");
    });
    const std::string body = std::string("{\"a\":\"\0\"}", 9);
    const auto response = client()({.method = "POST",
                                    .url = peer.url("/a/../b?q=%2F"),
                                    .headers = {{"Authorization", "secret"}, {"X-Empty", ""}},
                                    .body = as_bytes(body)});
    REQUIRE(response.ok());
    CHECK(response->status == 201);
    CHECK(as_text(response->body) == "{\"ok\":true}");
    CHECK(response->header("x-one") == "1");
    CHECK(response->headers[1].value == "2");
    const PeerRequest seen = peer.requests().at(0);
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/a/../b?q=%2F");  // not tidied: signatures cover it
    CHECK(seen.header("authorization") == "secret");
    CHECK(seen.header("content-length") == "9");
    CHECK(seen.header("expect").empty());
    CHECK(seen.header("content-type").empty());
    CHECK(seen.header("accept-encoding").empty());
    CHECK(seen.body == body);
}

TEST_CASE("methods go out by their names") {
    const HttpPeer peer([](const PeerRequest& request) {
        PeerAnswer reply = answer(200, request.method == "HEAD" ? "" : "x");
        return reply;
    });
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"}) {
        CAPTURE(method);
        const auto response = client()({.method = method, .url = peer.url("/")});
        REQUIRE(response.ok());
        CHECK(peer.requests().back().method == method);
    }
}

TEST_CASE("a body may come from a source and go to a sink") {
    std::string big(300'000, 'q');
    const HttpPeer peer([](const PeerRequest& request) { return answer(200, request.body); });
    std::size_t at = 0;
    std::string got;
    const auto response = client()({
        .method = "PUT",
        .url = peer.url("/"),
        .source = [&](std::span<std::uint8_t> out) -> Result<std::size_t> {
            const std::size_t size = std::min(out.size(), big.size() - at);
            std::copy_n(big.begin() + static_cast<std::ptrdiff_t>(at), size, out.begin());
            at += size;
            return size;
        },
        .source_bytes = big.size(),
        .sink = [&](Bytes part) -> Result<void> {
            got += as_text(part);
            return {};
        },
    });
    REQUIRE(response.ok());
    CHECK(got == big);
    CHECK(response->body.empty());
}

TEST_CASE("an error of a source or a sink is the error of the exchange") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, "body"); });
    const auto sink = client()({.url = peer.url("/"), .sink = [](Bytes) -> Result<void> {
                                    return Error{ErrorCode::kConflict, "full"};
                                }});
    REQUIRE_FALSE(sink.ok());
    CHECK(sink.error().code == ErrorCode::kConflict);
    const auto source = client()(
        {.method = "PUT",
         .url = peer.url("/"),
         .source = [](std::span<std::uint8_t>) -> Result<std::size_t> { return std::size_t{0}; },
         .source_bytes = 5});
    REQUIRE_FALSE(source.ok());
    CHECK(source.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("the body of an error answer never goes to the sink") {
    const HttpPeer peer([](const PeerRequest&) { return answer(500, "sorry"); });
    bool called = false;
    const auto response = client()({.url = peer.url("/"), .sink = [&](Bytes) -> Result<void> {
                                        called = true;
                                        return {};
                                    }});
    REQUIRE(response.ok());
    CHECK(response->status == 500);
    CHECK(as_text(response->body) == "sorry");
    CHECK_FALSE(called);
}

TEST_CASE("a connection is used again, and by copies of the exchange too") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, "x"); });
    const HttpExchange one = client();
    const HttpExchange two = one;  // NOLINT(performance-unnecessary-copy-initialization)
    for (int i = 0; i < 3; ++i) {
        REQUIRE(one({.url = peer.url("/")}).ok());
        REQUIRE(two({.url = peer.url("/")}).ok());
    }
    for (const PeerRequest& request : peer.requests()) {
        CHECK(request.connection == 1);
    }
}

TEST_CASE("nothing of one request stays for the next") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, "x"); });
    const HttpExchange exchange = client();
    const std::string body = "secret";
    REQUIRE(exchange({.method = "POST",
                      .url = peer.url("/"),
                      .headers = {{"X-Secret", "1"}},
                      .body = as_bytes(body)})
                .ok());
    REQUIRE(exchange({.url = peer.url("/")}).ok());
    const PeerRequest second = peer.requests().at(1);
    CHECK(second.method == "GET");
    CHECK(second.body.empty());
    CHECK(second.header("x-secret").empty());
    CHECK(second.header("content-length").empty());
}

TEST_CASE("redirects are answers, not instructions") {
    const HttpPeer peer([](const PeerRequest&) {
        return answer(302, "", "Location: http://127.0.0.1:1/inside\r\n");
    });
    const auto response = client()({.url = peer.url("/")});
    REQUIRE(response.ok());
    CHECK(response->status == 302);
    CHECK(peer.requests().size() == 1);
}

TEST_CASE("every way in which a peer can fail has its code") {
    using std::chrono::milliseconds;
    const milliseconds enough{5000};
    const milliseconds little{300};
    CHECK(failure_with({.bytes = "", .end = PeerEnd::kHang}, little) == ErrorCode::kLimit);
    CHECK(failure_with(
              {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", .end = PeerEnd::kHang},
              little) == ErrorCode::kLimit);
    CHECK(failure_with({.bytes = answer(200, std::string(500, 'x')).bytes,
                        .between_bytes = milliseconds(20)},
                       little) == ErrorCode::kLimit);
    CHECK(failure_with({.bytes = ""}, enough) == ErrorCode::kUnavailable);
    CHECK(failure_with({.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"}, enough) ==
          ErrorCode::kUnavailable);
    CHECK(failure_with(
              {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", .end = PeerEnd::kReset},
              enough) == ErrorCode::kUnavailable);
    CHECK(failure_with({.bytes = "SSH-2.0-OpenSSH_9\r\n"}, enough) == ErrorCode::kCorrupt);
    std::string many = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 1000; ++i) {
        many += "X-" + std::to_string(i) + ": y\r\n";
    }
    CHECK(failure_with({.bytes = many + "\r\n"}, enough) == ErrorCode::kCorrupt);
    CHECK(failure_with(answer(200, std::string((1U << 20U) + 1, 'x')), enough) ==
          ErrorCode::kCorrupt);
}

TEST_CASE("nobody listening is unavailable, and the message keeps the query to itself") {
    int port = 0;
    {
        const HttpPeer gone([](const PeerRequest&) { return answer(200, ""); });
        port = gone.port();
    }
    const auto result = client()(
        {.url = "http://127.0.0.1:" + std::to_string(port) + "/path?idcard=11010519491231002X"});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == ErrorCode::kUnavailable);
    CHECK(result.error().what.find("/path") != std::string::npos);
    CHECK(result.error().what.find("11010519491231002X") == std::string::npos);
}

TEST_CASE("requests that cannot be sent are refused before anything is connected") {
    const HttpExchange exchange = client();
    for (const char* url : {"", "file:///etc/passwd", "ftp://x/", "gopher://x/", "http://",
                            "http://u:p@127.0.0.1/", "http://127.0.0.1/\r\nX: y", "127.0.0.1/x"}) {
        CAPTURE(url);
        const auto result = exchange({.url = url});
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kInvalidArgument);
    }
    for (const HttpHeader& header : {HttpHeader{"X", "a\r\nY: b"}, HttpHeader{"X\n", "a"},
                                     HttpHeader{"", "a"}, HttpHeader{"X Y", "a"}}) {
        const auto result = exchange({.url = "http://127.0.0.1/", .headers = {header}});
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kInvalidArgument);
    }
}

TEST_CASE("the environment sets no proxy") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, "x"); });
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);  // NOLINT(concurrency-mt-unsafe)
    const auto response = client()({.url = peer.url("/")});
    ::unsetenv("http_proxy");  // NOLINT(concurrency-mt-unsafe)
    CHECK(response.ok());
}

TEST_CASE("TLS is taken only from a peer whose certificate and name are right") {
    const test::TempDir folder;
    const auto reply = [](const PeerRequest&) { return answer(200, "safe"); };
    const test::PeerTls tls = test::make_certificate(folder.path(), "IP:127.0.0.1");
    const HttpPeer peer(reply, tls);
    const auto trusted = client({.ca_file = tls.certificate_file})({.url = peer.url("/")});
    REQUIRE_MESSAGE(trusted.ok(), (trusted.ok() ? "" : trusted.error().what));
    CHECK(as_text(trusted->body) == "safe");

    const auto unknown = client()({.url = peer.url("/")});
    REQUIRE_FALSE(unknown.ok());
    CHECK(unknown.error().code == ErrorCode::kDenied);

    const auto misnamed =
        client({.ca_file = tls.certificate_file})({.url = peer.url("/", "localhost")});
    REQUIRE_FALSE(misnamed.ok());
    CHECK(misnamed.error().code == ErrorCode::kDenied);

    const auto pinned =
        client({.ca_file = tls.certificate_file,
                .pinned_key = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})(
            {.url = peer.url("/")});
    REQUIRE_FALSE(pinned.ok());
    CHECK(pinned.error().code == ErrorCode::kDenied);
    CHECK(peer.requests().size() == 1);
}

TEST_CASE("a public client reaches nothing inside, however the address is spelt") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, "inside"); });
    const HttpExchange exchange = client({.reach = Reach::kPublic});
    for (const char* host : {"127.0.0.1", "localhost", "2130706433", "0177.0.0.1", "0x7f.1",
                             "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"}) {
        CAPTURE(host);
        const auto result = exchange({.url = peer.url("/", host)});
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().code == ErrorCode::kDenied);
    }
    CHECK(peer.requests().empty());
}

TEST_CASE("public addresses are told from those inside") {
    for (const char* inside : {"0.0.0.0",
                               "10.1.2.3",
                               "100.64.0.1",
                               "100.127.255.255",
                               "127.255.0.1",
                               "169.254.169.254",
                               "172.16.0.1",
                               "172.31.255.255",
                               "192.0.0.8",
                               "192.0.2.1",
                               "192.168.0.1",
                               "198.18.0.1",
                               "198.19.255.255",
                               "198.51.100.7",
                               "203.0.113.9",
                               "224.0.0.1",
                               "255.255.255.255",
                               "::",
                               "::1",
                               "::ffff:10.0.0.1",
                               "64:ff9b::a00:1",
                               "fc00::1",
                               "fd12::1",
                               "fe80::1",
                               "ff02::1",
                               "2001:db8::1",
                               "2002:a00:1::",
                               "2001::1",
                               "3fff::1",
                               "",
                               "nonsense",
                               "1.2.3",
                               "1.2.3.4 "}) {
        CAPTURE(inside);
        CHECK_FALSE(is_public_address(inside));
    }
    for (const char* outside :
         {"1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "223.255.255.255",
          "2400:3200::1", "2606:4700::1", "::ffff:1.1.1.1", "64:ff9b::101:101"}) {
        CAPTURE(outside);
        CHECK(is_public_address(outside));
    }
}

TEST_CASE("many threads share one client") {
    const HttpPeer peer([](const PeerRequest& request) { return answer(200, request.body); });
    const HttpExchange exchange = client();
    std::vector<std::thread> threads;
    std::vector<int> good(8, 0);
    for (std::size_t i = 0; i < good.size(); ++i) {
        threads.emplace_back([&, i] {
            for (int round = 0; round < 20; ++round) {
                const std::string body = std::to_string(i * 1000) + std::to_string(round);
                const auto response =
                    exchange({.method = "POST", .url = peer.url("/"), .body = as_bytes(body)});
                good[i] += response.ok() && as_text(response->body) == body ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(std::ranges::all_of(good, [](int count) { return count == 20; }));
}

TEST_CASE("a CA file that is not there is named") {
    const auto made = make_client_exchange({.ca_file = "nowhere.pem"});
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().what.find("nowhere.pem") != std::string::npos);
}

}  // namespace
}  // namespace colophon::http
