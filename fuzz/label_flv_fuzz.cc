// SPDX-License-Identifier: Apache-2.0
// Flash Video script data.

#include "core/bytes.h"
#include "label/format.h"
#include "label/metadata/container.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace label = colophon::label;
    (void)label::find_container(label::Format::kFlv)->read(colophon::Bytes(data, size));
    return 0;
}
