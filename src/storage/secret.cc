// SPDX-License-Identifier: Apache-2.0
#include "storage/secret.h"

#include "core/assert.h"
#include "core/bytes.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace colophon::storage {

void wipe(std::span<std::uint8_t> bytes) noexcept {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

Secret::Secret(Bytes bytes) {
    COLOPHON_ASSERT(bytes.size() >= kSecretBytes);
    std::copy_n(bytes.begin(), kSecretBytes, bytes_.begin());
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        bytes_ = other.bytes_;
        wipe(other.bytes_);
    }
    return *this;
}

}  // namespace colophon::storage
