// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads every mark of a file and judges. Absence and damage are verdicts, never errors; an error
// means that the file itself could not be read.

#include "core/bytes.h"
#include "core/ids.h"
#include "label/explicit/audio.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/propagation.h"
#include "label/provenance/hashing.h"
#include "label/provenance/validate.h"
#include "label/watermark/detect.h"
#include "label/watermark/key.h"
#include "label/watermark/picture.h"
#include "label/watermark/video.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

namespace provenance {
class ClaimSigner;
}

// [DSP-18] What verification says about a label that somebody may have deleted, altered or hidden.
enum class Verdict : std::uint8_t {
    kIntact,      // the marks are there and nothing speaks against them
    kAltered,     // a signature does not fit what it signs
    kStripped,    // a mark is gone while another one, or who asks, knows that it belongs there
    kForged,      // marks contradict each other, or name a provider that cannot exist
    kAbsent,      // no mark
    kUnreadable,  // there is a mark, but nothing can be made of it
};

std::string_view verdict_name(Verdict verdict) noexcept;  // "intact", ...
std::optional<Verdict> parse_verdict(std::string_view text) noexcept;

struct MetadataVerification {
    bool found = false;
    AigcLabel label;
    std::optional<ContentId> content_id;  // when ProduceID is one of ours
    std::string where;
    std::uint64_t offset = 0;
    std::size_t sites = 0;  // how many labels the file holds; a conforming one holds one
    SignatureState signature = SignatureState::kNone;
    bool trusted = false;
    std::string key_id;
    IptcFields iptc;
};

struct WatermarkVerification {
    WatermarkReading reading;
    WatermarkStrength strength = WatermarkStrength::kFragile;  // when found
    // Of videos: the parts that carry a mark, and how many seconds there are.
    std::vector<MarkedRange> ranges;
    double seconds = 0;
};

struct Verification {
    Format format = Format::kPlainText;
    Verdict verdict = Verdict::kAbsent;
    std::optional<ExplicitReading> explicit_mark;    // nothing: not looked at
    std::optional<MetadataVerification> metadata;    // nothing: the format has no place for it
    std::optional<WatermarkVerification> watermark;  // nothing: not looked for
    std::optional<provenance::CredentialReading> provenance;  // nothing: as above; without `store`
    std::string manifest;  // crJSON, when it was asked for and there is a credential
    PropagationStatus propagation = PropagationStatus::kNone;  // [AILM-6]
    Findings findings;
};

// What came of fetching the credential that a file names (provenance::find_credential_link); its
// bytes are Resources::credential.
struct FetchedCredential {
    std::string from;
    std::string failure;  // why there is none; empty: it was fetched
};

struct VerifyOptions {
    MarkSet marks = MarkSet()
                        .add(Mark::kExplicit)
                        .add(Mark::kWatermark)
                        .add(Mark::kMetadata)
                        .add(Mark::kProvenance);  // what to look at
    // What the service writes from which the file is said to come: one of them that is missing
    // while another is there was removed. Empty: nobody knows, and a subset is as good as the
    // whole.
    MarkSet expected;
    std::vector<TrustedKey> trusted;
    std::vector<std::string> wordings;  // looked for in pictures besides the known ones
    bool user_declares = false;         // the uploader said that the content is synthetic
    std::vector<WatermarkKey> watermark_keys{published_watermark_key()};
    DetectEffort effort = DetectEffort::kThorough;  // of the search for a watermark
    provenance::Trust credentials;  // whom to trust in Content Credentials, and when that is
    bool manifest = false;          // whether to render the credential as crJSON
    // Resources::credential counts whatever the file carries; otherwise only where it carries none.
    bool detached_counts = false;
    // Nothing: not fetched, whatever the file names.
    std::optional<FetchedCredential> fetched;
};

// What the detectors need and no pure function can fetch.
struct Resources {
    Bytes font;                         // for pictures; empty: explicit marks are not looked for
    std::vector<SpokenPrompt> prompts;  // for sound
    provenance::ClaimSigner* signer = nullptr;  // for Content Credentials
    Bytes credential;                           // a manifest store from beside the file; or empty
    // Of a movie whose fragments lie in files of their own, the file being its initialization
    // segment: all of them. Empty: the file is whole.
    std::vector<Bytes> fragments;
    provenance::PageRelease release;  // of the file's pages, when it is mapped
    // Told now and then how far a long call is, 0 .. 1, never less than before.
    std::function<void(double)> progress;
};

Result<Verification> verify(Bytes file, Format format, const VerifyOptions& options,
                            const Resources& resources);

// The first readable label among the sites, with everything that was noticed on the way.
struct MetadataJudgement {
    MetadataVerification metadata;
    bool unreadable = false;     // sites or damaged ones, but none can be read
    bool contradiction = false;  // two labels, or label and IPTC, say different things
    bool parts_differ = false;   // the links of a chained file carry labels of different origin
    Findings findings;
};
MetadataJudgement judge_metadata(const MetadataReading& reading,
                                 const std::vector<TrustedKey>& trusted);

}  // namespace colophon::label
