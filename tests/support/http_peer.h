// SPDX-License-Identifier: Apache-2.0
#pragma once

// A real HTTP peer for tests of what goes out: it listens on a free port of 127.0.0.1, reads whole
// requests and answers with exactly the bytes that a test gives, well formed or not, at once, drop
// by drop or never. With a certificate it speaks TLS.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::test {

struct PeerRequest {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    int connection = 0;  // which connection brought it, from 1

    std::string header(std::string_view name) const;
};

enum class PeerEnd : std::uint8_t {
    kKeep,   // the connection stays open for the next request
    kClose,  // closed in order
    kReset,  // a TCP reset in the middle of what was sent
    kHang,   // nothing more is sent and the connection stays open
};

struct PeerAnswer {
    std::string bytes = {};  // everything that is sent, status line and all
    PeerEnd end = PeerEnd::kClose;
    std::chrono::milliseconds between_bytes{0};  // above 0: one byte at a time, so far apart
};

// A well-formed answer: "HTTP/1.1 STATUS X", Content-Length and the given header lines.
PeerAnswer answer(int status, std::string_view body,
                  std::string_view header_lines = "Content-Type: application/json\r\n");

using PeerHandler = std::function<PeerAnswer(const PeerRequest&)>;

struct PeerTls {
    std::string certificate_file;  // PEM
    std::string key_file;          // PEM
};

class HttpPeer {
public:
    explicit HttpPeer(PeerHandler handler, const PeerTls& tls = {});
    ~HttpPeer();  // ends every connection and waits for its threads
    HttpPeer(const HttpPeer&) = delete;
    HttpPeer& operator=(const HttpPeer&) = delete;

    int port() const noexcept;
    // "http://127.0.0.1:PORT/path", or https with a certificate.
    std::string url(std::string_view path, std::string_view host = "127.0.0.1") const;
    std::vector<PeerRequest> requests() const;  // so far

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A key and a certificate of its own for 127.0.0.1 or for another name, made by openssl.
PeerTls make_certificate(const std::string& folder, std::string_view subject_alternative_name);

}  // namespace colophon::test
