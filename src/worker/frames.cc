// SPDX-License-Identifier: Apache-2.0
#include "worker/frames.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/codecs.h"
#include "label/format.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/video.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

// Of the distance between two pictures, so many parts: at the end of each the picture there is
// kept, in case it is the last.
constexpr std::int64_t kLooksAStep = 4;

Error wrong_message() {
    return Error{ErrorCode::kCorrupt, "the worker's pictures are not in their form"};
}

void drop_every_second(std::vector<media::ColourFrame>& pictures) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < pictures.size(); i += 2) {
        if (kept != i) {
            pictures[kept] = std::move(pictures[i]);
        }
        ++kept;
    }
    pictures.resize(kept);
}

}  // namespace

media::CodecSet frame_codecs() noexcept {
    return {media::Codec::kSound, media::Codec::kPng};
}

Result<std::vector<FileFrame>> make_frames(Bytes file, label::Format format) {
    const auto container = label::video_container(format);
    if (!container) {
        return Error{ErrorCode::kUnsupported, fmt::format("no pictures are taken out of {} files",
                                                          label::facts(format).name)};
    }
    media::VideoFrames video = TRY(media::VideoFrames::open(file, *container));
    std::vector<media::ColourFrame> pictures;
    std::optional<media::ColourFrame> latest;  // behind the last of them
    std::int64_t step = kFrameStepMs;
    std::int64_t next = 0;
    for (;;) {
        std::optional<media::ColourFrame> picture = TRY(video.next_picture(next, kFrameSideMax));
        if (!picture) {
            break;
        }
        const std::int64_t now = picture->time_ms;
        if (pictures.empty() || now >= pictures.back().time_ms + step) {
            pictures.push_back(std::move(*picture));
            latest.reset();
        } else {
            latest = std::move(picture);
        }
        if (pictures.size() == kFramesMax) {
            latest = std::move(pictures.back());
            pictures.pop_back();
            drop_every_second(pictures);
            step *= 2;
        }
        next = now + std::max(step / kLooksAStep, kFrameStepMs);
    }
    if (latest) {
        pictures.push_back(std::move(*latest));
    }
    if (pictures.empty()) {
        return Error{ErrorCode::kCorrupt, "no picture of the video can be decoded"};
    }
    std::vector<FileFrame> frames;
    for (media::ColourFrame& each : pictures) {
        media::PngImage png;
        png.image = std::move(each.image);
        Buffer coded = TRY(media::encode_png(png));
        frames.push_back({.time_ms = each.time_ms, .picture = std::move(coded)});
    }
    return frames;
}

json::Value encode(const std::vector<FileFrame>& frames) {
    json::Array list;
    for (const FileFrame& each : frames) {
        list.push_back(
            json::Object{{"time_ms", each.time_ms}, {"bytes", std::uint64_t{each.picture.size()}}});
    }
    return list;
}

Result<std::vector<FileFrame>> decode_frames(const json::Value& value, Bytes pictures) {
    const json::Array* list = value.if_array();
    if (list == nullptr || list->empty() || list->size() > kFramesMax) {
        return wrong_message();
    }
    std::vector<FileFrame> frames;
    for (const json::Value& each : *list) {
        const json::Value* time = each.find("time_ms");
        const json::Value* size = each.find("bytes");
        if (time == nullptr || size == nullptr) {
            return wrong_message();
        }
        FileFrame frame;
        frame.time_ms = TRY(time->as_int());
        const std::uint64_t bytes = TRY(size->as_uint());
        const bool in_order = frames.empty() || frame.time_ms > frames.back().time_ms;
        if (bytes == 0 || bytes > pictures.size() || frame.time_ms < 0 || !in_order) {
            return wrong_message();
        }
        frame.picture = to_buffer(pictures.first(static_cast<std::size_t>(bytes)));
        pictures = pictures.subspan(static_cast<std::size_t>(bytes));
        frames.push_back(std::move(frame));
    }
    if (!pictures.empty()) {
        return wrong_message();
    }
    return frames;
}

}  // namespace colophon::worker
