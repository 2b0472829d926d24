// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_manifest.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "http/client.h"
#include "http/fetch.h"
#include "label/metadata/container.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace colophon::cli {
namespace {

// A superbox with the description of a manifest store: length, "jumb", length, "jumd", "c2pa".
bool is_manifest_store(Bytes bytes) {
    return bytes.size() >= 20 && as_text(bytes.subspan(4, 4)) == "jumb" &&
           as_text(bytes.subspan(12, 8)) == "jumdc2pa";
}

bool is_printable(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7F; });
}

}  // namespace

Result<HttpExchange> open_manifest_exchange(FetchReach reach) {
    return http::make_client_exchange(
        {.reach = reach == FetchReach::kAny ? http::Reach::kAny : http::Reach::kPublic});
}

Result<Buffer> fetch_manifest(const HttpExchange& exchange, const std::string& link) {
    const bool address = link.starts_with("http://") || link.starts_with("https://");
    if (!address || !is_printable(link) || link.size() > label::kCredentialLinkBytesMax) {
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
