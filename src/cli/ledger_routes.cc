// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_routes.h"

#include "cli/installation.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "http/exchange.h"
#include "http/message.h"
#include "http/router.h"
#include "ledger/checkpoint.h"
#include "ledger/log_service.h"
#include "ledger/log_writer.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/proof_file.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/sequencer.h"
#include "ledger/tiles.h"
#include "storage/store.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

struct Answer {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    bool for_ever = false;  // full tiles never change
};

Answer not_there(const Error& why) {
    const int status = why.code == ErrorCode::kNotFound          ? 404
                       : why.code == ErrorCode::kInvalidArgument ? 400
                                                                 : 503;
    gateway::Refusal refusal = gateway::invalid_request(why.what, std::string());
    refusal.code = error_code_name(why.code);
    return {.status = status,
            .type = "application/json",
            .body = json::write(gateway::error_json(refusal, {}))};
}

// A route that anybody may call and that may wait for the store.
class PublicRoutes {
public:
    using Look = std::function<Result<Answer>(const http::Request&, const http::PathValues&)>;
    PublicRoutes(gateway::Gateway& gateway, const PublicParts& parts)
        : gateway_(gateway), parts_(parts) {}

    void add(std::string pattern, std::string operation, std::string summary, Look look) {
        http::Route route{.method = "GET",
                          .pattern = std::move(pattern),
                          .operation = std::move(operation),
                          .right = {},
                          .summary = std::move(summary),
                          .handle = {}};
        route.handle = [parts = parts_, look = std::move(look)](
                           http::Exchange& exchange, const http::Route&,
                           http::PathValues values) -> Task<void> {
            return serve(parts, look, exchange, std::move(values));
        };
        gateway_.router().add(std::move(route));
    }

private:
    static Task<void> serve(const PublicParts& parts, const Look& look, http::Exchange& exchange,
                            http::PathValues values) {
        const auto work = [&] { return look(exchange.request(), values); };
        auto found = co_await parts.blocking.run(exchange.loop(), work);
        Answer answer = found.ok() ? std::move(*found) : not_there(found.error());
        http::Headers headers;
        headers.push_back({"content-type", answer.type});
        headers.push_back({"cache-control",
                           answer.for_ever ? "public, max-age=31536000, immutable" : "no-cache"});
        headers.push_back({"access-control-allow-origin", "*"});
        (void)co_await exchange.answer(answer.status, std::move(headers), std::move(answer.body));
    }

    gateway::Gateway& gateway_;
    PublicParts parts_;
};

std::unique_ptr<ledger::StoredObjects> service_log(Installation& installation) {
    return std::make_unique<ledger::StoredObjects>(installation.objects(),
                                                   ledger::log_prefix(ledger::LogClass::kService));
}

Result<Answer> log_file(Installation& installation, const std::string& name, bool for_ever) {
    auto content = TRY(service_log(installation)->get(name));
    if (!content) {
        return Error{ErrorCode::kNotFound, "the log has no such file"};
    }
    return Answer{
        .type = name == "checkpoint" ? "text/plain; charset=utf-8" : "application/octet-stream",
        .body = std::string(as_text(*content)),
        .for_ever = for_ever};
}

Result<Answer> tile(Installation& installation, const std::string& rest) {
    const std::string name = "tile/" + rest;
    const ledger::Tile named = TRY(ledger::parse_tile_path(name));
    return log_file(installation, name, !named.partial());
}

// The entry of a record with what proves that it is in the log; nothing of the record is opened.
Result<Answer> proof(Installation& installation, const http::Request& request) {
    const auto text = http::query_field(request.query, "content_id");
    if (!text) {
        return Error{ErrorCode::kInvalidArgument, "ask for /ledger/proof?content_id=ID"};
    }
    const ContentId id = TRY(parse_content_id(*text));
    const ledger::Facts facts = TRY(installation.records().find(id));
    const auto disclosure = TRY(installation.records().disclose(facts.id));
    const auto objects = service_log(installation);
    const auto note = TRY(objects->get("checkpoint"));
    if (!disclosure.entry || !note) {
        return Error{ErrorCode::kUnavailable,
                     "the record is kept and enters the log within a second; ask again"};
    }
    const ledger::Note signed_note = TRY(ledger::parse_note(as_text(*note)));
    const ledger::Checkpoint checkpoint = TRY(ledger::parse_checkpoint(signed_note.text));
    const auto index = static_cast<std::uint64_t>(*disclosure.entry);
    if (index >= checkpoint.tree.size) {
        return Error{ErrorCode::kUnavailable,
                     "the record is kept and enters the log within a second; ask again"};
    }
    const ledger::ReadTile read = ledger::tile_reader(*objects);
    ledger::TileNodes nodes(checkpoint.tree.size, read);
    ledger::Evidence evidence;
    evidence.entry = TRY(ledger::read_entry(read, index, checkpoint.tree.size));
    evidence.proof.index = index;
    evidence.proof.proof =
        TRY(ledger::inclusion_proof(index, checkpoint.tree.size, nodes.reader()));
    evidence.proof.checkpoint = std::string(as_text(*note));
    return Answer{.body = ledger::format_evidence(evidence)};
}

Result<Answer> ready(const PublicParts& parts) {
    if (parts.draining.load()) {
        return Answer{.status = 503, .body = "draining\n"};
    }
    static constexpr storage::Statement kAsk{"SELECT 1"};
    const auto asked = parts.installation.store().query(kAsk, {});
    if (!asked.ok()) {
        return Answer{.status = 503, .body = "no store\n"};
    }
    // A store that can be read may have no room for what is to be written.
    return parts.can_record() ? Answer{.body = "ready\n"}
                              : Answer{.status = 503, .body = "records cannot be kept\n"};
}

bool is_local(const std::string& address) {
    return address == "::1" || address.starts_with("127.");
}

void add_health_routes(gateway::Gateway& gateway, const PublicParts& parts) {
    // Liveness asks nothing of anybody: a store that is down is no reason to start us again.
    const auto say = [](http::Exchange& exchange, int status, std::string body) -> Task<void> {
        http::Headers headers;
        headers.push_back({"content-type", "text/plain; charset=utf-8"});
        (void)co_await exchange.answer(status, std::move(headers), std::move(body));
    };
    gateway.router().add({.method = "GET",
                          .pattern = "/healthz",
                          .operation = "healthz",
                          .right = {},
                          .summary = "whether the process lives",
                          .handle = [say](http::Exchange& exchange, const http::Route&,
                                          const http::PathValues&) -> Task<void> {
                              return say(exchange, 200, "alive\n");
                          }});
    gateway.router().add(
        {.method = "GET",
         .pattern = "/metrics",
         .operation = "metrics",
         .right = {},
         .summary = "metrics for Prometheus",
         .handle = [say, parts](http::Exchange& exchange, const http::Route&,
                                const http::PathValues&) -> Task<void> {
             const bool allowed = parts.metrics_for_all() || is_local(exchange.peer_address());
             return say(exchange, allowed ? 200 : 403,
                        allowed ? parts.metrics.write() : std::string("not for you\n"));
         }});
}

}  // namespace

void add_public_routes(gateway::Gateway& gateway, const PublicParts& parts) {
    PublicRoutes routes(gateway, parts);
    Installation& installation = parts.installation;
    routes.add("/ledger/checkpoint", "ledger.checkpoint", "the signed head of the log of calls",
               [&installation](const http::Request&, const http::PathValues&) {
                   return log_file(installation, "checkpoint", false);
               });
    routes.add("/ledger/tile/{path...}", "ledger.tile", "a tile or bundle of the log of calls",
               [&installation](const http::Request&, const http::PathValues& values) {
                   return tile(installation, values.front());
               });
    routes.add("/ledger/proof", "ledger.proof",
               "the log entry of a content id, with its proof of inclusion",
               [&installation](const http::Request& request, const http::PathValues&) {
                   return proof(installation, request);
               });
    routes.add("/readyz", "readyz", "whether calls can be served",
               [parts](const http::Request&, const http::PathValues&) { return ready(parts); });
    routes.add("/api/openapi.json", "openapi", "this description",
               [&gateway](const http::Request&, const http::PathValues&) -> Result<Answer> {
                   return Answer{.type = "application/json",
                                 .body = json::write(gateway.router().openapi(
                                     "Colophon", COLOPHON_VERSION, {"/v1/", "/ledger/", "/api/"}))};
               });
    add_health_routes(gateway, parts);
}

}  // namespace colophon::cli
