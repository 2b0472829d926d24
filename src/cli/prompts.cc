// SPDX-License-Identifier: Apache-2.0
#include "cli/prompts.h"

#include "cli/files.h"
#include "core/bytes.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/audio.h"
#include "label/explicit/wording.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/record.h"
#include "media/speech.h"
#include "worker/client.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::size_t kRecordingBytesMax = 64U << 20U;

// The voice follows from the words alone, so that verification speaks what labelling spoke:
// Mandarin when any character is Chinese (their UTF-8 begins with E4 to E9).
label::Language voice_of(std::string_view wording) {
    return wording.find_first_of("\xE4\xE5\xE6\xE7\xE8\xE9") == std::string_view::npos
               ? label::Language::kEn
               : label::Language::kZh;
}

Result<media::SpokenPcm> speak_or_load(const std::string& recording, const std::string& wording,
                                       label::Language language) {
    if (!recording.empty()) {
        const std::string bytes = TRY(read_small_file(recording, kRecordingBytesMax));
        auto loaded = media::load_recording(as_bytes(bytes));
        return loaded.ok() ? std::move(loaded) : with_context(loaded.error(), recording);
    }
    media::SpeechOptions options;
    options.language = language == label::Language::kZh ? media::SpeechLanguage::kMandarin
                                                        : media::SpeechLanguage::kEnglish;
    return media::speak(wording, options);
}

}  // namespace

Result<std::shared_ptr<const label::SpokenPrompt>> Prompts::prompt(const std::string& wording) {
    const std::lock_guard lock(mutex_);
    if (const auto found = made_.find(wording); found != made_.end()) {
        return found->second;
    }
    media::SpokenPcm pcm = TRY(speak_or_load(recording_, wording, voice_of(wording)));
    auto made = std::make_shared<const label::SpokenPrompt>(
        label::SpokenPrompt{.text = wording, .rate = pcm.rate, .samples = std::move(pcm.samples)});
    made_.emplace(wording, made);
    return made;
}

Result<void> Prompts::give(worker::Worker& worker, const label::SpokenPrompt& prompt) {
    {
        const std::lock_guard lock(mutex_);
        given_[&worker].insert(prompt.text);
        std::string& newest = newest_[&worker];
        if (newest == prompt.text) {
            return {};
        }
        newest = prompt.text;
    }
    return worker.set_prompt(prompt);
}

Result<void> Prompts::prepare_label(worker::Worker& worker, const label::ApplyOptions& options,
                                    label::Format format) {
    const bool spoken = label::facts(format).kind == label::Kind::kAudio &&
                        options.marks.has(label::Mark::kExplicit) &&
                        options.sound_form == label::SoundForm::kSpoken;
    if (!spoken) {
        return {};
    }
    const std::string wording = TRY(label::explicit_wording(options, label::Kind::kAudio));
    const auto made = TRY(prompt(wording));
    return give(worker, *made);
}

void Prompts::prepare_verify(worker::Worker& worker, label::Format format) {
    if (label::facts(format).kind != label::Kind::kAudio) {
        return;
    }
    for (const std::string& wording : label::known_wordings(label::Kind::kAudio)) {
        {
            const std::lock_guard lock(mutex_);
            if (given_[&worker].contains(wording)) {
                continue;
            }
        }
        const auto made = prompt(wording);
        if (!made.ok() || !give(worker, **made).ok()) {
            return;
        }
    }
}

}  // namespace colophon::cli
