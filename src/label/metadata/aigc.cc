// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/aigc.h"

#include "core/json_writer.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/finding.h"
#include "label/metadata/internal/aigc_fields.h"
#include "label/metadata/provider_code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

using internal::kAigcFields;

// [GB45438-E] j) A value consists of 0x21, 0x23-0x5B, 0x5D-0x7E and the sequence \". The rule is
// about the text between the quotes in the file, where a quotation mark can only stand as \". So
// the value itself, after unescaping, may hold any printable ASCII character but the space and the
// backslash (which would have to be written \\). A nested JSON text is allowed as long as none of
// its own strings needs an escape.
bool in_charset(char32_t c) noexcept {
    return c >= 0x21 && c <= 0x7E && c != U'\\';
}

struct ForeignCharacter {
    char32_t character;
    std::size_t position;  // in characters, from 1
};

std::optional<ForeignCharacter> find_foreign_character(std::string_view text) {
    if (std::ranges::all_of(text,
                            [](char c) { return in_charset(static_cast<unsigned char>(c)); })) {
        return std::nullopt;  // all that we write ourselves
    }
    std::size_t at = 0;
    for (std::size_t position = 1; at < text.size(); ++position) {
        const auto c = next_code_point(text, at);
        if (!c) {
            return ForeignCharacter{.character = 0xFFFD, .position = position};
        }
        if (!in_charset(*c)) {
            return ForeignCharacter{.character = *c, .position = position};
        }
    }
    return std::nullopt;
}

std::string describe(const ForeignCharacter& foreign) {
    if (foreign.character == U' ') {
        return fmt::format("a space at character {}", foreign.position);
    }
    return fmt::format("U+{:04X} at character {}", static_cast<std::uint32_t>(foreign.character),
                       foreign.position);
}

bool is_label_value(std::string_view text) noexcept {
    return text == "1" || text == "2" || text == "3";
}

Error refuse(std::string_view field, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{}: {}", field, what)};
}

Result<void> check_field(std::string_view name, std::string_view value) {
    if (const auto foreign = find_foreign_character(value)) {
        return refuse(name, fmt::format("{} is outside the characters of Annex E (0x21-0x7E "
                                        "without the backslash); use the provider code or an "
                                        "ASCII name without spaces",
                                        describe(*foreign)));
    }
    if (value.size() > limits::kLabelFieldCharsMax) {
        return refuse(name, fmt::format("{} characters; at most {} are written", value.size(),
                                        limits::kLabelFieldCharsMax));
    }
    return {};
}

Result<void> check_provider(std::string_view name, std::string_view value) {
    if (!resembles_provider_code(value)) {
        return {};
    }
    const auto code = parse_provider_code(value);
    if (code.ok()) {
        return {};
    }
    return refuse(name, looks_like_provider_code(value)
                            ? code.error().what
                            : fmt::format("\"{}\" looks like a provider code but is none: {}. If "
                                          "it is a name, write it so that it does not look like "
                                          "a code",
                                          value, code.error().what));
}

void judge_provider(Findings& findings, std::string_view name, std::string_view value) {
    if (value.empty()) {
        return;
    }
    if (!looks_like_provider_code(value) && resembles_provider_code(value)) {
        warn(findings, "metadata.provider_code",
             fmt::format("{} looks like a provider code but is none: {}", name,
                         parse_provider_code(value).error().what));
        return;
    }
    if (!looks_like_provider_code(value)) {
        note(findings, "metadata.provider_name",
             fmt::format("{} is a name, not a provider code of 27 characters", name));
        return;
    }
    const auto code = parse_provider_code(value);
    if (code.ok()) {
        if (name == kAigcFields[1].name && code->service == ProviderService::kPropagation) {
            note(findings, "metadata.provider_service",
                 fmt::format("{} carries the code of a propagation service", name));
        }
        return;
    }
    const bool unknown = code.error().code == ErrorCode::kUnsupported;
    findings.push_back({"metadata.provider_code",
                        unknown ? FindingLevel::kWarning : FindingLevel::kError,
                        fmt::format("{}: {}", name, code.error().what)});
}

void judge_presence(Findings& findings, const AigcLabel& label) {
    if (!is_label_value(label.label)) {
        fault(findings, "metadata.label_value",
              fmt::format("Label is \"{}\"; the standard knows \"1\", \"2\" and \"3\"",
                          internal::shorten(label.label)));
    }
    if (label.content_producer.empty()) {
        warn(findings, "metadata.no_producer", "ContentProducer is empty: nobody is named");
    }
    if (label.produce_id.empty()) {
        warn(findings, "metadata.no_produce_id",
             "ProduceID is empty: the content has no number by which its provider finds it");
    }
    if (label.content_propagator.empty() || label.propagate_id.empty()) {
        note(findings, "metadata.no_propagator",
             "ContentPropagator or PropagateID is empty; at first writing they repeat the "
             "producer's");
    }
}

}  // namespace

std::string write_aigc(const AigcLabel& label, Wrapping wrapping) {
    constexpr std::size_t kUsualBytes = 320;
    std::string text;
    text.reserve(kUsualBytes);
    json::Writer writer(text);
    if (wrapping == Wrapping::kWrapped) {
        writer.begin_object();
        writer.name("AIGC");
    }
    writer.begin_object();
    for (const internal::AigcField& field : kAigcFields) {
        writer.name(field.name);
        writer.text(label.*field.member);
    }
    writer.end_object();
    if (wrapping == Wrapping::kWrapped) {
        writer.end_object();
    }
    return text;
}

// [GB45438-6.1] [GB45438-E] The five elements must be there, each in the form of Annex E.
Result<void> check_aigc(const AigcLabel& label) {
    if (!is_label_value(label.label)) {
        return refuse("Label", "must be \"1\" (is generated), \"2\" (may be) or \"3\" (suspected)");
    }
    if (label.content_producer.empty()) {
        return refuse("ContentProducer", "is empty; give the provider code or an ASCII name");
    }
    if (label.produce_id.empty()) {
        return refuse("ProduceID", "is empty; give the provider's number of this content");
    }
    if (label.content_propagator.empty()) {
        return refuse("ContentPropagator", "is empty; at first writing repeat ContentProducer");
    }
    if (label.propagate_id.empty()) {
        return refuse("PropagateID", "is empty; at first writing repeat ProduceID");
    }
    for (const internal::AigcField& field : kAigcFields) {
        TRY(check_field(field.name, label.*field.member));
    }
    TRY(check_provider("ContentProducer", label.content_producer));
    return label.content_propagator == label.content_producer
               ? Result<void>()
               : check_provider("ContentPropagator", label.content_propagator);
}

Findings judge_aigc(const AigcLabel& label) {
    Findings findings;
    judge_presence(findings, label);
    for (const internal::AigcField& field : kAigcFields) {
        const std::string& value = label.*field.member;
        if (const auto foreign = find_foreign_character(value)) {
            warn(findings, "metadata.charset",
                 fmt::format("{} holds {}, outside the characters of which values mainly consist",
                             field.name, describe(*foreign)));
        }
        const std::size_t count = count_code_points(value);
        if (count > limits::kLabelFieldCharsMax) {
            warn(findings, "metadata.length",
                 fmt::format("{} has {} characters, more than {}", field.name, count,
                             limits::kLabelFieldCharsMax));
        }
    }
    judge_provider(findings, "ContentProducer", label.content_producer);
    judge_provider(findings, "ContentPropagator", label.content_propagator);
    return findings;
}

}  // namespace colophon::label
