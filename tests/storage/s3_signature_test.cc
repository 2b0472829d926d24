// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/s3_signature.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/http_exchange.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {
namespace {

// The credentials, host and moment of the examples that AWS publishes for S3.
const S3Credentials kExampleKey{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                ""};

std::string header(const std::vector<HttpHeader>& headers, std::string_view name) {
    for (const HttpHeader& each : headers) {
        if (each.name == name) {
            return each.value;
        }
    }
    return {};
}

S3Request example(std::string_view method, std::string_view path, std::string_view body = {}) {
    return {.method = std::string(method),
            .host = "examplebucket.s3.amazonaws.com",
            .path = std::string(path),
            .query = {},
            .headers = {},
            .payload_digest = to_hex(sha256(as_bytes(body)))};
}

std::string authorization(const S3Request& request, const S3Credentials& key = kExampleKey) {
    const Time moment = parse_time("2013-05-24T00:00:00Z").value();
    return header(sign_s3(request, key, "us-east-1", moment), "Authorization");
}

TEST_CASE("signatures are those of the published examples") {
    constexpr std::string_view kStart =
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=";
    S3Request get = example("GET", "/test.txt");
    get.headers = {{"Range", "bytes=0-9"}};
    CHECK(authorization(get) ==
          std::string(kStart) +
              "host;range;x-amz-content-sha256;x-amz-date,"
              "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    S3Request put = example("PUT", "/test$file.text", "Welcome to Amazon S3.");
    put.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                   {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    CHECK(authorization(put) ==
          std::string(kStart) +
              "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
              "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    S3Request life_cycle = example("GET", "/");
    life_cycle.query = {{"lifecycle", ""}};
    CHECK(authorization(life_cycle) ==
          std::string(kStart) +
              "host;x-amz-content-sha256;x-amz-date,"
              "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    S3Request list = example("GET", "/");
    list.query = {{"prefix", "J"}, {"max-keys", "2"}};
    CHECK(authorization(list) ==
          std::string(kStart) +
              "host;x-amz-content-sha256;x-amz-date,"
              "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("a signature changes with every part of a request") {
    const S3Request request = example("GET", "/a");
    const std::string plain = authorization(request);
    S3Request other = request;
    other.method = "PUT";
    CHECK(authorization(other) != plain);
    other = request;
    other.path = "/b";
    CHECK(authorization(other) != plain);
    other = request;
    other.query = {{"a", "b"}};
    CHECK(authorization(other) != plain);
    other = request;
    other.host = "other";
    CHECK(authorization(other) != plain);
    other = request;
    other.payload_digest.back() = 'x';
    CHECK(authorization(other) != plain);
    CHECK(authorization(request, {"AKIAIOSFODNN7EXAMPLE", "other", ""}) != plain);
}

TEST_CASE("a session token is sent and signed") {
    S3Credentials key = kExampleKey;
    key.session_token = "token";
    const auto headers = sign_s3(example("GET", "/a"), key, "us-east-1", Time());
    CHECK(header(headers, "x-amz-security-token") == "token");
    CHECK(header(headers, "x-amz-date") == "19700101T000000Z");
    CHECK(header(headers, "Authorization").find(";x-amz-security-token,") != std::string::npos);
}

TEST_CASE("all but the plain characters of addresses are escaped") {
    CHECK(escape_uri("a/b c+d=\xC3\xA9~._-", Slash::kStays) == "a/b%20c%2Bd%3D%C3%A9~._-");
    CHECK(escape_uri("a/b", Slash::kEscaped) == "a%2Fb");
}

}  // namespace
}  // namespace colophon::storage
