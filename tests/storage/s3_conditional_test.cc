// SPDX-License-Identifier: Apache-2.0
// Conditional writes against a real S3 server that knows them: Ceph's object gateway.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/http_exchange.h"
#include "core/random.h"
#include "http/client.h"
#include "storage/internal/s3_signature.h"
#include "storage/objects.h"
#include "storage/objects_suite.h"
#include "storage/s3_objects.h"
#include "support/child_server.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace colophon::storage {
namespace {

class RgwServer {
public:
    RgwServer()
        : server_({"/bin/bash", COLOPHON_SOURCE_DIR "/tests/storage/rgw_server.sh",
                   folder_.file("rgw")},
                  "Ceph does not start; it needs the packages of tools/packages.txt"),
          endpoint_(server_.endpoint()) {
        make_bucket();
    }

    std::unique_ptr<ObjectStore> open() {
        return open_s3_objects({.endpoint = endpoint_,
                                .bucket = "bucket",
                                .access_key = "key",
                                .secret_key = "secret",
                                .conditional_writes = true,
                                .part_bytes = 5U << 20U},
                               {.exchange = http::make_client_exchange().value(),
                                .clock = clock_,
                                .random = random_,
                                .pause = [](auto time) { std::this_thread::sleep_for(time); }})
            .value();
    }

private:
    void make_bucket() {
        const S3Request request{.method = "PUT",
                                .host = endpoint_.substr(7),
                                .path = "/bucket",
                                .query = {},
                                .headers = {},
                                .payload_digest = to_hex(sha256({}))};
        const auto answer = http::make_client_exchange().value()(
            {.method = "PUT",
             .url = endpoint_ + "/bucket",
             .headers = sign_s3(request, {"key", "secret", ""}, "us-east-1", clock_.now())});
        REQUIRE(answer.ok());
        REQUIRE(answer->status == 200);
    }

    colophon::test::TempDir folder_;
    SystemClock clock_;
    SystemRandom random_;
    colophon::test::ChildServer server_;
    std::string endpoint_;
};

}  // namespace

TEST_SUITE("slow") {
    TEST_CASE("a server that knows conditional writes does what a store of objects must do") {
        RgwServer server;
        const auto objects = server.open();
        check_objects(*objects);
        // In parts, too: the condition stands at the end of the upload.
        const Buffer large(11U << 20U, 'x');
        CHECK(objects->put("large", large, Existing::kRefuse).ok());
        CHECK(objects->put("large", large, Existing::kRefuse).error().code == ErrorCode::kConflict);
        CHECK(objects->put("large", large, Existing::kKeep).ok());
        // Of many writers of one name who meet, one wins and the others are told so.
        constexpr int kWriters = 8;
        for (int round = 0; round < 20; ++round) {
            const std::string name = "race/" + std::to_string(round);
            std::atomic<int> won = 0;
            std::atomic<int> told = 0;
            std::atomic<int> winner = -1;
            std::vector<std::thread> threads;
            for (int i = 0; i < kWriters; ++i) {
                threads.emplace_back([&, i] {
                    const std::string content = "content of " + std::to_string(i);
                    const auto put = objects->put(name, as_bytes(content), Existing::kRefuse);
                    if (put.ok()) {
                        winner = i;
                        ++won;
                    } else if (put.error().code == ErrorCode::kConflict) {
                        ++told;
                    }
                });
            }
            for (std::thread& each : threads) {
                each.join();
            }
            CHECK(won == 1);
            CHECK(told == kWriters - 1);
            CHECK(as_text(objects->get(name, 100).value()) ==
                  "content of " + std::to_string(winner));
        }
    }
}

}  // namespace colophon::storage
