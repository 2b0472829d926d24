// SPDX-License-Identifier: Apache-2.0
#pragma once

// Certificates and keys, read and checked. A context does not change: reloading makes another one,
// and connections that are open go on with theirs.

#include "core/result.h"

#include <memory>
#include <string>

namespace colophon::http {

class TlsContext {
public:
    // TLS 1.2 and 1.3. `certificate` is a PEM file with the whole chain, `key` its private key.
    // kInvalidArgument when they cannot be read, do not fit each other or have expired.
    static Result<std::shared_ptr<TlsContext>> server(const std::string& certificate,
                                                      const std::string& key);
    // Checks the peer's certificate and name. `ca_file` empty: the system's authorities.
    static Result<std::shared_ptr<TlsContext>> client(const std::string& ca_file);

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    struct Native;
    Native& native() noexcept { return *native_; }
    explicit TlsContext(std::unique_ptr<Native> native);

private:
    std::unique_ptr<Native> native_;
};

}  // namespace colophon::http
