// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts the marks on a file, in the order in which each covers the ones before, and reads them back.
// A label that cannot be read back is an error, never a warning: the file does not go out.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/splice.h"
#include "label/existing.h"
#include "label/explicit/audio.h"
#include "label/explicit/image.h"
#include "label/explicit/reading.h"
#include "label/explicit/text.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/plan.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/validate.h"
#include "label/record.h"
#include "label/verify.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"
#include "media/video_transcode.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label {

struct ApplyOptions {
    LabelRecord record;
    Profile profile = Profile::kCn;
    Language language = Language::kZh;
    MarkSet marks;     // of those that this version writes
    MarkSet optional;  // of these: a picture that cannot hold one gets a finding, not an error
    std::string text;  // wording of the explicit label; empty: the default of the profile
    ImagePlace image_place = ImagePlace::kBottomRight;
    TextPlace text_place = TextPlace::kBoth;
    SoundForm sound_form = SoundForm::kSpoken;
    SoundPlace sound_place = SoundPlace::kStart;
    ExistingPolicy existing = ExistingPolicy::kComplete;
    bool user_declares = false;
    // ReservedCode1 for own_label(record): made outside, where the signing key is.
    std::string reserved_code1;
    WatermarkKey watermark_key = published_watermark_key();
    IssuerId issuer;  // of the watermark
    // kLong: the watermark of pictures names the producer where they hold it
    // (WatermarkOptions::form).
    PayloadForm payload = PayloadForm::kStandard;
    // For Content Credentials: random numbers, and by whom the one that is there is judged.
    std::array<std::uint8_t, 16> manifest_id{};
    std::array<std::uint8_t, 16> instance_id{};
    provenance::Trust credentials;
    // The credential is not put into the file but given back as Applied::detached.
    bool detached = false;
    // Resources::credential counts as that of the file, whatever the file carries.
    bool detached_counts = false;
    provenance::BindingWish binding = provenance::BindingWish::kUsual;
};

// Where the intermediate and the final file live; the last one held is the result. In a library
// call that is memory, in a worker it is files, so that a gigabyte never passes through the heap.
class Holder : public provenance::HashingOutput {
public:
    // The file that `splice` makes of `source`, readable until the holder goes. `last`: this is the
    // result.
    // Instead of hold() write_hashed() may make it.
    virtual Result<Bytes> hold(Bytes source, const Splice& splice, bool last) = 0;
    // The intermediate file that `fill` writes, for what is made in a stream. Of these and of what
    // hold() gives when it is not the last, only the newest two are readable.
    virtual Result<Bytes> hold_stream(
        const std::function<Result<void>(media::ByteSink&)>& fill) = 0;
};

class MemoryHolder final : public Holder {
public:
    Result<Bytes> hold(Bytes source, const Splice& splice, bool last) override;
    Result<Bytes> hold_stream(const std::function<Result<void>(media::ByteSink&)>& fill) override;
    Result<provenance::WrittenFile> write_hashed(Bytes source, const Splice& splice,
                                                 provenance::HashAlgorithm algorithm,
                                                 std::vector<provenance::ByteRange> parts) override;
    Result<void> overwrite(std::uint64_t offset, Bytes bytes) override;

private:
    std::deque<Buffer> buffers_;
};

struct Applied {
    Bytes file;  // the labelled file, owned by the holder
    MarkSet written;
    std::optional<ExplicitReading> explicit_mark;
    std::optional<WatermarkVerification> watermark;
    std::optional<AigcLabel> label;
    std::string where;              // of the metadata label
    std::string credential;         // label of the C2PA manifest; empty when none was written
    Buffer detached;                // its manifest store, when it is to lie beside the file
    std::vector<Splice> fragments;  // what becomes of Resources::fragments, in their order
    Findings findings;
};

// With Resources::fragments `file` is the initialization segment, in which the marks stand; words
// and watermarks need the pictures, which cannot be coded again piece by piece. kUnsupported: the
// format takes no label, or not this mark. kInvalidArgument: the options break a rule of the
// standard. kCorrupt, kLimit: the file. kConflict: see decide_existing().
Result<Applied> apply(Bytes file, Format format, const ApplyOptions& options,
                      const Resources& resources, Holder& holder);

// The wording that apply() uses, checked: options.text or the default.
Result<std::string> explicit_wording(const ApplyOptions& options, Kind kind);

}  // namespace colophon::label
