// SPDX-License-Identifier: Apache-2.0
// /api/review: the queue of what was held, for the people who decide [DSP-10].
#include "console/internal/rows.h"
#include "console/library_forms.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/staff.h"
#include "ledger/conduct.h"
#include "review/queue.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

constexpr const char* kDeciders = "reviewer,lead";
constexpr const char* kReaders = "reviewer,lead,auditor";
constexpr std::size_t kSkippedMax = 1'000'000;

review::Person person_of(const ApiCall& call) {
    const identity::StaffSession& session = *call.caller.session;
    return {.name = session.name, .lead = identity::has_role(session.roles, identity::Role::kLead)};
}

Result<review::ItemId> item_of_path(const ApiCall& call) {
    auto id = parse_random_id<review::ItemId>(call.values.front());
    if (!id.ok()) {
        return Error{ErrorCode::kNotFound, "the review queue has no such item"};
    }
    return id;
}

Result<json::Value> list_items(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    review::ItemQuery query;
    query.category = asked(call, "category").value_or("");
    query.overdue = asked(call, "overdue") == "true";
    if (const auto state = asked(call, "state")) {
        query.state = review::parse_item_state(*state);
        if (!query.state) {
            return Error{ErrorCode::kInvalidArgument,
                         "state is one of waiting, second, escalated, released, refused, expired"};
        }
    }
    if (const auto tenant = asked(call, "tenant")) {
        query.tenant = TRY(find_tenant(call, *tenant)).id;
    }
    // The order of the queue moves as people work, so pages are counted.
    if (page.after) {
        if (page.after->size() > 6 ||
            page.after->find_first_not_of("0123456789") != std::string::npos) {
            return Error{ErrorCode::kNotFound, "the page that this one follows is not there"};
        }
        query.skip = std::stoul(*page.after);
    }
    query.items_max = page.limit;
    const std::vector<review::Item> items = TRY(call.parts.queue.list(query));
    json::Array data;
    for (const review::Item& each : items) {
        data.emplace_back(item_form(each));
    }
    const std::size_t end = query.skip + items.size();
    const bool more = items.size() == page.limit && end < kSkippedMax;
    return json::Value(
        json::Object{{"data", std::move(data)},
                     {"next", more ? json::Value(std::to_string(end)) : json::Value()}});
}

Result<json::Value> show_item(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    return json::Value(item_form(TRY(call.parts.queue.find(id))));
}

Result<json::Value> claim(const ApiCall& call) {
    const std::string named = TRY(optional_text(call, "item", ""));
    const std::string category = TRY(optional_text(call, "category", ""));
    if (!named.empty()) {
        const auto id = parse_random_id<review::ItemId>(named);
        if (!id.ok()) {
            return Error{ErrorCode::kNotFound, "the review queue has no such item"};
        }
        const review::Item item = TRY(call.parts.queue.claim(person_of(call), *id));
        return json::Value(json::Object{{"item", item_form(item)}});
    }
    const auto item = TRY(call.parts.queue.claim_next(person_of(call), category));
    return json::Value(
        json::Object{{"item", item ? json::Value(item_form(*item)) : json::Value()}});
}

// What cannot be decoded is no failure of the server.
Error no_veil(const Error& why) {
    return {why.code == ErrorCode::kUnavailable ? ErrorCode::kUnavailable : ErrorCode::kUnsupported,
            fmt::format("what was held cannot be shown veiled: {}; view=original gives it as it is",
                        why.what)};
}

Result<json::Value> view(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    const std::string wanted = asked(call, "view").value_or("veiled");
    if (wanted != "veiled" && wanted != "original") {
        return Error{ErrorCode::kInvalidArgument, "view is one of veiled, original"};
    }
    const review::Look look{.original = wanted == "original",
                            .veil = [&](Bytes file) -> Result<review::Veil> {
                                auto veil = call.parts.veil(file);
                                return veil.ok() ? std::move(veil) : no_veil(veil.error());
                            }};
    const ledger::Conduct conduct = call.parts.conduct(call.actor);
    return json::Value(viewed_form(TRY(call.parts.queue.view(person_of(call), id, look, conduct))));
}

Result<json::Value> extend(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    return json::Value(item_form(TRY(call.parts.queue.extend(person_of(call), id))));
}

Result<json::Value> give_back(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    TRY(call.parts.queue.give_back(person_of(call), id));
    return show_item(call);
}

// A recorded step whose answer is the item after it.
using Step = Result<review::Item> (review::ReviewQueue::*)(const review::Person&,
                                                           const review::ItemId&,
                                                           const ledger::Conduct&);
template <Step step>
Result<json::Value> act(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    const ledger::Conduct conduct = call.parts.conduct(call.actor);
    return json::Value(item_form(TRY((call.parts.queue.*step)(person_of(call), id, conduct))));
}

Result<json::Value> decide(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    const std::string word = TRY(required_text(call, "ruling"));
    const auto ruling = review::parse_ruling(word);
    if (!ruling) {
        return Error{ErrorCode::kInvalidArgument, "ruling is one of release, refuse, escalate"};
    }
    review::PersonsDecision decision{.ruling = *ruling, .reason = {}, .note = {}};
    decision.reason = TRY(required_text(call, "reason"));
    decision.note = TRY(optional_text(call, "note", ""));
    std::vector<review::ItemId> others;
    for (const std::string& each : TRY(optional_texts(call, "similar"))) {
        const auto other = parse_random_id<review::ItemId>(each);
        if (!other.ok()) {
            return Error{ErrorCode::kInvalidArgument,
                         "the field \"similar\" must be a list of items"};
        }
        others.push_back(*other);
    }
    const ledger::Conduct conduct = call.parts.conduct(call.actor);
    const review::Person person = person_of(call);
    json::Object form = item_form(TRY(call.parts.queue.decide(person, id, decision, conduct)));
    json::Array done;
    for (const review::ItemId& each :
         TRY(call.parts.queue.decide_similar(person, id, others, conduct))) {
        done.emplace_back(to_string(each));
    }
    form.emplace_back("similar_decided", std::move(done));
    return json::Value(std::move(form));
}

Result<json::Value> list_similar(const ApiCall& call) {
    const review::ItemId id = TRY(item_of_path(call));
    json::Array data;
    for (const review::Item& each : TRY(call.parts.queue.similar(id))) {
        data.emplace_back(item_form(each));
    }
    return json::Value(json::Object{{"data", std::move(data)}});
}

Result<json::Value> show_figures(const ApiCall& call) {
    return json::Value(queue_figures_form(TRY(call.parts.queue.figures())));
}

Result<json::Value> list_reasons(const ApiCall& call) {
    json::Array data;
    for (const review::ReasonCode& each : review::reason_codes()) {
        data.emplace_back(json::Object{{"reason", each.code},
                                       {"ruling", review::ruling_name(each.ruling)},
                                       {"meaning", in_callers_language(call, each.meaning)}});
    }
    return json::Value(json::Object{{"data", std::move(data)}});
}

ApiRow step(const char* pattern, const char* operation, const char* summary, ApiHandler handle) {
    return {.method = "POST",
            .pattern = pattern,
            .operation = operation,
            .summary = summary,
            .roles = kDeciders,
            .handle = handle};
}

ApiRow view_row() {
    ApiRow row = step("/api/review/items/{id}/view", "review.view",
                      "the content, with where entries matched; recorded", view);
    row.query = {{"view", "of pictures and videos: \"veiled\" (usual), or \"original\""}};
    row.looks = true;
    return row;
}

}  // namespace

std::vector<ApiRow> review_rows() {
    std::vector<ApiRow> rows{
        {.method = "GET",
         .pattern = "/api/review/items",
         .operation = "review.list",
         .summary = "what waits for a person, in the order of the queue, without its content",
         .roles = kReaders,
         .query = {{"state", "waiting, second, escalated, released, refused, expired"},
                   {"category", "of this category"},
                   {"tenant", "of this tenant, by id or name"},
                   {"overdue", "\"true\": open and past its time"},
                   kLimitField,
                   kAfterField},
         .handle = list_items},
        {.method = "POST",
         .pattern = "/api/review/claims",
         .operation = "review.claim",
         .summary = "take the next item, or the one that is named, for a while",
         .roles = kDeciders,
         .request_schema = R"({"type":"object","properties":{"item":{"type":"string"},)"
                           R"("category":{"type":"string"}}})",
         .handle = claim},
        {.method = "GET",
         .pattern = "/api/review/items/{id}",
         .operation = "review.show",
         .summary = "one item with everything that was done about it",
         .roles = kReaders,
         .handle = show_item},
        view_row(),
        step("/api/review/items/{id}/extend", "review.extend", "keep a claim for another while",
             extend),
        step("/api/review/items/{id}/return", "review.return", "give a claim back", give_back),
        step("/api/review/items/{id}/second", "review.second", "another person shall decide too",
             act<&review::ReviewQueue::ask_another>),
        {.method = "POST",
         .pattern = "/api/review/items/{id}/decision",
         .operation = "review.decide",
         .summary = "release, refuse or escalate; the same for similar items that are named",
         .roles = kDeciders,
         .request_schema =
             R"({"type":"object","required":["ruling","reason"],"properties":{)"
             R"("ruling":{"enum":["release","refuse","escalate"]},"reason":{"type":"string"},)"
             R"("note":{"type":"string"},"similar":{"type":"array","items":{"type":"string"}}}})",
         .handle = decide},
        step("/api/review/items/{id}/undo", "review.undo", "take the own last decision back",
             act<&review::ReviewQueue::undo>),
        {.method = "GET",
         .pattern = "/api/review/items/{id}/similar",
         .operation = "review.similar",
         .summary = "open items with the same content, or held by the same entries",
         .roles = kReaders,
         .handle = list_similar},
        {.method = "GET",
         .pattern = "/api/review/figures",
         .operation = "review.figures",
         .summary = "how much waits, how long it took, and how often people agree",
         .roles = kReaders,
         .handle = show_figures},
        {.method = "GET",
         .pattern = "/api/review/reasons",
         .operation = "review.reasons",
         .summary = "the reasons that decisions have",
         .roles = kReaders,
         .handle = list_reasons}};
    return rows;
}

}  // namespace colophon::console
