// SPDX-License-Identifier: Apache-2.0
#include "http/tls.h"

#include "core/result.h"
#include "http/internal/native_tls.h"

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <utility>

namespace colophon::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

Error refused(const std::string& file, const std::string& why) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} cannot be used: {}", file, why)};
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Native> native) : native_(std::move(native)) {}

TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::server(const std::string& certificate,
                                                       const std::string& key) {
    auto native = std::make_unique<Native>(ssl::context::tls_server);
    ssl::context& context = native->context;
    SSL_CTX* raw = context.native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    // Records shrink to what is in them, and idle connections give their buffers back.
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(
        raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    error_code failed;
    context.use_certificate_chain_file(certificate, failed);
    if (failed) {
        return refused(certificate, failed.message());
    }
    context.use_private_key_file(key, ssl::context::pem, failed);
    if (failed) {
        return refused(key, failed.message());
    }
    if (SSL_CTX_check_private_key(raw) != 1) {
        return refused(key, "it does not belong to the certificate");
    }
    const X509* leaf = SSL_CTX_get0_certificate(raw);
    if (leaf == nullptr || X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0) {
        return refused(certificate, "it has expired");
    }
    return std::make_shared<TlsContext>(std::move(native));
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const std::string& ca_file) {
    auto native = std::make_unique<Native>(ssl::context::tls_client);
    ssl::context& context = native->context;
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    error_code failed;
    if (ca_file.empty()) {
        context.set_default_verify_paths(failed);
    } else {
        context.load_verify_file(ca_file, failed);
    }
    if (failed) {
        return refused(ca_file.empty() ? "the system's list of authorities" : ca_file,
                       failed.message());
    }
    context.set_verify_mode(ssl::verify_peer, failed);
    return std::make_shared<TlsContext>(std::move(native));
}

}  // namespace colophon::http
