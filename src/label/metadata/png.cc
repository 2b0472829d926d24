// SPDX-License-Identifier: Apache-2.0
// PNG: the label stands in the XMP packet of an iTXt chunk [GB45438-6.1], right behind IHDR, where
// the large producers have it. Also read: text chunks with the keyword AIGC (Annex B), labels in
// any other text chunk, EXIF.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "label/container/png_text.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/internal/collect.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/file_edits.h"
#include "label/metadata/internal/label_text.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kLabelKeyword = "AIGC";

bool is_profile(std::string_view keyword) noexcept {
    return keyword.starts_with("Raw profile type ");  // hexadecimal dumps of other tools
}

// One text chunk, decoded. Compressed texts share one budget per file: a thousand bombs cost no
// more than one.
struct DecodedText {
    std::string_view keyword;
    std::string text;
};

class TextReader {
public:
    Result<DecodedText> decode(const PngChunk& chunk) {
        const PngText stored = TRY(parse_png_text(chunk));
        DecodedText decoded{stored.keyword, {}};
        if (is_profile(stored.keyword)) {
            return decoded;
        }
        if (!stored.compressed) {
            decoded.text = as_text(stored.stored);
            return decoded;
        }
        auto text = inflate_text(stored.stored, budget_);
        if (!text.ok()) {
            // A broken stream has cost something too, at most what is left.
            budget_ = text.error().code == ErrorCode::kLimit ? 0 : budget_ - budget_ / 8;
            return with_context(std::move(text).error(),
                                "PNG chunk at byte " + std::to_string(chunk.offset));
        }
        decoded.text = std::move(text).value();
        budget_ -= std::min<std::uint64_t>(budget_, decoded.text.size());
        return decoded;
    }

private:
    std::uint64_t budget_ = limits::kInflatedBytesMax;
};

void read_text(const PngChunk& chunk, TextReader& texts, bool& xmp_seen, MetadataReading& reading) {
    auto decoded = texts.decode(chunk);
    if (!decoded.ok()) {
        warn(reading.findings, "metadata.png_text", decoded.error().what);
        return;
    }
    LabelSite site;
    site.offset = chunk.offset;
    site.where = "png " + std::string(chunk.type);
    if (decoded->keyword == kPngXmpKeyword) {
        site.where += " XMP";
        site.standard_place = !xmp_seen && chunk.type == "iTXt";
        xmp_seen = true;
        add_xmp(reading, as_bytes(decoded->text), site);
    } else if (decoded->keyword == kLabelKeyword) {
        site.where += " AIGC";
        site.value = std::move(decoded->text);
        add_site(reading, std::move(site));
    } else {
        add_text(reading, decoded->text, site);
    }
}

// Writes what the copied chunks must lose or change.
class Editor {
public:
    Editor(Bytes file, const MetadataFields& fields) : file_(file), fields_(fields) {}

    Result<void> edit(const PngChunk& chunk) {
        if (is_png_text(chunk)) {
            return edit_text(chunk);
        }
        if (chunk.type == "eXIf") {
            return edit_exif(chunk);
        }
        return {};
    }

    // Without a packet the new one goes behind IHDR.
    Result<void> finish(const PngChunk& header) {
        if (!written_) {
            const std::string packet = TRY(write_xmp({}, fields_));
            edits_.push_back({header.end(), 0, make_png_itxt(kPngXmpKeyword, packet)});
        }
        return {};
    }

    std::vector<FileEdit> take_edits() { return std::move(edits_); }

private:
    Result<void> edit_text(const PngChunk& chunk) {
        const PngText stored = TRY(parse_png_text(chunk));
        if (stored.keyword == kLabelKeyword) {
            drop(chunk);
            return {};
        }
        const DecodedText decoded = TRY(texts_.decode(chunk));
        if (decoded.keyword == kPngXmpKeyword) {
            return edit_xmp(chunk, decoded.text);
        }
        if (!may_be_label(decoded.text)) {
            return {};
        }
        const std::string left = without_tc260_labels(decoded.text);
        if (left.empty() && !decoded.text.empty()) {
            drop(chunk);
        } else if (left != decoded.text) {
            edits_.push_back({chunk.offset, chunk.size, remake(chunk, stored, left)});
        }
        return {};
    }

    Result<void> edit_xmp(const PngChunk& chunk, const std::string& old) {
        if (written_) {
            // A second packet is against the XMP specification; it goes when it carries a label.
            const auto reading = read_xmp(old);
            if (reading.ok() && !reading->aigc.empty()) {
                drop(chunk);
            }
            return {};
        }
        if (!png_checksum_matches(file_, chunk)) {
            return corrupt_at("the checksum of the PNG chunk with the XMP packet is wrong",
                              chunk.offset);
        }
        written_ = true;
        const std::string packet = TRY(write_xmp(old, fields_));
        if (packet != old || chunk.type != "iTXt") {
            edits_.push_back({chunk.offset, chunk.size, make_png_itxt(kPngXmpKeyword, packet)});
        }
        return {};
    }

    Result<void> edit_exif(const PngChunk& chunk) {
        const std::vector<ExifPatch> patches = TRY(blank_exif_labels(chunk.data));
        if (patches.empty()) {
            return {};
        }
        if (!png_checksum_matches(file_, chunk)) {
            return corrupt_at("the checksum of the PNG chunk with the EXIF label is wrong",
                              chunk.offset);
        }
        Buffer data = to_buffer(chunk.data);
        for (const ExifPatch& patch : patches) {
            std::ranges::copy(patch.bytes,
                              data.begin() + static_cast<std::ptrdiff_t>(patch.offset));
        }
        edits_.push_back({chunk.offset, chunk.size, make_png_chunk("eXIf", data)});
        return {};
    }

    // The same chunk with another text, uncompressed: what stood before the text is kept.
    static Buffer remake(const PngChunk& chunk, const PngText& stored, std::string_view text) {
        if (!stored.compressed) {
            Buffer data = to_buffer(chunk.data.first(chunk.data.size() - stored.stored.size()));
            append(data, text);
            return make_png_chunk(chunk.type, data);
        }
        if (stored.utf8) {
            return make_png_itxt(stored.keyword, text);
        }
        Buffer data = to_buffer(stored.keyword);
        data.push_back(0);
        append(data, text);
        return make_png_chunk("tEXt", data);
    }

    void drop(const PngChunk& chunk) { edits_.push_back({chunk.offset, chunk.size, {}}); }

    Bytes file_;
    const MetadataFields& fields_;
    TextReader texts_;
    std::vector<FileEdit> edits_;
    bool written_ = false;
};

}  // namespace

Result<MetadataReading> read_png(Bytes file) {
    const PngFile png = TRY(walk_png(file));
    MetadataReading reading;
    TextReader texts;
    bool xmp_seen = false;
    for (const PngChunk& chunk : png.chunks) {
        const bool text = is_png_text(chunk);
        if (!text && chunk.type != "eXIf") {
            continue;
        }
        if (!png_checksum_matches(file, chunk)) {
            warn(reading.findings, "metadata.checksum",
                 "the checksum of the PNG chunk " + std::string(chunk.type) + " at byte " +
                     std::to_string(chunk.offset) + " is wrong");
        }
        if (text) {
            read_text(chunk, texts, xmp_seen, reading);
        } else {
            add_exif(reading, chunk.data, chunk.offset + 8, "png");
        }
    }
    return reading;
}

// [GB45438-6.1] One label: the packet is updated, every other TC260 label is taken away.
Result<Splice> write_png(Bytes file, const MetadataFields& fields) {
    const PngFile png = TRY(walk_png(file));
    Editor editor(file, fields);
    for (const PngChunk& chunk : png.chunks) {
        TRY(editor.edit(chunk));
    }
    TRY(editor.finish(png.chunks.front()));
    return splice_edits(file, editor.take_edits());
}

}  // namespace colophon::label::internal
