// SPDX-License-Identifier: Apache-2.0
#pragma once

// The logs of an installation for `colophon ledger`: where their files and keys are, and how a
// record is found in them. What is judged is judged by the same checker as any other log.

#include "cli/installation.h"
#include "cli/log_source.h"
#include "core/ids.h"
#include "ledger/log_service.h"
#include "ledger/proof_file.h"
#include "ledger/records.h"
#include "ledger/verify/log.h"
#include "storage/objects.h"

#include <optional>
#include <string>
#include <vector>

namespace colophon::cli {

// The files of one log in the objects of an installation, which must outlive this.
ledger::verify::Fetch objects_fetch(storage::ObjectStore& objects, ledger::LogClass log);

// Public keys that sign, or once signed, this log.
std::vector<std::string> keys_of_log(const std::vector<ledger::LogKey>& keys, ledger::LogClass log);

// "service" or "conduct"; both for an empty text. kInvalidArgument for anything else.
Result<std::vector<ledger::LogClass>> parse_log_classes(const std::string& text);

// Whether a folder is the data folder of an installation and no log itself.
bool is_data_folder(const std::string& path);

// Integrates what waits, unless a service does it.
Result<ledger::SequencedOnce> sequence_log(Installation& installation, ledger::LogClass log);

// The record of a content id (ten characters) or of its own number (32 digits). kNotFound when
// there is none.
Result<ledger::Facts> find_record(Installation& installation, const std::string& id);

// A tenant by its name, one of its subjects by the tenant's name for it, any subject by its number
// (32 digits). Empty texts are nobody in particular.
struct Whose {
    std::optional<TenantId> tenant;
    std::optional<SubjectId> subject;
};
Result<Whose> whose_records(Installation& installation, const std::string& tenant,
                            const std::string& subject);

struct RecordPlace {
    RecordId record;
    ledger::LogClass log = ledger::LogClass::kService;
    std::uint64_t entry = 0;
};
// The record of a content id (ten characters) or of its own number (32 digits), and which entry it
// is; a record that still waits is integrated first. kNotFound when there is none, kUnavailable
// when it still waits for the service that sequences.
Result<RecordPlace> place_of_record(Installation& installation, const std::string& id);

}  // namespace colophon::cli
