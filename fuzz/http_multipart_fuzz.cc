// SPDX-License-Identifier: Apache-2.0
// Forms: never a crash, and what was read and written is read as the same again.
#include "core/assert.h"
#include "core/result.h"
#include "http/multipart.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using colophon::http::FormEvent;

// However the body comes, it is read as when it is there.
void check_scan(std::string_view body, std::string_view boundary,
                const colophon::Result<std::vector<colophon::http::FormPart>>& parts) {
    colophon::http::FormScanner scanner(boundary);
    std::string window;
    std::vector<std::string> data;
    std::size_t step = 1;
    bool whole = false;
    for (;;) {
        const auto event = scanner.next(window, whole);
        COLOPHON_ASSERT(event.ok() || !parts.ok());
        if (!event.ok()) {
            return;
        }
        if (event->kind == FormEvent::Kind::kEnd) {
            break;
        }
        if (event->kind == FormEvent::Kind::kPart) {
            data.emplace_back();
        } else if (event->kind == FormEvent::Kind::kData) {
            data.back() += event->data;
        }
        window.erase(0, event->taken);
        if (event->kind == FormEvent::Kind::kMore) {
            COLOPHON_ASSERT(!whole);
            const std::string_view piece = body.substr(0, step);
            window += piece;
            body.remove_prefix(piece.size());
            whole = piece.empty();
            step = step % 61 + 3;
        }
    }
    COLOPHON_ASSERT(parts.ok());
    COLOPHON_ASSERT(parts->size() == data.size());
    for (std::size_t i = 0; i < data.size(); ++i) {
        COLOPHON_ASSERT((*parts)[i].data == data[i]);
    }
}

}  // namespace

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
    const std::string_view body = all.substr(line + 1);
    const auto parts = colophon::http::parse_form(body, *boundary);
    check_scan(body, *boundary, parts);
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
