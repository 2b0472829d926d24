// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/merkle_check.h"

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/merkle_tree.h"
#include "label/provenance/internal/validation.h"

#include <fmt/format.h>

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

constexpr std::uint64_t kUuidHeader = 8 + 16 + 4;  // size, type, uuid, version and flags
constexpr std::uint64_t kProofBytesMax = 1U << 16U;

// One entry of "merkle".
struct Tree {
    TreeId id;
    std::uint64_t count = 0;
    HashAlgorithm algorithm = HashAlgorithm::kSha256;
    std::vector<Buffer> row;
    std::optional<Buffer> init_hash;
    std::optional<std::uint64_t> fixed;
    std::optional<std::vector<std::uint64_t>> variable;

    bool is_of_fragments() const noexcept { return init_hash.has_value(); }
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

bool is_c2pa_box(const FileView& file, const BmffBox& box) {
    return box.type == "uuid" && box.range.size >= box.header + kC2paUuid.size() &&
           std::ranges::equal(
               file.read({.offset = box.range.offset + box.header, .size = kC2paUuid.size()}),
               kC2paUuid);
}

bool has_fragments(const BmffHasher& hasher) {
    return std::ranges::any_of(hasher.boxes(),
                               [](const BmffBox& box) { return box.type == "moof"; });
}

// CBOR, and zeros that make the boxes of a tree equally long. Nothing when it is malformed.
std::optional<Proof> read_proof(Bytes data) {
    const auto end = std::ranges::find_if(data.rbegin(), data.rend(),
                                          [](std::uint8_t byte) { return byte != 0; });
    // A number 0 at the end of the CBOR looks like padding.
    const auto least = static_cast<std::size_t>(data.rend() - end);
    for (std::size_t size = least; size <= std::min(least + 1, data.size()); ++size) {
        const auto value = cbor::decode(data.first(size));
        if (!value.ok()) {
            continue;
        }
        const auto id = id_of(*value);
        const auto location = integer(*value, "location");
        auto hashes = hashes_of(*value);
        if (!id || !location || *location < 0 || !hashes) {
            return std::nullopt;
        }
        return Proof{.id = *id,
                     .location = static_cast<std::uint64_t>(*location),
                     .hashes = std::move(*hashes)};
    }
    return std::nullopt;
}

class MerkleCheck {
public:
    MerkleCheck(const MerkleTask& task, Report& report)
        : claim_(task.claim),
          assertion_(task.assertion),
          content_(task.content),
          hasher_(task.hasher),
          exclusions_(task.exclusions),
          report_(report) {}

    bool run() {
        if (!read_trees()) {
            return false;
        }
        const bool fragments = has_fragments(hasher_);
        if (content_.fragments != nullptr) {
            return fragments ? malformed("the initialization segment holds fragments itself")
                             : check_segments();
        }
        if (!fragments && std::ranges::all_of(trees_, &Tree::is_of_fragments)) {
            return mismatch(std::string(kFragmentsElsewhere));
        }
        return read_proofs(content_.view, hasher_, proofs_) &&
               (fragments ? check_fragments() : check_whole());
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

    // The boxes of proofs, by their number among the boxes of the file.
    using Proofs = std::vector<std::pair<std::size_t, Proof>>;
    bool read_proofs(const FileView& file, const BmffHasher& hasher, Proofs& proofs) {
        for (std::size_t i = 0; i < hasher.boxes().size(); ++i) {
            const BmffBox& box = hasher.boxes()[i];
            if (!is_c2pa_box(file, box)) {
                continue;
            }
            constexpr std::uint64_t kBegin = kUuidHeader + kMerklePurpose.size() + 1;
            const std::string_view purpose("merkle\0", kMerklePurpose.size() + 1);
            if (box.range.size < kBegin || box.header != 8 ||
                as_text(file.read({.offset = box.range.offset + kUuidHeader,
                                   .size = purpose.size()})) != purpose) {
                continue;
            }
            auto proof = box.range.size - kBegin > kProofBytesMax
                             ? std::optional<Proof>()
                             : read_proof(file.read({.offset = box.range.offset + kBegin,
                                                     .size = box.range.size - kBegin}));
            if (!proof) {
                return malformed("a box with a proof of a Merkle tree is malformed");
            }
            proofs.emplace_back(i, std::move(*proof));
        }
        return true;
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
            const auto wanted = merkle_proof(rows, static_cast<std::size_t>(next), tree.row.size());
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
        std::vector<ByteRange> blocks;
        for (std::uint64_t i = 0; i < tree.count; ++i) {
            const std::uint64_t size = tree.variable ? (*tree.variable)[static_cast<std::size_t>(i)]
                                       : tree.fixed  ? std::min(*tree.fixed, left)
                                                     : left;
            if (size > left) {
                return std::nullopt;
            }
            blocks.push_back({.offset = at, .size = size});
            at += size;
            left -= size;
        }
        return left == 0 ? std::optional(content_.view.digests(tree.algorithm, blocks))
                         : std::nullopt;
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
            if (!tree.init_hash || beginning(tree.algorithm, starts.front()) != *tree.init_hash) {
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

    // The hash of what precedes the fragments. The same for all trees: hashed once an algorithm.
    const Buffer& beginning(HashAlgorithm algorithm, std::size_t end) {
        const auto row = beginnings_.find(algorithm);
        return row != beginnings_.end()
                   ? row->second
                   : beginnings_.emplace(algorithm, hasher_.some(algorithm, 0, end)).first->second;
    }

    using Leaves = std::map<TreeId, std::vector<std::optional<Buffer>>>;
    // 15.12.2.2, for fragments in files of their own: a proof, a 'moof' and its media in each. What
    // belongs to other initialization segments is not looked at; of this one nothing may be
    // missing.
    bool check_segments() {
        if (assertion_.value->bytes("hash") != nullptr) {
            return malformed("a movie in fragments has no hash over all of it");
        }
        Leaves leaves;
        std::uint64_t wanted = 0;
        for (const Tree& tree : trees_) {
            if (!tree.init_hash ||
                beginning(tree.algorithm, hasher_.boxes().size()) != *tree.init_hash) {
                continue;
            }
            wanted += tree.count;
            if (wanted > content_.fragments->size()) {
                return mismatch(fmt::format("{} fragments belong to the movie, {} are there",
                                            wanted, content_.fragments->size()));
            }
            if (!leaves.try_emplace(tree.id, static_cast<std::size_t>(tree.count)).second) {
                return malformed("two Merkle trees have the same number");
            }
        }
        if (leaves.empty()) {
            return mismatch("the beginning of the file was changed after it was signed");
        }
        for (std::size_t i = 0; i < content_.fragments->size(); ++i) {
            if (!take_segment((*content_.fragments)[i], i + 1, leaves)) {
                return false;
            }
        }
        std::ranges::sort(proofs_, {}, [](const auto& each) { return each.second.location; });
        for (const Tree& tree : trees_) {
            const auto row = leaves.find(tree.id);
            if (row != leaves.end() && !fits_all(tree, std::move(row->second))) {
                return false;
            }
        }
        return true;
    }

    bool take_segment(const FileView& file, std::size_t number, Leaves& leaves) {
        const auto hasher = BmffHasher::create(file, exclusions_, hasher_.with_places());
        if (!hasher.ok()) {
            return mismatch(fmt::format("fragment {}: {}", number, hasher.error().what));
        }
        const std::vector<BmffBox>& boxes = hasher->boxes();
        Proofs found;
        if (!read_proofs(file, *hasher, found)) {
            return false;
        }
        const auto count = [&](const auto& is) {
            return static_cast<std::size_t>(std::ranges::count_if(boxes, is));
        };
        const auto is_ours = [&](const BmffBox& box) { return is_c2pa_box(file, box); };
        const auto is_moof = [](const BmffBox& box) { return box.type == "moof"; };
        const bool before = found.size() == 1 && found[0].first + 1 < boxes.size() &&
                            is_moof(boxes[found[0].first + 1]);
        if (!before || count(is_ours) != 1 || count(is_moof) != 1) {
            return malformed(fmt::format(
                "fragment {} is not one 'moof' with one proof right before it", number));
        }
        const Proof& proof = found[0].second;
        const auto tree = std::ranges::find(trees_, proof.id, &Tree::id);
        const auto row = leaves.find(proof.id);
        if (tree == trees_.end() || row == leaves.end() || proof.location >= row->second.size()) {
            return mismatch(fmt::format("fragment {} belongs to another movie or track", number));
        }
        std::optional<Buffer>& leaf = row->second[static_cast<std::size_t>(proof.location)];
        if (leaf) {
            return mismatch(fmt::format("fragment {} was there before", number));
        }
        leaf = hasher->all(tree->algorithm);
        proofs_.push_back(std::move(found[0]));
        return true;
    }

    bool fits_all(const Tree& tree, std::vector<std::optional<Buffer>> found) {
        std::vector<Buffer> leaves;
        for (std::optional<Buffer>& each : found) {
            if (!each) {
                return mismatch(
                    fmt::format("fragment {} of {} is missing", leaves.size() + 1, found.size()));
            }
            leaves.push_back(std::move(*each));
        }
        return fits(tree, std::move(leaves));
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
    const std::vector<BmffExclusion>& exclusions_;
    Report& report_;
    std::vector<Tree> trees_;
    Proofs proofs_;
    std::map<HashAlgorithm, Buffer> beginnings_;
};

}  // namespace

bool check_merkle(const MerkleTask& task, Report& report) {
    return MerkleCheck(task, report).run();
}

}  // namespace colophon::label::provenance::internal
