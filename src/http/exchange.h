// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call as a handler sees it: the request, its body as it comes, and the answer as it goes out.

#include "core/result.h"
#include "http/loop.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace colophon::http {

class Exchange {
public:
    Exchange() = default;
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    Exchange(Exchange&&) = delete;
    Exchange& operator=(Exchange&&) = delete;
    virtual ~Exchange() = default;

    virtual Loop& loop() noexcept = 0;
    virtual const Request& request() const noexcept = 0;
    virtual const std::string& peer_address() const noexcept = 0;
    virtual std::uint16_t peer_port() const noexcept = 0;
    virtual const std::string& local_address() const noexcept = 0;
    virtual bool secure() const noexcept = 0;  // the connection has TLS
    // Requested when the client left or the server cannot wait any longer.
    virtual std::stop_token gone() const noexcept = 0;

    // The next bytes of the body, appended; 0 at its end. kCorrupt for broken framing, kLimit for a
    // body that is too large or too slow, kUnavailable when the client left. After an error the
    // connection ends with the answer.
    virtual Task<Result<std::size_t>> read_some(std::string& into) = 0;
    // The whole body. kLimit when it has more than `bytes_max`.
    Task<Result<std::string>> read_body(std::uint64_t bytes_max);

    // The whole answer at once. `headers` without Content-Length and Connection, which the server
    // sets. kUnavailable when it could not be sent.
    virtual Task<Result<void>> answer(int status, Headers headers, std::string body) = 0;
    // Or in pieces: begin(), write() as often as there is something, end(). An answer that is not
    // ended before the handler returns is cut, so that the client sees that it is not whole.
    virtual Task<Result<void>> begin(int status, Headers headers) = 0;
    // The same when it is known how many bytes will be written: no more (asserted); when fewer were
    // at its end, the answer is cut.
    virtual Task<Result<void>> begin_sized(int status, Headers headers, std::uint64_t bytes) = 0;
    // Waits until the system took the bytes: who cannot send does not pile up.
    virtual Task<Result<void>> write(std::string_view piece) = 0;
    virtual Task<Result<void>> end() = 0;

    virtual bool has_begun() const noexcept = 0;  // by begin() or answer()
    virtual int status() const noexcept = 0;      // 0 before that
    virtual std::uint64_t bytes_out() const noexcept = 0;
};

}  // namespace colophon::http
