// SPDX-License-Identifier: Apache-2.0
#include "gateway/media_label.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "core/task.h"
#include "fingerprint/pdq.h"
#include "gateway/call.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "label/apply.h"
#include "label/metadata/aigc.h"
#include "ledger/likeness.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "worker/prints.h"
#include "worker/spool.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace colophon::gateway {

label::ApplyOptions apply_options(const Call& call) {
    label::ApplyOptions options;
    options.record = label_record(call);
    options.profile = call.settings->label.profile;
    options.language = call.settings->label.language;
    options.text = call.settings->label.text;
    options.watermark_key = call.settings->label.watermark_key;
    options.issuer = call.settings->label.issuer;
    options.payload = call.settings->label.payload;
    return options;
}

namespace {

// By which records of near copies are found. More files than a record has room for are still found
// by their digests.
void add_prints(Call& call, const worker::FilePrints& made) {
    std::vector<ledger::Print> prints;
    if (made.picture && made.picture->quality >= fingerprint::kPdqQualityMin) {
        prints.push_back(ledger::picture_print(made.picture->hashes.front()));
    }
    if (made.video) {
        prints = ledger::video_prints(*made.video);
    }
    if (made.sound) {  // also that of a video
        std::ranges::move(ledger::sound_prints(*made.sound), std::back_inserter(prints));
    }
    for (ledger::Print& each : prints) {
        if (call.prints.size() + 1 < ledger::kRecordPrintsMax) {  // one is for the text
            call.prints.push_back(std::move(each));
        }
    }
}

// What a worker makes of the file, with its digest.
struct Made {
    Media::Labelled labelled;
    Digest256 digest{};
};

Result<Made> apply_label(Gateway& gateway, const Call& call, const worker::SpooledFile& file,
                         const std::string& name, const Media::Progress& progress) {
    const ExplicitLabel visible =
        call.unlabelled ? ExplicitLabel::kLeftOut : ExplicitLabel::kAsOwed;
    Made made{.labelled = TRY(
                  gateway.parts().media.label(file, name, apply_options(call), visible, progress))};
    // Hashing a video takes a second: in the worker's thread too.
    made.digest = TRY(made.labelled.file.sha256());
    return made;
}

// What the call keeps of it.
void note_labelled(Call& call, const Made& made) {
    const Media::Labelled& labelled = made.labelled;
    if (labelled.report.label) {
        call.aigc = label::write_aigc(*labelled.report.label, label::Wrapping::kBare);
        call.facts().label = call.aigc;
    }
    call.record.content_digests.push_back(made.digest);
    add_prints(call, labelled.prints);
    keep_labelled(call, labelled);
}

void note_time(Call& call, SteadyTime began) {
    call.facts().durations.label_ms =
        call.facts().durations.label_ms.value_or(0) + milliseconds_since(began);
}

}  // namespace

Task<Result<Media::Labelled>> label_file(Gateway& gateway, Call& call,
                                         const worker::SpooledFile& file, std::string name,
                                         Media::Progress progress) {
    const SteadyTime began = std::chrono::steady_clock::now();
    const auto apply = [&] { return apply_label(gateway, call, file, name, progress); };
    auto made = co_await gateway.parts().workers.run(call.loop(), apply);
    note_time(call, began);
    if (!made.ok()) {
        co_return made.error();
    }
    note_labelled(call, *made);
    co_return std::move(made->labelled);
}

Task<Result<LabelledContent>> label_content(Gateway& gateway, Call& call, Buffer content) {
    const SteadyTime began = std::chrono::steady_clock::now();
    LabelledContent out;
    const auto apply = [&]() -> Result<Made> {
        const worker::SpooledFile file = TRY(gateway.parts().spool.hold(content));
        content = {};
        Made made = TRY(apply_label(gateway, call, file, {}, {}));
        out.content = TRY(made.labelled.file.content());
        return made;
    };
    const auto made = co_await gateway.parts().workers.run(call.loop(), apply);
    note_time(call, began);
    if (!made.ok()) {
        co_return made.error();
    }
    out.format = made->labelled.format;
    note_labelled(call, *made);
    co_return out;
}

Refusal label_failure(const Error& error) {
    // What the model gave is no file: not our failure, and asking again may help.
    if (error.code == ErrorCode::kCorrupt) {
        return upstream_failure(error);
    }
    Refusal refusal = own_failure("label_failed",
                                  "the answer could not be labelled, so it is not "
                                  "given out: " +
                                      error.what);
    if (error.code == ErrorCode::kLimit) {
        refusal.code = "busy";
    }
    return refusal;
}

}  // namespace colophon::gateway
