// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/merkle_tree.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "label/provenance/hashing.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {

std::vector<std::vector<Buffer>> merkle_rows(HashAlgorithm algorithm, std::vector<Buffer> leaves) {
    COLOPHON_ASSERT(!leaves.empty());
    std::vector<std::vector<Buffer>> rows{std::move(leaves)};
    while (rows.back().size() > 1) {
        const std::vector<Buffer>& below = rows.back();
        std::vector<Buffer> row;
        for (std::size_t i = 0; i + 1 < below.size(); i += 2) {
            Buffer both = below[i];
            append(both, below[i + 1]);
            row.push_back(hash(algorithm, both));
        }
        if (below.size() % 2 == 1) {
            row.push_back(below.back());
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

std::vector<Buffer> merkle_proof(const std::vector<std::vector<Buffer>>& rows, std::size_t leaf,
                                 std::size_t nodes) {
    std::vector<Buffer> proof;
    for (const std::vector<Buffer>& row : rows) {
        if (row.size() == nodes) {
            break;
        }
        const std::size_t other = leaf ^ 1U;
        if (other < row.size()) {
            proof.push_back(row[other]);
        }
        leaf /= 2;
    }
    return proof;
}

}  // namespace colophon::label::provenance::internal
