// SPDX-License-Identifier: Apache-2.0
#pragma once

// The list of edits of label/container, under the name by which the writers of metadata know it.

#include "label/container/file_edits.h"  // IWYU pragma: export

namespace colophon::label::internal {

using label::FileEdit;
using label::splice_edits;

}  // namespace colophon::label::internal
