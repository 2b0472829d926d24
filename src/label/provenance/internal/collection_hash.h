// SPDX-License-Identifier: Apache-2.0
#pragma once

// c2pa.hash.collection.data of ZIP archives (C2PA 2.4, 18.7 and A.6.2): a hash of each file with
// its local header and descriptor, and one of the central directory, in which only the checksum of
// the manifest's own file is left out.

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"

#include <string_view>

namespace colophon::label::provenance::internal {

inline constexpr std::string_view kZipManifest = "META-INF/content_credential.c2pa";

// The assertion over an archive that holds a manifest. `measured`: with zeros for hashes, for a
// value of the same length at no cost. kUnsupported: a name that is no UTF-8.
Result<cbor::Value> collection_hash(const FileView& archive, bool measured);

void check_collection_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                           Report& report);

}  // namespace colophon::label::provenance::internal
