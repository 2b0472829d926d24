// SPDX-License-Identifier: Apache-2.0
// The stubs of late.h. This file is compiled apart from the module, because late_symbols.inc is
// made from the module's objects: LATE_LIBRARY(codec, file, first, count), each followed by its
// LATE_SYMBOL(name, index).
#include "core/assert.h"
#include "media/codecs.h"
#include "media/internal/late.h"

#include <iterator>

extern "C" {
__attribute__((visibility("hidden"))) void colophon_late_missing() {
    constexpr bool kLoadedBeforeItsFirstCall = false;
    COLOPHON_ASSERT(kLoadedBeforeItsFirstCall);
}

#define LATE_LIBRARY(codec, file, first, count)
#define LATE_SYMBOL(name, index) reinterpret_cast<void*>(colophon_late_missing),
// Never changed but by load_late(), before the first call.
__attribute__((visibility("hidden"))) void* colophon_late_slots[] = {
#include "media/late_symbols.inc"
};
#undef LATE_LIBRARY
#undef LATE_SYMBOL
}

// Hidden: a library that itself uses libjpeg is not to find our jpeg_read_header.
#if defined(__x86_64__)
#define LATE_JUMP(index) "endbr64\n jmp *colophon_late_slots+8*" #index "(%rip)\n"
#elif defined(__aarch64__)
#define LATE_JUMP(index)                              \
    "bti c\n adrp x16, colophon_late_slots+8*" #index \
    "\n ldr x16, [x16, :lo12:colophon_late_slots+8*" #index "]\n br x16\n"
#else
#error "stubs are written for x86-64 and ARM64"
#endif
#define LATE_LIBRARY(codec, file, first, count)
#define LATE_SYMBOL(name, index)                                                   \
    asm(".text\n .p2align 4\n .globl " #name "\n .hidden " #name "\n .type " #name \
        ", %function\n" #name ":\n" LATE_JUMP(index) " .size " #name ", .-" #name "\n");
#include "media/late_symbols.inc"
#undef LATE_LIBRARY
#undef LATE_SYMBOL

namespace colophon::media::internal {
namespace {

#define LATE_SYMBOL(name, index)
#define LATE_LIBRARY(codec, file, first, count) {Codec::codec, file, first, count},
constexpr LateLibrary kLibraries[] = {
#include "media/late_symbols.inc"
};
#undef LATE_LIBRARY
#undef LATE_SYMBOL

#define LATE_LIBRARY(codec, file, first, count)
#define LATE_SYMBOL(name, index) #name,
constexpr const char* kNames[] = {
#include "media/late_symbols.inc"
};
#undef LATE_LIBRARY
#undef LATE_SYMBOL

}  // namespace

LateTable late_table() {
    static_assert(std::size(kNames) == std::size(colophon_late_slots));
    return {.libraries = kLibraries,
            .library_count = static_cast<int>(std::size(kLibraries)),
            .names = kNames,
            .slots = colophon_late_slots};
}

}  // namespace colophon::media::internal
