// SPDX-License-Identifier: Apache-2.0
#pragma once

// Idempotency keys: a call that is made again with the same Idempotency-Key and the same bytes gets
// the answer that it had, byte for byte, without a second call of a model (ledger/answers.h).
//
// Kept are good answers, streams included once they came to their end, and refusals by the review
// of what a model had answered. Everything else lets the key go, so that the call can be made
// again: nothing of it was given out, but for a stream whose reader left or whose model broke off.

#include "core/digest.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/message.h"
#include "ledger/answers.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace colophon::gateway {

// An exchange whose body was read before, and whose answer is taken down on its way out.
class KeepingExchange final : public http::Exchange {
public:
    // What was taken down is whole: it is kept before the last byte goes out.
    using Keep = std::function<Task<void>(const ledger::KeptAnswer&)>;

    explicit KeepingExchange(http::Exchange& inner) : inner_(inner) {}

    // Reads the body, which handlers then get; a large one into a file. Once. `ours`: what failed
    // was no fault of the client.
    Task<Result<void>> take_body(const Parts& parts, std::uint64_t bytes_max, bool& ours);
    const Digest256& body_digest() const noexcept { return body_digest_; }
    // From now on the answer is taken down, as far as `bytes_max` goes.
    void arm(std::size_t bytes_max, Keep keep);
    // A refusal that comes now is kept like a good answer.
    void keep_refusal() noexcept { keeps_refusal_ = true; }
    bool is_armed() const noexcept { return static_cast<bool>(keep_); }
    bool was_kept() const noexcept { return kept_; }
    // Of whoever renews the claim.
    std::stop_source& ended() noexcept { return ended_; }

    http::Loop& loop() noexcept override { return inner_.loop(); }
    const http::Request& request() const noexcept override { return inner_.request(); }
    const std::string& peer_address() const noexcept override { return inner_.peer_address(); }
    std::uint16_t peer_port() const noexcept override { return inner_.peer_port(); }
    const std::string& local_address() const noexcept override { return inner_.local_address(); }
    bool secure() const noexcept override { return inner_.secure(); }
    std::stop_token gone() const noexcept override { return inner_.gone(); }
    Task<Result<std::size_t>> read_some(std::string& into) override;
    Task<Result<void>> answer(int status, http::Headers headers, std::string body) override;
    Task<Result<void>> begin(int status, http::Headers headers) override;
    Task<Result<void>> begin_sized(int status, http::Headers headers, std::uint64_t bytes) override;
    Task<Result<void>> write(std::string_view piece) override;
    Task<Result<void>> end() override;
    bool has_begun() const noexcept override { return inner_.has_begun(); }
    int status() const noexcept override { return inner_.status(); }
    std::uint64_t bytes_out() const noexcept override { return inner_.bytes_out(); }

    ledger::AnswerClaim claim;  // while armed

private:
    void take_head(int status, const http::Headers& headers);
    void take(std::string_view piece);
    Task<void> keep();

    http::Exchange& inner_;
    std::string body_;                       // in memory
    std::optional<FileIntake::Taken> file_;  // or here
    ThreadPool* pool_ = nullptr;             // reads it
    Digest256 body_digest_{};
    std::uint64_t given_ = 0;  // of the body
    bool body_taken_ = false;
    std::size_t bytes_max_ = 0;
    Keep keep_;
    bool keeps_refusal_ = false;
    bool kept_ = false;
    ledger::KeptAnswer answer_;
    std::stop_source ended_;
};

// Nothing when the request has no idempotency key, or changes nothing.
std::unique_ptr<KeepingExchange> keeping_exchange(http::Exchange& exchange);

// After the caller is known. A call that was answered before is answered again here, which leaves
// it recorded; otherwise the call goes on, or ends with the refusal.
Task<std::optional<Refusal>> claim_key(const Stages& stages, Call& call);
// Before a refusal goes out: whether a model had answered, which must not be asked for twice.
void keep_refusal_of_answer(Call& call);
// When the call has ended: lets the key go when nothing was kept.
Task<void> end_key(const Stages& stages, Call& call);

}  // namespace colophon::gateway
