// SPDX-License-Identifier: Apache-2.0
#include "cli/print_matches.h"

#include "cli/terminal.h"
#include "core/json.h"
#include "fingerprint/sound_index.h"
#include "fingerprint/video.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::cli {
namespace {

constexpr double kMillisecondsOfSecond = 1000;

double rounded(double share) {
    constexpr double kThousand = 1000;
    return std::round(share * kThousand) / kThousand;
}

std::int64_t larger(double one, double other) {
    return std::llround(std::max(one, other));
}

std::int64_t number_in(const json::Object& match, std::string_view name) {
    for (const auto& [member, value] : match) {
        if (member == name) {
            return value.as_int().ok() ? *value.as_int() : -1;
        }
    }
    return -1;
}

}  // namespace

std::int64_t milliseconds_of(double seconds) {
    return std::llround(seconds * kMillisecondsOfSecond);
}

json::Object match_json(const review::PictureMatch& match) {
    return {{"entry", match.entry->id}, {"distance", match.distance}};
}

json::Object match_json(const review::PictureMatch& match,
                        const fingerprint::VideoFramePrint& frame) {
    json::Object written = match_json(match);
    written.emplace_back("milliseconds", frame.time_ms);
    return written;
}

json::Object match_json(const review::VideoMatch& match) {
    const fingerprint::VideoMatch& seen = match.match;
    return {{"entry", match.entry->id},
            {"percent", larger(seen.query_percent, seen.query_aligned_percent)},
            {"entry_percent", larger(seen.other_percent, seen.other_aligned_percent)},
            {"entry_ms", seen.offset_ms}};
}

json::Object match_json(const review::SoundMatch& match) {
    const fingerprint::SoundStretch& stretch = match.stretch;
    return {{"entry", match.entry->id},
            {"milliseconds", milliseconds_of(stretch.query_seconds())},
            {"length_ms", milliseconds_of(stretch.seconds())},
            {"entry_ms", milliseconds_of(stretch.other_seconds())},
            {"bit_error", rounded(stretch.bit_error)}};
}

std::string match_text(const json::Object& match) {
    if (const std::int64_t bits = number_in(match, "distance"); bits >= 0) {
        return fmt::format("{} {}", bits, tr("bits", "位"));
    }
    if (const std::int64_t length = number_in(match, "length_ms"); length >= 0) {
        return fmt::format("{:.1f} s", static_cast<double>(length) / kMillisecondsOfSecond);
    }
    return fmt::format("{} %",
                       std::max(number_in(match, "percent"), number_in(match, "entry_percent")));
}

}  // namespace colophon::cli
