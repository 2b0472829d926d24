// SPDX-License-Identifier: Apache-2.0
// /v1/models: what this caller may use.
#include "core/ids.h"
#include "core/json.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "http/message.h"
#include "label/record.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace colophon::gateway {
namespace {

// Looking at the list makes nothing, so it needs no record.
Task<std::optional<Refusal>> list_models(Gateway&, Call& call) {
    call.recorded = true;
    call.facts().id = {};
    json::Array models;
    const std::string tenant = to_string(call.caller.tenant);
    for (const auto& [name, model] : call.settings->models) {
        if (model.tenants.empty() ||
            std::ranges::find(model.tenants, tenant) != model.tenants.end()) {
            models.push_back(
                json::Object{{"id", name},
                             {"object", "model"},
                             {"created", 0},
                             {"owned_by", "colophon"},
                             {"service", std::string(label::service_name(model.service))}});
        }
    }
    std::string body = json::write(json::Object{{"object", "list"}, {"data", std::move(models)}});
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(body));
    co_return std::nullopt;
}

}  // namespace

void add_model_routes(Gateway& gateway) {
    gateway.add_call({.method = "GET",
                      .pattern = "/v1/models",
                      .operation = "models.list",
                      .right = "generate",
                      .summary = "the models that this key may use",
                      .request_schema = {},
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     list_models);
}

}  // namespace colophon::gateway
