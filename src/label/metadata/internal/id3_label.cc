// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/id3_label.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/id3v2.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_sites.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

std::optional<Id3UserText> label_text(const Id3Tag& tag, Bytes body, const Id3Frame& frame) {
    auto text = read_user_text(tag, body, frame);
    const bool is_label = text && (is_label_name(text->name) || is_tc260_label(text->value));
    return is_label ? text : std::nullopt;
}

}  // namespace

void collect_id3_labels(MetadataReading& reading, Bytes file, const Id3Tag& tag,
                        std::string_view where, bool standard) {
    const Bytes body = tag.body(file);
    for (const Id3Frame& frame : tag.frames) {
        if (const auto text = label_text(tag, body, frame)) {
            // In a tag that is unsynchronised as a whole, places in the body are none in the file.
            const bool plain = tag.version == 4 || !tag.unsynchronised();
            collect_site(reading, {.where = std::string(where) + " " + std::string(frame.id) + " " +
                                            printable_name(text->name),
                                   .value = text->value,
                                   .offset = plain ? tag.offset + 10 + frame.offset : tag.offset,
                                   .standard_place = standard && is_label_name(text->name)});
        }
    }
    for (const Finding& finding : tag.findings) {
        collect_finding(reading, finding);
    }
}

Result<std::optional<Buffer>> edit_id3_label(Bytes file, const Id3Tag& tag,
                                             std::optional<std::string_view> value) {
    const Bytes body = tag.body(file);
    Buffer frames;
    Buffer label;
    if (value) {
        label = make_user_text(tag, {.name = "AIGC", .value = std::string(*value)});
    }
    bool written = !value.has_value();
    for (const Id3Frame& frame : tag.frames) {
        if (!label_text(tag, body, frame)) {
            append(frames, *slice(body, frame.offset, frame.size));
        } else if (!written) {
            append(frames, label);
            written = true;
        }
    }
    if (!written) {
        append(frames, label);
    }
    const Bytes before = *slice(body, tag.frames_begin, tag.frames_end - tag.frames_begin);
    if (std::ranges::equal(before, frames)) {
        return std::optional<Buffer>();
    }
    return std::optional(TRY(make_id3_tag(tag, frames, tag.size)));
}

}  // namespace colophon::label::internal
