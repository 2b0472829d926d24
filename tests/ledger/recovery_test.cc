// SPDX-License-Identifier: Apache-2.0
// Crashes during recovery, three deep, and clocks that jump while two services run.
#include "core/bytes.h"
#include "core/clock.h"
#include "ledger/log_objects.h"
#include "ledger/log_service.h"
#include "ledger/log_writer.h"
#include "ledger/verify/log.h"
#include "ledger_stores.h"
#include "sample_log.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

// The process dies at the call after `left` others: before that call has done anything, or right
// after it did. From then on nothing happens any more.
struct Death {
    int left = 0;
    bool after = false;
    bool dead = false;

    // Whether the call does its work.
    bool works() {
        if (dead) {
            return false;
        }
        if (left-- > 0) {
            return true;
        }
        dead = true;
        return after;
    }
    Error error() const { return {ErrorCode::kUnavailable, "the process died"}; }
};

class MortalObjects final : public LogObjects {
public:
    MortalObjects(LogObjects& objects, Death& death) : objects_(objects), death_(death) {}
    Result<void> put(std::string_view name, Bytes content) override {
        if (death_.works()) {
            TRY(objects_.put(name, content));
        }
        return death_.dead ? Result<void>(death_.error()) : Result<void>();
    }
    Result<std::optional<Buffer>> get(std::string_view name) override {
        return death_.dead ? Result<std::optional<Buffer>>(death_.error()) : objects_.get(name);
    }
    Result<void> remove(std::string_view name) override {
        if (death_.works()) {
            TRY(objects_.remove(name));
        }
        return death_.dead ? Result<void>(death_.error()) : Result<void>();
    }
    Result<void> flush() override {
        (void)death_.works();
        return death_.dead ? Result<void>(death_.error()) : Result<void>();
    }

private:
    LogObjects& objects_;
    Death& death_;
};

class MortalHead final : public HeadStore {
public:
    MortalHead(HeadStore& head, Death& death) : head_(head), death_(death) {}
    Result<std::optional<std::string>> read() override {
        return death_.dead ? Result<std::optional<std::string>>(death_.error()) : head_.read();
    }
    Result<void> swap(const std::optional<std::string>& expected,
                      const std::string& next) override {
        if (death_.works()) {
            TRY(head_.swap(expected, next));
        }
        return death_.dead ? Result<void>(death_.error()) : Result<void>();
    }

private:
    HeadStore& head_;
    Death& death_;
};

LogWriterOptions writer_options() {
    LogWriterOptions options;
    options.origin = std::string(test::kLogName);
    options.signers.push_back(test::log_signer());
    return options;
}

// A log in memory, with what its last life left.
struct MortalLog {
    MemoryObjects objects;
    MemoryHead head;

    // A life that opens the log and appends `count` entries, as far as it gets; whether it lived.
    bool live(Death death, std::uint64_t count) {
        MortalObjects mortal(objects, death);
        MortalHead mortal_head(head, death);
        auto writer = LogWriter::open(mortal, mortal_head, writer_options());
        if (!writer.ok()) {
            return false;
        }
        std::vector<Buffer> bytes;
        std::vector<Bytes> entries;
        for (std::uint64_t i = 0; i < count; ++i) {
            bytes.push_back(to_buffer("entry " + std::to_string(i)));
        }
        entries.assign(bytes.begin(), bytes.end());
        return writer->integrate(entries).ok();
    }
    verify::LogReport check(std::vector<std::string> older) {
        const verify::Fetch fetch = [this](const std::string& name) { return objects.get(name); };
        verify::LogOptions options;
        options.keys = test::log_keys();
        options.older = std::move(older);
        return good(verify::check_log(fetch, options));
    }
};

constexpr int kForever = 1'000'000;

// The system's time and a jump.
class JumpingClock final : public Clock {
public:
    Time now() override {
        return SystemClock().now() + std::chrono::milliseconds(offset_ms.load());
    }
    std::atomic<std::int64_t> offset_ms{0};
};

}  // namespace

// [DSP-10] Every place of a crash, in every place of the recovery
// from one, in every place of the recovery from that.
TEST_CASE("a log recovers from a crash during the recovery from a crash during recovery" *
          doctest::test_suite("slow")) {
    int lives = 0;
    for (const bool after : {false, true}) {
        bool first_lived = false;
        for (int first = 0; !first_lived; ++first) {
            bool second_lived = false;
            for (int second = 0; !second_lived; ++second) {
                bool third_lived = false;
                for (int third = 0; !third_lived; ++third) {
                    MortalLog log;
                    REQUIRE(log.live({.left = kForever}, 254));
                    const std::string kept(as_text(*good(log.objects.get("checkpoint"))));
                    first_lived = log.live({.left = first, .after = after}, 5);
                    second_lived = log.live({.left = second, .after = after}, 0);
                    third_lived = log.live({.left = third, .after = !after}, 0);
                    REQUIRE(log.live({.left = kForever}, 3));
                    const verify::LogReport report = log.check({kept});
                    CHECK(report.good);
                    CHECK(report.older_good == 1);
                    CHECK((report.entries == 254 + 3 || report.entries == 254 + 5 + 3));
                    CHECK((!first_lived || report.entries == 254 + 5 + 3));
                    ++lives;
                }
            }
        }
    }
    CHECK(lives > 500);
}

TEST_CASE("clocks that are hours apart and jump make no fork and lose nothing" *
          doctest::test_suite("slow")) {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        SystemRandom random;
        JumpingClock early;
        JumpingClock late;
        early.offset_ms = -3'600'000;
        late.offset_ms = 3'600'000;
        const auto start = [&](Clock& clock) {
            std::vector<ServiceLog> logs;
            logs.push_back(
                {.log = LogClass::kService, .origin = std::string(test::kLogName), .signers = {}});
            logs[0].signers.push_back(test::log_signer());
            return LogService::start(
                {.store = *store, .objects = *stores.objects, .clock = clock, .random = random},
                std::move(logs),
                {.every = std::chrono::milliseconds(5),
                 .lease = std::chrono::milliseconds(300),
                 .retry = std::chrono::milliseconds(10)});
        };
        std::uint64_t appended = 0;
        {
            const auto one = start(early);
            const auto two = start(late);
            Records records = stores.records();
            for (int round = 0; round < 12; ++round) {
                for (int i = 0; i < 5; ++i) {
                    good(records.append(stores.record()));
                    ++appended;
                }
                early.offset_ms = round % 2 == 0 ? 7'200'000 : -7'200'000;
                late.offset_ms = round % 3 == 0 ? -86'400'000 : 60'000;
                std::this_thread::sleep_for(std::chrono::milliseconds(60));
            }
        }
        // Whoever comes with a right clock, after all leases of wrong ones.
        early.offset_ms = 2 * 86'400'000;
        const auto last = start(early);
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (good(freshness(*store, LogClass::kService)).waiting > 0 &&
               std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
        const verify::Fetch fetch = [&](const std::string& name) { return objects.get(name); };
        verify::LogOptions options;
        options.keys = test::log_keys();
        const verify::LogReport report = good(verify::check_log(fetch, options));
        CHECK(report.good);
        CHECK(report.entries == appended);
    });
}

}  // namespace colophon::ledger
