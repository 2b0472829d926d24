// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "label/picture/recode.h"
#include "media/image.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace colophon::label {
namespace {

bool is_one_of(std::string_view type, std::initializer_list<std::string_view> types) {
    return std::find(types.begin(), types.end(), type) != types.end();
}

Splice exchange_picture(const PngFile& before, const PngFile& after, Bytes after_bytes,
                        bool promoted, std::uint64_t size) {
    Splice splice;
    splice.copy(0, kPngSignature.size());
    const auto insert_all = [&](std::string_view type) {
        for (const PngChunk& chunk : after.chunks) {
            if (chunk.type == type) {
                splice.insert(after_bytes.subspan(static_cast<std::size_t>(chunk.offset),
                                                  static_cast<std::size_t>(chunk.size)));
            }
        }
    };
    const bool palette = std::any_of(after.chunks.begin(), after.chunks.end(),
                                     [](const PngChunk& c) { return c.type == "PLTE"; });
    bool picture_done = false;
    for (const PngChunk& chunk : before.chunks) {
        if (chunk.type == "IDAT") {
            if (!picture_done) {
                insert_all("IDAT");
            }
            picture_done = true;
        } else if (chunk.type == "IHDR" || (chunk.type == "PLTE" && (palette || promoted))) {
            insert_all(chunk.type);
        } else if (chunk.type == "tRNS" && (palette || promoted)) {
            insert_all("tRNS");
        } else if (!(promoted && is_one_of(chunk.type, {"bKGD", "hIST", "sBIT"}))) {
            splice.copy(chunk.offset, chunk.size);  // those three speak of palette entries
        }
    }
    if (before.end < size) {
        splice.copy(before.end, size - before.end);
    }
    return splice;
}

}  // namespace

Result<Splice> exchange_png_picture(Bytes file, const media::PngImage& png, PngPalette palette) {
    const PngFile before = TRY(walk_png(file));
    const Buffer coded = TRY(media::encode_png(png));
    const PngFile after = TRY(walk_png(coded));
    return exchange_picture(before, after, coded, palette == PngPalette::kGone, file.size());
}

}  // namespace colophon::label
