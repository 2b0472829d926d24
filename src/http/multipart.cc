// SPDX-License-Identifier: Apache-2.0
#include "http/multipart.h"

#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kHyphens = "--";  // behind a boundary: the last one

Error corrupt(std::string_view what) {
    return Error{ErrorCode::kCorrupt, fmt::format("the form is broken: {}", what)};
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

struct Parameter {
    std::string name;
    std::string value;
};

// One value: quoted, or up to the next semicolon. Takes it from the front of `rest`.
Result<std::string> take_value(std::string_view& rest) {
    std::string value;
    if (!rest.starts_with('"')) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        value = trim(rest.substr(0, end));
        rest.remove_prefix(end);
        if (value.empty() || value.find_first_of(" \t\"\\") != std::string::npos) {
            return corrupt("a parameter of a header is no value");
        }
        return value;
    }
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
        if (rest[at] == '\\') {
            // Readers disagree about what a backslash means here; browsers write none.
            return corrupt("a quoted value has a backslash");
        }
        value += rest[at];
    }
    if (at >= rest.size()) {
        return corrupt("a quoted value does not end");
    }
    rest.remove_prefix(at + 1);
    return value;
}

// "form-data; name=\"a\"; filename=\"b\"" behind its first word.
Result<std::vector<Parameter>> parameters(std::string_view rest) {
    std::vector<Parameter> all;
    rest = trim(rest);
    while (!rest.empty()) {
        if (!rest.starts_with(';')) {
            return corrupt("parameters of a header are not parted by semicolons");
        }
        rest = trim(rest.substr(1));
        if (rest.empty()) {
            break;
        }
        const std::size_t equals = rest.find('=');
        if (equals == std::string_view::npos || equals == 0) {
            return corrupt("a parameter of a header has no name");
        }
        Parameter each;
        each.name = rest.substr(0, equals);
        std::ranges::transform(each.name, each.name.begin(), lower);
        rest.remove_prefix(equals + 1);
        each.value = TRY(take_value(rest));
        const bool twice = std::ranges::any_of(
            all, [&](const Parameter& known) { return known.name == each.name; });
        if (twice || each.name.find_first_of(" \t\"") != std::string::npos ||
            std::ranges::any_of(each.value, is_control)) {
            return corrupt("a parameter of a header stands there twice or is none");
        }
        all.push_back(std::move(each));
        rest = trim(rest);
    }
    return all;
}

Result<void> read_disposition(std::string_view value, FormPart& part) {
    const std::size_t end = std::min(value.find(';'), value.size());
    if (!same(trim(value.substr(0, end)), "form-data")) {
        return corrupt("a part is no form-data");
    }
    std::vector<Parameter> given = TRY(parameters(value.substr(end)));
    bool named = false;
    for (Parameter& each : given) {
        if (each.name == "name") {
            named = true;
            part.name = std::move(each.value);
        } else if (each.name == "filename") {
            part.file_name = std::move(each.value);
        } else {
            // filename* would be a second name of the same thing.
            return corrupt("a part has parameters that are not known");
        }
    }
    return named && !part.name.empty() ? Result<void>() : corrupt("a part has no name");
}

Result<FormPart> read_head(std::string_view head) {
    FormPart part;
    bool disposed = false;
    bool typed = false;
    while (!head.empty()) {
        const std::size_t end = std::min(head.find(kLineEnd), head.size());
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(end + kLineEnd.size(), head.size()));
        const std::size_t colon = line.find(':');
        const bool folded = line.starts_with(' ') || line.starts_with('\t');
        if (colon == std::string_view::npos || colon == 0 || folded ||
            std::ranges::any_of(line, [](char c) { return is_control(c) && c != '\t'; })) {
            return corrupt("a line of a part's header is no header");
        }
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trim(line.substr(colon + 1));
        if (same(name, "content-disposition") && !disposed) {
            disposed = true;
            TRY(read_disposition(value, part));
        } else if (same(name, "content-type") && !typed) {
            typed = true;
            part.media_type = value;
        } else if (!same(name, "content-length")) {
            return corrupt("a part has a header twice, or one that is not known");
        }
    }
    if (!disposed) {
        return corrupt("a part has no name");
    }
    return part;
}

bool is_boundary(std::string_view text) {
    constexpr std::string_view kAllowed = "'()+_,-./:=?";
    return !text.empty() && text.size() <= kBoundaryBytesMax &&
           std::ranges::all_of(text, [&](char c) {
               return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
                      kAllowed.find(c) != std::string_view::npos;
           });
}

}  // namespace

Result<std::string> form_boundary(std::string_view content_type) {
    const std::size_t end = std::min(content_type.find(';'), content_type.size());
    if (!same(trim(content_type.substr(0, end)), "multipart/form-data")) {
        return Error{ErrorCode::kUnsupported, "the body is no form (multipart/form-data)"};
    }
    std::vector<Parameter> given = TRY(parameters(content_type.substr(end)));
    for (Parameter& each : given) {
        if (each.name == "boundary" && is_boundary(each.value)) {
            return std::move(each.value);
        }
    }
    return corrupt("its boundary is missing or is none");
}

FormScanner::FormScanner(std::string_view boundary) : next_("\r\n--" + std::string(boundary)) {}

Result<FormEvent> FormScanner::next(std::string_view window, bool whole) {
    FormEvent event;
    for (;;) {
        const State before = state_;
        const std::string_view rest = window.substr(event.taken);
        bool seen = false;
        switch (state_) {
            case State::kStart:
                seen = TRY(at_start(rest, whole, event));
                break;
            case State::kBoundary:
                seen = TRY(at_boundary(rest, whole, event));
                break;
            case State::kHead:
                seen = TRY(at_head(rest, whole, event));
                break;
            case State::kData:
                seen = TRY(in_data(rest, whole, event));
                break;
            case State::kTail:
                seen = TRY(at_tail(rest, whole, event));
                break;
        }
        const bool silent = before == State::kStart || before == State::kBoundary;
        if (!seen || !silent) {
            return event;
        }
    }
}

Result<bool> FormScanner::at_start(std::string_view window, bool whole, FormEvent& event) {
    const std::string_view first = std::string_view(next_).substr(kLineEnd.size());
    const std::string_view begun = window.substr(0, first.size());
    if (!first.starts_with(begun) || (whole && begun.size() < first.size())) {
        return corrupt("it does not begin with its boundary");
    }
    if (begun.size() < first.size()) {
        return false;
    }
    event.taken += first.size();
    state_ = State::kBoundary;
    return true;
}

// The two bytes behind a boundary.
Result<bool> FormScanner::at_boundary(std::string_view window, bool whole, FormEvent& event) {
    if (window.size() < kLineEnd.size() && !whole) {
        return false;
    }
    if (window.starts_with(kHyphens)) {
        state_ = State::kTail;
    } else if (window.starts_with(kLineEnd)) {
        if (parts_ == kFormPartsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the form has more than {} parts", kFormPartsMax)};
        }
        state_ = State::kHead;
    } else {
        return corrupt("a boundary does not end its line");
    }
    event.taken += kLineEnd.size();
    return true;
}

Result<bool> FormScanner::at_head(std::string_view window, bool whole, FormEvent& event) {
    const std::size_t end = window.substr(0, kFormHeadBytesMax).find(kHeadEnd);
    if (end == std::string_view::npos) {
        if (whole || window.size() >= kFormHeadBytesMax) {
            return corrupt("the header of a part does not end, or is too long");
        }
        return false;
    }
    event.part = TRY(read_head(window.substr(0, end)));
    event.kind = FormEvent::Kind::kPart;
    event.taken += end + kHeadEnd.size();
    ++parts_;
    state_ = State::kData;
    return true;
}

Result<bool> FormScanner::in_data(std::string_view window, bool whole, FormEvent& event) {
    const std::size_t end = window.find(next_);
    if (end != std::string_view::npos) {
        event.kind = FormEvent::Kind::kData;
        event.data = window.substr(0, end);
        event.last = true;
        event.taken += end + next_.size();
        state_ = State::kBoundary;
        return true;
    }
    if (whole) {
        return corrupt("a part does not end");
    }
    if (window.size() < next_.size()) {
        return false;
    }
    // The end of what is here may be the beginning of the boundary.
    event.kind = FormEvent::Kind::kData;
    event.data = window.substr(0, window.size() - (next_.size() - 1));
    event.taken += event.data.size();
    return true;
}

Result<bool> FormScanner::at_tail(std::string_view window, bool whole, FormEvent& event) {
    const bool good = window.empty() || window == kLineEnd || (!whole && window == "\r");
    if (!good) {
        return corrupt("something stands behind its end");
    }
    if (!whole) {
        return false;
    }
    event.kind = FormEvent::Kind::kEnd;
    event.taken += window.size();
    return true;
}

Result<std::vector<FormPart>> parse_form(std::string_view body, std::string_view boundary) {
    FormScanner scanner(boundary);
    std::vector<FormPart> parts;
    for (;;) {
        FormEvent event = TRY(scanner.next(body, true));
        if (event.kind == FormEvent::Kind::kPart) {
            parts.push_back(std::move(event.part));
        } else if (event.kind == FormEvent::Kind::kData) {
            parts.back().data = event.data;
        } else {
            return parts;
        }
        body.remove_prefix(event.taken);
    }
}

std::string write_form(const std::vector<FormPart>& parts, std::string_view boundary) {
    std::string out;
    for (const FormPart& each : parts) {
        out +=
            fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"", boundary, each.name);
        if (each.file_name) {
            out += fmt::format("; filename=\"{}\"", *each.file_name);
        }
        if (!each.media_type.empty()) {
            out += "\r\nContent-Type: " + each.media_type;
        }
        out += "\r\n\r\n";
        out += each.data;
        out += kLineEnd;
    }
    return out + fmt::format("--{}--\r\n", boundary);
}

}  // namespace colophon::http
