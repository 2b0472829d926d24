// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/s3_client.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/http_exchange.h"
#include "storage/internal/s3_signature.h"
#include "storage/internal/s3_xml.h"
#include "storage/s3_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {
namespace {

// The code that a store gives beside the status: letters only, so that nothing of an answer can
// disturb a log.
std::string code_of(const HttpResponse& answer) {
    const Result<XmlElement> document = parse_s3_xml(as_text(answer.body));
    if (!document.ok() || document->name != "Error") {
        return {};
    }
    const std::string_view given = document->text_of("Code");
    std::string code;
    for (std::size_t i = 0; i < given.size() && i < 64; ++i) {
        const char c = given[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
            code += c;
        }
    }
    return code;
}

Error failure(const S3Call& call, const HttpResponse& answer) {
    const std::string code = code_of(answer);
    const std::string what = fmt::format("the S3 store refused {} of {}: {} {}", call.method,
                                         call.name.empty() ? "the bucket" : call.name,
                                         answer.status, code.empty() ? "without a code" : code);
    switch (answer.status) {
        case 401:
        case 403:
            return Error{ErrorCode::kDenied, what};
        case 404:
            return Error{ErrorCode::kNotFound, what};
        case 409:
            return Error{ErrorCode::kConflict, what};
        case 501:
            return Error{ErrorCode::kUnsupported, what};
        default:
            return Error{ErrorCode::kUnavailable, what};
    }
}

bool worth_another(const Result<HttpResponse>& done) {
    if (!done.ok()) {
        return done.error().code == ErrorCode::kUnavailable ||
               done.error().code == ErrorCode::kLimit;
    }
    const int status = done->status;
    // 409: another conditional write of the name was under way. 501 will not change.
    return status == 408 || status == 409 || status == 429 || (status >= 500 && status != 501);
}

}  // namespace

S3Client::S3Client(const S3Settings& settings, S3Parts parts)
    : settings_(settings), parts_(std::move(parts)) {
    const std::size_t scheme = settings.endpoint.find("//") + 2;
    host_ = settings.endpoint.substr(scheme);
    if (settings.addressing == S3Addressing::kVirtualHost) {
        host_ = settings.bucket + "." + host_;
        bucket_path_ = "/";
        path_prefix_ = "/" + settings.prefix;
    } else {
        bucket_path_ = "/" + settings.bucket;
        path_prefix_ = bucket_path_ + "/" + settings.prefix;
    }
    origin_ = settings.endpoint.substr(0, scheme) + host_;
    // As clients write a Host header: without the port that the scheme implies.
    const std::string_view implied = settings.endpoint.starts_with("https") ? ":443" : ":80";
    if (host_.ends_with(implied)) {
        host_.resize(host_.size() - implied.size());
    }
}

Result<std::string> S3Client::mark() {
    std::array<std::uint8_t, 16> bytes{};
    const std::lock_guard guard(random_mutex_);
    TRY(parts_.random.fill(bytes));
    return to_hex(bytes);
}

// Doubling, each between half and the whole of its time, so that many clients spread.
Result<std::chrono::milliseconds> S3Client::pause_after(int attempt) {
    const auto whole = settings_.first_pause * (1 << (attempt - 1));
    const std::lock_guard guard(random_mutex_);
    const std::uint64_t random = TRY(parts_.random.next());
    return whole / 2 + std::chrono::milliseconds(static_cast<std::int64_t>(
                           random % static_cast<std::uint64_t>(whole.count() / 2 + 1)));
}

Result<HttpResponse> S3Client::attempt(const S3Call& call, const std::string& digest,
                                       bool& too_large) {
    const S3Request request{.method = call.method,
                            .host = host_,
                            .path = call.name.empty() ? bucket_path_ : path_prefix_ + call.name,
                            .query = call.query,
                            .headers = call.headers,
                            .payload_digest = digest};
    const std::string query = s3_query(request);
    HttpRequest sent{
        .method = call.method,
        .url =
            origin_ + escape_uri(request.path, Slash::kStays) + (query.empty() ? "" : "?" + query),
        .headers =
            sign_s3(request, {settings_.access_key, settings_.secret_key, settings_.session_token},
                    settings_.region, parts_.clock.now()),
        .body = call.body};
    sent.total_max = settings_.request_max;
    // Errors come with bodies of their own, whatever the object may have.
    sent.response_bytes_max = std::max<std::uint64_t>(call.body_bytes_max, kS3ErrorBytesMax);
    Buffer body;
    sent.sink = [&](Bytes piece) -> Result<void> {
        if (piece.size() > call.body_bytes_max - body.size()) {
            too_large = true;
            return Error{ErrorCode::kCorrupt, "more than was asked for"};
        }
        append(body, piece);
        return {};
    };
    Result<HttpResponse> done = parts_.exchange(sent);
    if (done.ok() && done->status >= 200 && done->status < 300) {
        done->body = std::move(body);
    }
    return done;
}

Result<S3Answer> S3Client::call(const S3Call& call) {
    const std::string digest = to_hex(sha256(call.body));
    for (int attempt_number = 1;; ++attempt_number) {
        bool too_large = false;
        Result<HttpResponse> done = attempt(call, digest, too_large);
        if (too_large) {
            return Error{ErrorCode::kLimit, fmt::format("the object {} has more than {} bytes",
                                                        call.name, call.body_bytes_max)};
        }
        if (worth_another(done) && attempt_number < settings_.attempts_max) {
            parts_.pause(TRY(pause_after(attempt_number)));
            continue;
        }
        if (!done.ok()) {
            // That there was no answer in time is no limit of the caller's.
            return done.error().code == ErrorCode::kLimit
                       ? Error{ErrorCode::kUnavailable, std::move(done).error().what}
                       : std::move(done).error();
        }
        if ((done->status >= 200 && done->status < 300) ||
            (call.expected != 0 && done->status == call.expected)) {
            return S3Answer{.response = *std::move(done), .attempts = attempt_number};
        }
        return failure(call, *done);
    }
}

}  // namespace colophon::storage
