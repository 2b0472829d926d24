// SPDX-License-Identifier: Apache-2.0
// Providers over real sockets: what they answer, and all the ways in which they do not.

#include "identity/provider.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/json.h"
#include "core/random.h"
#include "http/client.h"
#include "identity/provider_template.h"
#include "identity/verification.h"
#include "support/http_peer.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::HttpPeer;
using test::PeerAnswer;
using test::PeerEnd;
using test::PeerRequest;

constexpr std::string_view kGood =
    R"({"Code":"200","RequestId":"r-1","ResultObject":{"BizCode":"1"}})";

// A provider in the manner of Alibaba Cloud's Id2MetaVerify.
std::string acs3_template(const std::string& url, int timeout_ms = 5'000) {
    return "name = 'acs'\nmeans = ['resident_id']\nassurance = 'name and number'\n[request]\n"
           "url = '" +
           url + "'\ntimeout_ms = " + std::to_string(timeout_ms) +
           R"(
[request.headers]
x-acs-action = "Id2MetaVerify"
x-acs-version = "2019-03-07"
[request.query]
ParamType = "normal"
[request.form]
UserName = "{name}"
IdentifyNum = "{number}"
OuterOrderNo = "{idempotency_key}"
[signature]
kind = "acs3-hmac-sha256"
key_id = "id"
secret = "env:SECRET"
[answer]
outcome = "ResultObject.BizCode"
error = "Code"
reference = "RequestId"
[answer.required]
Code = "200"
[answer.outcomes]
1 = "match"
2 = "mismatch"
3 = "no_record"
[answer.errors]
Throttling = "provider_busy"
)";
}

Result<std::string> secret(std::string_view reference) {
    CHECK(reference == "env:SECRET");
    return std::string("top secret");
}

VerificationRequest person() {
    VerificationRequest request;
    request.means = Means::kResidentId;
    request.fields = {{"name", "张三"}, {"number", "11010519491231002X"}};
    request.consent_reference = "consent-7";
    request.idempotency_key = "key-1";
    return request;
}

struct Bench {
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<Provider> provider;

    explicit Bench(const std::string& text, const http::ClientOptions& options = {}) {
        auto description = parse_provider_template(text, secret);
        REQUIRE_MESSAGE(description.ok(), (description.ok() ? "" : description.error().what));
        provider = std::make_unique<Provider>(
            *std::move(description), http::make_client_exchange(options).value(), clock, random);
    }
};

// [DSP-9]
TEST_CASE("a provider is asked as its template says and its answer is mapped") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, kGood); });
    Bench bench(acs3_template(peer.url("/")));
    const VerificationAnswer got = bench.provider->verify(person());
    CHECK(got.outcome == Outcome::kMatch);
    CHECK(got.provider == "acs");
    CHECK(got.provider_reference == "r-1");
    CHECK(got.provider_code == "1");
    CHECK(got.assurance == "name and number");
    CHECK(got.billable);
    CHECK(got.attempts == 1);
    CHECK(got.reply_commitment == hmac_sha256(got.reply_salt, as_bytes(kGood)));
    const PeerRequest seen = peer.requests().at(0);
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/?ParamType=normal");
    CHECK(seen.body ==
          "IdentifyNum=11010519491231002X&OuterOrderNo=key-1&UserName=%E5%BC%A0%E4%B8%89");
    CHECK(seen.header("content-type") == "application/x-www-form-urlencoded");
    CHECK(seen.header("x-acs-action") == "Id2MetaVerify");
    CHECK(seen.header("authorization")
              .starts_with("ACS3-HMAC-SHA256 Credential=id,SignedHeaders="
                           "content-type;host;x-acs-action;"));
    CHECK(seen.header("authorization").find("top secret") == std::string::npos);
}

TEST_CASE("a provider of Tencent's kind gets JSON and its signature") {
    const HttpPeer peer([](const PeerRequest&) {
        return answer(200, R"({"Response":{"Result":"-4","RequestId":"q"}})");
    });
    Bench bench("name = 'tc'\nmeans = ['mobile']\n[request]\nurl = '" + peer.url("/") + R"('
[request.headers]
X-TC-Action = "PhoneVerification"
X-TC-Version = "2018-03-01"
[request.json]
IdCard = "{number}"
Name = "{name}"
Phone = "{mobile}"
VerifyMode = 1
[signature]
kind = "tc3-hmac-sha256"
key_id = "id"
secret = "env:SECRET"
[answer]
outcome = "Response.Result"
[answer.outcomes]
0 = "match"
"-4" = "mismatch"
"-9" = "no_record"
"-11" = "provider_busy"
)");
    VerificationRequest request = person();
    request.means = Means::kMobile;
    request.fields = {{"name", "A \"quoted\" 名"}, {"number", "1"}, {"mobile", "+8613800001234"}};
    CHECK(bench.provider->verify(request).outcome == Outcome::kMismatch);
    const PeerRequest seen = peer.requests().at(0);
    const auto body = json::parse(seen.body);
    REQUIRE(body.ok());
    CHECK(body->string_or("Name", "") == "A \"quoted\" 名");
    CHECK(body->find("VerifyMode")->as_int().value() == 1);
    CHECK(seen.header("authorization").starts_with("TC3-HMAC-SHA256 Credential=id/"));
    CHECK(seen.header("x-tc-timestamp").size() == 10);
}

TEST_CASE("a plain HMAC covers what the template composes, and its receiver can check it") {
    const HttpPeer peer([](const PeerRequest& request) {
        const std::string signed_text =
            request.header("x-time") + "\n" + request.header("x-nonce") + "\n" + request.body;
        const bool good =
            request.header("x-signature") ==
            "id:" + to_hex(hmac(HmacHash::kSm3, as_bytes("top secret"), as_bytes(signed_text)));
        return answer(good ? 200 : 401, R"({"code":0})");
    });
    Bench bench("name = 'plain'\nmeans = ['credit_code']\n[request]\nurl = '" + peer.url("/v1") +
                R"('
[request.headers]
X-Time = "{timestamp_ms}"
X-Nonce = "{nonce}"
[request.json.data]
code = "{code}"
list = ["{name}", true, 3]
[signature]
kind = "hmac-sm3"
key_id = "id"
secret = "env:SECRET"
message = "{timestamp_ms}\n{nonce}\n{body}"
header = "X-Signature"
value = "{key_id}:{signature}"
[answer]
outcome = "code"
[answer.outcomes]
0 = "match"
)");
    VerificationRequest request = person();
    request.means = Means::kCreditCode;
    request.fields = {{"name", "示例公司"}, {"code", "91350100M000100Y43"}};
    CHECK(bench.provider->verify(request).outcome == Outcome::kMatch);
    CHECK(peer.requests().at(0).body ==
          R"({"data":{"code":"91350100M000100Y43","list":["示例公司",true,3]}})");
}

TEST_CASE("values that the template needs and that are missing are never sent") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, kGood); });
    Bench bench(acs3_template(peer.url("/")));
    VerificationRequest request = person();
    request.fields.pop_back();
    const VerificationAnswer got = bench.provider->verify(request);
    CHECK(got.outcome == Outcome::kInvalidInput);
    CHECK_FALSE(got.billable);
    request = person();
    request.means = Means::kMobile;
    CHECK(bench.provider->verify(request).outcome == Outcome::kInvalidInput);
    CHECK(peer.requests().empty());
}

struct Fault {
    const char* name;
    PeerAnswer reply;
    Outcome outcome;
    int attempts;
};

std::vector<Fault> faults() {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
    const std::string good(kGood);
    return {
        {"HTTP 500", answer(500, kGood), Outcome::kProviderError, 1},
        {"HTTP 502 in HTML", answer(502, "<html>"), Outcome::kProviderError, 1},
        {"HTTP 429", answer(429, "", "Retry-After: 30\r\n"), Outcome::kProviderBusy, 1},
        {"HTTP 503", answer(503, ""), Outcome::kProviderBusy, 1},
        {"HTTP 504", answer(504, ""), Outcome::kTimeout, 1},
        {"a redirect", answer(302, kGood, "Location: /other\r\n"), Outcome::kProviderError, 1},
        {"401", answer(401, kGood), Outcome::kProviderError, 1},
        {"an error with status 200", answer(200, R"({"Code":"Throttling"})"),
         Outcome::kProviderBusy, 1},
        {"an unknown code", answer(200, R"({"Code":"200","ResultObject":{"BizCode":"9"}})"),
         Outcome::kProviderError, 1},
        {"broken JSON", answer(200, good.substr(0, 40)), Outcome::kProviderError, 1},
        {"GBK",
         answer(200, "{\"Code\":\"200\",\"M\":\"\xB3\xC9\",\"ResultObject\":{\"BizCode\":1}}"),
         Outcome::kProviderError, 1},
        {"UTF-16", answer(200, std::string("\xFF\xFE{\0", 4)), Outcome::kProviderError, 1},
        {"a byte order mark", answer(200, "\xEF\xBB\xBF" + good), Outcome::kProviderError, 1},
        {"an empty body", answer(200, ""), Outcome::kProviderError, 1},
        {"204", PeerAnswer{.bytes = "HTTP/1.1 204 No Content\r\n\r\n", .end = PeerEnd::kKeep},
         Outcome::kProviderError, 1},
        {"too large", answer(200, std::string(300'000, ' ') + good), Outcome::kProviderError, 1},
        {"deep JSON", answer(200, std::string(10'000, '[')), Outcome::kProviderError, 1},
        {"no HTTP", PeerAnswer{.bytes = "hello\r\n\r\n"}, Outcome::kProviderError, 1},
        {"silence", PeerAnswer{.end = PeerEnd::kHang}, Outcome::kTimeout, 1},
        {"a head and silence", PeerAnswer{.bytes = head, .end = PeerEnd::kHang}, Outcome::kTimeout,
         1},
        {"drops", PeerAnswer{.bytes = answer(200, kGood).bytes, .between_bytes = 20ms},
         Outcome::kTimeout, 1},
        {"closed at once", PeerAnswer{}, Outcome::kProviderError, 2},
        {"closed in the body", PeerAnswer{.bytes = head + good}, Outcome::kProviderError, 2},
        {"reset", PeerAnswer{.bytes = head, .end = PeerEnd::kReset}, Outcome::kProviderError, 2},
        {"header flood",
         PeerAnswer{.bytes = "HTTP/1.1 200 OK\r\n" +
                             [] {
                                 std::string lines;
                                 for (int i = 0; i < 500; ++i) {
                                     lines += "X: y\r\n";
                                 }
                                 return lines;
                             }() +
                             "\r\n"},
         Outcome::kProviderError, 1},
    };
}

// [DSP-9] Whatever a provider does wrong, nobody becomes verified by it.
TEST_CASE("every fault of a provider is an outcome and none is a match") {
    for (const Fault& fault : faults()) {
        CAPTURE(fault.name);
        const HttpPeer peer([&](const PeerRequest&) { return fault.reply; });
        Bench bench(acs3_template(peer.url("/"), 400));
        const VerificationAnswer got = bench.provider->verify(person());
        CHECK(outcome_name(got.outcome) == outcome_name(fault.outcome));
        CHECK(got.attempts == fault.attempts);
        CHECK_FALSE(got.billable);
        for (const PeerRequest& request : peer.requests()) {
            CHECK(request.body.find("key-1") != std::string::npos);
        }
    }
}

TEST_CASE("a connection that fails once is tried again with the same key") {
    std::atomic<int> calls{0};
    const HttpPeer peer(
        [&](const PeerRequest&) { return ++calls == 1 ? PeerAnswer{} : answer(200, kGood); });
    Bench bench(acs3_template(peer.url("/")));
    const VerificationAnswer got = bench.provider->verify(person());
    CHECK(got.outcome == Outcome::kMatch);
    CHECK(got.attempts == 2);
    const auto seen = peer.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].body == seen[1].body);
    CHECK(seen[0].header("x-acs-signature-nonce") != seen[1].header("x-acs-signature-nonce"));
}

TEST_CASE("nobody listening and a wrong certificate are errors of the provider") {
    const test::TempDir folder;
    const test::PeerTls tls = test::make_certificate(folder.path(), "IP:127.0.0.1");
    const HttpPeer peer([](const PeerRequest&) { return answer(200, kGood); }, tls);
    Bench unknown(acs3_template(peer.url("/")));
    CHECK(unknown.provider->verify(person()).outcome == Outcome::kProviderError);
    CHECK(peer.requests().empty());
    Bench trusted(acs3_template(peer.url("/")), {.ca_file = tls.certificate_file});
    CHECK(trusted.provider->verify(person()).outcome == Outcome::kMatch);
}

TEST_CASE("a provider that fails is left alone for a while") {
    std::atomic<int> calls{0};
    const HttpPeer peer([&](const PeerRequest&) {
        ++calls;
        return answer(500, "");
    });
    Bench bench(acs3_template(peer.url("/")));
    for (int i = 0; i < 10; ++i) {
        CHECK(bench.provider->verify(person()).outcome == Outcome::kProviderError);
    }
    const VerificationAnswer got = bench.provider->verify(person());
    CHECK(got.outcome == Outcome::kProviderBusy);
    CHECK(got.provider_code == "circuit-open");
    CHECK(got.attempts == 0);
    CHECK(calls == 10);
}

TEST_CASE("mismatches do not open the breaker") {
    const HttpPeer peer([](const PeerRequest&) {
        return answer(200, R"({"Code":"200","ResultObject":{"BizCode":"2"}})");
    });
    Bench bench(acs3_template(peer.url("/")));
    for (int i = 0; i < 20; ++i) {
        CHECK(bench.provider->verify(person()).outcome == Outcome::kMismatch);
    }
}

TEST_CASE("many people are verified at once") {
    const HttpPeer peer([](const PeerRequest&) { return answer(200, kGood); });
    Bench bench(acs3_template(peer.url("/")));
    std::atomic<int> matches{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 10; ++round) {
                matches += bench.provider->verify(person()).outcome == Outcome::kMatch ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(matches == 80);
}

}  // namespace
}  // namespace colophon::identity
