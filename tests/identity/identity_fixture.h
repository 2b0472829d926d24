// SPDX-License-Identifier: Apache-2.0
#pragma once

// A database of identities on either engine, with a clock that stands, and a sealer that really
// seals: AES-256-GCM under a key per owner, bound to its place.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"
#include "identity/sealer.h"
#include "identity/tables.h"
#include "identity/tenants.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace colophon::identity {

inline constexpr Time kStart{std::chrono::seconds(1'795'500'000)};  // 2026-11-24

// nonce | ciphertext | tag
inline Result<Buffer> gcm(bool seal, const std::string& owner, std::string_view purpose,
                          Bytes content) {
    const Digest256 key = sha256(as_bytes("key of " + owner));
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    Buffer nonce(12);
    int size = 0;
    if (seal) {
        SystemRandom random;
        TRY(random.fill(nonce));
    } else if (content.size() < 28) {
        return Error{ErrorCode::kCorrupt, "sealed bytes are cut"};
    } else {
        nonce = to_buffer(content.first(12));
        content = content.subspan(12);
    }
    EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data(),
                      seal ? 1 : 0);
    const Bytes bound = as_bytes(purpose);
    EVP_CipherUpdate(context.get(), nullptr, &size, bound.data(), static_cast<int>(bound.size()));
    const Bytes text = seal ? content : content.first(content.size() - 16);
    Buffer out(text.size());
    EVP_CipherUpdate(context.get(), out.data(), &size, text.data(), static_cast<int>(text.size()));
    Buffer tag(16);
    if (!seal) {
        tag = to_buffer(content.subspan(content.size() - 16));
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, 16, tag.data());
    }
    if (EVP_CipherFinal_ex(context.get(), tag.data(), &size) != 1) {
        return Error{ErrorCode::kCorrupt, "sealed bytes do not open"};
    }
    if (!seal) {
        return out;
    }
    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, 16, tag.data());
    append(nonce, out);
    append(nonce, tag);
    return nonce;
}

struct Fixture {
    storage::TestStore database;
    FixedClock clock{kStart};
    SystemRandom random;
    std::set<std::string> erased;  // owners whose keys are gone
    Sealer sealer;
    Tenants tenants;

    explicit Fixture(storage::Engine engine = storage::Engine::kSqlite)
        : database(engine), tenants(*database, clock, random) {
        storage::good(storage::migrate(*database, identity_migrations(), clock));
        sealer.seal = [](const SealPlace& place, Bytes content) {
            return gcm(true, std::string(place.owner), place.purpose, content);
        };
        sealer.open = [this](const SealPlace& place, Bytes sealed) -> Result<Buffer> {
            if (erased.contains(std::string(place.owner))) {
                return Error{ErrorCode::kNotFound, "the key was destroyed"};
            }
            return gcm(false, std::string(place.owner), place.purpose, sealed);
        };
    }

    TenantId tenant(std::string_view name = "Example") {
        return storage::good(tenants.create(name));
    }
};

}  // namespace colophon::identity
