// SPDX-License-Identifier: Apache-2.0
#pragma once

// One sealing's own key, and its chunks under it.

#include "core/bytes.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace colophon::storage {

class ChunkCipher {
public:
    // `header` has kSealedHeaderBytes bytes and was read by read_sealed_header().
    ChunkCipher(const Secret& key, Suite suite, Bytes header, const SealContext& context);
    ~ChunkCipher();
    ChunkCipher(ChunkCipher&&) noexcept;
    ChunkCipher& operator=(ChunkCipher&&) noexcept;
    ChunkCipher(const ChunkCipher&) = delete;
    ChunkCipher& operator=(const ChunkCipher&) = delete;

    // `out` has room for the content and the tag.
    void seal(std::uint64_t index, bool last, Bytes content, std::span<std::uint8_t> out);
    // `out` has room for the chunk without its tag; false (and zeros) when the tag is wrong.
    bool open(std::uint64_t index, bool last, Bytes chunk, std::span<std::uint8_t> out);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace colophon::storage
