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

using internal::find_text_labels;
using internal::TextLabel;
using internal::TextLabelKind;
using internal::without_tc260_labels;

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

struct Range {
    std::uint64_t offset;
    std::uint64_t size;
};

bool overlap(const ExifPatch& patch, const Range& range) noexcept {
    return patch.offset < range.offset + range.size &&
           range.offset < patch.offset + patch.bytes.size();
}

struct ExifTexts {
    std::vector<ExifText> texts;
    std::vector<Range> structure;  // header and directories
};

// The texts in which labels were seen. A missing or dangling EXIF directory leaves IFD0.
Result<ExifTexts> read_texts(Bytes tiff) {
    const TiffHeader header = TRY(read_tiff_header(tiff));
    const TiffIfd ifd0 = TRY(read_tiff_ifd(tiff, header, header.ifd0_offset));
    ExifTexts exif;
    exif.structure.push_back({0, header.ifd0_field + header.offset_bytes()});
    exif.structure.push_back({ifd0.offset, ifd0.size});
    const auto add = [&](const TiffIfd& ifd, std::uint16_t tag) {
        if (auto text = read_text(header, ifd, tag)) {
            exif.texts.push_back(std::move(*text));
        }
    };
    if (const TiffEntry* pointer = ifd0.find(tiff::kExifIfd)) {
        const auto offset = tiff_number(header, *pointer);
        if (offset) {
            if (const auto exif_ifd = read_tiff_ifd(tiff, header, *offset)) {
                exif.structure.push_back({exif_ifd->offset, exif_ifd->size});
                add(*exif_ifd, tiff::kUserComment);
            }
        }
    }
    add(ifd0, tiff::kImageDescription);
    add(ifd0, tiff::kXpComment);
    return exif;
}

// Zeros when the whole value is the label; otherwise spaces, and {} where the label is a member of
// a larger object.
ExifPatch blank(const ExifText& exif, const TextLabel& label, bool whole) {
    ExifPatch patch;
    std::size_t from = label.offset;
    std::size_t to = label.offset + label.size;
    if (exif.encoding != Encoding::kBytes) {
        from = exif.places[from];
        to = exif.places[to];
    }
    patch.offset = exif.offset + from;
    patch.bytes.assign(to - from, 0);
    if (whole) {
        return patch;
    }
    const std::size_t unit = exif.encoding == Encoding::kBytes ? 1 : 2;
    const std::size_t low = exif.encoding == Encoding::kUtf16Big ? 1 : 0;
    for (std::size_t i = low; i < patch.bytes.size(); i += unit) {
        patch.bytes[i] = ' ';
    }
    if (label.nested && patch.bytes.size() >= 2 * unit) {
        patch.bytes[low] = '{';
        patch.bytes[low + unit] = '}';
    }
    return patch;
}

// A text that lies over another one or over a directory is a trap: overwriting it would change
// what the other says.
Result<void> check_own(const ExifTexts& texts, const ExifText& own, const ExifPatch& patch) {
    bool shared = std::ranges::any_of(texts.structure,
                                      [&](const Range& range) { return overlap(patch, range); });
    for (const ExifText& other : texts.texts) {
        shared = shared || (&other != &own &&
                            overlap(patch, {.offset = other.offset, .size = other.stored.size()}));
    }
    if (shared) {
        return corrupt_at("an EXIF text with a label shares its bytes, counted from the EXIF start",
                          patch.offset);
    }
    return {};
}

// Adds patches for the TC260 labels of one text.
Result<void> blank_labels(const ExifTexts& texts, const ExifText& exif,
                          std::vector<ExifPatch>& patches) {
    const bool whole = without_tc260_labels(exif.text).empty();
    for (const TextLabel& label : find_text_labels(exif.text)) {
        if (label.kind != TextLabelKind::kTc260) {
            continue;
        }
        patches.push_back(blank(exif, label, whole));
        TRY(check_own(texts, exif, patches.back()));
    }
    return {};
}

}  // namespace

Result<std::vector<LabelSite>> find_exif_labels(Bytes tiff, std::uint64_t base_offset,
                                                std::string_view where_prefix) {
    std::vector<LabelSite> sites;
    const ExifTexts texts = TRY(read_texts(tiff));
    for (const ExifText& exif : texts.texts) {
        for (const TextLabel& label : find_text_labels(exif.text)) {
            sites.push_back({.where = std::string(where_prefix) + " " + std::string(exif.name),
                             .value = exif.text.substr(label.offset, label.size),
                             .offset = base_offset + exif.offset,
                             .standard_place = false});
        }
    }
    return sites;
}

Result<std::vector<ExifPatch>> blank_exif_labels(Bytes tiff) {
    std::vector<ExifPatch> patches;
    const auto texts = read_texts(tiff);
    if (!texts.ok()) {
        return patches;
    }
    for (const ExifText& exif : texts->texts) {
        TRY(blank_labels(*texts, exif, patches));
    }
    std::ranges::sort(patches, {}, &ExifPatch::offset);
    return patches;
}

}  // namespace colophon::label
