// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the gateway is built from. All of it outlives the gateway.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/metrics.h"
#include "core/random.h"
#include "core/result.h"
#include "core/thread_pool.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "governance/agreements.h"
#include "identity/budgets.h"
#include "identity/caches.h"
#include "label/apply.h"
#include "label/metadata/aigc.h"
#include "label/verify.h"
#include "ledger/answers.h"
#include "ledger/content_ids.h"
#include "ledger/media_jobs.h"
#include "ledger/records.h"
#include "review/queue.h"
#include "worker/frames.h"
#include "worker/prints.h"
#include "worker/protocol.h"
#include "worker/spool.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

// Sound files that are made on this machine.
enum class SoundFormat : std::uint8_t { kWav, kMp3, kFlac, kOpus, kM4a };

// Left out under an agreement with the user only [AILM-9]; the other marks are owed all the same.
enum class ExplicitLabel : std::uint8_t { kAsOwed, kLeftOut };

// The workers that label and verify files, and the voice. Every method blocks and may be called by
// several threads at once.
class Media {
public:
    Media() = default;
    Media(const Media&) = delete;
    Media& operator=(const Media&) = delete;
    Media(Media&&) = delete;
    Media& operator=(Media&&) = delete;
    virtual ~Media() = default;

    struct Labelled {
        worker::SpooledFile file;
        label::Format format = label::Format::kPlainText;
        worker::LabelReport report;
        worker::FilePrints prints;  // empty for what has none, or where none could be made
    };
    // 0 .. 1, now and then, from the thread that calls; of videos only. May be empty.
    using Progress = std::function<void(double)>;
    // What kind of file that is; kUnsupported when it is none that is known. `name` as for label().
    virtual Result<label::Format> probe(const worker::SpooledFile& file, std::string_view name) = 0;
    // Adds to `options` what the format owes of marks, and the signature. `name` helps to tell
    // texts apart and may be empty.
    virtual Result<Labelled> label(const worker::SpooledFile& file, std::string_view name,
                                   label::ApplyOptions options, ExplicitLabel explicit_label,
                                   const Progress& progress) = 0;
    virtual Result<label::Verification> verify(const worker::SpooledFile& file,
                                               std::string_view name,
                                               label::VerifyOptions options) = 0;
    // ReservedCode1 for a label that stands in no file; empty when labels are not signed.
    virtual Result<std::string> sign(const label::AigcLabel& label) = 0;
    // The text as speech of this machine.
    struct Voice {
        std::string name;  // of the synthesizer; empty: as the text's language asks
        double speed = 1.0;
    };
    // What pictures are compared by: the hashes of this one as it is, turned and mirrored.
    // kUnsupported for what is no picture, or one of which no hash is made.
    virtual Result<std::vector<fingerprint::PdqHash>> picture_hashes(
        const worker::SpooledFile& file) = 0;
    // What videos are compared by: `video`, and `sound` or `sound_unread` where there is sound.
    // kUnsupported for what is no video, or one of which no print is made.
    virtual Result<worker::FilePrints> video_prints(const worker::SpooledFile& file) = 0;
    // What sounds are compared by. kUnsupported for what is no sound.
    virtual Result<fingerprint::SoundPrint> sound_print(const worker::SpooledFile& file) = 0;
    // Pictures spread over a video, as PNG, at most worker::kFramesMax. kUnsupported for what is no
    // video.
    virtual Result<std::vector<worker::FileFrame>> video_frames(
        const worker::SpooledFile& file) = 0;
    virtual Result<Buffer> speak(std::string_view text, const Voice& voice, SoundFormat format) = 0;

    // The same of what is in memory.
    Result<std::vector<fingerprint::PdqHash>> picture_hashes(Bytes file);
    Result<worker::FilePrints> video_prints(Bytes file);
    Result<fingerprint::SoundPrint> sound_print(Bytes file);
};

// One line for the log of the service, in the form of an access log. No personal data.
using AccessLog = std::function<void(const std::string& line)>;

struct Parts {
    Clock& clock;
    Random& random;
    identity::KeyCache& keys;
    identity::SubjectCache& subjects;
    ledger::Records& records;
    ledger::ContentIds& content_ids;
    identity::Budgets* budgets;    // nothing: this node counts for itself
    ledger::KeptAnswers& answers;  // for idempotency keys
    ledger::MediaJobs& jobs;       // videos that are being made
    review::ReviewQueue& queue;    // of what was held
    ThreadPool& blocking;          // for the store
    ThreadPool& workers;           // for Media
    Media& media;
    const worker::Spool& spool;  // for files of callers, and for what is made of them
    // A verification as `colophon verify --json` writes it.
    std::function<json::Value(const std::string& name, const label::Verification& seen)>
        verification_json;
    // A text, which ends with a line feed, as a note signed by the keys of the service's log;
    // blocks.
    std::function<Result<std::string>(std::string_view text)> sign_note;
    // Told of each entry of the feature library that matched in a call, by its id.
    std::function<void(std::span<const std::string> entries)> count_hits;
    Metrics& metrics;
    AccessLog access_log;
    // The agreement under which this user gets content without its explicit label; blocks.
    std::function<Result<std::optional<governance::Covering>>(const TenantId&, const SubjectId&)>
        covering;
    // Moves what a record does not hold out of it, into blobs; blocks.
    std::function<Result<void>(ledger::ServiceRecord&)> move_out;
};

}  // namespace colophon::gateway
