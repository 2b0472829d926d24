// SPDX-License-Identifier: Apache-2.0
#include "identity/request_signature.h"

#include "core/clock.h"
#include "core/http_exchange.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {
namespace {

std::string value_of(const std::vector<HttpHeader>& headers, std::string_view name) {
    for (const HttpHeader& header : headers) {
        if (header.name == name) {
            return header.value;
        }
    }
    return {};
}

// The example with fixed parameters in Alibaba Cloud's description of signature version 3.
TEST_CASE("ACS3-HMAC-SHA256 gives the published signature") {
    const UnsignedRequest request{
        .method = "POST",
        .scheme_and_host = "https://ecs.cn-shanghai.aliyuncs.com",
        .path = "/",
        .query = {{"RegionId", "cn-shanghai"},
                  {"ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}},
        .headers = {{.name = "x-acs-version", .value = "2014-05-26"},
                    {.name = "X-Acs-Action", .value = "RunInstances"}},
        .body = ""};
    const auto headers =
        sign_acs3(request, {.key_id = "YourAccessKeyId", .secret = "YourAccessKeySecret"},
                  parse_time("2023-10-26T10:22:32Z").value(), "3156853299f313e23d1673dc12e1703d");
    CHECK(value_of(headers, "Authorization") ==
          "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
          "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
          "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0");
    CHECK(value_of(headers, "x-acs-date") == "2023-10-26T10:22:32Z");
    CHECK(value_of(headers, "x-acs-content-sha256") ==
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// The example in Tencent Cloud's description of signature version 3.
TEST_CASE("TC3-HMAC-SHA256 gives the published signature") {
    const UnsignedRequest request{
        .method = "POST",
        .scheme_and_host = "https://cvm.tencentcloudapi.com",
        .path = "/",
        .query = {},
        .headers = {{.name = "Content-Type", .value = "application/json; charset=utf-8"},
                    {.name = "X-TC-Action", .value = "DescribeInstances"}},
        .body = R"({"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], )"
                R"("Name": "instance-name"}]})"};
    const auto headers = sign_tc3(request,
                                  {.key_id = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******",
                                   .secret = "Gu5t9xGARNpq86cd98joQYCN3*******"},
                                  parse_time("2019-02-25T16:44:25Z").value(), "cvm");
    CHECK(value_of(headers, "X-TC-Timestamp") == "1551113065");
    CHECK(value_of(headers, "Authorization") ==
          "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/"
          "tc3_request, SignedHeaders=content-type;host, "
          "Signature=2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c");
}

TEST_CASE("parameters are escaped as RFC 3986 says and sorted when asked") {
    CHECK(escape_component("a-b_c.d~e f+g/h=i&j%王*") ==
          "a-b_c.d~e%20f%2Bg%2Fh%3Di%26j%25%E7%8E%8B%2A");
    CHECK(format_parameters({{"b", "2"}, {"a", "x y"}, {"B", "1"}}, true) == "B=1&a=x%20y&b=2");
    CHECK(format_parameters({{"b", "2"}, {"a", "1"}}, false) == "b=2&a=1");
    CHECK(format_parameters({}, true).empty());
}

TEST_CASE("a plain MAC is written as asked") {
    CHECK(
        encoded_mac(HmacHash::kSha256, "Jefe", "what do ya want for nothing?", MacEncoding::kHex) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(encoded_mac(HmacHash::kSha256, "Jefe", "what do ya want for nothing?",
                      MacEncoding::kBase64) == "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    CHECK(encoded_mac(HmacHash::kSha1, "Jefe", "what do ya want for nothing?", MacEncoding::kHex) ==
          "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

}  // namespace
}  // namespace colophon::identity
