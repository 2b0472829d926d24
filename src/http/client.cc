// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "http/internal/address.h"

#include <curl/curl.h>
#include <curl/easy.h>
#include <curl/system.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

constexpr std::size_t kIdleHandlesMax = 8;
constexpr std::size_t kResponseHeadersMax = 256;
constexpr std::size_t kResponseHeaderBytesMax = 64U << 10U;
constexpr std::size_t kUrlBytesMax = 8U << 10U;

struct HandleDeleter {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, HandleDeleter>;

struct ListDeleter {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListDeleter>;

// What libcurl's callbacks see of one exchange.
struct Transfer {
    const HttpRequest* request = nullptr;
    CURL* handle = nullptr;
    HttpResponse response;
    std::uint64_t body_bytes = 0;
    std::uint64_t sent_bytes = 0;
    std::size_t header_bytes = 0;
    bool only_public = false;
    std::optional<Error> failure;  // why a callback ended the exchange
};

bool is_success(int status) noexcept {
    return status >= 200 && status < 300;
}

// scheme://host:port/path without what may hold a secret, for messages.
std::string shown_url(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    return std::string(url.substr(0, 200));
}

// No exception may pass through libcurl, which is C: whatever a caller's function throws becomes
// an error of this exchange.
template <class Step>
bool guarded(Transfer& transfer, Step step) noexcept {
    try {
        const Result<void> done = step();
        if (done.ok()) {
            return true;
        }
        transfer.failure = done.error();
    } catch (const std::exception&) {
        transfer.failure = Error{ErrorCode::kUnavailable, "no memory for an HTTP exchange"};
    }
    return false;
}

Result<void> take_body(Transfer& transfer, Bytes part) {
    transfer.body_bytes += part.size();
    if (transfer.body_bytes > transfer.request->response_bytes_max) {
        return Error{
            ErrorCode::kCorrupt,
            fmt::format("the answer of {} is larger than the {} bytes allowed for it",
                        shown_url(transfer.request->url), transfer.request->response_bytes_max)};
    }
    long status = 0;
    curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &status);
    if (transfer.request->sink && is_success(static_cast<int>(status))) {
        return transfer.request->sink(part);
    }
    append(transfer.response.body, part);
    return {};
}

std::size_t on_body(char* data, std::size_t unit, std::size_t count, void* user) noexcept {
    auto& transfer = *static_cast<Transfer*>(user);
    const std::size_t size = unit * count;
    const bool taken = guarded(
        transfer, [&] { return take_body(transfer, as_bytes(std::string_view(data, size))); });
    return taken ? size : CURL_WRITEFUNC_ERROR;
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Result<void> take_header(Transfer& transfer, std::string_view line) {
    if (line.starts_with("HTTP/")) {
        transfer.response.headers.clear();  // those before belonged to an interim answer
        return {};
    }
    transfer.header_bytes += line.size();
    if (transfer.header_bytes > kResponseHeaderBytesMax ||
        transfer.response.headers.size() >= kResponseHeadersMax) {
        return Error{ErrorCode::kCorrupt, fmt::format("the answer of {} has too many headers",
                                                      shown_url(transfer.request->url))};
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
        return {};
    }
    HttpHeader header{.name = std::string(trimmed(line.substr(0, colon))),
                      .value = std::string(trimmed(line.substr(colon + 1)))};
    std::ranges::transform(header.name, header.name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    transfer.response.headers.push_back(std::move(header));
    return {};
}

std::size_t on_header(char* data, std::size_t unit, std::size_t count, void* user) noexcept {
    auto& transfer = *static_cast<Transfer*>(user);
    const std::size_t size = unit * count;
    const bool taken =
        guarded(transfer, [&] { return take_header(transfer, std::string_view(data, size)); });
    return taken ? size : CURL_WRITEFUNC_ERROR;
}

Result<std::size_t> next_of_body(Transfer& transfer, std::span<std::uint8_t> out) {
    const HttpRequest& request = *transfer.request;
    if (request.source) {
        const std::uint64_t left = request.source_bytes - transfer.sent_bytes;
        const std::size_t most = std::min<std::uint64_t>(out.size(), left);
        if (most == 0) {
            return std::size_t{0};
        }
        const std::size_t got = TRY(request.source(out.first(most)));
        if (got == 0) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("a request's body ended after {} of {} bytes",
                                     transfer.sent_bytes, request.source_bytes)};
        }
        transfer.sent_bytes += got;
        return got;
    }
    const Bytes left = request.body.subspan(transfer.sent_bytes);
    const std::size_t size = std::min(out.size(), left.size());
    if (size != 0) {
        std::memcpy(out.data(), left.data(), size);
    }
    transfer.sent_bytes += size;
    return size;
}

std::size_t on_send(char* data, std::size_t unit, std::size_t count, void* user) noexcept {
    auto& transfer = *static_cast<Transfer*>(user);
    std::size_t size = 0;
    const bool taken = guarded(transfer, [&]() -> Result<void> {
        size = TRY(next_of_body(transfer, {reinterpret_cast<std::uint8_t*>(data), unit * count}));
        return {};
    });
    return taken ? size : CURL_READFUNC_ABORT;
}

// A kept connection may turn out dead after a part was sent; libcurl then starts over.
int on_rewind(void* user, curl_off_t offset, int origin) noexcept {
    auto& transfer = *static_cast<Transfer*>(user);
    if (transfer.request->source || origin != SEEK_SET || offset < 0 ||
        static_cast<std::uint64_t>(offset) > transfer.request->body.size()) {
        return CURL_SEEKFUNC_CANTSEEK;
    }
    transfer.sent_bytes = static_cast<std::uint64_t>(offset);
    return CURL_SEEKFUNC_OK;
}

// [S10 of the tests] Judged here, after the name was resolved and before anything is sent.
curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) noexcept {
    auto& transfer = *static_cast<Transfer*>(user);
    if (transfer.only_public && !internal::is_public(&address->addr)) {
        (void)guarded(transfer, [&]() -> Result<void> {
            return Error{ErrorCode::kDenied, fmt::format("{} leads to an address inside a network",
                                                         shown_url(transfer.request->url))};
        });
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool has_line_break(std::string_view text) noexcept {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

Result<void> check(const HttpRequest& request) {
    const bool known_scheme =
        request.url.starts_with("http://") || request.url.starts_with("https://");
    if (!known_scheme || request.url.size() > kUrlBytesMax || has_line_break(request.url)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("'{}' is no http or https address that a request can go to",
                                 has_line_break(request.url) ? "" : shown_url(request.url))};
    }
    const std::string_view authority =
        std::string_view(request.url).substr(request.url.find("//") + 2);
    if (authority.substr(0, authority.find_first_of("/?#")).find('@') != std::string_view::npos) {
        return Error{ErrorCode::kInvalidArgument, "an address holds a user name or a password"};
    }
    for (const HttpHeader& header : request.headers) {
        if (header.name.empty() || header.name.find_first_of(": \t") != std::string::npos ||
            has_line_break(header.name) || has_line_break(header.value)) {
            return Error{ErrorCode::kInvalidArgument,
                         "a header of a request is malformed or has a line break in it"};
        }
    }
    return {};
}

Result<List> header_list(const HttpRequest& request) {
    List list;
    const auto add = [&](const std::string& line) -> Result<void> {
        curl_slist* longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) {
            return Error{ErrorCode::kUnavailable, "no memory for the headers of a request"};
        }
        [[maybe_unused]] const curl_slist* const owned = list.release();
        list.reset(longer);
        return {};
    };
    for (const HttpHeader& header : request.headers) {
        // libcurl reads "Name:" as "leave that header out" and "Name;" as an empty value.
        TRY(add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value));
    }
    const auto given = [&](std::string_view name) {
        return std::ranges::any_of(request.headers, [&](const HttpHeader& header) {
            return header.name.size() == name.size() &&
                   std::ranges::equal(header.name, name, [](unsigned char a, unsigned char b) {
                       return std::tolower(a) == std::tolower(b);
                   });
        });
    };
    // Without "100 Continue" a peer that does not know it costs a second for nothing.
    TRY(add("Expect:"));
    if (!given("content-type")) {
        TRY(add("Content-Type:"));
    }
    return list;
}

Error translate(CURLcode code, const Transfer& transfer, std::string_view detail) {
    const std::string url = shown_url(transfer.request->url);
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return Error{ErrorCode::kLimit, fmt::format("{} did not answer within {} ms", url,
                                                        transfer.request->total_max.count())};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        case CURLE_SSL_CACERT_BADFILE:
            return Error{ErrorCode::kDenied,
                         fmt::format("{} is not who it should be: {}", url, detail)};
        case CURLE_URL_MALFORMAT:
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("'{}' is no address that a request can go to", url)};
        // The scheme was checked before, so this one means an answer without a status line.
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2:
        case CURLE_BAD_CONTENT_ENCODING:
            return Error{
                ErrorCode::kCorrupt,
                fmt::format("{} answered with something that is no HTTP: {}", url, detail)};
        default:
            return Error{ErrorCode::kUnavailable,
                         fmt::format("no whole answer from {}: {}", url, detail)};
    }
}

class Client {
public:
    explicit Client(ClientOptions options) : options_(std::move(options)) {}

    Result<HttpResponse> exchange(const HttpRequest& request) {
        TRY(check(request));
        const List headers = TRY(header_list(request));
        Handle handle = take_handle();
        if (handle == nullptr) {
            return Error{ErrorCode::kUnavailable, "libcurl has no memory for a request"};
        }
        Transfer transfer;
        transfer.request = &request;
        transfer.handle = handle.get();
        transfer.only_public = options_.reach == Reach::kPublic;
        std::array<char, CURL_ERROR_SIZE> detail{};
        set_options(transfer, headers.get(), detail);
        const CURLcode code = curl_easy_perform(handle.get());
        long status = 0;
        curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
        curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, nullptr);
        give_back(std::move(handle));
        if (transfer.failure) {
            return *std::move(transfer.failure);
        }
        if (code != CURLE_OK) {
            return translate(code, transfer,
                             detail[0] != 0 ? detail.data() : curl_easy_strerror(code));
        }
        transfer.response.status = static_cast<int>(status);
        return std::move(transfer.response);
    }

private:
    Handle take_handle() {
        const std::scoped_lock lock(mutex_);
        if (idle_.empty()) {
            return Handle(curl_easy_init());
        }
        Handle handle = std::move(idle_.back());
        idle_.pop_back();
        return handle;
    }

    // Options are forgotten, live connections and the resolver's memory stay.
    void give_back(Handle handle) {
        curl_easy_reset(handle.get());
        const std::scoped_lock lock(mutex_);
        if (idle_.size() < kIdleHandlesMax) {
            idle_.push_back(std::move(handle));
        }
    }

    void set_options(Transfer& transfer, curl_slist* headers,
                     std::array<char, CURL_ERROR_SIZE>& detail) const {
        CURL* handle = transfer.handle;
        const HttpRequest& request = *transfer.request;
        curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail.data());
        curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(handle, CURLOPT_HTTP09_ALLOWED, 0L);
        curl_easy_setopt(handle, CURLOPT_PROXY, options_.proxy.c_str());  // "" bars the environment
        curl_easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
        curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
        curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
        curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        if (!options_.ca_file.empty()) {
            curl_easy_setopt(handle, CURLOPT_CAINFO, options_.ca_file.c_str());
            curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
        }
        if (!options_.pinned_key.empty()) {
            curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, options_.pinned_key.c_str());
        }
        curl_easy_setopt(handle, CURLOPT_USERAGENT, options_.user_agent.c_str());
        curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);  // signatures cover the path as written
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                         static_cast<long>(request.connect_max.count()));
        curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_max.count()));
        curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
        curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
        curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &transfer);
        set_method(transfer);
    }

    static void set_method(Transfer& transfer) {
        CURL* handle = transfer.handle;
        const HttpRequest& request = *transfer.request;
        const bool has_body = request.source || !request.body.empty() || request.method == "POST" ||
                              request.method == "PUT";
        if (has_body) {
            const std::uint64_t size = request.source ? request.source_bytes : request.body.size();
            curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
            curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_send);
            curl_easy_setopt(handle, CURLOPT_READDATA, &transfer);
            curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_rewind);
            curl_easy_setopt(handle, CURLOPT_SEEKDATA, &transfer);
        } else if (request.method == "HEAD") {
            curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
        }
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    const ClientOptions options_;
    std::mutex mutex_;
    std::vector<Handle> idle_;
};

}  // namespace

Result<HttpExchange> make_client_exchange(const ClientOptions& options) {
    // Thread-safe and counted by libcurl; never undone, because handles live as long as the
    // program.
    static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (kStarted != CURLE_OK) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("libcurl does not start: {}", curl_easy_strerror(kStarted))};
    }
    if (!options.ca_file.empty() && ::access(options.ca_file.c_str(), R_OK) != 0) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the file of certificates '{}' cannot be read", options.ca_file)};
    }
    const auto client = std::make_shared<Client>(options);  // shared by the copies of the function
    return HttpExchange([client](const HttpRequest& request) { return client->exchange(request); });
}

}  // namespace colophon::http
