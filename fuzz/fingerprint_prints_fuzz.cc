// SPDX-License-Identifier: Apache-2.0
// Prints as they come from outside: what is read is written as it stands for, and read again the
// same.

#include "core/assert.h"
#include "core/bytes.h"
#include "fingerprint/pdq.h"
#include "fingerprint/text.h"
#include "fingerprint/video.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace fingerprint = colophon::fingerprint;
    const colophon::Bytes bytes(data, size);
    const std::string_view text = colophon::as_text(bytes);
    if (const auto hash = fingerprint::parse_pdq_hex(text); hash.ok()) {
        COLOPHON_ASSERT(*fingerprint::parse_pdq_hex(fingerprint::to_hex(*hash)) == *hash);
    }
    if (const auto hash = fingerprint::parse_pdq_bytes(bytes); hash.ok()) {
        COLOPHON_ASSERT(colophon::to_buffer(fingerprint::to_bytes(*hash)) ==
                        colophon::to_buffer(bytes));
    }
    if (const auto print = fingerprint::parse_video_print(text); print.ok()) {
        COLOPHON_ASSERT(*fingerprint::parse_video_print(fingerprint::to_text(*print)) == *print);
        if (print->frames.size() <= 100) {
            const auto match = fingerprint::match_videos(*print, *print);
            COLOPHON_ASSERT(match.query_percent == match.other_percent);
        }
    }
    if (const auto print = fingerprint::parse_text_print(bytes); print.ok()) {
        COLOPHON_ASSERT(fingerprint::to_bytes(*print) == colophon::to_buffer(bytes));
    }
    if (const auto print = fingerprint::print_text(text, {}); print.ok()) {
        COLOPHON_ASSERT(*fingerprint::parse_text_print(fingerprint::to_bytes(*print)) == *print);
    }
    return 0;
}
