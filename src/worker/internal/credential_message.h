// SPDX-License-Identifier: Apache-2.0
#pragma once

// What was read of a credential, over the channel, without its store.

#include "core/json.h"
#include "core/result.h"
#include "label/provenance/validate.h"

namespace colophon::worker::internal {

json::Value encode_credential(const label::provenance::CredentialReading& reading);
Result<label::provenance::CredentialReading> decode_credential(const json::Value& value);

}  // namespace colophon::worker::internal
