// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/splice.h"
#include "label/picture/recode.h"

#include <algorithm>
#include <cstddef>

namespace colophon::label {

Splice splice_what_changed(Bytes before, Bytes after) {
    constexpr std::size_t kRun = 256;  // shorter equal runs are not worth a piece
    Splice splice;
    const std::size_t common = std::min(before.size(), after.size());
    std::size_t written = 0;
    std::size_t at = 0;
    while (at < common) {
        const auto start = before.begin() + static_cast<std::ptrdiff_t>(at);
        const auto differs =
            std::mismatch(start, before.begin() + static_cast<std::ptrdiff_t>(common),
                          after.begin() + static_cast<std::ptrdiff_t>(at));
        const auto run = static_cast<std::size_t>(differs.first - start);
        if (run >= kRun) {
            splice.insert(after.subspan(written, at - written));
            splice.copy(at, run);
            written = at + run;
        }
        at += run + 1;
    }
    splice.insert(after.subspan(written));
    return splice;
}

}  // namespace colophon::label
