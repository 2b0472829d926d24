// SPDX-License-Identifier: Apache-2.0
#include "ledger/merkle.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "ledger/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon::ledger {
namespace {

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;

// The largest power of two below n; n > 1.
std::uint64_t split_below(std::uint64_t n) {
    return std::bit_floor(n - 1);
}

// MTH of the leaves [begin, end). `begin` is a multiple of the smallest power of two that is not
// below the number of leaves, as it is everywhere in a tree split as above.
Result<Hash> range_root(std::uint64_t begin, std::uint64_t end, const ReadNode& read) {
    const std::uint64_t count = end - begin;
    if (std::has_single_bit(count)) {
        const auto level = static_cast<unsigned>(std::countr_zero(count));
        return read(Node{level, begin >> level});
    }
    const std::uint64_t middle = begin + split_below(count);
    const Hash left = TRY(range_root(begin, middle, read));
    const Hash right = TRY(range_root(middle, end, read));
    return node_hash(left, right);
}

}  // namespace

Hash empty_root() {
    return sha256({});
}

Hash leaf_hash(Bytes entry) {
    Buffer bytes;
    bytes.reserve(entry.size() + 1);
    bytes.push_back(kLeafPrefix);
    append(bytes, entry);
    return sha256(bytes);
}

Hash node_hash(const Hash& left, const Hash& right) {
    std::array<std::uint8_t, 65> bytes{kNodePrefix};
    std::ranges::copy(left, bytes.begin() + 1);
    std::ranges::copy(right, bytes.begin() + 33);
    return sha256(bytes);
}

Hash row_root(std::span<const Hash> row) {
    COLOPHON_ASSERT(!row.empty());
    Frontier frontier;
    for (const Hash& hash : row) {
        frontier.append(hash);
    }
    return frontier.root();
}

Result<Frontier> Frontier::read(std::uint64_t size, const ReadNode& read) {
    COLOPHON_ASSERT(size <= limits::kTreeSizeMax);
    Frontier frontier;
    frontier.size_ = size;
    std::uint64_t begin = 0;
    while (begin < size) {
        const std::uint64_t count = std::bit_floor(size - begin);
        const auto level = static_cast<unsigned>(std::countr_zero(count));
        frontier.hashes_.push_back(TRY(read(Node{level, begin >> level})));
        begin += count;
    }
    return frontier;
}

void Frontier::append(const Hash& leaf) {
    // Each one at the end of the old size is a complete subtree that the new leaf doubles.
    Hash hash = leaf;
    for (std::uint64_t rest = size_; (rest & 1U) != 0; rest >>= 1U) {
        hash = node_hash(hashes_.back(), hash);
        hashes_.pop_back();
    }
    hashes_.push_back(hash);
    ++size_;
}

Hash Frontier::root() const {
    if (hashes_.empty()) {
        return empty_root();
    }
    Hash root = hashes_.back();
    for (std::size_t i = hashes_.size() - 1; i > 0; --i) {
        root = node_hash(hashes_[i - 1], root);
    }
    return root;
}

Result<Hash> root_at(std::uint64_t size, const ReadNode& read) {
    return TRY(Frontier::read(size, read)).root();
}

Result<Hashes> inclusion_proof(std::uint64_t index, std::uint64_t size, const ReadNode& read) {
    if (size > limits::kTreeSizeMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a log has at most {} entries", limits::kTreeSizeMax)};
    }
    if (index >= size) {
        return Error{ErrorCode::kNotFound,
                     fmt::format("entry {} is not in a log of {} entries", index, size)};
    }
    // Down from the root; the sister of each step is a proof hash, the last step's first.
    Hashes proof;
    std::uint64_t begin = 0;
    std::uint64_t end = size;
    while (end - begin > 1) {
        const std::uint64_t middle = begin + split_below(end - begin);
        if (index < middle) {
            proof.push_back(TRY(range_root(middle, end, read)));
            end = middle;
        } else {
            proof.push_back(TRY(range_root(begin, middle, read)));
            begin = middle;
        }
    }
    std::ranges::reverse(proof);
    return proof;
}

Result<Hashes> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                 const ReadNode& read) {
    if (old_size == 0 || old_size > new_size || new_size > limits::kTreeSizeMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("there is no proof from {} to {} entries", old_size, new_size)};
    }
    Hashes proof;
    std::uint64_t begin = 0;
    std::uint64_t end = new_size;
    while (end != old_size) {
        const std::uint64_t middle = begin + split_below(end - begin);
        if (old_size <= middle) {
            proof.push_back(TRY(range_root(middle, end, read)));
            end = middle;
        } else {
            proof.push_back(TRY(range_root(begin, middle, read)));
            begin = middle;
        }
    }
    // [begin, old_size) is a complete subtree of both trees. When it is the whole old tree the
    // verifier has its root already.
    if (begin != 0) {
        proof.push_back(TRY(range_root(begin, end, read)));
    }
    std::ranges::reverse(proof);
    return proof;
}

bool verify_inclusion(const Hash& leaf, std::uint64_t index, const Tree& tree,
                      std::span<const Hash> proof) {
    if (index >= tree.size) {
        return false;
    }
    std::uint64_t fn = index;
    std::uint64_t sn = tree.size - 1;
    Hash hash = leaf;
    for (const Hash& sister : proof) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1U) != 0 || fn == sn) {
            hash = node_hash(sister, hash);
            while ((fn & 1U) == 0 && fn != 0) {
                fn >>= 1U;
                sn >>= 1U;
            }
        } else {
            hash = node_hash(hash, sister);
        }
        fn >>= 1U;
        sn >>= 1U;
    }
    return sn == 0 && hash == tree.root;
}

bool verify_consistency(const Tree& older, const Tree& newer, std::span<const Hash> proof) {
    if (older.size == 0 || older.size > newer.size) {
        return false;
    }
    if (older.size == newer.size) {
        return proof.empty() && older.root == newer.root;
    }
    const bool whole = std::has_single_bit(older.size);
    if (!whole && proof.empty()) {
        return false;
    }
    std::uint64_t fn = older.size - 1;
    std::uint64_t sn = newer.size - 1;
    const int trailing = std::countr_one(fn);
    fn >>= static_cast<unsigned>(trailing);
    sn >>= static_cast<unsigned>(trailing);
    Hash old_hash = whole ? older.root : proof.front();
    Hash new_hash = old_hash;
    for (const Hash& sister : whole ? proof : proof.subspan(1)) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1U) != 0 || fn == sn) {
            old_hash = node_hash(sister, old_hash);
            new_hash = node_hash(sister, new_hash);
            while ((fn & 1U) == 0 && fn != 0) {
                fn >>= 1U;
                sn >>= 1U;
            }
        } else {
            new_hash = node_hash(new_hash, sister);
        }
        fn >>= 1U;
        sn >>= 1U;
    }
    return sn == 0 && old_hash == older.root && new_hash == newer.root;
}

}  // namespace colophon::ledger
