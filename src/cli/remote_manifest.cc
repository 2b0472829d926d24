// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_manifest.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "http/client.h"
#include "http/fetch.h"
#include "label/metadata/container.h"
#include "label/provenance/inquiry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using label::provenance::Answer;
using label::provenance::Question;

// A superbox with the description of a manifest store: length, "jumb", length, "jumd", "c2pa".
bool is_manifest_store(Bytes bytes) {
    return bytes.size() >= 20 && as_text(bytes.subspan(4, 4)) == "jumb" &&
           as_text(bytes.subspan(12, 8)) == "jumdc2pa";
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7F; });
}

bool is_address(const std::string& text) {
    return (text.starts_with("http://") || text.starts_with("https://")) && is_printable(text) &&
           text.size() <= label::kCredentialLinkBytesMax;
}

// RFC 6960, appendix A.1.
Result<http::Fetched> ask_responder(const HttpExchange& exchange, const Question& question) {
    HttpRequest post;
    post.method = "POST";
    post.url = question.url;
    post.headers = {{"Content-Type", "application/ocsp-request"},
                    {"Accept", "application/ocsp-response"}};
    post.body = question.request;
    post.connect_max = kRemoteManifestConnectMax;
    post.total_max = kRemoteManifestTotalMax;
    post.response_bytes_max = label::provenance::kOcspAnswerBytesMax;
    HttpResponse response = TRY(exchange(post));
    if (response.status != 200) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the OCSP responder answered with status {}", response.status)};
    }
    return http::Fetched{.body = std::move(response.body), .media_type = {}};
}

Result<http::Fetched> ask(const HttpExchange& exchange, const Question& question,
                          std::uint64_t room) {
    if (!is_address(question.url)) {
        return Error{ErrorCode::kInvalidArgument, "it is no http or https address"};
    }
    if (!question.request.empty()) {
        return ask_responder(exchange, question);
    }
    return http::fetch_typed(exchange, question.url.substr(0, question.url.find('#')),
                             {.headers = {},
                              .bytes_max = room,
                              .connect_max = kRemoteManifestConnectMax,
                              .total_max = kRemoteManifestTotalMax,
                              .redirects_max = kRemoteManifestRedirectsMax});
}

}  // namespace

std::vector<Answer> ask_others(const HttpExchange& exchange,
                               const std::vector<Question>& questions) {
    std::vector<Answer> answers;
    std::uint64_t room = label::provenance::kExternalDataBytesMax;
    for (const Question& each : questions) {
        Answer answer{.question = each, .failure = {}, .media_type = {}, .bytes = {}};
        auto got = ask(exchange, each, room);
        if (got.ok()) {
            answer.media_type = std::move(got->media_type);
            answer.bytes = std::move(got->body);
            room -= std::min<std::uint64_t>(room, answer.bytes.size());
        } else {
            answer.failure = got.error().what;
        }
        answers.push_back(std::move(answer));
    }
    return answers;
}

Result<HttpExchange> open_manifest_exchange(FetchReach reach) {
    return http::make_client_exchange(
        {.reach = reach == FetchReach::kAny ? http::Reach::kAny : http::Reach::kPublic});
}

Result<Buffer> fetch_manifest(const HttpExchange& exchange, const std::string& link) {
    if (!is_address(link)) {
        return Error{ErrorCode::kInvalidArgument,
                     "what the file names is no http or https address that can be fetched"};
    }
    const std::string target = link.substr(0, link.find('#'));
    Buffer store = TRY(http::fetch(exchange, target,
                                   {.headers = {{.name = "Accept", .value = "application/c2pa"}},
                                    .bytes_max = kRemoteManifestBytesMax,
                                    .connect_max = kRemoteManifestConnectMax,
                                    .total_max = kRemoteManifestTotalMax,
                                    .redirects_max = kRemoteManifestRedirectsMax}));
    if (!is_manifest_store(store)) {
        return Error{ErrorCode::kCorrupt, fmt::format("what lies at {} is no manifest store",
                                                      target.substr(0, target.find('?')))};
    }
    return store;
}

}  // namespace colophon::cli
