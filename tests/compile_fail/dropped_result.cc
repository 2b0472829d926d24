// SPDX-License-Identifier: Apache-2.0
// A Result that nobody looks at.
// refused: nodiscard
#include "core/result.h"

namespace colophon {

Result<int> make();
Result<void> act();

void use() {
#ifdef MISTAKE
    make();
    act();
#else
    (void)make();
    (void)act();
#endif
}

}  // namespace colophon
