// SPDX-License-Identifier: Apache-2.0
#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/audio.h"
#include "media/internal/av.h"
#include "media/video.h"

#include <fmt/format.h>

extern "C" {
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>
}

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace colophon::media {
namespace {

// The mean of the planes, in the first of them.
void mix(Pcm& pcm) {
    const auto share = 1.0F / static_cast<float>(pcm.planes.size());
    std::vector<float>& mean = pcm.planes.front();
    for (std::size_t i = 0; i < mean.size(); ++i) {
        float sum = mean[i];
        for (std::size_t c = 1; c < pcm.planes.size(); ++c) {
            sum += pcm.planes[c][i];
        }
        mean[i] = sum * share;
    }
}

// One channel of floats at one rate to 16 bits at another.
class MonoRate {
public:
    static Result<MonoRate> open(std::uint32_t from, std::uint32_t to) {
        AVChannelLayout mono{};
        av_channel_layout_default(&mono, 1);
        SwrContext* made = nullptr;
        int status =
            swr_alloc_set_opts2(&made, &mono, AV_SAMPLE_FMT_S16, static_cast<int>(to), &mono,
                                AV_SAMPLE_FMT_FLT, static_cast<int>(from), 0, nullptr);
        MonoRate rate;
        rate.swr_.reset(made);
        if (status >= 0) {
            status = swr_init(made);
        }
        if (status < 0) {
            return internal::av_error(ErrorCode::kUnsupported, "cannot change the sampling rate",
                                      status);
        }
        return rate;
    }

    // What is ready after these; nothing more comes after none.
    std::span<const std::int16_t> push(const std::vector<float>& samples) {
        const int room = swr_get_out_samples(swr_.get(), static_cast<int>(samples.size()));
        COLOPHON_ASSERT(room >= 0);
        out_.resize(static_cast<std::size_t>(room) + 1);
        auto* to = reinterpret_cast<std::uint8_t*>(out_.data());
        const auto* from = reinterpret_cast<const std::uint8_t*>(samples.data());
        const int made = swr_convert(swr_.get(), &to, room, samples.empty() ? nullptr : &from,
                                     static_cast<int>(samples.size()));
        COLOPHON_ASSERT(made >= 0);
        return std::span(out_).first(static_cast<std::size_t>(made));
    }

private:
    internal::AvPtr<SwrContext> swr_;
    std::vector<std::int16_t> out_;
};

}  // namespace

namespace {

Result<void> check_rate(std::uint32_t rate) {
    if (rate < 1 || rate > limits::kAudioRateMax) {
        return Error{ErrorCode::kInvalidArgument, fmt::format("no sampling rate: {}", rate)};
    }
    return {};
}

Result<void> read_source(const std::unique_ptr<internal::Source>& source, std::uint32_t rate,
                         const TakeSamples& take) {
    MonoRate resampler = TRY(MonoRate::open(source->facts().rate, rate));
    Pcm piece;
    piece.rate = source->facts().rate;
    piece.channel_mask = source->facts().channel_mask;
    for (;;) {
        const AVFrame* frame = TRY(source->next_frame());
        piece.planes.assign(source->facts().channels, {});
        if (frame != nullptr) {
            internal::append_frame(piece, *frame);
            mix(piece);
        }
        const auto ready = resampler.push(piece.planes.front());
        if (!ready.empty()) {
            take(ready);
        }
        if (frame == nullptr) {
            return {};
        }
    }
}

}  // namespace

Result<void> read_mono(Bytes file, AudioContainer container, std::uint32_t rate,
                       const TakeSamples& take) {
    TRY(check_rate(rate));
    const auto source = TRY(internal::Source::open(file, container));
    return read_source(source, rate, take);
}

Result<bool> read_mono(Bytes file, VideoContainer container, std::uint32_t rate,
                       const TakeSamples& take) {
    TRY(check_rate(rate));
    const auto source = internal::Source::open(file, container);
    if (!source.ok() && source.error().code == ErrorCode::kNotFound) {
        return false;
    }
    if (!source.ok()) {
        return source.error();
    }
    TRY(read_source(*source, rate, take));
    return true;
}

}  // namespace colophon::media
