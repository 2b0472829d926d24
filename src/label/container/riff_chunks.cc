// SPDX-License-Identifier: Apache-2.0
#include "label/container/riff_chunks.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "label/finding.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::uint64_t kHeaderBytes = 8;
constexpr std::uint64_t kRiffHeaderBytes = 12;
constexpr std::uint32_t kOpen = 0xFFFFFFFF;
// SoX and others leave values just below 2^31 when they cannot seek back.
constexpr std::uint32_t kOpenSigned = 0x7FFFF000;

// The fields of ds64 (EBU Tech 3306 clause 3): riffSize, dataSize, sampleCount, table length, and a
// table of identifiers with sizes.
struct WideSizes {
    std::uint64_t riff = 0;
    std::uint64_t data = 0;
    Bytes table;
};

Result<WideSizes> read_wide_sizes(Bytes file) {
    ByteReader reader(file);
    TRY(reader.skip(kRiffHeaderBytes, "RF64 header"));
    if (as_text(TRY(reader.take(4, "identifier of the ds64 chunk"))) != "ds64") {
        return corrupt_at("an RF64 file without ds64 as its first chunk", kRiffHeaderBytes);
    }
    const std::uint32_t size = TRY(reader.le32("size of the ds64 chunk"));
    ByteReader fields(TRY(reader.take(size, "ds64 chunk")), reader.offset() - size);
    WideSizes sizes;
    sizes.riff = TRY(fields.le64("riffSize of ds64"));
    sizes.data = TRY(fields.le64("dataSize of ds64"));
    TRY(fields.skip(8, "sampleCount of ds64"));
    const std::uint64_t rows = TRY(fields.le32("table length of ds64"));
    sizes.table = TRY(fields.take(rows * 12, "table of ds64"));
    if (rows > limits::kContainerDepthMax) {
        return Error{ErrorCode::kLimit, "a ds64 table of more than " +
                                            std::to_string(limits::kContainerDepthMax) +
                                            " rows (kContainerDepthMax)"};
    }
    return sizes;
}

std::uint64_t wide_size(const WideSizes& sizes, std::string_view id) {
    if (id == "data") {
        return sizes.data;
    }
    for (std::size_t at = 0; at + 12 <= sizes.table.size(); at += 12) {
        if (as_text(sizes.table.subspan(at, 4)) == id) {
            return load_le64(sizes.table.subspan(at + 4));
        }
    }
    return kOpen;
}

bool is_chunk_id(std::string_view id) {
    return std::ranges::all_of(id, [](char c) { return c >= 0x20 && c < 0x7F; });
}

// Whether a whole chunk could stand at this place.
bool is_plausible_chunk(Bytes file, std::uint64_t offset) {
    const auto header = slice(file, offset, kHeaderBytes);
    return header && is_chunk_id(as_text(header->first(4))) &&
           load_le32(header->subspan(4)) <= file.size() - offset - kHeaderBytes;
}

// A streaming writer does not know how long the sound will be: FFmpeg leaves 0xFFFFFFFF, others 0
// or 0x7FFFFFFF. A size of 0 is believed when a chunk, or nothing, follows.
bool is_left_open(Bytes file, const RiffChunk& chunk, std::uint64_t size) {
    const std::uint64_t left = file.size() - chunk.data_offset();
    if (chunk.id != "data") {
        return false;
    }
    if (size == 0) {
        return left > 0 && !is_plausible_chunk(file, chunk.data_offset());
    }
    return size > left && size >= kOpenSigned && size <= kOpen;
}

Result<RiffChunk> read_chunk(Bytes file, std::uint64_t offset, std::uint64_t end) {
    ByteReader reader(file.first(static_cast<std::size_t>(end)));
    TRY(reader.skip(offset, "chunks"));
    RiffChunk chunk;
    chunk.offset = offset;
    chunk.id = as_text(TRY(reader.take(4, "identifier of a chunk")));
    chunk.stored_size = TRY(reader.le32("size of a chunk"));
    chunk.data_size = chunk.stored_size;
    return chunk;
}

Error over_the_end(const RiffChunk& chunk, std::uint64_t end) {
    std::string id(chunk.id);
    std::ranges::replace_if(id, [](char c) { return c < 0x20 || c >= 0x7F; }, '?');
    return corrupt_at("truncated: the chunk \"" + id + "\" says " +
                          std::to_string(chunk.data_size) + " bytes, " +
                          std::to_string(end - chunk.data_offset()) + " are left",
                      chunk.offset);
}

Error too_many_chunks() {
    return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kContainerItemsMax) +
                                        " RIFF chunks (kContainerItemsMax)"};
}

// Sets the end of a chunk: its data and a pad byte after an odd size. Returns whether the pad byte
// is missing because the file ends.
bool close_chunk(RiffChunk& chunk, std::uint64_t end) {
    const std::uint64_t data_end = chunk.data_offset() + chunk.data_size;
    const bool odd = chunk.data_size % 2 != 0;
    chunk.end = std::min(data_end + (odd ? 1 : 0), end);
    return odd && data_end == end;
}

Result<void> walk_chunks(Bytes file, const std::optional<WideSizes>& wide, std::uint64_t stated_end,
                         RiffFile& riff) {
    std::uint64_t at = kRiffHeaderBytes;
    while (at < stated_end && file.size() - at >= kHeaderBytes) {
        if (riff.chunks.size() >= limits::kContainerItemsMax) {
            return too_many_chunks();
        }
        RiffChunk chunk = TRY(read_chunk(file, at, file.size()));
        if (wide && chunk.stored_size == kOpen) {
            chunk.data_size = wide_size(*wide, chunk.id);
        }
        if (is_left_open(file, chunk, chunk.data_size)) {
            chunk.data_size = file.size() - chunk.data_offset();
            note(riff.findings, "metadata.riff_open",
                 "the size of the chunk at byte " + std::to_string(at) +
                     " was left open; it is taken to reach to the end of the file");
        }
        if (chunk.data_size > file.size() - chunk.data_offset()) {
            return over_the_end(chunk, file.size());
        }
        if (close_chunk(chunk, file.size())) {
            note(riff.findings, "metadata.riff_pad",
                 "the pad byte of the last chunk, at byte " + std::to_string(at) + ", is missing");
        }
        at = chunk.end;
        riff.chunks.push_back(chunk);
    }
    riff.end = at;
    return {};
}

}  // namespace

Result<RiffFile> walk_riff(Bytes file) {
    ByteReader reader(file);
    const std::string_view signature = as_text(TRY(reader.take(4, "RIFF signature")));
    const std::uint32_t stored_size = TRY(reader.le32("RIFF size"));
    RiffFile riff;
    riff.form = as_text(TRY(reader.take(4, "RIFF form")));
    riff.wide = signature == "RF64" || signature == "BW64";
    if (signature != "RIFF" && !riff.wide) {
        return corrupt_at("the RIFF signature is missing", 0);
    }
    std::optional<WideSizes> wide;
    std::uint64_t size = stored_size;
    if (riff.wide) {
        wide = TRY(read_wide_sizes(file));
        size = stored_size == kOpen ? wide->riff : stored_size;
    }
    riff.streaming = size == 0 || (!riff.wide && size == kOpen);
    const bool beyond = size > file.size() - kHeaderBytes;
    const std::uint64_t stated_end =
        riff.streaming || beyond ? file.size() : std::max<std::uint64_t>(size + kHeaderBytes, 12);
    TRY(walk_chunks(file, wide, stated_end, riff));
    // A size that leaves out or counts a final pad byte is so common that it is not worth a word.
    const std::uint64_t real = riff.end - kHeaderBytes;
    if (size != real && size + 1 != real && size != real + 1) {
        note(riff.findings, "metadata.riff_size",
             "the RIFF says " + std::to_string(size) + " bytes, its chunks are " +
                 std::to_string(real));
    }
    return riff;
}

Bytes riff_data(Bytes file, const RiffChunk& chunk) {
    const auto data = slice(file, chunk.data_offset(), chunk.data_size);
    COLOPHON_ASSERT(data.has_value());
    return *data;
}

std::string_view riff_list_kind(Bytes file, const RiffChunk& chunk) {
    if (chunk.id != "LIST" || chunk.data_size < 4) {
        return {};
    }
    return as_text(riff_data(file, chunk).first(4));
}

Result<std::vector<RiffChunk>> walk_riff_list(Bytes file, const RiffChunk& list) {
    std::vector<RiffChunk> chunks;
    const std::uint64_t end = list.data_offset() + list.data_size;
    std::uint64_t at = list.data_offset() + 4;
    while (at < end) {
        if (chunks.size() >= limits::kContainerItemsMax) {
            return too_many_chunks();
        }
        RiffChunk chunk = TRY(read_chunk(file, at, end));
        if (chunk.data_size > end - chunk.data_offset()) {
            return over_the_end(chunk, end);
        }
        (void)close_chunk(chunk, end);
        at = chunk.end;
        chunks.push_back(chunk);
    }
    return chunks;
}

Buffer make_riff_chunk(std::string_view id, Bytes data) {
    COLOPHON_ASSERT(id.size() == 4 && data.size() < kOpen);
    Buffer out;
    out.reserve(data.size() + 9);
    append(out, id);
    append_le32(out, static_cast<std::uint32_t>(data.size()));
    append(out, data);
    if (data.size() % 2 != 0) {
        out.push_back(0);
    }
    return out;
}

Result<std::vector<RiffPatch>> resize_riff(Bytes file, const RiffFile& riff, std::int64_t delta) {
    std::vector<RiffPatch> patches;
    const std::uint64_t size =
        riff.end - kHeaderBytes + static_cast<std::uint64_t>(delta);  // wraps as intended
    const std::uint32_t stored_size = load_le32(file.subspan(4));
    if (riff.streaming) {
        return patches;
    }
    RiffPatch patch;
    if (riff.wide && stored_size == kOpen) {
        patch.offset = kRiffHeaderBytes + kHeaderBytes;
        append_le64(patch.bytes, size);
    } else {
        if (size >= kOpen) {
            return Error{ErrorCode::kLimit,
                         "with its label the file passes 4 GiB, the most that RIFF can say; save "
                         "it as RF64 first"};
        }
        patch.offset = 4;
        append_le32(patch.bytes, static_cast<std::uint32_t>(size));
    }
    patches.push_back(std::move(patch));
    return patches;
}

}  // namespace colophon::label
