// SPDX-License-Identifier: Apache-2.0
#include "gateway/request_body.h"

#include "core/json.h"
#include "gateway/call.h"
#include "gateway/refusal.h"
#include "ledger/record.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace colophon::gateway {

std::optional<Refusal> read_json_body(std::string_view text, json::Value& to) {
    constexpr std::size_t kDepthMax = 64;
    auto parsed = json::parse(
        text, {.depth_max = kDepthMax, .bytes_max = text.size() + 1, .unique_names = true});
    if (!parsed.ok()) {
        return invalid_request("the body is no JSON: " + parsed.error().what, "");
    }
    if (parsed->if_object() == nullptr) {
        return invalid_request("the body is no JSON object", "");
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
