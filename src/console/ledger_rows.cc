// SPDX-License-Identifier: Apache-2.0
// /api/records, /api/holds, /api/ledger, and what the configuration says.
#include "console/forms.h"
#include "console/internal/rows.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

// What no record is later than.
constexpr const char* kForGood = "9999-12-31T23:59:59Z";

// A program reads the records of its own tenant.
bool may_see(const ApiCall& call, const ledger::Facts& facts) {
    return !call.caller.key || facts.tenant == call.caller.key->tenant;
}

Result<json::Value> facts_form(const ledger::Facts& facts) {
    return json::parse(ledger::write_facts(facts));
}

// A tenant, and one of its users by the number or by the tenant's own name.
Result<void> read_whose(const ApiCall& call, const std::string& tenant, const std::string& subject,
                        ledger::RecordQuery& query) {
    if (call.caller.key) {
        query.tenant = call.caller.key->tenant;
    }
    if (!tenant.empty()) {
        query.tenant = TRY(find_tenant(call, tenant)).id;
    }
    if (subject.empty()) {
        return {};
    }
    if (const auto id = parse_random_id<SubjectId>(subject); id.ok()) {
        query.subject = *id;
        return {};
    }
    if (!query.tenant) {
        return Error{
            ErrorCode::kInvalidArgument,
            "a user is named by its number, or by its tenant's name for it and the tenant"};
    }
    query.subject = TRY(call.parts.subjects({}).find(*query.tenant, subject));
    if (!query.subject) {
        return Error{ErrorCode::kNotFound, "there is no such subject"};
    }
    return {};
}

Result<ledger::RecordQuery> read_query(const ApiCall& call, const Page& page) {
    ledger::RecordQuery query;
    query.until = TRY(parse_time(asked(call, "until").value_or(kForGood)));
    if (const auto from = asked(call, "from")) {
        query.from = TRY(parse_time(*from));
    }
    if (const auto kind = asked(call, "kind")) {
        query.kind = ledger::parse_record_kind(*kind);
        if (!query.kind) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("there is no kind of record {}", *kind)};
        }
    }
    if (page.after) {
        query.after = TRY(parse_random_id<RecordId>(*page.after));
    }
    query.records_max = std::min(page.limit, ledger::kRecordPageMax);
    TRY(read_whose(call, asked(call, "tenant").value_or(""), asked(call, "subject").value_or(""),
                   query));
    return query;
}

Result<json::Value> find_by_digest(const ApiCall& call, const std::string& hex) {
    const auto bytes = from_hex(hex);
    Digest256 digest{};
    if (!bytes.ok() || bytes->size() != digest.size()) {
        return Error{ErrorCode::kInvalidArgument,
                     "a digest is the SHA-256 of a content, 64 hexadecimal digits"};
    }
    std::ranges::copy(*bytes, digest.begin());
    json::Array data;
    for (const RecordId id : TRY(call.parts.records.find_by_digest(digest))) {
        const ledger::Facts facts = TRY(call.parts.records.find(id));
        if (may_see(call, facts)) {
            data.push_back(TRY(facts_form(facts)));
        }
    }
    return json::Value(json::Object{{"data", std::move(data)}, {"next", json::Value()}});
}

Result<json::Value> list_records(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    if (const auto digest = asked(call, "digest")) {
        return find_by_digest(call, *digest);
    }
    const ledger::RecordQuery query = TRY(read_query(call, page));
    json::Array data;
    const auto found = TRY(call.parts.records.list(query));
    for (const ledger::Facts& facts : found) {
        data.push_back(TRY(facts_form(facts)));
    }
    json::Value next =
        found.size() == query.records_max ? json::Value(to_string(found.back().id)) : json::Value();
    return json::Value(json::Object{{"data", std::move(data)}, {"next", std::move(next)}});
}

// By its own number, or by the number of its content.
Result<json::Value> show_record(const ApiCall& call) {
    const std::string& text = call.values.front();
    const auto content = parse_content_id(text);
    const Result<ledger::Facts> found =
        content.ok() ? call.parts.records.find(*content)
                     : call.parts.records.find(TRY(parse_random_id<RecordId>(text)));
    if (found.ok() && !may_see(call, *found)) {
        return Error{ErrorCode::kNotFound, "there is no such record"};
    }
    return found.ok() ? facts_form(*found) : Result<json::Value>(found.error());
}

Result<json::Value> list_holds(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    json::Array all;
    for (const ledger::LegalHold& each : TRY(ledger::holds(call.parts.store))) {
        all.emplace_back(hold_form(each));
    }
    return page_list(page, std::move(all), "hold");
}

Result<json::Value> place_hold(const ApiCall& call) {
    ledger::RecordQuery whose;
    const std::string tenant = TRY(optional_text(call, "tenant", ""));
    const std::string subject = TRY(optional_text(call, "subject", ""));
    TRY(read_whose(call, tenant, subject, whose));
    ledger::LegalHold hold;
    hold.tenant = whose.tenant;
    hold.subject = whose.subject;
    const std::string from = TRY(optional_text(call, "from", ""));
    if (!from.empty()) {
        hold.from = TRY(parse_time(from));
    }
    const std::string until = TRY(optional_text(call, "until", kForGood));
    hold.until = TRY(parse_time(until));
    hold.reason = TRY(required_text(call, "reason"));
    hold.placed_by = call.caller.session->staff;
    hold.placed_at = call.parts.clock.now();
    const ledger::Conduct conduct = call.parts.conduct(call.actor);
    hold.id = TRY(ledger::place_hold(call.parts.store, hold, conduct, call.parts.random));
    return json::Value(hold_form(hold));
}

Result<json::Value> release_hold(const ApiCall& call) {
    const ledger::Conduct conduct = call.parts.conduct(call.actor);
    TRY(ledger::lift_hold(
        call.parts.store,
        {.id = call.values.front(), .by = call.caller.session->staff, .at = call.parts.clock.now()},
        conduct));
    return json::Value(json::Object{{"hold", call.values.front()}, {"released", true}});
}

Result<json::Value> list_logs(const ApiCall& call) {
    json::Array logs = TRY(call.parts.logs());
    return json::Value(json::Object{{"data", std::move(logs)}, {"next", json::Value()}});
}

Result<json::Value> list_models(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    return page_list(page, call.parts.models(), "model");
}

Result<json::Value> list_upstreams(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    return page_list(page, call.parts.upstreams(), "upstream");
}

Result<json::Value> show_quotas(const ApiCall& call) {
    return json::Value(call.parts.quotas());
}

}  // namespace

std::vector<ApiRow> ledger_rows() {
    return {{.method = "GET",
             .pattern = "/api/records",
             .operation = "records.list",
             .summary = "service records, newest first; a key sees those of its tenant",
             .scope = "records",
             .roles = "auditor,lead",
             .query = {kLimitField,
                       kAfterField,
                       {"tenant", "id or name"},
                       {"subject", "number, or the tenant's name for it"},
                       {"kind", "call, verification, administration, ..."},
                       {"from", "2026-01-01T00:00:00Z, inclusive"},
                       {"until", "exclusive"},
                       {"digest", "SHA-256 of a content"}},
             .handle = list_records},
            {.method = "GET",
             .pattern = "/api/records/{id}",
             .operation = "records.show",
             .summary = "the record of this number or of this content",
             .scope = "records",
             .roles = "auditor,lead",
             .handle = show_record},
            {.method = "GET",
             .pattern = "/api/holds",
             .operation = "holds.list",
             .summary = "whose records may not be purged",
             .roles = "admin,auditor",
             .query = {kLimitField, kAfterField},
             .handle = list_holds},
            {.method = "POST",
             .pattern = "/api/holds",
             .operation = "holds.place",
             .summary = "keep records beyond their time",
             .roles = "admin",
             .request_schema = R"({"type":"object","required":["reason"],"properties":{)"
                               R"("reason":{"type":"string"},"tenant":{"type":"string"},)"
                               R"("subject":{"type":"string"},"from":{"type":"string"},)"
                               R"("until":{"type":"string"}}})",
             .status = 201,
             .handle = place_hold},
            {.method = "POST",
             .pattern = "/api/holds/{hold}/release",
             .operation = "holds.release",
             .summary = "lift a hold",
             .roles = "admin",
             .handle = release_hold},
            {.method = "GET",
             .pattern = "/api/ledger",
             .operation = "logs.list",
             .summary = "how the logs are, as this node sees them",
             .roles = "admin,operator,auditor",
             .handle = list_logs}};
}

std::vector<ApiRow> settings_rows() {
    constexpr const char* kReaders = "admin,operator,auditor";
    return {{.method = "GET",
             .pattern = "/api/models",
             .operation = "settings.models",
             .summary = "models of the configuration, with their targets",
             .roles = kReaders,
             .query = {kLimitField, kAfterField},
             .handle = list_models},
            {.method = "GET",
             .pattern = "/api/upstreams",
             .operation = "settings.upstreams",
             .summary = "upstreams of the configuration, without their keys",
             .roles = kReaders,
             .query = {kLimitField, kAfterField},
             .handle = list_upstreams},
            {.method = "GET",
             .pattern = "/api/quotas",
             .operation = "settings.quotas",
             .summary = "what tenants and users may use",
             .roles = kReaders,
             .handle = show_quotas}};
}

}  // namespace colophon::console
