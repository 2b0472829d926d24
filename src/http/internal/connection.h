// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connection of a client: reads heads and bodies, calls the handler, writes answers.

#include "core/result.h"
#include "http/exchange.h"
#include "http/internal/transport.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/server.h"

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace colophon::http {

// What a connection knows of its server. Lives longer than all connections.
struct ConnectionContext {
    Loop& loop;
    const Server::Options& options;
    ServerCounts& counts;
    const bool& draining;
};

class Connection final : public Exchange {
public:
    Connection(const ConnectionContext& context, std::unique_ptr<Transport> transport,
               const ServerLimits& limits);

    // Until the connection ends.
    Task<void> serve(std::shared_ptr<TlsContext> tls);
    // The server drains: an idle connection ends now, a busy one with its answer.
    void hurry();
    // Time is up.
    void cut();

    Loop& loop() noexcept override { return context_.loop; }
    const Request& request() const noexcept override { return request_; }
    const std::string& peer_address() const noexcept override { return peer_.address; }
    std::uint16_t peer_port() const noexcept override { return peer_.port; }
    const std::string& local_address() const noexcept override { return local_.address; }
    bool secure() const noexcept override { return secure_; }
    std::stop_token gone() const noexcept override { return gone_.get_token(); }
    Task<Result<std::size_t>> read_some(std::string& into) override;
    Task<Result<void>> answer(int status, Headers headers, std::string body) override;
    Task<Result<void>> begin(int status, Headers headers) override;
    Task<Result<void>> begin_sized(int status, Headers headers, std::uint64_t bytes) override;
    Task<Result<void>> write(std::string_view piece) override;
    Task<Result<void>> end() override;
    bool has_begun() const noexcept override { return status_ != 0; }
    int status() const noexcept override { return status_; }
    std::uint64_t bytes_out() const noexcept override { return bytes_out_; }

private:
    enum class Fill : std::uint8_t { kMore, kEnd, kFailed };
    class FillAwaiter;
    void start_read();
    void finished_read(const Result<std::size_t>& result);
    Task<Fill> fill();
    Task<void> settle_read();

    Task<Result<std::optional<Request>>> next_request();
    Task<void> serve_requests();
    Task<bool> serve_one();
    Task<void> call_handler();
    Task<bool> skip_body();
    Task<void> refuse(const Error& why);
    Task<void> linger();
    Task<Result<std::size_t>> read_framed(std::string& into);
    Result<void> check_pace();
    Result<void> check_size() const;
    Task<Result<void>> send(std::string_view first, std::string_view second);
    std::string head_of(int status, const Headers& headers, std::string_view framing);
    void begin_body();
    void body_ended();

    const ConnectionContext context_;
    const ServerLimits limits_;
    std::unique_ptr<Transport> transport_;
    Transport::Peer peer_;
    Transport::Peer local_;
    bool secure_ = false;

    // What was read and not yet used.
    std::string in_;
    std::string fresh_;  // where a read that is going on puts its bytes
    bool reading_ = false;
    bool at_end_ = false;
    bool broken_ = false;
    std::coroutine_handle<> reader_;  // waits for the read

    // Of the request that is being answered.
    Request request_;
    std::stop_source gone_;
    bool busy_ = false;
    bool body_open_ = false;
    bool body_failed_ = false;
    bool owes_continue_ = false;
    std::uint64_t body_left_ = 0;
    std::uint64_t body_taken_ = 0;
    Instant body_began_;
    ChunkDecoder chunks_;
    int status_ = 0;
    bool streaming_ = false;  // begin() without end()
    bool chunked_out_ = false;
    bool sized_out_ = false;
    std::uint64_t owed_out_ = 0;  // of an answer whose size was said
    bool keep_ = true;
    std::uint64_t bytes_out_ = 0;
    std::size_t requests_ = 0;
};

}  // namespace colophon::http
