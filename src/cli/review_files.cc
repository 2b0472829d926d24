// SPDX-License-Identifier: Apache-2.0
#include "cli/review_files.h"

#include "cli/files.h"
#include "core/result.h"
#include "review/entry_list.h"

#include <cstddef>
#include <string>

namespace colophon::cli {
namespace {

constexpr std::size_t kEntryFileBytesMax = 64U << 20U;

}  // namespace

Result<review::EntryList> read_entry_list(const std::string& path) {
    const std::string text = TRY(read_small_file(path, kEntryFileBytesMax));
    auto list = review::parse_entry_list(text);
    if (!list.ok()) {
        return with_context(list.error(), path);
    }
    return list;
}

}  // namespace colophon::cli
