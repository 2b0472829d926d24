// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"

#include <cstdio>
#include <cstdlib>

namespace colophon {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    // Nothing sensible is left to do with a failed write just before abort().
    (void)std::fprintf(stderr, "colophon: assertion failed: %s (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace colophon
