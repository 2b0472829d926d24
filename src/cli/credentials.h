// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys, certificates and trust of Content Credentials, as files that the user names or that are
// made on first use.

#include "cli/config.h"
#include "core/clock.h"
#include "core/result.h"
#include "label/provenance/authority.h"
#include "label/provenance/signer.h"
#include "label/provenance/validate.h"

#include <memory>
#include <string>
#include <vector>

namespace colophon::cli {

// Who signs, by sign_key, sign_cert, time_stamp and ocsp of the options. Without a key in them a
// local authority and a certificate below it are made on first use, and the user is told where;
// the certificate is made anew a month before it ends.
Result<std::shared_ptr<label::provenance::ClaimSigner>> open_claim_signer(const LabelConfig& values,
                                                                          Clock& clock);

// The anchors in PEM files, and the local authority when there is one.
Result<label::provenance::Trust> open_credential_trust(const std::vector<std::string>& trust_list,
                                                       const std::vector<std::string>& tsa_list,
                                                       Clock& clock);

// Files of a local authority in one folder.
struct AuthorityFiles {
    std::string root_certificate;  // to give to whoever shall trust it
    std::string root_key;
    std::string certificate;  // of the signer, with nothing above it: the root is its issuer
    std::string key;
};
AuthorityFiles authority_files(const std::string& folder);

// Makes the four files. kConflict when the authority is there already.
Result<AuthorityFiles> make_authority(const std::string& folder,
                                      const label::provenance::CertificateRequest& request);

}  // namespace colophon::cli
