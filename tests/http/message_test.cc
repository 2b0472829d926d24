// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include "core/result.h"
#include "http/upstream.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::http {
namespace {

std::string request(std::string_view fields, std::string_view line = "POST /v1/x?a=1 HTTP/1.1") {
    return std::string(line) + "\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace

TEST_CASE("a request head is read with its framing") {
    const auto plain = parse_request_head(request("Content-Length: 12\r\nX-A: b c\r\n"));
    REQUIRE(plain.ok());
    CHECK(plain->method == "POST");
    CHECK(plain->path == "/v1/x");
    CHECK(plain->query == "a=1");
    CHECK(plain->header("x-a") == "b c");
    CHECK(plain->framing == Framing::kLength);
    CHECK(plain->body_bytes == 12);
    CHECK(plain->keep_alive);

    const auto chunked = parse_request_head(request("Transfer-Encoding: Chunked\r\n"));
    REQUIRE(chunked.ok());
    CHECK(chunked->framing == Framing::kChunked);

    const auto closing = parse_request_head(request("Connection: foo, Close\r\n"));
    REQUIRE(closing.ok());
    CHECK_FALSE(closing->keep_alive);
    const auto old = parse_request_head("GET / HTTP/1.0\r\n\r\n");
    REQUIRE(old.ok());
    CHECK_FALSE(old->keep_alive);
    CHECK(parse_request_head(request("Expect: 100-continue\r\n"))->expects_continue);
}

// Each of these is understood differently by two servers somewhere, which is how a request is
// smuggled past the one that checks it.
TEST_CASE("whatever two readers could understand differently is refused") {
    constexpr std::array<std::string_view, 21> kFields{
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "X-A: b\r\n Content-Length: 5\r\n",
        "X-A: b\nContent-Length: 5\r\n",
        "X-A: b\rContent-Length: 5\r\n",
        ": nothing\r\n",
    };
    for (const std::string_view fields : kFields) {
        CAPTURE(fields);
        CHECK_FALSE(parse_request_head(request(fields)).ok());
    }
    CHECK_FALSE(parse_request_head(request(std::string("X-A: b") + '\0' + "c\r\n")).ok());
    CHECK_FALSE(parse_request_head(request("Host: b\r\n")).ok());
    CHECK_FALSE(parse_request_head("GET / HTTP/1.1\r\n\r\n").ok());
    CHECK_FALSE(
        parse_request_head(request("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0")).ok());
}

TEST_CASE("other lines than a request of HTTP/1 are refused") {
    constexpr std::array<std::string_view, 9> kLines{
        "GET / HTTP/2.0",       "GET / HTTP/0.9",     "GET  / HTTP/1.1",
        "GET /a b HTTP/1.1",    "GET a HTTP/1.1",     "GET http://x/ HTTP/1.1",
        "CONNECT x:1 HTTP/1.1", "GET /\x7f HTTP/1.1", "GET /#a HTTP/1.1",
    };
    for (const std::string_view line : kLines) {
        CAPTURE(line);
        CHECK_FALSE(parse_request_head(request("", line)).ok());
    }
    std::string many;
    for (int i = 0; i < 200; ++i) {
        many += "A: b\r\n";
    }
    const auto refused = parse_request_head(request(many));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kLimit);
}

TEST_CASE("chunks are decoded wherever their bytes are cut") {
    const std::string body = "4\r\nWiki\r\n5;x=y\r\npedia\r\n0\r\nT: a\r\n\r\nGET /";
    for (std::size_t cut = 0; cut <= body.size(); ++cut) {
        ChunkDecoder decoder;
        std::string out;
        std::size_t taken = 0;
        for (const std::string_view piece :
             {std::string_view(body).substr(0, cut), std::string_view(body).substr(cut)}) {
            if (decoder.done()) {
                break;
            }
            const auto count = decoder.take(piece, out, SIZE_MAX);
            REQUIRE(count.ok());
            taken += *count;
        }
        CHECK(out == "Wikipedia");
        CHECK(decoder.done());
        CHECK(taken == body.size() - 5);
    }
}

TEST_CASE("what is no chunk is refused") {
    constexpr std::array<std::string_view, 10> kBodies{
        "\r\n",        "x\r\n",          "-1\r\n",       "0x4\r\nWiki\r\n",       "4 \r\nWiki\r\n",
        "4\nWiki\r\n", "4\r\nWikix\r\n", "1\r\r\na\r\n", "10000000000000000\r\n", "4\r\nWiki\n\n",
    };
    for (const std::string_view body : kBodies) {
        CAPTURE(body);
        ChunkDecoder decoder;
        std::string out;
        CHECK_FALSE(decoder.take(body, out, SIZE_MAX).ok());
    }
    ChunkDecoder decoder;
    std::string out;
    CHECK_FALSE(decoder.take("1;" + std::string(300, 'a'), out, SIZE_MAX).ok());
}

TEST_CASE("an answer says how its body ends") {
    CHECK(parse_response_head("HTTP/1.1 200 OK\r\n\r\n", false)->framing == Framing::kUntilClose);
    CHECK(parse_response_head("HTTP/1.1 204 No\r\n\r\n", false)->framing == Framing::kNone);
    CHECK(parse_response_head("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true)->framing ==
          Framing::kNone);
    const auto both = parse_response_head(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", false);
    CHECK_FALSE(both.ok());
}

TEST_CASE("addresses of upstreams are taken apart, and strange ones refused") {
    const auto url = parse_url("https://api.example.com:8443/v1");
    REQUIRE(url.ok());
    CHECK(url->secure);
    CHECK(url->host == "api.example.com");
    CHECK(url->port == 8443);
    CHECK(url->path == "/v1");
    CHECK(url->authority() == "api.example.com:8443");
    CHECK(parse_url("http://[::1]:80/")->authority() == "[::1]");
    for (const char* bad : {"ftp://a", "http://", "http://u@a/", "http://a:0/", "http://a:99999",
                            "http://a/#x", "http://a b/", "http://a?x", "//a"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_url(bad).ok());
    }
}

TEST_CASE("fields of a query are found and decoded") {
    CHECK(query_field("a=1&b=%E4%BD%A0&c", "b") == "\xE4\xBD\xA0");
    CHECK(query_field("a=1&c", "c") == "");
    CHECK_FALSE(query_field("a=1", "b").has_value());
    CHECK_FALSE(query_field("a=%zz", "a").has_value());
    CHECK_FALSE(query_field("a=%00", "a").has_value());
    CHECK_FALSE(query_field("a=%ff", "a").has_value());
}

}  // namespace colophon::http
