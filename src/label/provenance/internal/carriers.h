// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions behind the rows of label/provenance/carrier.cc. What they promise stands in
// label/provenance/carrier.h.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/provenance/carrier.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::provenance::internal {

Result<std::optional<FoundStore>> find_in_jpeg(Bytes file);
Result<Placement> place_in_jpeg(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_png(Bytes file);
Result<Placement> place_in_png(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_riff(Bytes file);
Result<Placement> place_in_riff(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_gif(Bytes file);
Result<Placement> place_in_gif(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_id3(Bytes file);
Result<Placement> place_in_id3(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_svg(Bytes file);
Result<Placement> place_in_svg(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_tiff(Bytes file);
Result<Placement> place_in_tiff(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_pdf(Bytes file);
Result<Placement> place_in_pdf(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_html(Bytes file);
Result<Placement> place_in_html(Bytes file, Bytes store);
// Where the head says that the store lies; empty when it does not.
std::string link_in_html(Bytes file);

Result<std::optional<FoundStore>> find_in_markdown(Bytes file);
Result<Placement> place_in_markdown(Bytes file, Bytes store);
// The address between the delimiters, http or https; empty without.
std::string link_in_markdown(Bytes file);

Result<std::optional<FoundStore>> find_in_text(Bytes file);
Result<Placement> place_in_text(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_ogg(Bytes file);
Result<Placement> place_in_ogg(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_zip(Bytes file);
Result<Placement> place_in_zip(Bytes file, Bytes store);

Result<std::optional<FoundStore>> find_in_bmff(Bytes file);
Result<Placement> place_in_bmff(Bytes file, Bytes store);
// The same, with a box before each 'moof' (A.5.4): as many as the file has fragments (asserted), or
// none.
Result<Placement> place_with_proofs(Bytes file, Bytes store, const std::vector<Buffer>& proofs);
// Where each 'moof' begins.
Result<std::vector<std::uint64_t>> fragments_of_bmff(Bytes file);
// A fragment in a file of its own with that box right before its 'moof', instead of any C2PA box.
// kUnsupported for a file that is not one fragment.
Result<Splice> place_proof(Bytes file, Bytes proof);
// The file with those manifests of `store` that its box does not hold in a box at its end
// (C2PA 2.4, A.5.3): no byte that is hashed moves. Nothing when there is no box, or nothing can be
// put behind the last one. kCorrupt when its box holds others.
Result<std::optional<Placement>> append_to_bmff(Bytes file, Bytes store);

}  // namespace colophon::label::provenance::internal
