// SPDX-License-Identifier: Apache-2.0
// What is read of a label can be written and read again, with the same fields; and no ReservedCode1
// disturbs the verifier.

#include "core/assert.h"
#include "core/bytes.h"
#include "label/metadata/aigc.h"
#include "label/metadata/security_data.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace colophon::label;  // NOLINT(google-build-using-namespace): one function
    const std::string_view text = colophon::as_text({data, size});
    AigcLabel label;
    label.reserved_code1 = text;
    (void)verify_security_data(label, {});
    const auto reading = read_aigc(text);
    if (!reading.ok()) {
        return 0;
    }
    (void)judge_aigc(reading->label);
    (void)verify_security_data(reading->label, {});
    for (const Wrapping wrapping : {Wrapping::kBare, Wrapping::kWrapped}) {
        const auto again = read_aigc(write_aigc(reading->label, wrapping));
        COLOPHON_ASSERT(again.ok());
        COLOPHON_ASSERT(again->label == reading->label);
        COLOPHON_ASSERT(again->findings.empty());
    }
    return 0;
}
