// SPDX-License-Identifier: Apache-2.0
#pragma once

// Forms with files (multipart/form-data, RFC 7578), whole in memory, read and written. The reader
// is strict: whatever two readers could understand differently is refused, because what is
// reviewed here must be what the upstream reads.

#include "core/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::http {

inline constexpr std::size_t kFormPartsMax = 64;
inline constexpr std::size_t kFormHeadBytesMax = 4096;  // the header of one part
inline constexpr std::size_t kBoundaryBytesMax = 70;

struct FormPart {
    std::string name;
    std::optional<std::string> file_name;  // there: the part is a file
    std::string media_type;                // as it came; empty when it said none
    std::string_view data;                 // points into the body
};

// The boundary that a Content-Type names. kUnsupported when it is no multipart/form-data,
// kCorrupt when the boundary is missing or is none.
Result<std::string> form_boundary(std::string_view content_type);

// The parts in their order. kCorrupt says what is wrong with the body, kLimit which limit it meets.
Result<std::vector<FormPart>> parse_form(std::string_view body, std::string_view boundary);

// The body of a form. `boundary` must not stand in any of the parts; names and media types are
// written as they are, so that they must have come from parse_form().
std::string write_form(const std::vector<FormPart>& parts, std::string_view boundary);

}  // namespace colophon::http
