// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/exif.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "label/container/tiff_ifds.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

enum class Encoding : std::uint8_t { kBytes, kUtf16Little, kUtf16Big };

// One text of EXIF, decoded, with what is needed to find a part of it again in the file.
struct ExifText {
    std::string_view name;
    Bytes stored;              // without the charset prefix of UserComment
    std::uint64_t offset = 0;  // of `stored` in the TIFF structure
    Encoding encoding = Encoding::kBytes;
    std::string text;  // UTF-8
    // For UTF-16: the stored offset of each byte of `text`, and one past the end.
    std::vector<std::size_t> places;
};

std::uint16_t load_unit(Bytes stored, std::size_t at, Encoding encoding) {
    return encoding == Encoding::kUtf16Big ? load_be16(stored.subspan(at))
                                           : load_le16(stored.subspan(at));
}

void decode_utf16(ExifText& exif) {
    std::size_t at = 0;
    while (at + 2 <= exif.stored.size()) {
        const std::size_t start = at;
        char32_t code = load_unit(exif.stored, at, exif.encoding);
        at += 2;
        if (code >= 0xD800 && code < 0xDC00 && at + 2 <= exif.stored.size()) {
            const char32_t low = load_unit(exif.stored, at, exif.encoding);
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000U + ((code - 0xD800U) << 10U) + (low - 0xDC00U);
                at += 2;
            }
        }
        append_utf8(exif.text, code);
        exif.places.resize(exif.text.size(), start);
    }
    exif.places.push_back(at);
}

// UNICODE in a UserComment has the byte order of the structure by the standard, and either one in
// the wild; '{' or a Latin letter tells which.
Encoding unicode_order(Bytes stored, ByteOrder order) noexcept {
    if (stored.size() >= 2 && stored[0] == 0 && stored[1] != 0) {
        return Encoding::kUtf16Big;
    }
    if (stored.size() >= 2 && stored[1] == 0 && stored[0] != 0) {
        return Encoding::kUtf16Little;
    }
    return order == ByteOrder::kBig ? Encoding::kUtf16Big : Encoding::kUtf16Little;
}

// Cuts the eight bytes that name the character set (CIPA DC-008 table 9). Some writers leave them
// out: then the text starts at once.
void read_user_comment(ExifText& exif, ByteOrder order) {
    constexpr std::array<std::string_view, 4> kCharsets{
        std::string_view("ASCII\0\0\0", 8), std::string_view("JIS\0\0\0\0\0", 8),
        std::string_view("UNICODE\0", 8), std::string_view("\0\0\0\0\0\0\0\0", 8)};
    for (const std::string_view charset : kCharsets) {
        if (starts_with(exif.stored, charset)) {
            exif.stored = exif.stored.subspan(charset.size());
            exif.offset += charset.size();
            if (charset.starts_with("UNICODE")) {
                exif.encoding = unicode_order(exif.stored, order);
            }
            return;
        }
    }
}

std::optional<ExifText> read_text(const TiffHeader& header, const TiffIfd& ifd, std::uint16_t tag) {
    const TiffEntry* entry = ifd.find(tag);
    if (entry == nullptr || !entry->value || entry->value->size() > limits::kLabelBytesMax) {
        return std::nullopt;
    }
    ExifText exif;
    exif.stored = *entry->value;
    exif.offset = entry->value_offset;
    if (tag == tiff::kUserComment) {
        exif.name = "EXIF UserComment";
        read_user_comment(exif, header.order);
    } else if (tag == tiff::kXpComment) {
        exif.name = "EXIF XPComment";
        exif.encoding = Encoding::kUtf16Little;  // whatever the order of the structure
    } else {
        exif.name = "EXIF ImageDescription";
    }
    if (exif.encoding == Encoding::kBytes) {
        exif.text = as_text(exif.stored);
    } else {
        decode_utf16(exif);
    }
    return exif;
}

// The texts in which labels were seen. A missing or dangling EXIF directory leaves IFD0.
Result<std::vector<ExifText>> read_texts(Bytes tiff) {
    const TiffHeader header = TRY(read_tiff_header(tiff));
    const TiffIfd ifd0 = TRY(read_tiff_ifd(tiff, header, header.ifd0_offset));
    std::vector<ExifText> texts;
    const auto add = [&](const TiffIfd& ifd, std::uint16_t tag) {
        if (auto text = read_text(header, ifd, tag)) {
            texts.push_back(std::move(*text));
        }
    };
    if (const TiffEntry* pointer = ifd0.find(tiff::kExifIfd)) {
        const auto offset = tiff_number(header, *pointer);
        if (offset) {
            if (const auto exif_ifd = read_tiff_ifd(tiff, header, *offset)) {
                add(*exif_ifd, tiff::kUserComment);
            }
        }
    }
    add(ifd0, tiff::kImageDescription);
    add(ifd0, tiff::kXpComment);
    return texts;
}

ExifPatch blank(const ExifText& exif, const LabelSpan& span, bool whole) {
    ExifPatch patch;
    std::size_t from = span.offset;
    std::size_t to = span.offset + span.size;
    if (exif.encoding != Encoding::kBytes) {
        from = exif.places[from];
        to = exif.places[to];
    }
    patch.offset = exif.offset + from;
    patch.bytes.assign(to - from, 0);
    if (!whole) {
        const std::size_t unit = exif.encoding == Encoding::kBytes ? 1 : 2;
        for (std::size_t i = exif.encoding == Encoding::kUtf16Big ? 1 : 0; i < patch.bytes.size();
             i += unit) {
            patch.bytes[i] = ' ';
        }
    }
    return patch;
}

}  // namespace

Result<std::vector<LabelSite>> find_exif_labels(Bytes tiff, std::uint64_t base_offset,
                                                std::string_view where_prefix) {
    std::vector<LabelSite> sites;
    for (ExifText& exif : TRY(read_texts(tiff))) {
        if (!may_be_label(exif.text)) {
            continue;
        }
        LabelSite site;
        site.where = std::string(where_prefix) + " " + std::string(exif.name);
        site.value = std::move(exif.text);
        site.value.resize(site.value.find_last_not_of('\0') + 1);
        site.offset = base_offset + exif.offset;
        sites.push_back(std::move(site));
    }
    return sites;
}

Result<std::vector<ExifPatch>> blank_exif_labels(Bytes tiff) {
    std::vector<ExifPatch> patches;
    for (const ExifText& exif : TRY(read_texts(tiff))) {
        const bool whole = without_tc260_labels(exif.text).empty();
        for (const LabelSpan& span : find_tc260_labels(exif.text)) {
            patches.push_back(blank(exif, span, whole));
        }
    }
    // Hostile entries may share bytes; each byte is blanked once.
    std::ranges::sort(patches, {}, &ExifPatch::offset);
    std::vector<ExifPatch> apart;
    std::uint64_t end = 0;
    for (ExifPatch& patch : patches) {
        const std::uint64_t patch_end = patch.offset + patch.bytes.size();
        if (patch_end <= end) {
            continue;
        }
        if (patch.offset < end) {
            const auto shared = static_cast<std::ptrdiff_t>(end - patch.offset);
            patch.bytes.erase(patch.bytes.begin(), patch.bytes.begin() + shared);
            patch.offset = end;
        }
        end = patch_end;
        apart.push_back(std::move(patch));
    }
    return apart;
}

}  // namespace colophon::label
