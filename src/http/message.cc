// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/utf8.h"
#include "http/limits.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/none.hpp>
#include <boost/optional/optional.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace colophon::http {
namespace {

namespace beast = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

Error wrong(std::string_view what) {
    return Error{ErrorCode::kCorrupt, fmt::format("the head of the message is refused: {}", what)};
}

bool is_token(char c) noexcept {
    constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kSigns.find(c) != std::string_view::npos;
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// Everything about bytes and lines that a lenient parser might let pass.
Result<void> check_lines(std::string_view head) {
    std::string_view rest = head;
    std::size_t line = 0;
    while (!rest.empty()) {
        const std::size_t end = rest.find("\r\n");
        if (end == std::string_view::npos) {
            return wrong("a line does not end with CR LF");
        }
        const std::string_view text = rest.substr(0, end);
        const bool control = std::ranges::any_of(text, [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
        });
        if (control) {
            return wrong("a line has a control character");
        }
        if (line > 0 && !text.empty()) {
            const std::size_t colon = text.find(':');
            if (colon == 0 || colon == std::string_view::npos ||
                !std::ranges::all_of(text.substr(0, colon), is_token)) {
                return wrong("a field has no proper name");
            }
        }
        if (++line > kHeadersMax + 2) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the head of a message has more than {} fields", kHeadersMax)};
        }
        rest.remove_prefix(end + 2);
    }
    return {};
}

// What the fields say about the body, gathered while they are read.
struct Body {
    std::size_t lengths = 0;
    std::size_t codings = 0;
    std::size_t hosts = 0;
    std::uint64_t bytes = 0;
    bool bad = false;
    bool chunked = false;
    bool close = false;
    bool keep = false;
};

void note_connection(std::string_view value, Body& body) {
    while (!value.empty()) {
        const std::size_t end = std::min(value.find(','), value.size());
        std::string_view word = value.substr(0, end);
        while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) {
            word.remove_prefix(1);
        }
        while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) {
            word.remove_suffix(1);
        }
        body.close = body.close || same_word(word, "close");
        body.keep = body.keep || same_word(word, "keep-alive");
        value.remove_prefix(std::min(end + 1, value.size()));
    }
}

void note_field(std::string_view name, std::string_view value, Body& body) {
    if (name == "content-length") {
        ++body.lengths;
        const auto [end, failed] =
            std::from_chars(value.data(), value.data() + value.size(), body.bytes);
        body.bad = body.bad || value.empty() || failed != std::errc{} ||
                   end != value.data() + value.size() || value.size() > 18;
    } else if (name == "transfer-encoding") {
        ++body.codings;
        body.chunked = same_word(value, "chunked");
    } else if (name == "connection") {
        note_connection(value, body);
    } else if (name == "host") {
        ++body.hosts;
    }
}

// Beast's parser, which calls these for what it finds. The names are its own.
// NOLINTBEGIN(readability-identifier-naming)
template <bool kIsRequest>
class HeadParser final : public beast::basic_parser<kIsRequest> {
public:
    std::string method;
    std::string target;
    int status = 0;
    int version = 0;
    Headers headers;
    Body body;

private:
    void on_request_impl(beast::verb, string_view name, string_view asked, int number,
                         error_code&) override {
        method.assign(name.data(), name.size());
        target.assign(asked.data(), asked.size());
        version = number;
    }
    void on_response_impl(int code, string_view, int number, error_code&) override {
        status = code;
        version = number;
    }
    void on_field_impl(beast::field, string_view name, string_view value, error_code&) override {
        Header& header = headers.emplace_back();
        header.name.resize(name.size());
        std::ranges::transform(name, header.name.begin(), lower);
        header.value.assign(value.data(), value.size());
        note_field(header.name, header.value, body);
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(string_view piece, error_code&) override { return piece.size(); }
    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
        return piece.size();
    }
    void on_finish_impl(error_code&) override {}
};
// NOLINTEND(readability-identifier-naming)

template <bool kIsRequest>
Result<void> parse(std::string_view head, HeadParser<kIsRequest>& parser) {
    TRY(check_lines(head));
    parser.header_limit(static_cast<std::uint32_t>(head.size() + 1));
    parser.body_limit(boost::none);
    parser.skip(true);
    error_code failed;
    parser.put(boost::asio::buffer(head.data(), head.size()), failed);
    if (failed && failed != beast::error::need_more) {
        return wrong(failed.message());
    }
    if (!parser.is_header_done()) {
        return wrong("it is not whole");
    }
    const Body& body = parser.body;
    if (body.bad || body.lengths > 1) {
        return wrong("its Content-Length is no number, or there are several");
    }
    if (body.codings > 0 && (body.lengths > 0 || body.codings > 1 || !body.chunked)) {
        return wrong("it has a Transfer-Encoding other than one \"chunked\", or a length besides");
    }
    if (body.codings > 0 && parser.version != 11) {
        return wrong("HTTP/1.0 has no Transfer-Encoding");
    }
    return {};
}

bool keeps_alive(const Body& body, int version) noexcept {
    return version == 11 ? !body.close : body.keep && !body.close;
}

std::string_view find_header(const Headers& headers, std::string_view name) noexcept {
    for (const Header& each : headers) {
        if (each.name == name) {
            return each.value;
        }
    }
    return {};
}

Result<void> set_target(std::string_view target, Request& request) {
    const bool printable =
        std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
    if (target.size() > kTargetBytesMax) {
        return Error{
            ErrorCode::kLimit,
            fmt::format("the target of a request has more than {} bytes", kTargetBytesMax)};
    }
    // The absolute form is for proxies, and the authority of CONNECT too.
    if (target.empty() || target.front() != '/' || !printable) {
        return wrong("its target does not begin with a slash, or has a strange character");
    }
    const std::size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    request.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
    return {};
}

int hex_value(char c) noexcept {
    const char low = lower(c);
    if (low >= '0' && low <= '9') {
        return low - '0';
    }
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

constexpr std::array<std::pair<int, std::string_view>, 29> kReasons{{
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
}};

}  // namespace

std::string_view Request::header(std::string_view name) const noexcept {
    return find_header(headers, name);
}

std::string_view ResponseHead::header(std::string_view name) const noexcept {
    return find_header(headers, name);
}

Result<Request> parse_request_head(std::string_view head) {
    HeadParser<true> parser;
    TRY(parse(head, parser));
    if (parser.version != 10 && parser.version != 11) {
        return Error{ErrorCode::kUnsupported, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    }
    if (parser.body.hosts > 1 || (parser.version == 11 && parser.body.hosts != 1)) {
        return wrong("it has no Host, or several");
    }
    Request request;
    request.method = std::move(parser.method);
    request.minor = parser.version - 10;
    request.headers = std::move(parser.headers);
    TRY(set_target(parser.target, request));
    if (parser.body.chunked) {
        request.framing = Framing::kChunked;
    } else if (parser.body.bytes > 0) {
        request.framing = Framing::kLength;
        request.body_bytes = parser.body.bytes;
    }
    request.keep_alive = keeps_alive(parser.body, parser.version);
    const std::string_view expect = request.header("expect");
    request.expects_continue = request.minor == 1 && same_word(expect, "100-continue");
    if (!expect.empty() && !same_word(expect, "100-continue")) {
        return Error{ErrorCode::kUnsupported, "the only expectation that is met is 100-continue"};
    }
    return request;
}

Result<ResponseHead> parse_response_head(std::string_view head, bool to_head) {
    HeadParser<false> parser;
    TRY(parse(head, parser));
    if (parser.version != 10 && parser.version != 11) {
        return wrong("it is neither HTTP/1.0 nor HTTP/1.1");
    }
    ResponseHead response;
    response.status = parser.status;
    response.minor = parser.version - 10;
    response.headers = std::move(parser.headers);
    response.keep_alive = keeps_alive(parser.body, parser.version);
    const bool bodiless =
        to_head || parser.status < 200 || parser.status == 204 || parser.status == 304;
    if (bodiless) {
        response.framing = Framing::kNone;
    } else if (parser.body.chunked) {
        response.framing = Framing::kChunked;
    } else if (parser.body.lengths == 1) {
        response.framing = parser.body.bytes == 0 ? Framing::kNone : Framing::kLength;
        response.body_bytes = parser.body.bytes;
    } else {
        response.framing = Framing::kUntilClose;
        response.keep_alive = false;
    }
    return response;
}

std::optional<std::size_t> find_head_end(std::string_view bytes, std::size_t seen) noexcept {
    const std::size_t end = bytes.find("\r\n\r\n", seen < 3 ? 0 : seen - 3);
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    return end + 4;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        if (text.size() - at < 3) {
            return std::nullopt;
        }
        const int high = hex_value(text[at + 1]);
        const int low = hex_value(text[at + 2]);
        if (high < 0 || low < 0 || high + low == 0) {
            return std::nullopt;
        }
        out += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return find_invalid_utf8(out) ? std::nullopt : std::optional(out);
}

std::optional<std::string> query_field(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view field = query.substr(0, end);
        const std::size_t sign = std::min(field.find('='), field.size());
        if (field.substr(0, sign) == name) {
            return percent_decode(field.substr(std::min(sign + 1, field.size())));
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return std::nullopt;
}

std::string_view reason_of(int status) noexcept {
    const auto* row = std::ranges::find(kReasons, status, &decltype(kReasons)::value_type::first);
    return row == kReasons.end() ? std::string_view("Unknown") : row->second;
}

Result<std::optional<std::string_view>> ChunkDecoder::take_line(std::string_view& in,
                                                                std::size_t max) {
    const std::size_t end = in.find('\n');
    const std::size_t taken = end == std::string_view::npos ? in.size() : end + 1;
    if (line_.size() + taken > max) {
        return Error{ErrorCode::kCorrupt, "a line between chunks is too long"};
    }
    line_ += in.substr(0, taken);
    in.remove_prefix(taken);
    if (end == std::string_view::npos) {
        return std::optional<std::string_view>();
    }
    const std::string_view line(line_);
    const bool control = std::ranges::any_of(line.substr(0, line.size() - 1), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\r') || c == 0x7F;
    });
    if (!line.ends_with("\r\n") || control || line.find('\r') != line.size() - 2) {
        return Error{ErrorCode::kCorrupt, "a line between chunks does not end with CR LF"};
    }
    return std::optional(line.substr(0, line.size() - 2));
}

Result<void> ChunkDecoder::size_line(std::string_view line) {
    // An extension means nothing to us and may be there; white space before it may not.
    const std::string_view digits = line.substr(0, line.find(';'));
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
    if (digits.empty() || digits.size() > 15 || failed != std::errc{} ||
        end != digits.data() + digits.size()) {
        return Error{ErrorCode::kCorrupt, "the size of a chunk is no hexadecimal number"};
    }
    state_ = left_ == 0 ? State::kTrailer : State::kData;
    return {};
}

Result<std::size_t> ChunkDecoder::take(std::string_view in, std::string& out, std::size_t out_max) {
    const std::size_t before = in.size();
    std::size_t room = out_max;
    while (!in.empty() && state_ != State::kDone) {
        if (state_ == State::kData) {
            const auto piece =
                static_cast<std::size_t>(std::min<std::uint64_t>({left_, in.size(), room}));
            if (piece == 0) {
                break;
            }
            out += in.substr(0, piece);
            in.remove_prefix(piece);
            room -= piece;
            left_ -= piece;
            state_ = left_ == 0 ? State::kDataEnd : State::kData;
            continue;
        }
        const auto line =
            TRY(take_line(in, state_ == State::kTrailer ? kTrailerBytesMax - trailer_bytes_
                                                        : kChunkLineBytesMax));
        if (!line) {
            break;
        }
        if (state_ == State::kSize) {
            TRY(size_line(*line));
        } else if (state_ == State::kDataEnd) {
            if (!line->empty()) {
                return Error{ErrorCode::kCorrupt, "a chunk is longer than its size says"};
            }
            state_ = State::kSize;
        } else {
            // Trailers are read and forgotten: nothing here may change what the head said.
            trailer_bytes_ += line->size() + 2;
            state_ = line->empty() ? State::kDone : State::kTrailer;
        }
        line_.clear();
    }
    return before - in.size();
}

}  // namespace colophon::http
