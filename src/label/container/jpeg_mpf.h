// SPDX-License-Identifier: Apache-2.0
#pragma once

// The index of further pictures behind a JPEG (CIPA DC-007, Multi-Picture Format): an APP2 segment
// in the first picture that says where in the file the others lie and how large each is.
//
//   "MPF\0" | TIFF header <- offsets count from here | directory: B001 number, B002 entries
//   entry = attributes (4) | size (4) | offset (4; 0 for the first picture) | two dependants (2 +
//   2)

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/jpeg_segments.h"

namespace colophon::label {

// A splice of `file` that changes bytes only before the end of its first picture, with the sizes
// and offsets of the index corrected for what was put in and taken out. An index that cannot be
// read, and numbers in it that make no sense, stay as they are.
Splice correct_mpf(Bytes file, const JpegFile& jpeg, Splice splice);

}  // namespace colophon::label
