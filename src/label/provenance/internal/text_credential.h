// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signs plain text, where a store of the same number of bytes may take more or less room each time.

#include "core/bytes.h"
#include "label/provenance/credential.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/signer.h"

namespace colophon::label::provenance::internal {

// The text with a manifest of these statements, which are all but the hard binding. kUnsupported:
// no UTF-8.
Result<Credential> add_text_credential(Bytes file, const CredentialInput& input,
                                       const ManifestWriter& statements, ClaimSigner& signer);

}  // namespace colophon::label::provenance::internal
