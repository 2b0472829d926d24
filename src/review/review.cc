// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "review/classifier.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/policy.h"
#include "review/scope.h"
#include "review/sound_list.h"
#include "review/text_scan.h"
#include "review/video_list.h"
#include "review/window_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {

std::string_view decision_name(Decision decision) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"allow", "flag", "hold", "block"};
    return kNames[static_cast<std::size_t>(decision)];
}

namespace {

// What an entry that matched means, whatever it looks for.
struct Meaning {
    std::string id;
    std::string category;
    Decision action;
    std::string_view reply;
};

void add_meaning(const Meaning& meaning, const std::string& version, Verdict& verdict) {
    if (std::ranges::find(verdict.entries, meaning.id) == verdict.entries.end() &&
        verdict.entries.size() < kVerdictEntriesMax) {
        verdict.entries.push_back(meaning.id);
    }
    if (meaning.action > verdict.decision) {
        verdict.decision = meaning.action;
        verdict.category = meaning.category;
        verdict.rule = fmt::format("{}/{}", version, meaning.id);
        verdict.reply = meaning.reply;
    }
}

std::string version_of(const Matcher& matcher, const PictureList& pictures,
                       const ClassifierRule& classifier, const SoundList& sounds,
                       const VideoList& videos) {
    if (pictures.entries().empty() && sounds.entries().empty() && videos.entries().empty() &&
        classifier.classifier == nullptr) {
        return "library-" + matcher.version();
    }
    std::string all = matcher.version();
    if (classifier.classifier != nullptr) {
        all += classifier.classifier->version();
        all += decision_name(classifier.action);
        if (classifier.own_threshold) {
            all += fmt::format("{}", *classifier.own_threshold);
        }
    }
    for (const PictureEntry& entry : pictures.entries()) {
        all += "\n" + json::write(write_entry(entry));
    }
    for (const SoundEntry& entry : sounds.entries()) {
        all += "\n" + json::write(write_entry(entry));
    }
    for (const VideoEntry& entry : videos.entries()) {
        all += "\n" + json::write(write_entry(entry));
    }
    return "library-" + to_hex(sha256(as_bytes(all))).substr(0, 12);
}

}  // namespace

Reviewer::Reviewer(Matcher matcher, PictureList pictures, ClassifierRule classifier,
                   SoundList sounds, VideoList videos)
    : classifier_(classifier),
      usual_classifier_(std::move(classifier)),
      policies_(std::make_shared<const std::vector<PolicyRule>>()),
      matcher_(std::make_shared<const Matcher>(std::move(matcher))),
      pictures_(std::make_shared<const PictureList>(std::move(pictures))),
      sounds_(std::make_shared<const SoundList>(std::move(sounds))),
      videos_(std::make_shared<const VideoList>(std::move(videos))),
      version_(version_of(*matcher_, *pictures_, classifier_, *sounds_, *videos_)) {
    const auto holds = [](const auto& entry) { return entry.action == Decision::kHold; };
    entries_hold_ = std::ranges::any_of(matcher_->entries(), holds) ||
                    std::ranges::any_of(pictures_->entries(), holds) ||
                    std::ranges::any_of(sounds_->entries(), holds) ||
                    std::ranges::any_of(videos_->entries(), holds);
}

std::shared_ptr<const Reviewer> Reviewer::letting_holds_go() const {
    auto other = std::make_shared<Reviewer>(*this);
    other->holds_go_ = true;
    return other;
}

Decision Reviewer::effect_of(Decision action) const noexcept {
    return holds_go_ && action == Decision::kHold ? Decision::kFlag : action;
}

namespace {

constexpr double kThousand = 1000;

// The classifier as that rule wants it, if it says anything of it.
ClassifierRule classifier_under(const PolicyRule* rule, ClassifierRule usual) {
    if (rule == nullptr || usual.classifier == nullptr) {
        return usual;
    }
    if (rule->classifier_action == Decision::kAllow) {
        return {};
    }
    usual.action = rule->classifier_action.value_or(usual.action);
    if (rule->classifier_threshold_per_mille) {
        usual.own_threshold =
            static_cast<double>(*rule->classifier_threshold_per_mille) / kThousand;
    }
    return usual;
}

}  // namespace

std::shared_ptr<const Reviewer> Reviewer::under(std::vector<PolicyRule> policies) const {
    auto other = std::make_shared<Reviewer>(*this);
    other->policies_ = std::make_shared<const std::vector<PolicyRule>>(std::move(policies));
    return other;
}

std::shared_ptr<const Reviewer> Reviewer::on(Occasion occasion) const {
    auto other = std::make_shared<Reviewer>(*this);
    other->occasion_ = std::move(occasion);
    other->classifier_ =
        classifier_under(rule_for(*policies_, other->occasion_), usual_classifier_);
    return other;
}

void Reviewer::add(const Match& match, Verdict& verdict) const {
    const Entry& entry = matcher_->entries()[match.entry];
    add_meaning({entry.id, entry.category, effect_of(entry.action), entry.reply}, version_,
                verdict);
}

Verdict Reviewer::review(std::string_view text) const {
    Verdict verdict;
    TextScan scan(matcher_, occasion_);
    scan.push(text);
    scan.finish();
    while (const auto match = scan.next()) {
        add(*match, verdict);
    }
    if (classifier_.classifier != nullptr) {
        classify(text, verdict);
    }
    return verdict;
}

void Reviewer::classify(std::string_view text, Verdict& verdict) const {
    WindowScan windows(classifier_.classifier, classifier_.threshold());
    bool over = false;
    while (!text.empty()) {
        const std::size_t part = windows.until_look(text);
        windows.push(text.substr(0, part));
        text.remove_prefix(part);
        over = windows.look() || over;
    }
    verdict.score = windows.score();
    if (over) {
        add_classified(verdict);
    }
}

void Reviewer::add_classified(Verdict& verdict) const {
    const Classifier& classifier = *classifier_.classifier;
    add_meaning({"classifier/" + classifier.card().category,
                 classifier.card().category,
                 effect_of(classifier_.action),
                 {}},
                version_, verdict);
}

template <class Matches>
void Reviewer::add_all(const Matches& matches, Verdict& verdict) const {
    for (const auto& match : matches) {
        add_meaning({match.entry->id, match.entry->category, effect_of(match.entry->action), {}},
                    version_, verdict);
    }
}

Verdict Reviewer::review(std::span<const fingerprint::PdqHash> picture) const {
    Verdict verdict;
    add_all(pictures_->find(picture, occasion_), verdict);
    return verdict;
}

Verdict Reviewer::review(const fingerprint::SoundPrint& sound) const {
    Verdict verdict;
    add_all(sounds_->find(sound, occasion_), verdict);
    return verdict;
}

Verdict Reviewer::review(const fingerprint::VideoPrint& video,
                         const fingerprint::SoundPrint* sound) const {
    Verdict verdict;
    add_all(videos_->find(video, occasion_), verdict);
    std::vector<fingerprint::PdqHash> pictures;
    for (const fingerprint::VideoFramePrint& frame : video.frames) {
        if (frame.quality >= fingerprint::kPdqQualityMin) {
            pictures.push_back(frame.hash);
        }
    }
    add_all(pictures_->find(pictures, occasion_), verdict);
    if (sound != nullptr) {
        add_all(sounds_->find(*sound, occasion_), verdict);
    }
    return verdict;
}

std::string TextStream::push(std::string_view piece) {
    std::string out;
    while (!piece.empty() && !blocked()) {
        const std::size_t part = windows_.active() ? windows_.until_look(piece) : piece.size();
        out += take(piece.substr(0, part));
        piece.remove_prefix(part);
        if (!piece.empty() && !blocked()) {
            out += look();
        }
    }
    return out;
}

std::string TextStream::take(std::string_view piece) {
    held_ += piece;
    scan_.push(piece);
    if (windows_.active()) {
        windows_.push(piece);
    }
    return release();
}

std::string TextStream::look() {
    const bool over = windows_.look();
    verdict_.score = windows_.score();
    if (over) {
        reviewer_->add_classified(verdict_);
        if (blocked()) {
            held_.clear();
            return {};
        }
        windows_.pass();
    }
    return release();
}

std::string TextStream::finish() {
    if (blocked()) {
        return {};
    }
    scan_.finish();
    std::string out = release();
    if (!blocked() && windows_.active() && windows_.has_new()) {
        out += look();
    }
    return out;
}

std::string TextStream::release() {
    while (const auto match = scan_.next()) {
        reviewer_->add(*match, verdict_);
        if (blocked()) {
            std::string before = release_to(may_go(match->begin));
            held_.clear();
            return before;
        }
    }
    return release_to(may_go(scan_.settled(released_ + held_.size())));
}

// What the classifier has not looked at stays.
std::size_t TextStream::may_go(std::size_t end) const noexcept {
    // A text that is looked at as a whole goes out as a whole or not at all.
    if (scan_.looks_at_whole() && blocked()) {
        return released_;
    }
    return windows_.active() ? std::max(released_, std::min(end, windows_.settled())) : end;
}

std::string TextStream::release_to(std::size_t end) {
    std::string free = held_.substr(0, end - released_);
    held_.erase(0, free.size());
    released_ = end;
    return free;
}

}  // namespace colophon::review
