// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content Credentials that lie elsewhere (C2PA 2.4, 11.5 and 15.5): a file may name where. Nothing
// is fetched here.

#include "core/bytes.h"
#include "label/format.h"

#include <string>

namespace colophon::label::provenance {

// What the file names, as it stands there: dcterms:provenance of its XMP, <link
// rel="c2pa-manifest"> of a page, the address between the delimiters of structured text (A.7, A.9).
// Empty when it names nothing, or cannot be read. Not longer than kCredentialLinkBytesMax + 1.
std::string find_credential_link(Bytes file, Format format);

}  // namespace colophon::label::provenance
