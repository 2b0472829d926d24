// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tables of identities. Nothing that names a person stands in them in clear: values are sealed
// under the key of their subject, and found again by blind indexes.

#include "storage/migration.h"

#include <span>

namespace colophon::identity {

std::span<const storage::Migration> identity_migrations();

}  // namespace colophon::identity
