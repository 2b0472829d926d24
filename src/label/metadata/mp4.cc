// SPDX-License-Identifier: Apache-2.0
// Writes the label into M4A, MP4 and MOV. [GB45438-6.1] [TC260-PG-202510A] [TC260-PG-20257A]
//
// The place is moov.udta.meta with the handler 'mdta': the key AIGC in 'keys', the JSON in 'ilst',
// byte for byte as FFmpeg's -movflags use_metadata_tags has it. A file can have but one such list,
// and most files from music shops and tag editors already use it for iTunes tags (handler 'mdir').
// Those stay untouched; the label then stands in a list of its own directly in the movie, in
// QuickTime's form, where ffprobe, ExifTool and MediaInfo read it and where cameras put theirs.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_offsets.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/bmff_labels.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/movie_tags.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using bmff::Box;
using bmff::box_type;
using bmff::BoxReader;
using internal::MoviePlaces;
using internal::MovieTag;
using internal::MovieTags;

constexpr std::string_view kKey = "AIGC";
constexpr std::uint32_t kUtf8 = 1;  // the well-known type of a value

Buffer box_of(bmff::BoxType type, Bytes content) {
    Buffer out;
    bmff::append_box(out, type, content);
    return out;
}

// One entry of 'keys'.
Buffer key_entry() {
    return box_of(box_type("mdta"), as_bytes(kKey));
}

// One member of 'ilst' whose name is the key of that index.
Buffer list_entry(std::uint32_t index, std::string_view value) {
    Buffer data;
    append_be32(data, kUtf8);
    append_be32(data, 0);  // locale
    append(data, value);
    return box_of(index, box_of(box_type("data"), data));
}

Buffer new_keys() {
    Buffer content;
    append_be32(content, 0);
    append_be32(content, 1);
    append(content, key_entry());
    return box_of(box_type("keys"), content);
}

enum class MetaForm : std::uint8_t { kIso, kQuickTime };

// A whole 'meta' with nothing but the label.
Buffer new_meta(MetaForm form, std::string_view value) {
    Buffer handler(8, 0);
    append_be32(handler, box_type("mdta"));
    handler.resize(25, 0);  // reserved words and an empty name
    Buffer content;
    if (form == MetaForm::kIso) {
        append_be32(content, 0);
    }
    append(content, box_of(box_type("hdlr"), handler));
    append(content, new_keys());
    append(content, box_of(box_type("ilst"), list_entry(1, value)));
    return box_of(box_type("meta"), content);
}

struct Target {
    const MoviePlaces::Place* place = nullptr;  // the tag list to write to; nullptr: make one
    MovieTags tags;
    std::vector<const MoviePlaces::Place*> empty_lists;  // what a new one replaces
    bool in_movie = false;  // a new one goes directly into the movie, because user data has one
};

bool is_movie_udta(const MoviePlaces::Place& place) {
    return place.around.size() == 2 && place.around[1].type == box_type("udta");
}

// FFmpeg writes an iTunes list even when there is nothing to list.
bool is_empty_list(const MovieTags& tags) {
    return tags.handler == box_type("mdir") && tags.tags.empty() && !tags.others;
}

// Which list takes the label. Empty lists and lists that hold nothing but labels will be gone and
// do not count.
Result<Target> choose_target(Bytes file, const MoviePlaces& places) {
    Target in_udta;
    Target in_movie;
    bool udta_taken = false;
    bool movie_taken = false;
    for (const MoviePlaces::Place& place : places.metas) {
        const bool udta = is_movie_udta(place);
        if (!udta && place.around.size() != 1) {
            continue;
        }
        MovieTags tags = TRY(internal::read_movie_tags(file, place.box));
        Target& target = udta ? in_udta : in_movie;
        if (tags.handler == box_type("mdta") && target.place == nullptr) {
            target.place = &place;
            target.tags = std::move(tags);
        } else if (udta && is_empty_list(tags)) {
            in_udta.empty_lists.push_back(&place);
        } else if (!internal::holds_only_labels(tags) || tags.tags.empty()) {
            (udta ? udta_taken : movie_taken) = true;
        }
    }
    if (in_udta.place != nullptr || !udta_taken) {
        return in_udta;
    }
    in_movie.in_movie = true;
    if (in_movie.place == nullptr && movie_taken) {
        return Error{ErrorCode::kUnsupported,
                     "the movie already has two tag lists of other kinds, in its user data and "
                     "beside it: there is no place left for the key AIGC"};
    }
    return in_movie;
}

// New boxes go behind the last child, because QuickTime may end a box with a word of zeros.
Result<void> insert_list(Bytes file, const MoviePlaces& places, const Target& target,
                         std::string_view value, bmff::FileEdits& edits) {
    const Box& moov = places.moov;
    const std::uint64_t movie_end = TRY(bmff::end_of_children(file, moov));
    if (target.in_movie) {
        edits.replace(movie_end, 0, new_meta(MetaForm::kQuickTime, value), std::vector{moov});
        return {};
    }
    Buffer meta = new_meta(MetaForm::kIso, value);
    if (places.movie_udta.empty()) {
        edits.replace(movie_end, 0, box_of(box_type("udta"), meta), std::vector{moov});
        return {};
    }
    const Box& udta = places.movie_udta.front();
    edits.replace(TRY(bmff::end_of_children(file, udta)), 0, std::move(meta),
                  std::vector{moov, udta});
    return {};
}

// The index of the key AIGC, with a new entry when there is none.
Result<std::uint32_t> need_key(Bytes file, const MovieTags& tags, const std::vector<Box>& around,
                               bmff::FileEdits& edits) {
    for (std::size_t i = 0; i < tags.keys.size(); ++i) {
        if (tags.keys[i].space == box_type("mdta") && as_text(tags.keys[i].name) == kKey) {
            return static_cast<std::uint32_t>(i + 1);
        }
    }
    if (!tags.keys_box) {
        if (!tags.tags.empty()) {
            return corrupt_at("tag list without 'keys'", tags.box.offset);
        }
        const std::uint64_t end = TRY(bmff::end_of_children(file, tags.box, tags.prefix));
        edits.replace(tags.list ? tags.list->offset : end, 0, new_keys(), around);
        return std::uint32_t{1};
    }
    const Box& keys = *tags.keys_box;
    const auto count = static_cast<std::uint32_t>(tags.keys.size() + 1);
    Buffer counted;
    append_be32(counted, count);
    edits.overwrite(keys.payload_offset() + 4, std::move(counted));
    std::uint64_t end = keys.payload_offset() + 8;
    for (const internal::MovieKey& key : tags.keys) {
        end += 8 + key.name.size();
    }
    std::vector<Box> inside = around;
    inside.push_back(keys);
    edits.replace(end, 0, key_entry(), inside);
    return count;
}

// Puts the label into an existing list and takes every other label out of it.
Result<void> edit_list(Bytes file, const Target& target, std::string_view value,
                       bmff::FileEdits& edits) {
    const MovieTags& tags = target.tags;
    std::vector<Box> around = target.place->around;
    around.push_back(tags.box);
    const std::uint32_t index = TRY(need_key(file, tags, around, edits));
    Buffer entry = list_entry(index, value);
    if (!tags.list) {
        const std::uint64_t end = TRY(bmff::end_of_children(file, tags.box, tags.prefix));
        edits.replace(end, 0, box_of(box_type("ilst"), entry), around);
        return {};
    }
    around.push_back(*tags.list);
    const auto own =
        std::ranges::find(tags.tags, index, [](const MovieTag& tag) { return tag.box.type; });
    TRY(internal::remove_tag_labels(file, tags, around, own == tags.tags.end() ? nullptr : &*own,
                                    edits));
    if (own == tags.tags.end()) {
        const std::uint64_t end =
            tags.tags.empty() ? tags.list->payload_offset() : tags.tags.back().box.end();
        edits.replace(end, 0, std::move(entry), around);
    } else {
        edits.replace(own->box.offset, own->box.size, std::move(entry), around);
    }
    return {};
}

struct Parts {
    Box moov;
    std::vector<Box> xmp;
};

Result<Parts> find_parts(Bytes file) {
    Parts parts;
    bool found = false;
    BoxReader boxes(file);
    while (const auto box = TRY(boxes.next())) {
        if (box->type == box_type("moov")) {
            if (found) {
                return corrupt_at("second moov box", box->offset);
            }
            found = true;
            parts.moov = *box;
        } else if (internal::is_xmp_box(*box)) {
            parts.xmp.push_back(*box);
        }
    }
    if (!found) {
        return Error{ErrorCode::kCorrupt, "the file has no moov box: it is cut or no movie"};
    }
    if (parts.xmp.size() > limits::kLabelSitesMax) {
        return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kLabelSitesMax) +
                                            " XMP boxes in the file"};
    }
    return parts;
}

}  // namespace

Result<Splice> write_mp4(Bytes file, const MetadataFields& fields) {
    const Parts parts = TRY(find_parts(file));
    const MoviePlaces places = TRY(internal::find_movie_places(file, parts.moov));
    if (places.compressed) {
        return Error{ErrorCode::kUnsupported,
                     "the movie header is compressed (cmov); remultiplex the file first"};
    }
    const Target target = TRY(choose_target(file, places));
    bmff::FileEdits edits;
    const auto keep =
        target.place == nullptr ? std::nullopt : std::optional(target.place->box.offset);
    TRY(internal::remove_movie_labels(file, places, keep, edits));
    for (const Box& box : parts.xmp) {
        TRY(internal::blank_xmp_box(file, box, edits));
    }
    for (const MoviePlaces::Place* place : target.empty_lists) {
        edits.replace(place->box.offset, place->box.size, {}, place->around);
    }
    if (target.place == nullptr) {
        TRY(insert_list(file, places, target, fields.aigc, edits));
    } else {
        TRY(edit_list(file, target, fields.aigc, edits));
    }
    TRY(bmff::consume_free(file, edits, parts.moov));
    TRY(bmff::shift_offsets(file, edits));
    return edits.finish(file);
}

}  // namespace colophon::label::internal
