// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_installation.h"

#include "cli/files.h"
#include "cli/installation.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "ledger/log_keys.h"
#include "ledger/log_service.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/sequencer.h"
#include "ledger/verify/log.h"
#include "storage/objects.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kContentIdChars = 10;
// Longer than the pause of a service that sequences.
constexpr std::chrono::milliseconds kWaitStep{100};
constexpr int kWaitStepsMax = 50;

}  // namespace

Result<ledger::Facts> find_record(Installation& installation, const std::string& id) {
    if (id.size() == kContentIdChars) {
        const ContentId content = TRY(parse_content_id(id));
        return installation.records().find(content);
    }
    const auto record = parse_random_id<RecordId>(id);
    if (!record.ok()) {
        return Error{ErrorCode::kInvalidArgument,
                     "a content id has ten characters, the number of a record 32 digits"};
    }
    return installation.records().find(*record);
}

Result<Whose> whose_records(Installation& installation, const std::string& tenant,
                            const std::string& subject) {
    Whose whose;
    if (!tenant.empty()) {
        whose.tenant = TRY(installation.tenants().find(tenant)).id;
    }
    if (subject.empty()) {
        return whose;
    }
    if (const auto id = parse_random_id<SubjectId>(subject); id.ok()) {
        whose.subject = *id;
        return whose;
    }
    if (!whose.tenant) {
        return Error{ErrorCode::kInvalidArgument,
                     "a subject is a number of 32 digits, or the name that --tenant has for it"};
    }
    whose.subject = TRY(installation.subjects().find(*whose.tenant, subject));
    if (!whose.subject) {
        return Error{ErrorCode::kNotFound, "there is no such subject"};
    }
    return whose;
}

ledger::verify::Fetch objects_fetch(storage::ObjectStore& objects, ledger::LogClass log) {
    auto files = std::make_shared<ledger::StoredObjects>(objects, ledger::log_prefix(log));
    return [files](const std::string& name) { return files->get(name); };
}

std::vector<std::string> keys_of_log(const std::vector<ledger::LogKey>& keys,
                                     ledger::LogClass log) {
    std::vector<std::string> texts;
    for (const ledger::LogKey& each : keys) {
        if (each.log == log) {
            texts.push_back(each.vkey);
        }
    }
    return texts;
}

Result<std::vector<ledger::LogClass>> parse_log_classes(const std::string& text) {
    std::vector<ledger::LogClass> classes;
    for (const ledger::LogClass each : ledger::kLogClasses) {
        if (text.empty() || text == ledger::log_class_name(each)) {
            classes.push_back(each);
        }
    }
    if (classes.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("there are the logs service and conduct, not {}", text)};
    }
    return classes;
}

bool is_data_folder(const std::string& path) {
    std::error_code ignored;
    return is_folder(path) && !std::filesystem::exists(path + "/checkpoint", ignored) &&
           std::filesystem::exists(path + "/colophon.db", ignored);
}

Result<ledger::SequencedOnce> sequence_log(Installation& installation, ledger::LogClass log) {
    for (const ledger::ServiceLog& each : TRY(installation.logs())) {
        if (each.log == log) {
            return ledger::sequence_once(installation.log_parts(), each);
        }
    }
    return Error{ErrorCode::kNotFound, "there is no such log"};
}

Result<RecordPlace> place_of_record(Installation& installation, const std::string& id) {
    const ledger::Facts facts = TRY(find_record(installation, id));
    RecordPlace place{.record = facts.id, .log = ledger::log_class(facts.kind)};
    for (int step = 0; step < kWaitStepsMax; ++step) {
        const auto disclosure = TRY(installation.records().disclose(facts.id));
        if (disclosure.entry) {
            place.entry = static_cast<std::uint64_t>(*disclosure.entry);
            return place;
        }
        const ledger::SequencedOnce done = TRY(sequence_log(installation, place.log));
        if (done.held) {
            std::this_thread::sleep_for(kWaitStep);
        }
    }
    return Error{ErrorCode::kUnavailable,
                 "the record is kept and waits for its place in the log: try again"};
}

}  // namespace colophon::cli
