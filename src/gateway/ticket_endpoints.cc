// SPDX-License-Identifier: Apache-2.0
// /v1/tickets: what became of what was held, and the answer once a person has released it.
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "http/message.h"
#include "ledger/record.h"
#include "review/queue.h"
#include "review/scope.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr int kAskAgainSeconds = 5;

Refusal no_ticket() {
    Refusal refusal = invalid_request("there is no such ticket", "");
    refusal.status = 404;
    refusal.code = "not_found";
    return refusal;
}

// What the caller need not know: who of the staff has it, and whether one of two has decided.
std::string_view state_of(const review::Ticket& ticket) {
    return review::is_open(ticket.state) ? std::string_view("waiting")
                                         : review::item_state_name(ticket.state);
}

struct Looked {
    std::optional<review::Ticket> ticket;
    std::optional<Refusal> refusal;
};

Task<Looked> look(Gateway& gateway, Call& call) {
    Looked looked;
    const auto id = parse_random_id<review::ItemId>(call.path.front());
    if (!id.ok()) {
        looked.refusal = no_ticket();
        co_return looked;
    }
    const auto find = [&] { return gateway.parts().queue.ticket(call.caller.tenant, *id); };
    auto ticket = co_await gateway.parts().blocking.run(call.loop(), find);
    if (ticket.ok()) {
        looked.ticket = std::move(*ticket);
    } else if (ticket.error().code == ErrorCode::kNotFound) {
        looked.refusal = no_ticket();
    } else {
        looked.refusal = own_failure("review_unavailable", "the ticket cannot be looked up now");
    }
    co_return looked;
}

// Asking makes nothing, so it needs no record.
Task<std::optional<Refusal>> show_ticket(Gateway& gateway, Call& call) {
    call.recorded = true;
    call.facts().id = {};
    const Looked looked = co_await look(gateway, call);
    if (looked.refusal) {
        co_return looked.refusal;
    }
    const review::Ticket& ticket = *looked.ticket;
    const std::string id = to_string(ticket.id);
    json::Object body{{"id", id},
                      {"object", "ticket"},
                      {"state", state_of(ticket)},
                      {"stage", review::stage_name(ticket.stage)},
                      {"category", ticket.category},
                      {"record", to_string(ticket.record)},
                      {"expires", format_time(ticket.expires)}};
    const bool has = ticket.has_answer && ticket.state == review::ItemState::kReleased;
    body.emplace_back("answer", has ? json::Value(ticket_address(id) + "/answer") : json::Value());
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    headers.push_back({"cache-control", "no-store"});
    if (review::is_open(ticket.state)) {
        headers.push_back({"retry-after", std::to_string(kAskAgainSeconds)});
    }
    std::string text = json::write(body);
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(text));
    co_return std::nullopt;
}

Refusal not_released(const review::Ticket& ticket) {
    if (review::is_open(ticket.state)) {
        Refusal refusal = invalid_request("nobody has decided about this ticket yet", "");
        refusal.status = 409;
        refusal.code = "ticket_waiting";
        refusal.retry_after = kAskAgainSeconds;
        return refusal;
    }
    if (ticket.state == review::ItemState::kReleased) {
        return invalid_request(
            "this ticket is for a request; send the request again with the header Colophon-Ticket",
            "");
    }
    Refusal refusal = policy_refusal(
        "output_blocked", ticket.state == review::ItemState::kExpired
                              ? "nobody has released the model's answer in time"
                              : "a person has looked at the model's answer and refused it");
    refusal.category = ticket.category;
    return refusal;
}

Task<std::optional<Refusal>> give_answer(Gateway& gateway, Call& call) {
    note_source(call);
    const Looked looked = co_await look(gateway, call);
    if (looked.refusal) {
        co_return looked.refusal;
    }
    const review::Ticket& ticket = *looked.ticket;
    call.facts().subject = ticket.subject;
    call.detail.emplace_back("ticket", to_string(ticket.id));
    call.detail.emplace_back("call", to_string(ticket.record));
    if (ticket.state != review::ItemState::kReleased || !ticket.has_answer) {
        co_return not_released(ticket);
    }
    const auto deliver = [&] {
        return gateway.parts().queue.deliver(call.caller.tenant, ticket.id);
    };
    auto answer = co_await gateway.parts().blocking.run(call.loop(), deliver);
    if (!answer.ok() && answer.error().code == ErrorCode::kNotFound) {
        // Of a person who was erased no record can be made any more: it is the tenant's.
        call.facts().subject.reset();
        Refusal refusal = no_ticket();
        refusal.status = 410;
        refusal.message = "what this ticket was for is gone";
        co_return refusal;
    }
    if (!answer.ok() && answer.error().code == ErrorCode::kConflict) {
        review::Ticket now = ticket;
        now.state = review::ItemState::kWaiting;
        co_return not_released(now);
    }
    if (!answer.ok()) {
        co_return own_failure("review_unavailable", "the ticket cannot be looked up now");
    }
    call.facts().label = answer->label;
    // Given again to a client that lost it, it is the same content: its number has its record.
    const auto before = [&]() -> Result<bool> {
        if (!answer->content_id) {
            return true;
        }
        const auto found = gateway.parts().records.find(*answer->content_id);
        if (!found.ok() && found.error().code != ErrorCode::kNotFound) {
            return found.error();
        }
        return found.ok();
    };
    const auto given = co_await gateway.parts().blocking.run(call.loop(), before);
    if (!given.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    http::Headers headers;
    if (*given) {
        call.detail.emplace_back("again", answer->content_id ? to_string(*answer->content_id) : "");
    } else {
        call.facts().content_id = answer->content_id;
    }
    call.record.personal.output = answer->text;
    std::string type = "application/json";
    for (const auto& [name, value] : answer->headers) {
        if (name == "content-type") {
            type = value;
        }
    }
    headers = answer_headers(call, type);
    if (*given && answer->content_id) {
        headers.push_back({"colophon-content-id", to_string(*answer->content_id)});
    }
    co_return co_await record_and_answer(gateway, call, std::move(headers),
                                         std::move(answer->body));
}

}  // namespace

void add_ticket_routes(Gateway& gateway) {
    gateway.add_call({.method = "GET",
                      .pattern = "/v1/tickets/{id}",
                      .operation = "tickets.show",
                      .right = "generate",
                      .summary = "what became of what was held for review",
                      .request_schema = {},
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     show_ticket);
    gateway.add_call({.method = "GET",
                      .pattern = "/v1/tickets/{id}/answer",
                      .operation = "tickets.answer",
                      .right = "generate",
                      .summary = "the labelled answer that a person has released",
                      .request_schema = {},
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     give_answer);
}

}  // namespace colophon::gateway
