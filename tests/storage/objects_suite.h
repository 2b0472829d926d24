// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every store of objects must do, tried on each of them.

#include "storage/objects.h"

namespace colophon::storage {

void check_objects(ObjectStore& objects);
// Many threads write, read and refuse the same few names.
void check_objects_together(ObjectStore& objects);

}  // namespace colophon::storage
