// SPDX-License-Identifier: Apache-2.0
#pragma once

// A credential as crJSON (C2PA 2.4, "Content Credentials as JSON"): what the manifests say and what
// validation found, in one text for people and rubrics. It is derived and signed by nobody.

#include "label/provenance/validate.h"

#include <string>

namespace colophon::label::provenance {

// `reading` as read_credential() made it, with its store. Byte strings are written "b64'...'". The
// active manifest comes first. Empty when the store cannot be read.
std::string write_crjson(const CredentialReading& reading);

}  // namespace colophon::label::provenance
