// SPDX-License-Identifier: Apache-2.0
// The life of a connection:
//
//   handshake -> [ head -> handler { body, answer } -> rest of the body ] ... -> goodbye
//
// There is at most one read under way, and it goes on while a handler works, so that a client that
// leaves is noticed at once. What it brings is the beginning of the next request (pipelining).
#include "http/internal/connection.h"

#include "core/assert.h"
#include "core/result.h"
#include "http/exchange.h"
#include "http/internal/transport.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/server.h"
#include "http/tls.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::http {
namespace {

// So much of a body that nobody wanted is read and forgotten, to keep the connection.
constexpr std::uint64_t kSkippedBytesMax = 256U << 10U;
constexpr std::chrono::seconds kLinger{2};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr std::string_view kChunkedFraming = "transfer-encoding: chunked\r\n";
constexpr std::string_view kNothing;

// RFC 9110, 5.6.7; made once a second.
const std::string& http_date() {
    thread_local std::string text;
    thread_local std::time_t made = 0;
    // tidy: allow(ban): the Date field says the time of the system, whatever a test's clock says
    const std::time_t now = std::time(nullptr);
    if (now != made) {
        std::tm parts{};
        if (::gmtime_r(&now, &parts) == nullptr) {
            return text;
        }
        constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        text = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday],
                           parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900,
                           parts.tm_hour, parts.tm_min, parts.tm_sec);
        made = now;
    }
    return text;
}

Error bare_line() {
    return Error{ErrorCode::kCorrupt,
                 "the head of the message is refused: a line does not end with CR LF"};
}

Error gone_error() {
    return Error{ErrorCode::kUnavailable, "the client left"};
}

Error slow_body() {
    return Error{ErrorCode::kLimit, "the body of the request comes too slowly"};
}

Error cut_body() {
    return Error{ErrorCode::kUnavailable, "the client left before its request was whole"};
}

Error broken_body() {
    return Error{ErrorCode::kUnavailable, "the body of the request cannot be read"};
}

Error unanswered() {
    return Error{ErrorCode::kUnavailable, "the call was not answered"};
}

int status_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::kLimit:
            return 431;
        case ErrorCode::kUnsupported:
            return 501;
        default:
            return 400;
    }
}

}  // namespace

class Connection::FillAwaiter {
public:
    explicit FillAwaiter(Connection& connection) : connection_(connection) {}
    bool await_ready() const noexcept { return !connection_.reading_; }
    void await_suspend(std::coroutine_handle<> waiting) noexcept { connection_.reader_ = waiting; }
    void await_resume() const noexcept {}

private:
    Connection& connection_;
};

Connection::Connection(const ConnectionContext& context, std::unique_ptr<Transport> transport,
                       const ServerLimits& limits)
    : context_(context),
      limits_(limits),
      transport_(std::move(transport)),
      peer_(transport_->peer()),
      local_(transport_->local()) {}

void Connection::start_read() {
    if (reading_ || at_end_ || broken_) {
        return;
    }
    reading_ = true;
    fresh_.clear();
    transport_->read(fresh_, [this](const Result<std::size_t>& result) { finished_read(result); });
}

void Connection::finished_read(const Result<std::size_t>& result) {
    reading_ = false;
    if (!result.ok()) {
        broken_ = true;
        if (transport_->expired()) {
            ++context_.counts.timeouts;
        }
    } else if (*result == 0) {
        at_end_ = true;
    } else {
        in_ += fresh_;
    }
    if (reader_) {
        std::exchange(reader_, {}).resume();
        return;
    }
    if (!busy_) {
        return;
    }
    if (at_end_ || broken_) {
        gone_.request_stop();
    } else if (in_.size() < kPipelineBytesMax) {
        start_read();
    }
}

Task<Connection::Fill> Connection::fill() {
    start_read();
    co_await FillAwaiter(*this);
    if (broken_) {
        co_return Fill::kFailed;
    }
    co_return at_end_ ? Fill::kEnd : Fill::kMore;
}

// A read that is going on must end before the connection does.
Task<void> Connection::settle_read() {
    transport_->close();
    co_await FillAwaiter(*this);
}

Task<void> Connection::serve(std::shared_ptr<TlsContext> tls) {
    secure_ = tls != nullptr;
    if (tls) {
        transport_->expire_in(limits_.handshake_time);
        const auto shaken = co_await transport_->accept_tls(std::move(tls));
        transport_->never_expire();
        if (!shaken.ok()) {
            transport_->close();
            co_return;
        }
    }
    co_await serve_requests();
    if (!reading_) {
        co_await transport_->end_tls();
    }
    co_await settle_read();
}

Task<void> Connection::serve_requests() {
    while (requests_ < limits_.requests_max) {
        auto next = co_await next_request();
        if (!next.ok()) {
            ++context_.counts.malformed;
            co_await refuse(next.error());
            co_return;
        }
        if (!*next) {
            co_return;
        }
        request_ = std::move(**next);
        const bool go_on = co_await serve_one();
        if (!go_on) {
            co_return;
        }
    }
}

// Nothing when the client left, or time or the server's end told it to.
Task<Result<std::optional<Request>>> Connection::next_request() {
    std::size_t seen = 0;
    transport_->expire_in(limits_.idle_time);
    bool begun = false;
    for (;;) {
        // An empty line before a request is forgiven, as RFC 9112, 2.2 asks; one, not many.
        if (seen == 0 && in_.starts_with("\r\n")) {
            in_.erase(0, 2);
        }
        const auto end = find_head_end(in_, seen);
        if (end && *end <= limits_.head_bytes_max) {
            transport_->never_expire();
            auto request = parse_request_head(std::string_view(in_).substr(0, *end));
            in_.erase(0, *end);
            if (!request.ok()) {
                co_return request.error();
            }
            co_return std::optional(std::move(*request));
        }
        if (end || in_.size() > limits_.head_bytes_max) {
            co_return Error{ErrorCode::kLimit,
                            fmt::format("the head of a request has more than {} bytes",
                                        limits_.head_bytes_max)};
        }
        // What cannot become a request is refused before it is whole.
        if (in_.find('\n') != std::string::npos && in_.find("\r\n") == std::string::npos) {
            co_return bare_line();
        }
        if (!in_.empty() && !begun) {
            begun = true;
            transport_->expire_in(limits_.head_time);
        }
        if (in_.empty() && context_.draining) {
            co_return std::optional<Request>();
        }
        seen = in_.size();
        const Fill got = co_await fill();
        if (got != Fill::kMore) {
            co_return std::optional<Request>();
        }
    }
}

void Connection::begin_body() {
    body_open_ = request_.framing != Framing::kNone;
    body_failed_ = false;
    body_left_ = request_.body_bytes;
    body_taken_ = 0;
    body_began_ = std::chrono::steady_clock::now();
    chunks_ = ChunkDecoder();
    owes_continue_ = request_.expects_continue && body_open_;
    if (!body_open_) {
        body_ended();
    }
}

void Connection::body_ended() {
    body_open_ = false;
    transport_->never_expire();
    if (in_.size() < kPipelineBytesMax) {
        start_read();
    }
}

Task<bool> Connection::serve_one() {
    ++requests_;
    ++context_.counts.requests;
    ++context_.counts.active;
    status_ = 0;
    streaming_ = false;
    bytes_out_ = 0;
    gone_ = std::stop_source();
    busy_ = true;
    keep_ = request_.keep_alive && requests_ < limits_.requests_max;
    if (at_end_ || broken_) {
        gone_.request_stop();
    }
    begin_body();
    co_await call_handler();
    if (status_ == 0 && !broken_) {
        const Error why = unanswered();
        co_await refuse(why);
    }
    busy_ = false;
    --context_.counts.active;
    if (streaming_ || broken_ || !keep_ || context_.draining) {
        if (!streaming_ && !broken_) {
            co_await linger();
        }
        co_return false;
    }
    const bool skipped = co_await skip_body();
    if (!skipped) {
        co_await linger();
    }
    co_return skipped;
}

Task<void> Connection::call_handler() {
    try {
        co_await context_.options.handler(*this);
    } catch (const std::exception&) {
        // The last resort: nothing of an exception's text is for the client.
        keep_ = false;
    }
}

// Reads and forgets what nobody wanted of a body. False when it is too much: the connection ends.
Task<bool> Connection::skip_body() {
    std::string forgotten;
    std::uint64_t skipped = 0;
    while (body_open_) {
        if (owes_continue_ || body_failed_ || skipped > kSkippedBytesMax) {
            co_return false;
        }
        forgotten.clear();
        const auto count = co_await read_some(forgotten);
        if (!count.ok()) {
            co_return false;
        }
        skipped += *count;
    }
    co_return !body_failed_;
}

Task<void> Connection::refuse(const Error& why) {
    keep_ = false;
    // Whoever is too slow or gone hears nothing.
    if (broken_) {
        co_return;
    }
    const int status = why.code == ErrorCode::kUnavailable ? 500 : status_of(why);
    std::string body =
        context_.options.refusal ? context_.options.refusal(status, why) : why.what + "\n";
    Headers headers;
    headers.push_back({.name = "content-type", .value = context_.options.refusal_type});
    const auto sent = co_await answer(status, std::move(headers), std::move(body));
    if (sent.ok()) {
        co_await linger();
    }
}

// Closing while bytes of the client are unread makes the system send a reset, which may destroy the
// answer before it is read. So we say that we are done, and wait a moment for the client to close.
Task<void> Connection::linger() {
    if (at_end_ || broken_ || secure_) {
        co_return;
    }
    transport_->end_writing();
    transport_->expire_in(kLinger);
    std::uint64_t skipped = 0;
    while (skipped < kSkippedBytesMax) {
        in_.clear();
        const Fill got = co_await fill();
        if (got != Fill::kMore) {
            co_return;
        }
        skipped += in_.size();
    }
}

void Connection::hurry() {
    if (!busy_ && in_.empty()) {
        transport_->close();
    }
}

void Connection::cut() {
    gone_.request_stop();
    transport_->close();
}

Result<void> Connection::check_pace() {
    const auto took = std::chrono::steady_clock::now() - body_began_;
    if (took < limits_.body_time) {
        return {};
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(took).count();
    if (body_taken_ < limits_.body_bytes_a_second_min * static_cast<std::uint64_t>(seconds)) {
        return slow_body();
    }
    return {};
}

Result<void> Connection::check_size() const {
    if (body_taken_ > limits_.body_bytes_max || body_left_ > limits_.body_bytes_max) {
        return Error{ErrorCode::kLimit, fmt::format("the body of a request has more than {} bytes",
                                                    limits_.body_bytes_max)};
    }
    return {};
}

Task<Result<std::size_t>> Connection::read_some(std::string& into) {
    if (!body_open_) {
        co_return std::size_t{0};
    }
    if (body_failed_) {
        co_return broken_body();
    }
    if (owes_continue_) {
        owes_continue_ = false;
        const auto sent = co_await send(kContinue, kNothing);
        if (!sent.ok()) {
            co_return sent.error();
        }
    }
    auto count = co_await read_framed(into);
    if (!count.ok()) {
        body_failed_ = true;
        keep_ = false;
    }
    co_return count;
}

// What of the body is in `in_` already, or else the next read.
Task<Result<std::size_t>> Connection::read_framed(std::string& into) {
    const std::size_t before = into.size();
    for (;;) {
        if (request_.framing == Framing::kLength) {
            const auto piece =
                static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, in_.size()));
            into.append(in_, 0, piece);
            in_.erase(0, piece);
            body_left_ -= piece;
            if (body_left_ == 0) {
                body_ended();
            }
        } else {
            const auto taken = chunks_.take(in_, into, SIZE_MAX);
            if (!taken.ok()) {
                co_return taken.error();
            }
            in_.erase(0, *taken);
            if (chunks_.done()) {
                body_ended();
            }
        }
        const std::size_t got = into.size() - before;
        body_taken_ += got;
        if (const auto size = check_size(); !size.ok()) {
            co_return size.error();
        }
        if (got > 0 || !body_open_) {
            co_return got;
        }
        if (const auto pace = check_pace(); !pace.ok()) {
            co_return pace.error();
        }
        transport_->expire_in(limits_.body_time);
        const Fill filled = co_await fill();
        transport_->never_expire();
        if (filled != Fill::kMore) {
            gone_.request_stop();
            co_return transport_->expired() ? slow_body() : cut_body();
        }
    }
}

Task<Result<std::string>> Exchange::read_body(std::uint64_t bytes_max) {
    std::string body;
    if (request().framing == Framing::kLength) {
        if (request().body_bytes > bytes_max) {
            co_return Error{ErrorCode::kLimit,
                            fmt::format("the body of a request has more than {} bytes", bytes_max)};
        }
        body.reserve(static_cast<std::size_t>(
            std::min<std::uint64_t>(request().body_bytes, std::uint64_t{1} << 20U)));
    }
    for (;;) {
        const auto count = co_await read_some(body);
        if (!count.ok()) {
            co_return count.error();
        }
        if (body.size() > bytes_max) {
            co_return Error{ErrorCode::kLimit,
                            fmt::format("the body of a request has more than {} bytes", bytes_max)};
        }
        if (*count == 0) {
            co_return body;
        }
    }
}

std::string Connection::head_of(int status, const Headers& headers, std::string_view framing) {
    std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_of(status));
    for (const Header& each : headers) {
        head += each.name;
        head += ": ";
        // A value of ours never has a line break; one that came from outside loses it here.
        for (const char c : each.value) {
            head += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
        }
        head += "\r\n";
    }
    head += "date: ";
    head += http_date();
    head += "\r\n";
    head += framing;
    if (!keep_ || context_.draining) {
        keep_ = false;
        head += "connection: close\r\n";
    } else if (request_.minor == 0) {
        head += "connection: keep-alive\r\n";
    }
    head += "\r\n";
    return head;
}

Task<Result<void>> Connection::send(std::string_view first, std::string_view second) {
    if (broken_) {
        co_return gone_error();
    }
    transport_->expire_in(limits_.write_time);
    const auto start = [this, first, second](Transport::Done done) {
        transport_->write(first, second, std::move(done));
    };
    const auto sent = co_await IoAwaiter(start);
    transport_->never_expire();
    if (!sent.ok()) {
        if (transport_->expired()) {
            ++context_.counts.timeouts;
        }
        broken_ = true;
        gone_.request_stop();
        co_return sent.error();
    }
    bytes_out_ += *sent;
    co_return Result<void>();
}

Task<Result<void>> Connection::answer(int status, Headers headers, std::string body) {
    status_ = status;
    const bool bodiless = status == 204 || status == 304;
    const std::string framing =
        bodiless ? std::string() : fmt::format("content-length: {}\r\n", body.size());
    const std::string head = head_of(status, headers, framing);
    const bool silent = bodiless || request_.method == "HEAD";
    auto sent = co_await send(head, silent ? std::string_view() : std::string_view(body));
    co_return sent;
}

Task<Result<void>> Connection::begin(int status, Headers headers) {
    status_ = status;
    streaming_ = true;
    sized_out_ = false;
    owed_out_ = 0;
    chunked_out_ = request_.minor == 1;
    if (!chunked_out_) {
        keep_ = false;
    }
    const std::string_view framing = chunked_out_ ? kChunkedFraming : kNothing;
    const std::string head = head_of(status, headers, framing);
    auto sent = co_await send(head, kNothing);
    co_return sent;
}

Task<Result<void>> Connection::begin_sized(int status, Headers headers, std::uint64_t bytes) {
    status_ = status;
    streaming_ = true;
    chunked_out_ = false;
    sized_out_ = true;
    owed_out_ = bytes;
    const std::string framing = fmt::format("content-length: {}\r\n", bytes);
    const std::string head = head_of(status, headers, framing);
    auto sent = co_await send(head, kNothing);
    co_return sent;
}

Task<Result<void>> Connection::write(std::string_view piece) {
    if (sized_out_) {
        COLOPHON_ASSERT(piece.size() <= owed_out_);
        owed_out_ -= piece.size();
    }
    if (piece.empty() || request_.method == "HEAD") {
        co_return Result<void>();
    }
    if (!chunked_out_) {
        auto sent = co_await send(piece, kNothing);
        co_return sent;
    }
    std::string chunk = fmt::format("{:x}\r\n", piece.size());
    chunk += piece;
    chunk += "\r\n";
    auto sent = co_await send(chunk, kNothing);
    co_return sent;
}

Task<Result<void>> Connection::end() {
    if (!streaming_) {
        co_return Result<void>();
    }
    if (owed_out_ > 0) {
        co_return Error{ErrorCode::kUnavailable, "the answer has fewer bytes than were said"};
    }
    if (chunked_out_ && request_.method != "HEAD") {
        const auto sent = co_await send(kLastChunk, kNothing);
        if (!sent.ok()) {
            co_return sent.error();
        }
    }
    streaming_ = false;
    co_return Result<void>();
}

}  // namespace colophon::http
