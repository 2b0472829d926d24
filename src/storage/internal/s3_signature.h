// SPDX-License-Identifier: Apache-2.0
#pragma once

// AWS Signature Version 4 in the Authorization header, for the service "s3": one HMAC chain over
// the request as its receiver will see it. The rules are those that AWS publishes; S3 differs from
// other services in that paths are escaped once and never normalised.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/http_exchange.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {

struct S3Credentials {
    std::string access_key;
    std::string secret_key;
    std::string session_token;  // empty: none
};

struct S3Request {
    std::string method;
    std::string host;                                        // as the Host header has it
    std::string path;                                        // "/bucket/name", not escaped
    std::vector<std::pair<std::string, std::string>> query;  // not escaped
    std::vector<HttpHeader> headers;  // further ones to sign; no two of one name
    std::string payload_digest;       // SHA-256 of the body, hexadecimal
};

// The headers to send, those of `request` included.
std::vector<HttpHeader> sign_s3(const S3Request& request, const S3Credentials& credentials,
                                std::string_view region, Time time);

// RFC 3986 escapes of all but letters, digits and "-._~"; a slash stays in paths.
enum class Slash { kStays, kEscaped };
std::string escape_uri(std::string_view text, Slash slash);
// "a=b&c=d", in the order in which it is signed.
std::string s3_query(const S3Request& request);

}  // namespace colophon::storage
