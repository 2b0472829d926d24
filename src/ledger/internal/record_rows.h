// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rows that belong to a record, for those who remove records.

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/store.h"

#include <span>
#include <string>

namespace colophon::ledger::internal {

// Whose data key seals the private half: the subject's, or the tenant's where no end user is known.
std::string owner_of(const Facts& facts);

// kLimit for more prints, bands or bytes than a record may have.
Result<void> check_prints(std::span<const Print> prints);
// The prints of the record with this id, and their bands.
Result<void> remove_prints(storage::Transaction& transaction, Bytes record);

}  // namespace colophon::ledger::internal
