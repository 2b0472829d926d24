// SPDX-License-Identifier: Apache-2.0
#pragma once

// Credentials of movies in fragments, in one file or in many.

#include "core/bytes.h"
#include "label/provenance/credential.h"
#include "label/provenance/internal/draft.h"
#include "label/provenance/signer.h"

namespace colophon::label::provenance::internal {

// The file holds one 'moof' at least (asserted).
Result<Credential> add_to_fragmented(Bytes file, const Draft& draft, ClaimSigner& signer);
// See add_fragmented_credential().
Result<FragmentedCredential> add_to_fragments(const FragmentedMovie& movie, const Draft& draft,
                                              ClaimSigner& signer);

}  // namespace colophon::label::provenance::internal
