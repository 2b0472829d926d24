// SPDX-License-Identifier: Apache-2.0
#include "label/container/flac_blocks.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace colophon::label {
namespace {

constexpr std::size_t kStreamInfoBytes = 34;
constexpr std::uint8_t kForbiddenType = 127;

}  // namespace

Result<FlacFile> walk_flac(Bytes file, std::uint64_t offset) {
    ByteReader reader(file);
    TRY(reader.skip(offset, "tags before the FLAC signature"));
    if (as_text(TRY(reader.take(4, "FLAC signature"))) != "fLaC") {
        return corrupt_at("the FLAC signature is missing", offset);
    }
    FlacFile flac;
    flac.offset = offset;
    while (flac.blocks.empty() || !flac.blocks.back().last) {
        if (flac.blocks.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " FLAC metadata blocks (kContainerItemsMax)"};
        }
        FlacBlock block;
        block.offset = reader.offset();
        const std::uint8_t head = TRY(reader.u8("type of a FLAC metadata block"));
        block.last = (head & 0x80U) != 0;
        block.type = head & 0x7FU;
        const std::uint32_t size = TRY(reader.be24("size of a FLAC metadata block"));
        block.data = TRY(reader.take(size, "FLAC metadata block"));
        if (block.type == kForbiddenType) {
            return corrupt_at("a FLAC metadata block of the forbidden type 127", block.offset);
        }
        if (flac.blocks.empty() &&
            (block.type != kFlacStreamInfo || block.data.size() != kStreamInfoBytes)) {
            return corrupt_at("the first FLAC block is no STREAMINFO of 34 bytes", block.offset);
        }
        flac.blocks.push_back(block);
    }
    flac.audio_offset = reader.offset();
    return flac;
}

Buffer make_flac_header(std::uint8_t type, bool last, std::uint64_t size) {
    COLOPHON_ASSERT(type < kForbiddenType && size <= kFlacBlockBytesMax);
    Buffer out;
    out.push_back(static_cast<std::uint8_t>(type | (last ? 0x80U : 0U)));
    append_be24(out, static_cast<std::uint32_t>(size));
    return out;
}

}  // namespace colophon::label
