// SPDX-License-Identifier: Apache-2.0
// What the JSON reader accepts, it writes in a form that it reads again and writes the same.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/utf8.h"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto value = colophon::json::parse(colophon::as_text({data, size}));
    if (value.ok()) {
        const std::string text = colophon::json::write(*value);
        COLOPHON_ASSERT(!colophon::find_invalid_utf8(text));
        // Written text may be longer than what was read: "\u00ff" escapes shrink, 1e5 grows.
        const auto again = colophon::json::parse(text, {.bytes_max = text.size()});
        COLOPHON_ASSERT(again.ok());
        COLOPHON_ASSERT(colophon::json::write(*again) == text);
    }
    return 0;
}
