// SPDX-License-Identifier: Apache-2.0
#include "media/internal/late.h"

#include "core/result.h"
#include "media/codecs.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <mutex>

namespace colophon::media::internal {
namespace {

constexpr std::size_t kCodecs = 8;

Error refused(const LateLibrary& library) {
    const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): it is per thread in glibc
    return Error{ErrorCode::kUnavailable, fmt::format("{} cannot be used: {}", library.file,
                                                      reason == nullptr ? "no reason" : reason)};
}

Result<void> fill(const LateTable& table, const LateLibrary& library) {
    // Calls between the library's own parts are bound when they are first made, which takes a
    // third of the time away; binding opens no file.
    void* handle = dlopen(library.file, RTLD_LAZY | RTLD_LOCAL);
    if (handle == nullptr) {
        return refused(library);
    }
    for (int i = library.first; i < library.first + library.count; ++i) {
        void* address = dlsym(handle, table.names[i]);
        if (address == nullptr) {
            return refused(library);
        }
        table.slots[i] = address;
    }
    return {};
}

Result<void> fill_all(Codec codec) {
    const LateTable table = late_table();
    for (int i = 0; i < table.library_count; ++i) {
        if (table.libraries[i].codec == codec) {
            TRY(fill(table, table.libraries[i]));
        }
    }
    return {};
}

}  // namespace

Result<void> load_late(Codec codec) {
    struct Once {
        std::once_flag flag;
        Result<void> result;
    };
    static std::array<Once, kCodecs> once;
    Once& mine = once[static_cast<std::size_t>(codec)];
    std::call_once(mine.flag, [&] { mine.result = fill_all(codec); });
    return mine.result;
}

}  // namespace colophon::media::internal
