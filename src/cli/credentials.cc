// SPDX-License-Identifier: Apache-2.0
#include "cli/credentials.h"

#include "cli/certificate_status.h"
#include "cli/config.h"
#include "cli/files.h"
#include "cli/signing_keys.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "http/client.h"
#include "label/provenance/authority.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signer.h"
#include "label/provenance/time_stamp.h"
#include "label/provenance/validate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

namespace provenance = label::provenance;

constexpr std::size_t kPemBytesMax = 1U << 20U;
constexpr std::size_t kAnchorsMax = 1024;
constexpr std::uint64_t kTokenBytesMax = 64U << 10U;
constexpr std::chrono::days kRootLifetime{3650};
constexpr std::chrono::days kRenewBefore{30};
constexpr std::chrono::hours kClockSkew{1};

bool exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

Result<provenance::SigningCredential> open_credential(const LabelConfig& values) {
    const std::string chain = TRY(read_small_file(values.sign_cert, kPemBytesMax));
    auto key = TRY(open_remote_key(values.sign_key, values.sign_token));
    auto credential = provenance::SigningCredential::from_key(std::move(key), chain);
    if (!credential.ok()) {
        return with_context(credential.error(),
                            fmt::format("--sign-key with {}", values.sign_cert));
    }
    return credential;
}

Result<provenance::SigningCredential> read_credential(const std::string& key_path,
                                                      const std::string& chain_path) {
    const std::string key = TRY(read_small_file(key_path, kPemBytesMax));
    const std::string chain = TRY(read_small_file(chain_path, kPemBytesMax));
    auto credential = provenance::SigningCredential::from_pem(key, chain);
    if (!credential.ok()) {
        return with_context(credential.error(), fmt::format("{}, {}", key_path, chain_path));
    }
    return credential;
}

provenance::CertificateRequest local_request(Time now) {
    return {.organization = "Colophon local authority",
            .common_name = "Colophon local signer",
            .algorithm = provenance::SignatureAlgorithm::kEs256,
            .not_before = now - kClockSkew,
            .lifetime = std::chrono::days{365},
            .ocsp_responder = {}};
}

Result<void> write_certificate(const AuthorityFiles& files, const provenance::IssuedKey& root,
                               const provenance::CertificateRequest& request) {
    const provenance::IssuedKey signer =
        TRY(provenance::issue(root, request, provenance::Purpose::kClaim));
    TRY(write_secret_file(files.key, signer.key_pem));
    return write_secret_file(files.certificate, signer.certificate_pem);
}

Result<AuthorityFiles> local_authority(Clock& clock) {
    const std::string folder = TRY(user_config_folder()) + "/provenance";
    const AuthorityFiles files = authority_files(folder);
    if (!exists(files.root_certificate)) {
        auto made = make_authority(folder, local_request(clock.now()));
        if (!made.ok() && made.error().code == ErrorCode::kConflict) {
            return files;  // another process was quicker
        }
        TRY(std::move(made));
        write_text(2, fmt::format("{} {}\n",
                                  tr("An authority that signs your Content Credentials was made; "
                                     "give its certificate to whoever shall trust them:",
                                     "已生成用于签署内容凭证的本地证书机构；请将其证书交给需要信任"
                                     "的一方："),
                                  files.root_certificate));
    }
    return files;
}

// The local certificate, made anew when it is about to end.
Result<provenance::SigningCredential> local_credential(Clock& clock) {
    const AuthorityFiles files = TRY(local_authority(clock));
    auto credential = read_credential(files.key, files.certificate);
    if (credential.ok() && credential->chain().front().not_after() > clock.now() + kRenewBefore) {
        return credential;
    }
    const provenance::IssuedKey root{
        .key_pem = TRY(read_small_file(files.root_key, kPemBytesMax)),
        .certificate_pem = TRY(read_small_file(files.root_certificate, kPemBytesMax))};
    for (const std::string* path : {&files.key, &files.certificate}) {
        static_cast<void>(std::remove(path->c_str()));
    }
    TRY(write_certificate(files, root, local_request(clock.now())));
    return read_credential(files.key, files.certificate);
}

// RFC 3161 over HTTP (section 3.4).
Result<Buffer> ask_authority(const HttpExchange& exchange, const std::string& url, Bytes message) {
    SystemRandom random;
    const std::uint64_t nonce = TRY(random.next()) | 1U;
    const Buffer request = TRY(provenance::make_time_stamp_request(message, nonce));
    HttpRequest post;
    post.method = "POST";
    post.url = url;
    post.headers = {{"Content-Type", "application/timestamp-query"},
                    {"Accept", "application/timestamp-reply"}};
    post.body = request;
    post.response_bytes_max = kTokenBytesMax;
    const HttpResponse response = TRY(exchange(post));
    if (response.status != 200) {
        return Error{
            ErrorCode::kUnavailable,
            fmt::format("the time-stamp authority answered with status {}", response.status)};
    }
    return provenance::read_time_stamp_response(response.body, message, nonce);
}

Result<provenance::TimeStamper> open_time_stamper(const std::string& url) {
    if (url.empty() || url == "none") {
        return provenance::TimeStamper();
    }
    HttpExchange exchange = TRY(http::make_client_exchange());
    return provenance::TimeStamper([exchange = std::move(exchange), url](Bytes message) {
        auto token = ask_authority(exchange, url, message);
        if (!token.ok()) {
            return Result<Buffer>(with_context(token.error(), "time stamp"));
        }
        return token;
    });
}

Result<std::vector<provenance::Certificate>> read_anchors(const std::vector<std::string>& paths) {
    std::vector<provenance::Certificate> anchors;
    for (const std::string& path : paths) {
        const std::string pem = TRY(read_small_file(path, kPemBytesMax));
        auto list = provenance::certificates_from_pem(pem, kAnchorsMax);
        if (!list.ok()) {
            return with_context(list.error(), path);
        }
        anchors.insert(anchors.end(), list->begin(), list->end());
    }
    if (anchors.size() > kAnchorsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the trust lists hold more than {} certificates", kAnchorsMax)};
    }
    return anchors;
}

}  // namespace

AuthorityFiles authority_files(const std::string& folder) {
    return {.root_certificate = folder + "/root.pem",
            .root_key = folder + "/root-key.pem",
            .certificate = folder + "/signer.pem",
            .key = folder + "/signer-key.pem"};
}

Result<AuthorityFiles> make_authority(const std::string& folder,
                                      const provenance::CertificateRequest& request) {
    TRY(make_folders(folder));
    const AuthorityFiles files = authority_files(folder);
    provenance::CertificateRequest root_request = request;
    root_request.common_name = request.organization + " root";
    root_request.lifetime = kRootLifetime;
    const provenance::IssuedKey root = TRY(provenance::make_root(root_request));
    // The key comes first: two processes that do this at once meet at its file.
    TRY(write_secret_file(files.root_key, root.key_pem));
    TRY(write_certificate(files, root, request));
    TRY(write_secret_file(files.root_certificate, root.certificate_pem));
    return files;
}

namespace {

Result<provenance::SigningCredential> signing_credential(const LabelConfig& values, Clock& clock) {
    if (values.sign_key.empty()) {
        return local_credential(clock);
    }
    return is_remote_key(values.sign_key) ? open_credential(values)
                                          : read_credential(values.sign_key, values.sign_cert);
}

}  // namespace

Result<std::shared_ptr<provenance::ClaimSigner>> open_claim_signer(const LabelConfig& values,
                                                                   Clock& clock) {
    if (values.sign_key.empty() != values.sign_cert.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "--sign-key and --sign-cert go together: the key, and the certificate that "
                     "says whose it is"};
    }
    provenance::SigningCredential credential = TRY(signing_credential(values, clock));
    const provenance::Certificate& leaf = credential.chain().front();
    if (!leaf.valid_at(clock.now())) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the certificate that signs Content Credentials is valid from {} "
                                 "to {}, not now",
                                 format_time(leaf.not_before()), format_time(leaf.not_after()))};
    }
    provenance::TimeStamper time_stamper = TRY(open_time_stamper(values.time_stamp));
    provenance::Stapling stapling = TRY(open_certificate_status(values.ocsp, credential));
    if (stapling.response && !time_stamper) {
        return Error{ErrorCode::kInvalidArgument,
                     "--ocsp goes with --time-stamp: that a certificate was not revoked when it "
                     "signed is shown only beside the time of signing"};
    }
    return std::shared_ptr<provenance::ClaimSigner>(std::make_shared<provenance::CredentialSigner>(
        std::move(credential), std::move(time_stamper), std::move(stapling)));
}

Result<provenance::Trust> open_credential_trust(const std::vector<std::string>& trust_list,
                                                const std::vector<std::string>& tsa_list,
                                                Clock& clock) {
    provenance::Trust trust{.signers = TRY(read_anchors(trust_list)),
                            .time_stamps = TRY(read_anchors(tsa_list)),
                            .now = clock.now()};
    const auto folder = user_config_folder();
    if (folder.ok()) {
        const AuthorityFiles files = authority_files(*folder + "/provenance");
        if (access(files.root_certificate.c_str(), R_OK) == 0) {
            const auto local = TRY(read_anchors({files.root_certificate}));
            trust.signers.insert(trust.signers.end(), local.begin(), local.end());
        }
    }
    return trust;
}

}  // namespace colophon::cli
