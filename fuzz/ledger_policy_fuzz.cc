// SPDX-License-Identifier: Apache-2.0
// Any text is read as a policy or refused, and a quorum of all witnesses is met whenever it can be.

#include "core/assert.h"
#include "core/bytes.h"
#include "ledger/note.h"
#include "ledger/policy.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto policy = colophon::ledger::Policy::parse(colophon::as_text({data, size}));
    if (policy.ok()) {
        COLOPHON_ASSERT(policy->quorum([](const colophon::ledger::NoteVerifier&) { return true; }));
    }
    return 0;
}
