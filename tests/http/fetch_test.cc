// SPDX-License-Identifier: Apache-2.0
#include "http/fetch.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "http/client.h"
#include "support/http_peer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::http {
namespace {

using test::answer;
using test::HttpPeer;
using test::PeerAnswer;
using test::PeerEnd;
using test::PeerRequest;

TEST_CASE("a redirect leads to http and https, and never from https to http") {
    struct Row {
        std::string_view from;
        std::string_view location;
        std::string_view target;  // empty: not followed
    };
    constexpr Row kRows[] = {
        {"http://a.example/x/y?q", "https://b.example/z", "https://b.example/z"},
        {"http://a.example/x/y?q", "http://b.example/z#part", "http://b.example/z"},
        {"http://a.example/x/y?q", "//b.example/z", "http://b.example/z"},
        {"http://a.example/x/y?q=/w", "/z", "http://a.example/z"},
        {"http://a.example/x/y?q=/w", "z", "http://a.example/x/z"},
        {"http://a.example", "z", "http://a.example/z"},
        {"http://a.example?q", "/z", "http://a.example/z"},
        {"http://a.example/x", "z/w:v", "http://a.example/z/w:v"},
        {"https://a.example/x", "https://b.example/", "https://b.example/"},
        {"https://a.example/x", "//b.example/", "https://b.example/"},
        {"https://a.example/x", "http://a.example/x", ""},
        {"http://a.example/x", "file:///etc/passwd", ""},
        {"http://a.example/x", "ftp://a.example/x", ""},
        {"http://a.example/x", "gopher://a.example:25/x", ""},
        {"http://a.example/x", "data:,x", ""},
        {"http://a.example/x", "HTTP://a.example/x", ""},
        {"http://a.example/x", "", ""},
        {"file:///x", "http://a.example/x", ""},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.from);
        CAPTURE(row.location);
        CHECK(redirect_target(row.from, row.location).value_or("") == row.target);
    }
}

Result<Buffer> get(const HttpPeer& peer, std::string_view path, const FetchOptions& options = {}) {
    return fetch(make_client_exchange({}).value(), peer.url(path), options);
}

TEST_CASE("what lies behind redirects is fetched, and no more of them than allowed") {
    const HttpPeer peer([](const PeerRequest& request) {
        if (request.target == "/end") {
            return answer(200, "the end");
        }
        if (request.target == "/loop") {
            return answer(302, "", "Location: /loop\r\n");
        }
        const int left = std::stoi(request.target.substr(1));
        return answer(
            left % 2 == 0 ? 301 : 308, "",
            left == 1 ? "Location: end\r\n" : "Location: /" + std::to_string(left - 1) + "\r\n");
    });
    CHECK(as_text(get(peer, "/3").value()) == "the end");
    CHECK(get(peer, "/4").error().code == ErrorCode::kLimit);
    CHECK(as_text(get(peer, "/4", {.redirects_max = 4}).value()) == "the end");
    const std::size_t before = peer.requests().size();
    const auto loop = get(peer, "/loop");
    CHECK(loop.error().code == ErrorCode::kLimit);
    CHECK(loop.error().what.find("more than 3 times") != std::string::npos);
    CHECK(peer.requests().size() - before == 4);
}

TEST_CASE("an answer that is too large, too slow, elsewhere or none is an error") {
    struct Row {
        PeerAnswer reply;
        ErrorCode code;
    };
    const std::vector<Row> rows{
        {answer(200, std::string(5000, 'x')), ErrorCode::kCorrupt},
        {{.bytes = "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'), .end = PeerEnd::kHang},
         ErrorCode::kCorrupt},
        {{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" + std::string(3000, 'x'),
          .between_bytes = std::chrono::milliseconds(20)},
         ErrorCode::kLimit},
        {{.bytes = "", .end = PeerEnd::kHang}, ErrorCode::kLimit},
        {answer(404, "nothing"), ErrorCode::kUnavailable},
        {answer(204, ""), ErrorCode::kUnavailable},
        {answer(302, "", "Location: file:///etc/passwd\r\n"), ErrorCode::kDenied},
        {answer(302, ""), ErrorCode::kDenied},
        {{.bytes = "SSH-2.0-x\r\n"}, ErrorCode::kCorrupt},
    };
    for (const Row& row : rows) {
        CAPTURE(row.reply.bytes.substr(0, 60));
        const HttpPeer peer([&](const PeerRequest&) { return row.reply; });
        const auto begin = std::chrono::steady_clock::now();
        const auto got =
            get(peer, "/x", {.bytes_max = 4096, .total_max = std::chrono::milliseconds(400)});
        REQUIRE(!got.ok());
        CHECK(got.error().code == row.code);
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    }
}

TEST_CASE("all redirects together have the time of one fetch") {
    const HttpPeer peer([](const PeerRequest&) {
        PeerAnswer reply = answer(302, "", "Location: /x\r\n");
        reply.between_bytes = std::chrono::milliseconds(4);
        return reply;
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto got =
        get(peer, "/x", {.total_max = std::chrono::milliseconds(500), .redirects_max = 1000});
    REQUIRE(!got.ok());
    CHECK(got.error().code == ErrorCode::kLimit);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("a redirect into a network is as barred as an address there") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, "secret"); });
    std::vector<std::string> asked;
    const HttpExchange inner = make_client_exchange({.reach = Reach::kPublic}).value();
    // The first answer is that of a public host; the second exchange is real.
    const HttpExchange exchange = [&](const HttpRequest& request) -> Result<HttpResponse> {
        asked.push_back(request.url);
        if (asked.size() == 1) {
            return HttpResponse{.status = 302,
                                .headers = {{.name = "location", .value = peer.url("/x")}},
                                .body = {}};
        }
        return inner(request);
    };
    const auto got = fetch(exchange, "https://public.example/x", {});
    REQUIRE(!got.ok());
    CHECK(got.error().code == ErrorCode::kDenied);  // from https to http
    CHECK(asked.size() == 1);
    asked.clear();
    const auto plain = fetch(exchange, "http://public.example/x", {});
    REQUIRE(!plain.ok());
    CHECK(plain.error().code == ErrorCode::kDenied);
    CHECK(asked.size() == 2);
    CHECK(peer.requests().empty());
}

}  // namespace
}  // namespace colophon::http
