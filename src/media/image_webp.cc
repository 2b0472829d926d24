// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/internal/expansion.h"

#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>
#include <webp/mux_types.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

namespace colophon::media {
namespace {

struct DeleteDecoder {
    void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};
struct DeleteEncoder {
    void operator()(WebPAnimEncoder* encoder) const { WebPAnimEncoderDelete(encoder); }
};

Error corrupt() {
    return Error{ErrorCode::kCorrupt, "the WebP cannot be read: its coded picture is broken"};
}

Result<void> check_size(std::uint64_t width, std::uint64_t height, std::uint64_t frames,
                        Bytes file) {
    if (std::max(width, height) > limits::kImageSideMax ||
        width * height > limits::kImagePixelsMax || frames > limits::kImageFramesMax ||
        width * height * frames > limits::kImageAllFramesPixelsMax ||
        width * height * frames * 4 > limits::kImageBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a picture of {} frames of {} x {} pixels is above the limit",
                                 frames, width, height)};
    }
    return internal::check_expansion(width * height * frames * 4, file.size());
}

Result<Image> decode_animation(Bytes file, WebpFrames frames) {
    const WebPData data{file.data(), file.size()};
    WebPAnimDecoderOptions options;
    WebPAnimDecoderOptionsInit(&options);
    options.color_mode = MODE_RGBA;
    const std::unique_ptr<WebPAnimDecoder, DeleteDecoder> decoder(
        WebPAnimDecoderNew(&data, &options));
    WebPAnimInfo info;
    if (decoder == nullptr || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0) {
        return corrupt();
    }
    const std::uint32_t wanted = frames == WebpFrames::kAll ? info.frame_count : 1;
    TRY(check_size(info.canvas_width, info.canvas_height, wanted, file));
    Image image;
    image.width = static_cast<int>(info.canvas_width);
    image.height = static_cast<int>(info.canvas_height);
    image.channels = 4;
    image.has_alpha = true;
    image.loops = static_cast<int>(info.loop_count);
    image.background = info.bgcolor;
    image.frames = static_cast<int>(wanted);
    const std::size_t frame_bytes = image.row_bytes() * static_cast<std::size_t>(image.height);
    image.pixels.reserve(frame_bytes * wanted);
    for (std::uint32_t i = 0; i < wanted; ++i) {
        std::uint8_t* pixels = nullptr;
        int end_ms = 0;
        if (WebPAnimDecoderGetNext(decoder.get(), &pixels, &end_ms) == 0) {
            return corrupt();
        }
        image.pixels.insert(image.pixels.end(), pixels, pixels + frame_bytes);
        image.end_times_ms.push_back(end_ms);
    }
    return image;
}

// Fills a picture from one frame; the picture is to be freed by the caller.
bool import_frame(const Image& image, int frame, bool lossless, WebPPicture& picture) {
    picture.width = image.width;
    picture.height = image.height;
    picture.use_argb = lossless ? 1 : 0;
    const std::uint8_t* pixels = image.pixels.data() + static_cast<std::size_t>(frame) *
                                                           image.row_bytes() *
                                                           static_cast<std::size_t>(image.height);
    const int stride = static_cast<int>(image.row_bytes());
    return (image.channels == 4 ? WebPPictureImportRGBA(&picture, pixels, stride)
                                : WebPPictureImportRGB(&picture, pixels, stride)) != 0;
}

Result<Buffer> encode_animation(const Image& image, const WebPConfig& config) {
    WebPAnimEncoderOptions options;
    if (WebPAnimEncoderOptionsInit(&options) == 0) {
        return Error{ErrorCode::kUnavailable, "libwebpmux does not start"};
    }
    options.anim_params.loop_count = image.loops;
    options.anim_params.bgcolor = image.background;
    options.allow_mixed = 0;
    const std::unique_ptr<WebPAnimEncoder, DeleteEncoder> encoder(
        WebPAnimEncoderNew(image.width, image.height, &options));
    int begin_ms = 0;
    for (int i = 0; i < image.frames; ++i) {
        WebPPicture picture;
        bool good = encoder != nullptr && WebPPictureInit(&picture) != 0 &&
                    import_frame(image, i, true, picture);
        good = good && WebPAnimEncoderAdd(encoder.get(), &picture, begin_ms, &config) != 0;
        WebPPictureFree(&picture);
        if (!good) {
            return Error{ErrorCode::kUnavailable,
                         fmt::format("frame {} of the WebP cannot be coded", i)};
        }
        begin_ms = image.end_times_ms[static_cast<std::size_t>(i)];
    }
    WebPData data{nullptr, 0};
    const bool good = WebPAnimEncoderAdd(encoder.get(), nullptr, begin_ms, nullptr) != 0 &&
                      WebPAnimEncoderAssemble(encoder.get(), &data) != 0;
    Buffer out;
    if (good) {
        out.assign(data.bytes, data.bytes + data.size);
    }
    WebPDataClear(&data);
    if (!good) {
        return Error{ErrorCode::kUnavailable, "the WebP animation cannot be written"};
    }
    return out;
}

}  // namespace

Result<Image> decode_webp(Bytes file, WebpFrames frames) {
    TRY(load({Codec::kWebp}));
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(file.data(), file.size(), &features) != VP8_STATUS_OK) {
        return corrupt();
    }
    // Before the decoder of animations, which makes two canvases of what the header says.
    TRY(check_size(static_cast<std::uint64_t>(features.width),
                   static_cast<std::uint64_t>(features.height), 1, file));
    if (features.has_animation != 0) {
        return decode_animation(file, frames);
    }
    Image image;
    image.width = features.width;
    image.height = features.height;
    image.has_alpha = features.has_alpha != 0;
    image.channels = image.has_alpha ? 4 : 3;
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
    const int stride = static_cast<int>(image.row_bytes());
    const std::uint8_t* done =
        image.has_alpha ? WebPDecodeRGBAInto(file.data(), file.size(), image.pixels.data(),
                                             image.pixels.size(), stride)
                        : WebPDecodeRGBInto(file.data(), file.size(), image.pixels.data(),
                                            image.pixels.size(), stride);
    if (done == nullptr) {
        return corrupt();
    }
    return image;
}

Result<Buffer> encode_webp(const Image& image, const WebpOptions& options) {
    TRY(load({Codec::kWebp}));
    WebPConfig config;
    if (WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, options.quality) == 0) {
        return Error{ErrorCode::kUnavailable, "libwebp does not start"};
    }
    config.lossless = options.lossless ? 1 : 0;
    config.exact = 1;
    config.quality = options.lossless ? 70.0F : options.quality;  // lossless: effort
    config.alpha_quality = 100;
    if (!image.end_times_ms.empty()) {
        return encode_animation(image, config);
    }
    WebPMemoryWriter writer;
    WebPMemoryWriterInit(&writer);
    WebPPicture picture;
    bool good = WebPPictureInit(&picture) != 0 && import_frame(image, 0, options.lossless, picture);
    picture.writer = WebPMemoryWrite;
    picture.custom_ptr = &writer;
    good = good && WebPEncode(&config, &picture) != 0;
    WebPPictureFree(&picture);
    Buffer out;
    if (good) {
        out.assign(writer.mem, writer.mem + writer.size);
    }
    WebPMemoryWriterClear(&writer);
    if (!good) {
        return Error{ErrorCode::kUnavailable, "the WebP cannot be written"};
    }
    return out;
}

}  // namespace colophon::media
