// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/internal/scan.h"

#include "fingerprint/pdq.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::fingerprint::internal {
namespace {

// Cache lines asked for ahead: about as many as a core can wait for at once.
constexpr std::size_t kAhead = 16;

[[gnu::always_inline]] inline void all_within(std::span<const PdqHash> hashes,
                                              const PdqHash& wanted, int radius,
                                              std::vector<Hit>& hits) {
    const PdqHash* row = hashes.data();
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        const int bits = distance(row[i], wanted);
        if (bits <= radius) [[unlikely]] {
            hits.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(bits)});
        }
    }
}

[[gnu::always_inline]] inline void rows_within(std::span<const PdqHash> hashes,
                                               std::span<const std::uint32_t> rows,
                                               const PdqHash& wanted, int radius,
                                               std::vector<Hit>& hits) {
    const PdqHash* all = hashes.data();
    const std::uint32_t* row = rows.data();
    const std::size_t size = rows.size();
    for (std::size_t i = 0; i < size; ++i) {
        __builtin_prefetch(all + row[i + kAhead < size ? i + kAhead : size - 1]);
        const int bits = distance(all[row[i]], wanted);
        if (bits <= radius) [[unlikely]] {
            hits.push_back({row[i], static_cast<std::uint32_t>(bits)});
        }
    }
}

#if defined(__x86_64__)
[[gnu::target("popcnt")]] void all_within_popcnt(std::span<const PdqHash> hashes,
                                                 const PdqHash& wanted, int radius,
                                                 std::vector<Hit>& hits) {
    all_within(hashes, wanted, radius, hits);
}
[[gnu::target("popcnt")]] void rows_within_popcnt(std::span<const PdqHash> hashes,
                                                  std::span<const std::uint32_t> rows,
                                                  const PdqHash& wanted, int radius,
                                                  std::vector<Hit>& hits) {
    rows_within(hashes, rows, wanted, radius, hits);
}
bool has_popcnt() {
    return __builtin_cpu_supports("popcnt") != 0;
}
#endif

}  // namespace

void scan_all(std::span<const PdqHash> hashes, const PdqHash& wanted, int radius,
              std::vector<Hit>& hits) {
#if defined(__x86_64__)
    if (has_popcnt()) {
        all_within_popcnt(hashes, wanted, radius, hits);
        return;
    }
#endif
    all_within(hashes, wanted, radius, hits);
}

void scan_rows(std::span<const PdqHash> hashes, std::span<const std::uint32_t> rows,
               const PdqHash& wanted, int radius, std::vector<Hit>& hits) {
#if defined(__x86_64__)
    if (has_popcnt()) {
        rows_within_popcnt(hashes, rows, wanted, radius, hits);
        return;
    }
#endif
    rows_within(hashes, rows, wanted, radius, hits);
}

}  // namespace colophon::fingerprint::internal
