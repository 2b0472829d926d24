// SPDX-License-Identifier: Apache-2.0
// Reads labels from ISO base media files: HEIF and AVIF pictures, M4A, MP4 and MOV.
// docs/formats/heif.md and docs/formats/m4a.md list the places.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/sort.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/internal/bmff_labels.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/movie_tags.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using bmff::Box;
using bmff::box_type;
using bmff::BoxReader;

class Scan {
public:
    Scan(Bytes file, std::string_view name, bool picture)
        : file_(file), name_(name), picture_(picture) {}

    Result<MetadataReading> run();

private:
    void add(std::string_view where, std::string value, std::uint64_t offset, bool standard);
    void read_packet(std::string_view where, Bytes packet, std::uint64_t offset, bool standard);
    Result<void> read_box(const Box& box);
    Result<void> read_movie(const Box& moov);
    Result<void> read_tags(std::string_view where, const Box& meta, bool standard);
    Result<void> read_items(const Box& meta_box);
    Result<void> read_item(const bmff::ItemMeta& meta, const bmff::ItemInfo& item);
    void read_exif_item(const Buffer& bytes, std::uint64_t offset);

    Bytes file_;
    std::string_view name_;
    bool picture_;
    MetadataReading reading_;
};

void Scan::add(std::string_view where, std::string value, std::uint64_t offset, bool standard) {
    if (reading_.sites.size() >= limits::kLabelSitesMax) {
        return;
    }
    reading_.sites.push_back({.where = std::string(name_) + " " + std::string(where),
                              .value = std::move(value),
                              .offset = offset,
                              .standard_place = standard});
}

// A packet that cannot be read says nothing about the container, so it is a finding.
void Scan::read_packet(std::string_view where, Bytes packet, std::uint64_t offset, bool standard) {
    auto xmp = packet.size() > limits::kXmpBytesMax
                   ? Result<XmpReading>(Error{ErrorCode::kLimit, "XMP: packet is too large"})
                   : read_xmp(as_text(packet));
    if (!xmp.ok()) {
        reading_.damaged_label = reading_.damaged_label || holds_label_bytes(as_text(packet));
        warn(reading_.findings, "metadata.xmp",
             std::string(name_) + " " + std::string(where) + " at byte " + std::to_string(offset) +
                 ": " + xmp.error().what);
        return;
    }
    for (std::string& value : xmp->aigc) {
        add(where, std::move(value), offset, standard);
    }
    if (reading_.credential_link.empty()) {
        reading_.credential_link = std::move(xmp->credential_link);
    }
    if (reading_.iptc.digital_source_type.empty()) {
        reading_.iptc = xmp->iptc;
    }
    std::ranges::move(xmp->findings, std::back_inserter(reading_.findings));
}

// [GB45438-6.1] [TC260-PG-202510A] The key AIGC in the namespace mdta is the place of the standard.
Result<void> Scan::read_tags(std::string_view where, const Box& meta, bool standard) {
    internal::MovieTags tags = TRY(internal::read_movie_tags(file_, meta));
    for (internal::MovieTag& tag : tags.tags) {
        const bool named = internal::names_label(tag);
        if (tag.text.empty() || !(named || may_be_label(tag.text))) {
            continue;
        }
        const bool keyed = tag.by_key && tag.name == "AIGC";
        const std::string place = std::string(where) + (tag.by_key ? " key " : " tag ") +
                                  (tag.name.empty() ? bmff::type_name(tag.box.type) : tag.name);
        add(place, std::move(tag.text), tag.box.offset, standard && keyed && !picture_);
    }
    return {};
}

Result<void> Scan::read_movie(const Box& moov) {
    const internal::MoviePlaces places = TRY(internal::find_movie_places(file_, moov));
    // The tag list of the movie itself is the standard's; the box directly in the movie counts only
    // where user data already has a list of another kind.
    bool taken = false;
    for (const auto& place : places.metas) {
        const bool in_udta = place.around.size() == 2 && place.around[1].type == box_type("udta");
        taken = taken || (in_udta && TRY(internal::read_movie_tags(file_, place.box)).handler !=
                                         box_type("mdta"));
    }
    for (const auto& place : places.metas) {
        const bool in_track = place.around.size() > 1 && place.around[1].type == box_type("trak");
        const bool in_udta = place.around.back().type == box_type("udta");
        TRY(read_tags(in_track ? "track meta" : (in_udta ? "moov.udta.meta" : "moov.meta"),
                      place.box, !in_track && (in_udta || taken)));
    }
    for (const auto& place : places.user_data) {
        if (place.box.type == box_type("XMP_") &&
            place.box.payload_size() <= limits::kXmpBytesMax) {
            read_packet("udta XMP_", bmff::payload(file_, place.box), place.box.offset, false);
            continue;
        }
        std::string text = internal::user_data_text(file_, place.box);
        if (!text.empty() && (may_be_label(text) || place.box.type == box_type("AIGC"))) {
            add("udta " + bmff::type_name(place.box.type), std::move(text), place.box.offset,
                false);
        }
    }
    return {};
}

void Scan::read_exif_item(const Buffer& bytes, std::uint64_t offset) {
    if (bytes.size() < 4) {
        return;
    }
    // ISO/IEC 23008-12 A.2.1: how far behind this field the TIFF header is.
    const std::uint64_t skip = 4 + std::uint64_t{load_be32(bytes)};
    const auto tiff =
        slice(bytes, skip, bytes.size() - std::min<std::uint64_t>(skip, bytes.size()));
    if (!tiff || tiff->empty()) {
        return;
    }
    auto sites = find_exif_labels(*tiff, offset + skip, name_);
    if (!sites.ok()) {
        reading_.damaged_label = reading_.damaged_label || holds_label_bytes(as_text(*tiff));
        warn(reading_.findings, "metadata.exif", sites.error().what);
        return;
    }
    for (LabelSite& site : *sites) {
        if (reading_.sites.size() < limits::kLabelSitesMax) {
            reading_.sites.push_back(std::move(site));
        }
    }
}

// An item that cannot be read because of what it says is a finding; one that lies outside of the
// file is a broken container.
Result<void> Scan::read_item(const bmff::ItemMeta& meta, const bmff::ItemInfo& item) {
    const bool xmp = internal::is_xmp_item(item);
    const bool exif = item.type == box_type("Exif");
    const bool text =
        item.content_type.starts_with("text/") || item.content_type.starts_with("application/json");
    const bmff::ItemLocation* location = meta.locations ? meta.locations->find(item.id) : nullptr;
    if ((!xmp && !exif && !text) || location == nullptr) {
        return {};
    }
    auto bytes = internal::item_content(file_, meta, item, *location);
    if (!bytes.ok()) {
        if (bytes.error().code == ErrorCode::kCorrupt) {
            return bytes.error();
        }
        warn(reading_.findings, "metadata.item", bytes.error().what);
        return {};
    }
    const auto ranges = bmff::item_ranges(file_, meta, *location);
    const std::uint64_t offset =
        ranges.ok() && !ranges->empty() ? ranges->front().offset : item.box.offset;
    if (xmp) {
        read_packet("XMP item", internal::xmp_packet(*bytes), offset, true);
    } else if (exif) {
        read_exif_item(*bytes, offset);
    } else if (may_be_label(as_text(*bytes))) {
        add("item " + item.content_type, std::string(as_text(*bytes)), offset, false);
    }
    return {};
}

Result<void> Scan::read_items(const Box& meta_box) {
    const bmff::ItemMeta meta = TRY(bmff::read_item_meta(file_, meta_box));
    std::size_t read = 0;
    for (const bmff::ItemInfo& item : meta.items) {
        const bool metadata =
            item.type == box_type("mime") || item.type == box_type("Exif") || item.version < 2;
        // Each metadata item may be a megabyte: many of them would cost more than the file.
        if (metadata && ++read > limits::kLabelSitesMax) {
            warn(reading_.findings, "metadata.item",
                 "more than " + std::to_string(limits::kLabelSitesMax) +
                     " metadata items; the others were not read");
            break;
        }
        TRY(read_item(meta, item));
    }
    return {};
}

// A box at the top of the file.
Result<void> Scan::read_box(const Box& box) {
    if (box.type == box_type("moov")) {
        return read_movie(box);
    }
    if (box.type == box_type("meta")) {
        TRY(read_tags("meta", box, false));
        return read_items(box);
    }
    if (internal::is_xmp_box(box) && box.payload_size() <= limits::kXmpBytesMax) {
        read_packet("XMP box", bmff::payload(file_, box), box.offset, false);
    }
    return {};
}

Result<MetadataReading> Scan::run() {
    bool known = false;
    BoxReader boxes(file_);
    while (const auto box = TRY(boxes.next())) {
        known = known || box->type == box_type("moov") || box->type == box_type("meta");
        TRY(read_box(*box));
    }
    if (!known) {
        return Error{ErrorCode::kCorrupt,
                     std::string(name_) +
                         " file with neither a moov nor a meta box: it is cut or "
                         "no such file"};
    }
    sort_stably(reading_.sites, &LabelSite::offset);
    return std::move(reading_);
}

}  // namespace

Result<MetadataReading> read_heif(Bytes file) {
    return Scan(file, "heic", true).run();
}

Result<MetadataReading> read_avif(Bytes file) {
    return Scan(file, "avif", true).run();
}

Result<MetadataReading> read_m4a(Bytes file) {
    return Scan(file, "m4a", false).run();
}

Result<MetadataReading> read_mp4(Bytes file) {
    return Scan(file, "mp4", false).run();
}

}  // namespace colophon::label::internal
