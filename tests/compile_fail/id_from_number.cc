// SPDX-License-Identifier: Apache-2.0
// A bare number is no id.
// refused: could not convert
#include "core/ids.h"

namespace colophon {

void find(ContentId content);

void use() {
#ifdef MISTAKE
    find(42U);
#else
    find(ContentId{42U});
#endif
}

}  // namespace colophon
