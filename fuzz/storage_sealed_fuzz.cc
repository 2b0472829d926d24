// SPDX-License-Identifier: Apache-2.0
// No bytes but those that were sealed open, and sizes and headers are read without harm.

#include "core/assert.h"
#include "core/bytes.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace storage = colophon::storage;
    const colophon::Bytes sealed(data, size);
    const auto header = storage::read_sealed_header(sealed);
    if (!header.ok()) {
        return 0;
    }
    const auto content = storage::content_bytes(header->suite, size);
    if (content.ok()) {
        COLOPHON_ASSERT(storage::sealed_bytes(header->suite, *content) == size);
    }
    // The key is not in the corpus and cannot be found by chance.
    const storage::Secret key(colophon::Buffer(storage::kSecretBytes, 0x5A));
    COLOPHON_ASSERT(!storage::unseal(key, {"owner", "fuzz", "id"}, sealed).ok());
    return 0;
}
