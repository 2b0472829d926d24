// SPDX-License-Identifier: Apache-2.0
#include "storage/sealing.h"

#include "core/bytes.h"
#include "core/random.h"
#include "storage/internal/chunk_cipher.h"
#include "storage/secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace colophon::storage {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kChunkBits = 16;
static_assert(kSealChunkBytes == 1U << kChunkBits);

Buffer write_header(const SealOptions& options, std::span<const std::uint8_t> salt) {
    Buffer header{kVersion, static_cast<std::uint8_t>(options.suite), kChunkBits, 0};
    append_be32(header, options.generation);
    append(header, salt);
    return header;
}

Error does_not_open() {
    return Error{ErrorCode::kCorrupt,
                 "sealed bytes do not open: they, their place or their key are not those with "
                 "which they were sealed"};
}

}  // namespace

Result<SealedHeader> read_sealed_header(Bytes sealed) {
    if (sealed.size() < kSealedHeaderBytes) {
        return Error{ErrorCode::kCorrupt, fmt::format("sealed bytes begin with {} bytes, these are "
                                                      "{} in all",
                                                      kSealedHeaderBytes, sealed.size())};
    }
    if (sealed[0] == 0) {
        return Error{ErrorCode::kCorrupt, "these are no sealed bytes"};
    }
    const bool known_suite = sealed[1] == static_cast<std::uint8_t>(Suite::kAes256Gcm) ||
                             sealed[1] == static_cast<std::uint8_t>(Suite::kSm4HmacSm3);
    if (sealed[0] != kVersion || !known_suite || sealed[2] != kChunkBits || sealed[3] != 0) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("sealed bytes of version {}, suite {}, chunks of 2^{}", sealed[0],
                                 sealed[1], sealed[2])};
    }
    SealedHeader header{.suite = static_cast<Suite>(sealed[1]),
                        .generation = load_be32(sealed.subspan(4, 4))};
    std::ranges::copy(sealed.subspan(8, header.salt.size()), header.salt.begin());
    return header;
}

std::size_t seal_tag_bytes(Suite suite) noexcept {
    return suite == Suite::kAes256Gcm ? 16 : 32;
}

std::uint64_t sealed_bytes(Suite suite, std::uint64_t content_bytes) noexcept {
    const std::uint64_t chunks = std::max<std::uint64_t>(
        1, content_bytes / kSealChunkBytes + (content_bytes % kSealChunkBytes != 0 ? 1 : 0));
    return kSealedHeaderBytes + content_bytes + chunks * seal_tag_bytes(suite);
}

Result<std::uint64_t> content_bytes(Suite suite, std::uint64_t all_bytes) {
    const std::uint64_t tag = seal_tag_bytes(suite);
    if (all_bytes < kSealedHeaderBytes + tag) {
        return does_not_open();
    }
    const std::uint64_t body = all_bytes - kSealedHeaderBytes;
    const std::uint64_t whole = body / (kSealChunkBytes + tag);
    const std::uint64_t rest = body % (kSealChunkBytes + tag);
    // A rest is a tag and at least one byte, but for the one chunk of empty content.
    if (rest != 0 && (rest < tag || (rest == tag && whole != 0))) {
        return does_not_open();
    }
    return whole * kSealChunkBytes + (rest == 0 ? 0 : rest - tag);
}

struct SealStream::State {
    ChunkCipher cipher;
    std::size_t tag_bytes;
    Buffer held;    // up to one chunk
    Buffer header;  // until it is written
    std::uint64_t index = 0;

    ~State() { wipe(held); }
    State(ChunkCipher made, std::size_t tag, Buffer head)
        : cipher(std::move(made)), tag_bytes(tag), header(std::move(head)) {
        held.reserve(kSealChunkBytes);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    State(State&&) = delete;
    State& operator=(State&&) = delete;

    void emit(Bytes content, bool last, Buffer& out) {
        append_header(out);
        const std::size_t at = out.size();
        out.resize(at + content.size() + tag_bytes);
        cipher.seal(index++, last, content, std::span(out).subspan(at));
    }
    void append_header(Buffer& out) {
        if (!header.empty()) {
            colophon::append(out, header);
            header.clear();
        }
    }
};

SealStream::SealStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
SealStream::~SealStream() = default;
SealStream::SealStream(SealStream&&) noexcept = default;
SealStream& SealStream::operator=(SealStream&&) noexcept = default;

Result<SealStream> SealStream::start(const Secret& key, const SealContext& context,
                                     const SealOptions& options, Random& random) {
    std::array<std::uint8_t, 16> salt{};
    TRY(random.fill(salt));
    Buffer header = write_header(options, salt);
    ChunkCipher cipher(key, options.suite, header, context);
    return SealStream(std::make_unique<State>(std::move(cipher), seal_tag_bytes(options.suite),
                                              std::move(header)));
}

// The last chunk is marked as such, so a full chunk waits until something follows it.
void SealStream::append(Bytes piece, Buffer& out) {
    State& state = *state_;
    while (!piece.empty()) {
        if (state.held.size() == kSealChunkBytes) {
            state.emit(state.held, false, out);
            state.held.clear();
        }
        if (state.held.empty() && piece.size() > kSealChunkBytes) {
            state.emit(piece.first(kSealChunkBytes), false, out);
            piece = piece.subspan(kSealChunkBytes);
            continue;
        }
        const std::size_t taken = std::min(piece.size(), kSealChunkBytes - state.held.size());
        colophon::append(state.held, piece.first(taken));
        piece = piece.subspan(taken);
    }
}

void SealStream::finish(Buffer& out) {
    state_->emit(state_->held, true, out);
    wipe(state_->held);
    state_->held.clear();
}

struct ChunkOpener::State {
    ChunkCipher cipher;
    std::size_t tag_bytes;
};

ChunkOpener::ChunkOpener(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChunkOpener::~ChunkOpener() = default;
ChunkOpener::ChunkOpener(ChunkOpener&&) noexcept = default;
ChunkOpener& ChunkOpener::operator=(ChunkOpener&&) noexcept = default;

Result<ChunkOpener> ChunkOpener::start(const Secret& key, Bytes header,
                                       const SealContext& context) {
    const SealedHeader read = TRY(read_sealed_header(header));
    return ChunkOpener(std::make_unique<State>(
        State{ChunkCipher(key, read.suite, header, context), seal_tag_bytes(read.suite)}));
}

Result<void> ChunkOpener::open(std::uint64_t index, bool last, Bytes chunk, Buffer& out) {
    if (chunk.size() < state_->tag_bytes || chunk.size() > kSealChunkBytes + state_->tag_bytes) {
        return does_not_open();
    }
    const std::size_t at = out.size();
    out.resize(at + chunk.size() - state_->tag_bytes);
    if (!state_->cipher.open(index, last, chunk, std::span(out).subspan(at))) {
        out.resize(at);
        return does_not_open();
    }
    return {};
}

Result<Buffer> seal(const Secret& key, const SealContext& context, const SealOptions& options,
                    Bytes content, Random& random) {
    if (content.size() <= kSealChunkBytes) {  // most rows: without a buffer for what may follow
        std::array<std::uint8_t, 16> salt{};
        TRY(random.fill(salt));
        Buffer out = write_header(options, salt);
        ChunkCipher cipher(key, options.suite, out, context);
        out.resize(kSealedHeaderBytes + content.size() + seal_tag_bytes(options.suite));
        cipher.seal(0, true, content, std::span(out).subspan(kSealedHeaderBytes));
        return out;
    }
    SealStream stream = TRY(SealStream::start(key, context, options, random));
    Buffer out;
    out.reserve(static_cast<std::size_t>(sealed_bytes(options.suite, content.size())));
    stream.append(content, out);
    stream.finish(out);
    return out;
}

Result<Buffer> unseal(const Secret& key, const SealContext& context, Bytes sealed) {
    const SealedHeader header = TRY(read_sealed_header(sealed));
    ChunkOpener opener = TRY(ChunkOpener::start(key, sealed, context));
    Buffer out;
    out.reserve(static_cast<std::size_t>(TRY(content_bytes(header.suite, sealed.size()))));
    const std::size_t chunk_bytes = kSealChunkBytes + seal_tag_bytes(header.suite);
    Bytes body = sealed.subspan(kSealedHeaderBytes);
    for (std::uint64_t index = 0;; ++index) {
        const bool last = body.size() <= chunk_bytes;
        const Bytes chunk = last ? body : body.first(chunk_bytes);
        Result<void> opened = opener.open(index, last, chunk, out);
        if (!opened.ok()) {
            wipe(out);  // nothing of a value that is not whole
            return std::move(opened).error();
        }
        if (last) {
            return out;
        }
        body = body.subspan(chunk_bytes);
    }
}

}  // namespace colophon::storage
