// SPDX-License-Identifier: Apache-2.0
// The label in PDF: the entry AIGC of the document information dictionary (TC260-PG-20258A, 6.3)
// [GB45438-6.1]. It is written as an update at the end of the file, whose bytes stay. Labels that
// others put into the XMP of the document are read.
//
//   /Info 9 0 R, 9 0 obj << /Title (...) /AIGC ({"Label":"1",...}) >>

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "core/utf8.h"
#include "label/container/pdf_file.h"
#include "label/container/pdf_syntax.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/label_sites.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kKey = "AIGC";
constexpr std::string_view kUtf16Mark = "\xFE\xFF";
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

// 7.9.2.2: UTF-16 behind its mark, UTF-8 behind its own (PDF 2.0), otherwise PDFDocEncoding, which
// is ASCII where labels are; bytes that are UTF-8 all the same are taken as that.
std::string text_of(std::string_view bytes) {
    if (bytes.starts_with(kUtf8Mark)) {
        return std::string(bytes.substr(kUtf8Mark.size()));
    }
    if (!bytes.starts_with(kUtf16Mark)) {
        return std::string(bytes);
    }
    std::string text;
    char32_t high = 0;
    for (std::size_t at = kUtf16Mark.size(); at + 1 < bytes.size(); at += 2) {
        const char32_t unit = static_cast<unsigned char>(bytes[at]) * 256U +
                              static_cast<unsigned char>(bytes[at + 1]);
        if (unit >= 0xD800 && unit < 0xDC00) {
            high = unit;
            continue;
        }
        const bool low = unit >= 0xDC00 && unit < 0xE000;
        if (low && high != 0) {
            append_utf8(text, 0x10000 + ((high - 0xD800) << 10U) + (unit - 0xDC00));
        } else if (!low) {
            append_utf8(text, unit);
        }
        high = 0;
    }
    return text;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\n' || c == '\r';
    });
}

std::string bytes_of(std::string_view text) {
    if (is_ascii(text)) {
        return std::string(text);
    }
    std::string bytes(kUtf16Mark);
    const auto unit = [&](char32_t value) {
        bytes += static_cast<char>(value >> 8U);
        bytes += static_cast<char>(value & 0xFFU);
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto known = next_code_point(text, at);
        at += known ? 0U : 1U;
        const char32_t c = known.value_or(0xFFFD);
        if (c >= 0x10000) {
            unit(0xD800 + ((c - 0x10000) >> 10U));
            unit(0xDC00 + ((c - 0x10000) & 0x3FFU));
        } else {
            unit(c);
        }
    }
    return bytes;
}

Result<pdf::Dictionary> information(pdf::File& file, std::uint64_t& offset) {
    const pdf::Object object = TRY(file.resolve(file.trailer().find("Info")));
    offset = object.offset;
    return pdf::Dictionary::parse(object.text.starts_with("<<") ? object.text : "<< >>",
                                  object.offset);
}

// The XMP of the whole document; nothing when there is none or it lies behind a filter that is not
// read here.
struct Packet {
    pdf::Reference reference;
    pdf::Object stream;
    std::string text;
};
Result<std::optional<Packet>> document_xmp(pdf::File& file) {
    const pdf::Dictionary catalog = TRY(file.catalog());
    const auto reference = pdf::to_reference(catalog.find("Metadata"));
    if (!reference) {
        return std::optional<Packet>();
    }
    pdf::Object stream = TRY(file.object(*reference));
    if (!stream.stream) {
        return std::optional<Packet>();
    }
    auto text = file.decode(stream);
    if (!text.ok()) {
        return std::optional<Packet>();
    }
    return std::optional(
        Packet{.reference = *reference, .stream = stream, .text = std::move(text).value()});
}

// The packet of the document without the labels that others put into it.
Result<void> strip_xmp(pdf::File& file, pdf::Update& update, bool& changed) {
    const auto packet = TRY(document_xmp(file));
    if (!packet) {
        return {};
    }
    const auto stripped = strip_xmp_labels(as_bytes(packet->text));
    if (!stripped) {
        return {};
    }
    const pdf::Dictionary old =
        TRY(pdf::Dictionary::parse(packet->stream.text, packet->stream.offset));
    update.put_stream(packet->reference,
                      pdf::rewrite(old, {{"Filter", ""},
                                         {"DecodeParms", ""},
                                         {"Length", std::to_string(stripped->size())}}),
                      as_bytes(*stripped));
    changed = true;
    return {};
}

}  // namespace

Result<MetadataReading> read_pdf(Bytes file) {
    pdf::File document = TRY(pdf::File::create(file));
    MetadataReading reading;
    std::uint64_t offset = 0;
    const pdf::Dictionary info = TRY(information(document, offset));
    if (!info.find(kKey).empty()) {
        const pdf::Object object = TRY(document.resolve(info.find(kKey)));
        const auto value = pdf::to_string(object.text);
        if (value) {
            collect_site(reading, {.where = "pdf Info AIGC",
                                   .value = text_of(*value),
                                   .offset = offset,
                                   .standard_place = true});
        } else {
            reading.damaged_label = true;
        }
    }
    if (const auto packet = TRY(document_xmp(document))) {
        collect_xmp(reading, as_bytes(packet->text),
                    {.where = "pdf XMP",
                     .value = {},
                     .offset = packet->stream.data_offset,
                     .standard_place = false});
    }
    return reading;
}

Result<Splice> write_pdf(Bytes file, const MetadataFields& fields) {
    pdf::File document = TRY(pdf::File::create(file));
    TRY(check_label_bytes(fields.aigc));
    Splice splice;
    splice.copy(0, file.size());
    pdf::Update update(document);
    bool changed = false;
    TRY(strip_xmp(document, update, changed));
    std::uint64_t offset = 0;
    const pdf::Dictionary info = TRY(information(document, offset));
    const pdf::Object there = TRY(document.resolve(info.find(kKey)));
    const auto value = pdf::to_string(there.text);
    if (!value || text_of(*value) != fields.aigc) {
        const auto known = pdf::to_reference(document.trailer().find("Info"));
        const pdf::Reference own = known ? *known : update.reserve();
        const std::string text = pdf::write_string(bytes_of(fields.aigc));
        update.put(own, pdf::rewrite(info, {{std::string(kKey), text}}));
        update.set_trailer("Info", pdf::write_reference(own));
        changed = true;
    }
    if (!changed) {
        return splice;
    }
    splice.insert(TRY(update.finish()).bytes);
    return splice;
}

}  // namespace colophon::label::internal
