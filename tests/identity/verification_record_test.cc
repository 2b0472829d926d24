// SPDX-License-Identifier: Apache-2.0
// A state and its record are one transaction: whatever fails in between, there are both or neither.

#include "identity/verification_record.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/random.h"
#include "core/result.h"
#include "identity/erasure.h"
#include "identity/identity_fixture.h"
#include "identity/subjects.h"
#include "identity/tables.h"
#include "ledger/conduct.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "storage/data_keys.h"
#include "storage/directory_objects.h"
#include "storage/engines.h"
#include "storage/files.h"
#include "storage/master_key.h"
#include "storage/migration.h"
#include "storage/object_tables.h"
#include "storage/objects.h"
#include "storage/row_values.h"
#include "storage/sealing.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "storage/tables.h"
#include "support/fault_vfs.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using storage::code_of;
using storage::each_engine;
using storage::Engine;
using storage::good;
using storage::Store;
using storage::TestStore;

constexpr std::string_view kMother = "11010519491231002X";

// Subjects whose verifications are recorded in the ledger of the same store. The folder keeps what
// outlives a crash beside the store: the master key.
struct World {
    Store& store;
    FixedClock clock{kStart};
    SystemRandom random;
    storage::SystemFiles files;
    std::unique_ptr<storage::ObjectStore> objects;
    std::unique_ptr<storage::DataKeys> keys;
    std::optional<ledger::Records> records;
    Sealer sealer;
    std::optional<Subjects> subjects;
    TenantId tenant;

    World(Store& on, const test::TempDir& dir) : store(on) {
        std::vector<storage::Migration> all;
        for (const auto list :
             {storage::storage_migrations(), storage::object_migrations(),
              ledger::record_migrations(), ledger::retention_migrations(), identity_migrations()}) {
            all.insert(all.end(), list.begin(), list.end());
        }
        good(storage::migrate(store, all, clock));
        objects = good(storage::open_directory_objects(dir.file("objects"), files, random));
        open_keys(dir.file("master.key"));
        records.emplace(store, *keys, random, ledger::Records::Options{.digest_key = {1}});
        sealer.seal = [](const SealPlace& at, Bytes content) {
            return gcm(true, std::string(at.owner), at.purpose, content);
        };
        sealer.open = [](const SealPlace& at, Bytes sealed) {
            return gcm(false, std::string(at.owner), at.purpose, sealed);
        };
        subjects.emplace(
            Subjects::Parts{
                .store = store,
                .sealer = sealer,
                .clock = clock,
                .random = random,
                .recorder = {},
                .verifications = verification_recorder(
                    {.records = *records, .clock = clock, .random = random},
                    {.account = "clerk", .source_address = {}, .source_port = 0, .client = {}})},
            SubjectKeys{.index = to_buffer("index key"), .codes = to_buffer("code key")});
        const storage::Rows there = good(store.query({"SELECT id FROM tenants"}, {}));
        tenant = there.empty() ? good(Tenants(store, clock, random).create("Example"))
                               : good(storage::id_at<TenantId>(there, 0, 0));
    }

    void open_keys(const std::string& path) {
        if (!std::filesystem::exists(path)) {
            test::write_file(path, as_bytes(good(storage::new_master_key_text(random))));
            std::filesystem::permissions(
                path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        }
        storage::MasterKeys masters;
        masters.master =
            good(storage::open_master_key("file:" + path, storage::Suite::kAes256Gcm, random));
        keys =
            good(storage::DataKeys::open({store, *objects, clock, random}, std::move(masters), {}));
    }

    SubjectId person(std::string_view name) {
        return good(subjects->enrol(tenant, name, SubjectKind::kPerson));
    }

    Result<VerificationState> verify(
        const SubjectId& subject, Outcome outcome, const std::function<void()>& during = [] {}) {
        return subjects->verify(tenant, subject,
                                {.means = Means::kResidentId,
                                 .name = "张三",
                                 .number = std::string(kMother),
                                 .consent_reference = "c",
                                 .idempotency_key = "k"},
                                [&](const VerificationRequest&) {
                                    during();
                                    VerificationAnswer answer;
                                    answer.outcome = outcome;
                                    answer.provider = "p";
                                    answer.provider_reference = "r-1";
                                    answer.billable = true;
                                    answer.checked_at = clock.now();
                                    return answer;
                                });
    }

    // "operation state outcome" of each record about this person, sorted.
    std::vector<std::string> recorded(const SubjectId& subject) {
        ledger::RecordQuery query;
        query.subject = subject;
        query.from = clock.now() - std::chrono::hours(1);
        query.until = clock.now() + std::chrono::hours(1);
        std::vector<std::string> lines;
        for (const ledger::Facts& facts : good(records->list(query))) {
            CHECK(facts.kind == ledger::RecordKind::kVerification);
            const json::Value detail = good(json::parse(facts.detail));
            std::string line = facts.operation;
            for (const char* name : {"state", "outcome"}) {
                const json::Value* value = detail.find(name);
                line += " " + (value == nullptr ? std::string("-") : *value->if_string());
            }
            lines.push_back(line);
        }
        std::ranges::sort(lines);
        return lines;
    }
};

// One statement on this table fails from now on, inside whatever transaction it stands.
void break_table(const TestStore& place, const std::string& table, const std::string& what) {
    if (place.engine() == Engine::kSqlite) {
        place.script("CREATE TRIGGER broken BEFORE " + what + " ON " + table +
                     " BEGIN SELECT RAISE(ABORT, 'broken'); END");
        return;
    }
    place.script(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''broken''; END'");
    place.script("CREATE TRIGGER broken BEFORE " + what + " ON " + table +
                 " FOR EACH ROW EXECUTE FUNCTION broken()");
}

}  // namespace

// [DSP-9] [DSP-10]
TEST_CASE("each ask about a person leaves one record with what came of it") {
    each_engine([](TestStore& place) {
        const test::TempDir dir;
        World world(*place, dir);
        const SubjectId subject = world.person("u");
        CHECK(good(world.verify(subject, Outcome::kTimeout)) == VerificationState::kUnverified);
        CHECK(good(world.verify(subject, Outcome::kMatch)) == VerificationState::kVerified);
        // The same key again asks nobody and records nothing.
        CHECK(good(world.verify(subject, Outcome::kMismatch)) == VerificationState::kVerified);
        const std::string code =
            good(world.subjects->begin_mobile(world.tenant, subject, "13900007777"));
        CHECK(code_of(world.subjects->confirm_mobile(world.tenant, subject, "13900007777",
                                                     "wrong")) == ErrorCode::kDenied);
        good(world.subjects->confirm_mobile(world.tenant, subject, "13900007777", code));
        CHECK(world.recorded(subject) ==
              std::vector<std::string>{"subject.code made -", "subject.code refused -",
                                       "subject.verify unverified timeout",
                                       "subject.verify verified match",
                                       "subject.verify verified match"});
    });
}

TEST_CASE("an answer for an account that was closed meanwhile is recorded as discarded") {
    each_engine([](TestStore& place) {
        const test::TempDir dir;
        World world(*place, dir);
        const SubjectId subject = world.person("u");
        CHECK(code_of(world.verify(subject, Outcome::kMatch, [&] {
                  good(world.subjects->close(world.tenant, subject));
              })) == ErrorCode::kConflict);
        CHECK_FALSE(good(world.subjects->standing(world.tenant, subject)).verified);
        CHECK(world.recorded(subject) ==
              std::vector<std::string>{"subject.verify discarded match"});
    });
}

TEST_CASE("without its record a person does not become verified, nor is one recorded who did not") {
    each_engine([](TestStore& place) {
        const test::TempDir dir;
        World world(*place, dir);
        const SubjectId subject = world.person("u");
        SUBCASE("the leaf of the record cannot be written") {
            break_table(place, "service_outbox", "INSERT");
        }
        SUBCASE("the day of birth cannot be written") {
            break_table(place, "subjects", "UPDATE");
        }
        CHECK_FALSE(world.verify(subject, Outcome::kMatch).ok());
        CHECK_FALSE(good(world.subjects->standing(world.tenant, subject)).verified);
        for (const std::string& line : world.recorded(subject)) {
            CHECK(line == "subject.verify discarded match");
        }
    });
}

// Every operation on the disk in turn is the last one before the power is cut.
TEST_CASE("a power cut anywhere in a verification leaves a state with its record or neither") {
    const test::TempDir dir;
    const test::FaultVfs vfs;
    storage::SqliteOptions options;
    options.vfs = test::FaultVfs::kName;
    int both = 0;
    int neither = 0;
    for (std::int64_t at = 1; at < 400; ++at) {
        CAPTURE(at);
        const std::string path = dir.file(std::to_string(at) + ".db");
        SubjectId subject;
        bool struck = false;
        {
            const auto store = good(storage::open_sqlite(path, options));
            World world(*store, dir);
            subject = world.person("u");
            test::FaultVfs::arm(test::Fault::kShortWrite, at, true);
            (void)world.verify(subject, Outcome::kMatch);
            struck = test::FaultVfs::struck();
        }
        test::FaultVfs::disarm();
        test::FaultVfs::cut_power();
        const auto store = good(storage::open_sqlite(path, options));
        World world(*store, dir);
        const bool verified = good(world.subjects->standing(world.tenant, subject)).verified;
        const std::vector<std::string> recorded = world.recorded(subject);
        CHECK(recorded.size() == (verified ? 1 : 0));
        (verified ? both : neither) += 1;
        if (!struck) {
            break;
        }
    }
    CHECK(both > 0);
    CHECK(neither > 5);
}

// An erasure whose process died between its tombstone and its transaction.
TEST_CASE("a key that a tombstone destroyed gets its record at the next start, once") {
    each_engine([](TestStore& place) {
        const test::TempDir dir;
        const SubjectId subject = [&] {
            World world(*place, dir);
            const SubjectId made = world.person("u");
            good(world.verify(made, Outcome::kMatch));
            break_table(place, "destroyed_keys", "INSERT");
            const ledger::Conduct conduct(*world.records, world.clock, world.random, {});
            CHECK_FALSE(erase_subject({.store = world.store,
                                       .keys = *world.keys,
                                       .subjects = *world.subjects,
                                       .records = *world.records,
                                       .conduct = conduct,
                                       .clock = world.clock},
                                      {.tenant = world.tenant,
                                       .subject = made,
                                       .reason = "asked for",
                                       .despite_retention = true})
                            .ok());
            CHECK_FALSE(good(world.keys->is_destroyed(to_string(made))));
            return made;
        }();
        place.script(place.engine() == Engine::kSqlite ? "DROP TRIGGER broken"
                                                       : "DROP TRIGGER broken ON destroyed_keys");
        World world(*place, dir);
        CHECK(good(world.keys->is_destroyed(to_string(subject))));
        const ledger::Conduct conduct(*world.records, world.clock, world.random, {});
        for (int start = 0; start < 3; ++start) {
            good(finish_erasures(*world.keys, conduct));
        }
        ledger::RecordQuery query;
        query.kind = ledger::RecordKind::kErasure;
        query.until = kStart + std::chrono::hours(1);
        const auto erasures = good(world.records->list(query));
        REQUIRE(erasures.size() == 1);
        CHECK(erasures[0].operation == "subject.erased");
        CHECK(erasures[0].detail.find(to_string(subject)) != std::string::npos);
    });
}

}  // namespace colophon::identity
