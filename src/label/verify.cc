// SPDX-License-Identifier: Apache-2.0
#include "label/verify.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/codecs.h"
#include "label/explicit/audio.h"
#include "label/explicit/image.h"
#include "label/explicit/reading.h"
#include "label/explicit/text.h"
#include "label/explicit/video.h"
#include "label/explicit/wording.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/internal/provenance_mark.h"
#include "label/internal/video_marks.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/provider_code.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/propagation.h"
#include "label/watermark/detect.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "label/watermark/video.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 6> kVerdicts{
    {{Verdict::kIntact, "intact"},
     {Verdict::kAltered, "altered"},
     {Verdict::kStripped, "stripped"},
     {Verdict::kForged, "forged"},
     {Verdict::kAbsent, "absent"},
     {Verdict::kUnreadable, "unreadable"}}};

// [DSP-18] Which verdict an error says, the gravest first. A finding that speaks against a label is
// an error and has a row here; one that leaves a label what it is, is a warning.
struct ErrorVerdict {
    std::string_view code;
    Verdict verdict;
};
constexpr std::array<ErrorVerdict, 17> kErrorVerdicts{
    {{"provenance.remembers", Verdict::kStripped},
     {"provenance.altered", Verdict::kAltered},
     {"signature.invalid", Verdict::kAltered},
     {"signature.key_mismatch", Verdict::kForged},
     {"metadata.contradiction", Verdict::kForged},
     {"watermark.contradiction", Verdict::kForged},
     {"provenance.contradiction", Verdict::kForged},
     {"metadata.duplicate_field", Verdict::kForged},
     {"metadata.provider_code", Verdict::kForged},
     {"metadata.label_value", Verdict::kUnreadable},
     {"metadata.unreadable", Verdict::kUnreadable},
     {"watermark.unreadable", Verdict::kUnreadable},
     {"provenance.fragments_missing", Verdict::kUnreadable},
     {"watermark.absent", Verdict::kStripped},
     {"explicit.absent", Verdict::kStripped},
     {"metadata.absent", Verdict::kStripped},
     {"provenance.absent", Verdict::kStripped}}};

constexpr std::string_view kDamagedBlock =
    "the bytes of a label stand in a block that cannot be read";

constexpr std::string_view kSourceTypes = "http://cv.iptc.org/newscodes/digitalsourcetype/";

void add_all(Findings& to, const Findings& from) {
    to.insert(to.end(), from.begin(), from.end());
}

bool same_origin(const AigcLabel& a, const AigcLabel& b) {
    return a.label == b.label && a.content_producer == b.content_producer &&
           a.produce_id == b.produce_id;
}

// Source types that say "no machine made this"; beside a label that says the contrary.
bool says_camera(std::string_view source_type) {
    constexpr std::array<std::string_view, 6> kCamera{"digitalCapture",       "negativeFilm",
                                                      "positiveFilm",         "print",
                                                      "computationalCapture", "humanEdits"};
    if (source_type.starts_with(kSourceTypes)) {
        source_type.remove_prefix(kSourceTypes.size());
    }
    return std::ranges::find(kCamera, source_type) != kCamera.end();
}

bool says_synthetic(std::string_view source_type) {
    constexpr std::array<std::string_view, 4> kSynthetic{"trainedAlgorithmicMedia",
                                                         "compositeWithTrainedAlgorithmicMedia",
                                                         "compositeSynthetic", "algorithmicMedia"};
    if (source_type.starts_with(kSourceTypes)) {
        source_type.remove_prefix(kSourceTypes.size());
    }
    return std::ranges::find(kSynthetic, source_type) != kSynthetic.end();
}

struct Read {
    const LabelSite* site;
    AigcReading reading;
};

// Every site that can be read as a label of the TC260 schema comes first; foreign schemas count
// only when there is no other.
std::vector<Read> read_sites(const MetadataReading& reading, Findings& findings) {
    std::vector<Read> standard;
    std::vector<Read> foreign;
    Findings unreadable;
    for (const LabelSite& site : reading.sites) {
        auto parsed = read_aigc(site.value);
        if (!parsed.ok()) {
            fault(unreadable, "metadata.unreadable",
                  fmt::format("{}: {}", site.where, parsed.error().what));
            continue;
        }
        auto& list = parsed->schema == AigcSchema::kTc260 ? standard : foreign;
        list.push_back({&site, std::move(parsed).value()});
    }
    // Beside a label that can be read it is a remnant, which says nothing against that label.
    for (Finding& finding : unreadable) {
        finding.level =
            standard.empty() && foreign.empty() ? finding.level : FindingLevel::kWarning;
        findings.push_back(std::move(finding));
    }
    if (standard.empty()) {
        return foreign;
    }
    for (const Read& read : foreign) {
        note(findings, "metadata.foreign_schema",
             fmt::format("{} holds a disclosure in another schema", read.site->where));
    }
    return standard;
}

// Within one whole there is exactly one label. Wholes that were put one behind the other may come
// from different hands, which is worth knowing and no contradiction.
void compare_sites(const std::vector<Read>& reads, MetadataJudgement& judgement) {
    for (std::size_t i = 1; i < reads.size(); ++i) {
        const auto other = std::ranges::find_if(
            reads, [&](const Read& read) { return read.site->part == reads[i].site->part; });
        const bool alone = &*other == &reads[i];
        const Read& first = alone ? reads[0] : *other;
        if (same_origin(first.reading.label, reads[i].reading.label)) {
            if (!alone) {
                warn(judgement.findings, "metadata.duplicate",
                     fmt::format("the label stands twice: {} and {}", first.site->where,
                                 reads[i].site->where));
            }
        } else if (alone) {
            judgement.parts_differ = true;
            warn(judgement.findings, "metadata.links",
                 fmt::format("link {} of the file carries another label ({}, ProduceID {})",
                             reads[i].site->part + 1, reads[i].reading.label.content_producer,
                             reads[i].reading.label.produce_id));
        } else {
            judgement.contradiction = true;
            fault(judgement.findings, "metadata.contradiction",
                  fmt::format("{} and {} name different origins", first.site->where,
                              reads[i].site->where));
        }
    }
}

// The label of every whole is signed for itself; one signature that does not fit spoils the file.
void check_signatures(const std::vector<Read>& reads, const std::vector<TrustedKey>& trusted,
                      MetadataJudgement& judgement) {
    for (const Read& read : reads) {
        const bool first = &read == &reads.front();
        if (!first && (read.site->part == reads.front().site->part ||
                       read.reading.label == reads.front().reading.label)) {
            continue;
        }
        const SignatureReading signature = verify_security_data(read.reading.label, trusted);
        MetadataVerification& metadata = judgement.metadata;
        if (first) {
            metadata.signature = signature.state;
            metadata.trusted = signature.trusted;
            metadata.key_id = signature.key_id;
        } else if (signature.state == SignatureState::kInvalid) {
            metadata.signature = signature.state;
        }
        metadata.trusted = metadata.trusted && signature.trusted;
        add_all(judgement.findings, signature.findings);
    }
}

Result<std::optional<ExplicitReading>> read_explicit(Bytes file, Format format,
                                                     const VerifyOptions& options,
                                                     const Resources& resources) {
    const Kind kind = facts(format).kind;
    switch (kind) {
        case Kind::kText:
            if (!is_written_text(format)) {
                break;
            }
            return std::optional(TRY(find_text_mark(file, format)));
        case Kind::kImage: {
            if (resources.font.empty()) {
                return std::optional<ExplicitReading>();
            }
            std::vector<std::string> wordings = options.wordings;
            std::ranges::copy(known_wordings(kind), std::back_inserter(wordings));
            return std::optional(TRY(find_image_mark(file, format, resources.font, wordings)));
        }
        case Kind::kAudio:
            return std::optional(TRY(find_audio_mark(file, format, resources.prompts)));
        case Kind::kVideo: {
            const auto container = video_container(format);
            if (resources.font.empty() || !container) {
                break;
            }
            std::vector<std::string> wordings = options.wordings;
            std::ranges::copy(known_wordings(kind), std::back_inserter(wordings));
            return std::optional(TRY(find_video_mark(file, *container, resources.font, wordings)));
        }
    }
    return std::optional<ExplicitReading>();
}

struct Found {
    bool words = false;
    bool metadata = false;
    bool watermark = false;
    internal::ProvenanceFinds provenance;

    bool any() const noexcept {
        return words || metadata || watermark || provenance.says_synthetic;
    }
};

// [DSP-18] Whether the number in the watermark is that of the metadata label.
bool same_content(const WatermarkPayload& payload, ContentId id) {
    constexpr std::uint64_t kHandle = 0xffffffffU;
    return payload.form == PayloadForm::kShort ? payload.content_id.value == (id.value & kHandle)
                                               : payload.content_id == id;
}

Result<WatermarkVerification> find_mark_of(Bytes file, Format format, const VerifyOptions& options,
                                           const Resources& resources) {
    if (const auto container = video_container(format)) {
        const auto progress = [&](double /*seconds*/) {
            if (resources.progress) {
                resources.progress(0);
            }
        };
        return internal::to_verification(TRY(find_video_watermark(
            file, *container, options.watermark_keys,
            {.effort = options.effort, .seconds_max = 0, .progress = progress})));
    }
    const WatermarkReading reading =
        TRY(find_picture_watermark(file, format, options.watermark_keys, options.effort));
    return WatermarkVerification{.reading = reading,
                                 .strength = strength_of_score(reading.score, reading.payload.form),
                                 .ranges = {}};
}

// A video may have been put together from marked parts of several.
void compare_ranges(const WatermarkVerification& watermark, Findings& findings) {
    for (const MarkedRange& range : watermark.ranges) {
        const WatermarkPayload& payload = range.payload;
        if (same_source(payload, watermark.reading.payload)) {
            continue;
        }
        warn(findings, "watermark.several",
             payload.provider.known()
                 ? fmt::format("from {:.1f} to {:.1f} s the video carries another watermark: {} of "
                               "the provider {}",
                               range.from_seconds, range.to_seconds, to_string(payload.content_id),
                               payload.provider.text())
                 : fmt::format("from {:.1f} to {:.1f} s the video carries another watermark: {} of "
                               "issuer {}",
                               range.from_seconds, range.to_seconds, to_string(payload.content_id),
                               payload.issuer.value));
    }
}

// [DSP-18] Whether both name the same provider, where both name one by its credit code.
void compare_providers(const WatermarkPayload& payload, Verification& seen) {
    const auto code = parse_provider_code(seen.metadata->label.content_producer);
    if (payload.provider.known() && code.ok() && code->credit_code != payload.provider.text()) {
        fault(seen.findings, "watermark.contradiction",
              fmt::format("the watermark says provider {}, the metadata label says {}",
                          payload.provider.text(), code->credit_code));
    }
}

// Looks for a watermark and says what it is to the label in metadata.
Result<void> read_watermark(Bytes file, const VerifyOptions& options, const Resources& resources,
                            Verification& seen) {
    const bool looks = takes_watermark(seen.format) || video_container(seen.format);
    if (!looks || options.watermark_keys.empty()) {
        return {};
    }
    Result<WatermarkVerification> found = find_mark_of(file, seen.format, options, resources);
    if (!found.ok()) {
        // The metadata can be judged without the picture.
        const ErrorCode code = found.error().code;
        if (!seen.metadata && code != ErrorCode::kUnsupported && code != ErrorCode::kLimit) {
            return found.error();
        }
        warn(seen.findings, "watermark.unread", found.error().what);
        return {};
    }
    seen.watermark = std::move(found).value();
    const WatermarkReading* reading = &seen.watermark->reading;
    compare_ranges(*seen.watermark, seen.findings);
    const bool labelled = seen.metadata && seen.metadata->found;
    if (reading->state == WatermarkState::kPresent) {
        seen.findings.push_back(
            {.code = "watermark.unreadable",
             .level = labelled ? FindingLevel::kWarning : FindingLevel::kError,
             .what = "a watermark is there, but what it says cannot be read any more"});
    }
    if (reading->state == WatermarkState::kFound && labelled && seen.metadata->content_id &&
        !same_content(reading->payload, *seen.metadata->content_id)) {
        fault(seen.findings, "watermark.contradiction",
              fmt::format("the watermark says content id {}, the metadata label says {}",
                          to_string(reading->payload.content_id),
                          to_string(*seen.metadata->content_id)));
    } else if (reading->state == WatermarkState::kFound && labelled) {
        compare_providers(reading->payload, seen);
    }
    return {};
}

// The gravest verdict that the errors say; kIntact when there is none.
Verdict judge_errors(const Findings& findings) {
    const auto is_error = [](const Finding& finding) {
        return finding.level == FindingLevel::kError;
    };
    for (const ErrorVerdict& row : kErrorVerdicts) {
        if (std::ranges::any_of(findings, [&](const Finding& finding) {
                return is_error(finding) && finding.code == row.code;
            })) {
            return row.verdict;
        }
    }
    // An error that nobody gave a row is not good news either.
    return std::ranges::any_of(findings, is_error) ? Verdict::kUnreadable : Verdict::kIntact;
}

// The expected marks that were looked for and are not there.
MarkSet missing_marks(const Verification& seen, const MarkSet& expected, const Found& found) {
    MarkSet missing;
    if (expected.has(Mark::kExplicit) && seen.explicit_mark && !found.words) {
        missing.add(Mark::kExplicit);
    }
    if (expected.has(Mark::kMetadata) && seen.metadata && !found.metadata) {
        missing.add(Mark::kMetadata);
    }
    if (expected.has(Mark::kWatermark) && seen.watermark && !found.watermark) {
        missing.add(Mark::kWatermark);
    }
    if (expected.has(Mark::kProvenance) && seen.provenance && !seen.provenance->found) {
        missing.add(Mark::kProvenance);
    }
    return missing;
}

// [DSP-18] A mark alone does not say that there was another: a provider may choose the metadata
// label only [DSP-17], a person who writes "AI生成" on a picture has no other. So a mark counts as
// removed only when the caller knows that the service writes it.
void add_missing(const Found& found, const MarkSet& missing, Verification& seen) {
    if (missing.has(Mark::kProvenance) && (found.words || found.metadata)) {
        fault(seen.findings, "provenance.absent",
              "another mark is there, the Content Credentials that were expected are not");
    }
    if (found.metadata && missing.has(Mark::kExplicit)) {
        fault(seen.findings, "explicit.absent",
              "the metadata label is there, the explicit label that was expected is not");
    }
    if (found.any() && missing.has(Mark::kWatermark)) {
        fault(seen.findings, "watermark.absent",
              "another mark is there, the watermark that was expected is not");
    }
    if (found.metadata || !seen.metadata || judge_errors(seen.findings) != Verdict::kIntact) {
        return;
    }
    // [DSP-16] Nobody writes a watermark and leaves the metadata label away: it is owed first.
    if (found.watermark) {
        fault(seen.findings, "metadata.absent",
              "the watermark is there, the metadata label that belongs beside it is not");
        return;
    }
    if (!found.words) {
        return;
    }
    if (missing.has(Mark::kMetadata)) {
        fault(seen.findings, "metadata.absent",
              "the explicit label is there, the metadata label that was expected is not");
    } else {
        warn(seen.findings, "metadata.absent",
             "the explicit label is there, a metadata label is not: never written, or lost");
    }
}

// Absent is what has no mark and no error either: what cannot be read might be one.
Verdict judge(const Verification& seen, const Found& found) {
    const Verdict verdict = judge_errors(seen.findings);
    return verdict == Verdict::kIntact && !found.any() ? Verdict::kAbsent : verdict;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) noexcept {
    return kVerdicts[static_cast<std::size_t>(verdict)].second;
}

std::optional<Verdict> parse_verdict(std::string_view text) noexcept {
    const auto* row = std::ranges::find(kVerdicts, text, &decltype(kVerdicts)::value_type::second);
    return row == kVerdicts.end() ? std::nullopt : std::optional(row->first);
}

MetadataJudgement judge_metadata(const MetadataReading& reading,
                                 const std::vector<TrustedKey>& trusted) {
    MetadataJudgement judgement;
    MetadataVerification& metadata = judgement.metadata;
    judgement.findings = reading.findings;
    metadata.iptc = reading.iptc;
    metadata.sites = reading.sites.size();
    const std::vector<Read> reads = read_sites(reading, judgement.findings);
    if (reads.empty()) {
        judgement.unreadable = !reading.sites.empty() || reading.damaged_label;
        if (reading.sites.empty() && reading.damaged_label) {
            fault(judgement.findings, "metadata.unreadable", std::string(kDamagedBlock));
        }
        return judgement;
    }
    if (reading.damaged_label) {
        warn(judgement.findings, "metadata.unreadable", std::string(kDamagedBlock));
    }
    const Read& first = reads.front();
    metadata.found = true;
    metadata.label = first.reading.label;
    metadata.where = first.site->where;
    metadata.offset = first.site->offset;
    add_all(judgement.findings, first.reading.findings);
    if (first.reading.schema == AigcSchema::kTc260) {
        add_all(judgement.findings, judge_aigc(first.reading.label));
    }
    if (!first.site->standard_place) {
        warn(judgement.findings, "metadata.place",
             fmt::format("the label stands in {}, not where the standard puts it",
                         first.site->where));
    }
    if (const auto id = parse_content_id(metadata.label.produce_id); id.ok()) {
        metadata.content_id = *id;
    }
    compare_sites(reads, judgement);
    check_signatures(reads, trusted, judgement);
    if (says_camera(metadata.iptc.digital_source_type) && metadata.label.label == "1") {
        judgement.contradiction = true;
        fault(judgement.findings, "metadata.contradiction",
              fmt::format("the label says generated, IPTC DigitalSourceType says {}",
                          metadata.iptc.digital_source_type));
    }
    return judgement;
}

Result<Verification> verify(Bytes file, Format format, const VerifyOptions& options,
                            const Resources& resources) {
    Verification seen;
    seen.format = format;
    MetadataJudgement judgement;
    const Container* container = find_container(format);
    if (container != nullptr && options.marks.has(Mark::kMetadata)) {
        judgement = judge_metadata(TRY(container->read(file)), options.trusted);
        seen.metadata = judgement.metadata;
        seen.findings = judgement.findings;
    }
    if (options.marks.has(Mark::kExplicit)) {
        auto words = read_explicit(file, format, options, resources);
        if (words.ok()) {
            seen.explicit_mark = std::move(words).value();
        } else if (seen.metadata) {
            // The metadata can be judged without the picture or sound; that they cannot be decoded
            // is worth a warning, not silence.
            warn(seen.findings, "explicit.unread", words.error().what);
        } else {
            return std::move(words).error();
        }
        if (seen.explicit_mark) {
            add_all(seen.findings, seen.explicit_mark->findings);
        }
    }
    if (options.marks.has(Mark::kWatermark)) {
        TRY(read_watermark(file, options, resources, seen));
    }
    Found found{
        .words = seen.explicit_mark && seen.explicit_mark->found,
        .metadata = judgement.metadata.found,
        .watermark = seen.watermark && seen.watermark->reading.state == WatermarkState::kFound,
        .provenance = {}};
    if (options.marks.has(Mark::kProvenance)) {
        found.provenance = TRY(internal::verify_provenance(file, options, resources, seen));
    }
    const MarkSet missing = missing_marks(seen, options.expected, found);
    add_missing(found, missing, seen);
    seen.verdict = judge(seen, found);
    const bool synthetic = says_synthetic(judgement.metadata.iptc.digital_source_type) ||
                           found.provenance.says_synthetic;
    if (synthetic && !found.provenance.says_synthetic && !judgement.metadata.found) {
        note(seen.findings, "metadata.iptc_only",
             "IPTC DigitalSourceType says synthetic; there is no AIGC label");
    }
    // [AILM-6] What a platform that passes this on has to say.
    const bool labelled = judgement.metadata.found;
    const std::string& value = judgement.metadata.label.label;
    seen.propagation =
        decide_propagation({.metadata_says_generated = labelled && value == "1",
                            .user_declares = options.user_declares || (labelled && value == "2"),
                            .explicit_mark_or_traces =
                                found.any() || synthetic || labelled || judgement.unreadable})
            .status;
    return seen;
}

}  // namespace colophon::label
