// SPDX-License-Identifier: Apache-2.0
#include "gateway/job_endpoints.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/job_order.h"
#include "gateway/json_edit.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/unlabelled.h"
#include "http/message.h"
#include "http/router.h"
#include "identity/caches.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr int kAskAgainSeconds = 5;
constexpr std::uint64_t kPieceBytes = 1U << 20U;

// The address of a job, and back.
std::string public_id(const JobFace& face, const ledger::JobId& id) {
    return face.id_start + to_string(id);
}

std::optional<ledger::JobId> job_id_of(const JobFace& face, std::string_view text) {
    const std::string_view start(face.id_start);
    if (!text.starts_with(start)) {
        return std::nullopt;
    }
    const auto id = parse_random_id<ledger::JobId>(text.substr(start.size()));
    return id.ok() ? std::optional(*id) : std::nullopt;
}

json::Value seconds_value(const std::optional<Time>& time) {
    if (!time) {
        return {};
    }
    return std::chrono::duration_cast<std::chrono::seconds>(time->time_since_epoch()).count();
}

// What kept of a failure, as the caller reads it.
json::Value failure_json(const json::Value& error, const Call& call) {
    Refusal refusal;
    refusal.type = text_member(error, "type");
    refusal.code = text_member(error, "code");
    refusal.message = text_member(error, "message");
    refusal.category = text_member(error, "category");
    refusal.ticket = text_member(error, "ticket");
    ErrorContext context = call.errors;
    context.shape = ErrorShape::kOpenai;
    const json::Value whole = error_json(refusal, context);
    return *whole.find("error");
}

std::string address_of(const JobFace& face, const ledger::JobId& id) {
    return fmt::format("{}/{}", face.path, public_id(face, id));
}

json::Value job_json(const JobFace& face, const ledger::MediaJob& job, const Call& call) {
    json::Object value{{"id", public_id(face, job.id)},
                       {"object", face.object},
                       {"created_at", seconds_value(job.created)},
                       {"status", ledger::job_state_name(job.state)},
                       {"progress", std::int64_t{job.progress}},
                       {"completed_at", seconds_value(job.ended)},
                       {"expires_at", seconds_value(job.expires)}};
    for (const char* name : face.null_members) {
        if (name != nullptr) {
            value.emplace_back(name, nullptr);
        }
    }
    for (const auto& [name, member] : *job.shown.if_object()) {
        value.emplace_back(name, member);
    }
    json::Value error;
    if (job.outcome && !job.outcome->error.is_null()) {
        error = failure_json(job.outcome->error, call);
    }
    value.emplace_back("error", std::move(error));
    if (job.outcome && job.outcome->content_id) {
        value.emplace_back("content_id", to_string(*job.outcome->content_id));
        value.emplace_back("aigc", aigc_value(job.outcome->label));
        value.emplace_back("content_url", address_of(face, job.id) + "/content");
    }
    return value;
}

Refusal no_job(const JobFace& face) {
    Refusal refusal = invalid_request(face.none, "");
    refusal.status = 404;
    refusal.code = "not_found";
    return refusal;
}

Refusal no_store(const JobFace& face) {
    return own_failure("store_unavailable", face.no_store);
}

// Whose jobs are asked for, where the call names an end user.
struct Asker {
    std::optional<SubjectId> subject;
    std::optional<Refusal> refusal;
};

Task<Asker> asker_of(Gateway& gateway, Call& call, const JobFace& face) {
    Asker asker;
    const std::string account(call.exchange.request().header("colophon-subject"));
    if (account.empty()) {
        co_return asker;
    }
    const auto load = [&] { return gateway.parts().subjects.load(call.caller.tenant, account); };
    const auto subject = co_await gateway.parts().blocking.run(call.loop(), load);
    if (!subject.ok()) {
        asker.refusal =
            own_failure("identity_unavailable", "the end user's identity cannot be looked up now");
    } else if (!*subject) {
        asker.refusal = no_job(face);
    } else {
        asker.subject = (*subject)->id;
    }
    co_return asker;
}

struct Found {
    std::optional<ledger::MediaJob> job;
    std::optional<Refusal> refusal;
};

Task<Found> find_job(Gateway& gateway, Call& call, const JobFace& face) {
    Found found;
    const auto id = job_id_of(face, call.path.front());
    if (!id) {
        found.refusal = no_job(face);
        co_return found;
    }
    const Asker asker = co_await asker_of(gateway, call, face);
    if (asker.refusal) {
        found.refusal = asker.refusal;
        co_return found;
    }
    const auto find = [&] {
        return gateway.parts().jobs.find(call.caller.tenant, asker.subject, *id);
    };
    auto job = co_await gateway.parts().blocking.run(call.loop(), find);
    if (job.ok() && job->kind == face.kind) {
        found.job = std::move(*job);
    } else {
        found.refusal =
            job.ok() || job.error().code == ErrorCode::kNotFound ? no_job(face) : no_store(face);
    }
    co_return found;
}

// Asking makes nothing, so it needs no record.
Task<void> answer_unrecorded(Call& call, json::Value body, bool waits) {
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    headers.push_back({"cache-control", "no-store"});
    if (waits) {
        headers.push_back({"retry-after", std::to_string(kAskAgainSeconds)});
    }
    std::string text = json::write(body);
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(text));
}

Task<std::optional<Refusal>> show_job(Gateway& gateway, Call& call, const JobFace& face) {
    call.recorded = true;
    call.facts().id = {};
    const Found found = co_await find_job(gateway, call, face);
    if (found.refusal) {
        co_return found.refusal;
    }
    json::Value body = job_json(face, *found.job, call);
    co_await answer_unrecorded(call, std::move(body), !ledger::has_ended(found.job->state));
    co_return std::nullopt;
}

std::optional<Refusal> read_page(const Call& call, const JobFace& face,
                                 ledger::MediaJobs::Query& query) {
    const std::string& fields = call.exchange.request().query;
    if (const auto limit = http::query_field(fields, "limit")) {
        const auto [end, failed] =
            std::from_chars(limit->data(), limit->data() + limit->size(), query.jobs_max);
        if (failed != std::errc{} || end != limit->data() + limit->size() || query.jobs_max < 1 ||
            query.jobs_max > ledger::kJobsPageMax) {
            return invalid_request("limit is a number from 1 to 100", "limit");
        }
    }
    if (const auto order = http::query_field(fields, "order")) {
        query.ascending = *order == "asc";
        if (*order != "asc" && *order != "desc") {
            return invalid_request("order is asc or desc", "order");
        }
    }
    if (const auto after = http::query_field(fields, "after")) {
        query.after = job_id_of(face, *after);
        if (!query.after) {
            return invalid_request(face.no_after, "after");
        }
    }
    return std::nullopt;
}

Task<std::optional<Refusal>> list_jobs(Gateway& gateway, Call& call, const JobFace& face) {
    call.recorded = true;
    call.facts().id = {};
    ledger::MediaJobs::Query query;
    if (auto refusal = read_page(call, face, query)) {
        co_return refusal;
    }
    const Asker asker = co_await asker_of(gateway, call, face);
    json::Array data;
    bool more = false;
    if (!asker.refusal) {
        query.kind = face.kind;
        query.tenant = call.caller.tenant;
        query.subject = asker.subject;
        const std::size_t most = query.jobs_max++;  // one more says whether there is more
        const auto list = [&] { return gateway.parts().jobs.list(query); };
        const auto jobs = co_await gateway.parts().blocking.run(call.loop(), list);
        if (!jobs.ok()) {
            co_return no_store(face);
        }
        more = jobs->size() > most;
        for (std::size_t i = 0; i < std::min(jobs->size(), most); ++i) {
            data.push_back(job_json(face, (*jobs)[i], call));
        }
    } else if (asker.refusal->status != 404) {
        co_return asker.refusal;
    }
    const auto id_at = [&](bool first) {
        return data.empty() ? json::Value()
                            : json::Value(std::string(
                                  text_member(first ? data.front() : data.back(), "id")));
    };
    json::Object body{{"object", "list"},
                      {"first_id", id_at(true)},
                      {"last_id", id_at(false)},
                      {"has_more", more}};
    body.emplace_back("data", std::move(data));
    co_await answer_unrecorded(call, std::move(body), false);
    co_return std::nullopt;
}

Refusal not_there(const JobFace& face, const ledger::MediaJob& job, const Call& call) {
    if (!ledger::has_ended(job.state)) {
        Refusal refusal = invalid_request(face.not_ready, "");
        refusal.status = 409;
        refusal.code = std::string(face.code_start) + "_not_ready";
        refusal.retry_after = kAskAgainSeconds;
        return refusal;
    }
    Refusal refusal = invalid_request(face.failed, "");
    refusal.status = 422;
    refusal.code = std::string(face.code_start) + "_failed";
    if (job.outcome && !job.outcome->error.is_null()) {
        refusal.message = in_tongue(refusal.message, call.errors.tongue);
        refusal.category = text_member(job.outcome->error, "category");
        refusal.ticket = text_member(job.outcome->error, "ticket");
    }
    return refusal;
}

// [DSP-9] [AILM-9] It goes out now, so what was admitted when it was asked for is looked at again.
Task<std::optional<Refusal>> admit_content(Gateway& gateway, Call& call, const JobFace& face,
                                           const ledger::MediaJob& job) {
    const auto read = [&]() -> Result<JobOrder> {
        const auto asked = gateway.parts().jobs.asked(job);
        if (!asked.ok()) {
            return asked.error();
        }
        return read_order(job.kind, *asked);
    };
    const auto order = co_await gateway.parts().blocking.run(call.loop(), read);
    if (!order.ok()) {
        co_return order.error().code == ErrorCode::kNotFound ? no_job(face) : no_store(face);
    }
    auto refusal = co_await admit_identity(gateway.stages(), call, order->from.account);
    if (refusal) {
        co_return refusal;
    }
    if (order->unlabelled) {
        refusal = co_await check_agreement(gateway.stages(), call);
        call.unlabelled = !refusal;
    }
    co_return refusal;
}

Task<Result<Buffer>> read_piece(Gateway& gateway, Call& call, const ledger::MediaJob& job,
                                std::uint64_t offset) {
    const auto read = [&] { return gateway.parts().jobs.read(job, offset, kPieceBytes); };
    co_return co_await gateway.parts().blocking.run(call.loop(), read);
}

// Piece by piece: a file is never in memory as a whole. A piece that cannot be had cuts the
// answer, so that nobody takes it for whole.
Task<void> send_content(Gateway& gateway, Call& call, const ledger::MediaJob& job, Buffer piece) {
    http::Headers headers = answer_headers(call, job.outcome->media_type);
    if (job.outcome->content_id) {
        headers.push_back({"colophon-content-id", to_string(*job.outcome->content_id)});
    }
    headers.push_back({"colophon-aigc", job.outcome->label});
    const auto begun = co_await call.exchange.begin(200, std::move(headers));
    const auto size = static_cast<std::uint64_t>(job.outcome->bytes);
    std::uint64_t sent = 0;
    bool goes_on = begun.ok();
    while (goes_on && !piece.empty()) {
        const auto written = co_await call.exchange.write(as_text(piece));
        sent += piece.size();
        goes_on = written.ok();
        if (!goes_on || sent >= size) {
            break;
        }
        auto next = co_await read_piece(gateway, call, job, sent);
        goes_on = next.ok();
        if (goes_on) {
            piece = std::move(*next);
        }
    }
    if (goes_on && sent == size) {
        (void)co_await call.exchange.end();
    }
}

Task<std::optional<Refusal>> give_content(Gateway& gateway, Call& call, const JobFace& face) {
    note_source(call);
    const auto variant = http::query_field(call.exchange.request().query, "variant");
    if (variant && *variant != face.object) {
        co_return invalid_request("only the content itself is kept", "variant");
    }
    const Found found = co_await find_job(gateway, call, face);
    if (found.refusal) {
        co_return found.refusal;
    }
    const ledger::MediaJob& job = *found.job;
    call.facts().subject = job.subject;
    call.facts().model = job.shown.string_or("model", "");
    call.detail.emplace_back("job", to_string(job.id));
    if (job.state != ledger::JobState::kCompleted || !job.outcome) {
        co_return not_there(face, job, call);
    }
    auto refusal = co_await admit_content(gateway, call, face, job);
    if (refusal) {
        co_return refusal;
    }
    auto first = co_await read_piece(gateway, call, job, 0);
    if (!first.ok() || first->empty()) {
        co_return own_failure("store_unavailable", face.unreadable);
    }
    call.facts().label = job.outcome->label;
    for (const Digest256& each : job.outcome->digests) {
        call.record.content_digests.push_back(each);
    }
    if (job.outcome->content_id) {
        // The number itself belongs to the record of the job.
        call.detail.emplace_back("content", to_string(*job.outcome->content_id));
    }
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto kept = co_await append_record(gateway.stages(), call);
    if (!kept.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    co_await send_content(gateway, call, job, std::move(*first));
    co_return std::nullopt;
}

Task<std::optional<Refusal>> delete_job(Gateway& gateway, Call& call, const JobFace& face) {
    note_source(call);
    const Found found = co_await find_job(gateway, call, face);
    if (found.refusal) {
        co_return found.refusal;
    }
    const ledger::MediaJob& job = *found.job;
    call.facts().subject = job.subject;
    call.detail.emplace_back("job", to_string(job.id));
    call.detail.emplace_back("state", ledger::job_state_name(job.state));
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto filled = co_await fill_record(gateway.stages(), call);
    const auto remove = [&] { return gateway.parts().jobs.remove(job, call.record); };
    auto removed = filled;
    if (filled.ok()) {
        removed = co_await gateway.parts().blocking.run(call.loop(), remove);
    }
    if (!removed.ok() && removed.error().code == ErrorCode::kNotFound) {
        co_return no_job(face);
    }
    if (!removed.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    call.recorded = true;
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(json::Object{{"id", public_id(face, job.id)},
                                               {"object", std::string(face.object) + ".deleted"},
                                               {"deleted", true}});
    (void)co_await call.exchange.answer(200, std::move(headers), std::move(out));
    co_return std::nullopt;
}

constexpr const char* kObject = R"({"type":"object"})";

}  // namespace

Task<std::optional<Refusal>> add_job(Gateway& gateway, Call& call, const JobFace& face,
                                     JobAdded added) {
    const JobSettings& settings = face.settings(*call.settings);
    const ledger::MediaJobs::NewJob job{.kind = face.kind,
                                        .shown = std::move(added.shown),
                                        .asked = write_order(added.order),
                                        .tenant_max = settings.tenant_jobs_at_once,
                                        .subject_max = settings.subject_jobs_at_once};
    if (job.asked.size() > ledger::kAskedBytesMax) {
        Refusal refusal = invalid_request(
            fmt::format("a job is made of at most {} bytes", ledger::kAskedBytesMax), "");
        refusal.status = 413;
        refusal.code = "request_too_large";
        co_return refusal;
    }
    call.facts().outcome = ledger::Outcome::kAnswered;
    const auto filled = co_await fill_record(gateway.stages(), call);
    if (!filled.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    const auto add = [&] { return gateway.parts().jobs.add(job, call.record); };
    const auto kept = co_await gateway.parts().blocking.run(call.loop(), add);
    if (!kept.ok() && kept.error().code == ErrorCode::kLimit) {
        co_return too_many(kept.error().what, kAskAgainSeconds);
    }
    if (!kept.ok()) {
        co_return own_failure("record_unavailable",
                              "the call cannot be recorded now, so it is not answered");
    }
    call.recorded = true;
    http::Headers headers = answer_headers(call, "application/json");
    if (face.status_added == 202) {
        // RFC 9110, 15.3.3: where the caller hears how far it is.
        headers.push_back({"location", address_of(face, kept->id)});
        headers.push_back({"retry-after", std::to_string(kAskAgainSeconds)});
    }
    if (added.preferred) {
        headers.push_back({"preference-applied", "respond-async"});
    }
    std::string out = json::write(job_json(face, *kept, call));
    (void)co_await call.exchange.answer(face.status_added, std::move(headers), std::move(out));
    co_return std::nullopt;
}

void add_job_routes(Gateway& gateway, const JobFace& face) {
    const std::string each = fmt::format("{}/{{{}}}", face.path, face.parameter);
    const std::string stem = std::string(face.operation) + ".";
    const auto add = [&](http::Route route, auto serve) {
        gateway.add_call(std::move(route), [serve, &face](Gateway& own, Call& call) {
            return serve(own, call, face);
        });
    };
    add({.method = "GET",
         .pattern = face.path,
         .operation = stem + "list",
         .right = "generate",
         .summary = face.list_summary,
         .response_schema = kObject,
         .query = {{"limit", "how many, 1 to 100; usually 20"},
                   {"after", "the id of the last one of the page before"},
                   {"order", "asc or desc"}},
         .handle = {}},
        list_jobs);
    add({.method = "GET",
         .pattern = each,
         .operation = stem + "retrieve",
         .right = "generate",
         .summary = face.show_summary,
         .response_schema = kObject,
         .handle = {}},
        show_job);
    add({.method = "GET",
         .pattern = each + "/content",
         .operation = stem + "content",
         .right = "generate",
         .summary = face.content_summary,
         .handle = {}},
        give_content);
    add({.method = "DELETE",
         .pattern = each,
         .operation = stem + "delete",
         .right = "generate",
         .summary = face.delete_summary,
         .response_schema = kObject,
         .handle = {}},
        delete_job);
}

}  // namespace colophon::gateway
