// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the log share: a tree in memory, computed by the definition.

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/merkle.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger::test {

// MTH by the recursive definition of RFC 6962, section 2.1, over hashes of leaves: slow and plain.
inline Hash defined_root(const Hashes& leaves, std::size_t begin, std::size_t end) {
    if (begin == end) {
        return empty_root();
    }
    if (end - begin == 1) {
        return leaves[begin];
    }
    std::size_t split = 1;
    while (split * 2 < end - begin) {
        split *= 2;
    }
    return node_hash(defined_root(leaves, begin, begin + split),
                     defined_root(leaves, begin + split, end));
}

// All complete subtrees of a row of leaves, by level.
class MemoryTree {
public:
    explicit MemoryTree(Hashes leaves) : levels_{std::move(leaves)} {
        while (levels_.back().size() > 1) {
            const Hashes& below = levels_.back();
            Hashes level;
            for (std::size_t i = 0; i + 1 < below.size(); i += 2) {
                level.push_back(node_hash(below[i], below[i + 1]));
            }
            levels_.push_back(std::move(level));
        }
    }
    ReadNode reader() const {
        return [this](Node node) -> Result<Hash> {
            if (node.level >= levels_.size() || node.index >= levels_[node.level].size()) {
                return Error{ErrorCode::kNotFound, "a node outside of the tree was asked for"};
            }
            return levels_[node.level][node.index];
        };
    }
    const Hashes& leaves() const { return levels_[0]; }

private:
    std::vector<Hashes> levels_;
};

inline Hashes numbered_leaves(std::size_t count) {
    Hashes leaves;
    for (std::size_t i = 0; i < count; ++i) {
        leaves.push_back(leaf_hash(as_bytes("entry " + std::to_string(i))));
    }
    return leaves;
}

}  // namespace colophon::ledger::test
