// SPDX-License-Identifier: Apache-2.0
#pragma once

// [sign_in] of the configuration: the OpenID Connect provider of the staff.

#include "cli/serve_config.h"
#include "core/result.h"
#include "identity/oidc.h"

#include <optional>

namespace colophon::cli {

// Nothing when the section is not there. kInvalidArgument says which key is wrong, and what should
// stand there. Reads the secret.
Result<std::optional<identity::OidcSettings>> sign_in_settings(const SignInConfig& config);

}  // namespace colophon::cli
