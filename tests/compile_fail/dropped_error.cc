// SPDX-License-Identifier: Apache-2.0
// An Error that is made and not returned.
// refused: nodiscard
#include "core/bytes.h"

namespace colophon {

void use() {
#ifdef MISTAKE
    corrupt_at("tag", 7);
#else
    (void)corrupt_at("tag", 7);
#endif
}

}  // namespace colophon
