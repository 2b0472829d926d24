// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content ids: 48 bits, each given once, over all nodes and restarts, and of no help to somebody
// who wants to count or guess them.
//
// Numbers 0, 1, 2, ... are taken from storage in blocks, so that most ids cost no transaction; what
// is left of a block when a process ends is never used. A keyed permutation of the 48-bit numbers
// (a balanced Feistel network of ten rounds with AES-256 as round function, as in NIST SP 800-38G
// without its alphabets and tweaks) turns each into the id. A permutation never gives the same id
// twice, and without the key the next one cannot be told from a random number.

#include "core/ids.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

namespace colophon::ledger {

using ContentIdKey = std::array<std::uint8_t, 32>;

// The permutation alone. Const calls may run at the same time.
class ContentIdCipher {
public:
    explicit ContentIdCipher(const ContentIdKey& key);
    ~ContentIdCipher();
    ContentIdCipher(const ContentIdCipher&) = delete;
    ContentIdCipher& operator=(const ContentIdCipher&) = delete;
    ContentIdCipher(ContentIdCipher&&) = delete;
    ContentIdCipher& operator=(ContentIdCipher&&) = delete;

    // `number` is at most ContentId::kMax (asserted).
    ContentId encipher(std::uint64_t number) const;
    std::uint64_t decipher(ContentId id) const;

private:
    struct Schedule;
    std::unique_ptr<Schedule> schedule_;
};

std::span<const storage::Migration> content_id_migrations();

// Any method may be called from any thread at the same time.
class ContentIds {
public:
    static constexpr std::int64_t kBlockSizeDefault = 1024;

    // `store` outlives this.
    ContentIds(storage::Store& store, const ContentIdKey& key,
               std::int64_t block_size = kBlockSizeDefault);

    // Takes a block from storage when the last one is used up. kUnavailable: storage failed, no id
    // was given. kLimit: all 2^48 are given.
    Result<ContentId> next();

    // Whether this id can have been given: false proves that a label which carries it was made up.
    // True says only that it lies in a block that some node has taken.
    Result<bool> was_given(ContentId id);

private:
    Result<void> take_block();

    storage::Store& store_;
    ContentIdCipher cipher_;
    std::int64_t block_size_;
    std::mutex mutex_;  // guards the two below
    std::int64_t next_ = 0;
    std::int64_t end_ = 0;
};

}  // namespace colophon::ledger
