// SPDX-License-Identifier: Apache-2.0
// Witnesses over real HTTP. The witness of the test is one by its own definition: it checks the
// signature of the log and the consistency proof before it cosigns, and keeps what it signed.
#include "ledger/witnessing.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "http/client.h"
#include "ledger/log_service.h"
#include "ledger/verify/log.h"
#include "ledger_stores.h"
#include "sample_log.h"
#include "support/http_peer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using colophon::test::answer;
using colophon::test::HttpPeer;
using colophon::test::PeerAnswer;
using colophon::test::PeerRequest;

class TestWitness {
public:
    explicit TestWitness(std::uint64_t seed)
        : signer_(make(seed)),
          peer_([this](const PeerRequest& request) { return take(request); }) {}

    WitnessAddress address() { return {.key = signer_.verifier(), .url = peer_.url("/w")}; }
    verify::Key key() const { return good(verify::read_key(signer_.verifier().vkey())); }
    std::uint64_t size() const {
        const std::lock_guard lock(mutex_);
        return seen_ ? seen_->size : 0;
    }
    std::size_t asked() const { return peer_.requests().size(); }
    void pretend_to_know(Tree tree) {
        const std::lock_guard lock(mutex_);
        seen_ = tree;
    }
    void fail(bool failing) {
        const std::lock_guard lock(mutex_);
        failing_ = failing;
    }

private:
    static NoteSigner make(std::uint64_t seed) {
        SeededRandom random(seed);
        return good(NoteSigner::generate("witness.example/w" + std::to_string(seed),
                                         SignatureType::kCosignature, random));
    }
    PeerAnswer take(const PeerRequest& request) {
        const std::lock_guard lock(mutex_);
        if (failing_) {
            return answer(500, "no");
        }
        if (request.target != "/w/add-checkpoint" || request.method != "POST") {
            return answer(404, "");
        }
        const std::size_t blank = request.body.find("\n\n");
        std::istringstream head(request.body.substr(0, blank));
        std::string line;
        std::getline(head, line);
        const std::uint64_t old_size = std::stoull(line.substr(4));
        Hashes proof;
        while (std::getline(head, line)) {
            Hash hash{};
            const Buffer bytes = good(from_base64(line));
            std::copy(bytes.begin(), bytes.end(), hash.begin());
            proof.push_back(hash);
        }
        const std::vector<NoteVerifier> log{test::log_signer().verifier()};
        const auto opened = open_checkpoint(request.body.substr(blank + 2), test::kLogName, log);
        if (!opened.ok()) {
            return answer(403, "");
        }
        const Tree tree = opened->checkpoint.tree;
        const std::uint64_t known = seen_ ? seen_->size : 0;
        if (old_size != known) {
            return answer(409, std::to_string(known) + "\n", "Content-Type: text/x.tlog.size\r\n");
        }
        if (known > 0 && !verify_consistency(*seen_, tree, proof)) {
            return answer(422, "");
        }
        seen_ = tree;
        const auto now = std::chrono::duration_cast<std::chrono::seconds>(
            SystemClock().now().time_since_epoch());
        const NoteSignature signature =
            good(signer_.sign(opened->note.text, static_cast<std::uint64_t>(now.count())));
        return answer(200, format_signature_line(signature));
    }

    NoteSigner signer_;
    mutable std::mutex mutex_;
    std::optional<Tree> seen_;  // guarded by mutex_
    bool failing_ = false;      // guarded by mutex_
    HttpPeer peer_;
};

// A log over a store whose checkpoints go to these witnesses.
struct WitnessedLog {
    explicit WitnessedLog(TestStore& given) : store(given), stores(given) {}

    void append(int count) {
        Records records = stores.records();
        for (int i = 0; i < count; ++i) {
            ServiceRecord record = stores.record();
            record.facts.at = clock.now();
            record.facts.id = good(make_record_id(record.facts.at, random));
            good(records.append(record));
        }
    }
    ServiceLog log(std::vector<WitnessAddress> witnesses) const {
        ServiceLog log{.log = LogClass::kService,
                       .origin = std::string(test::kLogName),
                       .signers = {},
                       .witnesses = std::move(witnesses),
                       .exchange = good(http::make_client_exchange())};
        log.signers.push_back(test::log_signer());
        return log;
    }
    void sequence(std::vector<WitnessAddress> witnesses) {
        good(sequence_once(
            {.store = *store, .objects = *stores.objects, .clock = clock, .random = random},
            log(std::move(witnesses))));
    }
    verify::LogReport check(std::vector<verify::Key> witnesses) {
        StoredObjects objects(*stores.objects, log_prefix(LogClass::kService));
        const verify::Fetch fetch = [&](const std::string& name) { return objects.get(name); };
        verify::LogOptions options;
        options.keys = test::log_keys();
        options.keys.insert(options.keys.end(), witnesses.begin(), witnesses.end());
        return good(verify::check_log(fetch, options));
    }

    TestStore& store;
    LedgerStores stores;
    SystemClock clock;
    SystemRandom random;
};

}  // namespace

// [DSP-10] A rewritten history needs the witnesses to lie as well.
TEST_CASE("witnesses cosign what extends what they signed, and readers find their lines") {
    each_engine([](TestStore& store) {
        WitnessedLog log(store);
        TestWitness first(1);
        TestWitness second(2);
        for (const int count : {3, 300, 1}) {
            log.append(count);
            log.sequence({first.address(), second.address()});
        }
        CHECK(first.size() == 304);
        CHECK(second.size() == 304);
        const verify::LogReport report = log.check({first.key(), second.key()});
        CHECK(report.good);
        CHECK(report.checkpoint.cosigners.size() == 2);
        // Each run is a process that knows nothing: it learns the size from the witness's 409.
        CHECK(first.asked() >= 4);
    });
}

TEST_CASE("a witness that is down holds nothing up, is left alone, and is asked again later") {
    each_engine([](TestStore& store) {
        WitnessedLog log(store);
        TestWitness up(1);
        TestWitness down(2);
        down.fail(true);
        log.append(3);
        log.sequence({down.address(), up.address()});
        CHECK(log.check({up.key(), down.key()}).checkpoint.cosigners.size() == 1);
        log.append(1);
        down.fail(false);
        log.sequence({down.address(), up.address()});
        CHECK(log.check({up.key(), down.key()}).checkpoint.cosigners.size() == 2);

        FixedClock clock(log.clock.now());
        Witnesses witnesses({up.address()}, good(http::make_client_exchange()), clock, {});
        const Checkpoint checkpoint{.origin = std::string(test::kLogName),
                                    .tree = {.size = 9, .root = {}},
                                    .extensions = {}};
        const std::vector<NoteSigner> signers{test::log_signer()};
        const std::string note = good(sign_checkpoint(checkpoint, signers));
        const ReadNode none = [](Node) -> Result<Hash> { return Hash{}; };
        const std::size_t before = up.asked();
        CHECK(good(witnesses.cosign(note, checkpoint, none)) == note);
        CHECK(up.asked() > before);
        CHECK_FALSE(witnesses.states()[0].cosigned);
        CHECK(witnesses.states()[0].why.find("422") != std::string::npos);
        const std::size_t asked = up.asked();
        CHECK(good(witnesses.cosign(note, checkpoint, none)) == note);
        CHECK(up.asked() == asked);
        clock.advance(std::chrono::seconds(31));
        CHECK(good(witnesses.cosign(note, checkpoint, none)) == note);
        CHECK(up.asked() > asked);
    });
}

TEST_CASE("a log that was put back to an older state is told by its witness") {
    each_engine([](TestStore& store) {
        WitnessedLog log(store);
        TestWitness witness(1);
        log.append(5);
        log.sequence({witness.address()});
        witness.pretend_to_know({.size = 50, .root = {}});
        log.append(1);
        std::vector<ServiceLog> logs;
        logs.push_back(log.log({witness.address()}));
        const auto service = LogService::start({.store = *store,
                                                .objects = *log.stores.objects,
                                                .clock = log.clock,
                                                .random = log.random},
                                               std::move(logs), {});
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        std::vector<WitnessState> states;
        while (states.empty() && std::chrono::steady_clock::now() < until) {
            states = service->health().front().witnesses;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        REQUIRE(states.size() == 1);
        CHECK(states[0].ahead);
        CHECK(states[0].why.find("has seen 50 entries") != std::string::npos);
    });
}

}  // namespace colophon::ledger
