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

namespace colophon::label {
namespace {

void check_label(std::string_view text) {
    AigcLabel label;
    label.reserved_code1 = text;
    (void)verify_security_data(label, {});
    const auto reading = read_aigc(text);
    if (!reading.ok()) {
        return;
    }
    (void)judge_aigc(reading->label);
    (void)verify_security_data(reading->label, {});
    for (const Wrapping wrapping : {Wrapping::kBare, Wrapping::kWrapped}) {
        const auto again = read_aigc(write_aigc(reading->label, wrapping));
        COLOPHON_ASSERT(again.ok());
        COLOPHON_ASSERT(again->label == reading->label);
        COLOPHON_ASSERT(again->findings.empty());
    }
}

}  // namespace
}  // namespace colophon::label

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::label::check_label(colophon::as_text({data, size}));
    return 0;
}
