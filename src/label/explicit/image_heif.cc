// SPDX-License-Identifier: Apache-2.0
// The mark in HEIC and AVIF: the primary picture is decoded, drawn and coded again with high
// quality. EXIF, XMP, other items of metadata and the colour profile are carried over byte for
// byte; further pictures of the file (thumbnails, depth maps, bursts) are not, and the reading says
// so.
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/container/bmff_properties.h"
#include "label/container/tiff_ifds.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/finding.h"
#include "label/metadata/heif_items.h"
#include "media/image.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// High, because the picture is coded once more; the loss has not been measured.
constexpr int kHevcQuality = 90;
constexpr int kAv1Quality = 85;

bool is_avif(Bytes file) {
    const std::size_t size = std::min<std::size_t>(file.size(), 64);
    return as_text(file.first(size)).find("avif") != std::string_view::npos;
}

Result<bmff::ItemMeta> read_meta(Bytes file) {
    bmff::BoxReader boxes(file);
    while (const auto box = TRY(boxes.next())) {
        if (box->type == bmff::box_type("meta")) {
            return bmff::read_item_meta(file, *box);
        }
    }
    return Error{ErrorCode::kUnsupported, "the file has no meta box with items"};
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

// The colour boxes ('colr') of the primary picture: coded values (nclx) and profiles.
Result<std::vector<Buffer>> read_colours(Bytes file, const bmff::ItemMeta& meta) {
    std::vector<Buffer> boxes;
    if (!meta.primary) {
        return boxes;
    }
    const std::vector<bmff::Box> properties = TRY(bmff::item_properties(file, meta, *meta.primary));
    for (const bmff::Box& box : properties) {
        if (box.type == bmff::box_type("colr") && box.payload_size() >= 4) {
            boxes.push_back(to_buffer(*slice(file, box.offset, box.size)));
        }
    }
    return boxes;
}

constexpr std::size_t kColourKind = 8;  // in a 'colr' box: nclx, prof or rICC
constexpr std::size_t kPrimaries = 12;  // of nclx: primaries, transfer, matrix:u16 range:u8
constexpr std::size_t kNclxBytes = 19;

bool is_nclx(const Buffer& colr) {
    return colr.size() == kNclxBytes &&
           load_be32(Bytes(colr).subspan(kColourKind)) == bmff::box_type("nclx");
}

// What RGB means, primaries and transfer, stays the original's; how it became YCbCr is the coder's.
// Profiles stay byte for byte.
Result<Buffer> with_colours_of(Bytes original, Buffer coded) {
    const bmff::ItemMeta meta = TRY(read_meta(coded));
    if (!meta.primary) {
        return coded;
    }
    const bmff::ItemMeta before = TRY(read_meta(original));
    std::vector<Buffer> boxes = TRY(read_colours(original, before));
    const std::vector<bmff::Box> properties =
        TRY(bmff::item_properties(coded, meta, *meta.primary));
    std::vector<Buffer> added;
    for (Buffer& box : boxes) {
        if (!is_nclx(box)) {
            added.push_back(std::move(box));
            continue;
        }
        bool patched = false;
        for (const bmff::Box& own : properties) {
            const Buffer bytes = to_buffer(*slice(coded, own.offset, own.size));
            if (own.type == bmff::box_type("colr") && is_nclx(bytes)) {
                std::copy_n(box.begin() + kPrimaries, 4,
                            coded.begin() + static_cast<std::ptrdiff_t>(own.offset + kPrimaries));
                patched = true;
            }
        }
        if (!patched) {
            // What libheif codes with unless it says otherwise: BT.601, full range.
            Buffer values(box.begin() + kColourKind, box.begin() + kPrimaries + 4);
            append_be16(values, 6);
            values.push_back(0x80);
            Buffer colr;
            bmff::append_box(colr, bmff::box_type("colr"), values);
            added.push_back(std::move(colr));
        }
    }
    if (added.empty()) {
        return coded;
    }
    const Splice splice = TRY(bmff::add_properties(coded, meta, *meta.primary, added));
    return apply_splice(coded, splice);
}

// libvips writes EXIF anew and no XMP; the items of the original are put in as they were.
Result<Buffer> with_items_of(Bytes original, Buffer coded) {
    std::vector<HeifItem> items = TRY(read_heif_items(original));
    for (HeifItem& item : items) {
        if (item.type == bmff::box_type("Exif")) {
            set_upright(item.bytes);
        }
        const Splice splice = TRY(add_heif_item(coded, item));
        coded = apply_splice(coded, splice);
    }
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
    int bits = media::heif_bits(drawing.file);
    std::string what = "the picture is coded once more; further pictures in the file are left out";
    if (avif && bits == 10) {
        // libheif 1.15 gives AV1 of 10 bits a profile that libaom 3.6 ends the process for.
        bits = 12;
        what =
            "the picture is coded once more, with 12 bits a sample instead of 10; further "
            "pictures in the file are left out";
    }
    Buffer coded =
        TRY(media::encode_heif(image,
                               {.coder = avif ? media::HeifCoder::kAv1 : media::HeifCoder::kHevc,
                                .quality = avif ? kAv1Quality : kHevcQuality,
                                .bits = bits},
                               drawing.file));
    note(drawn.findings, "explicit.recoded", std::move(what));
    coded = TRY(with_colours_of(drawing.file, std::move(coded)));
    drawn.splice.insert(TRY(with_items_of(drawing.file, std::move(coded))));
    return drawn;
}

}  // namespace colophon::label::internal
