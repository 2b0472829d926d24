// SPDX-License-Identifier: Apache-2.0
// Proof and evidence files that are read are written back as they were; the checker bears anything.

#include "core/assert.h"
#include "core/bytes.h"
#include "ledger/proof_file.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/proof.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kKey =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const colophon::Bytes bytes(data, size);
    const std::string_view text = colophon::as_text(bytes);
    const auto proof = colophon::ledger::parse_proof(text);
    if (proof.ok()) {
        COLOPHON_ASSERT(colophon::ledger::format_proof(*proof) == text);
    }
    const auto evidence = colophon::ledger::parse_evidence(text);
    if (evidence.ok()) {
        COLOPHON_ASSERT(colophon::ledger::format_evidence(*evidence) == text);
    }
    static const std::vector<colophon::ledger::verify::Key> kKeys{
        colophon::ledger::verify::read_key(kKey).value()};
    const auto report = colophon::ledger::verify::check_proof(text, bytes.first(size / 2), kKeys);
    COLOPHON_ASSERT(report.good == report.findings.empty());
    // What the checker calls good, the writer's reader reads.
    COLOPHON_ASSERT(!report.good || proof.ok() || evidence.ok());
    return 0;
}
