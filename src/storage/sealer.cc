// SPDX-License-Identifier: Apache-2.0
#include "storage/sealer.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "storage/data_keys.h"
#include "storage/internal/digest_key.h"
#include "storage/internal/hmac.h"
#include "storage/limits.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <fmt/format.h>

#include <string_view>

namespace colophon::storage {

Secret digest_key(Suite suite, const Secret& key, std::string_view purpose) {
    Buffer text;
    append_counted(text, "colophon keyed digest 1");
    append_counted(text, purpose);
    Digest256 derived = hmac(digest_of(suite), key.bytes(), {text});
    Secret made(derived);
    wipe(derived);
    return made;
}

Result<Buffer> Sealer::seal(Bytes content, const SealContext& context) {
    if (content.size() > kObjectInMemoryBytesMax) {
        return Error{
            ErrorCode::kLimit,
            fmt::format("a value of {} bytes is too large to be sealed at once", content.size())};
    }
    const DataKey key = TRY(keys_.newest(context.owner));
    return storage::seal(*key.secret, context, {.suite = suite_, .generation = key.generation},
                         content, random_);
}

Result<Buffer> Sealer::open(Bytes sealed, const SealContext& context) {
    const SealedHeader header = TRY(read_sealed_header(sealed));
    const DataKey key = TRY(keys_.find(context.owner, header.generation));
    return unseal(*key.secret, context, sealed);
}

Result<Digest256> Sealer::keyed_digest(Bytes value, std::string_view owner,
                                       std::string_view purpose) {
    // So that there is a first generation.
    const DataKey newest = TRY(keys_.newest(owner));
    const DataKey first = newest.generation == 1 ? newest : TRY(keys_.find(owner, 1));
    return hmac(digest_of(suite_), digest_key(suite_, *first.secret, purpose).bytes(), {value});
}

}  // namespace colophon::storage
