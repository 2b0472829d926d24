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

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace colophon;         // NOLINT(google-build-using-namespace): one function
    using namespace colophon::label;  // NOLINT(google-build-using-namespace): one function
    if (size == 0) {
        return 0;
    }
    constexpr Format kFormats[] = {Format::kPlainText, Format::kMarkdown, Format::kHtml};
    constexpr TextPlace kPlaces[] = {TextPlace::kStart, TextPlace::kEnd, TextPlace::kBoth,
                                     TextPlace::kCorner};
    const Format format = kFormats[data[0] % 3];
    const TextPlace place = kPlaces[data[0] / 3 % 4];
    const TextMark mark{place == TextPlace::kCorner ? "AI" : "本内容由AI生成", place};
    const Bytes file(data + 1, size - 1);
    (void)find_text_mark(file, format);
    const auto marked = mark_text(file, format, mark);
    if (!marked.ok()) {
        return 0;
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
    return 0;
}
