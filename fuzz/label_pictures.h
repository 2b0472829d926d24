// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the picture fuzzers check of one container: reading never crashes, and where writing
// succeeds, the written file has exactly one TC260 label, ours, and is a fixed point.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_text.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

inline bool has_tc260(std::string_view text) {
    const std::vector<internal::TextLabel> labels = internal::find_text_labels(text);
    return std::ranges::any_of(labels, [](const internal::TextLabel& label) {
        return label.kind == internal::TextLabelKind::kTc260;
    });
}

inline void check_container(Format format, Bytes file) {
    constexpr std::string_view kValue =
        R"({"Label":"1","ContentProducer":"p","ProduceID":"fuzz","ReservedCode1":"",)"
        R"("ContentPropagator":"p","PropagateID":"fuzz","ReservedCode2":""})";
    const Container& container = *find_container(format);
    const auto before = container.read(file);
    const MetadataFields fields{.aigc = std::string(kValue), .iptc = {}};
    const auto splice = container.write(file, fields);
    if (!before.ok() || !splice.ok()) {
        return;
    }
    const Buffer written = apply_splice(file, *splice);
    const auto after = container.read(written);
    COLOPHON_ASSERT(after.ok());
    int ours = 0;
    for (const LabelSite& site : after->sites) {
        const bool written_here = site.standard_place && site.value == kValue;
        ours += written_here ? 1 : 0;
        COLOPHON_ASSERT(written_here || !has_tc260(site.value));
    }
    COLOPHON_ASSERT(ours == 1);
    const auto again = container.write(written, fields);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(apply_splice(written, *again) == written);
}

}  // namespace colophon::label
