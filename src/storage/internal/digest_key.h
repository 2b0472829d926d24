// SPDX-License-Identifier: Apache-2.0
#pragma once

// The key of keyed digests for one purpose, made of a data key.

#include "core/digest.h"
#include "storage/internal/hmac.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <string_view>

namespace colophon::storage {

constexpr DigestAlgorithm digest_of(Suite suite) noexcept {
    return suite == Suite::kAes256Gcm ? DigestAlgorithm::kSha256 : DigestAlgorithm::kSm3;
}

Secret digest_key(Suite suite, const Secret& key, std::string_view purpose);

}  // namespace colophon::storage
