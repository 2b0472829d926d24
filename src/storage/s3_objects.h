// SPDX-License-Identifier: Apache-2.0
#pragma once

// Objects in an S3-compatible store, over an HTTP exchange that is a parameter. Requests are signed
// with AWS Signature Version 4, the digest of the body included. Content larger than one part goes
// up in parts, one in memory for each writer, and is dropped there when it is not committed.
//
// Existing::kKeep and kRefuse are carried out by the store itself ("If-None-Match: *"), so that of
// two writers exactly one wins. A store that answers that with "not implemented" needs
// `conditional_writes = false`: then we look first and write afterwards, and two writers of one
// name that meet in between both believe they won, the later one's content staying. Random names,
// as those of storage/blobs.h, never meet.
//
// A call that got no answer is tried again, with pauses that double. Writes carry a random mark in
// their metadata, so that a second attempt that finds the object there knows its own.

#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/random.h"
#include "storage/objects.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace colophon::storage {

enum class S3Addressing : std::uint8_t {
    kPath,         // https://host/bucket/name
    kVirtualHost,  // https://bucket.host/name
};

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.bucket = ...}`.
struct S3Settings {
    std::string endpoint = {};  // "https://s3.example.org" or "http://127.0.0.1:9000", no path
    std::string region = "us-east-1";
    std::string bucket = {};  // must be there
    std::string prefix = {};  // "" or the beginning of every name, for example "colophon/"
    std::string access_key = {};
    std::string secret_key = {};
    std::string session_token = {};
    S3Addressing addressing = S3Addressing::kPath;
    bool conditional_writes = true;
    std::size_t part_bytes = 8U << 20U;  // 5 MiB to 64 MiB; 10,000 parts are the most of an object
    int page_keys = 1000;                // names asked for at once in a list
    int attempts_max = 4;
    std::chrono::milliseconds first_pause{100};
    std::chrono::milliseconds request_max{60'000};
};
// NOLINTEND(readability-redundant-member-init)

struct S3Parts {
    HttpExchange exchange;
    Clock& clock;    // of signatures; stores refuse one that is minutes off
    Random& random;  // of marks and of the spread of pauses
    std::function<void(std::chrono::milliseconds)> pause;
};

// Error{kInvalidArgument} says which setting is wrong. The bucket is asked once: Error{kDenied} for
// a wrong key, Error{kNotFound} when there is no such bucket. `parts.clock` and `parts.random` must
// outlive the store.
Result<std::unique_ptr<ObjectStore>> open_s3_objects(S3Settings settings, S3Parts parts);

}  // namespace colophon::storage
