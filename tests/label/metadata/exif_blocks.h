// SPDX-License-Identifier: Apache-2.0
#pragma once

// An EXIF block made byte by byte: IFD0 with ImageDescription and XPComment, an EXIF directory with
// UserComment, each left out when empty.

#include "core/bytes.h"
#include "label/container/tiff_ifds.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

struct ExifTexts {
    std::string description;
    std::string xp_comment;    // stored bytes, UTF-16LE
    std::string user_comment;  // stored bytes, with the character set
};

inline std::string utf16(std::string_view ascii, ByteOrder order) {
    std::string out;
    for (const char c : ascii) {
        out += order == ByteOrder::kBig ? std::string{'\0', c} : std::string{c, '\0'};
    }
    return out;
}

inline Buffer make_exif(const ExifTexts& texts, ByteOrder order) {
    struct Field {
        std::uint16_t tag;
        std::uint16_t type;
        std::string value;
    };
    std::vector<Field> ifd0;
    if (!texts.description.empty()) {
        ifd0.push_back({tiff::kImageDescription, tiff::kTypeAscii, texts.description + '\0'});
    }
    ifd0.push_back({0x0131, tiff::kTypeAscii, "a camera\0"});
    const std::size_t ifd0_count =
        ifd0.size() + (texts.user_comment.empty() ? 0U : 1U) + (texts.xp_comment.empty() ? 0U : 1U);
    Buffer out = to_buffer(order == ByteOrder::kLittle ? "II" : "MM");
    append_u16(out, 42, order);
    append_u32(out, 8, order);
    Buffer values;
    const std::size_t exif_ifd = 8 + 2 + ifd0_count * 12 + 4;
    const std::size_t values_at = exif_ifd + (texts.user_comment.empty() ? 0 : 2 + 12 + 4);
    const auto put = [&](std::uint16_t tag, std::uint16_t type, std::string_view value) {
        append_u16(out, tag, order);
        append_u16(out, type, order);
        append_u32(out, static_cast<std::uint32_t>(value.size()), order);
        append_u32(out, static_cast<std::uint32_t>(values_at + values.size()), order);
        append(values, value);
    };
    append_u16(out, static_cast<std::uint16_t>(ifd0_count), order);
    for (const Field& field : ifd0) {
        put(field.tag, field.type, field.value);
    }
    if (!texts.user_comment.empty()) {
        append_u16(out, tiff::kExifIfd, order);
        append_u16(out, tiff::kTypeLong, order);
        append_u32(out, 1, order);
        append_u32(out, static_cast<std::uint32_t>(exif_ifd), order);
    }
    if (!texts.xp_comment.empty()) {
        put(tiff::kXpComment, tiff::kTypeByte, texts.xp_comment);
    }
    append_u32(out, 0, order);
    if (!texts.user_comment.empty()) {
        append_u16(out, 1, order);
        put(tiff::kUserComment, tiff::kTypeUndefined, texts.user_comment);
        append_u32(out, 0, order);
    }
    append(out, values);
    return out;
}

}  // namespace colophon::label
