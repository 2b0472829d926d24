// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/chunk_cipher.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "storage/internal/hmac.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <openssl/evp.h>
#include <openssl/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::storage {
namespace {

constexpr std::string_view kLabel = "colophon sealed bytes 1";
constexpr std::size_t kGcmTagBytes = 16;
constexpr std::size_t kGcmNonceBytes = 12;
constexpr std::size_t kSm4BlockBytes = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* made) const { EVP_CIPHER_CTX_free(made); }
};

// Looking an algorithm up costs more than a short message, so it is done once.
const EVP_CIPHER* algorithm(Suite suite) {
    static EVP_CIPHER* const kAes = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    static EVP_CIPHER* const kSm4 = EVP_CIPHER_fetch(nullptr, "SM4-CTR", nullptr);
    const EVP_CIPHER* found = suite == Suite::kAes256Gcm ? kAes : kSm4;
    COLOPHON_ASSERT(found != nullptr);
    return found;
}

int size_of(Bytes bytes) {
    return static_cast<int>(bytes.size());
}

Buffer derivation_text(Bytes header, const SealContext& context) {
    constexpr std::size_t kCounts = 4 * sizeof(std::uint32_t);
    Buffer text;
    text.reserve(kCounts + kLabel.size() + kSealedHeaderBytes + context.owner.size() +
                 context.purpose.size() + context.id.size());
    append_counted(text, kLabel);
    append(text, header.first(kSealedHeaderBytes));
    append_counted(text, context.owner);
    append_counted(text, context.purpose);
    append_counted(text, context.id);
    return text;
}

Secret derived(DigestAlgorithm digest, const Secret& key, Bytes text, std::uint8_t number) {
    Digest256 block = hmac(digest, key.bytes(), {text, Bytes(&number, 1)});
    Secret made(block);
    wipe(block);
    return made;
}

}  // namespace

struct ChunkCipher::State {
    Suite suite;
    std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context{EVP_CIPHER_CTX_new()};
    std::optional<Hmac> mac;  // of kSm4HmacSm3

    void begin(std::uint64_t index, bool last, bool seals) const {
        // AES: index (8), zeros (3), last (1). SM4: index (8) and the counter of blocks (8); there
        // the mark of the last chunk is in what the tag is made over.
        std::array<std::uint8_t, kSm4BlockBytes> nonce{};
        store_be64(nonce, 0, index);
        if (suite == Suite::kAes256Gcm) {
            nonce[kGcmNonceBytes - 1] = last ? 1 : 0;
        }
        COLOPHON_ASSERT(EVP_CipherInit_ex(context.get(), nullptr, nullptr, nullptr, nonce.data(),
                                          seals ? 1 : 0) == 1);
    }

    void transform(Bytes in, std::span<std::uint8_t> out) const {
        int done = 0;
        if (!in.empty()) {
            COLOPHON_ASSERT(
                EVP_CipherUpdate(context.get(), out.data(), &done, in.data(), size_of(in)) == 1);
        }
        COLOPHON_ASSERT(done == size_of(in));
    }

    Digest256 tag(std::uint64_t index, bool last, Bytes sealed) {
        std::array<std::uint8_t, 9> place{};
        store_be64(place, 0, index);
        place[8] = last ? 1 : 0;
        mac->restart();
        mac->update(place);
        mac->update(sealed);
        return mac->finish();
    }
};

ChunkCipher::ChunkCipher(const Secret& key, Suite suite, Bytes header, const SealContext& context)
    : state_(std::make_unique<State>()) {
    const DigestAlgorithm digest =
        suite == Suite::kAes256Gcm ? DigestAlgorithm::kSha256 : DigestAlgorithm::kSm3;
    const Buffer text = derivation_text(header, context);
    const Secret cipher_key = derived(digest, key, text, 1);
    state_->suite = suite;
    COLOPHON_ASSERT(EVP_CipherInit_ex(state_->context.get(), algorithm(suite), nullptr,
                                      cipher_key.bytes().data(), nullptr, 1) == 1);
    if (suite == Suite::kSm4HmacSm3) {
        state_->mac.emplace(digest, derived(digest, key, text, 2).bytes());
    }
}

ChunkCipher::~ChunkCipher() = default;
ChunkCipher::ChunkCipher(ChunkCipher&&) noexcept = default;
ChunkCipher& ChunkCipher::operator=(ChunkCipher&&) noexcept = default;

void ChunkCipher::seal(std::uint64_t index, bool last, Bytes content, std::span<std::uint8_t> out) {
    COLOPHON_ASSERT(content.size() <= kSealChunkBytes);
    COLOPHON_ASSERT(out.size() == content.size() + seal_tag_bytes(state_->suite));
    state_->begin(index, last, true);
    state_->transform(content, out);
    const std::span<std::uint8_t> tag = out.subspan(content.size());
    if (state_->suite == Suite::kSm4HmacSm3) {
        std::ranges::copy(state_->tag(index, last, out.first(content.size())), tag.begin());
        return;
    }
    int done = 0;
    COLOPHON_ASSERT(EVP_CipherFinal_ex(state_->context.get(), tag.data(), &done) == 1);
    COLOPHON_ASSERT(EVP_CIPHER_CTX_ctrl(state_->context.get(), EVP_CTRL_AEAD_GET_TAG,
                                        static_cast<int>(kGcmTagBytes), tag.data()) == 1);
}

bool ChunkCipher::open(std::uint64_t index, bool last, Bytes chunk, std::span<std::uint8_t> out) {
    const std::size_t tag_bytes = seal_tag_bytes(state_->suite);
    COLOPHON_ASSERT(chunk.size() >= tag_bytes && out.size() == chunk.size() - tag_bytes);
    const Bytes sealed = chunk.first(out.size());
    const Bytes tag = chunk.last(tag_bytes);
    if (state_->suite == Suite::kSm4HmacSm3) {
        if (!equal_in_constant_time(state_->tag(index, last, sealed), tag)) {
            return false;
        }
        state_->begin(index, last, false);
        state_->transform(sealed, out);
        return true;
    }
    state_->begin(index, last, false);
    state_->transform(sealed, out);
    std::array<std::uint8_t, kGcmTagBytes> expected{};
    std::ranges::copy(tag, expected.begin());
    int done = 0;
    if (EVP_CIPHER_CTX_ctrl(state_->context.get(), EVP_CTRL_AEAD_SET_TAG,
                            static_cast<int>(kGcmTagBytes), expected.data()) == 1 &&
        EVP_CipherFinal_ex(state_->context.get(), expected.data(), &done) == 1) {
        return true;
    }
    wipe(out);
    return false;
}

}  // namespace colophon::storage
