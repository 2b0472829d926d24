// SPDX-License-Identifier: Apache-2.0
// M4A, MP4 and MOV: tag lists, user data and the tables that point into the file.
// Property: what can be read and written then has the written label exactly once, and writing it
// again changes nothing. (Text that may be a label but is none stays, so other sites may be left.)

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace label = colophon::label;
    const colophon::Bytes file(data, size);
    const label::Container& row = *label::find_container(label::Format::kM4a);
    if (!row.read(file).ok()) {
        return 0;
    }
    const label::MetadataFields fields{
        .aigc = R"({"Label":"1","ContentProducer":"p","ProduceID":"i"})", .iptc = {}};
    const auto splice = row.write(file, fields);
    if (!splice.ok()) {
        return 0;
    }
    const colophon::Buffer written = colophon::apply_splice(file, *splice);
    const auto reading = row.read(written);
    COLOPHON_ASSERT(reading.ok());
    COLOPHON_ASSERT(std::ranges::count(reading->sites, fields.aigc, &label::LabelSite::value) == 1);
    const auto again = row.write(written, fields);
    COLOPHON_ASSERT(again.ok() && colophon::apply_splice(written, *again) == written);
    return 0;
}
