// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/tls.h"

// tidy: allow(ban): only for the sources that speak to the library
#include <boost/asio/ssl/context.hpp>

namespace colophon::http {

struct TlsContext::Native {
    explicit Native(boost::asio::ssl::context::method method) : context(method) {}
    boost::asio::ssl::context context;
};

}  // namespace colophon::http
