// SPDX-License-Identifier: Apache-2.0
#pragma once

// Server-sent events (WHATWG HTML, 9.2), read as they come and written.

#include "core/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::http {

struct SseEvent {
    std::string name;  // the field "event"; empty when there was none
    std::string data;  // the lines of "data", joined by line feeds
};

class SseReader {
public:
    // Takes the next bytes of the stream.
    void feed(std::string_view bytes);
    // The next event that is whole, or nothing. kUnsupported when one has more than
    // kSseEventBytesMax.
    Result<std::optional<SseEvent>> next();

private:
    void take_line(std::string_view line);

    std::string in_;
    std::size_t at_ = 0;
    SseEvent event_;
    bool has_data_ = false;
    bool begun_ = false;
};

// The event as it stands in a stream; `data` may have several lines, `name` may be empty.
std::string write_sse(std::string_view name, std::string_view data);

}  // namespace colophon::http
