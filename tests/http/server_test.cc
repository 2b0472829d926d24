// SPDX-License-Identifier: Apache-2.0
// The server through raw sockets, and the upstream client against it.
#include "http/server.h"

#include "core/result.h"
#include "core/task.h"
#include "http/exchange.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/upstream.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace colophon::http {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 3> kPieces{"one ", "two ", "three"};

struct Seen {
    std::atomic<int> calls{0};
    std::atomic<int> gone{0};
};

// "/echo" gives the body back, "/stream" three pieces, "/sized" them with their length said before,
// "/short" without the last, "/wait" waits until the client leaves, and "/slow" a moment, "/ignore"
// does not read the body, "/throw" throws, "/nothing" forgets to answer.
Task<void> handle(Seen& seen, Exchange& exchange) {
    ++seen.calls;
    const std::string path = exchange.request().path;
    Headers headers;
    headers.push_back({"content-type", "text/plain"});
    if (path == "/echo") {
        auto body = co_await exchange.read_body(1000);
        if (!body.ok()) {
            (void)co_await exchange.answer(413, headers, body.error().what);
            co_return;
        }
        (void)co_await exchange.answer(200, headers, std::move(*body));
    } else if (path == "/stream") {
        (void)co_await exchange.begin(200, headers);
        for (const std::string_view piece : kPieces) {
            (void)co_await exchange.write(piece);
        }
        (void)co_await exchange.end();
    } else if (path == "/sized" || path == "/short") {
        (void)co_await exchange.begin_sized(200, headers, 13);
        for (const std::string_view piece : kPieces) {
            if (path == "/sized" || piece != kPieces.back()) {
                (void)co_await exchange.write(piece);
            }
        }
        (void)co_await exchange.end();
    } else if (path == "/wait") {
        co_await exchange.loop().sleep(milliseconds(20'000), exchange.gone());
        seen.gone += exchange.gone().stop_requested() ? 1 : 0;
    } else if (path == "/slow") {
        co_await exchange.loop().sleep(milliseconds(300), exchange.gone());
        (void)co_await exchange.answer(200, headers, std::string("slow"));
    } else if (path == "/ignore") {
        (void)co_await exchange.answer(200, headers, std::string("ignored"));
    } else if (path == "/throw") {
        throw std::string().at(1);
    }
}

class Running {
public:
    explicit Running(const ServerLimits& limits = {}) {
        server = std::make_unique<Server>(
            std::vector<Loop*>{&loop},
            Server::Options{
                .limits = limits,
                .handler = [this](Exchange& exchange) { return handle(seen, exchange); },
                .refusal = {},
                .refusal_type = "text/plain"});
        REQUIRE(server->listen("127.0.0.1", 0).ok());
        thread = std::thread([this] { loop.run(); });
    }
    ~Running() {
        loop.stop();
        thread.join();
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    Seen seen;
    Loop loop;
    std::unique_ptr<Server> server;
    std::thread thread;
};

class Client {
public:
    explicit Client(const Running& running) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(running.server->port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    ~Client() { leave(); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void send(std::string_view bytes) const {
        (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void leave() {
        if (socket_ >= 0) {
            ::close(socket_);
            socket_ = -1;
        }
    }
    // What comes until `end` was seen (all when it is empty, until the server closes).
    std::string read(std::string_view end = {}, int time_ms = 5'000) {
        std::string got;
        pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
        while (end.empty() || got.find(end) == std::string::npos) {
            std::array<char, 4096> block{};
            if (::poll(&wait, 1, time_ms) <= 0) {
                break;
            }
            const ssize_t count = ::recv(socket_, block.data(), block.size(), 0);
            if (count <= 0) {
                closed = true;
                break;
            }
            got.append(block.data(), static_cast<std::size_t>(count));
        }
        return got;
    }
    bool closed = false;

private:
    int socket_;
};

std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i < 500; ++i) {
        if (condition()) {
            return true;
        }
        std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
}

}  // namespace

TEST_CASE("a connection serves call after call, and those that came at once in their order") {
    Running running;
    Client client(running);
    client.send(post("/echo", "first"));
    CHECK(client.read("first").starts_with("HTTP/1.1 200 OK\r\n"));
    client.send(post("/echo", "second") + post("/echo", "third") +
                "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string both = client.read("0\r\n\r\n");
    CHECK(both.find("second") < both.find("third"));
    CHECK(both.find("third") < both.find("4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"));
    CHECK(running.seen.calls == 4);
}

TEST_CASE("an answer in pieces whose length was said has that length, or is cut") {
    Running running;
    Client client(running);
    client.send("GET /sized HTTP/1.1\r\nHost: a\r\n\r\n" + post("/echo", "next"));
    const std::string whole = client.read("next");
    CHECK(whole.find("content-length: 13\r\n") != std::string::npos);
    CHECK(whole.find("chunked") == std::string::npos);
    CHECK(whole.find("\r\n\r\none two threeHTTP/1.1 200") != std::string::npos);
    client.send("HEAD /sized HTTP/1.1\r\nHost: a\r\n\r\n" + post("/echo", "after"));
    const std::string head = client.read("after");
    CHECK(head.find("content-length: 13\r\n") != std::string::npos);
    CHECK(head.find("one") == std::string::npos);
    Client old(running);
    old.send("GET /sized HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + post("/echo", "again"));
    CHECK(old.read("again").find("one two threeHTTP/1.1 200") != std::string::npos);
    Client cut(running);
    cut.send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n" + post("/echo", "never"));
    CHECK(cut.read().ends_with("\r\n\r\none two "));
    CHECK(cut.closed);
}

TEST_CASE("a head and a body may come byte by byte") {
    Running running;
    Client client(running);
    const std::string request =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for (const char c : request) {
        client.send(std::string_view(&c, 1));
    }
    CHECK(client.read("abcde").find("content-length: 5") != std::string::npos);
}

TEST_CASE("a refused request ends the connection, so that nothing behind it is read") {
    Running running;
    constexpr std::array<std::string_view, 6> kRequests{
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 30\r\n\r\n",
        "POST /echo HTTP/1.1\nHost: a\n\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: cow\r\n\r\n",
        "\x16\x03\x01\x02\r\n\r\n",
    };
    for (const std::string_view request : kRequests) {
        CAPTURE(request);
        Client client(running);
        client.send(std::string(request) + "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
        const std::string answer = client.read();
        CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
        CHECK(answer.find("connection: close") != std::string::npos);
        CHECK(answer.find("HTTP/1.1", 8) == std::string::npos);
        CHECK(client.closed);
    }
    CHECK(running.seen.calls == 0);
    CHECK(running.server->counts().malformed == kRequests.size());
}

TEST_CASE("broken chunks end the call and the connection") {
    Running running;
    Client client(running);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\nabc\r\n"
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string answer = client.read();
    CHECK(answer.starts_with("HTTP/1.1 413"));
    CHECK(client.closed);
    CHECK(running.seen.calls == 1);
}

TEST_CASE("heads and bodies have their limits") {
    ServerLimits limits;
    limits.head_bytes_max = 1024;
    Running running(limits);
    Client bomb(running);
    bomb.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(4096, 'x'));
    CHECK(bomb.read().starts_with("HTTP/1.1 431"));
    Client large(running);
    large.send(post("/echo", std::string(2000, 'x')));
    CHECK(large.read("more than 1000").starts_with("HTTP/1.1 413"));
}

TEST_CASE("a body that nobody wanted does not become the next request") {
    Running running;
    Client client(running);
    client.send(post("/ignore", "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n") + post("/echo", "next"));
    const std::string answers = client.read("next");
    CHECK(answers.find("ignored") != std::string::npos);
    CHECK(answers.find("three") == std::string::npos);
    CHECK(running.seen.calls == 2);
}

TEST_CASE("who waits for it is told to continue") {
    Running running;
    Client client(running);
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    CHECK(client.read("Continue\r\n\r\n").starts_with("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send("ok");
    CHECK(client.read("ok").starts_with("HTTP/1.1 200"));
}

TEST_CASE("who is too slow is cut off, and costs nobody else anything") {
    ServerLimits limits;
    limits.head_time = milliseconds(200);
    limits.idle_time = milliseconds(300);
    limits.body_time = milliseconds(200);
    Running running(limits);
    Client head(running);
    head.send("GET / HT");
    Client idle(running);
    Client body(running);
    body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
    Client quick(running);
    quick.send(post("/echo", "quick"));
    CHECK(quick.read("quick").starts_with("HTTP/1.1 200"));
    CHECK(head.read().empty());
    CHECK(head.closed);
    CHECK(idle.read().empty());
    CHECK(idle.closed);
    (void)body.read();
    CHECK(body.closed);
}

TEST_CASE("a client that leaves stops its call") {
    Running running;
    Client client(running);
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(soon([&] { return running.seen.calls == 1; }));
    client.leave();
    CHECK(soon([&] { return running.seen.gone == 1; }));
    CHECK(soon([&] { return running.server->counts().connections == 0; }));
}

TEST_CASE("a handler that throws or forgets to answer is one failed call") {
    Running running;
    for (const char* path : {"/throw", "/nothing"}) {
        Client client(running);
        client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(client.read().starts_with("HTTP/1.1 500"));
    }
    Client client(running);
    client.send(post("/echo", "alive"));
    CHECK(client.read("alive").starts_with("HTTP/1.1 200"));
}

TEST_CASE("connections beyond the limit are closed, and there is room again afterwards") {
    ServerLimits limits;
    limits.per_peer_max = 2;
    Running running(limits);
    auto first = std::make_unique<Client>(running);
    Client second(running);
    CHECK(soon([&] { return running.server->counts().connections == 2; }));
    Client third(running);
    CHECK(third.read().empty());
    CHECK(third.closed);
    first.reset();
    CHECK(soon([&] { return running.server->counts().connections == 1; }));
    Client fourth(running);
    fourth.send(post("/echo", "room"));
    CHECK(fourth.read("room").starts_with("HTTP/1.1 200"));
}

TEST_CASE("a server that drains lets calls end and takes no new ones") {
    Running running;
    Client busy(running);
    Client idle(running);
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(soon([&] { return running.seen.calls == 1; }));
    std::promise<void> drained;
    running.server->drain(milliseconds(5'000), [&] { drained.set_value(); });
    const std::string answer = busy.read();
    CHECK(answer.starts_with("HTTP/1.1 200"));
    CHECK(answer.find("connection: close") != std::string::npos);
    CHECK(idle.read().empty());
    CHECK(drained.get_future().wait_for(std::chrono::seconds(5)) == std::future_status::ready);
}

TEST_CASE("drain cuts what does not end in time") {
    Running running;
    Client client(running);
    client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(soon([&] { return running.seen.calls == 1; }));
    std::promise<void> drained;
    running.server->drain(milliseconds(100), [&] { drained.set_value(); });
    CHECK(drained.get_future().wait_for(std::chrono::seconds(5)) == std::future_status::ready);
    CHECK(running.seen.gone == 1);
}

namespace {

// One exchange of the upstream client on the loop of a running server.
Result<std::string> ask(Running& running, Upstream& upstream, std::string path, std::string body) {
    std::promise<Result<std::string>> done;
    const auto run = [](Upstream& client, UpstreamRequest request,
                        std::promise<Result<std::string>>& told) -> Task<void> {
        auto response = co_await client.send(std::move(request));
        if (!response.ok()) {
            told.set_value(response.error());
            co_return;
        }
        auto text = co_await (*response)->read_all(10'000);
        response->reset();
        told.set_value(std::move(text));
    };
    UpstreamRequest request;
    request.url = *parse_url("http://127.0.0.1:" + std::to_string(running.server->port()) + path);
    request.body = std::move(body);
    request.times.first_byte = milliseconds(500);
    running.loop.spawn(run(upstream, std::move(request), done));
    return done.get_future().get();
}

}  // namespace

TEST_CASE("the upstream client reads whole and streamed answers over one kept connection") {
    Running running;
    Upstream upstream(running.loop, {});
    CHECK(*ask(running, upstream, "/echo", "hello") == "hello");
    CHECK(*ask(running, upstream, "/stream", "") == "one two three");
    CHECK(*ask(running, upstream, "/echo", "again") == "again");
    CHECK(running.server->counts().accepted == 1);
    const auto late = ask(running, upstream, "/wait", "");
    REQUIRE_FALSE(late.ok());
    CHECK(late.error().code == ErrorCode::kLimit);
    // Whoever was given up on notices it.
    CHECK(soon([&] { return running.seen.gone == 1; }));
}

}  // namespace colophon::http
