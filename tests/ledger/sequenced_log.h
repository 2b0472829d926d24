// SPDX-License-Identifier: Apache-2.0
#pragma once

// The log of service records of a store, its sequencer, and a stranger who checks it.

#include "ledger/ledger_stores.h"
#include "ledger/log_writer.h"
#include "ledger/sequencer.h"
#include "ledger/verify/log.h"
#include "sample_log.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace colophon::ledger {

// One log of a store, and what a checker says of its files.
class SequencedLog {
public:
    SequencedLog(TestStore& store, LedgerStores& stores)
        : store_(store),
          head(*store, LogClass::kService),
          objects(*stores.objects, "ledger/service") {}

    std::unique_ptr<Sequencer> open() {
        return good(Sequencer::open({*store_, objects, head, LogClass::kService}, options()));
    }
    static LogWriterOptions options() {
        LogWriterOptions options{
            .origin = std::string(test::kLogName), .signers = {}, .at_least = std::nullopt};
        options.signers.push_back(test::log_signer());
        return options;
    }
    verify::LogReport check() {
        const verify::Fetch fetch = [this](const std::string& name) { return objects.get(name); };
        return good(verify::check_log(fetch, {.keys = test::log_keys(),
                                              .older = {},
                                              .threads = 1,
                                              .findings_max = 10,
                                              .progress = {}}));
    }

private:
    TestStore& store_;

public:
    StoredHead head;
    StoredObjects objects;
};

inline std::size_t drain(Sequencer& sequencer) {
    std::size_t taken = 0;
    for (;;) {
        const std::size_t step = good(sequencer.step());
        taken += step;
        if (step == 0) {
            return taken;
        }
    }
}

}  // namespace colophon::ledger
