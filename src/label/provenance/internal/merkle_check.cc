// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/merkle_check.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/validation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kTreesMax = 1024;
constexpr std::size_t kLeavesMax = 1U << 18U;
constexpr std::string_view kPurpose = "merkle";
constexpr std::uint64_t kUuidHeader = 8 + 16 + 4;  // size, type, uuid, version and flags
constexpr std::uint64_t kProofBytesMax = 1U << 16U;
constexpr std::uint64_t kMediaSkip = 16;  // of an 'mdat', however long its header is

// Which tree: numbers that mean something only in the assertion and in the boxes of proofs.
struct TreeId {
    std::int64_t unique = 0;
    std::int64_t local = 0;
    auto operator<=>(const TreeId&) const = default;
};

// One entry of "merkle".
struct Tree {
    TreeId id;
    std::uint64_t count = 0;
    HashAlgorithm algorithm = HashAlgorithm::kSha256;
    std::vector<Buffer> row;
    std::optional<Buffer> init_hash;
    std::optional<std::uint64_t> fixed;
    std::optional<std::vector<std::uint64_t>> variable;
};

// One box of the purpose "merkle".
struct Proof {
    TreeId id;
    std::uint64_t location = 0;
    std::vector<Buffer> hashes;
};

std::optional<std::int64_t> integer(const cbor::Value& map, std::string_view name) {
    const cbor::Value* value = map.find(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    constexpr std::uint64_t kMax = INT64_MAX;
    if (const std::uint64_t* number = value->if_unsigned(); number != nullptr && *number <= kMax) {
        return static_cast<std::int64_t>(*number);
    }
    if (const auto* number = value->if_negative(); number != nullptr && number->magnitude < kMax) {
        return -1 - static_cast<std::int64_t>(number->magnitude);
    }
    return std::nullopt;
}

std::optional<TreeId> id_of(const cbor::Value& map) {
    const auto unique = integer(map, "uniqueId");
    const auto local = integer(map, "localId");
    return unique && local ? std::optional(TreeId{.unique = *unique, .local = *local})
                           : std::nullopt;
}

// Nothing when one is no byte string; an absent list is empty.
std::optional<std::vector<Buffer>> hashes_of(const cbor::Value& map) {
    std::vector<Buffer> hashes;
    const cbor::Value* member = map.find("hashes");
    if (member == nullptr || member->is_null()) {
        return hashes;
    }
    const cbor::Array* list = member->if_array();
    if (list == nullptr || list->size() > kLeavesMax) {
        return std::nullopt;
    }
    for (const cbor::Value& each : *list) {
        if (each.if_bytes() == nullptr) {
            return std::nullopt;
        }
        hashes.push_back(*each.if_bytes());
    }
    return hashes;
}

bool read_sizes(const cbor::Value& map, Tree& tree) {
    const cbor::Value* fixed = map.find("fixedBlockSize");
    const cbor::Value* variable = map.find("variableBlockSizes");
    if (fixed != nullptr && !fixed->is_null()) {
        if (fixed->if_unsigned() == nullptr || *fixed->if_unsigned() == 0) {
            return false;
        }
        tree.fixed = *fixed->if_unsigned();
    }
    if (variable != nullptr && !variable->is_null()) {
        const cbor::Array* list = variable->if_array();
        if (list == nullptr || list->size() > kLeavesMax || tree.fixed) {
            return false;
        }
        tree.variable.emplace();
        for (const cbor::Value& each : *list) {
            if (each.if_unsigned() == nullptr) {
                return false;
            }
            tree.variable->push_back(*each.if_unsigned());
        }
    }
    return true;
}

// The hashes that lead from a leaf to a row of so many nodes: of the other node wherever there is
// one.
std::vector<Buffer> proof_of(const std::vector<std::vector<Buffer>>& rows, std::size_t leaf,
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

class MerkleCheck {
public:
    MerkleCheck(const Claim& claim, const Assertion& assertion, const Content& content,
                const BmffHasher& hasher, Report& report)
        : claim_(claim),
          assertion_(assertion),
          content_(content),
          hasher_(hasher),
          report_(report) {}

    bool run() {
        if (!read_trees() || !read_proofs()) {
            return false;
        }
        const bool fragments = std::ranges::any_of(
            hasher_.boxes(), [](const BmffBox& box) { return box.type == "moof"; });
        return fragments ? check_fragments() : check_whole();
    }

private:
    bool malformed(std::string words) {
        report_.fail("assertion.bmffHash.malformed", assertion_.uri, std::move(words));
        return false;
    }
    bool mismatch(std::string words) {
        report_.fail("assertion.bmffHash.mismatch", assertion_.uri, std::move(words));
        return false;
    }

    bool read_trees() {
        const cbor::Array* list = assertion_.value->array("merkle");
        if (list == nullptr || list->empty() || list->size() > kTreesMax) {
            return malformed("the list of Merkle trees is malformed");
        }
        const std::string* outer = assertion_.value->text("alg");
        for (const cbor::Value& each : *list) {
            Tree tree;
            const auto id = id_of(each);
            const auto count = integer(each, "count");
            auto row = hashes_of(each);
            if (!id || !count || *count <= 0 || *count > std::int64_t{kLeavesMax} || !row ||
                row->empty() || !read_sizes(each, tree)) {
                return malformed("a Merkle tree is malformed");
            }
            const std::string* named = each.text("alg");
            const auto algorithm =
                algorithm_of(named == nullptr ? outer : named, claim_, assertion_.uri, report_);
            if (!algorithm) {
                return false;
            }
            tree.id = *id;
            tree.count = static_cast<std::uint64_t>(*count);
            tree.algorithm = *algorithm;
            tree.row = std::move(*row);
            if (const Buffer* init = each.bytes("initHash")) {
                tree.init_hash = *init;
            }
            trees_.push_back(std::move(tree));
        }
        return true;
    }

    // The boxes of proofs, and before which box of the file each stands.
    bool read_proofs() {
        for (std::size_t i = 0; i < hasher_.boxes().size(); ++i) {
            const BmffBox& box = hasher_.boxes()[i];
            if (box.type != "uuid" || box.range.size < kUuidHeader + kPurpose.size() + 1 ||
                box.header != 8) {
                continue;
            }
            const Buffer head = content_.view.read(
                {.offset = box.range.offset + 8, .size = kUuidHeader - 8 + kPurpose.size() + 1});
            const std::string_view purpose = as_text(Bytes(head).subspan(kUuidHeader - 8));
            if (!std::ranges::equal(Bytes(head).first(16), kC2paUuid) ||
                purpose != std::string_view("merkle\0", 7)) {
                continue;
            }
            const std::uint64_t begin = kUuidHeader + purpose.size();
            if (box.range.size - begin > kProofBytesMax || !read_proof(i, begin)) {
                return malformed("a box with a proof of a Merkle tree is malformed");
            }
        }
        return true;
    }

    // CBOR, and zeros that make the boxes of a tree equally long.
    bool read_proof(std::size_t index, std::uint64_t begin) {
        const BmffBox& box = hasher_.boxes()[index];
        const Buffer data = content_.view.read(
            {.offset = box.range.offset + begin, .size = box.range.size - begin});
        const auto end = std::ranges::find_if(data.rbegin(), data.rend(),
                                              [](std::uint8_t byte) { return byte != 0; });
        // A number 0 at the end of the CBOR looks like padding.
        const auto least = static_cast<std::size_t>(data.rend() - end);
        for (std::size_t size = least; size <= std::min(least + 1, data.size()); ++size) {
            const auto value = cbor::decode(Bytes(data).first(size));
            if (!value.ok()) {
                continue;
            }
            const auto id = id_of(*value);
            const auto location = integer(*value, "location");
            auto hashes = hashes_of(*value);
            if (!id || !location || *location < 0 || !hashes) {
                return false;
            }
            proofs_.emplace_back(index, Proof{.id = *id,
                                              .location = static_cast<std::uint64_t>(*location),
                                              .hashes = std::move(*hashes)});
            return true;
        }
        return false;
    }

    // Row, and proofs where the file carries them, which it must where the row is not the leaves.
    bool fits(const Tree& tree, std::vector<Buffer> leaves) {
        const auto rows = merkle_rows(tree.algorithm, std::move(leaves));
        const auto row = std::ranges::find(rows, tree.row.size(), &std::vector<Buffer>::size);
        if (row == rows.end()) {
            return malformed("a Merkle tree of the assertion has no row of that length");
        }
        if (*row != tree.row) {
            return mismatch("the file was changed after it was signed");
        }
        std::uint64_t next = 0;
        for (const auto& [index, proof] : proofs_) {
            if (proof.id != tree.id) {
                continue;
            }
            if (proof.location != next || next >= tree.count) {
                return mismatch("the proofs of a Merkle tree are not in order");
            }
            const auto wanted = proof_of(rows, static_cast<std::size_t>(next), tree.row.size());
            if (proof.hashes != wanted) {
                return mismatch("a proof of a Merkle tree is not that of its leaf");
            }
            ++next;
        }
        if (next != tree.count && (next != 0 || row != rows.begin())) {
            return malformed("the proofs of a Merkle tree are not in the file");
        }
        return true;
    }

    // 15.12.2.1: the media of a file in one piece, each 'mdat' by a tree of its own.
    bool check_whole() {
        if (assertion_.value->bytes("hash") == nullptr) {
            return malformed("the assertion holds no hash over the rest of the file");
        }
        std::vector<const BmffBox*> media;
        for (const BmffBox& box : hasher_.boxes()) {
            if (box.type == "mdat") {
                media.push_back(&box);
            }
        }
        if (media.size() != trees_.size()) {
            return malformed("there is not one Merkle tree for each box of media");
        }
        for (std::size_t i = 0; i < trees_.size(); ++i) {
            if (trees_[i].init_hash) {
                return malformed("a file without fragments has no hash of their beginning");
            }
            const auto leaves = leaves_of(trees_[i], *media[i]);
            if (!leaves) {
                return malformed("a Merkle tree has another number of pieces than the media");
            }
            if (!fits(trees_[i], *leaves)) {
                return false;
            }
        }
        return no_foreign_proofs();
    }

    std::optional<std::vector<Buffer>> leaves_of(const Tree& tree, const BmffBox& box) const {
        if (box.range.size < kMediaSkip) {
            return std::nullopt;
        }
        std::uint64_t at = box.range.offset + kMediaSkip;
        std::uint64_t left = box.range.size - kMediaSkip;
        if (!tree.fixed && !tree.variable && tree.count != 1) {
            return std::nullopt;
        }
        if (tree.fixed && (left + *tree.fixed - 1) / *tree.fixed != tree.count) {
            return std::nullopt;
        }
        if (tree.variable && tree.variable->size() != tree.count) {
            return std::nullopt;
        }
        std::vector<Buffer> leaves;
        for (std::uint64_t i = 0; i < tree.count; ++i) {
            const std::uint64_t size = tree.variable ? (*tree.variable)[static_cast<std::size_t>(i)]
                                       : tree.fixed  ? std::min(*tree.fixed, left)
                                                     : left;
            if (size > left) {
                return std::nullopt;
            }
            ContentHasher hasher(tree.algorithm);
            content_.view.feed({.offset = at, .size = size}, hasher);
            leaves.push_back(hasher.finish());
            at += size;
            left -= size;
        }
        return left == 0 ? std::optional(std::move(leaves)) : std::nullopt;
    }

    // 15.12.2.2, for fragments in one file: each is a 'moof' and everything up to the next one.
    bool check_fragments() {
        if (assertion_.value->bytes("hash") != nullptr) {
            return malformed("a file in fragments has no hash over all of it");
        }
        const std::vector<BmffBox>& boxes = hasher_.boxes();
        std::map<TreeId, std::vector<std::size_t>> fragments;  // the 'moof' boxes of each tree
        std::vector<std::size_t> starts;
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            if (boxes[i].type != "moof") {
                continue;
            }
            const auto proof =
                std::ranges::find(proofs_, i - 1, [](const auto& each) { return each.first; });
            if (i == 0 || proof == proofs_.end()) {
                return malformed("a fragment has no proof before it");
            }
            fragments[proof->second.id].push_back(starts.size());
            starts.push_back(i);
        }
        if (starts.size() != proofs_.size()) {
            return malformed("the file holds proofs for more than its fragments");
        }
        starts.push_back(boxes.size());
        if (fragments.size() != trees_.size()) {
            return malformed("there is not one Merkle tree for each track");
        }
        for (const Tree& tree : trees_) {
            const auto row = fragments.find(tree.id);
            if (row == fragments.end() || row->second.size() != tree.count) {
                return malformed("a Merkle tree has another number of pieces than the media");
            }
            if (!tree.init_hash ||
                hasher_.some(tree.algorithm, 0, starts.front()) != *tree.init_hash) {
                return mismatch("the beginning of the file was changed after it was signed");
            }
            std::vector<Buffer> leaves;
            for (const std::size_t each : row->second) {
                leaves.push_back(hasher_.some(tree.algorithm, starts[each], starts[each + 1]));
            }
            if (!fits(tree, std::move(leaves))) {
                return false;
            }
        }
        return true;
    }

    bool no_foreign_proofs() {
        const bool known = std::ranges::all_of(proofs_, [&](const auto& each) {
            return std::ranges::find(trees_, each.second.id, &Tree::id) != trees_.end();
        });
        return known || malformed("the file holds proofs of a Merkle tree that is not there");
    }

    const Claim& claim_;
    const Assertion& assertion_;
    const Content& content_;
    const BmffHasher& hasher_;
    Report& report_;
    std::vector<Tree> trees_;
    std::vector<std::pair<std::size_t, Proof>> proofs_;  // by the number of their box
};

}  // namespace

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

bool check_merkle(const Claim& claim, const Assertion& assertion, const Content& content,
                  const BmffHasher& hasher, Report& report) {
    return MerkleCheck(claim, assertion, content, hasher, report).run();
}

}  // namespace colophon::label::provenance::internal
