// SPDX-License-Identifier: Apache-2.0
#include "ledger/content_ids.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "storage/migration.h"
#include "storage/store.h"
#include "storage/value.h"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

namespace colophon::ledger {

namespace {

constexpr int kRounds = 10;
constexpr unsigned kHalfBits = 24;
constexpr std::uint32_t kHalfMask = (1U << kHalfBits) - 1U;
constexpr std::size_t kBlockBytes = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

constexpr std::array kMigrations{
    storage::Migration{
        .module = "content_ids",
        .step = 1,
        .sql =
            "CREATE TABLE content_id_blocks (id BIGINT PRIMARY KEY, next_number BIGINT NOT NULL);\n"
            "INSERT INTO content_id_blocks (id, next_number) VALUES (1, 0);\n"},
};

}  // namespace

struct ContentIdCipher::Schedule {
    CipherContext context{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
    std::mutex mutex;  // an OpenSSL context belongs to one thread at a time

    // 24 bits from AES-256(key, round || half), the rest of the block being zero.
    std::uint32_t round(int number, std::uint32_t half) {
        std::array<std::uint8_t, kBlockBytes> block{};
        block[0] = static_cast<std::uint8_t>(number);
        store_be32(block, 4, half);
        std::array<std::uint8_t, kBlockBytes> out{};
        int written = 0;
        COLOPHON_ASSERT(EVP_EncryptUpdate(context.get(), out.data(), &written, block.data(),
                                          static_cast<int>(block.size())) == 1);
        return load_be32(out) & kHalfMask;
    }
};

ContentIdCipher::ContentIdCipher(const ContentIdKey& key)
    : schedule_(std::make_unique<Schedule>()) {
    EVP_CIPHER_CTX* context = schedule_->context.get();
    COLOPHON_ASSERT(context != nullptr);
    COLOPHON_ASSERT(EVP_EncryptInit_ex2(context, EVP_aes_256_ecb(), key.data(), nullptr, nullptr) ==
                    1);
    COLOPHON_ASSERT(EVP_CIPHER_CTX_set_padding(context, 0) == 1);
}

ContentIdCipher::~ContentIdCipher() = default;

ContentId ContentIdCipher::encipher(std::uint64_t number) const {
    COLOPHON_ASSERT(number <= ContentId::kMax);
    const std::lock_guard lock(schedule_->mutex);
    auto left = static_cast<std::uint32_t>(number >> kHalfBits);
    auto right = static_cast<std::uint32_t>(number & kHalfMask);
    for (int i = 0; i < kRounds; ++i) {
        const std::uint32_t mixed = left ^ schedule_->round(i, right);
        left = right;
        right = mixed;
    }
    return {(std::uint64_t{left} << kHalfBits) | right};
}

std::uint64_t ContentIdCipher::decipher(ContentId id) const {
    COLOPHON_ASSERT(id.value <= ContentId::kMax);
    const std::lock_guard lock(schedule_->mutex);
    auto left = static_cast<std::uint32_t>(id.value >> kHalfBits);
    auto right = static_cast<std::uint32_t>(id.value & kHalfMask);
    for (int i = kRounds - 1; i >= 0; --i) {
        const std::uint32_t mixed = right ^ schedule_->round(i, left);
        right = left;
        left = mixed;
    }
    return (std::uint64_t{left} << kHalfBits) | right;
}

std::span<const storage::Migration> content_id_migrations() {
    return kMigrations;
}

ContentIds::ContentIds(storage::Store& store, const ContentIdKey& key, std::int64_t block_size)
    : store_(store), cipher_(key), block_size_(block_size) {
    COLOPHON_ASSERT(block_size > 0);
}

Result<ContentId> ContentIds::next() {
    const std::lock_guard lock(mutex_);
    if (next_ == end_) {
        TRY(take_block());
    }
    return cipher_.encipher(static_cast<std::uint64_t>(next_++));
}

Result<void> ContentIds::take_block() {
    static constexpr storage::Statement kRead{
        "SELECT next_number FROM content_id_blocks WHERE id = 1"};
    static constexpr storage::Statement kTake{
        "UPDATE content_id_blocks SET next_number = $1 WHERE id = 1"};
    std::int64_t first = 0;
    std::int64_t end = 0;
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        const storage::Rows rows = TRY(transaction.query(kRead, {}));
        if (rows.size() != 1) {
            return Error{ErrorCode::kCorrupt, "the table of content id blocks has no row"};
        }
        first = TRY(rows.integer(0, 0));
        constexpr auto kCount = static_cast<std::int64_t>(ContentId::kMax) + 1;
        if (first < 0 || first >= kCount) {
            return Error{ErrorCode::kLimit, "all content ids are given"};
        }
        end = first + block_size_ < kCount ? first + block_size_ : kCount;
        TRY(transaction.execute(kTake, {storage::integer(end)}));
        return {};
    };
    TRY(store_.transact(body));
    next_ = first;
    end_ = end;
    return {};
}

Result<bool> ContentIds::was_given(ContentId id) {
    static constexpr storage::Statement kRead{
        "SELECT next_number FROM content_id_blocks WHERE id = 1"};
    const storage::Rows rows = TRY(store_.query(kRead, {}));
    if (rows.size() != 1) {
        return Error{ErrorCode::kCorrupt, "the table of content id blocks has no row"};
    }
    const std::int64_t taken = TRY(rows.integer(0, 0));
    return cipher_.decipher(id) < static_cast<std::uint64_t>(taken);
}

}  // namespace colophon::ledger
