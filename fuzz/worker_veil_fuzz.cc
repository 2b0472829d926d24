// SPDX-License-Identifier: Apache-2.0
// What a worker says of the veil that it made: a first line is the answer, the rest the file that
// it wrote. What is believed begins as a veil does.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "worker/veil.h"

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
    const auto veil = worker::decode_veil(*value, colophon::as_bytes(rest));
    if (!veil.ok()) {
        return 0;
    }
    COLOPHON_ASSERT(veil->file.size() == rest.size() && rest.size() <= worker::kVeilBytesMax);
    COLOPHON_ASSERT(veil->pictures >= 1 && veil->speed >= 1);
    COLOPHON_ASSERT(veil->film ? rest.substr(4, 4) == "ftyp" : rest.substr(1, 3) == "PNG");
    return 0;
}
