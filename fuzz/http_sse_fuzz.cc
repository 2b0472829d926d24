// SPDX-License-Identifier: Apache-2.0
// Server-sent events: never a crash, and wherever the stream is cut the events are the same.
#include "core/assert.h"
#include "http/sse.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::string events_of(std::string_view stream, std::size_t cut) {
    colophon::http::SseReader reader;
    std::string all;
    for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
        reader.feed(piece);
        for (;;) {
            const auto event = reader.next();
            if (!event.ok() || !*event) {
                break;
            }
            all += (*event)->name + '\n' + (*event)->data + '\0';
        }
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view stream(reinterpret_cast<const char*>(data), size);
    // The byte order mark is looked for once there are three bytes.
    const std::size_t cut = size < 3 ? size : 3 + data[0] % (size - 2);
    COLOPHON_ASSERT(events_of(stream, size) == events_of(stream, cut));
    return 0;
}
