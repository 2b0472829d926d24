// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/merkle_write.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "label/container/bmff_boxes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/merkle_tree.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kMediaBoxesMax = 64;

Buffer zero_hash() {
    return Buffer(hash(kWriterHash, {}).size());
}

cbor::Array list_of(const std::vector<Buffer>& row) {
    return {row.begin(), row.end()};
}

// A power of two, so large that all media together have no more blocks than wanted; each box has
// one that is not full.
std::uint64_t block_size(const std::vector<ByteRange>& media, const MediaHashing& wanted) {
    std::uint64_t size = wanted.block_bytes_min;
    const auto blocks = [&] {
        std::uint64_t count = 0;
        for (const ByteRange& each : media) {
            count += (each.size + size - 1) / size;
        }
        return count;
    };
    while (blocks() > wanted.blocks_max) {
        size *= 2;
    }
    return size;
}

std::vector<ByteRange> blocks_of(const ByteRange& media, std::uint64_t block) {
    std::vector<ByteRange> blocks;
    for (std::uint64_t at = media.offset; at < media.end(); at += block) {
        blocks.push_back({.offset = at, .size = std::min(block, media.end() - at)});
    }
    return blocks;
}

// A.5.6: what the trees cover.
std::vector<BmffExclusion> exclusions_with_media() {
    std::vector<BmffExclusion> exclusions = standard_bmff_exclusions();
    BmffExclusion media;
    media.path = {"mdat"};
    media.subset = {{.offset = kMediaSkip, .size = 0}};
    exclusions.push_back(std::move(media));
    return exclusions;
}

std::size_t kept_row(const std::vector<std::vector<Buffer>>& rows, const MediaHashing& wanted) {
    const auto row = std::ranges::find_if(rows, [&](const std::vector<Buffer>& each) {
        return each.size() <= wanted.row_hashes_max;
    });
    return static_cast<std::size_t>(row - rows.begin());
}

// The media of a file that get trees; none where it is hashed as a whole.
std::vector<ByteRange> media_of(const std::vector<BmffBox>& boxes, const MediaHashing& wanted) {
    std::vector<ByteRange> media;
    std::uint64_t largest = 0;
    for (const BmffBox& box : boxes) {
        if (box.type == "moof") {
            return {};  // fragments have a tree of their own
        }
        if (box.type != "mdat") {
            continue;
        }
        largest = std::max(largest, box.range.size);
        if (box.range.size <= kMediaSkip || media.size() == kMediaBoxesMax) {
            return {};
        }
        media.push_back(
            {.offset = box.range.offset + kMediaSkip, .size = box.range.size - kMediaSkip});
    }
    // Pictures (HEIF) come as a whole.
    const bool plays = std::ranges::find(boxes, "moov", &BmffBox::type) != boxes.end();
    return plays && largest >= wanted.trees_from ? media : std::vector<ByteRange>();
}

}  // namespace

Result<std::vector<ByteRange>> media_blocks(const FileView& file, const MediaHashing& wanted) {
    const auto boxes = TRY(bmff_boxes_in(file, {.offset = 0, .size = file.size()}));
    const std::vector<ByteRange> media = media_of(boxes, wanted);
    const std::uint64_t block = block_size(media, wanted);
    std::vector<ByteRange> blocks;
    for (const ByteRange& each : media) {
        const std::vector<ByteRange> some = blocks_of(each, block);
        blocks.insert(blocks.end(), some.begin(), some.end());
    }
    return blocks;
}

Result<std::optional<cbor::Value>> media_hash(const FileView& file, const MediaHashing& wanted,
                                              bool measured) {
    COLOPHON_ASSERT(wanted.block_bytes_min > 0 && wanted.blocks_max >= kMediaBoxesMax);
    const auto exclusions = exclusions_with_media();
    const BmffHasher hasher = TRY(BmffHasher::create(file, exclusions, true));
    const std::vector<ByteRange> media = media_of(hasher.boxes(), wanted);
    if (media.empty()) {
        return std::optional<cbor::Value>();
    }
    const std::uint64_t block = block_size(media, wanted);
    cbor::Array trees;
    for (std::size_t i = 0; i < media.size(); ++i) {
        const std::vector<ByteRange> blocks = blocks_of(media[i], block);
        const std::vector<Buffer> leaves = measured
                                               ? std::vector<Buffer>(blocks.size(), zero_hash())
                                               : file.digests(kWriterHash, blocks);
        // A.5.4.2: the box among those of media, from 0.
        trees.emplace_back(cbor::Map{{"uniqueId", 1},
                                     {"localId", std::uint64_t{i}},
                                     {"count", std::uint64_t{leaves.size()}},
                                     {"fixedBlockSize", block},
                                     {"hashes", list_of(leaves)}});
    }
    return std::optional<cbor::Value>(
        cbor::Map{{"exclusions", write_bmff_exclusions(exclusions)},
                  {"alg", hash_algorithm_name(kWriterHash)},
                  {"hash", measured ? zero_hash() : hasher.all(kWriterHash)},
                  {"merkle", std::move(trees)},
                  {"name", "jumbf manifest"}});
}

FragmentTree FragmentTree::over(TreeId id, std::vector<Buffer> leaves, const MediaHashing& wanted) {
    COLOPHON_ASSERT(wanted.row_hashes_max > 0);
    FragmentTree tree{.id = id, .rows = merkle_rows(kWriterHash, std::move(leaves)), .kept = 0};
    tree.kept = kept_row(tree.rows, wanted);
    return tree;
}

FragmentTree FragmentTree::measured(TreeId id, std::size_t fragments, const MediaHashing& wanted) {
    return over(id, std::vector<Buffer>(fragments, zero_hash()), wanted);
}

Buffer FragmentTree::proof_box(std::size_t fragment) const {
    const auto encoded = [&](std::size_t which) {
        cbor::Map map{
            {"uniqueId", id.unique}, {"localId", id.local}, {"location", std::uint64_t{which}}};
        const std::vector<Buffer> hashes = merkle_proof(rows, which, rows[kept].size());
        if (!hashes.empty()) {
            map.emplace_back("hashes", list_of(hashes));
        }
        return cbor::encode(map);
    };
    // The longest has a sibling on every row up to the one that is kept, and the longest number.
    const std::size_t number_growth =
        cbor::encode(cbor::Value(std::uint64_t{rows[0].size()})).size() - 1;
    const std::size_t longest = encoded(0).size() + number_growth;
    Buffer data = encoded(fragment);
    COLOPHON_ASSERT(data.size() <= longest);
    data.resize(longest);
    Buffer payload = to_buffer(Bytes(kC2paUuid));
    append_be32(payload, 0);
    append(payload, kMerklePurpose);
    payload.push_back(0);
    append(payload, data);
    Buffer box;
    bmff::append_box(box, bmff::box_type("uuid"), payload);
    return box;
}

cbor::Value FragmentTree::assertion(Bytes init_hash) const {
    return cbor::Map{{"exclusions", write_bmff_exclusions(standard_bmff_exclusions())},
                     {"alg", hash_algorithm_name(kWriterHash)},
                     {"merkle", cbor::Array{cbor::Map{{"uniqueId", id.unique},
                                                      {"localId", id.local},
                                                      {"count", std::uint64_t{rows[0].size()}},
                                                      {"initHash", to_buffer(init_hash)},
                                                      {"hashes", list_of(rows[kept])}}}},
                     {"name", "jumbf manifest"}};
}

}  // namespace colophon::label::provenance::internal
