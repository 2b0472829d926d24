// SPDX-License-Identifier: Apache-2.0
#include "label/container/png_chunks.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

// A PNG length is below 2^31 (ISO/IEC 15948 clause 5.3).
constexpr std::uint32_t kLengthMax = 0x7FFFFFFF;

bool is_chunk_type(std::string_view type) noexcept {
    return type.size() == 4 && std::ranges::all_of(type, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
           });
}

// The checksum covers type and data (ISO/IEC 15948 clause 5.5).
std::uint32_t checksum(Bytes type_and_data) {
    return static_cast<std::uint32_t>(
        crc32_z(crc32_z(0, nullptr, 0), type_and_data.data(), type_and_data.size()));
}

Result<PngChunk> read_chunk(ByteReader& reader) {
    PngChunk chunk;
    chunk.offset = reader.offset();
    const std::uint32_t length = TRY(reader.be32("length of a PNG chunk"));
    if (length > kLengthMax) {
        return corrupt_at("a PNG chunk of length " + std::to_string(length), chunk.offset);
    }
    chunk.type = as_text(TRY(reader.take(4, "type of a PNG chunk")));
    if (!is_chunk_type(chunk.type)) {
        return corrupt_at("the type of a PNG chunk is not four letters", chunk.offset + 4);
    }
    chunk.data = TRY(reader.take(length, "a PNG chunk"));
    TRY(reader.skip(4, "checksum of a PNG chunk"));
    chunk.size = reader.offset() - chunk.offset;
    return chunk;
}

}  // namespace

Result<PngFile> walk_png(Bytes file) {
    if (!starts_with(file, kPngSignature)) {
        return corrupt_at("the PNG signature is missing", 0);
    }
    PngFile png;
    ByteReader reader(file);
    TRY(reader.skip(kPngSignature.size(), "PNG signature"));
    while (true) {
        if (png.chunks.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " PNG chunks (kContainerItemsMax)"};
        }
        const PngChunk chunk = TRY(read_chunk(reader));
        if (png.chunks.empty() && chunk.type != "IHDR") {
            return corrupt_at("the first PNG chunk is not IHDR", chunk.offset);
        }
        png.chunks.push_back(chunk);
        png.end = chunk.end();
        if (chunk.type == "IEND") {
            return png;
        }
    }
}

bool png_checksum_matches(Bytes file, const PngChunk& chunk) {
    const auto whole = slice(file, chunk.offset, chunk.size);
    COLOPHON_ASSERT(whole.has_value() && whole->size() >= 12);
    const Bytes type_and_data = whole->subspan(4, whole->size() - 8);
    return checksum(type_and_data) == load_be32(whole->last(4));
}

Buffer make_png_chunk(std::string_view type, Bytes data) {
    COLOPHON_ASSERT(is_chunk_type(type) && data.size() <= kLengthMax);
    Buffer out;
    out.reserve(data.size() + 12);
    append_be32(out, static_cast<std::uint32_t>(data.size()));
    append(out, type);
    append(out, data);
    append_be32(out, checksum(Bytes(out).subspan(4)));
    return out;
}

}  // namespace colophon::label
