// SPDX-License-Identifier: Apache-2.0
// Against a real S3 server: OpenStack Swift with its s3api.
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
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::storage {
namespace {

// One server for the run of the program.
class SwiftServer {
public:
    SwiftServer() {
        std::array<int, 2> in{};
        std::array<int, 2> out{};
        REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
        REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
        const std::string script = COLOPHON_SOURCE_DIR "/tests/storage/swift_server.py";
        const std::string folder = folder_.file("swift");
        child_ = ::fork();
        if (child_ == 0) {
            ::dup2(in[0], 0);
            ::dup2(out[1], 1);
            ::execl("/usr/bin/python3", "python3", script.c_str(), folder.c_str(), nullptr);
            _exit(127);
        }
        ::close(in[0]);
        ::close(out[1]);
        input_ = in[1];
        std::string line;
        char c = 0;
        while (::read(out[0], &c, 1) == 1 && c != '\n') {
            line += c;
        }
        ::close(out[0]);
        REQUIRE_MESSAGE(line.starts_with("PORT "),
                        "Swift does not start; it needs the packages of tools/packages.txt");
        endpoint_ = "http://127.0.0.1:" + line.substr(5);
        make_bucket();
    }
    ~SwiftServer() {
        ::close(input_);
        ::kill(child_, SIGKILL);  // its threads would wait for sockets
        ::waitpid(child_, nullptr, 0);
    }
    SwiftServer(const SwiftServer&) = delete;
    SwiftServer& operator=(const SwiftServer&) = delete;
    SwiftServer(SwiftServer&&) = delete;
    SwiftServer& operator=(SwiftServer&&) = delete;

    S3Settings settings() const {
        return {.endpoint = endpoint_,
                .bucket = "bucket",
                .access_key = "test:tester",
                .secret_key = "testing",
                .conditional_writes = false,
                .part_bytes = 5U << 20U};
    }
    Result<std::unique_ptr<ObjectStore>> open(const S3Settings& settings) {
        return open_s3_objects(settings,
                               {.exchange = http::make_client_exchange().value(),
                                .clock = clock_,
                                .random = random_,
                                .pause = [](auto time) { std::this_thread::sleep_for(time); }});
    }
    // Every file in which the server keeps something.
    std::string folder() const { return folder_.file("swift/disks"); }

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
             .headers =
                 sign_s3(request, {"test:tester", "testing", ""}, "us-east-1", clock_.now())});
        REQUIRE(answer.ok());
        REQUIRE(answer->status == 200);
    }

    colophon::test::TempDir folder_;
    SystemClock clock_;
    SystemRandom random_;
    pid_t child_ = -1;
    int input_ = -1;
    std::string endpoint_;
};

SwiftServer& swift() {
    static SwiftServer server;
    return server;
}

TEST_SUITE("slow") {
    TEST_CASE("an S3 store does what a store of objects must do") {
        for (const std::string_view prefix : {"", "some/where-"}) {
            S3Settings settings = swift().settings();
            settings.prefix = prefix;
            const auto objects = swift().open(settings);
            REQUIRE(objects.ok());
            check_objects(**objects);
        }
    }

    TEST_CASE(
        "a wrong secret, a wrong key and a wrong clock are denied, a missing bucket is told") {
        const auto code = [](auto change) {
            S3Settings settings = swift().settings();
            change(settings);
            return swift().open(settings).error().code;
        };
        CHECK(code([](S3Settings& s) { s.secret_key = "tested"; }) == ErrorCode::kDenied);
        CHECK(code([](S3Settings& s) { s.access_key = "test:other"; }) == ErrorCode::kDenied);
        CHECK(code([](S3Settings& s) { s.bucket = "another"; }) == ErrorCode::kNotFound);
        FixedClock late(SystemClock().now() - std::chrono::hours(1));
        SystemRandom random;
        const auto opened =
            open_s3_objects(swift().settings(), {.exchange = http::make_client_exchange().value(),
                                                 .clock = late,
                                                 .random = random,
                                                 .pause = [](auto) {}});
        CHECK(opened.error().code == ErrorCode::kDenied);
        CHECK(opened.error().what.find("RequestTimeTooSkewed") != std::string::npos);
    }

    TEST_CASE("content of several parts comes back whole and in ranges, and is replaced at once") {
        const auto objects = swift().open(swift().settings());
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
        const auto objects = swift().open(swift().settings());
        {
            const auto writer = (*objects)->write("given/up", Existing::kReplace).value();
            CHECK(writer->append(Buffer(11U << 20U, 'x')).ok());
        }
        CHECK_FALSE((*objects)->size("given/up").value().has_value());
    }

    TEST_CASE("a list of more than one page is complete and in order") {
        S3Settings settings = swift().settings();
        settings.page_keys = 20;
        const auto objects = swift().open(settings);
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
