// SPDX-License-Identifier: Apache-2.0
#include "gateway/idempotency.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/unlabelled.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/message.h"
#include "ledger/answers.h"
#include "ledger/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::string_view kHeader = "idempotency-key";
constexpr std::size_t kBodyInMemoryMax = 1U << 20U;
constexpr std::uint64_t kBodyPieceBytes = 256U << 10U;
constexpr std::chrono::milliseconds kRenewEvery = ledger::kClaimTime / 4;

bool is_good_key(std::string_view key) {
    return !key.empty() && key.size() <= ledger::kAnswerKeyBytesMax &&
           std::ranges::all_of(key, [](char c) { return c >= 0x20 && c <= 0x7E; });
}

// All that makes the call what it is. Parts are parted by what cannot stand in them.
Digest256 digest_of(const http::Request& request, const Digest256& body) {
    std::string head;
    for (const std::string_view part :
         {std::string_view(request.method), std::string_view(request.path),
          std::string_view(request.query), request.header("content-type"),
          request.header("colophon-subject"), request.header(kExplicitLabelHeader)}) {
        head += part;
        head += '\n';
    }
    // Whether the answer is what was asked for, or a job that makes it.
    if (const std::string_view preferred = request.header("prefer"); !preferred.empty()) {
        head += preferred;
        head += '\n';
    }
    return sha256(as_bytes(head + to_hex(body)));
}

Refusal conflict(int status, std::string code, std::string message, int retry_after) {
    Refusal refusal = invalid_request(std::move(message), "");
    refusal.status = status;
    refusal.code = std::move(code);
    refusal.retry_after = retry_after;
    return refusal;
}

// Says that this node still serves the call, until it has ended.
Task<void> renew(const Parts& parts, http::Loop& loop, ledger::AnswerClaim claim,
                 std::stop_token ended) {
    while (!ended.stop_requested()) {
        co_await loop.sleep(kRenewEvery, ended);
        if (ended.stop_requested()) {
            co_return;
        }
        const auto work = [&] { return parts.answers.renew(claim); };
        // A failure shows when the answer is to be kept.
        (void)co_await parts.blocking.run(loop, work);
    }
}

// Gives the answer of the earlier call. This call has a record of its own, which names that one.
Task<std::optional<Refusal>> replay(const Stages& stages, Call& call, ledger::KeptAnswer answer) {
    if (answer.too_large) {
        co_return conflict(409, "idempotency_answer_too_large",
                           "the call of this idempotency key was answered, and its answer was too "
                           "large to be kept; use another key",
                           0);
    }
    note_source(call);
    call.facts().subject = answer.subject;
    call.detail.emplace_back("replay_of", to_string(answer.record));
    const auto kept = co_await append_record(stages, call);
    if (!kept.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    http::Headers headers;
    for (auto& [name, value] : answer.headers) {
        headers.push_back({name, value});
    }
    headers.push_back({"idempotency-replayed", "true"});
    (void)co_await call.exchange.answer(answer.status, std::move(headers), std::move(answer.body));
    co_return std::nullopt;
}

// The answer is taken down from now on, and the claim held.
void hold(const Stages& stages, Call& call, const ledger::AnswerClaim& claim) {
    const Parts& parts = stages.parts;
    KeepingExchange& keeping = *call.keeping;
    keeping.claim = claim;
    keeping.arm(call.settings->idempotency_bytes_max,
                [&parts, &call](const ledger::KeptAnswer& answer) -> Task<void> {
                    ledger::KeptAnswer whole = answer;
                    whole.record = call.facts().id;
                    whole.subject = call.facts().subject;
                    const auto work = [&] {
                        return parts.answers.keep(call.keeping->claim, call.caller.tenant, whole);
                    };
                    // The call was served and recorded: it is answered, kept or not.
                    (void)co_await parts.blocking.run(call.loop(), work);
                });
    call.loop().spawn(renew(parts, call.loop(), claim, keeping.ended().get_token()));
}

}  // namespace

Task<Result<void>> KeepingExchange::take_body(const Parts& parts, std::uint64_t bytes_max,
                                              bool& ours) {
    ours = false;
    const http::Request& request = inner_.request();
    const std::uint64_t said = request.framing == http::Framing::kLength ? request.body_bytes : 0;
    FileIntake intake(parts, loop(), std::min(said, bytes_max));
    for (;;) {
        const auto count = co_await inner_.read_some(body_);
        if (!count.ok()) {
            co_return count.error();
        }
        if (std::max(said, intake.size() + body_.size()) > bytes_max) {
            co_return Error{ErrorCode::kLimit,
                            fmt::format("the body of a request has more than {} bytes", bytes_max)};
        }
        const bool large = intake.size() > 0 || body_.size() > kBodyInMemoryMax;
        if (*count == 0 && !large) {
            body_digest_ = sha256(as_bytes(body_));
            break;
        }
        if (large) {
            const auto put = co_await intake.put(body_);
            body_.clear();
            ours = !put.ok();
            if (ours) {
                co_return put.error();
            }
        }
        if (*count == 0) {
            auto taken = co_await intake.finish();
            ours = !taken.ok();
            if (ours) {
                co_return taken.error();
            }
            body_digest_ = taken->digest;
            file_ = std::move(*taken);
            pool_ = &parts.blocking;
            break;
        }
    }
    body_taken_ = true;
    co_return Result<void>();
}

void KeepingExchange::arm(std::size_t bytes_max, Keep keep) {
    bytes_max_ = bytes_max;
    keep_ = std::move(keep);
}

Task<Result<std::size_t>> KeepingExchange::read_some(std::string& into) {
    if (!body_taken_) {
        co_return co_await inner_.read_some(into);
    }
    const std::size_t before = into.size();
    if (!file_) {
        into.append(body_, static_cast<std::size_t>(given_));
    } else {
        into.resize(before + static_cast<std::size_t>(std::min<std::uint64_t>(
                                 file_->file.size() - given_, kBodyPieceBytes)));
        const std::span<std::uint8_t> out(reinterpret_cast<std::uint8_t*>(into.data()) + before,
                                          into.size() - before);
        const auto read = [this, out] { return file_->file.read(given_, out); };
        const auto count = co_await pool_->run(loop(), read);
        if (!count.ok() || *count != out.size()) {
            co_return Error{ErrorCode::kUnavailable, "the body of the request was lost"};
        }
    }
    given_ += into.size() - before;
    co_return into.size() - before;
}

void KeepingExchange::take_head(int status, const http::Headers& headers) {
    answer_.status = status;
    for (const http::Header& each : headers) {
        answer_.headers.emplace_back(each.name, each.value);
    }
}

void KeepingExchange::take(std::string_view piece) {
    if (answer_.body.size() + piece.size() > bytes_max_) {
        answer_.too_large = true;
        answer_.body.clear();
        answer_.body.shrink_to_fit();
    }
    if (!answer_.too_large) {
        answer_.body += piece;
    }
}

Task<void> KeepingExchange::keep() {
    const bool good = answer_.status >= 200 && answer_.status <= 299;
    if (!keep_ || !(good || keeps_refusal_)) {
        co_return;
    }
    kept_ = true;
    co_await keep_(answer_);
}

Task<Result<void>> KeepingExchange::answer(int status, http::Headers headers, std::string body) {
    if (keep_) {
        take_head(status, headers);
        take(body);
        co_await keep();
    }
    co_return co_await inner_.answer(status, std::move(headers), std::move(body));
}

Task<Result<void>> KeepingExchange::begin(int status, http::Headers headers) {
    if (keep_) {
        take_head(status, headers);
    }
    co_return co_await inner_.begin(status, std::move(headers));
}

Task<Result<void>> KeepingExchange::begin_sized(int status, http::Headers headers,
                                                std::uint64_t bytes) {
    if (keep_) {
        take_head(status, headers);
    }
    co_return co_await inner_.begin_sized(status, std::move(headers), bytes);
}

Task<Result<void>> KeepingExchange::write(std::string_view piece) {
    if (keep_) {
        take(piece);
    }
    co_return co_await inner_.write(piece);
}

Task<Result<void>> KeepingExchange::end() {
    co_await keep();
    co_return co_await inner_.end();
}

std::unique_ptr<KeepingExchange> keeping_exchange(http::Exchange& exchange) {
    const http::Request& request = exchange.request();
    const bool has_key = std::ranges::any_of(
        request.headers, [](const http::Header& each) { return each.name == kHeader; });
    return has_key && request.method == "POST" ? std::make_unique<KeepingExchange>(exchange)
                                               : nullptr;
}

Task<std::optional<Refusal>> claim_key(const Stages& stages, Call& call) {
    const Parts& parts = stages.parts;
    const http::Request& request = call.exchange.request();
    const std::string key(request.header(kHeader));
    if (!is_good_key(key)) {
        co_return invalid_request("an idempotency key has 1 to 255 visible ASCII characters", "");
    }
    bool ours = false;
    const std::uint64_t bytes_max =
        std::max(call.settings->body_bytes_max, call.settings->file_bytes_max);
    const auto body = co_await call.keeping->take_body(parts, bytes_max, ours);
    if (!body.ok()) {
        co_return ours ? spool_failure(body.error()) : body_failure(body.error());
    }
    const Digest256 digest = digest_of(request, call.keeping->body_digest());
    const auto began = std::chrono::steady_clock::now();
    const auto work = [&] {
        return parts.answers.claim(call.caller.tenant, key, digest,
                                   call.settings->idempotency_time);
    };
    auto claimed = co_await parts.blocking.run(call.loop(), work);
    call.waited += std::chrono::steady_clock::now() - began;
    if (!claimed.ok() && claimed.error().code == ErrorCode::kNotFound) {
        co_return conflict(409, "idempotency_answer_erased",
                           "the answer of this idempotency key was erased with the person whom it "
                           "was for",
                           0);
    }
    if (!claimed.ok()) {
        co_return own_failure("idempotency_unavailable",
                              "idempotency keys cannot be looked up now");
    }
    switch (claimed->outcome) {
        case ledger::ClaimOutcome::kOther:
            co_return conflict(422, "idempotency_key_reused",
                               "this idempotency key was used for another request", 0);
        case ledger::ClaimOutcome::kBusy:
            co_return conflict(409, "idempotency_in_progress",
                               "the call of this idempotency key is being served now; ask again",
                               1);
        case ledger::ClaimOutcome::kAnswered:
            co_return co_await replay(stages, call, std::move(claimed->answer));
        case ledger::ClaimOutcome::kOurs:
            break;
    }
    hold(stages, call, claimed->claim);
    co_return std::nullopt;
}

void keep_refusal_of_answer(Call& call) {
    const auto& verdicts = call.facts().verdicts;
    if (std::ranges::any_of(verdicts, [](const ledger::Verdict& each) {
            return each.stage == "output" && each.decision != "allow";
        })) {
        call.keeping->keep_refusal();
    }
}

Task<void> end_key(const Stages& stages, Call& call) {
    KeepingExchange& keeping = *call.keeping;
    keeping.ended().request_stop();
    if (!keeping.is_armed() || keeping.was_kept()) {
        co_return;
    }
    const auto work = [&] { return stages.parts.answers.release(keeping.claim); };
    // Otherwise it is free after kClaimTime.
    (void)co_await stages.parts.blocking.run(call.loop(), work);
}

}  // namespace colophon::gateway
