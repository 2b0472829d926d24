// SPDX-License-Identifier: Apache-2.0
#pragma once

// The contract of label/metadata/container.h, checked for one file at a time.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::label::test {

inline const std::string kLabel =
    R"({"Label":"1","ContentProducer":"00119144030008867405X210001","ProduceID":"0Q6YH3ZK2W",)"
    R"("ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":"it's"})";

inline MetadataFields label_fields(const std::string& aigc = kLabel) {
    return {.aigc = aigc, .iptc = {}};
}

inline MetadataReading read_label(Format format, std::string_view file) {
    auto reading = find_container(format)->read(as_bytes(file));
    REQUIRE_MESSAGE(reading.ok(), reading.error().what);
    return *std::move(reading);
}

// Writes; reads back exactly one label at the standard place; writes again without any change.
inline std::string check_label_write(Format format, std::string_view file,
                                     const MetadataFields& fields = label_fields()) {
    const Container* container = find_container(format);
    const auto splice = container->write(as_bytes(file), fields);
    REQUIRE_MESSAGE(splice.ok(), splice.error().what);
    const std::string out(as_text(apply_splice(as_bytes(file), *splice)));
    const MetadataReading reading = read_label(format, out);
    REQUIRE_MESSAGE(reading.sites.size() == 1, out);
    CHECK(reading.sites.front().value == fields.aigc);
    CHECK(reading.sites.front().standard_place);
    CHECK(reading.findings.empty());
    const auto again = container->write(as_bytes(out), fields);
    REQUIRE(again.ok());
    CHECK(as_text(apply_splice(as_bytes(out), *again)) == out);
    CHECK(again->inserted() == 0);
    return out;
}

inline ErrorCode write_error(Format format, std::string_view file,
                             const MetadataFields& fields = label_fields()) {
    const auto splice = find_container(format)->write(as_bytes(file), fields);
    REQUIRE_FALSE(splice.ok());
    return splice.error().code;
}

// Cut at every byte: an answer or an error, and never more labels than the whole file has.
inline void check_cut_anywhere(Format format, std::string_view file) {
    const Container* container = find_container(format);
    const std::size_t sites = read_label(format, file).sites.size();
    for (std::size_t size = 0; size < file.size(); ++size) {
        const Bytes part = as_bytes(file.substr(0, size));
        const auto reading = container->read(part);
        CHECK((!reading.ok() || reading->sites.size() <= sites));
        const auto splice = container->write(part, label_fields());
        CHECK(splice.ok() == reading.ok());
        if (splice.ok()) {
            check_label_write(format, file.substr(0, size));
        }
    }
}

}  // namespace colophon::label::test
