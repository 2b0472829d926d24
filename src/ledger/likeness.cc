// SPDX-License-Identifier: Apache-2.0
#include "ledger/likeness.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "fingerprint/text.h"
#include "fingerprint/video.h"
#include "ledger/records.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using fingerprint::PdqHash;

constexpr std::size_t kBandBits = 16;
constexpr std::size_t kBands = fingerprint::kPdqBits / kBandBits;
// 16 bands with at least two wrong bits each would be 32.
static_assert(kBands * 2 > static_cast<std::size_t>(fingerprint::kPdqDistanceMax));

std::uint64_t band_of(const PdqHash& hash, std::size_t band) {
    return (hash.words[band / 4] >> (kBandBits * (band % 4))) & 0xFFFFU;
}

std::int64_t numbered(std::size_t band, std::uint64_t value) {
    return static_cast<std::int64_t>((band << kBandBits) | value);
}

std::vector<std::int64_t> bands_of(const PdqHash& hash) {
    std::vector<std::int64_t> bands;
    bands.reserve(kBands);
    for (std::size_t band = 0; band < kBands; ++band) {
        bands.push_back(numbered(band, band_of(hash, band)));
    }
    return bands;
}

// Each band as it is and with each bit turned.
void add_probes(const PdqHash& hash, std::set<std::int64_t>& probes) {
    for (std::size_t band = 0; band < kBands; ++band) {
        const std::uint64_t value = band_of(hash, band);
        probes.insert(numbered(band, value));
        for (std::size_t bit = 0; bit < kBandBits; ++bit) {
            probes.insert(numbered(band, value ^ (std::uint64_t{1} << bit)));
        }
    }
}

Buffer bytes_of(const PdqHash& hash) {
    const auto bytes = fingerprint::to_bytes(hash);
    return {bytes.begin(), bytes.end()};
}

// Evenly over the good frames.
std::vector<PdqHash> good_frames(const fingerprint::VideoPrint& video, std::size_t frames_max) {
    std::vector<PdqHash> good;
    for (const fingerprint::VideoFramePrint& frame : video.frames) {
        if (frame.quality >= fingerprint::kPdqQualityMin) {
            good.push_back(frame.hash);
        }
    }
    if (good.size() <= frames_max) {
        return good;
    }
    std::vector<PdqHash> chosen;
    chosen.reserve(frames_max);
    for (std::size_t i = 0; i < frames_max; ++i) {
        chosen.push_back(good[i * good.size() / frames_max]);
    }
    return chosen;
}

Result<SimilarRecords> candidates(Records& records, std::int64_t kind,
                                  std::span<const PdqHash> hashes) {
    std::set<std::int64_t> probes;
    for (const PdqHash& hash : hashes) {
        add_probes(hash, probes);
    }
    const std::vector<std::int64_t> bands(probes.begin(), probes.end());
    return records.find_similar(kind, bands);
}

LikeRecords sorted(const std::map<RecordId, double>& likeness, bool cut) {
    LikeRecords out;
    out.cut = cut;
    for (const auto& [record, value] : likeness) {
        out.found.push_back({.record = record, .likeness = value});
    }
    std::ranges::sort(out.found, [](const LikeRecord& a, const LikeRecord& b) {
        return a.likeness != b.likeness ? a.likeness > b.likeness : a.record > b.record;
    });
    if (out.found.size() > kRecordPageMax) {
        out.found.resize(kRecordPageMax);
        out.cut = true;
    }
    return out;
}

// The least distance of a hash to any of these.
int nearest(const PdqHash& hash, std::span<const PdqHash> hashes) {
    int least = static_cast<int>(fingerprint::kPdqBits);
    for (const PdqHash& each : hashes) {
        least = std::min(least, fingerprint::distance(hash, each));
    }
    return least;
}

// Which items of a sound are bands, and in which order: by their value alone, so that whoever asks
// chooses the same.
std::uint32_t rank_of(std::uint32_t item) {
    std::uint32_t x = (item ^ (item >> 15U)) * 0x2c1b3c6dU;
    x = (x ^ (x >> 12U)) * 0x297a2d39U;
    return x ^ (x >> 15U);
}

bool is_band(std::uint32_t item) {
    return item != fingerprint::kSilentItem && rank_of(item) < (std::uint32_t{1} << 30U);
}

Print stretch_print(std::span<const std::uint32_t> items) {
    std::vector<std::uint32_t> chosen;
    std::ranges::copy_if(items, std::back_inserter(chosen), is_band);
    std::ranges::sort(chosen, {}, rank_of);
    const auto twice = std::ranges::unique(chosen);
    chosen.erase(twice.begin(), twice.end());
    chosen.resize(std::min(chosen.size(), kPrintBandsMax));
    return {.kind = kSoundPrint,
            .print = fingerprint::to_bytes(fingerprint::SoundPrint{{items.begin(), items.end()}}),
            .bands = {chosen.begin(), chosen.end()}};
}

std::vector<std::int64_t> sound_probes(const fingerprint::SoundPrint& sound) {
    std::set<std::int64_t> probes;
    const auto add = [&](std::uint32_t item) {
        if (is_band(item)) {
            probes.insert(item);
        }
    };
    const std::size_t asked = std::min(sound.items.size(), kSoundItemsAsked);
    for (std::size_t i = 0; i < asked; ++i) {
        const std::uint32_t item = sound.items[i * sound.items.size() / asked];
        add(item);
        for (unsigned bit = 0; bit < 32; ++bit) {
            add(item ^ (std::uint32_t{1} << bit));
        }
    }
    std::vector<std::int64_t> bands(probes.begin(), probes.end());
    bands.resize(std::min(bands.size(), kSimilarBandsMax));
    return bands;
}

std::vector<std::int64_t> least_marks(const fingerprint::TextPrint& print) {
    const std::size_t count = std::min(print.marks.size(), kTextBands);
    return {print.marks.begin(), print.marks.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

Print picture_print(const PdqHash& hash) {
    return {.kind = kPicturePrint, .print = bytes_of(hash), .bands = bands_of(hash)};
}

std::vector<Print> video_prints(const fingerprint::VideoPrint& video) {
    std::vector<Print> prints;
    for (const PdqHash& hash : good_frames(video, kVideoPrintsMax)) {
        prints.push_back({.kind = kVideoPrint, .print = bytes_of(hash), .bands = bands_of(hash)});
    }
    return prints;
}

std::vector<Print> sound_prints(const fingerprint::SoundPrint& sound) {
    std::vector<Print> prints;
    const std::span<const std::uint32_t> items = sound.items;
    for (std::size_t begin = 0;
         prints.size() < kSoundPrintsMax && begin + fingerprint::kSoundWindowItems <= items.size();
         begin += kSoundStretchStep) {
        prints.push_back(stretch_print(
            items.subspan(begin, std::min(kSoundStretchItems, items.size() - begin))));
    }
    return prints;
}

Result<std::optional<Print>> text_print(std::string_view text,
                                        const fingerprint::TextPrinter& printer) {
    fingerprint::TextPrint all = TRY(printer.print(text));
    if (all.marks.empty()) {
        return std::optional<Print>();
    }
    all.marks.resize(std::min(all.marks.size(), kTextSketchMarks));
    return std::optional(
        Print{.kind = kTextPrint, .print = fingerprint::to_bytes(all), .bands = least_marks(all)});
}

Result<std::vector<std::int64_t>> text_print_bands(Bytes print) {
    const fingerprint::TextPrint all = TRY(fingerprint::parse_text_print(print));
    return least_marks(all);
}

Result<LikeRecords> find_like_picture(Records& records, std::span<const PdqHash> hashes) {
    std::map<RecordId, double> likeness;
    bool cut = false;
    for (const std::int64_t kind : {kPicturePrint, kVideoPrint}) {
        const SimilarRecords near = TRY(candidates(records, kind, hashes));
        cut |= near.cut;
        for (const SimilarRecord& each : near.found) {
            const int bits = nearest(TRY(fingerprint::parse_pdq_bytes(each.print)), hashes);
            if (bits <= fingerprint::kPdqDistanceMax) {
                double& best = likeness[each.record];
                best = std::max(best, 1 - bits / static_cast<double>(fingerprint::kPdqBits));
            }
        }
    }
    return sorted(likeness, cut);
}

Result<LikeRecords> find_like_video(Records& records, const fingerprint::VideoPrint& video) {
    const std::vector<PdqHash> asked = good_frames(video, kVideoFramesAsked);
    std::map<RecordId, std::set<std::size_t>> shared;  // which frames of the query
    bool cut = false;
    for (const std::int64_t kind : {kPicturePrint, kVideoPrint}) {
        const SimilarRecords near = TRY(candidates(records, kind, asked));
        cut |= near.cut;
        for (const SimilarRecord& each : near.found) {
            const PdqHash hash = TRY(fingerprint::parse_pdq_bytes(each.print));
            for (std::size_t i = 0; i < asked.size(); ++i) {
                if (fingerprint::distance(hash, asked[i]) <= fingerprint::kPdqDistanceMax) {
                    shared[each.record].insert(i);
                }
            }
        }
    }
    std::map<RecordId, double> likeness;
    for (const auto& [record, frames] : shared) {
        likeness[record] = static_cast<double>(frames.size()) / static_cast<double>(asked.size());
    }
    return sorted(likeness, cut);
}

Result<LikeRecords> find_like_sound(Records& records, const fingerprint::SoundPrint& sound) {
    const SimilarRecords near = TRY(records.find_similar(kSoundPrint, sound_probes(sound)));
    std::vector<fingerprint::SoundEntry> stretches;
    stretches.reserve(near.found.size());
    for (const SimilarRecord& each : near.found) {
        stretches.push_back({.print = TRY(fingerprint::parse_sound_print_bytes(each.print)),
                             .id = stretches.size()});
    }
    const auto index = TRY(fingerprint::SoundIndex::create(std::move(stretches)));
    std::map<RecordId, std::vector<bool>> shared;  // which items of the query
    for (const fingerprint::SoundFound& found : index.find(sound)) {
        std::vector<bool>& items = shared[near.found[static_cast<std::size_t>(found.id)].record];
        items.resize(sound.items.size());
        const auto begin = items.begin() + static_cast<std::ptrdiff_t>(found.stretch.query_begin);
        std::fill_n(begin, found.stretch.items, true);
    }
    std::map<RecordId, double> likeness;
    for (const auto& [record, items] : shared) {
        likeness[record] = static_cast<double>(std::ranges::count(items, true)) /
                           static_cast<double>(items.size());
    }
    return sorted(likeness, near.cut);
}

Result<LikeRecords> find_like_text(Records& records, std::string_view text) {
    const std::optional<Print> print = TRY(records.print_of_text(text));
    if (!print) {
        return LikeRecords{};
    }
    const auto mine = TRY(fingerprint::parse_text_print(print->print));
    // All marks of the sketch are asked for: the other text may have others among its least.
    std::vector<std::int64_t> bands;
    bands.reserve(mine.marks.size());
    for (const std::uint64_t mark : mine.marks) {
        bands.push_back(static_cast<std::int64_t>(mark));
    }
    const SimilarRecords near = TRY(records.find_similar(kTextPrint, bands));
    std::map<RecordId, double> likeness;
    for (const SimilarRecord& each : near.found) {
        const auto theirs = TRY(fingerprint::parse_text_print(each.print));
        const double value = fingerprint::sketch_likeness(mine, theirs);
        if (value >= kTextLikenessMin) {
            likeness[each.record] = value;
        }
    }
    return sorted(likeness, near.cut);
}

}  // namespace colophon::ledger
