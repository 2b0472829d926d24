// SPDX-License-Identifier: Apache-2.0
#pragma once

// Everything that the media libraries would otherwise load when they are first used: codecs,
// tables, configuration. After it they open no file, so that a process may be locked.

#include "core/result.h"

namespace colophon::media {

// Once per process, before decoding. kUnavailable when a library does not come up.
Result<void> initialise();

}  // namespace colophon::media
