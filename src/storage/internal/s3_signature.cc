// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/s3_signature.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/http_exchange.h"
#include "storage/internal/hmac.h"
#include "storage/secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

// "20130524T000000Z": seconds, and the day as its first eight characters.
std::string basic_time(Time time) {
    const auto days = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - days));
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

Digest256 chain(Bytes key, std::string_view text) {
    return hmac(DigestAlgorithm::kSha256, key, {as_bytes(text)});
}

Digest256 signing_key(const S3Credentials& credentials, std::string_view day,
                      std::string_view region) {
    std::string first = "AWS4" + credentials.secret_key;
    Digest256 key = chain(as_bytes(first), day);
    wipe({reinterpret_cast<std::uint8_t*>(first.data()), first.size()});
    for (const std::string_view step :
         {region, std::string_view("s3"), std::string_view("aws4_request")}) {
        key = chain(key, step);
    }
    return key;
}

}  // namespace

std::string escape_uri(std::string_view text, Slash slash) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                           (c == '/' && slash == Slash::kStays);
        out += plain ? std::string(1, c)
                     : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

std::string s3_query(const S3Request& request) {
    std::vector<std::pair<std::string, std::string>> escaped;
    escaped.reserve(request.query.size());
    for (const auto& [name, value] : request.query) {
        escaped.emplace_back(escape_uri(name, Slash::kEscaped), escape_uri(value, Slash::kEscaped));
    }
    std::ranges::sort(escaped);
    std::string out;
    for (const auto& [name, value] : escaped) {
        out += (out.empty() ? "" : "&") + name + "=" + value;
    }
    return out;
}

std::vector<HttpHeader> sign_s3(const S3Request& request, const S3Credentials& credentials,
                                std::string_view region, Time time) {
    const std::string moment = basic_time(time);
    const std::string day = moment.substr(0, 8);
    std::map<std::string, std::string> headers{{"host", request.host},
                                               {"x-amz-content-sha256", request.payload_digest},
                                               {"x-amz-date", moment}};
    if (!credentials.session_token.empty()) {
        headers["x-amz-security-token"] = credentials.session_token;
    }
    for (const HttpHeader& header : request.headers) {
        std::string name = header.name;
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        headers[name] = header.value;
    }
    std::string lines;
    std::string names;
    for (const auto& [name, value] : headers) {
        lines += name + ":" + value + "\n";
        names += (names.empty() ? "" : ";") + name;
    }
    const std::string canonical = fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}", request.method, escape_uri(request.path, Slash::kStays),
        s3_query(request), lines, names, request.payload_digest);
    const std::string scope = fmt::format("{}/{}/s3/aws4_request", day, region);
    const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", moment, scope,
                                            to_hex(sha256(as_bytes(canonical))));
    Digest256 key = signing_key(credentials, day, region);
    const std::string signature = to_hex(chain(key, to_sign));
    wipe(key);
    std::vector<HttpHeader> signed_headers;
    signed_headers.reserve(headers.size() + 1);
    for (const auto& [name, value] : headers) {
        signed_headers.push_back({name, value});
    }
    signed_headers.push_back(
        {"Authorization",
         fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}",
                     credentials.access_key, scope, names, signature)});
    return signed_headers;
}

}  // namespace colophon::storage
