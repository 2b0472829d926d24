// SPDX-License-Identifier: Apache-2.0
#include "cli/certificate_status.h"

#include "cli/files.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "http/client.h"
#include "label/provenance/certificate.h"
#include "label/provenance/ocsp.h"
#include "label/provenance/signer.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

namespace provenance = label::provenance;

constexpr std::size_t kResponseBytesMax = 64U << 10U;
// A later answer may be longer: other certificates of the responder, longer numbers.
constexpr std::size_t kSpareBytes = 512;
constexpr std::string_view kResponder = "responder";
// The responder's clock may be so far ahead of ours.
constexpr std::chrono::minutes kClockSkew{5};

class StatusSource {
public:
    virtual ~StatusSource() = default;
    // The newest answer that there is, in whatever state.
    virtual Result<Buffer> read() = 0;
    // Whether an answer that was good stays in use without reading another.
    virtual bool keeps(const provenance::OcspReading& reading, Time now) const = 0;
};

class StatusFile final : public StatusSource {
public:
    explicit StatusFile(std::string path) : path_(std::move(path)) {}
    Result<Buffer> read() override {
        return to_buffer(TRY(read_small_file(path_, kResponseBytesMax)));
    }
    bool keeps(const provenance::OcspReading& /*reading*/, Time /*now*/) const override {
        return false;
    }

private:
    std::string path_;
};

// RFC 6960, appendix A.1.
class StatusResponder final : public StatusSource {
public:
    StatusResponder(HttpExchange exchange, std::string url, Buffer request)
        : exchange_(std::move(exchange)), url_(std::move(url)), request_(std::move(request)) {}

    Result<Buffer> read() override {
        HttpRequest post;
        post.method = "POST";
        post.url = url_;
        post.headers = {{"Content-Type", "application/ocsp-request"},
                        {"Accept", "application/ocsp-response"}};
        post.body = request_;
        post.response_bytes_max = kResponseBytesMax;
        HttpResponse response = TRY(exchange_(post));
        if (response.status != 200) {
            return Error{
                ErrorCode::kUnavailable,
                fmt::format("the OCSP responder answered with status {}", response.status)};
        }
        return std::move(response.body);
    }
    bool keeps(const provenance::OcspReading& reading, Time now) const override {
        return now < reading.this_update + (reading.ends_at() - reading.this_update) / 2;
    }

private:
    HttpExchange exchange_;
    std::string url_;
    Buffer request_;
};

// What is good enough to stand beside a signature that is made now.
Result<void> check(const provenance::OcspReading& reading, Time now) {
    switch (reading.state) {
        case provenance::OcspState::kUnusable:
            return Error{ErrorCode::kInvalidArgument, reading.problem};
        case provenance::OcspState::kRevoked:
            return Error{ErrorCode::kDenied,
                         "the certificate that signs Content Credentials was revoked"};
        case provenance::OcspState::kUnknown:
            return Error{ErrorCode::kDenied,
                         "the OCSP responder does not know the certificate that signs Content "
                         "Credentials"};
        case provenance::OcspState::kGood:
            break;
    }
    if (reading.this_update > now + kClockSkew || reading.ends_at() < now) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the OCSP response holds from {} to {}, not now",
                                 format_time(reading.this_update), format_time(reading.ends_at()))};
    }
    return {};
}

class CertificateStatus {
public:
    CertificateStatus(std::unique_ptr<StatusSource> source, provenance::Certificate subject,
                      provenance::Certificate issuer, std::string name)
        : source_(std::move(source)),
          subject_(std::move(subject)),
          issuer_(std::move(issuer)),
          name_(std::move(name)) {}

    Result<Buffer> get() {
        const std::lock_guard lock(mutex_);
        const Time now = SystemClock().now();
        if (good_ && source_->keeps(reading_, now)) {
            return *good_;
        }
        auto fresh = read(now);
        if (!fresh.ok() && fresh.error().code == ErrorCode::kUnavailable && good_ &&
            check(reading_, now).ok()) {
            return *good_;  // the responder is away, and what it said still holds
        }
        if (!fresh.ok()) {
            good_.reset();
            return with_context(fresh.error(), name_);
        }
        return fresh;
    }

private:
    Result<Buffer> read(Time now) {
        Buffer response = TRY(source_->read());
        provenance::OcspReading reading =
            provenance::read_ocsp_response(response, subject_, issuer_);
        TRY(check(reading, now));
        reading_ = std::move(reading);
        good_ = response;
        return response;
    }

    std::mutex mutex_;
    std::unique_ptr<StatusSource> source_;
    provenance::Certificate subject_;
    provenance::Certificate issuer_;
    std::string name_;  // of the source, for messages
    std::optional<Buffer> good_;
    provenance::OcspReading reading_;
};

Result<std::unique_ptr<StatusSource>> open_source(const std::string& source,
                                                  const provenance::Certificate& subject,
                                                  const provenance::Certificate& issuer) {
    if (source != kResponder) {
        return std::unique_ptr<StatusSource>(std::make_unique<StatusFile>(source));
    }
    std::string url = subject.ocsp_responder();
    if (url.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "the certificate that signs Content Credentials names no OCSP responder"};
    }
    return std::unique_ptr<StatusSource>(
        std::make_unique<StatusResponder>(TRY(http::make_client_exchange()), std::move(url),
                                          TRY(provenance::make_ocsp_request(subject, issuer))));
}

}  // namespace

Result<provenance::Stapling> open_certificate_status(
    const std::string& source, const provenance::SigningCredential& credential) {
    if (source.empty() || source == "none") {
        return provenance::Stapling();
    }
    const provenance::Certificate& subject = credential.chain().front();
    if (!credential.issuer()) {
        return Error{ErrorCode::kInvalidArgument,
                     "--ocsp needs the certificate of the authority that issued the first one: put "
                     "it behind that in the file of --sign-cert"};
    }
    const provenance::Certificate& issuer = *credential.issuer();
    const std::string name = source == kResponder ? subject.ocsp_responder() : source;
    const auto status = std::make_shared<CertificateStatus>(
        TRY(open_source(source, subject, issuer)), subject, issuer, name);
    const Buffer first = TRY(status->get());
    return provenance::Stapling{.response = [status] { return status->get(); },
                                .response_bytes_max = first.size() + kSpareBytes};
}

}  // namespace colophon::cli
