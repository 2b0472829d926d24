// SPDX-License-Identifier: Apache-2.0
#include "gateway/request_body.h"

#include "core/json.h"
#include "gateway/call.h"
#include "gateway/refusal.h"
#include "http/json_body.h"
#include "ledger/record.h"

#include <optional>
#include <string_view>
#include <utility>

namespace colophon::gateway {

std::optional<Refusal> read_json_body(std::string_view text, json::Value& to) {
    auto parsed = http::read_json_object(text);
    if (!parsed.ok()) {
        return invalid_request(parsed.error().what, "");
    }
    to = std::move(*parsed);
    return std::nullopt;
}

std::optional<Refusal> check_ask(const Call& call, Ask& ask) {
    if (ask.account.empty()) {
        ask.account = call.exchange.request().header("colophon-subject");
    }
    if (ask.model.empty()) {
        return invalid_request("the call names no model", "model");
    }
    if (ask.text.empty() || ask.text.size() > ledger::kRecordTextBytesMax) {
        return invalid_request("the field prompt is missing", "prompt");
    }
    return std::nullopt;
}

}  // namespace colophon::gateway
