// SPDX-License-Identifier: Apache-2.0
#include "label/container/bmff_carry.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::bmff {
namespace {

Bytes whole(Bytes file, const Box& box) {
    return file.subspan(static_cast<std::size_t>(box.offset), static_cast<std::size_t>(box.size));
}

Result<Box> find_movie(Bytes file) {
    BoxReader boxes(file);
    while (const std::optional<Box> box = TRY(boxes.next())) {
        if (box->type == box_type("moov")) {
            return *box;
        }
    }
    return corrupt_at("the file has no movie box", file.size());
}

bool is_metadata(const Box& box) {
    return box.type == box_type("udta") || box.type == box_type("meta") ||
           box.type == box_type("uuid");
}

Result<void> carry(Bytes file, const Box& box, Buffer& to) {
    if (box.size > limits::kMetadataBlockBytesMax - to.size()) {
        return Error{ErrorCode::kLimit, fmt::format("the video has more than {} bytes of metadata",
                                                    limits::kMetadataBlockBytesMax)};
    }
    append(to, whole(file, box));
    return {};
}

// The children of the new movie without its metadata, and those of the old one that are metadata.
Result<Buffer> movie_content(Bytes original, Bytes fresh, const Box& movie) {
    Buffer content;
    BoxReader made(fresh, movie);
    while (const std::optional<Box> box = TRY(made.next())) {
        if (!is_metadata(*box)) {
            append(content, whole(fresh, *box));
        }
    }
    Buffer carried;
    const Box old_movie = TRY(find_movie(original));
    BoxReader old(original, old_movie);
    while (const std::optional<Box> box = TRY(old.next())) {
        if (is_metadata(*box)) {
            TRY(carry(original, *box, carried));
        }
    }
    append(content, carried);
    return content;
}

Result<Buffer> file_level_metadata(Bytes original) {
    Buffer carried;
    BoxReader boxes(original);
    while (const std::optional<Box> box = TRY(boxes.next())) {
        if (box->type == box_type("uuid") && !box->to_end) {
            TRY(carry(original, *box, carried));
        }
    }
    return carried;
}

std::uint64_t read_number(Bytes at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) {
        value = value << 8U | at[i];
    }
    return value;
}

// Adds `delta` to each place of a chunk in 'stco' (32 bits) or 'co64'.
Result<void> shift_table(Buffer& movie, const Box& table, std::uint64_t delta) {
    const std::size_t width = table.type == box_type("co64") ? 8 : 4;
    const auto begin = static_cast<std::size_t>(table.payload_offset()) + 8;
    const auto end = static_cast<std::size_t>(table.end());
    for (std::size_t at = begin; at + width <= end; at += width) {
        const std::uint64_t place = read_number(Bytes(movie).subspan(at, width), width) + delta;
        if (width == 4 && place > UINT32_MAX) {
            return Error{ErrorCode::kLimit,
                         "the tables of the video cannot hold places beyond 4 GB"};
        }
        for (std::size_t i = 0; i < width; ++i) {
            movie[at + i] = static_cast<std::uint8_t>(place >> (8 * (width - 1 - i)));
        }
    }
    return {};
}

// `movie`: the box moov alone.
Result<void> shift_chunks(Buffer& movie, std::uint64_t delta) {
    constexpr std::array kPath{"mdia", "minf", "stbl"};
    std::vector<Box> tables;
    const Box top = TRY(find_movie(movie));
    BoxReader tracks(movie, top);
    while (const std::optional<Box> track = TRY(tracks.next())) {
        if (track->type != box_type("trak")) {
            continue;
        }
        std::optional<Box> box = track;
        for (const char* name : kPath) {
            box = box ? TRY(find_child(movie, *box, box_type(name))) : box;
        }
        for (const char* name : {"stco", "co64"}) {
            const std::optional<Box> table =
                box ? TRY(find_child(movie, *box, box_type(name))) : std::optional<Box>();
            if (table) {
                tables.push_back(*table);
            }
        }
    }
    for (const Box& table : tables) {
        TRY(shift_table(movie, table, delta));
    }
    return {};
}

}  // namespace

Result<Splice> carry_movie_metadata(Bytes original, Bytes fresh) {
    const Box made = TRY(find_movie(fresh));
    BoxReader boxes(fresh);
    const std::optional<Box> brand = TRY(boxes.next());
    if (made.end() != fresh.size() || !brand || brand->type != box_type("ftyp")) {
        return Error{ErrorCode::kUnsupported, "the new movie box is not the last one"};
    }
    Buffer movie;
    append_box(movie, box_type("moov"), TRY(movie_content(original, fresh, made)));
    const Buffer others = TRY(file_level_metadata(original));
    TRY(shift_chunks(movie, movie.size() + others.size()));
    Splice splice;
    splice.copy(0, brand->end());
    splice.insert(std::move(movie));
    splice.insert(others);
    splice.copy(brand->end(), made.offset - brand->end());
    return splice;
}

}  // namespace colophon::label::bmff
