// SPDX-License-Identifier: Apache-2.0
#pragma once

// Boxes of ISO base media files (ISO/IEC 14496-12 clause 4.2) and of QuickTime, which HEIF, AVIF,
// M4A, MP4 and MOV share. This file knows how boxes lie side by side; what is in them is known by
// bmff_meta.h (items) and bmff_offsets.h (tables that point into the file). It reads no samples.
//
//   size:u32 type:u32 [largesize:u64 when size is 1] [uuid:16 when type is 'uuid'] payload

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::bmff {

// A box type: its four characters as a big-endian number.
using BoxType = std::uint32_t;

constexpr BoxType box_type(std::string_view name) noexcept {
    BoxType type = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        type = (type << 8U) | static_cast<std::uint8_t>(i < name.size() ? name[i] : ' ');
    }
    return type;
}

// The four characters; each one that is not printable ASCII becomes '?'.
std::string type_name(BoxType type);

struct Box {
    BoxType type = 0;
    std::uint32_t header_size = 8;  // 8, 16 (64-bit size), 24 or 32 (uuid)
    std::uint64_t offset = 0;       // of the header, in the file
    std::uint64_t size = 0;         // header and payload
    bool to_end = false;            // the size field is 0: the box lasts to the end of the file
    std::array<std::uint8_t, 16> uuid{};

    std::uint64_t payload_offset() const noexcept { return offset + header_size; }
    std::uint64_t payload_size() const noexcept { return size - header_size; }
    std::uint64_t end() const noexcept { return offset + size; }
    bool has_large_size() const noexcept { return header_size == 16 || header_size == 32; }
};

// Where a row of boxes stands, because the rules for its end differ.
enum class Level : std::uint8_t {
    kFile,   // size 0 means "to the end of the file"
    kInner,  // size 0 is an error
};

// Goes over the boxes of file[begin, end) one after the other, without descending.
// kCorrupt for a size smaller than its header or larger than what encloses the box; kLimit above
// limits::kContainerItemsMax boxes. A tail of zeros shorter than a header ends the row: QuickTime
// closes user data with four of them, and some writers pad files so.
class BoxReader {
public:
    BoxReader(Bytes file, std::uint64_t begin, std::uint64_t end, Level level);
    // All top-level boxes.
    explicit BoxReader(Bytes file) : BoxReader(file, 0, file.size(), Level::kFile) {}
    // The children of `box`, which start `skip` bytes into its payload.
    BoxReader(Bytes file, const Box& box, std::uint64_t skip = 0);

    Result<std::optional<Box>> next();

private:
    bool at_padding() const;

    Bytes file_;
    std::uint64_t position_;
    std::uint64_t end_;
    Level level_;
    std::size_t count_ = 0;
};

// The payload; the box came from a BoxReader over the same file.
Bytes payload(Bytes file, const Box& box);

// The first child of that type, nothing when there is none. Errors as BoxReader.
Result<std::optional<Box>> find_child(Bytes file, const Box& parent, BoxType type,
                                      std::uint64_t skip = 0);

// Where the next child of `parent` would stand: behind the last one, before any padding.
Result<std::uint64_t> end_of_children(Bytes file, const Box& parent, std::uint64_t skip = 0);

// How many bytes of a 'meta' box come before its children: 4 in ISO files (FullBox), 0 in
// QuickTime, which has the same name for a plain box.
std::uint64_t meta_prefix(Bytes file, const Box& meta);

// The version and flags that begin the payload of a FullBox.
struct FullBox {
    std::uint8_t version = 0;
    std::uint32_t flags = 0;
};
Result<FullBox> read_full_box(ByteReader& reader);

// Appends a box with a 32-bit size; the payload is smaller than 4 GB - 8 (asserted).
void append_box(Buffer& out, BoxType type, Bytes content);

}  // namespace colophon::label::bmff
