// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small pictures for tests, made by ImageMagick in a folder that disappears, and what the tests of
// all picture containers check in the same way.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_text.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

inline constexpr std::string_view kAigc =
    R"({"Label":"1","ContentProducer":"00119144030008867405X210001","ProduceID":"a-1",)"
    R"("ReservedCode1":"","ContentPropagator":"00119144030008867405X210001","PropagateID":"a-1",)"
    R"("ReservedCode2":""})";
inline constexpr std::string_view kOtherAigc =
    R"({"Label":"2","ContentProducer":"00119144030008867405X210002","ProduceID":"b-22",)"
    R"("ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":""})";

// `arguments` of ImageMagick stand between the picture and the output file.
inline Buffer make_picture(const std::string& name, const std::vector<std::string>& arguments = {},
                           int frames = 1) {
    const test::TempDir dir;
    std::vector<std::string> command{"/usr/bin/convert", "-seed", "7", "-size", "48x32"};
    for (int i = 0; i < frames; ++i) {
        command.emplace_back(i % 2 == 0 ? "plasma:red-blue" : "plasma:green-yellow");
    }
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::string plain = name.substr(name.find(':') + 1);
    const std::string prefix = name.substr(0, name.size() - plain.size());
    command.push_back(prefix + dir.file(plain));
    test::run_tool_ok(command);
    return test::read_file(dir.file(plain));
}

inline MetadataReading read_label(Format format, Bytes file) {
    auto reading = find_container(format)->read(file);
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? "" : reading.error().what));
    return *reading;
}

inline Buffer write_label(Format format, Bytes file, std::string_view aigc,
                          const IptcFields& iptc = {}) {
    auto splice = find_container(format)->write(file, {std::string(aigc), iptc});
    REQUIRE_MESSAGE(splice.ok(), (splice.ok() ? "" : splice.error().what));
    return apply_splice(file, *splice);
}

// [GB45438-6.1] Exactly one label, at the place of the standard, and no other TC260 label.
inline void check_only_label(Format format, Bytes file, std::string_view aigc) {
    const MetadataReading reading = read_label(format, file);
    int standard = 0;
    for (const LabelSite& site : reading.sites) {
        CAPTURE(site.where);
        if (site.standard_place) {
            ++standard;
            CHECK(site.value == aigc);
            continue;
        }
        for (const internal::TextLabel& label : internal::find_text_labels(site.value)) {
            CHECK(label.kind == internal::TextLabelKind::kDisclosure);
        }
    }
    CHECK(standard == 1);
}

// The signature of each decoded frame, as ImageMagick computes it.
inline std::string pixels(const std::string& path) {
    return test::run_tool_ok({"/usr/bin/identify", "-quiet", "-format", "%# ", path});
}

}  // namespace colophon::label
