// SPDX-License-Identifier: Apache-2.0
#pragma once

// Both logs of a store, brought up to date.

#include "ledger/ledger_stores.h"
#include "ledger/log_objects.h"
#include "ledger/log_writer.h"
#include "ledger/records.h"
#include "ledger/sample_log.h"
#include "ledger/sequencer.h"

#include <string>
#include <utility>

namespace colophon::ledger {

// Everything that waits becomes entries of its log.
inline void sequence(TestStore& store, LedgerStores& stores) {
    for (const LogClass log : kLogClasses) {
        StoredHead head(*store, log);
        StoredObjects objects(*stores.objects, "ledger/" + std::string(log_class_name(log)));
        LogWriterOptions options{
            .origin = std::string(test::kLogName), .signers = {}, .at_least = {}};
        options.signers.push_back(test::log_signer());
        const auto sequencer =
            good(Sequencer::open({*store, objects, head, log, {}}, std::move(options)));
        while (good(sequencer->step()) != 0) {
        }
    }
}

}  // namespace colophon::ledger
