// SPDX-License-Identifier: Apache-2.0
// What a worker says of the pictures that it took out of a video: a first line is the answer, the
// rest the file that it wrote. What is believed fills the file, in order, and is no more than may
// be.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "worker/frames.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace worker = colophon::worker;
    const std::string_view text = colophon::as_text({data, size});
    const std::size_t line = std::min(text.find('\n'), text.size());
    const auto value = colophon::json::parse(text.substr(0, line));
    if (!value.ok()) {
        return 0;
    }
    const std::string_view rest = text.substr(std::min(line + 1, text.size()));
    const auto frames = worker::decode_frames(*value, colophon::as_bytes(rest));
    if (!frames.ok()) {
        return 0;
    }
    COLOPHON_ASSERT(!frames->empty() && frames->size() <= worker::kFramesMax);
    std::size_t bytes = 0;
    std::int64_t before = -1;
    for (const worker::FileFrame& each : *frames) {
        COLOPHON_ASSERT(each.time_ms > before);
        before = each.time_ms;
        bytes += each.picture.size();
    }
    COLOPHON_ASSERT(bytes == rest.size());
    return 0;
}
