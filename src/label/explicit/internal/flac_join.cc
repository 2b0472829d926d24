// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/flac_join.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/id3v2.h"
#include "media/audio.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::uint8_t kLastBlock = 0x80;
constexpr std::uint8_t kStreamInfo = 0;
constexpr std::uint8_t kSeekTable = 3;

struct Block {
    std::uint8_t type = 0;
    std::uint64_t offset = 0;  // of the header of four bytes
    Bytes body;
};

struct Flac {
    std::uint64_t start = 0;  // of "fLaC"; ID3v2 tags may stand before it
    std::vector<Block> blocks;
    std::uint64_t frames = 0;  // where the sound begins
};

Result<Flac> read_flac(Bytes file) {
    Flac flac;
    const std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    flac.start = tags.empty() ? 0 : tags.back().end();
    ByteReader reader(file);
    TRY(reader.skip(flac.start, "ID3v2 tag"));
    if (as_text(TRY(reader.take(4, "FLAC marker"))) != "fLaC") {
        return corrupt_at("no FLAC marker", flac.start);
    }
    for (bool last = false; !last;) {
        if (flac.blocks.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "the FLAC file has too many metadata blocks"};
        }
        Block block{.type = 0, .offset = reader.offset(), .body = {}};
        const std::uint8_t head = TRY(reader.u8("FLAC block type"));
        const std::uint32_t size = TRY(reader.be24("FLAC block size"));
        last = (head & kLastBlock) != 0;
        block.type = head & 0x7FU;
        block.body = TRY(reader.take(size, "FLAC block"));
        flac.blocks.push_back(block);
    }
    if (flac.blocks.front().type != kStreamInfo || flac.blocks.front().body.size() != 34) {
        return corrupt_at("the first FLAC block is no STREAMINFO", flac.start + 4);
    }
    flac.frames = reader.offset();
    return flac;
}

void insert_header(Splice& splice, const Block& block, bool last) {
    Buffer header;
    header.push_back(static_cast<std::uint8_t>(block.type | (last ? kLastBlock : 0)));
    append_be24(header, static_cast<std::uint32_t>(block.body.size()));
    splice.insert(std::move(header));
}

}  // namespace

Result<Splice> join_flac(Bytes file, const media::Pcm& before, const media::Pcm& after) {
    const Flac old = TRY(read_flac(file));
    const Buffer coded = TRY(media::reencode(file, media::AudioContainer::kFlac, before, after));
    const Flac fresh = TRY(read_flac(coded));
    std::vector<const Block*> kept;
    for (const Block& block : old.blocks) {
        if (block.type != kStreamInfo && block.type != kSeekTable) {
            kept.push_back(&block);
        }
    }
    Splice splice;
    splice.copy(0, old.start + 4);
    insert_header(splice, fresh.blocks.front(), kept.empty());
    splice.insert(fresh.blocks.front().body);
    for (const Block* block : kept) {
        insert_header(splice, *block, block == kept.back());
        splice.copy(block->offset + 4, block->body.size());
    }
    splice.insert(Bytes(coded).subspan(static_cast<std::size_t>(fresh.frames)));
    return splice;
}

}  // namespace colophon::label::internal
