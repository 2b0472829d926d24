// SPDX-License-Identifier: Apache-2.0
#include "storage/data_keys.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/engines.h"
#include "storage/internal/key_cache.h"
#include "storage/key_setup.h"
#include "storage/sealer.h"
#include "storage/sealing.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr SealContext kPhone{.owner = "subject/5f3c", .purpose = "identity.phone", .id = "7"};

bool same(const DataKey& a, const DataKey& b) {
    return a.generation == b.generation && std::ranges::equal(a.secret->bytes(), b.secret->bytes());
}

TEST_CASE("an owner's key is made once, whoever asks, and is there after a restart") {
    each_engine([](TestStore& store) {
        KeySetup setup(store);
        DataKey made;
        {
            const auto keys = setup.open(setup.first);
            const auto elsewhere = setup.open(setup.first);
            std::atomic<int> different{0};
            made = good(keys->newest("a"));
            std::vector<std::thread> threads;
            std::vector<DataKey> got(4);
            for (std::size_t i = 0; i < got.size(); ++i) {
                threads.emplace_back([&, i] {
                    DataKeys& asked = i % 2 == 0 ? *keys : *elsewhere;
                    const auto key = asked.newest("together");
                    if (key.ok()) {
                        got[i] = *key;
                    }
                });
            }
            for (std::thread& thread : threads) {
                thread.join();
            }
            for (const DataKey& key : got) {
                REQUIRE(key.secret != nullptr);
                CHECK(same(key, got[0]));
            }
            CHECK_FALSE(same(made, got[0]));
        }
        const auto again = setup.open(setup.first);
        CHECK(same(good(again->newest("a")), made));
        CHECK(same(good(again->find("a", 1)), made));
        CHECK(code_of(again->find("a", 2)) == ErrorCode::kNotFound);
        CHECK(code_of(again->newest("phone 138")) == ErrorCode::kInvalidArgument);
    });
}

TEST_CASE("[S14] a renewed data key seals anew, and what was sealed before stays readable") {
    each_engine([](TestStore& store) {
        KeySetup setup(store);
        const auto keys = setup.open(setup.first);
        Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
        const Buffer before = good(sealer.seal(as_bytes("13800138000"), kPhone));
        const Digest256 digest = good(sealer.keyed_digest(as_bytes("x"), kPhone.owner, "p"));
        CHECK(good(keys->renew(kPhone.owner)) == 2);
        const Buffer after = good(sealer.seal(as_bytes("13800138000"), kPhone));
        CHECK(read_sealed_header(before)->generation == 1);
        CHECK(read_sealed_header(after)->generation == 2);
        CHECK(as_text(good(sealer.open(before, kPhone))) == "13800138000");
        CHECK(as_text(good(sealer.open(after, kPhone))) == "13800138000");
        CHECK(good(sealer.keyed_digest(as_bytes("x"), kPhone.owner, "p")) == digest);
        CHECK(good(sealer.keyed_digest(as_bytes("x"), kPhone.owner, "q")) != digest);
        CHECK(good(sealer.keyed_digest(as_bytes("x"), "other", "p")) != digest);
    });
}

TEST_CASE("[P2] a destroyed key opens nothing, on no node, and is not made again") {
    each_engine([](TestStore& store) {
        KeySetup setup(store);
        const auto keys = setup.open(setup.first);
        const auto other_store = setup.store.open();
        MasterKeys masters{good(open_master_key(setup.first, Suite::kAes256Gcm, setup.random)), {}};
        const auto elsewhere = good(DataKeys::open(
            {*other_store, *setup.objects, setup.clock, setup.random}, std::move(masters), {}));
        Sealer sealer(*keys, Suite::kSm4HmacSm3, setup.random);
        Sealer there(*elsewhere, Suite::kSm4HmacSm3, setup.random);
        const Buffer sealed = good(sealer.seal(as_bytes("secret"), kPhone));
        const SealContext neighbour{.owner = "subject/5f3d", .purpose = "p", .id = "1"};
        const Buffer kept = good(sealer.seal(as_bytes("kept"), neighbour));
        CHECK(as_text(good(there.open(sealed, kPhone))) == "secret");  // now in its cache
        good(keys->destroy(kPhone.owner));
        good(keys->destroy(kPhone.owner));
        CHECK(code_of(sealer.open(sealed, kPhone)) == ErrorCode::kNotFound);
        CHECK(code_of(sealer.seal(as_bytes("x"), kPhone)) == ErrorCode::kConflict);
        CHECK(good(keys->is_destroyed(kPhone.owner)));
        // The notification takes a moment; the clock stands, so that time alone drops nothing.
        bool gone = false;
        for (int i = 0; i < 2000 && !gone; ++i) {
            gone = !there.open(sealed, kPhone).ok();
            std::this_thread::yield();
            if (!gone) {
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
        }
        CHECK(gone);
        CHECK(as_text(good(there.open(kept, neighbour))) == "kept");
    });
}

TEST_CASE("[P4] a database that is put back from a backup does not revive a destroyed key") {
    TestStore store(Engine::kSqlite);
    KeySetup setup(store);
    Buffer sealed;
    {
        const auto keys = setup.open(setup.first);
        Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
        sealed = good(sealer.seal(as_bytes("secret"), kPhone));
    }
    // A backup is the database with its log, and nothing of the objects.
    const std::string wal = store.address() + "-wal";
    store.close();
    const Buffer backup = test::read_file(store.address());
    const Buffer backup_wal = std::filesystem::exists(wal) ? test::read_file(wal) : Buffer();
    store.reopen();
    good(setup.open(setup.first)->destroy(kPhone.owner));
    store.close();
    std::filesystem::remove(store.address() + "-shm");
    test::write_file(store.address(), backup);
    test::write_file(wal, backup_wal);
    store.reopen();
    CHECK_FALSE(
        good(store->query({"SELECT owner FROM data_keys WHERE owner = $1"}, {text(kPhone.owner)}))
            .empty());
    const auto keys = setup.open(setup.first);
    Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
    CHECK(code_of(sealer.open(sealed, kPhone)) == ErrorCode::kNotFound);
    CHECK(good(keys->is_destroyed(kPhone.owner)));
    CHECK(good(keys->replay_tombstones()) == 0);
}

TEST_CASE("[P8] a crash between tombstone and table ends with the key destroyed") {
    each_engine([](TestStore& store) {
        KeySetup setup(store);
        Buffer sealed;
        {
            const auto keys = setup.open(setup.first);
            Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
            sealed = good(sealer.seal(as_bytes("secret"), kPhone));
            // What destroy() does first, and then nothing more.
            const std::string name = to_hex(sha256(as_bytes(kPhone.owner)));
            good(setup.objects->put("destroyed/" + name.substr(0, 2) + "/" + name,
                                    as_bytes(kPhone.owner), Existing::kKeep));
        }
        const auto keys = setup.open(setup.first);
        Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
        CHECK(code_of(sealer.open(sealed, kPhone)) == ErrorCode::kNotFound);
    });
}

TEST_CASE("[S14] the master key is changed under way; the old one is refused afterwards") {
    each_engine([](TestStore& store) {
        KeySetup setup(store);
        std::vector<Buffer> sealed;
        const auto context = [](int i, std::string& owner) {
            owner = "subject/" + std::to_string(i);
            return SealContext{.owner = owner, .purpose = "p", .id = "1"};
        };
        std::string owner;
        {
            const auto keys = setup.open(setup.first);
            Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
            for (int i = 0; i < 25; ++i) {
                sealed.push_back(good(sealer.seal(as_bytes("secret"), context(i, owner))));
            }
        }
        CHECK(setup.try_open(setup.second).error().code == ErrorCode::kDenied);
        const auto old_node = setup.open(setup.first, {setup.second});
        const auto keys = setup.open(setup.second, {setup.first});
        CHECK(code_of(keys->retire_others()) == ErrorCode::kConflict);
        // In steps, as if it had been stopped in between; the service goes on.
        CHECK(good(keys->rewrap(10)) == 15);
        Sealer during(*old_node, Suite::kAes256Gcm, setup.random);
        for (int i = 0; i < 25; ++i) {
            CHECK(as_text(good(during.open(sealed[static_cast<std::size_t>(i)],
                                           context(i, owner)))) == "secret");
        }
        CHECK(good(keys->rewrap(1000)) == 0);
        good(keys->retire_others());
        const auto status = good(keys->status());
        REQUIRE(status.size() == 2);
        CHECK(std::ranges::count_if(status, [](const MasterKeyStatus& s) {
                  return s.is_master && !s.retired && s.data_keys == 25;
              }) == 1);
        CHECK(std::ranges::count_if(status, [](const MasterKeyStatus& s) {
                  return !s.is_master && s.retired && s.data_keys == 0;
              }) == 1);
        // Refused: to open with it, to make a key under it, to read one that is under it.
        CHECK(setup.try_open(setup.first).error().code == ErrorCode::kDenied);
        CHECK(code_of(old_node->newest("new/owner")) == ErrorCode::kDenied);
        const auto after = setup.open(setup.second, {setup.first});
        const auto old_key = good(open_master_key(setup.first, Suite::kAes256Gcm, setup.random));
        const Buffer stale =
            good(old_key->wrap(good(after->newest("subject/0")).secret->copy(), {"stale", 1}));
        Batch batch;
        batch.operations.push_back(
            {{"INSERT INTO data_keys (owner, generation, master, wrapped, made_at) VALUES ($1, $2, "
              "$3, $4, $5)"},
             {text("stale"), integer(1), bytes(old_key->id()), bytes(stale), integer(0)}});
        good(store->apply(std::move(batch)));
        CHECK(code_of(after->find("stale", 1)) == ErrorCode::kDenied);
        Sealer sealer(*after, Suite::kAes256Gcm, setup.random);
        for (int i = 0; i < 25; ++i) {
            CHECK(as_text(good(sealer.open(sealed[static_cast<std::size_t>(i)],
                                           context(i, owner)))) == "secret");
        }
    });
}

TEST_CASE("[S15] wrapped keys that are exchanged between rows open nothing") {
    each_engine([](TestStore& store) {
        KeySetup setup(store);
        {
            const auto keys = setup.open(setup.first);
            good(keys->newest("a"));
            good(keys->newest("b"));
        }
        store.script(
            "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE owner = "
            "'b') WHERE owner = 'a'");
        const auto keys = setup.open(setup.first);
        CHECK(code_of(keys->newest("a")) == ErrorCode::kCorrupt);
        CHECK(keys->newest("b").ok());
    });
}

TEST_CASE("[P1] the database file holds no value, no key and no digest of one") {
    TestStore store(Engine::kSqlite);
    KeySetup setup(store);
    store.script("CREATE TABLE people (id TEXT PRIMARY KEY, phone BYTEA NOT NULL) WITHOUT ROWID");
    const auto keys = setup.open(setup.first);
    Sealer sealer(*keys, Suite::kAes256Gcm, setup.random);
    std::vector<std::string> needles;
    for (int i = 0; i < 200; ++i) {
        const std::string id = std::to_string(i);
        const std::string owner = "subject/" + id;
        const std::string phone = std::to_string(13'800'138'000 + i);
        const SealContext context{.owner = owner, .purpose = "people.phone", .id = id};
        Batch batch;
        batch.operations.push_back(
            {{"INSERT INTO people (id, phone) VALUES ($1, $2)"},
             {text(id), bytes(good(sealer.seal(as_bytes(phone), context)))}});
        good(store->apply(std::move(batch)));
        needles.push_back(phone);
        needles.push_back(to_hex(as_bytes(phone)));
        needles.push_back(std::string(as_text(sha256(as_bytes(phone)))));
        needles.push_back(to_hex(sha256(as_bytes(phone))));
        needles.push_back(std::string(as_text(sm3(as_bytes(phone)))));
        std::string wide;
        for (const char c : phone) {
            wide += std::string(1, c) + '\0';
        }
        needles.push_back(wide);
        needles.push_back(std::string(as_text(good(keys->newest(owner)).secret->bytes())));
    }
    std::string all;
    for (const char* suffix : {"", "-wal", "-shm"}) {
        if (std::filesystem::exists(store.address() + suffix)) {
            all += as_text(test::read_file(store.address() + suffix));
        }
    }
    CHECK(all.size() > 20'000);
    CHECK(all.find("subject/7") != std::string::npos);  // we look at the right files
    for (const std::string& needle : needles) {
        CHECK(all.find(needle) == std::string::npos);
    }
}

TEST_CASE("the cache holds no more keys than it may, no longer than it may") {
    FixedClock clock{Time()};
    KeyCache cache({.keys_max = 3, .used_for = std::chrono::seconds(60)}, clock);
    const auto key = [] { return DataKey{1, std::make_shared<const Secret>(Buffer(32, 1))}; };
    std::weak_ptr<const Secret> watched;
    for (const std::string_view owner : {"a", "b", "c"}) {
        DataKey made = key();
        if (owner == "b") {
            watched = made.secret;
        }
        cache.add(owner, 1, std::move(made), cache.epoch());
    }
    CHECK(cache.find("a", 1).has_value());  // used, so that b is the eldest
    cache.add("d", 1, key(), cache.epoch());
    CHECK(cache.size() == 3);
    CHECK_FALSE(cache.find("b", 1).has_value());
    CHECK(watched.expired());
    CHECK_FALSE(cache.find("a", 2).has_value());
    // What was read before a drop does not come in after it.
    const std::uint64_t before = cache.epoch();
    cache.drop("a");
    CHECK_FALSE(cache.find("a", 1).has_value());
    cache.add("a", 1, key(), before);
    CHECK_FALSE(cache.find("a", 1).has_value());
    clock.advance(std::chrono::seconds(60));
    CHECK_FALSE(cache.find("c", 1).has_value());
    CHECK_FALSE(cache.find("d", 1).has_value());
    CHECK(cache.size() == 0);
}

}  // namespace
}  // namespace colophon::storage
