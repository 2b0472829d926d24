// SPDX-License-Identifier: Apache-2.0
#pragma once

// One signed call of an S3 store, tried again when it may help, its failure in words.

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "storage/s3_objects.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace colophon::storage {

inline constexpr std::size_t kS3ErrorBytesMax = 64U << 10U;

// NOLINTBEGIN(readability-redundant-member-init): as in S3Settings
struct S3Call {
    std::string method = {};
    std::string name = {};  // of the object; empty: the bucket
    std::vector<std::pair<std::string, std::string>> query = {};
    std::vector<HttpHeader> headers = {};
    Bytes body = {};
    std::uint64_t body_bytes_max = kS3ErrorBytesMax;  // of the answer; more is Error{kLimit}
    int expected = 0;  // a status that is an answer although it is no success; 0: none
};
// NOLINTEND(readability-redundant-member-init)

struct S3Answer {
    HttpResponse response;
    int attempts = 1;
};

class S3Client {
public:
    S3Client(const S3Settings& settings, S3Parts parts);

    // A success or the expected status. Otherwise Error{kNotFound} (404), kDenied (401, 403),
    // kConflict (409 after all attempts), kUnsupported (501), kUnavailable (the rest), with the
    // store's own code.
    Result<S3Answer> call(const S3Call& call);
    // 128 random bits as text.
    Result<std::string> mark();

private:
    Result<HttpResponse> attempt(const S3Call& call, const std::string& digest, bool& too_large);
    Result<std::chrono::milliseconds> pause_after(int attempt);

    const S3Settings& settings_;
    S3Parts parts_;
    std::string host_;
    std::string origin_;       // scheme and host of a URL
    std::string path_prefix_;  // "/bucket/PREFIX" or "/PREFIX"
    std::string bucket_path_;  // "/bucket" or "/"
    std::mutex random_mutex_;  // guards parts_.random
};

}  // namespace colophon::storage
