// SPDX-License-Identifier: Apache-2.0
#pragma once

// The heads of HTTP/1.1 messages (RFC 9112), read strictly. Whatever two readers could understand
// differently is refused, because that is how one request is smuggled behind another: a bare CR or
// LF, a folded line, white space before a colon, a control character, more than one Content-Length,
// Content-Length beside Transfer-Encoding, any transfer coding but "chunked", no Host or two.

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::http {

using Header = HttpHeader;
using Headers = std::vector<Header>;

// How the bytes of a body are found.
enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

struct Request {
    std::string method;  // "GET"; letters in capitals
    std::string path;    // with its escapes, without the query: "/v1/models"
    std::string query;   // behind the "?", as it came
    int minor = 1;       // HTTP/1.minor
    Headers headers;     // names in lower case
    Framing framing = Framing::kNone;
    std::uint64_t body_bytes = 0;  // for kLength
    bool keep_alive = true;
    bool expects_continue = false;

    // The first one of that (lower-case) name, or nothing.
    std::string_view header(std::string_view name) const noexcept;
};

struct ResponseHead {
    int status = 0;
    int minor = 1;
    Headers headers;  // names in lower case
    Framing framing = Framing::kNone;
    std::uint64_t body_bytes = 0;
    bool keep_alive = true;

    std::string_view header(std::string_view name) const noexcept;
};

// `head`: from the first byte of the first line to the end of the empty line. kCorrupt says what is
// wrong with it, kUnsupported for versions, methods and expectations that are not served, kLimit.
Result<Request> parse_request_head(std::string_view head);
// `to_head`: the request was a HEAD, so that no body follows whatever the head says.
Result<ResponseHead> parse_response_head(std::string_view head, bool to_head);

// Where the head at the start of `bytes` ends, behind its empty line; nothing when it is not whole.
// `seen`: how much of it was looked at before without success.
std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t seen) noexcept;

// The value of a query's field, its escapes undone: query_field("a=1&b=%20", "b") is " ". Nothing
// when there is none, or its escapes are broken.
std::optional<std::string> query_field(std::string_view query, std::string_view name);
// "%41" is "A"; nothing for broken escapes, NUL, or what is no UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

// "Not Found"
std::string_view reason_of(int status) noexcept;

// The body of a chunked message, decoded as it comes. Strict in the same way as the heads.
class ChunkDecoder {
public:
    // Takes bytes from the front of `in`, appends what they carry to `out`, and says how many were
    // taken: all, or fewer when the body ended there. At most `out_max` bytes are appended.
    // kCorrupt for what is no chunk.
    Result<std::size_t> take(std::string_view in, std::string& out, std::size_t out_max);
    bool done() const noexcept { return state_ == State::kDone; }

private:
    enum class State : std::uint8_t { kSize, kData, kDataEnd, kTrailer, kDone };
    Result<void> size_line(std::string_view line);
    Result<std::optional<std::string_view>> take_line(std::string_view& in, std::size_t max);

    State state_ = State::kSize;
    std::uint64_t left_ = 0;
    std::string line_;
    std::size_t trailer_bytes_ = 0;
};

}  // namespace colophon::http
