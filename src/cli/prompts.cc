// SPDX-License-Identifier: Apache-2.0
#include "cli/prompts.h"

#include "cli/files.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/audio.h"
#include "label/explicit/wording.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/record.h"
#include "media/speech.h"
#include "worker/channel.h"
#include "worker/client.h"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

// The voice follows from the words alone, so that verification speaks what labelling spoke:
// Mandarin when any character is Chinese (their UTF-8 begins with E4 to E9).
label::Language voice_of(std::string_view wording) {
    return wording.find_first_of("\xE4\xE5\xE6\xE7\xE8\xE9") == std::string_view::npos
               ? label::Language::kEn
               : label::Language::kZh;
}

Result<media::SpokenPcm> say(const std::string& wording, label::Language language) {
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
    media::SpokenPcm pcm = TRY(say(wording, voice_of(wording)));
    auto made = std::make_shared<const label::SpokenPrompt>(
        label::SpokenPrompt{.text = wording, .rate = pcm.rate, .samples = std::move(pcm.samples)});
    made_.emplace(wording, made);
    return made;
}

bool Prompts::is_newest(const worker::Worker& worker, const std::string& text) {
    const std::lock_guard lock(mutex_);
    return newest_[&worker] == text;
}

bool Prompts::was_given(const worker::Worker& worker, const std::string& text) {
    const std::lock_guard lock(mutex_);
    return given_[&worker].contains(text);
}

void Prompts::note_given(const worker::Worker& worker, const std::string& text) {
    const std::lock_guard lock(mutex_);
    given_[&worker].insert(text);
    newest_[&worker] = text;
}

Result<void> Prompts::give(worker::Worker& worker, const label::SpokenPrompt& prompt) {
    if (!is_newest(worker, prompt.text)) {
        TRY(worker.set_prompt(prompt));
        note_given(worker, prompt.text);
    }
    return {};
}

Result<void> Prompts::give_recording(worker::Worker& worker, const std::string& path,
                                     const std::string& text) {
    const worker::Fd file = TRY(open_input(path));
    const auto given = worker.set_recording(file.get(), text);
    if (!given.ok()) {
        return with_context(given.error(), path);
    }
    note_given(worker, text);
    return {};
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
    if (!recordings_.empty()) {
        return is_newest(worker, wording) ? Result<void>()
                                          : give_recording(worker, recordings_.front(), wording);
    }
    const auto made = TRY(prompt(wording));
    return give(worker, *made);
}

Result<void> Prompts::prepare_verify(worker::Worker& worker, label::Format format) {
    if (label::facts(format).kind != label::Kind::kAudio) {
        return {};
    }
    for (const std::string& path : recordings_) {
        // What it says is not known here; its name tells the reader of a report which one it is.
        const std::string text = std::filesystem::path(path).filename().string();
        if (!was_given(worker, text)) {
            TRY(give_recording(worker, path, text));
        }
    }
    for (const std::string& wording : label::known_wordings(label::Kind::kAudio)) {
        if (was_given(worker, wording)) {
            continue;
        }
        const auto made = prompt(wording);
        if (!made.ok() || !give(worker, **made).ok()) {
            return {};
        }
    }
    return {};
}

}  // namespace colophon::cli
