// SPDX-License-Identifier: Apache-2.0
#pragma once

// HMAC (RFC 2104) with SHA-256 or SM3.

#include "core/bytes.h"
#include "core/digest.h"

#include <initializer_list>
#include <memory>

namespace colophon::storage {

class Hmac {
public:
    Hmac(DigestAlgorithm algorithm, Bytes key);
    ~Hmac();
    Hmac(Hmac&&) noexcept;
    Hmac& operator=(Hmac&&) noexcept;
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;

    void update(Bytes bytes);
    Digest256 finish();  // once, or again after restart()
    void restart();      // with the same key

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Over the parts one after another.
Digest256 hmac(DigestAlgorithm algorithm, Bytes key, std::initializer_list<Bytes> parts);

// `text` behind its length (32 bits, big endian), so that parts that follow each other have one
// reading only.
void append_counted(Buffer& out, std::string_view text);

}  // namespace colophon::storage
