// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include "core/result.h"
#include "http/internal/connection.h"
#include "http/internal/transport.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/tls.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

constexpr std::chrono::milliseconds kBreath{50};

// What one address listens with, in one loop.
struct Door {
    Door(std::unique_ptr<Listener> listens, bool speaks_tls)
        : listener(std::move(listens)), secure(speaks_tls) {}
    std::unique_ptr<Listener> listener;
    bool secure;
};

// One loop's part of the server. Touched by that loop's thread only.
struct Shard {
    Shard(Loop& own_loop, const Server::Options& options, ServerCounts& counts)
        : loop(own_loop),
          context{.loop = own_loop, .options = options, .counts = counts, .draining = draining} {}

    Loop& loop;
    bool draining = false;
    ConnectionContext context;
    std::vector<std::unique_ptr<Door>> doors;
    std::unordered_set<Connection*> connections;
    std::unordered_map<std::string, std::size_t> peers;
};

}  // namespace

struct Server::State {
    Options options;
    ServerCounts counts;
    std::vector<std::unique_ptr<Shard>> shards;
    std::uint16_t port = 0;
    std::mutex mutex;
    std::shared_ptr<TlsContext> tls;  // guarded by mutex
    ServerLimits limits;              // guarded by mutex
    std::atomic<std::int64_t> open{0};

    std::shared_ptr<TlsContext> tls_now() {
        const std::lock_guard lock(mutex);
        return tls;
    }
    ServerLimits limits_now() {
        const std::lock_guard lock(mutex);
        return limits;
    }
};

namespace {

Task<void> serve_connection(Server::State& state, Shard& shard,
                            std::unique_ptr<Transport> transport, bool secure) {
    const std::string address = transport->peer().address;
    ++shard.peers[address];
    ++state.counts.connections;
    ++state.counts.accepted;
    {
        Connection connection(shard.context, std::move(transport), state.limits_now());
        shard.connections.insert(&connection);
        // By a name: GCC 12 destroys a conditional argument of an awaited call twice, and the
        // context went after the third connection.
        std::shared_ptr<TlsContext> tls = secure ? state.tls_now() : nullptr;
        co_await connection.serve(std::move(tls));
        shard.connections.erase(&connection);
    }
    --state.counts.connections;
    const auto peer = shard.peers.find(address);
    if (--peer->second == 0) {
        shard.peers.erase(peer);
    }
}

bool has_room(Server::State& state, const Shard& shard, Transport& transport) {
    const ServerLimits limits = state.limits_now();
    if (shard.connections.size() >= limits.connections_max) {
        return false;
    }
    const auto peer = shard.peers.find(transport.peer().address);
    return peer == shard.peers.end() || peer->second < limits.per_peer_max;
}

Task<void> take_connections(Server::State& state, Shard& shard, Door& door) {
    for (;;) {
        auto taken = co_await door.listener->accept();
        if (shard.draining) {
            co_return;
        }
        if (!taken.ok()) {
            // No descriptor is left, or the peer was gone before we looked: a pause, then on.
            co_await shard.loop.sleep(kBreath);
            continue;
        }
        if (!has_room(state, shard, **taken)) {
            ++state.counts.refused;
            continue;
        }
        start(serve_connection(state, shard, std::move(*taken), door.secure));
    }
}

// Adds a listener for every loop: the first owns the socket, the others have copies of it.
Result<void> add_doors(Server::State& state, std::unique_ptr<Listener> first, bool secure) {
    for (std::size_t i = 1; i < state.shards.size(); ++i) {
        const int copy = ::dup(first->descriptor());
        if (copy < 0) {
            return Error{ErrorCode::kUnavailable, "no file descriptor is left"};
        }
        auto listener = Listener::adopt(state.shards[i]->loop, copy);
        if (!listener.ok()) {
            return listener.error();
        }
        state.shards[i]->doors.push_back(std::make_unique<Door>(std::move(*listener), secure));
    }
    if (state.port == 0) {
        state.port = first->port();
    }
    state.shards[0]->doors.push_back(std::make_unique<Door>(std::move(first), secure));
    for (const auto& shard : state.shards) {
        Shard& own = *shard;
        Door& door = *own.doors.back();
        own.loop.post([&state, &own, &door] { start(take_connections(state, own, door)); });
    }
    return {};
}

Task<void> wait_for_end(Server::State& state, std::chrono::milliseconds time,
                        std::function<void()> done) {
    Shard& first = *state.shards.front();
    const Instant end = std::chrono::steady_clock::now() + time;
    while (state.counts.connections.load() > 0 && std::chrono::steady_clock::now() < end) {
        co_await first.loop.sleep(kBreath);
    }
    for (const auto& shard : state.shards) {
        Shard& own = *shard;
        own.loop.post([&own] {
            for (Connection* connection : own.connections) {
                connection->cut();
            }
        });
    }
    // Handlers that were told to stop get a moment to write down why.
    const Instant last = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (state.counts.connections.load() > 0 && std::chrono::steady_clock::now() < last) {
        co_await first.loop.sleep(kBreath);
    }
    done();
}

}  // namespace

Server::Server(const std::vector<Loop*>& loops, Options options)
    : state_(std::make_unique<State>()) {
    state_->options = std::move(options);
    state_->limits = state_->options.limits;
    for (Loop* loop : loops) {
        state_->shards.push_back(std::make_unique<Shard>(*loop, state_->options, state_->counts));
    }
}

Server::~Server() = default;

Result<void> Server::listen(const std::string& address, std::uint16_t port,
                            std::shared_ptr<TlsContext> tls) {
    auto listener =
        TRY(Listener::open(state_->shards.front()->loop, Address{.host = address, .port = port}));
    const bool secure = tls != nullptr;
    if (secure) {
        replace_tls(std::move(tls));
    }
    return add_doors(*state_, std::move(listener), secure);
}

Result<void> Server::adopt(int descriptor, std::shared_ptr<TlsContext> tls) {
    auto listener = TRY(Listener::adopt(state_->shards.front()->loop, descriptor));
    const bool secure = tls != nullptr;
    if (secure) {
        replace_tls(std::move(tls));
    }
    return add_doors(*state_, std::move(listener), secure);
}

std::uint16_t Server::port() const noexcept {
    return state_->port;
}

void Server::replace_tls(std::shared_ptr<TlsContext> tls) {
    const std::lock_guard lock(state_->mutex);
    state_->tls = std::move(tls);
}

void Server::set_limits(const ServerLimits& limits) {
    const std::lock_guard lock(state_->mutex);
    state_->limits = limits;
}

void Server::drain(std::chrono::milliseconds time, std::function<void()> done) {
    for (const auto& shard : state_->shards) {
        Shard& own = *shard;
        own.loop.post([&own] {
            own.draining = true;
            for (const auto& door : own.doors) {
                door->listener->close();
            }
            for (Connection* connection : own.connections) {
                connection->hurry();
            }
        });
    }
    state_->shards.front()->loop.post([this, time, done = std::move(done)]() mutable {
        start(wait_for_end(*state_, time, std::move(done)));
    });
}

const ServerCounts& Server::counts() const noexcept {
    return state_->counts;
}

}  // namespace colophon::http
