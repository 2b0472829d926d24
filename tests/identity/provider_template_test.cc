// SPDX-License-Identifier: Apache-2.0
#include "identity/provider_template.h"

#include "core/result.h"
#include "identity/verification.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

const std::string kGood = R"(name = "example"
means = ["resident_id", "network_identity"]
assurance = "name and number"
[request]
url = "https://verify.example.com/v1/id2"
timeout_ms = 3000
retries = 2
[request.json]
idNo = "{number}"
name = "{name}"
[signature]
kind = "hmac-sha256"
key_id = "id"
secret = "file:secret"
message = "{method}{path}{body_sha256}{{literal}}"
header = "X-Signature"
encoding = "base64"
[answer]
outcome = "data.result"
billed = ["match", "mismatch", "no_record"]
[answer.outcomes]
1 = "match"
2 = "mismatch"
)";

Result<std::string> secret(std::string_view reference) {
    return std::string("secret of ") + std::string(reference);
}

std::string replaced(std::string_view from, std::string_view to) {
    std::string text = kGood;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST_CASE("a template is read into what it says") {
    const auto read = parse_provider_template(kGood, secret);
    REQUIRE_MESSAGE(read.ok(), (read.ok() ? "" : read.error().what));
    CHECK(read->name == "example");
    CHECK(read->means == std::vector{Means::kResidentId, Means::kNetworkIdentity});
    CHECK(read->scheme_and_host == "https://verify.example.com");
    CHECK(read->path == "/v1/id2");
    CHECK(read->attempt_max.count() == 3000);
    CHECK(read->retries == 2);
    CHECK(read->signature.kind == SignatureKind::kHmac);
    CHECK(read->signature.key.secret == "secret of file:secret");
    CHECK(read->signature.value == "{signature}");
    CHECK(read->billed.size() == 3);
    CHECK(read->answer.outcomes.size() == 2);
}

TEST_CASE("a template with a mistake is refused with its key") {
    struct Row {
        std::string text;
        std::string_view reason;
    };
    const Row rows[] = {
        {"", "'name'"},
        {"name = ", "line 1"},
        {std::string(70'000, '#'), "at most"},
        {replaced("\"example\"", "\"Example Ltd\""), "'name'"},
        {replaced("\"resident_id\"", "\"face\""), "'face'"},
        {replaced("[\"resident_id\", \"network_identity\"]", "[]"), "'means'"},
        {replaced("https://", "http://"), "must be https"},
        {replaced("https://", "ftp://"), "'request.url'"},
        {replaced("https://verify", "https://u:p@verify"), "'request.url'"},
        {replaced("/v1/id2", "/v1?a=b"), "'request.url'"},
        {replaced("url = \"https://verify.example.com/v1/id2\"", ""), "'request.url' of a"},
        {replaced("timeout_ms = 3000", "timeout_ms = 0"), "'request.timeout_ms'"},
        {replaced("timeout_ms = 3000", "timeout_ms = \"3000\""), "'request.timeout_ms'"},
        {replaced("timeout_ms = 3000", "timeout_ms = 3600000"), "'request.timeout_ms'"},
        {replaced("retries = 2", "retries = 100"), "'request.retries'"},
        {replaced("retries = 2", "method = \"DELETE\""), "'request.method'"},
        {replaced("{number}", "{secret}"), "{secret}"},
        {replaced("{number}", "{signature}"), "{signature}"},
        {replaced("{number}", "{number"), "'request.json'"},
        {replaced("{number}", "number}"), "'request.json'"},
        {replaced("\"{number}\"", "1.5"), "'request.json'"},
        {replaced("[request.json]", "[request.form]\na = \"b\"\n[request.json]"), "one body"},
        {replaced("file:secret", "hunter2"), "not the secret itself"},
        {replaced("hmac-sha256", "md5"), "'signature.kind'"},
        {replaced("base64", "base32"), "'signature.encoding'"},
        {replaced("header = \"X-Signature\"", ""), "'signature.header'"},
        {replaced("{method}", "{methods}"), "{methods}"},
        {replaced("data.result", "data..result"), "'data..result'"},
        {replaced("outcome = \"data.result\"", ""), "'answer.outcome'"},
        {replaced("1 = \"match\"", "1 = \"passed\""), "'answer.outcomes.1'"},
        {replaced("1 = \"match\"", ""), "no value that means match"},
        {replaced("\"no_record\"]", "\"all\"]"), "'answer.billed'"},
        {kGood + "[answer.errors]\nx = \"match\"\n", "maps an error to match"},
        {kGood + "[answer.extra]\n", "'answer.extra'"},
        {kGood + "[other]\n", "'other'"},
        {replaced("retries = 2", "retry = 2"), "'request.retry'"},
    };
    for (const Row& row : rows) {
        const auto read = parse_provider_template(row.text, secret);
        CAPTURE(row.reason);
        REQUIRE_FALSE(read.ok());
        CAPTURE(read.error().what);
        CHECK(read.error().what.find(row.reason) != std::string::npos);
        CHECK(read.error().what.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a secret that cannot be had is the error of the template") {
    const auto read = parse_provider_template(kGood, [](std::string_view) -> Result<std::string> {
        return Error{ErrorCode::kNotFound, "no such file"};
    });
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kNotFound);
}

TEST_CASE("placeholders are filled and doubled braces are braces") {
    const Placeholders values{{"a", "1"}, {"b", "{a}"}};
    CHECK(fill_placeholders("x{a}y{b}{{a}}", values).value() == "x1y{a}{a}");
    CHECK(fill_placeholders("", values).value().empty());
    CHECK_FALSE(fill_placeholders("{c}", values).ok());
    CHECK_FALSE(fill_placeholders("{", values).ok());
    CHECK_FALSE(fill_placeholders("}", values).ok());
    CHECK_FALSE(fill_placeholders("{}", values).ok());
    CHECK_FALSE(fill_placeholders("{a", values).ok());
    CHECK_FALSE(fill_placeholders("{a}", {{"a", std::string(300'000, 'x')}}).ok());
}

}  // namespace
}  // namespace colophon::identity
