// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tables of the keys (storage/data_keys.h) and the blobs (storage/blobs.h).

#include "storage/migration.h"

#include <span>

namespace colophon::storage {

std::span<const Migration> object_migrations();

}  // namespace colophon::storage
