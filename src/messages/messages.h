// SPDX-License-Identifier: Apache-2.0
#pragma once

// The messages of errors and findings in Chinese. The modules write them in English, which stays as
// it is in JSON and logs; whoever shows one to a person asks here. The table is zh.tsv, compared
// with the sources by tools/tidy.

#include "core/catalogue.h"

#include <string>
#include <string_view>

namespace colophon::messages {

// The table, read once. Safe for several threads.
const Catalogue& chinese();

// What the table knows of the message in Chinese, the rest as it is.
std::string in_chinese(std::string_view message);

}  // namespace colophon::messages
