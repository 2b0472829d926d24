// SPDX-License-Identifier: Apache-2.0
#include "storage/s3_objects.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/random.h"
#include "http/client.h"
#include "storage/objects.h"
#include "support/http_peer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

using colophon::test::answer;
using colophon::test::HttpPeer;
using colophon::test::PeerAnswer;
using colophon::test::PeerEnd;
using colophon::test::PeerRequest;
using std::chrono::milliseconds;

constexpr std::string_view kEmptyPage = "<ListBucketResult/>";

// A store over a real connection whose peer gives the answers of a list, one after another.
class Scripted {
public:
    explicit Scripted(std::vector<PeerAnswer> answers, bool conditional = true)
        : answers_(answers.begin(), answers.end()),
          peer_([this](const PeerRequest& request) { return next(request); }) {
        S3Settings settings{.endpoint = peer_.url(""),
                            .bucket = "bucket",
                            .prefix = "pre/",
                            .access_key = "key",
                            .secret_key = "secret",
                            .session_token = "token",
                            .conditional_writes = conditional,
                            .part_bytes = 5U << 20U};
        settings.request_max = milliseconds(5000);
        store_ = open_s3_objects(settings,
                                 {.exchange = http::make_client_exchange().value(),
                                  .clock = clock_,
                                  .random = random_,
                                  .pause = [this](milliseconds time) { pauses.push_back(time); }});
    }
    ~Scripted() = default;
    Scripted(const Scripted&) = delete;
    Scripted& operator=(const Scripted&) = delete;
    Scripted(Scripted&&) = delete;
    Scripted& operator=(Scripted&&) = delete;

    ObjectStore& operator*() { return **store_; }
    ObjectStore* operator->() { return store_->get(); }
    const Result<std::unique_ptr<ObjectStore>>& opened() const { return store_; }
    // Without the one that opening costs.
    std::vector<PeerRequest> requests() const {
        std::vector<PeerRequest> all = peer_.requests();
        all.erase(all.begin());
        return all;
    }

    std::vector<milliseconds> pauses;
    // Put in place of MARK in an answer: the mark that the last write carried.
    std::string mark;

private:
    PeerAnswer next(const PeerRequest& request) {
        const std::lock_guard guard(mutex_);
        if (!request.header("x-amz-meta-colophon-write").empty()) {
            mark = request.header("x-amz-meta-colophon-write");
        }
        if (first_) {
            first_ = false;
            return opening_.bytes.empty() ? answer(200, kEmptyPage) : opening_;
        }
        if (answers_.empty()) {
            return answer(500, "no answer was planned");
        }
        PeerAnswer given = answers_.front();
        answers_.pop_front();
        if (const std::size_t at = given.bytes.find("MARK"); at != std::string::npos) {
            given.bytes.replace(at, 4, mark);
        }
        return given;
    }

    std::mutex mutex_;
    bool first_ = true;
    PeerAnswer opening_;
    std::deque<PeerAnswer> answers_;
    HttpPeer peer_;
    FixedClock clock_{parse_time("2026-11-26T06:00:00Z").value()};
    SeededRandom random_{1};
    Result<std::unique_ptr<ObjectStore>> store_{Error{ErrorCode::kUnavailable, ""}};
};

PeerAnswer failed(int status, std::string_view code) {
    return answer(status, "<Error><Code>" + std::string(code) + "</Code></Error>");
}

PeerAnswer cut() {
    return {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .end = PeerEnd::kReset};
}

PeerAnswer head(std::string_view header_lines) {
    return {.bytes = "HTTP/1.1 200 OK\r\n" + std::string(header_lines) + "\r\n"};
}

TEST_CASE("requests name the object below bucket and prefix and carry the digest of their body") {
    Scripted store({answer(200, "")});
    REQUIRE(store.opened().ok());
    CHECK(store->put("a/b", as_bytes("content"), Existing::kReplace).ok());
    const PeerRequest request = store.requests().at(0);
    CHECK(request.method == "PUT");
    CHECK(request.target == "/bucket/pre/a/b");
    CHECK(request.body == "content");
    CHECK(request.header("x-amz-content-sha256") == to_hex(sha256(as_bytes("content"))));
    CHECK(request.header("x-amz-date") == "20261126T060000Z");
    CHECK(request.header("x-amz-security-token") == "token");
    CHECK(request.header("if-none-match").empty());
    CHECK(request.header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=key/20261126/"));
}

TEST_CASE("failures that may pass are tried again with growing pauses, others are not") {
    {
        Scripted store({failed(503, "SlowDown"), cut(), answer(200, "done")});
        CHECK(as_text(store->get("a", 100).value()) == "done");
        REQUIRE(store.pauses.size() == 2);
        CHECK(store.pauses[0] >= milliseconds(50));
        CHECK(store.pauses[0] <= milliseconds(100));
        CHECK(store.pauses[1] >= milliseconds(100));
        CHECK(store.pauses[1] <= milliseconds(200));
    }
    {
        Scripted store(std::vector<PeerAnswer>(9, failed(500, "InternalError")));
        const Result<Buffer> got = store->get("a", 100);
        CHECK(got.error().code == ErrorCode::kUnavailable);
        CHECK(got.error().what == "the S3 store refused GET of a: 500 InternalError");
        CHECK(store.requests().size() == 4);
    }
    for (const auto& [status, code] : {std::pair{403, ErrorCode::kDenied},
                                       {401, ErrorCode::kDenied},
                                       {404, ErrorCode::kNotFound},
                                       {501, ErrorCode::kUnsupported},
                                       {400, ErrorCode::kUnavailable}}) {
        Scripted store({failed(status, "Code<>\n")});
        const Result<Buffer> got = store->get("a", 100);
        CHECK(got.error().code == code);
        CHECK(got.error().what.find("secret") == std::string::npos);
        CHECK(store.requests().size() == 1);
    }
}

TEST_CASE("what is larger than was asked for is a limit and not read to its end") {
    Scripted store({answer(200, std::string(101, 'x')), answer(200, std::string(100, 'x'))});
    CHECK(store->get("a", 100).error().code == ErrorCode::kLimit);
    CHECK(store->get("a", 100).value().size() == 100);
    CHECK(store.requests().size() == 2);
}

TEST_CASE("keep and refuse are carried out by the store") {
    Scripted store({failed(412, "PreconditionFailed"), failed(412, "PreconditionFailed"),
                    failed(409, "ConditionalRequestConflict"), answer(200, "")});
    CHECK(store->put("a", as_bytes("x"), Existing::kKeep).ok());
    CHECK(store->put("a", as_bytes("x"), Existing::kRefuse).error().code == ErrorCode::kConflict);
    CHECK(store->put("b", as_bytes("x"), Existing::kRefuse).ok());
    for (const PeerRequest& request : store.requests()) {
        CHECK(request.header("if-none-match") == "*");
    }
}

TEST_CASE("a write whose answer was lost knows its own object, and no other's") {
    Scripted own({cut(), failed(412, "PreconditionFailed"),
                  head("Content-Length: 1\r\nx-amz-meta-colophon-write: MARK\r\n")});
    CHECK(own->put("a", as_bytes("x"), Existing::kRefuse).ok());
    Scripted other({cut(), failed(412, "PreconditionFailed"),
                    head("Content-Length: 1\r\nx-amz-meta-colophon-write: ffff\r\n")});
    CHECK(other->put("a", as_bytes("x"), Existing::kRefuse).error().code == ErrorCode::kConflict);
}

TEST_CASE("a store without conditions is asked before, and one that was not told of says so") {
    Scripted told({answer(404, ""), answer(200, ""), head("Content-Length: 1\r\n"),
                   head("Content-Length: 1\r\n")},
                  false);
    CHECK(told->put("a", as_bytes("x"), Existing::kRefuse).ok());
    CHECK(told->put("a", as_bytes("x"), Existing::kRefuse).error().code == ErrorCode::kConflict);
    CHECK(told->put("a", as_bytes("x"), Existing::kKeep).ok());
    CHECK(told.requests().size() == 4);
    Scripted untold({failed(501, "NotImplemented")});
    CHECK(untold->put("a", as_bytes("x"), Existing::kRefuse).error().code ==
          ErrorCode::kUnsupported);
}

constexpr std::string_view kBegun =
    "<InitiateMultipartUploadResult><UploadId>up&amp;1</UploadId></InitiateMultipartUploadResult>";
constexpr std::string_view kCompleted = "<CompleteMultipartUploadResult/>";

TEST_CASE("content of more than a part goes up in parts, in order, and is completed") {
    Scripted store({answer(200, kBegun), answer(200, "", "ETag: \"one\"\r\n"), answer(404, ""),
                    failed(500, "InternalError"), answer(200, "", "ETag: \"two\"\r\n"),
                    answer(200, kCompleted)});
    const Buffer content((5U << 20U) + 3, 'x');
    const Result<void> put = store->put("big", content, Existing::kRefuse);
    CHECK(put.ok());
    const auto requests = store.requests();
    REQUIRE(requests.size() == 6);
    CHECK(requests[0].method == "POST");
    CHECK(requests[0].target == "/bucket/pre/big?uploads=");
    CHECK(requests[1].target == "/bucket/pre/big?partNumber=1&uploadId=up%261");
    CHECK(requests[1].body.size() == 5U << 20U);
    // Asked once more: not every server looks at the condition of an upload in parts.
    CHECK(requests[2].method == "HEAD");
    CHECK(requests[3].target == requests[4].target);
    CHECK(requests[4].body == "xxx");
    CHECK(requests[5].target == "/bucket/pre/big?uploadId=up%261");
    CHECK(requests[5].header("if-none-match") == "*");
    CHECK(requests[5].body ==
          "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;one&quot;</ETag>"
          "</Part><Part><PartNumber>2</PartNumber><ETag>&quot;two&quot;</ETag></Part>"
          "</CompleteMultipartUpload>");
}

TEST_CASE("an upload that is given up, fails or cannot be put together is dropped") {
    const Buffer content((5U << 20U) + 3, 'x');
    const auto last = [](Scripted& store) {
        const PeerRequest request = store.requests().back();
        return request.method + " " + request.target;
    };
    const std::string dropped = "DELETE /bucket/pre/big?uploadId=up%261";
    {
        Scripted store({answer(200, kBegun), answer(200, ""), answer(204, "")});
        {
            const auto writer = store->write("big", Existing::kReplace).value();
            CHECK(writer->append(content).ok());
        }
        CHECK(last(store) == dropped);
    }
    {
        Scripted store({answer(200, kBegun), failed(403, "AccessDenied"), answer(204, "")});
        CHECK(store->put("big", content, Existing::kReplace).error().code == ErrorCode::kDenied);
        CHECK(last(store) == dropped);
    }
    {
        // S3 may say 200 first and what went wrong afterwards.
        Scripted store({answer(200, kBegun), answer(200, ""), answer(200, ""),
                        failed(200, "InternalError"), answer(204, "")});
        CHECK(store->put("big", content, Existing::kReplace).error().code ==
              ErrorCode::kUnavailable);
        CHECK(last(store) == dropped);
    }
    {
        Scripted store({answer(200, "<InitiateMultipartUploadResult/>")});
        CHECK(store->put("big", content, Existing::kReplace).error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("a completed upload whose answer was lost counts as done") {
    Scripted store({answer(200, kBegun), answer(200, ""), answer(404, ""), answer(200, ""), cut(),
                    failed(404, "NoSuchUpload"),
                    head("Content-Length: 5242883\r\nx-amz-meta-colophon-write: MARK\r\n")});
    CHECK(store->put("big", Buffer((5U << 20U) + 3, 'x'), Existing::kRefuse).ok());
}

TEST_CASE("lists are read page by page; foreign names are passed over") {
    const std::string page =
        "<ListBucketResult><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>a/b=</NextContinuationToken>"
        "<Contents><Key>pre/a</Key></Contents>"
        "<Contents><Key>pre/not ours</Key></Contents>"
        "<Contents><Key>else/where</Key></Contents></ListBucketResult>";
    Scripted store({answer(200, page),
                    answer(200,
                           "<ListBucketResult><Contents><Key>pre/b</Key></Contents>"
                           "</ListBucketResult>"),
                    answer(200,
                           "<ListBucketResult><IsTruncated>true</IsTruncated>"
                           "</ListBucketResult>"),
                    answer(200, "<html/>"), answer(200, "junk")});
    std::vector<std::string> names;
    const auto each = [&](std::string_view name) {
        names.emplace_back(name);
        return true;
    };
    CHECK(store->list("", each).ok());
    CHECK(names == std::vector<std::string>{"a", "b"});
    const auto requests = store.requests();
    CHECK(requests[0].target == "/bucket?list-type=2&max-keys=1000&prefix=pre%2F");
    CHECK(requests[1].target ==
          "/bucket?continuation-token=a%2Fb%3D&list-type=2&max-keys=1000&prefix=pre%2F");
    CHECK(store->list("", each).error().code == ErrorCode::kCorrupt);
    CHECK(store->list("", each).error().code == ErrorCode::kCorrupt);
    CHECK(store->list("", each).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a range that the store answers with everything is refused") {
    Scripted store(
        {answer(206, "345"), answer(200, "0123456789"), answer(416, ""), answer(206, "too much")});
    CHECK(as_text(store->get_range("a", 3, 3).value()) == "345");
    CHECK(store.requests()[0].header("range") == "bytes=3-5");
    CHECK(store->get_range("a", 3, 3).error().code == ErrorCode::kUnsupported);
    CHECK(store->get_range("a", 30, 3).value().empty());
    CHECK(store->get_range("a", 0, 3).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("settings that cannot be right are named") {
    SystemClock clock;
    SystemRandom random;
    const S3Settings good{.endpoint = "http://127.0.0.1:1",
                          .bucket = "bucket",
                          .access_key = "key",
                          .secret_key = "secret"};
    const auto error = [&](auto change) {
        S3Settings settings = good;
        change(settings);
        settings.attempts_max = settings.attempts_max == 4 ? 1 : settings.attempts_max;
        const auto opened =
            open_s3_objects(settings, {.exchange = http::make_client_exchange().value(),
                                       .clock = clock,
                                       .random = random,
                                       .pause = [](milliseconds) {}});
        return opened.error();
    };
    CHECK(error([](S3Settings&) {}).code == ErrorCode::kUnavailable);  // nobody is there
    for (const std::string_view bad : {"", "127.0.0.1", "ftp://a", "http://", "http://a/b",
                                       "http://user@a", "http://a?b", "http://a b"}) {
        CAPTURE(bad);
        CHECK(error([&](S3Settings& s) { s.endpoint = bad; }).code == ErrorCode::kInvalidArgument);
    }
    for (const std::string_view bad : {"", "ab", "UPPER", "a/b", "a b c"}) {
        CHECK(error([&](S3Settings& s) { s.bucket = bad; }).code == ErrorCode::kInvalidArgument);
    }
    CHECK(error([](S3Settings& s) { s.prefix = "/a"; }).code == ErrorCode::kInvalidArgument);
    CHECK(error([](S3Settings& s) { s.secret_key = ""; }).code == ErrorCode::kInvalidArgument);
    CHECK(error([](S3Settings& s) { s.part_bytes = 1; }).code == ErrorCode::kInvalidArgument);
    CHECK(error([](S3Settings& s) { s.attempts_max = 0; }).code == ErrorCode::kInvalidArgument);
    CHECK(error([](S3Settings& s) { s.attempts_max = 99; }).code == ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace colophon::storage
