// SPDX-License-Identifier: Apache-2.0
#pragma once

// The inner loops of near search: distances of many hashes. With the processor's own instruction
// for counting bits where it has one, which is told when the program runs.

#include "fingerprint/pdq.h"

#include <cstdint>
#include <span>
#include <vector>

namespace colophon::fingerprint::internal {

struct Hit {
    std::uint32_t row = 0;
    std::uint32_t distance = 0;
};

// Appends those of all hashes that are within `radius`.
void scan_all(std::span<const PdqHash> hashes, const PdqHash& wanted, int radius,
              std::vector<Hit>& hits);

// The same for the rows listed (each below hashes.size()). They lie far apart, so memory is asked
// for ahead.
void scan_rows(std::span<const PdqHash> hashes, std::span<const std::uint32_t> rows,
               const PdqHash& wanted, int radius, std::vector<Hit>& hits);

}  // namespace colophon::fingerprint::internal
