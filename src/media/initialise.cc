// SPDX-License-Identifier: Apache-2.0
#include "media/initialise.h"

#include "core/result.h"

namespace colophon::media {

Result<void> initialise() {
    return {};
}

}  // namespace colophon::media
