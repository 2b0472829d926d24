// SPDX-License-Identifier: Apache-2.0
// The reader of backups: every input is read to its end or refused.

#include "core/bytes.h"
#include "core/result.h"
#include "storage/archive.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

namespace {

using colophon::Result;
namespace storage = colophon::storage;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const colophon::Bytes bytes(data, size);
    storage::ArchiveReader reader(
        [bytes](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<std::size_t> {
            if (offset >= bytes.size()) {
                return std::size_t{0};
            }
            const auto rest = bytes.subspan(static_cast<std::size_t>(offset));
            const std::size_t count = std::min(out.size(), rest.size());
            std::copy_n(rest.begin(), count, out.begin());
            return count;
        });
    for (;;) {
        const auto record = reader.next();
        if (!record.ok() || std::holds_alternative<storage::ArchiveEnd>(*record)) {
            return 0;
        }
    }
}
