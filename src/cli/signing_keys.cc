// SPDX-License-Identifier: Apache-2.0
#include "cli/signing_keys.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "core/subprocess.h"
#include "http/client.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"
#include "storage/pkcs11.h"
#include "storage/secret_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using label::provenance::SignatureAlgorithm;
using label::provenance::SigningKey;

constexpr std::chrono::seconds kSignMax{10};
constexpr std::size_t kSignatureBytesMax = 16U << 10U;
constexpr std::string_view kTokenScheme = "pkcs11:";
constexpr std::string_view kCommandScheme = "command:";

storage::Pkcs11Signing mechanism_of(SignatureAlgorithm algorithm) {
    switch (algorithm) {
        case SignatureAlgorithm::kPs256:
            return storage::Pkcs11Signing::kPssSha256;
        case SignatureAlgorithm::kPs384:
            return storage::Pkcs11Signing::kPssSha384;
        case SignatureAlgorithm::kPs512:
            return storage::Pkcs11Signing::kPssSha512;
        case SignatureAlgorithm::kEdDsa:
            return storage::Pkcs11Signing::kEdDsa;
        case SignatureAlgorithm::kEs256:
        case SignatureAlgorithm::kEs384:
        case SignatureAlgorithm::kEs512:
            break;
    }
    return storage::Pkcs11Signing::kEcdsa;
}

std::string name_of(SignatureAlgorithm algorithm) {
    return std::string(label::provenance::facts(algorithm).name);
}

class TokenKey final : public SigningKey {
public:
    explicit TokenKey(std::unique_ptr<storage::Pkcs11Key> key) : key_(std::move(key)) {}

    Result<Buffer> sign(SignatureAlgorithm algorithm, Bytes message) override {
        const Buffer digest = TRY(label::provenance::digest_to_sign(algorithm, message));
        return key_->sign(mechanism_of(algorithm), digest);
    }

private:
    std::unique_ptr<storage::Pkcs11Key> key_;
};

class ProgramKey final : public SigningKey {
public:
    explicit ProgramKey(std::vector<std::string> words) : words_(std::move(words)) {}

    Result<Buffer> sign(SignatureAlgorithm algorithm, Bytes message) override {
        return run_program(words_, message,
                           {.time = kSignMax,
                            .output_bytes = kSignatureBytesMax,
                            .variables = {"COLOPHON_SIGN_ALGORITHM=" + name_of(algorithm)}});
    }

private:
    std::vector<std::string> words_;
};

class ServiceKey final : public SigningKey {
public:
    ServiceKey(HttpExchange exchange, std::string url, std::string token)
        : exchange_(std::move(exchange)), url_(std::move(url)), token_(std::move(token)) {}

    Result<Buffer> sign(SignatureAlgorithm algorithm, Bytes message) override {
        HttpRequest post;
        post.method = "POST";
        post.url = url_;
        post.headers = {{"Content-Type", "application/octet-stream"},
                        {"Accept", "application/octet-stream"},
                        {"Colophon-Sign-Algorithm", name_of(algorithm)}};
        if (!token_.empty()) {
            const storage::SecretText token =
                TRY(storage::read_secret(token_, storage::SecretFile::kAny));
            post.headers.push_back({"Authorization", "Bearer " + std::string(token.text())});
        }
        post.body = message;
        post.total_max = kSignMax;
        post.response_bytes_max = kSignatureBytesMax;
        HttpResponse response = TRY(exchange_(post));
        if (response.status != 200) {
            return Error{
                ErrorCode::kUnavailable,
                fmt::format("the signing service answered with status {}", response.status)};
        }
        return std::move(response.body);
    }

private:
    HttpExchange exchange_;
    std::string url_;
    std::string token_;
};

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) {
            words.emplace_back(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

bool is_service(std::string_view source) noexcept {
    return source.starts_with("https://") || source.starts_with("http://");
}

// What is signed may be replaced on the way, and the token read, where nothing protects it.
bool is_safe(std::string_view url) noexcept {
    constexpr std::string_view kPlain = "http://";
    if (!url.starts_with(kPlain)) {
        return true;
    }
    const std::string_view rest = url.substr(kPlain.size());
    const std::string_view host =
        rest.substr(0, rest.find_first_of(rest.starts_with('[') ? "]" : ":/?#"));
    return host == "127.0.0.1" || host == "localhost" || host == "[::1";
}

}  // namespace

bool is_remote_key(std::string_view source) noexcept {
    return source.starts_with(kTokenScheme) || source.starts_with(kCommandScheme) ||
           is_service(source);
}

Result<std::shared_ptr<SigningKey>> open_remote_key(const std::string& source,
                                                    const std::string& token) {
    if (source.starts_with(kTokenScheme)) {
        const storage::Pkcs11Uri uri = TRY(storage::parse_pkcs11_uri(source));
        return std::shared_ptr<SigningKey>(std::make_shared<TokenKey>(
            TRY(storage::Pkcs11Key::open(uri, storage::Pkcs11Kind::kPrivate))));
    }
    if (source.starts_with(kCommandScheme)) {
        std::vector<std::string> words =
            split_words(std::string_view(source).substr(kCommandScheme.size()));
        if (words.empty()) {
            return Error{
                ErrorCode::kInvalidArgument,
                "command: needs a program that signs, such as command:/usr/bin/sign --key 1"};
        }
        return std::shared_ptr<SigningKey>(std::make_shared<ProgramKey>(std::move(words)));
    }
    if (!is_service(source) || !is_safe(source)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a signing service is asked by https://, by http:// on this machine only"};
    }
    return std::shared_ptr<SigningKey>(
        std::make_shared<ServiceKey>(TRY(http::make_client_exchange()), source, token));
}

}  // namespace colophon::cli
