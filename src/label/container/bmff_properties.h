// SPDX-License-Identifier: Apache-2.0
#pragma once

// The properties of items in a HEIF or AVIF file (ISO/IEC 23008-12 clause 9.3): what is in 'ipco',
// and which of them 'ipma' gives to an item. What a property says is not looked at.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"

#include <cstdint>
#include <vector>

namespace colophon::label::bmff {

// The properties of item `id`, in the order in which they apply; empty when it has none.
// kCorrupt for associations that are cut short; those with properties that are not there are left
// out. kLimit above limits::kHeifItemsMax properties or associations.
Result<std::vector<Box>> item_properties(Bytes file, const ItemMeta& meta, std::uint32_t id);

// Adds properties, each a whole box, to an item that has some already. kUnsupported when the
// tables of the file have no room for the numbers or the item has none.
Result<Splice> add_properties(Bytes file, const ItemMeta& meta, std::uint32_t id,
                              const std::vector<Buffer>& boxes);

}  // namespace colophon::label::bmff
