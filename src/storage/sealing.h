// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes made unreadable and unchangeable under a key of 256 bits (docs/formats/sealed.md): a column
// of a table, or a file of any size in chunks.
//
//   header 24 bytes | chunk 0, tag | chunk 1, tag | ... | last chunk, tag
//
// Each sealing has a key of its own, derived from the data key, the header with its 128 random
// bits, and the context; so no nonce is ever used twice however much is sealed under one data key,
// and sealed bytes that are moved to another row, column or owner do not open. The number of a
// chunk and whether it is the last stand in its nonce (the STREAM construction of Hoang,
// Reyhanitabar, Rogaway and Vizár, 2015): chunks that are left out, doubled, put in another order
// or cut off are noticed.

#include "core/bytes.h"
#include "core/random.h"
#include "storage/secret.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace colophon::storage {

enum class Suite : std::uint8_t {
    kAes256Gcm = 1,
    kSm4HmacSm3 = 2,  // SM4-CTR (GB/T 32907), then HMAC with SM3 (GB/T 32905) over the result
};

// What sealed bytes belong to. It is bound to them and not stored: to open, say the same again.
struct SealContext {
    std::string_view owner;  // whose key it is: a random handle, never a name or number of a person
    std::string_view purpose;  // "identity.phone": table and column, or the kind of file
    std::string_view id;       // the row or the object
};

struct SealOptions {
    Suite suite = Suite::kAes256Gcm;
    std::uint32_t generation = 0;  // of the owner's key, so that it is found again
};

inline constexpr std::size_t kSealedHeaderBytes = 24;
inline constexpr std::size_t kSealChunkBytes = 65'536;

struct SealedHeader {
    Suite suite = Suite::kAes256Gcm;
    std::uint32_t generation = 0;
    std::array<std::uint8_t, 16> salt{};
};

// Error{kCorrupt} for anything that is no header; Error{kUnsupported} for that of a later version.
Result<SealedHeader> read_sealed_header(Bytes sealed);

std::size_t seal_tag_bytes(Suite suite) noexcept;
// How many bytes `content_bytes` make, header included.
std::uint64_t sealed_bytes(Suite suite, std::uint64_t content_bytes) noexcept;
// And back; Error{kCorrupt} when no content has that many.
Result<std::uint64_t> content_bytes(Suite suite, std::uint64_t all_bytes);

// One chunk after another, for content that comes in pieces.
class SealStream {
public:
    // Error{kUnavailable} when there is no randomness.
    static Result<SealStream> start(const Secret& key, const SealContext& context,
                                    const SealOptions& options, Random& random);
    ~SealStream();
    SealStream(SealStream&&) noexcept;
    SealStream& operator=(SealStream&&) noexcept;
    SealStream(const SealStream&) = delete;
    SealStream& operator=(const SealStream&) = delete;

    // Appends what is ready to `out`; up to one chunk is held back.
    void append(Bytes piece, Buffer& out);
    void finish(Buffer& out);  // once

private:
    struct State;
    explicit SealStream(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Opens chunks in any order, so that a range of a large file costs its chunks only.
class ChunkOpener {
public:
    static Result<ChunkOpener> start(const Secret& key, Bytes header, const SealContext& context);
    ~ChunkOpener();
    ChunkOpener(ChunkOpener&&) noexcept;
    ChunkOpener& operator=(ChunkOpener&&) noexcept;
    ChunkOpener(const ChunkOpener&) = delete;
    ChunkOpener& operator=(const ChunkOpener&) = delete;

    // Appends the content of a chunk (with its tag) to `out`. Error{kCorrupt} when the key, the
    // context, the place or any bit of it is not that with which it was sealed; `out` is then as
    // before.
    Result<void> open(std::uint64_t index, bool last, Bytes chunk, Buffer& out);

private:
    struct State;
    explicit ChunkOpener(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Whole values.
Result<Buffer> seal(const Secret& key, const SealContext& context, const SealOptions& options,
                    Bytes content, Random& random);
Result<Buffer> unseal(const Secret& key, const SealContext& context, Bytes sealed);

}  // namespace colophon::storage
