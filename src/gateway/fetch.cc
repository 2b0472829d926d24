// SPDX-License-Identifier: Apache-2.0
#include "gateway/fetch.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "http/upstream.h"

#include <string>
#include <utility>

namespace colophon::gateway {

Task<Result<Buffer>> fetch_file(Gateway& gateway, Call& call, std::string address,
                                const http::Url* own) {
    auto url = http::parse_url(address);
    if (!url.ok()) {
        co_return url.error();
    }
    const bool is_own = own != nullptr && url->secure == own->secure && url->host == own->host &&
                        url->port == own->port;
    http::UpstreamRequest request;
    request.method = "GET";
    request.url = std::move(*url);
    request.only_public = !is_own;
    request.stop = call.exchange.gone();
    auto response = co_await gateway.upstream(call.loop()).send(std::move(request));
    if (!response.ok()) {
        co_return response.error();
    }
    if ((*response)->head().status != 200) {
        co_return Error{ErrorCode::kUnavailable, "the file cannot be fetched from its address"};
    }
    const auto body = co_await (*response)->read_all(call.settings->answer_bytes_max);
    if (!body.ok()) {
        co_return body.error();
    }
    co_return to_buffer(as_bytes(*body));
}

}  // namespace colophon::gateway
