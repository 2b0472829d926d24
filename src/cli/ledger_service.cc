// SPDX-License-Identifier: Apache-2.0
// colophon ledger records and sequence: what is recorded, and the service that carries it into the
// logs, without a server around it.

#include "cli/admin.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/installation.h"
#include "cli/ledger_arguments.h"
#include "cli/ledger_installation.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound_index.h"
#include "label/format.h"
#include "ledger/conduct.h"
#include "ledger/likeness.h"
#include "ledger/log_service.h"
#include "ledger/prune.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/sequencer.h"
#include "ledger/witnessing.h"
#include "review/queue.h"
#include "worker/channel.h"
#include "worker/client.h"
#include "worker/mapping.h"
#include "worker/prints.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {
// Hashed in pieces: files of any size.
Result<Digest256> digest_of_file(const std::string& path) {
    const worker::Fd file = TRY(open_input(path));
    Hasher hasher(DigestAlgorithm::kSha256);
    Buffer piece(1U << 20U);
    for (;;) {
        const ssize_t got = read(file.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return Error{ErrorCode::kUnavailable, fmt::format("{} cannot be read", path)};
        }
        if (got == 0) {
            break;
        }
        hasher.update(Bytes(piece).first(static_cast<std::size_t>(got)));
    }
    Digest256 digest{};
    std::ranges::copy(hasher.finish(), digest.begin());
    return digest;
}

namespace {

constexpr timespec kLook{.tv_sec = 1, .tv_nsec = 0};

std::string facts_text(const ledger::Facts& facts) {
    return fmt::format("{}  {}  {}  {}\n", to_string(facts.id), format_time(facts.at),
                       ledger::record_kind_name(facts.kind), printable(facts.operation));
}

Result<ledger::RecordQuery> query_of(const LedgerArguments& arguments, Installation& installation) {
    ledger::RecordQuery query;
    query.until = installation.clock().now() + std::chrono::days{1};
    if (!arguments.since.empty()) {
        query.from = TRY(parse_time(arguments.since));
    }
    if (!arguments.until.empty()) {
        query.until = TRY(parse_time(arguments.until));
    }
    if (!arguments.kind.empty()) {
        query.kind = ledger::parse_record_kind(arguments.kind);
        if (!query.kind) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("there is no kind of record {}", arguments.kind)};
        }
    }
    const Whose whose = TRY(whose_records(installation, arguments.tenant, arguments.subject));
    query.tenant = whose.tenant;
    query.subject = whose.subject;
    return query;
}

// Whether the other options let this record through, when it was found by its name or digest.
bool matches(const ledger::RecordQuery& query, const ledger::Facts& facts) {
    return facts.at >= query.from && facts.at < query.until &&
           (!query.kind || facts.kind == *query.kind) &&
           (!query.tenant || facts.tenant == *query.tenant) &&
           (!query.subject || facts.subject == query.subject);
}

Result<Digest256> wanted_digest(const LedgerArguments& arguments) {
    if (!arguments.file.empty()) {
        return digest_of_file(arguments.file);
    }
    Digest256 digest{};
    const auto bytes = from_hex(arguments.digest);
    if (!bytes.ok() || bytes->size() != digest.size()) {
        return Error{ErrorCode::kInvalidArgument,
                     "a digest is the SHA-256 of a content, 64 hexadecimal digits"};
    }
    std::ranges::copy(*bytes, digest.begin());
    return digest;
}

// Those of one name or one content, newest first.
Result<std::vector<ledger::Facts>> named_records(const LedgerArguments& arguments,
                                                 Installation& installation) {
    std::vector<ledger::Facts> found;
    if (!arguments.record.empty()) {
        found.push_back(TRY(find_record(installation, arguments.record)));
        return found;
    }
    const Digest256 digest = TRY(wanted_digest(arguments));
    for (const RecordId id : TRY(installation.records().find_by_digest(digest))) {
        found.push_back(TRY(installation.records().find(id)));
    }
    return found;
}

// Records of content like that of a file, which a worker reads.
Result<ledger::LikeRecords> like_records(const std::string& path, Installation& installation) {
    const worker::Fd in = TRY(open_input(path));
    worker::Worker worker({.font_path = {}, .expects_media = true});
    const label::Format format = TRY(worker.probe(in.get(), path));
    ledger::Records& records = installation.records();
    if (label::is_written_text(format)) {
        const worker::Mapping mapping = TRY(worker::Mapping::create(in.get()));
        return ledger::find_like_text(records, as_text(mapping.bytes()));
    }
    if (!worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version makes no prints of files of that kind"};
    }
    const worker::FilePrints prints = TRY(worker.prints(in.get(), format));
    if (prints.video) {
        return ledger::find_like_video(records, *prints.video);
    }
    if (prints.sound) {
        if (prints.sound->items.size() < fingerprint::kSoundWindowItems) {
            return Error{ErrorCode::kUnsupported, "the sound is too short to find others by"};
        }
        return ledger::find_like_sound(records, *prints.sound);
    }
    if (!prints.picture || prints.picture->quality < fingerprint::kPdqQualityMin) {
        return Error{ErrorCode::kUnsupported, "the picture has too little in it to find others by"};
    }
    return ledger::find_like_picture(records, prints.picture->hashes);
}

std::string like_line(const LedgerArguments& arguments, const ledger::Facts& facts,
                      double likeness) {
    if (!arguments.json) {
        return fmt::format("{:.2f}  {}", likeness, facts_text(facts));
    }
    auto value = json::parse(ledger::write_facts(facts));
    json::Object out{{"likeness", likeness}};
    if (value.ok() && value->if_object() != nullptr) {
        for (auto& member : *value->if_object()) {
            out.push_back(std::move(member));
        }
    }
    return json::write(out) + "\n";
}

Result<ExitCode> run_like_records(const LedgerArguments& arguments, Installation& installation,
                                  const ledger::RecordQuery& query) {
    const ledger::LikeRecords like = TRY(like_records(arguments.like, installation));
    std::string out;
    std::size_t shown = 0;
    for (const ledger::LikeRecord& each : like.found) {
        const auto facts = installation.records().find(each.record);
        if (!facts.ok() && facts.error().code == ErrorCode::kNotFound) {
            continue;  // purged meanwhile
        }
        TRY(facts);
        if (matches(query, *facts) && shown < arguments.limit) {
            out += like_line(arguments, *facts, each.likeness);
            ++shown;
        }
    }
    write_text(1, out);
    if (like.cut) {
        write_text(2,
                   fmt::format("colophon: {}\n", tr("there are more candidates than were looked at",
                                                    "候选记录过多，未全部比较")));
    }
    return shown == 0 ? ExitCode::kAbsent : ExitCode::kGood;
}

std::string page_text(const LedgerArguments& arguments, const std::vector<ledger::Facts>& page) {
    std::string out;
    for (const ledger::Facts& facts : page) {
        out += arguments.json ? ledger::write_facts(facts) + "\n" : facts_text(facts);
    }
    return out;
}

Result<ExitCode> run_named_records(const LedgerArguments& arguments, Installation& installation,
                                   const ledger::RecordQuery& query) {
    std::vector<ledger::Facts> found = TRY(named_records(arguments, installation));
    std::erase_if(found, [&](const ledger::Facts& facts) { return !matches(query, facts); });
    if (found.size() > arguments.limit) {
        found.resize(arguments.limit);
    }
    write_text(1, page_text(arguments, found));
    return found.empty() ? ExitCode::kAbsent : ExitCode::kGood;
}

json::Array witnesses_json(const ledger::LogHealth& health) {
    json::Array witnesses;
    for (const ledger::WitnessState& each : health.witnesses) {
        witnesses.emplace_back(
            json::Object{{"name", each.name}, {"cosigned", each.cosigned}, {"why", each.why}});
    }
    return witnesses;
}

// What a node says of its logs when something changes.
std::string health_line(const ledger::LogHealth& health) {
    return json::write(
        json::Object{{"log", ledger::log_class_name(health.log)},
                     {"holds_lease", health.holds_lease},
                     {"size", health.size},
                     {"waiting", health.waiting},
                     {"finding", health.behind ? json::Value(health.behind->code) : json::Value()},
                     {"witnesses", witnesses_json(health)},
                     {"error", health.error}});
}

}  // namespace

Result<ExitCode> run_records(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    ledger::RecordQuery query = TRY(query_of(arguments, *installation));
    if (!arguments.record.empty() || !arguments.digest.empty() || !arguments.file.empty()) {
        return run_named_records(arguments, *installation, query);
    }
    if (!arguments.like.empty()) {
        return run_like_records(arguments, *installation, query);
    }
    std::size_t left = arguments.limit;
    while (left > 0) {
        query.records_max = std::min(left, ledger::kRecordPageMax);
        const std::vector<ledger::Facts> page = TRY(installation->records().list(query));
        if (!write_text(1, page_text(arguments, page))) {
            break;  // the reader has seen enough
        }
        left -= page.size();
        if (page.size() < query.records_max) {
            break;
        }
        query.after = page.back().id;
    }
    return ExitCode::kGood;
}

// Who reads what a person wrote leaves a record of it first.
Result<ExitCode> run_content(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    const ledger::Facts facts = TRY(find_record(*installation, arguments.record));
    const ledger::Conduct conduct = installation->conduct(command_actor());
    TRY(conduct.append({.operation = "record.content",
                        .facts = {{"record", to_string(facts.id)}, {"role", arguments.role}},
                        .names = {}}));
    const Buffer content = TRY(installation->contents().read(facts.id, arguments.role));
    TRY(write_ledger_output(arguments.output.empty() ? "-" : arguments.output, as_text(content)));
    return ExitCode::kGood;
}

Result<ExitCode> run_sequence(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    auto logs = TRY(installation->logs());
    // Before the threads are there, so that the signal comes to this one alone.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const auto service = ledger::LogService::start(installation->log_parts(), std::move(logs));
    std::vector<std::string> said;
    for (;;) {
        const std::vector<ledger::LogHealth> health = service->health();
        said.resize(health.size());
        for (std::size_t i = 0; i < health.size(); ++i) {
            const std::string line = health_line(health[i]);
            if (line != said[i]) {
                write_text(arguments.json ? 1 : 2, line + "\n");
                said[i] = line;
            }
        }
        if (sigtimedwait(&ends, nullptr, &kLook) > 0) {
            return ExitCode::kGood;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return Error{ErrorCode::kUnavailable, "cannot wait for the end of the service"};
        }
    }
}

Result<ExitCode> run_purge(const LedgerArguments& arguments) {
    const Places places = TRY(resolve_places(arguments.store));
    const auto installation = TRY(Installation::open(places));
    const ledger::Purge purge{.policy = {.service = std::chrono::days(arguments.service_days),
                                         .conduct = std::chrono::days(arguments.conduct_days)},
                              .now = installation->clock().now(),
                              .service = ledger::kInstallation};
    ledger::PurgeReport all;
    do {
        const ledger::PurgeReport part = TRY(ledger::purge(
            installation->store(), installation->records(), purge, installation->randomness()));
        all.removed += part.removed;
        all.more = part.more;
    } while (all.more);
    const ledger::Conduct conduct = installation->conduct(command_actor());
    review::ReviewQueue queue(installation->queue_parts(), {});
    const std::int64_t evidence = TRY(queue.purge(conduct));
    const std::size_t released = TRY(installation->contents().release_due());
    TRY(installation->blobs().sweep());
    const std::size_t held = TRY(ledger::holds(installation->store())).size();
    json::Object fields{{"removed", all.removed},
                        {"evidence_removed", evidence},
                        {"contents_released", static_cast<std::uint64_t>(released)},
                        {"holds", held}};
    std::string words =
        fmt::format(fmt::runtime(tr("{} records removed", "已删除记录 {} 条")), all.removed);
    if (evidence > 0) {
        words += fmt::format(fmt::runtime(tr("\nevidence removed from the review queue: {}",
                                             "\n已从人工审核队列删除证据：{} 项")),
                             evidence);
    }
    if (held > 0) {
        words += fmt::format(
            fmt::runtime(tr("\nlegal holds in force: {}", "\n生效的保全要求：{} 项")), held);
    }
    for (const ledger::LogClass log : ledger::kLogClasses) {
        ledger::StoredObjects objects(installation->objects(), ledger::log_prefix(log));
        const ledger::PruneReport pruned =
            TRY(ledger::prune_log(installation->store(), objects, log, conduct));
        const std::string name(ledger::log_class_name(log));
        fields.emplace_back(name + "_minimum", pruned.minimum);
        words += fmt::format(
            fmt::runtime(tr("\nlog of {}: begins at entry {}", "\n{} 日志：自条目 {} 开始")), name,
            pruned.minimum);
    }
    write_text(1, arguments.json ? json::write(fields) + "\n" : words + "\n");
    return ExitCode::kGood;
}

}  // namespace colophon::cli
