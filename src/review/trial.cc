// SPDX-License-Identifier: Apache-2.0
#include "review/trial.h"

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/text_scan.h"
#include "review/video_list.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {

Result<Trial> Trial::create(std::span<const AnyEntry> entries,
                            std::span<const AnyEntry> allowances) {
    EntryList list;
    Trial trial;
    for (const AnyEntry& each : entries) {
        trial.seen_.try_emplace(entry_id(each));
        add_entry(each, list);
    }
    for (const AnyEntry& each : allowances) {
        const auto* text = std::get_if<Entry>(&each);
        if (text != nullptr && text->action == Decision::kAllow &&
            !trial.seen_.contains(text->id)) {
            list.texts.push_back(*text);
        }
    }
    trial.texts_ = std::make_shared<const Matcher>(TRY(Matcher::compile(std::move(list.texts))));
    trial.pictures_ = TRY(PictureList::create(std::move(list.pictures)));
    trial.sounds_ = TRY(SoundList::create(std::move(list.sounds)));
    trial.videos_ = TRY(VideoList::create(std::move(list.videos)));
    return trial;
}

void Trial::hit(const std::string& id, const std::string& name) {
    const auto found = seen_.find(id);
    if (found == seen_.end()) {
        return;
    }
    ++found->second.hits;
    if (found->second.samples.size() < kTrialSamplesMax) {
        found->second.samples.push_back(name);
    }
}

void Trial::add_text(std::string_view text, const Occasion& occasion, const std::string& name) {
    ++text_count_;
    TextScan scan(texts_, occasion);
    scan.push(text);
    scan.finish();
    std::set<std::uint32_t> entries;
    while (const auto match = scan.next()) {
        entries.insert(match->entry);
    }
    for (const std::uint32_t entry : entries) {
        hit(texts_->entries()[entry].id, name);
    }
}

void Trial::add_picture(std::span<const fingerprint::PdqHash> hashes, const Occasion& occasion,
                        const std::string& name) {
    ++picture_count_;
    for (const PictureMatch& match : pictures_.find(hashes, occasion)) {
        hit(match.entry->id, name);
    }
}

void Trial::add_sound(const fingerprint::SoundPrint& sound, const Occasion& occasion,
                      const std::string& name) {
    ++sound_count_;
    for (const SoundMatch& match : sounds_.find(sound, occasion)) {
        hit(match.entry->id, name);
    }
}

void Trial::add_video(const fingerprint::VideoPrint& video, const Occasion& occasion,
                      const std::string& name) {
    ++video_count_;
    for (const VideoMatch& match : videos_.find(video, occasion)) {
        hit(match.entry->id, name);
    }
}

Trial::Seen Trial::seen(const std::string& id) const {
    const auto found = seen_.find(id);
    Seen seen = found == seen_.end() ? Seen() : found->second;
    const bool is_picture =
        std::ranges::find(pictures_.entries(), id, &PictureEntry::id) != pictures_.entries().end();
    const bool is_sound =
        std::ranges::find(sounds_.entries(), id, &SoundEntry::id) != sounds_.entries().end();
    const bool is_video =
        std::ranges::find(videos_.entries(), id, &VideoEntry::id) != videos_.entries().end();
    seen.contents = is_picture ? picture_count_
                    : is_sound ? sound_count_
                    : is_video ? video_count_
                               : text_count_;
    return seen;
}

}  // namespace colophon::review
