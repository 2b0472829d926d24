// SPDX-License-Identifier: Apache-2.0
// /api/library: the feature library and the life of its entries [DSP-10].
#include "console/api.h"
#include "console/internal/rows.h"
#include "console/library_forms.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/staff.h"
#include "ledger/conduct.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "review/policies.h"
#include "review/policy.h"
#include "review/taxonomy.h"
#include "review/test_banks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

constexpr std::size_t kProposalBytesMax = 4U << 20U;
constexpr std::size_t kProposedAtOnceMax = 10'000;
constexpr std::size_t kReplayedAtOnceMax = 100;
constexpr std::int64_t kTrialRecordsMax = 100'000;
constexpr std::int64_t kTrialRecordsUsual = 1000;

constexpr const char* kReaders = "reviewer,lead,operator,auditor,admin";
constexpr const char* kProposers = "reviewer,lead,operator";

const std::string& who(const ApiCall& call) {
    return call.caller.session->name;
}

// The library as this caller changes it. Not to be copied: the library refers to its conduct.
struct Opened {
    explicit Opened(const ApiCall& call)
        : conduct(call.parts.conduct(call.actor)),
          library(call.parts.store, call.parts.clock, conduct,
                  {.benign_per_million_max = call.parts.benign_per_million_max}) {}
    ledger::Conduct conduct;
    review::Library library;
};

Result<json::Value> list_entries(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    review::LibraryQuery query;
    query.entries_max = page.limit + 1;
    query.batch = asked(call, "batch").value_or("");
    query.category = asked(call, "category").value_or("");
    if (const auto state = asked(call, "state")) {
        query.state = review::parse_entry_state(*state);
        if (!query.state) {
            return Error{ErrorCode::kInvalidArgument,
                         "state is one of proposed, live, retired, refused, replaced"};
        }
    }
    if (asked(call, "due") == "true") {
        query.due = call.parts.clock.now();
    }
    if (page.after) {
        // "ID/REVISION": ids may have slashes, revisions have none.
        const std::size_t slash = page.after->rfind('/');
        const std::string number =
            slash == std::string::npos ? std::string() : page.after->substr(slash + 1);
        if (number.empty() || number.size() > 9 ||
            number.find_first_not_of("0123456789") != std::string::npos) {
            return Error{ErrorCode::kNotFound, "the page that this one follows is not there"};
        }
        query.after = page.after->substr(0, slash);
        query.after_revision = std::stoll(number);
    }
    Opened open(call);
    std::vector<review::LibraryEntry> entries = TRY(open.library.list(query));
    json::Value next;
    if (entries.size() > page.limit) {
        entries.pop_back();
        next =
            fmt::format("{}/{}", review::entry_id(entries.back().entry), entries.back().revision);
    }
    json::Array data;
    for (const review::LibraryEntry& each : entries) {
        data.emplace_back(entry_form(each));
    }
    return json::Value(json::Object{{"data", std::move(data)}, {"next", std::move(next)}});
}

Result<json::Value> show_entry(const ApiCall& call) {
    Opened open(call);
    json::Array revisions;
    for (const review::LibraryEntry& each : TRY(open.library.find(call.values.front()))) {
        revisions.emplace_back(entry_form(each));
    }
    return json::Value(json::Object{{"data", std::move(revisions)}});
}

Result<std::vector<review::Proposal>> read_proposals(const ApiCall& call) {
    const json::Value* list = call.body.find("entries");
    if (list == nullptr || list->if_array() == nullptr || list->if_array()->empty() ||
        list->if_array()->size() > kProposedAtOnceMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the field \"entries\" must be a list of 1 to {} entries",
                                 kProposedAtOnceMax)};
    }
    review::About about;
    about.reason = TRY(required_text(call, "reason"));
    about.evidence = TRY(optional_text(call, "evidence", ""));
    about.source = TRY(optional_text(call, "source", "operator"));
    about.owner = TRY(optional_text(call, "owner", who(call)));
    const std::string expires = TRY(optional_text(call, "expires", ""));
    if (!expires.empty()) {
        about.expires = TRY(parse_time(expires));
    }
    std::vector<review::Proposal> proposals;
    for (const json::Value& each : *list->if_array()) {
        auto entry = review::read_entry(each);
        if (!entry.ok()) {
            return with_context(entry.error(),
                                fmt::format("entry {} of the list", proposals.size() + 1));
        }
        proposals.push_back({.entry = std::move(*entry), .about = about});
    }
    return proposals;
}

Result<json::Value> propose(const ApiCall& call) {
    const auto proposals = TRY(read_proposals(call));
    const std::string batch = TRY(optional_text(call, "batch", ""));
    Opened open(call);
    TRY(open.library.propose(proposals, who(call), batch));
    return json::Value(
        json::Object{{"proposed", std::uint64_t{proposals.size()}}, {"batch", batch}});
}

Result<review::Selection> selection_of(const ApiCall& call) {
    review::Selection selection;
    selection.ids = TRY(optional_texts(call, "ids"));
    selection.batch = TRY(optional_text(call, "batch", ""));
    return selection;
}

Result<json::Value> try_entries(const ApiCall& call) {
    const review::Selection selection = TRY(selection_of(call));
    const std::int64_t records =
        TRY(optional_number(call, "records", kTrialRecordsUsual, kTrialRecordsMax));
    json::Array tried = TRY(call.parts.trial(selection, records, who(call), call.actor));
    return json::Value(json::Object{{"data", std::move(tried)}});
}

using Deed = Result<review::Decided> (review::Library::*)(const review::Selection&,
                                                          const std::string&, const std::string&);

template <Deed deed>
Result<json::Value> act(const ApiCall& call) {
    const review::Selection selection = TRY(selection_of(call));
    const std::string reason = TRY(optional_text(call, "reason", ""));
    Opened open(call);
    return json::Value(decided_form(TRY((open.library.*deed)(selection, who(call), reason))));
}

Result<json::Value> show_figures(const ApiCall& call) {
    Opened open(call);
    json::Array data;
    for (const review::CategoryFigure& each : TRY(open.library.figures())) {
        data.emplace_back(figure_form(each));
    }
    const review::TestBanks banks = TRY(call.parts.test_banks());
    json::Object standard =
        stock_form(TRY(review::standard_stock(open.library, banks, call.parts.clock.now())));
    return json::Value(json::Object{{"data", std::move(data)}, {"standard", std::move(standard)}});
}

json::Array names_of(std::string_view list) {
    json::Array names;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find('|'), list.size());
        names.emplace_back(std::string(list.substr(0, end)));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return names;
}

Result<json::Value> show_taxonomy(const ApiCall& call) {
    json::Array data;
    for (const review::Risk& each : review::risks()) {
        data.emplace_back(json::Object{{"code", each.code},
                                       {"name", in_callers_language(call, each.name)},
                                       {"openai", names_of(each.openai)},
                                       {"llama_guard", names_of(each.llama_guard)},
                                       {"mlcommons", names_of(each.mlcommons)},
                                       {"qwen3guard", names_of(each.qwen3guard)},
                                       {"dsa", names_of(each.dsa)}});
    }
    return json::Value(json::Object{{"data", std::move(data)}});
}

Result<json::Value> list_policies(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    review::Policies policies = call.parts.policies();
    std::optional<std::int64_t> before;
    if (page.after) {
        before = TRY(policies.find(*page.after)).number;
    }
    std::vector<review::PolicyVersion> versions = TRY(policies.list(before, page.limit));
    json::Array data;
    for (const review::PolicyVersion& each : versions) {
        data.emplace_back(policy_form(each));
    }
    const bool more = versions.size() == page.limit && versions.back().number > 1;
    json::Value next =
        more ? json::Value(fmt::format("{}", versions.back().number)) : json::Value();
    return json::Value(json::Object{{"data", std::move(data)}, {"next", std::move(next)}});
}

Result<json::Value> content_of(const review::PolicyVersion& version) {
    return json::parse(version.content, {.depth_max = review::kPolicyDepthMax,
                                         .bytes_max = version.content.size() + 1});
}

Result<json::Value> show_policy(const ApiCall& call) {
    review::Policies policies = call.parts.policies();
    const review::PolicyVersion version = TRY(policies.find(call.values.front()));
    json::Object form = policy_form(version, TRY(policies.uses(version.number)));
    if (const auto other = asked(call, "against")) {
        const review::PolicyVersion against = TRY(policies.find(*other));
        const json::Value before = TRY(content_of(against));
        const json::Value after = TRY(content_of(version));
        form.emplace_back("differences", differences_form(review::compare_policies(before, after)));
    }
    return json::Value(std::move(form));
}

Result<json::Value> replay_calls(const ApiCall& call) {
    ReplayOrder order;
    order.records = TRY(optional_texts(call, "records"));
    if (order.records.empty() || order.records.size() > kReplayedAtOnceMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the field \"records\" must be a list of 1 to {} numbers",
                                 kReplayedAtOnceMax)};
    }
    order.policy = TRY(optional_text(call, "policy", ""));
    order.at = TRY(optional_text(call, "at", ""));
    order.ask = TRY(optional_flag(call, "ask"));
    json::Array data = TRY(call.parts.replay(order, call.actor));
    return json::Value(json::Object{{"data", std::move(data)}});
}

constexpr const char* kSelectionSchema =
    R"({"type":"object","properties":{"ids":{"type":"array","items":{"type":"string"}},)"
    R"("batch":{"type":"string"},"reason":{"type":"string"}}})";

ApiRow deed(const char* pattern, const char* operation, const char* summary, ApiHandler handle) {
    return {.method = "POST",
            .pattern = pattern,
            .operation = operation,
            .summary = summary,
            .roles = "lead",
            .request_schema = kSelectionSchema,
            .handle = handle};
}

std::vector<ApiRow> policy_rows() {
    return {
        {.method = "GET",
         .pattern = "/api/library/policies",
         .operation = "library.policies",
         .summary = "versions of the policy of review that were in force, the newest first",
         .roles = kReaders,
         .query = {kLimitField, kAfterField},
         .handle = list_policies},
        {.method = "GET",
         .pattern = "/api/library/policies/{version}",
         .operation = "library.policy",
         .summary = "one version of the policy as data, by number or id",
         .roles = kReaders,
         .query = {{"against", "another version: what differs from it"}},
         .handle = show_policy},
        {.method = "POST",
         .pattern = "/api/library/replays",
         .operation = "library.replay",
         .summary = "what a version of the policy, and the entries of a time, say of past calls",
         .roles = "lead,auditor",
         .request_schema =
             R"({"type":"object","required":["records"],"properties":{)"
             R"("records":{"type":"array","items":{"type":"string"}},"policy":{"type":"string"},)"
             R"("at":{"type":"string"},"ask":{"type":"boolean"}}})",
         .handle = replay_calls}};
}

}  // namespace

std::vector<ApiRow> library_rows() {
    std::vector<ApiRow> rows{
        {.method = "GET",
         .pattern = "/api/library/entries",
         .operation = "library.list",
         .summary = "entries of the feature library, each revision apart",
         .roles = kReaders,
         .query = {{"state", "proposed, live, retired, refused, replaced"},
                   {"category", "of this category"},
                   {"batch", "of this batch"},
                   {"due", "\"true\": to be looked at again"},
                   kLimitField,
                   kAfterField},
         .handle = list_entries},
        {.method = "POST",
         .pattern = "/api/library/entries",
         .operation = "library.propose",
         .summary = "propose entries, all of them or none",
         .roles = kProposers,
         .request_schema =
             R"({"type":"object","required":["entries","reason"],"properties":{)"
             R"("entries":{"type":"array","items":{"type":"object"}},"reason":{"type":"string"},)"
             R"("evidence":{"type":"string"},"source":{"type":"string"},)"
             R"("owner":{"type":"string"},"expires":{"type":"string"},)"
             R"("batch":{"type":"string"}}})",
         .status = 201,
         .handle = propose,
         .body_bytes_max = kProposalBytesMax},
        {.method = "GET",
         .pattern = "/api/library/entries/{id}",
         .operation = "library.show",
         .summary = "all revisions of one entry, with what people said of it",
         .roles = kReaders,
         .handle = show_entry},
        {.method = "POST",
         .pattern = "/api/library/trials",
         .operation = "library.trial",
         .summary = "what proposed entries hit among harmless contents and recent calls",
         .roles = kProposers,
         .request_schema =
             R"({"type":"object","properties":{"ids":{"type":"array","items":{"type":"string"}},)"
             R"("batch":{"type":"string"},"records":{"type":"integer"}}})",
         .handle = try_entries},
        deed("/api/library/approvals", "library.approve",
             "put tried entries in force; those of others only", act<&review::Library::approve>),
        deed("/api/library/refusals", "library.refuse", "refuse proposed entries",
             act<&review::Library::refuse>),
        deed("/api/library/retirements", "library.retire", "take live entries out of force",
             act<&review::Library::retire>),
        deed("/api/library/reviews", "library.keep", "live entries were looked at and stay",
             act<&review::Library::keep>),
        {.method = "GET",
         .pattern = "/api/library/figures",
         .operation = "library.figures",
         .summary = "live entries, newest and hits of each category, and the numbers of TC260-003",
         .roles = kReaders,
         .handle = show_figures},
        {.method = "GET",
         .pattern = "/api/library/taxonomy",
         .operation = "library.taxonomy",
         .summary = "the risks that categories name, and what other lists call them",
         .roles = kReaders,
         .handle = show_taxonomy}};
    // Beside the figures, in the order of their paths.
    for (ApiRow& each : policy_rows()) {
        rows.insert(rows.end() - 2, std::move(each));
    }
    return rows;
}

}  // namespace colophon::console
