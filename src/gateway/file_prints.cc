// SPDX-License-Identifier: Apache-2.0
#include "gateway/file_prints.h"

#include "core/bytes.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/parts.h"
#include "gateway/settings.h"
#include "label/format.h"
#include "ledger/file_prints.h"
#include "ledger/record.h"
#include "review/review.h"
#include "review/scope.h"
#include "worker/prints.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::string_view kNoPrint = "no print could be made of it";
constexpr std::string_view kUnheard = "its sound cannot be decoded";

// Whether its print was made before it was labelled, for whatever reason.
bool was_printed(const Call& call, label::Kind kind) {
    const review::Reviewer& reviewer = *call.settings->reviewer;
    switch (kind) {
        case label::Kind::kImage:
            return reviewer.has_pictures() ||
                   call.settings->picture_prints == PicturePrints::kAlways;
        case label::Kind::kAudio:
            return reviewer.has_sounds();
        case label::Kind::kVideo:
            return reviewer.has_videos();
        default:
            return true;  // it is said elsewhere what becomes of those
    }
}

}  // namespace

ledger::FilePrint print_of_file(const worker::FilePrints& prints, label::Kind kind) {
    if (prints.video) {
        ledger::FilePrint file =
            ledger::video_file(*prints.video, prints.sound ? &*prints.sound : nullptr);
        file.lacks = prints.sound_unread ? kUnheard : std::string_view();
        return file;
    }
    if (prints.picture) {
        return ledger::picture_file(prints.picture->hashes);
    }
    if (prints.sound) {
        return ledger::sound_file(*prints.sound);
    }
    const char* name = kind == label::Kind::kImage   ? ledger::kPictureFile
                       : kind == label::Kind::kVideo ? ledger::kVideoFile
                                                     : ledger::kSoundFile;
    return ledger::file_without_print(name, std::string(kNoPrint));
}

void keep_print(Call& call, review::Stage stage, ledger::FilePrint file) {
    file.stage = review::stage_name(stage);
    ledger::keep_file(call.record.personal, std::move(file));
}

void keep_unprinted(Call& call, review::Stage stage, std::string kind, const std::string& why) {
    keep_print(call, stage, ledger::file_without_print(std::move(kind), why));
}

void keep_unlooked(Call& call, const char* kind, std::size_t files) {
    for (std::size_t i = 0; i < std::min(files, ledger::kRecordFilesMax); ++i) {
        keep_unprinted(call, review::Stage::kInput, kind,
                       "the call was refused before anybody looked at it");
    }
}

Task<void> print_picture(Gateway& gateway, Call& call, review::Stage stage, Bytes picture) {
    if (call.settings->picture_prints != PicturePrints::kAlways) {
        if (stage == review::Stage::kInput) {  // what goes out has one with its label
            keep_unprinted(call, stage, ledger::kPictureFile,
                           "the library had no pictures, and prints were made where it has");
        }
        co_return;
    }
    const auto hash = [&] { return gateway.parts().media.picture_hashes(picture); };
    const auto hashes = co_await gateway.parts().workers.run(call.loop(), hash);
    if (hashes.ok()) {
        keep_print(call, stage, ledger::picture_file(*hashes));
    } else {
        keep_unprinted(call, stage, ledger::kPictureFile, hashes.error().what);
    }
}

void keep_labelled(Call& call, const Media::Labelled& labelled) {
    const label::Kind kind = label::facts(labelled.format).kind;
    if (was_printed(call, kind)) {
        return;
    }
    ledger::FilePrint file = print_of_file(labelled.prints, kind);
    file.labelled = !file.print.empty();
    if (file.labelled && kind == label::Kind::kImage) {
        file.lacks = ledger::kBeforeLabel;
    }
    // What has no model came in, to go out again.
    keep_print(call, call.model == nullptr ? review::Stage::kBoth : review::Stage::kOutput,
               std::move(file));
}

}  // namespace colophon::gateway
