// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where labels stand in ISO base media files, for the reader (bmff.cc) and for the writers
// (heif.cc, mp4.cc), which must take away every label but the one they write.

#include "core/bytes.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/container/bmff_offsets.h"
#include "label/metadata/internal/movie_tags.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

// be7acfcb-97a9-42e8-9c71-999491e3afac: an XMP packet as a box of its own (ISO 16684-3).
bool is_xmp_box(const bmff::Box& box) noexcept;

// Whether the item is an XMP packet: 'mime' of type application/rdf+xml (ISO/IEC 23008-12 A.3).
bool is_xmp_item(const bmff::ItemInfo& item);

// The bytes of a metadata item, inflated when it says that it is compressed ('deflate' of
// ISO/IEC 14496-12, and the zlib form that libheif writes under the same name). kUnsupported for
// other encodings; kLimit above limits::kXmpBytesMax; otherwise as bmff::item_ranges.
Result<Buffer> item_content(Bytes file, const bmff::ItemMeta& meta, const bmff::ItemInfo& item,
                            const bmff::ItemLocation& location);

// The packet in an XMP item: some cameras put the signature of JPEG's APP1 segment before it.
Bytes xmp_packet(Bytes item) noexcept;

// A place in a movie that may hold text, and what encloses it (outermost first).
struct MoviePlaces {
    bmff::Box moov;
    struct Place {
        std::vector<bmff::Box> around;
        bmff::Box box;
    };
    std::vector<Place> metas;           // 'meta' of the movie, its user data and its tracks
    std::vector<Place> user_data;       // other children of 'udta'
    std::vector<bmff::Box> movie_udta;  // the 'udta' of the movie itself
    bool compressed = false;            // 'cmov': the movie is compressed and cannot be read
};
// Tracks and their user data included. Errors as bmff::BoxReader.
Result<MoviePlaces> find_movie_places(Bytes file, const bmff::Box& moov);

// The text of a child of 'udta': of QuickTime's '©xxx' (size, language, text), or what lies between
// the first and the last brace of any other. Empty when it is larger than a label.
std::string user_data_text(Bytes file, const bmff::Box& box);

// Overwrites each TC260 label in an XMP packet that is not the one to keep with spaces; nothing
// when there is none. kUnsupported when the packet has one but is not UTF-8.
Result<std::optional<Buffer>> blank_xmp_labels(Bytes packet);

// Takes the labels out of everything in the movie and of XMP boxes, except for the tag list at
// `keep` (its offset), which the caller edits itself.
Result<void> remove_movie_labels(Bytes file, const MoviePlaces& places,
                                 std::optional<std::uint64_t> keep, bmff::FileEdits& edits);
// The same within one tag list, whose enclosing boxes are `around` (with the list itself), except
// for the tag `keep`.
Result<void> remove_tag_labels(Bytes file, const MovieTags& tags,
                               const std::vector<bmff::Box>& around, const MovieTag* keep,
                               bmff::FileEdits& edits);
Result<void> blank_xmp_box(Bytes file, const bmff::Box& box, bmff::FileEdits& edits);

// Whether nothing but labels is in the tag list, so that it goes as a whole.
bool holds_only_labels(const MovieTags& tags);
// Whether the tag holds a TC260 label.
bool holds_label(const MovieTag& tag);

}  // namespace colophon::label::internal
