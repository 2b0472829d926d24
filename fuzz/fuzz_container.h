// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every row of the table of containers promises, for any bytes.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"

#include <cstddef>

namespace colophon::fuzz {

inline void check_container(label::Format format, Bytes file) {
    const label::Container* container = label::find_container(format);
    COLOPHON_ASSERT(container != nullptr);
    const auto reading = container->read(file);
    if (container->write == nullptr) {
        return;
    }
    const label::MetadataFields fields{.aigc = R"({"Label":"1","ProduceID":"fuzz"})", .iptc = {}};
    const auto splice = container->write(file, fields);
    if (!reading.ok() || !splice.ok()) {
        return;
    }
    const Buffer written = apply_splice(file, *splice);
    const auto again = container->read(written);
    COLOPHON_ASSERT(again.ok());
    // One label in each part: a chained Ogg file has as many parts as links.
    COLOPHON_ASSERT(!again->sites.empty());
    for (std::size_t part = 0; part < again->sites.size(); ++part) {
        COLOPHON_ASSERT(again->sites[part].part == part);
        COLOPHON_ASSERT(again->sites[part].value == fields.aigc);
    }
    const auto second = container->write(written, fields);
    COLOPHON_ASSERT(second.ok());
    COLOPHON_ASSERT(apply_splice(written, *second) == written);
}

}  // namespace colophon::fuzz
