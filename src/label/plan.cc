// SPDX-License-Identifier: Apache-2.0
#include "label/plan.h"

#include "core/result.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/provenance/carrier.h"
#include "label/record.h"
#include "label/watermark/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

constexpr std::array<std::pair<Mark, std::string_view>, 4> kMarks{
    {{Mark::kExplicit, "explicit"},
     {Mark::kWatermark, "watermark"},
     {Mark::kMetadata, "metadata"},
     {Mark::kProvenance, "provenance"}}};

}  // namespace

std::string_view mark_name(Mark mark) noexcept {
    return kMarks[static_cast<std::size_t>(mark)].second;
}

Result<MarkSet> parse_marks(std::string_view text) {
    MarkSet marks;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(','), text.size());
        const std::string_view word = text.substr(0, end);
        const auto* row = std::ranges::find(kMarks, word, &decltype(kMarks)::value_type::second);
        if (row == kMarks.end()) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("\"{}\" is no mark; known are explicit, metadata, watermark "
                                     "and provenance, with commas between them",
                                     word)};
        }
        marks.add(row->first);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return marks;
}

std::string to_string(MarkSet marks) {
    std::string text;
    for (const auto& [mark, name] : kMarks) {
        if (marks.has(mark)) {
            text += text.empty() ? "" : ",";
            text += name;
        }
    }
    return text;
}

ServiceClass default_service(Kind kind) noexcept {
    switch (kind) {
        case Kind::kText:
            return ServiceClass::kDialogue;
        case Kind::kAudio:
            return ServiceClass::kVoice;
        case Kind::kImage:
        case Kind::kVideo:
            break;
    }
    return ServiceClass::kContent;
}

bool takes_explicit_mark(Format format) noexcept {
    return facts(format).kind != Kind::kText || is_written_text(format);
}

LabelPlan plan(ServiceClass service, Profile profile, Format format) noexcept {
    LabelPlan plan;
    // [DSP-16] The implicit label is owed by every service, wherever the format has a place for it.
    if (find_container(format) != nullptr) {
        plan.owed.add(Mark::kMetadata);
    } else if (!takes_explicit_mark(format)) {
        plan.out_of_reach.add(Mark::kMetadata);
    }
    // [DSP-17] Paragraph 1 names five kinds of service; paragraph 2 leaves the rest to the user.
    // California asks only that the visible disclosure be offered (Bus. & Prof. Code 22757.3).
    if (service != ServiceClass::kOther && profile != Profile::kUsCa) {
        (takes_explicit_mark(format) ? plan.owed : plan.out_of_reach).add(Mark::kExplicit);
    }
    // A plain text has no other carrier than words, so the words are owed in any case.
    if (find_container(format) == nullptr && takes_explicit_mark(format)) {
        plan.owed.add(Mark::kExplicit);
    }
    // [EUCP-1.1] The EU Code of Practice: signed metadata and a watermark, both; California's
    // latent disclosure must be extraordinarily hard to remove.
    if (profile != Profile::kCn) {
        (provenance::find_usual_carrier(format) != nullptr ? plan.owed : plan.out_of_reach)
            .add(Mark::kProvenance);
        if (!takes_watermark(format)) {
            plan.out_of_reach.add(Mark::kWatermark);
        }
    }
    // [DSP-16] A label in metadata is lost with the metadata; a watermark stays.
    if (takes_watermark(format)) {
        plan.tried.add(Mark::kWatermark);
    }
    return plan;
}

}  // namespace colophon::label
