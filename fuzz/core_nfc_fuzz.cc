// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "core/nfc.h"

#include <cstddef>
#include <cstdint>

// Form C is its own form C.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto once = colophon::to_nfc(colophon::as_text({data, size}));
    if (!once.ok()) {
        return 0;
    }
    const auto twice = colophon::to_nfc(*once);
    COLOPHON_ASSERT(twice.ok());
    COLOPHON_ASSERT(*twice == *once);
    return 0;
}
