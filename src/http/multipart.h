// SPDX-License-Identifier: Apache-2.0
#pragma once

// Forms with files (multipart/form-data, RFC 7578), read and written; read whole or as they come.
// The reader is strict: whatever two readers could understand differently is refused, because what
// is reviewed here must be what the upstream reads.

#include "core/result.h"

#include <cstddef>
#include <cstdint>
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

struct FormEvent {
    enum class Kind : std::uint8_t {
        kMore,  // nothing yet: the window must be longer
        kPart,  // a part begins
        kData,  // of that part
        kEnd,   // of the form
    };
    Kind kind = Kind::kMore;
    std::size_t taken = 0;  // bytes at the front of the window that are done with
    FormPart part;          // kPart: without its data
    std::string_view data;  // kData: points into the window
    bool last = false;      // kData: the part ends with it
};

// Reads a form of any size through a window: the bytes of the body that are there and not yet
// taken.
class FormScanner {
public:
    explicit FormScanner(std::string_view boundary);
    // `whole`: nothing comes behind the window; then kData is all of a part, and kMore does not
    // come. A window of kFormHeadBytesMax is always enough. Errors as those of parse_form().
    Result<FormEvent> next(std::string_view window, bool whole);

private:
    enum class State : std::uint8_t { kStart, kBoundary, kHead, kData, kTail };
    // Each looks at `window` from event.taken on; false: the window must be longer.
    Result<bool> at_start(std::string_view window, bool whole, FormEvent& event);
    Result<bool> at_boundary(std::string_view window, bool whole, FormEvent& event);
    Result<bool> at_head(std::string_view window, bool whole, FormEvent& event);
    Result<bool> in_data(std::string_view window, bool whole, FormEvent& event);
    static Result<bool> at_tail(std::string_view window, bool whole, FormEvent& event);

    std::string next_;  // what ends a part: a line's end, and the boundary behind two hyphens
    State state_ = State::kStart;
    std::size_t parts_ = 0;
};

// The parts in their order. kCorrupt says what is wrong with the body, kLimit which limit it meets.
Result<std::vector<FormPart>> parse_form(std::string_view body, std::string_view boundary);

// The body of a form. `boundary` must not stand in any of the parts; names and media types are
// written as they are, so that they must have come from parse_form().
std::string write_form(const std::vector<FormPart>& parts, std::string_view boundary);

}  // namespace colophon::http
