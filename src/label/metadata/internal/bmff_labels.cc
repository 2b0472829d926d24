// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/bmff_labels.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/container/bmff_offsets.h"
#include "label/internal/xml_scan.h"
#include "label/metadata/internal/label_text.h"
#include "label/metadata/internal/movie_tags.h"
#include "label/metadata/internal/rdf_edit.h"
#include "label/metadata/xmp.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cctype>
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
using Place = MoviePlaces::Place;

constexpr std::array<std::uint8_t, 16> kXmpUuid{0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8,
                                                0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC};

// Files have a handful; a file of nothing but user data must not cost memory without end.
constexpr std::size_t kPlacesMax = limits::kMovieTagsMax;

Result<void> find_in_udta(Bytes file, const Box& udta, const std::vector<Box>& above,
                          MoviePlaces& places) {
    std::vector<Box> around = above;
    around.push_back(udta);
    BoxReader reader(file, udta);
    while (const auto child = TRY(reader.next())) {
        if (places.metas.size() + places.user_data.size() >= kPlacesMax) {
            return Error{ErrorCode::kLimit, "more than " + std::to_string(kPlacesMax) +
                                                " boxes of user data at byte " +
                                                std::to_string(udta.offset)};
        }
        auto& list = child->type == box_type("meta") ? places.metas : places.user_data;
        list.push_back({.around = around, .box = *child});
    }
    return {};
}

Result<void> find_in_track(Bytes file, const Box& trak, MoviePlaces& places) {
    const std::vector<Box> around{places.moov, trak};
    BoxReader reader(file, trak);
    while (const auto child = TRY(reader.next())) {
        if (child->type == box_type("meta")) {
            places.metas.push_back({.around = around, .box = *child});
        }
        if (child->type != box_type("udta")) {
            continue;
        }
        TRY(find_in_udta(file, *child, around, places));
    }
    return {};
}

Result<void> find_in_child(Bytes file, const Box& child, MoviePlaces& places) {
    if (child.type == box_type("udta")) {
        places.movie_udta.push_back(child);
        return find_in_udta(file, child, {places.moov}, places);
    }
    if (child.type == box_type("trak")) {
        return find_in_track(file, child, places);
    }
    if (child.type == box_type("meta")) {
        places.metas.push_back({.around = {places.moov}, .box = child});
    } else if (child.type == box_type("cmov")) {
        places.compressed = true;
    }
    return {};
}

// Inflates zlib data, or raw deflate data where there is no zlib header.
Result<Buffer> inflate_item(Bytes bytes, std::uint32_t id) {
    const bool zlib = bytes.size() >= 2 && (bytes[0] & 0x0FU) == 8 && load_be16(bytes) % 31 == 0;
    Buffer out(static_cast<std::size_t>(limits::kXmpBytesMax));
    z_stream stream{};
    if (inflateInit2(&stream, zlib ? MAX_WBITS : -MAX_WBITS) != Z_OK) {
        return Error{ErrorCode::kUnavailable, "zlib does not start"};
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): zlib only reads it
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream, Z_FINISH);
    const std::size_t size = out.size() - stream.avail_out;
    inflateEnd(&stream);
    if (status != Z_STREAM_END) {
        return Error{ErrorCode::kUnsupported, "item " + std::to_string(id) +
                                                  " does not inflate to at most " +
                                                  std::to_string(limits::kXmpBytesMax) + " bytes"};
    }
    out.resize(size);
    return out;
}

std::string quicktime_text(Bytes content) {
    if (content.size() < 4) {
        return {};
    }
    const std::size_t size = std::min<std::size_t>(load_be16(content), content.size() - 4);
    return std::string(as_text(content.subspan(4, size)));
}

// Replaces every label inside a text that also says other things with spaces. The text is looked
// for in the box as it is stored; nothing when it stands there in another encoding.
std::optional<Buffer> blank_inside(Bytes content, std::string_view text) {
    const std::size_t at = as_text(content).find(text);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    Buffer out = to_buffer(content);
    for (const TextLabel& span : find_tc260_labels(text)) {
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at + span.offset), span.size, ' ');
    }
    return out;
}

// Takes the box away when it is there for the label only, and otherwise blanks the label in it.
void remove_text_label(Bytes file, const Place& place, std::string_view text, bool whole,
                       bmff::FileEdits& edits) {
    if (!whole && find_tc260_labels(text).empty()) {
        return;
    }
    if (!whole && !without_tc260_labels(text).empty()) {
        if (auto blank = blank_inside(bmff::payload(file, place.box), text)) {
            edits.overwrite(place.box.payload_offset(), std::move(*blank));
            return;
        }
    }
    edits.replace(place.box.offset, place.box.size, {}, place.around);
}

Result<void> remove_tags(Bytes file, const Place& place, bmff::FileEdits& edits) {
    const MovieTags tags = TRY(read_movie_tags(file, place.box));
    if (!tags.tags.empty() && holds_only_labels(tags)) {
        edits.replace(place.box.offset, place.box.size, {}, place.around);
        return {};
    }
    std::vector<Box> around = place.around;
    around.push_back(tags.box);
    if (tags.list) {
        around.push_back(*tags.list);
    }
    return remove_tag_labels(file, tags, around, nullptr, edits);
}

}  // namespace

bool is_xmp_box(const Box& box) noexcept {
    return box.type == box_type("uuid") && box.uuid == kXmpUuid;
}

bool is_xmp_item(const bmff::ItemInfo& item) {
    constexpr std::string_view kType = "application/rdf+xml";
    return (item.version < 2 || item.type == box_type("mime")) &&
           std::ranges::equal(item.content_type, kType, {}, [](char c) {
               return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
           });
}

Result<Buffer> item_content(Bytes file, const bmff::ItemMeta& meta, const bmff::ItemInfo& item,
                            const bmff::ItemLocation& location) {
    Buffer bytes = TRY(bmff::item_bytes(file, meta, location, limits::kXmpBytesMax));
    if (item.content_encoding.empty()) {
        return bytes;
    }
    if (item.content_encoding != "deflate" && item.content_encoding != "compress_zlib") {
        return Error{ErrorCode::kUnsupported, "item " + std::to_string(item.id) +
                                                  " has the unknown encoding '" +
                                                  item.content_encoding.substr(0, 40) + "'"};
    }
    return inflate_item(bytes, item.id);
}

Bytes xmp_packet(Bytes item) noexcept {
    constexpr std::string_view kSignature{"http://ns.adobe.com/xap/1.0/\0", 29};
    return starts_with(item, kSignature) ? item.subspan(kSignature.size()) : item;
}

Result<MoviePlaces> find_movie_places(Bytes file, const Box& moov) {
    MoviePlaces places;
    places.moov = moov;
    BoxReader reader(file, moov);
    while (const auto child = TRY(reader.next())) {
        TRY(find_in_child(file, *child, places));
        if (places.metas.size() > kPlacesMax) {
            return Error{ErrorCode::kLimit,
                         "more than " + std::to_string(kPlacesMax) + " meta boxes in a movie"};
        }
    }
    return places;
}

std::string user_data_text(Bytes file, const Box& box) {
    const Bytes content = bmff::payload(file, box);
    if (content.size() > limits::kLabelBytesMax) {
        return {};
    }
    if (box.type >> 24U == 0xA9U) {
        return quicktime_text(content);
    }
    const std::string_view text = as_text(content);
    const std::size_t open = text.find('{');
    const std::size_t close = text.rfind('}');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
        return {};
    }
    return std::string(text.substr(open, close - open + 1));
}

Result<std::optional<Buffer>> blank_xmp_labels(Bytes packet) {
    const XmpReading reading = TRY(read_xmp(as_text(packet)));
    if (reading.aigc.empty()) {
        return std::optional<Buffer>();
    }
    const std::string_view text = as_text(packet);
    if (text.find('\0') != std::string_view::npos) {
        return Error{ErrorCode::kUnsupported,
                     "a second XMP packet holds a label and is not UTF-8: it cannot be edited"};
    }
    XmlScanner scanner(text);
    RdfCollector collector(text);
    while (TRY(scanner.next())) {
        TRY(collector.feed(scanner));
    }
    Buffer out = to_buffer(packet);
    for (const RdfSite& site : collector.facts().sites) {
        if (site.property == RdfProperty::kAigc && site.placed) {
            std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(site.range.begin),
                        site.range.size(), ' ');
        }
    }
    return std::optional<Buffer>(std::move(out));
}

bool holds_label(const MovieTag& tag) {
    return names_label(tag) || !find_tc260_labels(tag.text).empty();
}

bool holds_only_labels(const MovieTags& tags) {
    return !tags.others && std::ranges::all_of(tags.tags, [](const MovieTag& tag) {
        return names_label(tag) || (!tag.text.empty() && without_tc260_labels(tag.text).empty());
    });
}

Result<void> remove_tag_labels(Bytes file, const MovieTags& tags, const std::vector<Box>& around,
                               const MovieTag* keep, bmff::FileEdits& edits) {
    std::size_t labels = 0;
    for (const MovieTag& tag : tags.tags) {
        if (&tag == keep || !holds_label(tag)) {
            continue;
        }
        if (++labels > limits::kLabelSitesMax) {
            return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kLabelSitesMax) +
                                                " labels in the box at byte " +
                                                std::to_string(tags.box.offset)};
        }
        remove_text_label(file, {.around = around, .box = tag.box}, tag.text, names_label(tag),
                          edits);
    }
    return {};
}

Result<void> blank_xmp_box(Bytes file, const Box& box, bmff::FileEdits& edits) {
    if (box.payload_size() > limits::kXmpBytesMax) {
        return Error{ErrorCode::kLimit, "the XMP packet at byte " + std::to_string(box.offset) +
                                            " is larger than " +
                                            std::to_string(limits::kXmpBytesMax) + " bytes"};
    }
    if (auto blank = TRY(blank_xmp_labels(bmff::payload(file, box)))) {
        edits.overwrite(box.payload_offset(), std::move(*blank));
    }
    return {};
}

Result<void> remove_movie_labels(Bytes file, const MoviePlaces& places,
                                 std::optional<std::uint64_t> keep, bmff::FileEdits& edits) {
    for (const Place& place : places.metas) {
        if (place.box.offset == keep) {
            continue;
        }
        TRY(remove_tags(file, place, edits));
    }
    for (const Place& place : places.user_data) {
        if (place.box.type != box_type("XMP_")) {
            remove_text_label(file, place, user_data_text(file, place.box),
                              place.box.type == box_type("AIGC"), edits);
            continue;
        }
        TRY(blank_xmp_box(file, place.box, edits));
    }
    return {};
}

}  // namespace colophon::label::internal
