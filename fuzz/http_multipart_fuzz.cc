// SPDX-License-Identifier: Apache-2.0
// Forms: never a crash, and what was read and written is read as the same again.
#include "core/assert.h"
#include "http/multipart.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The first line is the type, the rest the body.
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const std::size_t line = all.find('\n');
    if (line == std::string_view::npos) {
        return 0;
    }
    const auto boundary = colophon::http::form_boundary(all.substr(0, line));
    if (!boundary.ok()) {
        return 0;
    }
    const auto parts = colophon::http::parse_form(all.substr(line + 1), *boundary);
    if (!parts.ok()) {
        return 0;
    }
    const std::string written = colophon::http::write_form(*parts, *boundary);
    const auto again = colophon::http::parse_form(written, *boundary);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(again->size() == parts->size());
    for (std::size_t i = 0; i < parts->size(); ++i) {
        COLOPHON_ASSERT((*again)[i].name == (*parts)[i].name);
        COLOPHON_ASSERT((*again)[i].file_name == (*parts)[i].file_name);
        COLOPHON_ASSERT((*again)[i].data == (*parts)[i].data);
    }
    return 0;
}
