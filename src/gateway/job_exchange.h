// SPDX-License-Identifier: Apache-2.0
#pragma once

// The exchange of a call that nobody waits for: the work of a job, which goes through the same
// stages as a call that came over a connection. It has no request, takes no answer, and is "gone"
// when the job is to end.

#include "core/result.h"
#include "core/task.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/message.h"

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace colophon::gateway {

class JobExchange final : public http::Exchange {
public:
    explicit JobExchange(http::Loop& loop) : loop_(loop) {}

    std::stop_source& stop() noexcept { return stop_; }

    http::Loop& loop() noexcept override { return loop_; }
    const http::Request& request() const noexcept override { return request_; }
    const std::string& peer_address() const noexcept override { return nobody_; }
    std::uint16_t peer_port() const noexcept override { return 0; }
    const std::string& local_address() const noexcept override { return nobody_; }
    bool secure() const noexcept override { return false; }
    std::stop_token gone() const noexcept override { return stop_.get_token(); }
    Task<Result<std::size_t>> read_some(std::string& /*into*/) override {
        co_return std::size_t{0};
    }
    Task<Result<void>> answer(int /*status*/, http::Headers /*headers*/,
                              std::string /*body*/) override {
        co_return nobody();
    }
    Task<Result<void>> begin(int /*status*/, http::Headers /*headers*/) override {
        co_return nobody();
    }
    Task<Result<void>> begin_sized(int /*status*/, http::Headers /*headers*/,
                                   std::uint64_t /*bytes*/) override {
        co_return nobody();
    }
    Task<Result<void>> write(std::string_view /*piece*/) override { co_return nobody(); }
    Task<Result<void>> end() override { co_return nobody(); }
    bool has_begun() const noexcept override { return false; }
    int status() const noexcept override { return 0; }
    std::uint64_t bytes_out() const noexcept override { return 0; }

private:
    static Error nobody() { return Error{ErrorCode::kUnavailable, "nobody waits for this answer"}; }

    http::Loop& loop_;
    http::Request request_;
    std::string nobody_;
    std::stop_source stop_;
};

}  // namespace colophon::gateway
