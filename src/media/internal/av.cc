// SPDX-License-Identifier: Apache-2.0
#include "media/internal/av.h"

#include "core/assert.h"
#include "core/result.h"
#include "media/internal/late.h"

#include <fmt/format.h>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavformat/avio.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/avutil.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>
#include <libswresample/swresample.h>
}

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace colophon::media {
namespace {

void no_log(void* /*object*/, int /*level*/, const char* /*format*/, va_list /*arguments*/) {}

// No honest file of ours needs a block of more than this at once.
constexpr std::size_t kAvAllocationMax = 256U << 20U;

}  // namespace
}  // namespace colophon::media

namespace colophon::media::internal {

void start_sound() {
    static const bool kDone = [] {
        av_log_set_callback(no_log);
        av_max_alloc(kAvAllocationMax);
        return true;
    }();
    (void)kDone;
}

void AvFree::operator()(AVAudioFifo* fifo) const noexcept {
    av_audio_fifo_free(fifo);
}
void AvFree::operator()(AVCodecContext* codec) const noexcept {
    avcodec_free_context(&codec);
}
void AvFree::operator()(AVFormatContext* input) const noexcept {
    avformat_close_input(&input);
}
void AvFree::operator()(AVFrame* frame) const noexcept {
    av_frame_free(&frame);
}
void AvFree::operator()(AVIOContext* io) const noexcept {
    av_freep(static_cast<void*>(&io->buffer));
    avio_context_free(&io);
}
void AvFree::operator()(AVPacket* packet) const noexcept {
    av_packet_free(&packet);
}
void AvFree::operator()(SwrContext* resampler) const noexcept {
    swr_free(&resampler);
}

Error av_error(ErrorCode code, const std::string& what, int status) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(status, text.data(), text.size());
    return Error{code, fmt::format("{}: {}", what, text.data())};
}

AvPtr<AVFrame> new_frame() {
    AvPtr<AVFrame> frame(av_frame_alloc());
    COLOPHON_ASSERT(frame != nullptr);
    return frame;
}

AvPtr<AVPacket> new_packet() {
    AvPtr<AVPacket> packet(av_packet_alloc());
    COLOPHON_ASSERT(packet != nullptr);
    return packet;
}

int MemoryReader::read(std::uint8_t* out, int size) {
    const std::size_t left = bytes_.size() - position_;
    const std::size_t taken = std::min(left, static_cast<std::size_t>(std::max(size, 0)));
    if (taken == 0) {
        return AVERROR_EOF;
    }
    std::memcpy(out, bytes_.data() + position_, taken);
    position_ += taken;
    return static_cast<int>(taken);
}

std::int64_t MemoryReader::seek(std::int64_t offset, int whence) {
    const auto size = static_cast<std::int64_t>(bytes_.size());
    if (whence == AVSEEK_SIZE) {
        return size;
    }
    std::int64_t base = 0;
    if (whence == SEEK_CUR) {
        base = static_cast<std::int64_t>(position_);
    } else if (whence == SEEK_END) {
        base = size;
    }
    if (offset < -base || offset > size - base) {
        return AVERROR(EINVAL);
    }
    position_ = static_cast<std::size_t>(base + offset);
    return base + offset;
}

namespace {

constexpr int kIoBufferBytes = 1 << 16;

int read_memory(void* reader, std::uint8_t* out, int size) {
    return static_cast<MemoryReader*>(reader)->read(out, size);
}

std::int64_t seek_memory(void* reader, std::int64_t offset, int whence) {
    return static_cast<MemoryReader*>(reader)->seek(offset, whence);
}

int refuse_to_open(AVFormatContext* /*input*/, AVIOContext** /*io*/, const char* /*url*/,
                   int /*flags*/, AVDictionary** /*options*/) {
    return AVERROR(EPERM);
}

}  // namespace

Result<OpenedMemory> open_memory(MemoryReader& reader, const Demuxing& how) {
    OpenedMemory opened;
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
    COLOPHON_ASSERT(buffer != nullptr);
    opened.io.reset(
        avio_alloc_context(buffer, kIoBufferBytes, 0, &reader, read_memory, nullptr, seek_memory));
    COLOPHON_ASSERT(opened.io != nullptr);
    AVFormatContext* context = avformat_alloc_context();
    COLOPHON_ASSERT(context != nullptr);
    context->pb = opened.io.get();
    context->flags |= AVFMT_FLAG_CUSTOM_IO;
    context->io_open = refuse_to_open;
    context->max_streams = 16;
    context->max_analyze_duration = AV_TIME_BASE;
    context->probesize = 1 << 20;
    context->codec_whitelist = how.decoders == nullptr ? nullptr : av_strdup(how.decoders);
    const AVInputFormat* demuxer = av_find_input_format(how.demuxer);
    COLOPHON_ASSERT(demuxer != nullptr);
    // On failure FFmpeg frees the context itself.
    const int status = avformat_open_input(&context, "", demuxer, nullptr);
    if (status < 0) {
        return av_error(ErrorCode::kCorrupt, how.what, status);
    }
    opened.input.reset(context);
    return opened;
}

}  // namespace colophon::media::internal
