// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the fuzzers of text documents check: where a label can be written, the file could be read
// before, holds exactly that label afterwards, and writing again changes nothing.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"

namespace colophon::label {

// Each character that XML, HTML or YAML would have to escape is in one of the values.
inline MetadataFields awkward_fields() {
    return {
        .aigc = R"({"Label":"1","ContentProducer":"x","ReservedCode1":"<&>'\""})",
        .iptc = {
            .digital_source_type = "urn:s", .ai_system_used = "a", .ai_system_version_used = "1"}};
}

inline void check_document(Format format, Bytes file) {
    const Container& container = *find_container(format);
    const auto before = container.read(file);
    const MetadataFields fields = awkward_fields();
    const auto splice = container.write(file, fields);
    if (!splice.ok()) {
        return;
    }
    COLOPHON_ASSERT(before.ok());
    const Buffer out = apply_splice(file, *splice);
    const auto after = container.read(out);
    COLOPHON_ASSERT(after.ok());
    COLOPHON_ASSERT(after->sites.size() == 1);
    COLOPHON_ASSERT(after->sites.front().value == fields.aigc);
    COLOPHON_ASSERT(after->sites.front().standard_place);
    const auto again = container.write(out, fields);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(apply_splice(out, *again) == out);
}

}  // namespace colophon::label
