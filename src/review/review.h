// SPDX-License-Identifier: Apache-2.0
#pragma once

// What content that goes in or comes out is judged to be [DSP-10]. A reviewer does not change; new
// rules are a new reviewer, and calls that are going on end with theirs.

#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "review/classifier.h"
#include "review/entry.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/policy.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/text_scan.h"
#include "review/video_list.h"
#include "review/window_scan.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kVerdictEntriesMax = 64;

struct Verdict {
    Decision decision = Decision::kAllow;
    std::string category;              // empty when allowed
    std::string rule;                  // which entry of which version; never the word itself
    std::string reply;                 // what the entry says instead, if anything
    std::vector<std::string> entries;  // the first that matched, by their ids
    std::optional<double> score;       // the highest that the classifier gave, if there is one
    bool blocked() const noexcept {
        return decision == Decision::kBlock || decision == Decision::kHold;
    }
};

// What looks at texts besides the entries, and what follows when it is over its threshold.
struct ClassifierRule {
    std::shared_ptr<const Classifier> classifier;
    Decision action = Decision::kFlag;
    std::optional<double> own_threshold = std::nullopt;  // instead of the classifier's

    double threshold() const noexcept {
        return own_threshold || classifier == nullptr ? own_threshold.value_or(1)
                                                      : classifier->threshold();
    }
};

class Reviewer {
public:
    explicit Reviewer(Matcher matcher, PictureList pictures = {}, ClassifierRule classifier = {},
                      SoundList sounds = {}, VideoList videos = {});

    // The same rules, with other ones of the classifier for some calls.
    std::shared_ptr<const Reviewer> under(std::vector<PolicyRule> policies) const;
    const std::vector<PolicyRule>& policies() const noexcept { return *policies_; }

    // The same rules for content of which this is known. Without, every entry is for it, and the
    // usual holds.
    std::shared_ptr<const Reviewer> on(Occasion occasion) const;

    // The same rules after a person has looked: what they hold is let go, what they block is not.
    std::shared_ptr<const Reviewer> letting_holds_go() const;
    // Whether any rule of these holds anything.
    bool may_hold() const noexcept {
        return entries_hold_ ||
               (classifier_.classifier != nullptr && classifier_.action == Decision::kHold);
    }

    // The strictest of all entries that match, and of the classifier.
    Verdict review(std::string_view text) const;
    // Of a picture, from its hashes as it is, turned and mirrored.
    Verdict review(std::span<const fingerprint::PdqHash> picture) const;
    bool has_pictures() const noexcept { return !pictures_->entries().empty(); }
    Verdict review(const fingerprint::SoundPrint& sound) const;
    bool has_sounds() const noexcept { return !sounds_->entries().empty(); }
    // Of a video: all of it by the videos, its pictures by the pictures, its sound by the sounds;
    // nullptr when it has none.
    Verdict review(const fingerprint::VideoPrint& video,
                   const fingerprint::SoundPrint* sound) const;
    // Whether anything is for videos: then they have to be decoded.
    bool has_videos() const noexcept {
        return !videos_->entries().empty() || has_pictures() || has_sounds();
    }
    // What stands behind a verdict on prints: find() says how near which entry is.
    const PictureList& pictures() const noexcept { return *pictures_; }
    const SoundList& sounds() const noexcept { return *sounds_; }
    const VideoList& videos() const noexcept { return *videos_; }
    // Of all rules: goes into the service record.
    const std::string& version() const noexcept { return version_; }
    const std::shared_ptr<const Matcher>& matcher() const noexcept { return matcher_; }
    const Occasion& occasion() const noexcept { return occasion_; }

    const ClassifierRule& classifier() const noexcept { return classifier_; }

    // Adds what a match means to what is known, or that the classifier is over its threshold.
    void add(const Match& match, Verdict& verdict) const;
    void add_classified(Verdict& verdict) const;

private:
    void classify(std::string_view text, Verdict& verdict) const;
    template <class Matches>
    void add_all(const Matches& matches, Verdict& verdict) const;
    Decision effect_of(Decision action) const noexcept;

    ClassifierRule classifier_;        // on this occasion
    ClassifierRule usual_classifier_;  // where no policy says otherwise
    std::shared_ptr<const std::vector<PolicyRule>> policies_;
    std::shared_ptr<const Matcher> matcher_;
    std::shared_ptr<const PictureList> pictures_;
    std::shared_ptr<const SoundList> sounds_;
    std::shared_ptr<const VideoList> videos_;
    std::string version_;
    Occasion occasion_;
    bool entries_hold_ = false;
    bool holds_go_ = false;
};

// One text that comes in pieces. What push() and finish() return may go out; the rest is held until
// it is known to be harmless. Once an entry blocks or holds, what came before its match is let go
// and nothing more: the same however the text was cut.
class TextStream {
public:
    explicit TextStream(std::shared_ptr<const Reviewer> reviewer)
        : reviewer_(std::move(reviewer)),
          scan_(reviewer_->matcher(), reviewer_->occasion()),
          windows_(reviewer_->classifier().classifier, reviewer_->classifier().threshold()) {}

    std::string push(std::string_view piece);
    std::string finish();
    bool blocked() const noexcept { return verdict_.blocked(); }
    const Verdict& verdict() const noexcept { return verdict_; }
    std::size_t held_bytes() const noexcept { return held_.size(); }

private:
    std::string take(std::string_view piece);
    std::string look();
    std::string release();
    std::string release_to(std::size_t end);
    std::size_t may_go(std::size_t end) const noexcept;

    std::shared_ptr<const Reviewer> reviewer_;  // shared: rules change while streams go on
    TextScan scan_;
    WindowScan windows_;
    std::string held_;
    std::size_t released_ = 0;
    Verdict verdict_;
};

}  // namespace colophon::review
