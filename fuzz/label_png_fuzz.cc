// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/format.h"
#include "label_pictures.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::label::check_container(colophon::label::Format::kPng, colophon::Bytes(data, size));
    return 0;
}
