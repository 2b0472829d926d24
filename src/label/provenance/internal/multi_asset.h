// SPDX-License-Identifier: Apache-2.0
#pragma once

// c2pa.hash.multi-asset (C2PA 2.4, 18.9 and 15.12.4): a file that is made of several files, one
// behind the other, with a hash for each, so that one of them may be taken away. Looked at only
// when the hash over the whole file does not fit.

#include "label/provenance/internal/validation.h"

#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {

inline constexpr std::string_view kMultiAsset = "c2pa.hash.multi-asset";

// Whether the claim has such an assertion.
bool has_multi_asset(const std::vector<Assertion>& assertions);

// Whether the parts of the file fit: assertion.multiAssetHash.match, or why not. All parts that are
// there lie one behind the other and cover the file (18.9.2); a part that is named by its box
// covers the header of that box too, which its name and place leave nothing to choose in.
void check_multi_asset(const Claim& claim, const std::vector<Assertion>& assertions,
                       const Content& content, Report& report);

}  // namespace colophon::label::provenance::internal
