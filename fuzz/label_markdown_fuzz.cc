// SPDX-License-Identifier: Apache-2.0
// Reads any bytes as Markdown and checks what holds of every document (label_documents.h).

#include "core/bytes.h"
#include "label/format.h"
#include "label_documents.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::label::check_document(colophon::label::Format::kMarkdown,
                                    colophon::Bytes(data, size));
    return 0;
}
