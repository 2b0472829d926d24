// SPDX-License-Identifier: Apache-2.0
// Against a real S3 server: OpenStack Swift with its s3api.
#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "http/client.h"
#include "storage/objects.h"
#include "storage/objects_suite.h"
#include "storage/s3_objects.h"
#include "support/swift_server.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::storage {
namespace {

using colophon::test::SwiftServer;

S3Settings swift_settings() {
    return {.endpoint = SwiftServer::shared().endpoint(),
            .bucket = "bucket",
            .access_key = SwiftServer::kAccessKey,
            .secret_key = SwiftServer::kSecretKey,
            .conditional_writes = false,
            .part_bytes = 5U << 20U};
}

Result<std::unique_ptr<ObjectStore>> open_swift(const S3Settings& settings) {
    static SystemClock clock;
    static SystemRandom random;
    return open_s3_objects(settings,
                           {.exchange = http::make_client_exchange().value(),
                            .clock = clock,
                            .random = random,
                            .pause = [](auto time) { std::this_thread::sleep_for(time); }});
}

TEST_SUITE("slow") {
    TEST_CASE("an S3 store does what a store of objects must do") {
        for (const std::string_view prefix : {"", "some/where-"}) {
            S3Settings settings = swift_settings();
            settings.prefix = prefix;
            const auto objects = open_swift(settings);
            REQUIRE(objects.ok());
            check_objects(**objects);
        }
    }

    TEST_CASE(
        "a wrong secret, a wrong key and a wrong clock are denied, a missing bucket is told") {
        const auto code = [](auto change) {
            S3Settings settings = swift_settings();
            change(settings);
            return open_swift(settings).error().code;
        };
        CHECK(code([](S3Settings& s) { s.secret_key = "tested"; }) == ErrorCode::kDenied);
        CHECK(code([](S3Settings& s) { s.access_key = "test:other"; }) == ErrorCode::kDenied);
        CHECK(code([](S3Settings& s) { s.bucket = "another"; }) == ErrorCode::kNotFound);
        FixedClock late(SystemClock().now() - std::chrono::hours(1));
        SystemRandom random;
        const auto opened =
            open_s3_objects(swift_settings(), {.exchange = http::make_client_exchange().value(),
                                               .clock = late,
                                               .random = random,
                                               .pause = [](auto) {}});
        CHECK(opened.error().code == ErrorCode::kDenied);
        CHECK(opened.error().what.find("RequestTimeTooSkewed") != std::string::npos);
    }

    TEST_CASE("content of several parts comes back whole and in ranges, and is replaced at once") {
        const auto objects = open_swift(swift_settings());
        REQUIRE(objects.ok());
        SeededRandom random(5);
        Buffer content((11U << 20U) + 17);
        REQUIRE(random.fill(content).ok());
        const auto writer = (*objects)->write("many/parts", Existing::kRefuse).value();
        for (std::size_t at = 0; at < content.size(); at += 700'001) {
            const std::size_t size = std::min<std::size_t>(700'001, content.size() - at);
            REQUIRE(writer->append(Bytes(content).subspan(at, size)).ok());
        }
        CHECK_FALSE((*objects)->size("many/parts").value().has_value());
        REQUIRE(writer->commit().ok());
        CHECK((*objects)->size("many/parts").value() == content.size());
        CHECK((*objects)->get("many/parts", 1U << 30U).value() == content);
        const Buffer range = (*objects)->get_range("many/parts", (5U << 20U) - 3, 7).value();
        CHECK(std::ranges::equal(range, Bytes(content).subspan((5U << 20U) - 3, 7)));
        CHECK((*objects)->put("many/parts", content, Existing::kRefuse).error().code ==
              ErrorCode::kConflict);
        CHECK((*objects)->put("many/parts", as_bytes("small"), Existing::kReplace).ok());
        CHECK(as_text((*objects)->get("many/parts", 10).value()) == "small");
        CHECK((*objects)->remove("many/parts").ok());
    }

    TEST_CASE("an upload that is given up leaves nothing in the bucket") {
        const auto objects = open_swift(swift_settings());
        {
            const auto writer = (*objects)->write("given/up", Existing::kReplace).value();
            CHECK(writer->append(Buffer(11U << 20U, 'x')).ok());
        }
        CHECK_FALSE((*objects)->size("given/up").value().has_value());
    }

    TEST_CASE("a list of more than one page is complete and in order") {
        S3Settings settings = swift_settings();
        settings.page_keys = 20;
        const auto objects = open_swift(settings);
        std::vector<std::string> names;
        for (int i = 0; i < 45; ++i) {
            const std::string number = std::to_string(10'000 + i);
            names.push_back("page/" + number);
            REQUIRE((*objects)->put(names.back(), {}, Existing::kReplace).ok());
        }
        std::vector<std::string> listed;
        CHECK((*objects)
                  ->list("page/",
                         [&](std::string_view name) {
                             listed.emplace_back(name);
                             return true;
                         })
                  .ok());
        CHECK(listed == names);
    }
}

}  // namespace
}  // namespace colophon::storage
