// SPDX-License-Identifier: Apache-2.0
#include "http/sse.h"

#include "core/result.h"
#include "http/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::http {

void SseReader::feed(std::string_view bytes) {
    if (at_ > 0) {
        in_.erase(0, at_);
        at_ = 0;
    }
    in_ += bytes;
    if (!begun_ && in_.size() >= 3) {
        begun_ = true;
        if (in_.starts_with("\xEF\xBB\xBF")) {
            at_ = 3;
        }
    }
}

Result<std::optional<SseEvent>> SseReader::next() {
    const std::string_view all(in_);
    while (at_ < all.size()) {
        const std::size_t end = all.find_first_of("\r\n", at_);
        // A CR at the very end may be half of a CR LF.
        if (end == std::string_view::npos || (all[end] == '\r' && end + 1 == all.size())) {
            break;
        }
        const std::string_view line = all.substr(at_, end - at_);
        at_ = end + (all.substr(end).starts_with("\r\n") ? 2 : 1);
        if (!line.empty()) {
            take_line(line);
        } else if (has_data_) {
            has_data_ = false;
            return std::optional(std::exchange(event_, {}));
        } else {
            event_ = {};
        }
        if (event_.data.size() > kSseEventBytesMax) {
            return Error{
                ErrorCode::kUnsupported,
                fmt::format("an event of the stream has more than {} bytes", kSseEventBytesMax)};
        }
    }
    if (all.size() - at_ > kSseEventBytesMax) {
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("an event of the stream has more than {} bytes", kSseEventBytesMax)};
    }
    return std::optional<SseEvent>();
}

void SseReader::take_line(std::string_view line) {
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view field = line.substr(0, colon);
    std::string_view value = line.substr(std::min(colon + 1, line.size()));
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (field == "data") {
        if (has_data_) {
            event_.data += '\n';
        }
        has_data_ = true;
        event_.data += value;
    } else if (field == "event") {
        event_.name = value;
    }
}

std::string write_sse(std::string_view name, std::string_view data) {
    std::string out;
    out.reserve(name.size() + data.size() + 24);
    if (!name.empty()) {
        out += "event: ";
        out += name;
        out += '\n';
    }
    for (;;) {
        const std::size_t end = data.find('\n');
        out += "data: ";
        out += data.substr(0, end);
        out += '\n';
        if (end == std::string_view::npos) {
            break;
        }
        data.remove_prefix(end + 1);
    }
    out += '\n';
    return out;
}

}  // namespace colophon::http
