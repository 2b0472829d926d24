// SPDX-License-Identifier: Apache-2.0
#pragma once

// How values that name a person are made unreadable: under the key of their owner, bound to where
// they stand. The keys and the cipher belong to storage; identity takes them as two functions.

#include "core/bytes.h"

#include <functional>
#include <string_view>

namespace colophon::identity {

// `owner` is the random handle whose key it is, `purpose` the table and column.
struct SealPlace {
    std::string_view owner;
    std::string_view purpose;
};

struct Sealer {
    std::function<Result<Buffer>(const SealPlace& place, Bytes content)> seal;
    // kCorrupt for bytes that were not sealed for this place; kNotFound when the owner's key was
    // destroyed.
    std::function<Result<Buffer>(const SealPlace& place, Bytes sealed)> open;
};

}  // namespace colophon::identity
