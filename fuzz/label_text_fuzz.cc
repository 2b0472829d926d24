// SPDX-License-Identifier: Apache-2.0
// The first byte chooses format and place. Whatever the text: what was there stays in its order,
// and marking twice changes nothing.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/explicit/text.h"
#include "label/format.h"

#include <cstddef>
#include <cstdint>

namespace colophon::label {
namespace {

void check_text(std::uint8_t choice, Bytes file) {
    constexpr Format kFormats[] = {Format::kPlainText, Format::kMarkdown, Format::kHtml};
    constexpr TextPlace kPlaces[] = {TextPlace::kStart, TextPlace::kEnd, TextPlace::kBoth,
                                     TextPlace::kCorner};
    const Format format = kFormats[choice % 3];
    const TextPlace place = kPlaces[choice / 3 % 4];
    const TextMark mark{place == TextPlace::kCorner ? "AI" : "本内容由AI生成", place};
    (void)find_text_mark(file, format);
    const auto marked = mark_text(file, format, mark);
    if (!marked.ok()) {
        return;
    }
    std::uint64_t next = 0;
    for (const SplicePiece& piece : marked->splice.pieces()) {
        COLOPHON_ASSERT(piece.source_size == 0 || piece.source_offset == next);
        next += piece.source_size;
    }
    COLOPHON_ASSERT(next == file.size());
    const Buffer once = apply_splice(file, marked->splice);
    const auto again = mark_text(once, format, mark);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(!again->changed);
}

}  // namespace
}  // namespace colophon::label

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0) {
        colophon::label::check_text(data[0], colophon::Bytes(data + 1, size - 1));
    }
    return 0;
}
