// SPDX-License-Identifier: Apache-2.0
#include "label/apply.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/existing.h"
#include "label/explicit/audio.h"
#include "label/explicit/image.h"
#include "label/explicit/reading.h"
#include "label/explicit/text.h"
#include "label/explicit/wording.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/internal/provenance_mark.h"
#include "label/internal/video_marks.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/provider_code.h"
#include "label/plan.h"
#include "label/propagation.h"
#include "label/provenance/hashing.h"
#include "label/provenance/validate.h"
#include "label/record.h"
#include "label/verify.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "media/video_transcode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

// The file between two marks, and what was noted on the way.
struct Work {
    Bytes file;
    Format format;
    Applied applied;
    bool last_held = false;  // the holder knows that `file` is the result

    Result<void> replace(const Splice& splice, bool last, Holder& holder) {
        file = TRY(holder.hold(file, splice, last));
        last_held = last;
        return {};
    }
};

void add_all(Findings& to, const Findings& from) {
    to.insert(to.end(), from.begin(), from.end());
}

Result<MarkedFile> mark(const Work& work, const ApplyOptions& options, const Resources& resources,
                        std::string wording) {
    switch (facts(work.format).kind) {
        case Kind::kText:
            return mark_text(work.file, work.format,
                             {.text = std::move(wording), .place = options.text_place});
        case Kind::kImage:
            return mark_image(work.file, work.format,
                              {.text = std::move(wording), .place = options.image_place},
                              resources.font);
        case Kind::kAudio: {
            SoundMark sound{.form = options.sound_form, .place = options.sound_place, .prompt = {}};
            if (sound.form == SoundForm::kSpoken) {
                if (resources.prompts.empty()) {
                    return Error{ErrorCode::kInvalidArgument,
                                 "a spoken label needs a recording of its words"};
                }
                sound.prompt = resources.prompts.front();
            }
            return mark_audio(work.file, work.format, sound);
        }
        case Kind::kVideo:
            break;
    }
    return Error{ErrorCode::kUnsupported,
                 fmt::format("this version draws no explicit label in {}; --marks metadata writes "
                             "the metadata label alone",
                             facts(work.format).name)};
}

// Whether a later mark will be put over this one. What lies beside the file covers nothing in it.
bool covered(const ApplyOptions& options, std::initializer_list<Mark> later) {
    return std::ranges::any_of(later, [&](Mark mark) {
        return options.marks.has(mark) && !(mark == Mark::kProvenance && options.detached);
    });
}

Result<void> apply_explicit(Work& work, const ApplyOptions& options, const Resources& resources,
                            Holder& holder) {
    std::string wording = TRY(explicit_wording(options, facts(work.format).kind));
    MarkedFile marked = TRY(mark(work, options, resources, std::move(wording)));
    if (!marked.reading.found) {
        return Error{ErrorCode::kCorrupt, "the explicit label does not read back"};
    }
    add_all(work.applied.findings, marked.reading.findings);
    work.applied.explicit_mark = std::move(marked.reading);
    work.applied.written.add(Mark::kExplicit);
    if (marked.changed) {
        const bool last = !covered(options, {Mark::kWatermark, Mark::kMetadata, Mark::kProvenance});
        TRY(work.replace(marked.splice, last, holder));
    }
    return {};
}

// What metadata label and watermark are both to say.
struct Number {
    ContentId content_id;
    MarkProvider provider;
};

// Nobody, when it is no provider code.
MarkProvider provider_in(std::string_view producer) {
    const auto code = parse_provider_code(producer);
    const auto provider = code.ok() ? MarkProvider::create(code->credit_code) : code.error();
    return provider.ok() ? *provider : MarkProvider();
}

// The number of the label that the file will have. Nothing when that is none of ours.
Result<std::optional<Number>> number_of(const Work& work, const ApplyOptions& options,
                                        const PropagationEvidence& traces) {
    AigcLabel label = own_label(options.record, options.reserved_code1);
    std::optional<ContentId> id =
        options.record.own_id.empty() ? options.record.content_id : std::nullopt;
    const Container* container = find_container(work.format);
    if (container != nullptr && options.marks.has(Mark::kMetadata)) {
        const MetadataJudgement before = judge_metadata(TRY(container->read(work.file)), {});
        if (before.metadata.found) {
            PropagationEvidence evidence = traces;
            evidence.metadata_says_generated = true;
            ExistingDecision decision =
                TRY(decide_existing(before.metadata.label, label, options.existing, evidence));
            label = std::move(decision.label);
            const auto kept = parse_content_id(label.produce_id);
            id = kept.ok() ? std::optional(*kept) : std::nullopt;
        }
    }
    if (!id) {
        return std::optional<Number>();
    }
    return std::optional(
        Number{.content_id = *id, .provider = provider_in(label.content_producer)});
}

// Nothing: the picture holds no watermark, which was only to be tried.
Result<std::optional<WatermarkedFile>> try_watermark(Work& work, const ApplyOptions& options,
                                                     const PropagationEvidence& traces) {
    const bool optional = options.optional.has(Mark::kWatermark);
    Result<WatermarkedFile> marked =
        Error{ErrorCode::kInvalidArgument,
              "a watermark holds a content id of ten characters; the number "
              "that was given is of another kind"};
    if (const std::optional<Number> number = TRY(number_of(work, options, traces))) {
        marked = mark_picture(work.file, work.format,
                              {.key = options.watermark_key,
                               .issuer = options.issuer,
                               .content_id = number->content_id,
                               .marked_already = MarkedAlready::kReplace,
                               .form = options.payload,
                               .provider = number->provider});
    }
    if (marked.ok()) {
        return std::optional(std::move(marked).value());
    }
    const ErrorCode code = marked.error().code;
    const bool cannot = code == ErrorCode::kInvalidArgument || code == ErrorCode::kUnsupported ||
                        code == ErrorCode::kLimit;
    if (!optional || !cannot) {
        return std::move(marked).error();
    }
    warn(work.applied.findings, "watermark.none", marked.error().what);
    return std::optional<WatermarkedFile>();
}

Result<void> apply_watermark(Work& work, const ApplyOptions& options,
                             const PropagationEvidence& traces, Holder& holder) {
    std::optional<WatermarkedFile> marked = TRY(try_watermark(work, options, traces));
    if (!marked) {
        return {};
    }
    add_all(work.applied.findings, marked->findings);
    work.applied.watermark = WatermarkVerification{
        .reading = marked->reading, .strength = marked->strength, .ranges = {}};
    work.applied.written.add(Mark::kWatermark);
    if (marked->changed) {
        TRY(work.replace(marked->splice, !covered(options, {Mark::kMetadata, Mark::kProvenance}),
                         holder));
    }
    return {};
}

// Both marks that lie in the pictures of a video, in one pass over them. [GB45438-5.4]
Result<void> apply_to_video(Work& work, const ApplyOptions& options,
                            const PropagationEvidence& traces, const Resources& resources,
                            Holder& holder) {
    internal::VideoTask task{.file = work.file,
                             .words = {},
                             .watermark = options.marks.has(Mark::kWatermark),
                             .content_id = {},
                             .last = !covered(options, {Mark::kMetadata, Mark::kProvenance})};
    if (options.marks.has(Mark::kExplicit)) {
        task.words = TRY(explicit_wording(options, Kind::kVideo));
    }
    if (task.watermark) {
        const std::optional<Number> number = TRY(number_of(work, options, traces));
        task.content_id = number ? std::optional(number->content_id) : std::nullopt;
    }
    internal::VideoMarked marked = TRY(internal::mark_video(task, options, resources, holder));
    add_all(work.applied.findings, marked.findings);
    if (marked.explicit_mark) {
        add_all(work.applied.findings, marked.explicit_mark->findings);
        work.applied.explicit_mark = std::move(marked.explicit_mark);
        work.applied.written.add(Mark::kExplicit);
    }
    if (marked.watermark) {
        if (options.payload == PayloadForm::kLong) {
            warn(work.applied.findings, "watermark.standard",
                 "the watermark holds 64 bits, not 128: it is that of a video");
        }
        work.applied.watermark = std::move(marked.watermark);
        work.applied.written.add(Mark::kWatermark);
    }
    if (marked.changed) {
        work.file = marked.file;
        work.last_held = task.last;
    }
    return {};
}

std::string source_type(Origin origin) {
    constexpr std::string_view kBase = "http://cv.iptc.org/newscodes/digitalsourcetype/";
    switch (origin) {
        case Origin::kGenerated:
            return fmt::format("{}trainedAlgorithmicMedia", kBase);
        case Origin::kEdited:
            return fmt::format("{}compositeWithTrainedAlgorithmicMedia", kBase);
        case Origin::kSuspected:
            break;
    }
    return {};
}

// The label as the strict rules want it. A platform that does not know the producer leaves those
// fields empty, so only its own are checked then.
Result<void> check_label(const AigcLabel& label, bool as_producer) {
    if (as_producer) {
        return check_aigc(label);
    }
    AigcLabel ours = label;
    ours.label = label.label.empty() ? "1" : label.label;
    ours.content_producer = label.content_propagator;
    ours.produce_id = label.propagate_id;
    ours.reserved_code1.clear();
    ours.reserved_code2.clear();
    return check_aigc(ours);
}

Result<void> read_back(Work& work, const AigcLabel& wanted) {
    const Container* container = find_container(work.format);
    const MetadataReading reading = TRY(container->read(work.file));
    const MetadataJudgement judged = judge_metadata(reading, {});
    if (!judged.metadata.found || judged.contradiction || judged.parts_differ ||
        judged.metadata.label != wanted) {
        return Error{ErrorCode::kCorrupt,
                     "the metadata label does not read back as it was written"};
    }
    work.applied.where = judged.metadata.where;
    return {};
}

Result<void> apply_metadata(Work& work, const ApplyOptions& options,
                            const PropagationEvidence& traces, Holder& holder) {
    const Container* container = find_container(work.format);
    const MetadataJudgement before = judge_metadata(TRY(container->read(work.file)), {});
    if (before.parts_differ) {
        return Error{ErrorCode::kUnsupported,
                     "the links of this file carry different labels, and one would replace the "
                     "others; take the links apart and label each"};
    }
    std::optional<AigcLabel> existing;
    if (before.metadata.found) {
        existing = before.metadata.label;
    }
    PropagationEvidence evidence = traces;
    evidence.metadata_says_generated = existing.has_value();
    const AigcLabel own = own_label(options.record, options.reserved_code1);
    ExistingDecision decision = TRY(decide_existing(existing, own, options.existing, evidence));
    TRY(check_label(decision.label, decision.as_producer));
    MetadataFields fields{.aigc = write_aigc(decision.label, Wrapping::kBare), .iptc = {}};
    if (decision.as_producer) {
        fields.iptc.digital_source_type = source_type(options.record.origin);
        fields.iptc.ai_system_used = options.record.system_name;
        fields.iptc.ai_system_version_used = options.record.system_version;
        fields.replaces_system = existing.has_value() || before.unreadable;
    }
    // [GB45438-6.1] Exactly one metadata label: the writer replaces whatever was there.
    const Splice splice = TRY(container->write(work.file, fields));
    TRY(work.replace(splice, !covered(options, {Mark::kProvenance}), holder));
    TRY(read_back(work, decision.label));
    add_all(work.applied.findings, decision.findings);
    work.applied.label = std::move(decision.label);
    work.applied.written.add(Mark::kMetadata);
    return {};
}

Result<void> check_possible(Format format, const ApplyOptions& options) {
    const FormatFacts& row = facts(format);
    if (row.kind == Kind::kVideo && format != Format::kMp4 &&
        covered(options, {Mark::kExplicit, Mark::kWatermark})) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("labels in {} are read, not written, by this version", row.name)};
    }
    if (options.marks.has(Mark::kExplicit) && !takes_explicit_mark(format)) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("this version draws no explicit label in {}; --marks metadata "
                                 "writes the metadata label alone",
                                 row.name)};
    }
    if (options.marks.has(Mark::kWatermark) && !takes_watermark(format)) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("{} takes no watermark in this version", row.name)};
    }
    if (options.marks.has(Mark::kProvenance)) {
        TRY(internal::check_provenance_possible(format, options));
    }
    if (options.marks.empty() && !takes_explicit_mark(format) &&
        find_container(format) == nullptr) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("this version writes nothing into {} but Content Credentials: "
                                 "--marks provenance",
                                 row.name)};
    }
    if (options.marks.empty()) {
        return Error{ErrorCode::kInvalidArgument, "no marks were asked for"};
    }
    const Container* container = find_container(format);
    if (options.marks.has(Mark::kMetadata) && container == nullptr) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("{} has no place for metadata; its label is words in the text: "
                                 "--marks explicit",
                                 row.name)};
    }
    if (options.marks.has(Mark::kMetadata) && container->write == nullptr) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("labels in {} are read, not written, by this version", row.name)};
    }
    return {};
}

// Traces of synthesis that a propagator would see: only looked for when they decide something.
Result<PropagationEvidence> find_traces(const Work& work, const ApplyOptions& options,
                                        const Resources& resources) {
    PropagationEvidence evidence{.user_declares = options.user_declares};
    if (options.existing == ExistingPolicy::kPropagate && !options.user_declares) {
        const Verification seen = TRY(verify(work.file, work.format, {}, resources));
        evidence.explicit_mark_or_traces = seen.propagation != PropagationStatus::kNone;
    }
    return evidence;
}

}  // namespace

Result<Bytes> MemoryHolder::hold(Bytes source, const Splice& splice, bool /*last*/) {
    return Bytes(buffers_.emplace_back(apply_splice(source, splice)));
}

namespace {

class MemorySink final : public media::ByteSink {
public:
    explicit MemorySink(Buffer& buffer) : buffer_(buffer) {}
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        const std::uint64_t end = offset + bytes.size();
        if (end > limits::kVideoHeldBytesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the video becomes larger than the {} bytes that are held "
                                     "in memory",
                                     limits::kVideoHeldBytesMax)};
        }
        buffer_.resize(std::max(buffer_.size(), static_cast<std::size_t>(end)));
        std::ranges::copy(bytes, buffer_.begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }

private:
    Buffer& buffer_;
};

}  // namespace

Result<Bytes> MemoryHolder::hold_stream(const std::function<Result<void>(media::ByteSink&)>& fill) {
    Buffer& buffer = buffers_.emplace_back();
    MemorySink sink(buffer);
    TRY(fill(sink));
    return Bytes(buffer);
}

Result<provenance::WrittenFile> MemoryHolder::write_hashed(
    Bytes source, const Splice& splice, provenance::HashAlgorithm algorithm,
    std::vector<provenance::ByteRange> parts) {
    const Bytes file = buffers_.emplace_back(apply_splice(source, splice));
    auto digests = provenance::FileView(file).digests(algorithm, parts);
    return provenance::WrittenFile{
        .bytes = file,
        .known = {
            .algorithm = algorithm, .parts = std::move(parts), .digests = std::move(digests)}};
}

Result<void> MemoryHolder::overwrite(std::uint64_t offset, Bytes bytes) {
    Buffer& file = buffers_.back();
    COLOPHON_ASSERT(offset <= file.size() && bytes.size() <= file.size() - offset);
    std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset));
    return {};
}

Result<std::string> explicit_wording(const ApplyOptions& options, Kind kind) {
    std::string wording = options.text.empty() ? default_wording(options.profile, options.language,
                                                                 kind, options.record.origin)
                                               : options.text;
    const bool corner = kind == Kind::kText && options.text_place == TextPlace::kCorner;
    if (corner && options.text.empty()) {
        wording = "AI";
    }
    TRY(check_wording(wording, options.profile,
                      corner ? WordingForm::kCornerMark : WordingForm::kFull));
    return wording;
}

namespace {

Result<void> check_fragments(const ApplyOptions& options, const Resources& resources) {
    if (resources.fragments.empty()) {
        return {};
    }
    if (options.marks.has(Mark::kExplicit) || options.marks.has(Mark::kWatermark)) {
        return Error{ErrorCode::kUnsupported,
                     "fragments in files of their own get no words and no watermark: label the "
                     "movie before it is cut, then these with --marks metadata,provenance"};
    }
    if (!options.marks.has(Mark::kProvenance) || options.detached) {
        return Error{ErrorCode::kInvalidArgument,
                     "fragments are labelled with Content Credentials in their initialization "
                     "segment: --marks metadata,provenance"};
    }
    return {};
}

}  // namespace

Result<Applied> apply(Bytes file, Format format, const ApplyOptions& options,
                      const Resources& resources, Holder& holder) {
    TRY(check_possible(format, options));
    TRY(check_fragments(options, resources));
    Work work{.file = file, .format = format, .applied = {}};
    const PropagationEvidence traces = TRY(find_traces(work, options, resources));
    // The container is walked before any codec sees the file: our walkers name the byte that is
    // wrong, and a codec starts on nothing that they refuse.
    if (const Container* container = find_container(format)) {
        TRY(container->read(file));
    }
    // The credential that is there speaks of the file as it came, so it is judged before anything
    // is changed.
    std::optional<provenance::CredentialReading> upstream;
    if (options.marks.has(Mark::kProvenance)) {
        upstream =
            TRY(internal::read_upstream(file, format, options, resources, work.applied.findings));
    }
    if (options.detached && upstream && !internal::is_beside(*upstream)) {
        return Error{ErrorCode::kConflict,
                     "the file carries Content Credentials already; others beside it would "
                     "contradict them"};
    }
    if (facts(format).kind == Kind::kVideo) {
        if (covered(options, {Mark::kExplicit, Mark::kWatermark})) {
            TRY(apply_to_video(work, options, traces, resources, holder));
        }
    } else {
        if (options.marks.has(Mark::kExplicit)) {
            TRY(apply_explicit(work, options, resources, holder));
        }
        if (options.marks.has(Mark::kWatermark)) {
            TRY(apply_watermark(work, options, traces, holder));
        }
    }
    if (options.marks.has(Mark::kMetadata)) {
        TRY(apply_metadata(work, options, traces, holder));
    }
    if (options.marks.has(Mark::kProvenance)) {
        internal::ProvenanceMark marked =
            TRY(internal::apply_provenance({.original = file,
                                            .file = work.file,
                                            .format = format,
                                            .upstream = upstream,
                                            .label = work.applied.label,
                                            .watermark = work.applied.watermark},
                                           options, resources, holder));
        work.file = marked.file;
        work.last_held = work.last_held || !options.detached;
        work.applied.credential = std::move(marked.manifest_label);
        work.applied.detached = std::move(marked.detached);
        work.applied.fragments = std::move(marked.fragments);
        work.applied.written.add(Mark::kProvenance);
        add_all(work.applied.findings, marked.findings);
    }
    if (!work.last_held) {
        // The mark that was to be the last one was there already, or could not be held.
        Splice same;
        same.copy(0, work.file.size());
        TRY(work.replace(same, true, holder));
    }
    work.applied.file = work.file;
    return std::move(work.applied);
}

}  // namespace colophon::label
