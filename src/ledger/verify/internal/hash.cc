// SPDX-License-Identifier: Apache-2.0
// The low-level calls are marked as deprecated in OpenSSL 3; the others look an algorithm up and
// allocate for each hash, which doubles the time of a check.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "ledger/verify/internal/hash.h"

#include "core/assert.h"
#include "core/bytes.h"

#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon::ledger::verify::internal {
namespace {

constexpr std::size_t kBlockBytes = 64;

class Sha256 {
public:
    Sha256() { COLOPHON_ASSERT(SHA256_Init(&state_) == 1); }
    void add(Bytes bytes) {
        COLOPHON_ASSERT(SHA256_Update(&state_, bytes.data(), bytes.size()) == 1);
    }
    void add(std::uint8_t byte) { add(Bytes(&byte, 1)); }
    Hash done() {
        Hash hash{};
        COLOPHON_ASSERT(SHA256_Final(hash.data(), &state_) == 1);
        return hash;
    }

private:
    SHA256_CTX state_{};
};

}  // namespace

Hash sha256_of(Bytes bytes) {
    Sha256 sha;
    sha.add(bytes);
    return sha.done();
}

Hash hash_leaf(Bytes entry) {
    Sha256 sha;
    sha.add(std::uint8_t{0});
    sha.add(entry);
    return sha.done();
}

Hash hash_pair(const Hash& left, const Hash& right) {
    Sha256 sha;
    sha.add(std::uint8_t{1});
    sha.add(left);
    sha.add(right);
    return sha.done();
}

Hash hmac_sha256(Bytes key, Bytes message) {
    COLOPHON_ASSERT(key.size() <= kBlockBytes);
    std::array<std::uint8_t, kBlockBytes> inner{};
    std::array<std::uint8_t, kBlockBytes> outer{};
    inner.fill(0x36);
    outer.fill(0x5C);
    for (std::size_t i = 0; i < key.size(); ++i) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    Sha256 first;
    first.add(inner);
    first.add(message);
    Sha256 second;
    second.add(outer);
    second.add(first.done());
    return second.done();
}

void Pile::push(unsigned height, const Hash& hash) {
    Part part{.height = height, .hash = hash};
    while (!parts_.empty() && parts_.back().height == part.height) {
        part = {.height = part.height + 1, .hash = hash_pair(parts_.back().hash, part.hash)};
        parts_.pop_back();
    }
    parts_.push_back(part);
}

Hash Pile::root() const {
    if (parts_.empty()) {
        return sha256_of({});
    }
    Hash root = parts_.back().hash;
    for (std::size_t i = parts_.size() - 1; i > 0; --i) {
        root = hash_pair(parts_[i - 1].hash, root);
    }
    return root;
}

Hash row_root_of(std::span<const Hash> row) {
    Pile pile;
    for (const Hash& hash : row) {
        pile.push(0, hash);
    }
    return pile.root();
}

bool root_of_proof(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                   std::span<const Hash> proof, Hash& root) {
    if (index >= size) {
        return false;
    }
    // Where the paths to this leaf and to the last one meet.
    const auto lower = static_cast<std::size_t>(std::bit_width(index ^ (size - 1)));
    const auto border = static_cast<std::size_t>(std::popcount(lower < 64 ? index >> lower : 0));
    if (proof.size() != lower + border) {
        return false;
    }
    root = leaf;
    for (std::size_t i = 0; i < proof.size(); ++i) {
        const bool on_the_right = i >= lower || ((index >> i) & 1U) != 0;
        root = on_the_right ? hash_pair(proof[i], root) : hash_pair(root, proof[i]);
    }
    return true;
}

}  // namespace colophon::ledger::verify::internal
