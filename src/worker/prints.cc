// SPDX-License-Identifier: Apache-2.0
#include "worker/prints.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/picture.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "label/codecs.h"
#include "label/format.h"
#include "media/codecs.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace colophon::worker {
namespace {

using fingerprint::PictureCoding;
using label::Format;

Error wrong_message() {
    return Error{ErrorCode::kCorrupt, "the worker's prints are not in their form"};
}

Result<fingerprint::PdqDihedralPrint> decode_picture(const json::Value& value) {
    const json::Value* quality = value.find("quality");
    const json::Value* hashes = value.find("hashes");
    const json::Array* list = hashes == nullptr ? nullptr : hashes->if_array();
    if (quality == nullptr || list == nullptr || list->size() != fingerprint::kDihedrals) {
        return wrong_message();
    }
    fingerprint::PdqDihedralPrint print;
    const std::uint64_t percent = TRY(quality->as_uint());
    if (percent > 100) {
        return wrong_message();
    }
    print.quality = static_cast<int>(percent);
    for (std::size_t i = 0; i < fingerprint::kDihedrals; ++i) {
        const std::string* text = (*list)[i].if_string();
        if (text == nullptr) {
            return wrong_message();
        }
        print.hashes[i] = TRY(fingerprint::parse_pdq_hex(*text));
    }
    return print;
}

json::Value encode_picture(const fingerprint::PdqDihedralPrint& print) {
    json::Array hashes;
    for (const fingerprint::PdqHash& hash : print.hashes) {
        hashes.emplace_back(fingerprint::to_hex(hash));
    }
    return json::Object{{"quality", static_cast<std::uint64_t>(print.quality)},
                        {"hashes", std::move(hashes)}};
}

}  // namespace

std::optional<PictureCoding> picture_coding(Format format) noexcept {
    switch (format) {
        case Format::kJpeg:
            return PictureCoding::kJpeg;
        case Format::kPng:
            return PictureCoding::kPng;
        case Format::kWebp:
            return PictureCoding::kWebp;
        case Format::kGif:
            return PictureCoding::kGif;
        case Format::kTiff:
            return PictureCoding::kTiff;
        case Format::kHeic:
        case Format::kAvif:
            return PictureCoding::kHeif;
        default:
            return std::nullopt;
    }
}

bool takes_prints(Format format) noexcept {
    return picture_coding(format).has_value() || label::video_container(format).has_value() ||
           label::sound_container(format).has_value();
}

media::CodecSet print_codecs(Format format) noexcept {
    if (const auto picture = picture_coding(format)) {
        return fingerprint::codecs_for(*picture);
    }
    return takes_prints(format) ? media::CodecSet{media::Codec::kSound} : media::CodecSet();
}

Result<FilePrints> make_prints(Bytes file, Format format) {
    FilePrints prints;
    if (const auto picture = picture_coding(format)) {
        fingerprint::Luma luma = TRY(fingerprint::read_luma(file, *picture));
        prints.picture = fingerprint::dihedral_hashes(std::move(luma));
        return prints;
    }
    if (const auto container = label::video_container(format)) {
        prints.video = TRY(fingerprint::print_video(file, *container));
        if (prints.video->frames.empty()) {
            return Error{ErrorCode::kCorrupt, "no picture of the video can be decoded"};
        }
        // A video is found by its pictures even where its sound is in a codec of which nothing is
        // known here; whoever needs the sound is told.
        auto sound = fingerprint::print_sound(file, *container);
        prints.sound_unread = !sound.ok();
        if (sound.ok()) {
            prints.sound = std::move(*sound);
        }
        return prints;
    }
    if (const auto container = label::sound_container(format)) {
        prints.sound = TRY(fingerprint::print_sound(file, *container));
        return prints;
    }
    return Error{ErrorCode::kUnsupported,
                 fmt::format("no prints are made of {} files", label::facts(format).name)};
}

json::Value encode(const FilePrints& prints) {
    json::Object out;
    if (prints.picture) {
        out.emplace_back("picture", encode_picture(*prints.picture));
    }
    if (prints.video) {
        out.emplace_back("video", fingerprint::to_text(*prints.video));
    }
    if (prints.sound) {
        out.emplace_back("sound", fingerprint::to_text(*prints.sound));
    }
    if (prints.sound_unread) {
        out.emplace_back("sound_unread", true);
    }
    return out;
}

Result<FilePrints> decode_file_prints(const json::Value& value) {
    if (value.if_object() == nullptr) {
        return wrong_message();
    }
    FilePrints prints;
    if (const json::Value* picture = value.find("picture")) {
        prints.picture = TRY(decode_picture(*picture));
    }
    if (const json::Value* video = value.find("video")) {
        const std::string* text = video->if_string();
        if (text == nullptr || text->empty()) {
            return wrong_message();
        }
        prints.video = TRY(fingerprint::parse_video_print(*text));
    }
    if (const json::Value* sound = value.find("sound")) {
        const std::string* text = sound->if_string();
        if (text == nullptr) {
            return wrong_message();
        }
        prints.sound = TRY(fingerprint::parse_sound_print(*text));
    }
    if (const json::Value* unread = value.find("sound_unread")) {
        if (unread->if_bool() == nullptr || !*unread->if_bool() || !prints.video || prints.sound) {
            return wrong_message();
        }
        prints.sound_unread = true;
    }
    if (!prints.picture && !prints.video && !prints.sound) {
        return wrong_message();
    }
    return prints;
}

}  // namespace colophon::worker
