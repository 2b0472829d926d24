// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared libraries that are loaded while the program runs.
//
// The sources of this module call avcodec_open2() and its like as if they were linked. What the
// linker finds under that name is a stub of ours, one jump through a slot:
//
//   avcodec_open2:  jmp *slot[17]          slot[17] = dlsym(libavcodec.so.59, "avcodec_open2")
//
// cmake/late_symbols.sh lists, after the module was compiled, which functions its objects call and
// which library has them. A slot that is not filled stops the program with a message: the sources
// call load_late() first.

#include "core/result.h"
#include "media/codecs.h"

namespace colophon::media::internal {

// Fills the slots of that codec's libraries, once. kUnavailable when one cannot be opened or lacks
// a function. kHeif has no libraries of its own.
Result<void> load_late(Codec codec);

// What load() does besides for one codec, after its libraries are there.
Result<void> start_vips();
Result<void> prepare_heif();  // after start_vips()
void start_sound();
void silence_tiff();

// One library and where its functions stand among the names and slots.
struct LateLibrary {
    Codec codec;
    const char* file;  // as the dynamic linker finds it: libpng16.so.16
    int first;
    int count;
};
struct LateTable {
    const LateLibrary* libraries;
    int library_count;
    const char* const* names;
    void** slots;
};
LateTable late_table();

}  // namespace colophon::media::internal
