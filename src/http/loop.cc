// SPDX-License-Identifier: Apache-2.0
#include "http/loop.h"

#include "core/task.h"
#include "http/internal/native.h"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

namespace asio = boost::asio;

class TimerAwaiter {
public:
    TimerAwaiter(asio::steady_timer& timer, std::stop_token stop)
        : timer_(timer), stop_(std::move(stop)) {}
    bool await_ready() const noexcept { return stop_.stop_requested(); }
    void await_suspend(std::coroutine_handle<> waiting) {
        timer_.async_wait([waiting](const boost::system::error_code&) { waiting.resume(); });
    }
    void await_resume() const noexcept {}

private:
    asio::steady_timer& timer_;
    std::stop_token stop_;
};

void listen_for(asio::signal_set& signals, const std::shared_ptr<std::function<void(int)>>& told) {
    signals.async_wait([&signals, told](const boost::system::error_code& failed, int signal) {
        if (!failed) {
            (*told)(signal);
            listen_for(signals, told);
        }
    });
}

}  // namespace

void Loop::Native::sweep() {
    const Instant now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < expiring.size(); ++i) {
        Expiring& each = *expiring[i];
        if (each.deadline() <= now) {
            each.never_expire();
            each.expire();
        }
    }
    sweeper.expires_after(Expiring::kSweep);
    sweeper.async_wait([this](const boost::system::error_code& failed) {
        if (!failed) {
            sweep();
        }
    });
}

Loop::Loop() : native_(std::make_unique<Native>()) {}

Loop::~Loop() = default;

void Loop::run() {
    native_->sweep();
    native_->context.run();
}

void Loop::stop() {
    native_->context.stop();
}

void Loop::resume(std::coroutine_handle<> coroutine) {
    asio::post(native_->context, [coroutine] { coroutine.resume(); });
}

void Loop::post(std::function<void()> work) {
    asio::post(native_->context, std::move(work));
}

void Loop::spawn(Task<void> task) {
    asio::post(native_->context, [task = std::move(task)]() mutable { start(std::move(task)); });
}

Task<void> Loop::sleep(std::chrono::milliseconds time, std::stop_token stop) {
    asio::steady_timer timer(native_->context, time);
    const auto cancel = [&timer] { timer.cancel(); };
    const std::stop_callback stopped(stop, cancel);
    co_await TimerAwaiter(timer, stop);
}

void Loop::on_signals(const std::vector<int>& signals, std::function<void(int)> told) {
    auto set = std::make_unique<asio::signal_set>(native_->context);
    for (const int signal : signals) {
        set->add(signal);
    }
    listen_for(*set, std::make_shared<std::function<void(int)>>(std::move(told)));
    native_->signals.push_back(std::move(set));
}

void Loop::watch(Expiring& each) {
    each.slot_ = native_->expiring.size();
    native_->expiring.push_back(&each);
}

void Loop::unwatch(Expiring& each) noexcept {
    std::vector<Expiring*>& all = native_->expiring;
    all[each.slot_] = all.back();
    all[each.slot_]->slot_ = each.slot_;
    all.pop_back();
}

}  // namespace colophon::http
