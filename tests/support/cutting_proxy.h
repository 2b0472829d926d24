// SPDX-License-Identifier: Apache-2.0
#pragma once

// A real TCP proxy between libpq and a PostgreSQL server that listens on a socket of the file
// system. It cuts connections where a test wants it: before the server heard a message, in the
// middle of one, or after the server heard it and before its answer came back, which is the cut
// that leaves a client not knowing whether its commit is there.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace colophon::test {

enum class Cut : std::uint8_t { kBefore, kHalf, kAfter };

class CuttingProxy {
public:
    explicit CuttingProxy(std::string socket_path);
    ~CuttingProxy();  // ends every connection and waits for its threads
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    int port() const noexcept { return port_; }
    // The connection that brings the next piece of at least `bytes` bytes is cut there, once.
    void arm(Cut cut, std::size_t bytes);
    int cuts() const noexcept { return cuts_; }

private:
    void accept_all();
    void carry(int client);
    bool strikes(std::size_t bytes, Cut& cut);

    std::string socket_path_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> stop_ = false;
    std::atomic<int> cuts_ = 0;
    std::mutex mutex_;
    bool armed_ = false;
    Cut cut_ = Cut::kBefore;
    std::size_t bytes_ = 0;
    std::vector<std::thread> threads_;  // guarded by mutex_ but in the destructor
    std::thread acceptor_;
};

}  // namespace colophon::test
