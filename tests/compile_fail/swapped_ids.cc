// SPDX-License-Identifier: Apache-2.0
// An IssuerId where a ContentId belongs.
// refused: could not convert
#include "core/ids.h"

namespace colophon {

void record(ContentId content, IssuerId by);

void use(ContentId content, IssuerId by) {
#ifdef MISTAKE
    record(by, content);
#else
    record(content, by);
#endif
}

}  // namespace colophon
