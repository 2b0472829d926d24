// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of tables, sealed under the data key of their owner (storage/sealing.h has the format).
// Threads: any method from any thread.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/data_keys.h"
#include "storage/sealing.h"

#include <cstdint>

namespace colophon::storage {

class Sealer {
public:
    // Both must outlive the sealer.
    Sealer(DataKeys& keys, Suite suite, Random& random)
        : keys_(keys), suite_(suite), random_(random) {}

    // 40 bytes more than the content under AES, 56 under SM4; the same content gives other bytes
    // each time. Error{kConflict} when the owner's key was destroyed, Error{kLimit} above
    // kObjectInMemoryBytesMax.
    Result<Buffer> seal(Bytes content, const SealContext& context);
    // Error{kNotFound} when the owner's key was destroyed, Error{kCorrupt} when these are not the
    // bytes that were sealed for this place.
    Result<Buffer> open(Bytes sealed, const SealContext& context);

    // The same for the same value, so that it can be looked for; useless without the key. One per
    // owner and purpose, so that columns cannot be compared with each other. It shows which rows
    // are equal: not for values of which there are few. It is under the first generation of the
    // owner's key and does not change with renew().
    Result<Digest256> keyed_digest(Bytes value, std::string_view owner, std::string_view purpose);

    Suite suite() const noexcept { return suite_; }

private:
    DataKeys& keys_;
    Suite suite_;
    Random& random_;
};

}  // namespace colophon::storage
