// SPDX-License-Identifier: Apache-2.0
#include "cli/sign_in_settings.h"

#include "cli/serve_config.h"
#include "core/result.h"
#include "identity/oidc.h"
#include "storage/secret_source.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::string_view kReturnPath = "/api/session/provider/return";

}  // namespace

Result<std::optional<identity::OidcSettings>> sign_in_settings(const SignInConfig& config) {
    if (config.issuer.empty() && config.client_id.empty() && config.client_secret.empty() &&
        config.redirect_url.empty()) {
        return std::optional<identity::OidcSettings>();
    }
    identity::OidcSettings settings{.issuer = config.issuer,
                                    .client_id = config.client_id,
                                    .client_secret = {},
                                    .redirect_url = config.redirect_url,
                                    .required_method = config.required_method};
    if (!storage::is_secret_source(config.client_secret)) {
        return Error{ErrorCode::kInvalidArgument,
                     "sign_in.client_secret says where the secret stands: file:PATH or env:NAME"};
    }
    const storage::SecretText secret =
        TRY(storage::read_secret(config.client_secret, storage::SecretFile::kAny));
    settings.client_secret = std::string(secret.text());
    auto checked = identity::Oidc::check(settings);
    if (!checked.ok()) {
        return Error{checked.error().code, "sign_in." + checked.error().what};
    }
    if (!config.redirect_url.ends_with(kReturnPath)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("sign_in.redirect_url must end in {}", kReturnPath)};
    }
    return std::optional(std::move(settings));
}

}  // namespace colophon::cli
