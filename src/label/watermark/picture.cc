// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/picture.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/picture/recode.h"
#include "label/watermark/detect.h"
#include "label/watermark/embed.h"
#include "label/watermark/internal/box.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/jpeg_model.h"
#include "label/watermark/internal/picture_file.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/internal/working.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Carrier;
using internal::PictureFile;

constexpr std::array<std::pair<WatermarkStrength, std::string_view>, 3> kStrengths{
    {{WatermarkStrength::kRobust, "robust"},
     {WatermarkStrength::kFair, "fair"},
     {WatermarkStrength::kFragile, "fragile"}}};

// What is tried in turn until the mark reads back. The first, which smooth pictures need, counts
// only where it leaves a robust mark.
constexpr std::array<EmbedOptions, 4> kStrengthSteps{
    {{.psnr_db = 42, .ssim_min = 0.9855}, {.psnr_db = 42}, {.psnr_db = 40}, {.psnr_db = 38}}};
constexpr double kRobustScore = 18;  // after halving and JPEG 75
constexpr int kHalvedQuality = 75;
// The same, told from the score of the picture as it is.
constexpr double kRobustScoreUntouched = 55;
constexpr double kFairScoreUntouched = 38;
// What the long form needs more of each: it is decoded from 22 where the standard one is from 17.
constexpr double kLongFactor = 1.3;

constexpr int kFramesLookedAt = 32;  // of an animation

// A mark of the same issuer under this key, that is to give way to another.
using Old = std::optional<WatermarkPayload>;

WatermarkPayload payload_for(const Luma& picture, const WatermarkOptions& options) {
    WatermarkPayload payload{
        .form = PayloadForm::kStandard, .issuer = options.issuer, .content_id = options.content_id};
    if (picture.shortest_side() < kWatermarkStandardSideMin) {
        constexpr std::uint64_t kHandle = 0xffffffffU;
        payload = {.form = PayloadForm::kShort,
                   .issuer = {},
                   .content_id = {options.content_id.value & kHandle}};
    } else if (options.form == PayloadForm::kLong &&
               picture.shortest_side() >= kWatermarkLongSideMin) {
        payload = {.form = PayloadForm::kLong,
                   .issuer = {},
                   .content_id = options.content_id,
                   .provider = options.provider};
    }
    return payload;
}

double factor_of(PayloadForm form) {
    return form == PayloadForm::kLong ? kLongFactor : 1;
}

struct Attempt {
    const Carrier& carrier;
    const WatermarkOptions& options;
    const Old& old;
    EmbedOptions strength;
};

// How much of the pattern is in the picture: least squares over the differences of neighbours,
// which a picture has few of and a watermark many.
float share_present(const Luma& picture, const Luma& pattern) {
    double product = 0;
    double energy = 0;
    const auto count_pair = [&](int x, int y, int dx, int dy) {
        const double step = pattern.at(x + dx, y + dy) - pattern.at(x, y);
        product += step * (picture.at(x + dx, y + dy) - picture.at(x, y));
        energy += step * step;
    };
    for (int y = 0; y + 1 < picture.height; ++y) {
        for (int x = 0; x + 1 < picture.width; ++x) {
            count_pair(x, y, 1, 0);
            count_pair(x, y, 0, 1);
        }
    }
    return energy > 0 ? static_cast<float>(std::clamp(product / energy, 0.0, 2.0)) : 0;
}

// Adds the mark to all frames that are large enough.
Result<void> add_marks(PictureFile& picture, const Attempt& attempt, WatermarkedFile& result) {
    for (int i = 0; i < picture.count(); ++i) {
        const Luma luma = TRY(picture.luma(i));
        if (i > 0 && luma.shortest_side() < kWatermarkSideMin) {
            continue;
        }
        const WatermarkPayload payload = payload_for(luma, attempt.options);
        Luma pattern = TRY(watermark_pattern(luma, attempt.carrier, payload, attempt.strength));
        if (attempt.old) {
            const Luma before =
                TRY(watermark_pattern(luma, attempt.carrier, *attempt.old, attempt.strength));
            const float share = share_present(luma, before);
            for (std::size_t k = 0; k < pattern.values.size(); ++k) {
                pattern.values[k] -= share * before.values[k];
            }
        }
        if (i == 0) {
            Luma marked = luma;
            add_pattern(marked, pattern);
            result.psnr_db = psnr(luma, marked);
        }
        TRY(picture.add(i, pattern));
    }
    return {};
}

WatermarkStrength measure_strength(const Luma& marked, const Carrier& carrier, double period) {
    if (marked.shortest_side() < 2 * kWatermarkSideMin) {
        return WatermarkStrength::kFragile;
    }
    const Luma halved = internal::as_after_jpeg(
        internal::shrink(marked, marked.width / 2, marked.height / 2), kHalvedQuality);
    const WatermarkReading left = WatermarkSearch(halved).find_at(carrier, period / 2);
    if (left.state != WatermarkState::kFound) {
        return WatermarkStrength::kFragile;
    }
    const double robust = kRobustScore * factor_of(left.payload.form);
    return left.score >= robust ? WatermarkStrength::kRobust : WatermarkStrength::kFair;
}

// Of an animation: which frames are looked at, the first of them and others at equal distances.
std::vector<int> frames_looked_at(int count) {
    const int looked_at = std::min(count, kFramesLookedAt);
    std::vector<int> frames;
    frames.reserve(static_cast<std::size_t>(looked_at));
    for (int i = 0; i < looked_at; ++i) {
        frames.push_back(static_cast<int>(std::int64_t{i} * count / looked_at));
    }
    return frames;
}

// Their sum, each picture relative to its surroundings: what moves under the mark averages out.
Result<internal::Working> sum_of_frames(PictureFile& picture) {
    internal::Working sum;
    for (const int i : frames_looked_at(picture.count())) {
        internal::Working working =
            internal::working_copy(TRY(picture.luma(i)), internal::kCanonicalSide);
        Luma relative = internal::relative_to_surroundings(working.luma);
        if (i == 0) {
            sum = std::move(working);
            sum.luma = std::move(relative);
            continue;
        }
        std::ranges::transform(sum.luma.values, relative.values, sum.luma.values.begin(),
                               std::plus());
    }
    return sum;
}

// What the frames of a marked file say. Every page must say what was written; of an animation half
// of what is looked at, because it may have frames that are too flat.
struct ReadBack {
    std::size_t read = 0;
    std::size_t looked_at = 0;

    bool holds(bool animated) const {
        return animated ? read > 0 && 2 * read >= looked_at : read == looked_at;
    }
};

Result<bool> reads_back(Bytes marked, Format format, const Attempt& attempt,
                        WatermarkedFile& result) {
    const std::unique_ptr<PictureFile> picture = TRY(internal::open_picture(marked, format));
    std::vector<int> frames(static_cast<std::size_t>(picture->count()));
    std::iota(frames.begin(), frames.end(), 0);
    if (picture->animated()) {
        frames = frames_looked_at(picture->count());
    }
    ReadBack back;
    for (const int i : frames) {
        const Luma luma = TRY(picture->luma(i));
        if (i > 0 && luma.shortest_side() < kWatermarkSideMin) {
            continue;
        }
        ++back.looked_at;
        const WatermarkReading reading = find_watermark(luma, attempt.carrier, DetectEffort::kFast);
        if (reading.state == WatermarkState::kFound &&
            reading.payload == payload_for(luma, attempt.options)) {
            if (back.read++ == 0) {
                result.reading = reading;
                result.strength =
                    measure_strength(luma, attempt.carrier, reading.geometry.period_x);
            }
        } else if (!picture->animated()) {
            return false;
        }
    }
    if (back.read < back.looked_at) {
        note(result.findings, "watermark.frames",
             fmt::format("of {} frames that were looked at {} carry a watermark that can be read",
                         back.looked_at, back.read));
    }
    return back.holds(picture->animated());
}

Result<bool> try_to_mark(Bytes file, Format format, const Attempt& attempt,
                         WatermarkedFile& result) {
    const std::unique_ptr<PictureFile> picture = TRY(internal::open_picture(file, format));
    TRY(add_marks(*picture, attempt, result));
    Recoded recoded = TRY(picture->finish());
    const Buffer marked = apply_splice(file, recoded.splice);
    if (!TRY(reads_back(marked, format, attempt, result))) {
        return false;
    }
    if (!recoded.loss.empty()) {
        note(result.findings, "watermark.recoded", std::move(recoded.loss));
    }
    result.splice = std::move(recoded.splice);
    return true;
}

// The file as it is, with the mark that it has.
WatermarkedFile kept(Bytes file, const WatermarkReading& reading) {
    WatermarkedFile result;
    result.splice.copy(0, file.size());
    result.changed = false;
    result.reading = reading;
    const WatermarkPayload& payload = reading.payload;
    result.strength = strength_of_score(reading.score, payload.form);
    note(result.findings, "watermark.kept",
         payload.provider.known()
             ? fmt::format("the picture carries the watermark {} of the provider {} already, which "
                           "stays",
                           to_string(payload.content_id), payload.provider.text())
             : fmt::format("the picture carries the watermark {} of issuer {} already, which stays",
                           to_string(payload.content_id), payload.issuer.value));
    return result;
}

// Whether a mark that is there is of whoever asks for another.
bool is_own(const WatermarkPayload& before, const WatermarkOptions& options) {
    return before.form == PayloadForm::kLong ? before.provider == options.provider
                                             : before.issuer == options.issuer;
}

// Nothing: neither this form nor this strength is to be had.
using Marked = std::optional<WatermarkedFile>;

// What may have been written with less strength for the eye's sake has to be robust all the same.
WatermarkStrength weakest_allowed(const EmbedOptions& strength, WatermarkStrength otherwise) {
    return strength.ssim_min > 0 ? WatermarkStrength::kRobust : otherwise;
}

// At 42 dB, or not at all: who wants more bits does not want them to be seen. `instead` is told why
// there is none.
Result<Marked> mark_long(Bytes file, Format format, Attempt attempt, const Luma& first,
                         std::string& instead) {
    if (!attempt.options.provider.known()) {
        instead = "whoever made the content is not named by a unified social credit code";
        return Marked();
    }
    if (first.shortest_side() < kWatermarkLongSideMin) {
        instead = fmt::format("the shortest side of the picture has less than {} pixels",
                              kWatermarkLongSideMin);
        return Marked();
    }
    for (const EmbedOptions& strength : {kStrengthSteps[0], kStrengthSteps[1]}) {
        WatermarkedFile result;
        attempt.strength = strength;
        if (TRY(try_to_mark(file, format, attempt, result)) &&
            result.strength <= weakest_allowed(strength, WatermarkStrength::kFair)) {
            return Marked(std::move(result));
        }
    }
    instead = "so many would not survive a messenger in this picture";
    return Marked();
}

std::string why_not_long(std::string_view reason) {
    return fmt::format("the watermark holds 64 bits, not 128: {}", reason);
}

Result<Marked> mark_at_any_strength(Bytes file, Format format, Attempt attempt) {
    constexpr double kUsual = kStrengthSteps.front().psnr_db;
    for (const EmbedOptions& strength : kStrengthSteps) {
        WatermarkedFile result;
        attempt.strength = strength;
        if (TRY(try_to_mark(file, format, attempt, result)) &&
            result.strength <= weakest_allowed(strength, WatermarkStrength::kFragile)) {
            if (strength.psnr_db < kUsual) {
                note(result.findings, "watermark.strengthened",
                     fmt::format("the picture hides little; its watermark is {:.0f} dB from the "
                                 "original instead of {:.0f}",
                                 strength.psnr_db, kUsual));
            }
            return Marked(std::move(result));
        }
    }
    return Marked();
}

Error cannot_mark(const Old& old, const WatermarkOptions& options) {
    if (old) {
        return Error{ErrorCode::kConflict,
                     fmt::format("the picture carries the watermark {} of this issuer, which {} "
                                 "cannot replace; give --content-id {}",
                                 to_string(old->content_id), to_string(options.content_id),
                                 to_string(old->content_id))};
    }
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the picture is too flat or too small to hold a watermark: even at "
                             "{:.0f} dB it does not read back",
                             kStrengthSteps.back().psnr_db)};
}

}  // namespace

std::string_view watermark_strength_name(WatermarkStrength strength) noexcept {
    return kStrengths[static_cast<std::size_t>(strength)].second;
}

std::optional<WatermarkStrength> parse_watermark_strength(std::string_view text) noexcept {
    const auto* row =
        std::ranges::find(kStrengths, text, &decltype(kStrengths)::value_type::second);
    return row == kStrengths.end() ? std::nullopt : std::optional(row->first);
}

WatermarkStrength strength_of_score(double score, PayloadForm form) noexcept {
    const double comparable = score / factor_of(form);
    return comparable >= kRobustScoreUntouched ? WatermarkStrength::kRobust
           : comparable >= kFairScoreUntouched ? WatermarkStrength::kFair
                                               : WatermarkStrength::kFragile;
}

bool takes_watermark(Format format) noexcept {
    constexpr std::array kFormats{Format::kJpeg, Format::kPng,  Format::kWebp, Format::kGif,
                                  Format::kTiff, Format::kHeic, Format::kAvif, Format::kMp4};
    return std::ranges::find(kFormats, format) != kFormats.end();
}

Result<WatermarkedFile> mark_picture(Bytes file, Format format, const WatermarkOptions& options) {
    const Carrier carrier(options.key);
    const std::unique_ptr<PictureFile> picture = TRY(internal::open_picture(file, format));
    const Luma first = TRY(picture->luma(0));
    const WatermarkReading before = find_watermark(first, carrier, DetectEffort::kFast);
    Old old;
    if (before.state == WatermarkState::kFound) {
        const WatermarkPayload wanted = payload_for(first, options);
        const bool own = is_own(before.payload, options) || wanted == before.payload;
        // Whatever its form: a mark is not written over another for what else it says.
        const bool same = wanted.content_id == before.payload.content_id;
        if (options.marked_already == MarkedAlready::kKeep || !own || same) {
            WatermarkedFile result = kept(file, before);
            if (own && wanted.form == PayloadForm::kLong &&
                before.payload.form == PayloadForm::kStandard) {
                warn(result.findings, "watermark.standard",
                     why_not_long("the picture carries such a watermark already"));
            }
            return result;
        }
        // One that lies elsewhere is left of a picture that was changed since: the new one is found
        // first.
        if (before.geometry.untouched) {
            old = before.payload;
        }
    }
    std::string instead;
    if (options.form == PayloadForm::kLong) {
        const Attempt attempt{carrier, options, old, {}};
        Marked marked = TRY(mark_long(file, format, attempt, first, instead));
        if (marked) {
            return std::move(*marked);
        }
    }
    WatermarkOptions standard = options;
    standard.form = PayloadForm::kStandard;
    Marked marked = TRY(mark_at_any_strength(file, format, {carrier, standard, old, {}}));
    if (!marked) {
        return cannot_mark(old, options);
    }
    if (!instead.empty()) {
        warn(marked->findings, "watermark.standard", why_not_long(instead));
    }
    return std::move(*marked);
}

namespace {

// Under each of the keys in turn; the first that is found.
WatermarkReading find_any(WatermarkSearch& search, std::span<const Carrier> carriers,
                          DetectEffort effort) {
    WatermarkReading best;
    for (const Carrier& carrier : carriers) {
        const SearchParts parts =
            &carrier == &carriers.back() ? SearchParts::kForget : SearchParts::kKeep;
        WatermarkReading reading = search.find(carrier, effort, parts);
        if (reading.state == WatermarkState::kFound) {
            return reading;
        }
        if (reading.state == WatermarkState::kPresent || reading.pilot_score > best.pilot_score) {
            best = reading;
        }
    }
    return best;
}

}  // namespace

Result<WatermarkReading> find_picture_watermark(Bytes file, Format format,
                                                std::span<const WatermarkKey> keys,
                                                DetectEffort effort) {
    const std::unique_ptr<PictureFile> picture = TRY(internal::open_picture(file, format));
    const std::vector<Carrier> carriers(keys.begin(), keys.end());
    std::optional<WatermarkSearch> search(std::in_place, TRY(picture->luma(0)));
    WatermarkReading reading = find_any(*search, carriers, DetectEffort::kFast);
    if (reading.state != WatermarkState::kFound && picture->animated()) {
        search.emplace(TRY(sum_of_frames(*picture)), kPayloadForms);
        reading = find_any(*search, carriers, DetectEffort::kFast);
    }
    if (reading.state != WatermarkState::kFound && effort == DetectEffort::kThorough) {
        reading = find_any(*search, carriers, DetectEffort::kThorough);
    }
    return reading;
}

}  // namespace colophon::label
