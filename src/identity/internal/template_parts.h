// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts of a provider's file that stand in more than one of its tables.

#include "core/hmac.h"
#include "identity/answer_mapping.h"
#include "identity/internal/template_section.h"
#include "identity/provider_template.h"
#include "identity/request_signature.h"

#include <optional>
#include <string_view>

namespace colophon::identity::internal {

// "hmac-sha256", ...; nothing for another word.
std::optional<HmacHash> hmac_of(std::string_view kind);
Result<MacEncoding> read_encoding(Section& section);
// Secrets stand outside of the file.
Result<void> check_secret_reference(std::string_view key, std::string_view reference);
// outcome, error, reference, required, outcomes, errors.
Result<void> read_mapping(Section& section, AnswerMapping& mapping);
Result<CallbackTemplate> read_callback_template(Section& section, const SecretSource& secrets);

}  // namespace colophon::identity::internal
