// SPDX-License-Identifier: Apache-2.0
// A bundle of entries: the first byte says how many are expected. What is read is written back as
// it was, and the whole checker bears the bytes as a bundle, a tile and a checkpoint.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kKey =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
// Signed by that key over fifteen entries.
constexpr std::string_view kCheckpoint =
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n\u2014 "
    "example.com/log/testdata "
    "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/"
    "dlPWF74ewI=\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const colophon::Bytes bundle(data + 1, size - 1);
    const auto entries = colophon::ledger::parse_bundle(bundle, data[0]);
    if (entries.ok()) {
        COLOPHON_ASSERT(colophon::ledger::encode_bundle(*entries).value() ==
                        colophon::to_buffer(bundle));
    }
    const colophon::ledger::verify::Fetch fetch =
        [&](const std::string& name) -> colophon::Result<std::optional<colophon::Buffer>> {
        if (name == "checkpoint") {
            return std::optional(colophon::to_buffer(kCheckpoint));
        }
        return std::optional(colophon::to_buffer(bundle));
    };
    colophon::ledger::verify::LogOptions options;
    options.keys.push_back(colophon::ledger::verify::read_key(kKey).value());
    const auto report = colophon::ledger::verify::check_log(fetch, options);
    COLOPHON_ASSERT(report.ok() && report->good == (report->findings_count == 0));
    // The same bytes are never both the bundle and the tile over it.
    COLOPHON_ASSERT(!report->good);
    return 0;
}
