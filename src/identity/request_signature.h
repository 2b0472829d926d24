// SPDX-License-Identifier: Apache-2.0
#pragma once

// How providers want their requests signed. Pure: the time and the nonce come in.
//
//   ACS3-HMAC-SHA256  Alibaba Cloud, signature version 3: adds x-acs-date, x-acs-signature-nonce,
//                     x-acs-content-sha256 and Authorization
//   TC3-HMAC-SHA256   Tencent Cloud, signature version 3: adds X-TC-Timestamp and Authorization
//   HMAC              over a text that the template composes, in a header that it names
//
// Both clouds publish the rules and an example with its signature; the tests repeat those.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/http_exchange.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// A request before it is signed: the parts of its URL apart.
struct UnsignedRequest {
    std::string method;
    std::string scheme_and_host;  // "https://cloudauth.aliyuncs.com"
    std::string path;             // "/", escaped as it will be sent
    Parameters query;             // not escaped
    std::vector<HttpHeader> headers;
    std::string body;
};

struct SigningKey {
    std::string key_id;
    std::string secret;
};

// RFC 3986: everything but letters, digits and -._~ becomes %XX.
std::string escape_component(std::string_view text);
// "a=1&b=2", escaped; `sorted` by name and then value, as canonical forms want it.
std::string format_parameters(Parameters parameters, bool sorted);
// "host" or "host:port" of the request.
std::string_view host_of(const UnsignedRequest& request) noexcept;

// The headers to add.
std::vector<HttpHeader> sign_acs3(const UnsignedRequest& request, const SigningKey& key, Time now,
                                  std::string_view nonce);
// `service` is the first label of the host, as Tencent names it ("faceid").
std::vector<HttpHeader> sign_tc3(const UnsignedRequest& request, const SigningKey& key, Time now,
                                 std::string_view service);

enum class MacEncoding : std::uint8_t { kHex, kBase64 };
std::string encoded_mac(HmacHash hash, std::string_view secret, std::string_view message,
                        MacEncoding encoding);

}  // namespace colophon::identity
