// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a movie file to one whose pictures were coded again: what describes the movie and not its
// samples (user data with all tags, tag lists, UUID boxes such as XMP) is carried over byte for
// byte, and the movie box goes to the front, where a player that still loads the file wants it.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export
#include "core/splice.h"

namespace colophon::label::bmff {

// `fresh`: ftyp, media data, moov, as a writer leaves it that knows the tables only at the end. The
// splice is of `fresh`. kCorrupt when one of the files has no moov; kLimit above
// limits::kMetadataBlockBytesMax of metadata, and when a table of 32 bits cannot hold a new place.
Result<Splice> carry_movie_metadata(Bytes original, Bytes fresh);

}  // namespace colophon::label::bmff
