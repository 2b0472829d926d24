// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tables of the queue (storage/queue.h) and the leases (storage/lease.h).

#include "storage/migration.h"

#include <span>

namespace colophon::storage {

std::span<const Migration> storage_migrations();

}  // namespace colophon::storage
