// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/hashing.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/parallel.h"
#include "core/splice.h"

#include <openssl/evp.h>
#include <openssl/types.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

constexpr std::size_t kPartBytes = 8U << 20U;  // hashed before its pages are given back
constexpr std::size_t kThreadsMax = 4;

constexpr std::array<std::pair<HashAlgorithm, std::string_view>, 3> kNames{
    {{HashAlgorithm::kSha256, "sha256"},
     {HashAlgorithm::kSha384, "sha384"},
     {HashAlgorithm::kSha512, "sha512"}}};

const EVP_MD* digest_of(HashAlgorithm algorithm) {
    switch (algorithm) {
        case HashAlgorithm::kSha256:
            return EVP_sha256();
        case HashAlgorithm::kSha384:
            return EVP_sha384();
        case HashAlgorithm::kSha512:
            break;
    }
    return EVP_sha512();
}

}  // namespace

struct ContentHasher::State {
    struct Free {
        void operator()(EVP_MD_CTX* made) const { EVP_MD_CTX_free(made); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

ContentHasher::ContentHasher(HashAlgorithm algorithm) : state_(std::make_unique<State>()) {
    COLOPHON_ASSERT(EVP_DigestInit_ex(state_->context.get(), digest_of(algorithm), nullptr) == 1);
}

ContentHasher::~ContentHasher() = default;
ContentHasher::ContentHasher(ContentHasher&&) noexcept = default;
ContentHasher& ContentHasher::operator=(ContentHasher&&) noexcept = default;

void ContentHasher::update(Bytes bytes) {
    COLOPHON_ASSERT(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Buffer ContentHasher::finish() {
    Buffer digest(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    COLOPHON_ASSERT(EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) == 1);
    digest.resize(size);
    return digest;
}

std::optional<HashAlgorithm> parse_hash_algorithm(std::string_view name) noexcept {
    for (const auto& [algorithm, each] : kNames) {
        if (each == name) {
            return algorithm;
        }
    }
    return std::nullopt;
}

std::string_view hash_algorithm_name(HashAlgorithm algorithm) noexcept {
    return kNames[static_cast<std::size_t>(algorithm)].second;
}

Buffer hash(HashAlgorithm algorithm, Bytes bytes) {
    ContentHasher hasher(algorithm);
    hasher.update(bytes);
    return hasher.finish();
}

template <class Take>
void FileView::pieces(const ByteRange& range, Take take) const {
    COLOPHON_ASSERT(range.offset <= size_ && range.size <= size_ - range.offset);
    if (splice_ == nullptr) {
        take(source_.subspan(static_cast<std::size_t>(range.offset),
                             static_cast<std::size_t>(range.size)),
             Origin::kSource);
        return;
    }
    std::uint64_t at = 0;  // in the output
    for (const SplicePiece& piece : splice_->pieces()) {
        const bool inserted = piece.source_size == 0;
        const std::uint64_t size = inserted ? piece.bytes.size() : piece.source_size;
        const std::uint64_t begin = std::max(at, range.offset);
        const std::uint64_t end = std::min(at + size, range.end());
        if (begin < end) {
            const Bytes bytes = inserted
                                    ? Bytes(piece.bytes)
                                    : source_.subspan(static_cast<std::size_t>(piece.source_offset),
                                                      static_cast<std::size_t>(size));
            take(bytes.subspan(static_cast<std::size_t>(begin - at),
                               static_cast<std::size_t>(end - begin)),
                 inserted ? Origin::kInserted : Origin::kSource);
        }
        at += size;
        if (at >= range.end()) {
            break;
        }
    }
}

void FileView::feed(const ByteRange& range, ContentHasher& hasher) const {
    pieces(range, [&](Bytes bytes, Origin origin) {
        while (!bytes.empty()) {
            const Bytes part = bytes.first(std::min(bytes.size(), kPartBytes));
            hasher.update(part);
            if (release_ && origin == Origin::kSource) {
                release_(part);
            }
            bytes = bytes.subspan(part.size());
        }
    });
}

const Buffer* PartDigests::find(HashAlgorithm wanted, const ByteRange& range) const noexcept {
    const auto row = std::ranges::lower_bound(parts, range.offset, {}, &ByteRange::offset);
    const bool known = wanted == algorithm && row != parts.end() && *row == range;
    return known ? &digests[static_cast<std::size_t>(row - parts.begin())] : nullptr;
}

std::vector<Buffer> FileView::digests(HashAlgorithm algorithm,
                                      const std::vector<ByteRange>& ranges) const {
    std::vector<Buffer> digests(ranges.size());
    parallel_for(ranges.size(), useful_threads(kThreadsMax), [&](std::size_t i) {
        const Buffer* known = known_ == nullptr ? nullptr : known_->find(algorithm, ranges[i]);
        if (known != nullptr) {
            digests[i] = *known;
            return;
        }
        ContentHasher hasher(algorithm);
        feed(ranges[i], hasher);
        digests[i] = hasher.finish();
    });
    return digests;
}

Buffer FileView::read(const ByteRange& range) const {
    Buffer out;
    pieces(range, [&](Bytes bytes, Origin) { append(out, bytes); });
    return out;
}

Bytes FileView::whole() const {
    COLOPHON_ASSERT(splice_ == nullptr);
    return source_;
}

Buffer hash_without(HashAlgorithm algorithm, const FileView& file,
                    const std::vector<ByteRange>& ranges) {
    ContentHasher hasher(algorithm);
    std::uint64_t at = 0;
    for (const ByteRange& range : ranges) {
        COLOPHON_ASSERT(range.offset >= at);
        file.feed({.offset = at, .size = range.offset - at}, hasher);
        at = range.end();
    }
    file.feed({.offset = at, .size = file.size() - at}, hasher);
    return hasher.finish();
}

}  // namespace colophon::label::provenance
