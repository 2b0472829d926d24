// SPDX-License-Identifier: Apache-2.0
// A signed note that is read is written back as it was, and writer and checker agree on
// checkpoints.

#include "core/assert.h"
#include "core/bytes.h"
#include "ledger/checkpoint.h"
#include "ledger/note.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace {

// The published key of Tessera's test log, which signed the notes of the corpus.
constexpr std::string_view kKey =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = colophon::as_text({data, size});
    const auto note = colophon::ledger::parse_note(text);
    if (note.ok()) {
        COLOPHON_ASSERT(colophon::ledger::format_note(*note) == text);
    }
    static const std::vector<colophon::ledger::NoteVerifier> kWriter{
        colophon::ledger::NoteVerifier::parse(kKey).value()};
    static const std::vector<colophon::ledger::verify::Key> kChecker{
        colophon::ledger::verify::read_key(kKey).value()};
    const auto opened = colophon::ledger::open_checkpoint(text, kWriter.front().name(), kWriter);
    const auto report = colophon::ledger::verify::check_checkpoint(text, kChecker);
    if (opened.ok()) {
        COLOPHON_ASSERT(report.good);
        COLOPHON_ASSERT(report.checkpoint.size == opened->checkpoint.tree.size);
        COLOPHON_ASSERT(report.checkpoint.root == opened->checkpoint.tree.root);
    }
    const auto result = colophon::ledger::verify::check_result(text, kChecker, std::nullopt);
    COLOPHON_ASSERT(result.good == result.findings.empty());
    return 0;
}
