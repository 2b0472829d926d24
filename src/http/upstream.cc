// SPDX-License-Identifier: Apache-2.0
#include "http/upstream.h"

#include "core/result.h"
#include "http/internal/transport.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

struct Kept {
    std::unique_ptr<Transport> transport;
    Instant since;
};

Error given_up() {
    return Error{ErrorCode::kUnavailable, "the call was given up"};
}

Error broke_off() {
    return Error{ErrorCode::kUnavailable, "the upstream broke the connection off"};
}

Error late(std::string_view what, std::chrono::milliseconds time) {
    return Error{ErrorCode::kLimit,
                 fmt::format("the upstream sent {} within {} ms", what, time.count())};
}

bool is_host_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
}

}  // namespace

std::string Url::authority() const {
    const bool numeric = host.find(':') != std::string::npos;
    const bool usual = port == (secure ? 443 : 80);
    const std::string name = numeric ? "[" + host + "]" : host;
    return usual ? name : fmt::format("{}:{}", name, port);
}

Result<Url> parse_url(std::string_view text) {
    const Error bad{ErrorCode::kInvalidArgument,
                    "an upstream's address is http://HOST[:PORT][/PATH] or https://..."};
    Url url;
    if (text.starts_with("https://")) {
        url.secure = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        return bad;
    }
    const std::size_t end = std::min(text.find_first_of("/?#"), text.size());
    std::string_view authority = text.substr(0, end);
    url.path = text.substr(end);
    const bool printable =
        std::ranges::all_of(url.path, [](char c) { return c > 0x20 && c < 0x7F; });
    if (!printable || url.path.find('#') != std::string::npos || url.path.starts_with('?') ||
        authority.find('@') != std::string_view::npos) {
        return bad;
    }
    std::string_view port;
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) {
            return bad;
        }
        url.host = authority.substr(1, close - 1);
        port = authority.substr(close + 1);
        if (!port.empty() && port.front() != ':') {
            return bad;
        }
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        url.host = authority.substr(0, colon);
        port = authority.substr(colon);
        if (!std::ranges::all_of(url.host, is_host_character)) {
            return bad;
        }
    }
    url.port = url.secure ? 443 : 80;
    if (!port.empty()) {
        port.remove_prefix(1);
        const auto [stop, failed] =
            std::from_chars(port.data(), port.data() + port.size(), url.port);
        if (failed != std::errc{} || stop != port.data() + port.size() || url.port == 0) {
            return bad;
        }
    }
    if (url.host.empty()) {
        return bad;
    }
    return url;
}

struct Upstream::State {
    State(Loop& own_loop, Options own_options) : loop(own_loop), options(std::move(own_options)) {}

    Loop& loop;
    Options options;
    std::map<std::string, std::vector<Kept>, std::less<>> kept;

    std::unique_ptr<Transport> take(const std::string& key);
    void keep(const std::string& key, std::unique_ptr<Transport> transport);
};

std::unique_ptr<Transport> Upstream::State::take(const std::string& key) {
    const auto found = kept.find(key);
    if (found == kept.end()) {
        return nullptr;
    }
    const Instant oldest = std::chrono::steady_clock::now() - options.kept_time;
    while (!found->second.empty()) {
        Kept last = std::move(found->second.back());
        found->second.pop_back();
        if (last.since >= oldest && !last.transport->is_stale()) {
            return std::move(last.transport);
        }
    }
    kept.erase(found);
    return nullptr;
}

void Upstream::State::keep(const std::string& key, std::unique_ptr<Transport> transport) {
    std::vector<Kept>& all = kept[key];
    if (all.size() >= options.kept_max) {
        all.erase(all.begin());
    }
    all.push_back({std::move(transport), std::chrono::steady_clock::now()});
}

namespace {

// A request on its connection, and the answer.
class Response final : public UpstreamResponse {
public:
    Response(std::shared_ptr<Upstream::State> state, std::string key, UpstreamTimes times,
             std::stop_token stop)
        : state_(std::move(state)), key_(std::move(key)), times_(times), stop_(std::move(stop)) {}
    ~Response() override { finish(); }
    Response(const Response&) = delete;
    Response& operator=(const Response&) = delete;
    Response(Response&&) = delete;
    Response& operator=(Response&&) = delete;

    void set_transport(std::unique_ptr<Transport> transport) {
        transport_ = std::move(transport);
        peer_ = transport_->peer().address;
        cancel_.emplace(stop_, Cancel{this});
    }
    Task<Result<void>> send_request(const UpstreamRequest& request);
    Task<Result<void>> read_head(bool to_head);
    bool heard_something() const noexcept { return heard_; }

    const ResponseHead& head() const noexcept override { return head_; }
    Task<Result<std::size_t>> read(std::string& into) override;
    const std::string& peer_address() const noexcept override { return peer_; }

private:
    struct Cancel {
        Response* response;
        void operator()() const noexcept { response->transport_->close(); }
    };
    Task<Result<std::size_t>> fill(std::chrono::milliseconds time, std::string_view what);
    Result<std::size_t> take_body(std::string& into);
    void finish() noexcept;

    std::shared_ptr<Upstream::State> state_;
    std::string key_;
    UpstreamTimes times_;
    std::stop_token stop_;
    std::unique_ptr<Transport> transport_;
    std::optional<std::stop_callback<Cancel>> cancel_;
    std::string peer_;
    ResponseHead head_;
    std::string in_;
    ChunkDecoder chunks_;
    std::uint64_t left_ = 0;
    bool heard_ = false;
    bool whole_ = false;
};

// The connection is kept only when the answer was read to its end and nothing stands behind it.
void Response::finish() noexcept {
    cancel_.reset();
    if (!transport_) {
        return;
    }
    transport_->never_expire();
    if (whole_ && head_.keep_alive && in_.empty() && transport_->is_open()) {
        state_->keep(key_, std::move(transport_));
    } else {
        transport_->close();
        transport_.reset();
    }
}

Task<Result<void>> Response::send_request(const UpstreamRequest& request) {
    std::string_view target = request.url.path;
    if (target.empty()) {
        target = "/";
    }
    std::string head = fmt::format("{} {} HTTP/1.1\r\nhost: {}\r\n", request.method, target,
                                   request.url.authority());
    for (const Header& each : request.headers) {
        head += each.name;
        head += ": ";
        for (const char c : each.value) {
            head += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
        }
        head += "\r\n";
    }
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
        head += fmt::format("content-length: {}\r\n", request.body.size());
    }
    head += "\r\n";
    transport_->expire_in(times_.first_byte);
    const std::string_view body = request.body;
    const auto start = [this, &head, body](Transport::Done done) {
        transport_->write(head, body, std::move(done));
    };
    const auto sent = co_await IoAwaiter(start);
    transport_->never_expire();
    if (stop_.stop_requested()) {
        co_return given_up();
    }
    if (!sent.ok()) {
        co_return sent.error();
    }
    co_return Result<void>();
}

Task<Result<std::size_t>> Response::fill(std::chrono::milliseconds time, std::string_view what) {
    if (stop_.stop_requested()) {
        co_return given_up();
    }
    transport_->expire_in(time);
    const auto start = [this](Transport::Done done) { transport_->read(in_, std::move(done)); };
    auto got = co_await IoAwaiter(start);
    transport_->never_expire();
    if (stop_.stop_requested()) {
        co_return given_up();
    }
    if (!got.ok() && transport_->expired()) {
        co_return late(what, time);
    }
    heard_ = heard_ || (got.ok() && *got > 0);
    co_return got;
}

Task<Result<void>> Response::read_head(bool to_head) {
    std::size_t seen = 0;
    for (;;) {
        const auto end = find_head_end(in_, seen);
        if (end) {
            auto head = parse_response_head(std::string_view(in_).substr(0, *end), to_head);
            if (!head.ok()) {
                co_return Error{
                    ErrorCode::kCorrupt,
                    fmt::format("the upstream's answer is no HTTP: {}", head.error().what)};
            }
            in_.erase(0, *end);
            seen = 0;
            if (head->status >= 100 && head->status < 200) {
                continue;
            }
            head_ = std::move(*head);
            left_ = head_.body_bytes;
            whole_ = head_.framing == Framing::kNone;
            co_return Result<void>();
        }
        if (in_.size() > kHeadBytesMax) {
            co_return Error{ErrorCode::kCorrupt,
                            fmt::format("the head of the upstream's answer has more than {} bytes",
                                        kHeadBytesMax)};
        }
        seen = in_.size();
        const auto got = co_await fill(times_.first_byte, "no answer");
        if (!got.ok()) {
            co_return got.error();
        }
        if (*got == 0) {
            co_return broke_off();
        }
    }
}

Result<std::size_t> Response::take_body(std::string& into) {
    const std::size_t before = into.size();
    switch (head_.framing) {
        case Framing::kNone:
            whole_ = true;
            break;
        case Framing::kLength: {
            const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in_.size()));
            into.append(in_, 0, piece);
            in_.erase(0, piece);
            left_ -= piece;
            whole_ = left_ == 0;
            break;
        }
        case Framing::kChunked: {
            const std::size_t taken = TRY(chunks_.take(in_, into, SIZE_MAX));
            in_.erase(0, taken);
            whole_ = chunks_.done();
            break;
        }
        case Framing::kUntilClose:
            into += in_;
            in_.clear();
            break;
    }
    return into.size() - before;
}

Task<Result<std::size_t>> Response::read(std::string& into) {
    for (;;) {
        if (whole_) {
            co_return std::size_t{0};
        }
        const auto taken = take_body(into);
        if (!taken.ok()) {
            co_return taken.error();
        }
        if (*taken > 0 || whole_) {
            co_return *taken;
        }
        const auto got = co_await fill(times_.idle, "nothing more");
        if (!got.ok()) {
            co_return got.error();
        }
        if (*got == 0) {
            if (head_.framing != Framing::kUntilClose) {
                co_return broke_off();
            }
            whole_ = true;
        }
    }
}

Task<Result<std::unique_ptr<Transport>>> open_transport(Upstream::State& state,
                                                        const UpstreamRequest& request) {
    const Address to{.host = request.url.host, .port = request.url.port};
    const ConnectOptions options{.time = request.times.connect, .only_public = request.only_public};
    auto transport = co_await connect(state.loop, to, options, request.stop);
    if (!transport.ok() || !request.url.secure) {
        co_return transport;
    }
    if (!state.options.tls) {
        co_return Error{ErrorCode::kUnsupported, "https is not set up"};
    }
    Transport& opened = **transport;
    opened.expire_in(request.times.connect);
    const auto close = [&opened] { opened.close(); };
    const std::stop_callback stopped(request.stop, close);
    const auto shaken = co_await opened.connect_tls(state.options.tls, request.url.host);
    opened.never_expire();
    if (!shaken.ok()) {
        co_return shaken.error();
    }
    co_return transport;
}

}  // namespace

Task<Result<std::string>> UpstreamResponse::read_all(std::size_t bytes_max) {
    std::string body;
    for (;;) {
        const auto got = co_await read(body);
        if (!got.ok()) {
            co_return got.error();
        }
        if (body.size() > bytes_max) {
            co_return Error{ErrorCode::kUnsupported,
                            fmt::format("the upstream's answer has more than {} bytes", bytes_max)};
        }
        if (*got == 0) {
            co_return body;
        }
    }
}

Upstream::Upstream(Loop& loop, Options options)
    : state_(std::make_shared<State>(loop, std::move(options))) {}

Upstream::~Upstream() = default;

Task<Result<std::unique_ptr<UpstreamResponse>>> Upstream::send(UpstreamRequest request) {
    const std::shared_ptr<State> state = state_;
    const std::string key = fmt::format("{}{}{}", request.url.secure ? "s " : "",
                                        request.only_public ? "p " : "", request.url.authority());
    for (int attempt = 0;; ++attempt) {
        auto response = std::make_unique<Response>(state, key, request.times, request.stop);
        std::unique_ptr<Transport> kept = attempt == 0 ? state->take(key) : nullptr;
        const bool reused = kept != nullptr;
        if (!reused) {
            auto opened = co_await open_transport(*state, request);
            if (!opened.ok()) {
                co_return opened.error();
            }
            kept = std::move(*opened);
        }
        response->set_transport(std::move(kept));
        auto done = co_await response->send_request(request);
        if (done.ok()) {
            done = co_await response->read_head(request.method == "HEAD");
        }
        if (done.ok()) {
            co_return std::unique_ptr<UpstreamResponse>(std::move(response));
        }
        const bool stale = reused && !response->heard_something() &&
                           done.error().code == ErrorCode::kUnavailable &&
                           !request.stop.stop_requested();
        if (!stale) {
            co_return done.error();
        }
    }
}

}  // namespace colophon::http
