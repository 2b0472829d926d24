// SPDX-License-Identifier: Apache-2.0
#pragma once

// Live video (C2PA 2.4, chapter 19) once it lies in files: an initialization segment and segments,
// each of which is bound by itself, by a manifest in it or by information that a session key signs
// ("emsg"). That segments follow each other is told by their numbers and, with manifests, by the
// name of the one before.

#include "core/result.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/session_key.h"
#include "label/provenance/validate.h"

#include <optional>
#include <vector>

namespace colophon::label::provenance::internal {

// Whether one of the segments is bound by itself. They are there (asserted).
bool is_live_video(const std::vector<FileView>& segments);

// `segments` in the order in which they are played. A time at which a session key may be used is
// compared with `iat` of what it signs, where that is there: when a segment was shown is written in
// none.
Result<CredentialReading> read_live_video(const FileView& init,
                                          const std::vector<FileView>& segments, Format format,
                                          const Trust& trust);

// A file with a manifest of its own, and what that says of the stream it is a segment of.
struct LivePart {
    CredentialReading reading;
    std::optional<cbor::Value> segment;  // c2pa.livevideo.segment
    std::vector<SessionKey> keys;
};
// In validate.cc.
Result<LivePart> read_live_part(const FileView& file, Format format, const Trust& trust);

}  // namespace colophon::label::provenance::internal
