// SPDX-License-Identifier: Apache-2.0
// Heads of requests and answers, and chunked bodies: never a crash, and what is accepted has one
// meaning only.
#include "core/assert.h"
#include "http/message.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace http = colophon::http;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto end = http::find_head_end(bytes, 0);
    const std::string_view head = bytes.substr(0, end.value_or(size));
    const auto request = http::parse_request_head(head);
    if (request.ok()) {
        COLOPHON_ASSERT(head.ends_with("\r\n\r\n"));
        COLOPHON_ASSERT(head.find('\0') == std::string_view::npos);
        const auto lengths = std::ranges::count(request->headers, std::string("content-length"),
                                                &http::Header::name);
        const auto codings = std::ranges::count(request->headers, std::string("transfer-encoding"),
                                                &http::Header::name);
        COLOPHON_ASSERT(lengths + codings <= 1);
        COLOPHON_ASSERT((request->framing == http::Framing::kChunked) == (codings == 1));
    }
    (void)http::parse_response_head(head, false);
    (void)http::query_field(bytes, "a");

    // Cut anywhere, the same bytes are the same body.
    http::ChunkDecoder whole;
    std::string out;
    const auto taken = whole.take(bytes, out, SIZE_MAX);
    const std::size_t cut = size == 0 ? 0 : data[0] % (size + 1);
    http::ChunkDecoder parts;
    std::string again;
    const auto first = parts.take(bytes.substr(0, cut), again, SIZE_MAX);
    const auto second =
        first.ok() && !parts.done() ? parts.take(bytes.substr(cut), again, SIZE_MAX) : first;
    COLOPHON_ASSERT(taken.ok() == second.ok());
    COLOPHON_ASSERT(!taken.ok() || out == again);
    return 0;
}
