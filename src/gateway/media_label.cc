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

}  // namespace

Task<Result<Media::Labelled>> label_file(Gateway& gateway, Call& call, Buffer file,
                                         std::string name, Media::Progress progress) {
    const label::ApplyOptions options = apply_options(call);
    const ExplicitLabel visible =
        call.unlabelled ? ExplicitLabel::kLeftOut : ExplicitLabel::kAsOwed;
    Digest256 digest{};
    // Hashing a video takes a second: in the worker's thread too.
    const auto apply = [&] {
        auto made = gateway.parts().media.label(file, name, options, visible, progress);
        if (made.ok()) {
            digest = sha256(made->file);
        }
        return made;
    };
    const auto began = std::chrono::steady_clock::now();
    auto labelled = co_await gateway.parts().workers.run(call.loop(), apply);
    call.facts().durations.label_ms =
        call.facts().durations.label_ms.value_or(0) + milliseconds_since(began);
    if (!labelled.ok()) {
        co_return labelled.error();
    }
    if (labelled->report.label) {
        call.aigc = label::write_aigc(*labelled->report.label, label::Wrapping::kBare);
        call.facts().label = call.aigc;
    }
    call.record.content_digests.push_back(digest);
    add_prints(call, labelled->prints);
    keep_labelled(call, *labelled);
    co_return labelled;
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
