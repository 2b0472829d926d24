// SPDX-License-Identifier: Apache-2.0
#include "gateway/image_upstreams.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/dashscope.h"
#include "gateway/fetch.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/template_upstream.h"
#include "gateway/text_stream.h"
#include "http/upstream.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

Task<Result<std::string>> good_body(Call& call, Routing::Sent& sent) {
    const int status = sent.response->head().status;
    auto body = co_await sent.response->read_all(call.settings->answer_bytes_max);
    if (status < 200 || status > 299) {
        co_return Error{ErrorCode::kUnavailable,
                        fmt::format("the upstream answered with status {}", status)};
    }
    call.facts().model_version = sent.target->model;
    co_return body;
}

}  // namespace

Result<http::UpstreamRequest> media_request(json::Value body, const std::string& prompt,
                                            const std::string& path,
                                            const UpstreamSettings& upstream,
                                            const Target& target) {
    if (upstream.dialect == Dialect::kDashscope) {
        return dashscope_request(body, upstream, target);
    }
    http::UpstreamRequest out;
    out.url = upstream.url;
    if (upstream.dialect == Dialect::kTemplate) {
        remove_member(body, "user");
        const TemplateAsk ask{.body = body, .prompt = prompt};
        out.method = upstream.pattern->method;
        out.url.path += template_path(upstream, target, ask);
        out.headers = TRY(template_headers(upstream, target));
        out.body = template_body(upstream, target, ask);
        return out;
    }
    out.url.path += path;
    out.headers.push_back({"content-type", "application/json"});
    if (!upstream.key.empty()) {
        out.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    set_member(body, "model", target.model);
    remove_member(body, "user");
    out.body = json::write(body);
    return out;
}

Task<Result<json::Value>> image_answer(Gateway& gateway, Call& call, Routing::Sent& sent) {
    auto body = co_await good_body(call, sent);
    if (!body.ok()) {
        co_return body.error();
    }
    if (sent.upstream->dialect == Dialect::kDashscope) {
        co_return co_await await_dashscope(gateway, call, sent, std::move(*body));
    }
    co_return pictures_in(*sent.upstream, *body);
}

Result<json::Value> pictures_in(const UpstreamSettings& upstream, std::string_view answer) {
    if (upstream.dialect == Dialect::kDashscope) {
        auto made = dashscope_choices(answer);
        return made ? std::move(*made) : Result<json::Value>(not_ours("it has no picture"));
    }
    if (upstream.dialect == Dialect::kTemplate) {
        return template_images(*upstream.pattern, answer);
    }
    auto parsed = json::parse(answer, {.bytes_max = answer.size() + 1});
    if (!parsed.ok()) {
        return Error{ErrorCode::kCorrupt, "the upstream's answer is no JSON object"};
    }
    return std::move(*parsed);
}

Task<Result<Buffer>> sound_answer(Gateway& gateway, Call& call, Routing::Sent& sent) {
    const auto body = co_await good_body(call, sent);
    if (!body.ok()) {
        co_return body.error();
    }
    if (sent.upstream->dialect != Dialect::kTemplate) {
        co_return to_buffer(as_bytes(*body));
    }
    auto sound = template_sound(*sent.upstream->pattern, *body);
    if (!sound.ok()) {
        co_return sound.error();
    }
    if (sound->address.empty()) {
        co_return std::move(sound->bytes);
    }
    co_return co_await fetch_content(gateway, call, *sent.upstream, std::move(sound->address));
}

Task<Result<Buffer>> fetch_content(Gateway& gateway, Call& call, const UpstreamSettings& upstream,
                                   std::string address) {
    const http::Url* own = upstream.fetch == Fetch::kOwn ? &upstream.url : nullptr;
    co_return co_await fetch_file(gateway, call, std::move(address), own);
}

}  // namespace colophon::gateway
