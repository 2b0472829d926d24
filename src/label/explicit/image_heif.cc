// SPDX-License-Identifier: Apache-2.0
// The mark in HEIC and AVIF: the primary picture is decoded, drawn and coded again with high
// quality; EXIF is carried over byte for byte,
// the colour profile by value; XMP is lost, because libvips 8.14 writes none. Further pictures of
// the file (thumbnails, depth maps, bursts) are not, and the reading says so.
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/container/tiff_ifds.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/finding.h"
#include "media/image.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace colophon::label::internal {
namespace {

// High, because the picture is coded once more; the loss has not been measured.
constexpr int kHevcQuality = 90;
constexpr int kAv1Quality = 85;

bool is_avif(Bytes file) {
    const std::size_t size = std::min<std::size_t>(file.size(), 64);
    return as_text(file.first(size)).find("avif") != std::string_view::npos;
}

Result<std::optional<bmff::ItemMeta>> read_meta(Bytes file) {
    bmff::BoxReader boxes(file);
    while (const auto box = TRY(boxes.next())) {
        if (box->type == bmff::box_type("meta")) {
            return std::optional(TRY(bmff::read_item_meta(file, *box)));
        }
    }
    return std::optional<bmff::ItemMeta>();
}

const bmff::ItemLocation* find_exif(const bmff::ItemMeta& meta) {
    const auto item = std::ranges::find(meta.items, bmff::box_type("Exif"), &bmff::ItemInfo::type);
    return item == meta.items.end() || !meta.locations ? nullptr : meta.locations->find(item->id);
}

// The bytes of the EXIF item; nothing when there is none.
Result<std::optional<Buffer>> read_exif(Bytes file) {
    const auto meta = TRY(read_meta(file));
    const bmff::ItemLocation* exif = meta ? find_exif(*meta) : nullptr;
    if (exif == nullptr) {
        return std::optional<Buffer>();
    }
    return std::optional(TRY(bmff::item_bytes(file, *meta, *exif, limits::kMetadataBlockBytesMax)));
}

// The picture is stored as it is displayed, and the orientation in EXIF is only said again for
// readers that know no HEIF: left as it was, those would turn the picture once more.
void set_upright(Buffer& exif) {
    constexpr std::uint16_t kOrientation = 0x0112;
    constexpr std::uint16_t kShort = 3;
    if (exif.size() < 4) {
        return;
    }
    const std::uint64_t skip = 4 + std::uint64_t{load_be32(Bytes(exif))};
    const auto tiff = slice(exif, skip, exif.size() - std::min<std::uint64_t>(skip, exif.size()));
    if (!tiff) {
        return;
    }
    const auto header = read_tiff_header(*tiff);
    if (!header.ok()) {
        return;
    }
    const auto ifd = read_tiff_ifd(*tiff, *header, header->ifd0_offset);
    const TiffEntry* entry = ifd.ok() ? ifd->find(kOrientation) : nullptr;
    if (entry == nullptr || entry->type != kShort || !entry->value || entry->value->size() != 2) {
        return;
    }
    Buffer upright;
    append_u16(upright, 1, header->order);
    std::ranges::copy(upright,
                      exif.begin() + static_cast<std::ptrdiff_t>(skip + entry->value_offset));
}

// libvips takes EXIF apart and writes it anew; this puts the bytes of the original in its place,
// over what stands there or, where the sizes differ, into an 'mdat' of their own at the end.
Result<Buffer> with_exif_of(Bytes original, Buffer coded) {
    auto exif = TRY(read_exif(original));
    const auto meta = TRY(read_meta(coded));
    const bmff::ItemLocation* item = meta ? find_exif(*meta) : nullptr;
    if (!exif || item == nullptr) {
        return coded;
    }
    set_upright(*exif);
    const auto ranges = TRY(bmff::item_ranges(coded, *meta, *item));
    if (ranges.size() == 1 && ranges.front().size == exif->size()) {
        std::ranges::copy(*exif,
                          coded.begin() + static_cast<std::ptrdiff_t>(ranges.front().offset));
        return coded;
    }
    bmff::ItemLocations locations = *meta->locations;
    bmff::ItemLocation& moved = *locations.find(item->id);
    moved.method_bits = static_cast<std::uint16_t>(moved.method_bits & ~0xFU);
    moved.base = 0;
    moved.extents.assign(1, {.index = 0, .offset = coded.size() + 8, .length = exif->size()});
    const bmff::Box& box = locations.box;
    const Buffer iloc = bmff::fits_iloc(locations) ? bmff::write_iloc(locations) : Buffer();
    if (iloc.size() != box.size) {
        return Error{ErrorCode::kLimit, "the place of EXIF does not fit into the coded picture"};
    }
    for (const bmff::FileRange& range : ranges) {
        std::fill_n(coded.begin() + static_cast<std::ptrdiff_t>(range.offset), range.size, 0);
    }
    std::ranges::copy(iloc, coded.begin() + static_cast<std::ptrdiff_t>(box.offset));
    bmff::append_box(coded, bmff::box_type("mdat"), *exif);
    return coded;
}

}  // namespace

Result<Drawn> draw_heif(const Drawing& drawing) {
    media::Image image = TRY(media::decode_vips(drawing.file, media::VipsFormat::kHeif));
    const Overlay overlay = TRY(plan_overlay(drawing, image.width, image.height, 1));
    Drawn drawn;
    drawn.height_percent = height_percent(overlay, image.width, image.height);
    drawn.contrast = draw_frame(image, overlay, 0);
    const bool avif = is_avif(drawing.file);
    Buffer coded =
        TRY(media::encode_heif(image,
                               {.coder = avif ? media::HeifCoder::kAv1 : media::HeifCoder::kHevc,
                                .quality = avif ? kAv1Quality : kHevcQuality,
                                .bits = media::heif_bits(drawing.file)},
                               drawing.file));
    note(drawn.findings, "explicit.recoded",
         "the picture is coded once more; further pictures in the file are left out");
    drawn.splice.insert(TRY(with_exif_of(drawing.file, std::move(coded))));
    return drawn;
}

}  // namespace colophon::label::internal
