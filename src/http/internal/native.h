// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a loop is made of. Only for the sources that speak to the library.

#include "http/loop.h"

// tidy: allow(ban): the one header of this library's types; no face includes it
#include <boost/asio/executor_work_guard.hpp>
// tidy: allow(ban): as above
#include <boost/asio/io_context.hpp>
// tidy: allow(ban): as above
#include <boost/asio/signal_set.hpp>
// tidy: allow(ban): as above
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

namespace colophon::http {

struct Loop::Native {
    // One thread runs it, others only post to it.
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        context.get_executor()};
    boost::asio::steady_timer sweeper{context};
    std::vector<std::unique_ptr<boost::asio::signal_set>> signals;
    std::vector<Expiring*> expiring;
    // What is read from any socket lands here first; nobody holds it over a wait.
    std::array<char, std::size_t{64} << 10U> scratch;

    void sweep();
};

}  // namespace colophon::http
