// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file: reading and writing never crash, and what was written has one label.
#include "fuzz_container.h"
#include "label/format.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::fuzz::check_container(colophon::label::Format::kFlac, {data, size});
    return 0;
}
