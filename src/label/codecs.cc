// SPDX-License-Identifier: Apache-2.0
#include "label/codecs.h"

#include "label/apply.h"
#include "label/existing.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/verify.h"
#include "media/audio.h"
#include "media/codecs.h"
#include "media/video.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

using media::Codec;
using media::CodecSet;

// To look for words or a rhythm.
CodecSet reading(Format format) {
    switch (format) {
        case Format::kJpeg:
            return {Codec::kLetters, Codec::kJpeg};
        case Format::kPng:
            return {Codec::kLetters, Codec::kPng};
        case Format::kWebp:
            return {Codec::kLetters, Codec::kWebp};
        case Format::kTiff:
            return {Codec::kLetters, Codec::kTiff};
        case Format::kGif:
        case Format::kHeic:
        case Format::kAvif:
            return {Codec::kLetters, Codec::kVips};
        case Format::kSvg:
            return {Codec::kLetters};
        default:
            break;
    }
    switch (facts(format).kind) {
        case Kind::kAudio:
            return {Codec::kSound};
        case Kind::kVideo:
            return {Codec::kLetters, Codec::kSound};
        default:
            return {};
    }
}

// To draw or join them too.
CodecSet writing(Format format) {
    CodecSet codecs = reading(format);
    if (format == Format::kHeic || format == Format::kAvif) {
        codecs.add(Codec::kHeif);
    } else if (format == Format::kTiff) {
        codecs.add(Codec::kJpeg);  // which may be inside
    }
    return codecs;
}

}  // namespace

CodecSet codecs_for(Format format, const ApplyOptions& options) {
    CodecSet codecs;
    // A watermark is drawn into pixels even where no words are.
    if (options.marks.has(Mark::kExplicit) || options.marks.has(Mark::kWatermark)) {
        codecs.add(writing(format));
    }
    // A propagator looks for traces of every kind, unless the user's word is enough.
    if (options.existing == ExistingPolicy::kPropagate && !options.user_declares) {
        codecs.add(reading(format));
    }
    return codecs;
}

CodecSet codecs_for(Format format, const VerifyOptions& options) {
    return options.marks.has(Mark::kExplicit) || options.marks.has(Mark::kWatermark)
               ? reading(format)
               : CodecSet{};
}

CodecSet likely_codecs(std::string_view file_name) {
    std::string extension(file_name.substr(file_name.find_last_of("./") + 1));
    std::ranges::transform(extension, extension.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const FormatFacts& row : all_formats()) {
        const std::string listed = fmt::format(" {} ", row.extensions);
        if (!extension.empty() &&
            listed.find(fmt::format(" {} ", extension)) != std::string::npos) {
            return reading(row.format);
        }
    }
    return {};
}

std::optional<media::VideoContainer> video_container(Format format) noexcept {
    switch (format) {
        case Format::kMp4:
            return media::VideoContainer::kMp4;
        case Format::kMatroska:
            return media::VideoContainer::kMatroska;
        case Format::kAvi:
            return media::VideoContainer::kAvi;
        case Format::kFlv:
            return media::VideoContainer::kFlv;
        default:
            return std::nullopt;
    }
}

std::optional<media::AudioContainer> sound_container(Format format) noexcept {
    switch (format) {
        case Format::kWav:
            return media::AudioContainer::kWav;
        case Format::kMp3:
            return media::AudioContainer::kMp3;
        case Format::kFlac:
            return media::AudioContainer::kFlac;
        case Format::kOggVorbis:
        case Format::kOpus:
            return media::AudioContainer::kOgg;
        case Format::kM4a:
            return media::AudioContainer::kMp4;
        default:
            return std::nullopt;
    }
}

}  // namespace colophon::label
