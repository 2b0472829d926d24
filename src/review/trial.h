// SPDX-License-Identifier: Apache-2.0
#pragma once

// What entries would have hit: a trial before they are in force [DSP-10].

#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "review/entry_json.h"
#include "review/picture_list.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kTrialSamplesMax = 5;

class Trial {
public:
    // `allowances`: what is in force; of it, the phrases that may pass whatever lies inside them
    // count here too.
    static Result<Trial> create(std::span<const AnyEntry> entries,
                                std::span<const AnyEntry> allowances);

    // `name` is what a sample of a hit is called: a line of a file, the id of a record.
    void add_text(std::string_view text, const Occasion& occasion, const std::string& name);
    void add_picture(std::span<const fingerprint::PdqHash> hashes, const Occasion& occasion,
                     const std::string& name);
    void add_sound(const fingerprint::SoundPrint& sound, const Occasion& occasion,
                   const std::string& name);
    // Entries of pictures and sounds are not tried against videos.
    void add_video(const fingerprint::VideoPrint& video, const Occasion& occasion,
                   const std::string& name);

    struct Seen {
        std::uint64_t contents = 0;  // of the kind that the entry is for
        std::uint64_t hits = 0;      // of them
        std::vector<std::string> samples;
    };
    // Of the entry of that id.
    Seen seen(const std::string& id) const;

private:
    void hit(const std::string& id, const std::string& name);

    std::shared_ptr<const Matcher> texts_;
    PictureList pictures_;
    SoundList sounds_;
    VideoList videos_;
    std::map<std::string, Seen, std::less<>> seen_;  // contents are counted once for all
    std::uint64_t text_count_ = 0;
    std::uint64_t picture_count_ = 0;
    std::uint64_t sound_count_ = 0;
    std::uint64_t video_count_ = 0;
};

}  // namespace colophon::review
