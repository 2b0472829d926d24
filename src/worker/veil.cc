// SPDX-License-Identifier: Apache-2.0
#include "worker/veil.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/picture.h"
#include "label/codecs.h"
#include "label/container/png_chunks.h"
#include "label/container/riff_chunks.h"
#include "label/explicit/image.h"
#include "label/explicit/image_turn.h"
#include "label/format.h"
#include "label/picture/apng.h"
#include "label/picture/gif_canvas.h"
#include "label/picture/gif_frames.h"
#include "media/codecs.h"
#include "media/grey_video.h"
#include "media/image.h"
#include "media/plane.h"
#include "media/tiff_pages.h"
#include "media/video.h"
#include "worker/prints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

using fingerprint::Luma;
using label::Format;

constexpr std::int64_t kFilmStepMs = 1000 / kVeilFilmRate;

Error wrong_message() {
    return Error{ErrorCode::kCorrupt, "the worker's veil is not in its form"};
}

// Means of 2 * radius + 1 samples; beyond its ends a line goes on as it ended.
void blur_line(std::vector<float>& line, std::vector<float>& out, int radius) {
    const int size = static_cast<int>(line.size());
    const auto at = [&](int i) {
        return line[static_cast<std::size_t>(std::clamp(i, 0, size - 1))];
    };
    double sum = 0;
    for (int i = -radius; i <= radius; ++i) {
        sum += at(i);
    }
    for (int i = 0; i < size; ++i) {
        out[static_cast<std::size_t>(i)] = static_cast<float>(sum / (2 * radius + 1));
        sum += at(i + radius + 1) - at(i - radius);
    }
    std::swap(line, out);
}

// Three boxes are as good as a Gaussian (Wells 1986).
void blur_lines(std::vector<float>& line, int radius) {
    std::vector<float> out(line.size());
    for (int pass = 0; pass < 3; ++pass) {
        blur_line(line, out, radius);
    }
}

void blur(Luma& luma) {
    const double sigma = std::max(luma.width, luma.height) * kVeilBlurShare;
    // The variance of a box of width w is (w^2 - 1) / 12; three of them add up.
    const double width = std::sqrt(4 * sigma * sigma + 1);
    const int radius = std::max(1, static_cast<int>(std::lround((width - 1) / 2)));
    std::vector<float> line;
    for (int y = 0; y < luma.height; ++y) {
        line.assign(luma.row(y), luma.row(y) + luma.width);
        blur_lines(line, radius);
        std::ranges::copy(line, luma.row(y));
    }
    line.resize(static_cast<std::size_t>(luma.height));
    for (int x = 0; x < luma.width; ++x) {
        for (int y = 0; y < luma.height; ++y) {
            line[static_cast<std::size_t>(y)] = luma.row(y)[x];
        }
        blur_lines(line, radius);
        for (int y = 0; y < luma.height; ++y) {
            luma.row(y)[x] = line[static_cast<std::size_t>(y)];
        }
    }
}

Luma turned(Luma stored, int orientation) {
    const label::Turn turn(orientation, stored.width, stored.height);
    if (turn.upright()) {
        return stored;
    }
    const bool sideways = turn.shown(1, 0).first == turn.shown(0, 0).first;
    Luma shown(sideways ? stored.height : stored.width, sideways ? stored.width : stored.height);
    for (int y = 0; y < shown.height; ++y) {
        for (int x = 0; x < shown.width; ++x) {
            const auto [from_x, from_y] = turn.stored(x, y);
            shown.row(y)[x] = stored.row(from_y)[from_x];
        }
    }
    return shown;
}

std::uint8_t level(float value) noexcept {
    return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

Result<Buffer> grey_png(const Luma& luma) {
    media::PngImage png;
    png.image.width = luma.width;
    png.image.height = luma.height;
    png.image.channels = 1;
    png.image.space = media::ColourSpace::kGrey;
    png.image.pixels.reserve(luma.values.size());
    for (const float value : luma.values) {
        png.image.pixels.push_back(level(value));
    }
    return media::encode_png(png);
}

// Whoever sees one picture only is told that there are more.
Result<std::uint64_t> count_pictures(Bytes file, Format format) {
    switch (format) {
        case Format::kGif:
            return std::uint64_t{TRY(label::read_gif_animation(file)).frames.size()};
        case Format::kPng: {
            label::PngFile png = TRY(label::walk_png(file));
            if (!label::is_apng(png)) {
                return std::uint64_t{1};
            }
            const auto canvases = TRY(label::ApngCanvases::open(file, std::move(png)));
            return static_cast<std::uint64_t>(std::max(canvases.count(), 1));
        }
        case Format::kWebp: {
            const label::RiffFile riff = TRY(label::walk_riff(file));
            const auto frames = std::ranges::count(riff.chunks, "ANMF", &label::RiffChunk::id);
            return static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(frames, 1));
        }
        case Format::kTiff: {
            const auto pages = TRY(media::TiffPages::open(file));
            return static_cast<std::uint64_t>(std::max(pages.count(), 1));
        }
        default:
            return std::uint64_t{1};
    }
}

Result<Veil> veil_still(Bytes file, Format format, fingerprint::PictureCoding coding) {
    Luma luma = TRY(fingerprint::read_small_luma(file, coding, kVeilSideMax));
    luma = turned(std::move(luma), label::display_orientation(file, format));
    blur(luma);
    Veil veil;
    veil.file = TRY(grey_png(luma));
    return veil;
}

// One picture of a film, with sides that it may have.
media::Plane plane_of(Luma luma, int orientation) {
    luma = turned(std::move(luma), orientation);
    blur(luma);
    const auto even = [](int side) { return std::max(2, side - side % 2); };
    media::Plane plane({0, 0, even(luma.width), even(luma.height)});
    for (int y = 0; y < plane.area.height; ++y) {
        for (int x = 0; x < plane.area.width; ++x) {
            plane.at(x, y) =
                level(luma.row(std::min(y, luma.height - 1))[std::min(x, luma.width - 1)]);
        }
    }
    return plane;
}

// The pictures of a film: one for each step, which becomes twice as long whenever they would be too
// many. What the file says of its length matters nothing.
class FilmPictures {
public:
    std::int64_t next_ms() const noexcept {
        return static_cast<std::int64_t>(pictures_.size()) * step_ms_;
    }
    void add(std::int64_t time_ms, media::Plane picture) {
        while (time_ms / step_ms_ >= static_cast<std::int64_t>(kVeilFilmPicturesMax)) {
            keep_every_second();
        }
        const auto place = static_cast<std::size_t>(time_ms / step_ms_);
        if (place < pictures_.size()) {
            return;
        }
        // What was shown before is shown until then.
        while (pictures_.size() < place) {
            media::Plane before = pictures_.empty() ? picture : pictures_.back();
            pictures_.push_back(std::move(before));
        }
        pictures_.push_back(std::move(picture));
    }
    const std::vector<media::Plane>& all() const noexcept { return pictures_; }
    std::int64_t speed() const noexcept { return step_ms_ / kFilmStepMs; }

private:
    void keep_every_second() {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < pictures_.size(); i += 2) {
            if (kept != i) {
                pictures_[kept] = std::move(pictures_[i]);
            }
            ++kept;
        }
        pictures_.resize(kept);
        step_ms_ *= 2;
    }

    std::int64_t step_ms_ = kFilmStepMs;
    std::vector<media::Plane> pictures_;
};

Result<Veil> film_of(const FilmPictures& film, std::uint64_t pictures) {
    Veil veil;
    veil.film = true;
    veil.pictures = pictures;
    veil.speed = film.speed();
    veil.file = TRY(media::encode_grey_video(film.all(), kVeilFilmRate));
    return veil;
}

Result<Veil> veil_video(Bytes file, media::VideoContainer container) {
    media::VideoFrames video = TRY(media::VideoFrames::open(file, container));
    FilmPictures film;
    std::optional<media::Rect> size;
    for (;;) {
        auto picture = TRY(video.next_picture(film.next_ms(), kVeilFilmSideMax));
        if (!picture) {
            break;
        }
        const media::Image& image = picture->image;
        media::Plane plane =
            plane_of(fingerprint::small_luma_of(image, 0, kVeilFilmSideMax), video.orientation());
        if (size && plane.area != *size) {
            return Error{ErrorCode::kUnsupported,
                         "the pictures of the video change their size or kind on the way"};
        }
        size = plane.area;
        film.add(std::max<std::int64_t>(picture->time_ms, 0), std::move(plane));
    }
    if (film.all().empty()) {
        return Error{ErrorCode::kCorrupt, "no picture of the video can be decoded"};
    }
    return film_of(film, 1);
}

media::Image image_of(const label::GifCanvas& canvas, int width, int height) {
    media::Image image;
    image.width = width;
    image.height = height;
    image.channels = 4;
    image.has_alpha = true;
    image.pixels.reserve(canvas.colours().size() * 4);
    for (const std::uint32_t colour : canvas.colours()) {
        for (const unsigned shift : {16U, 8U, 0U, 24U}) {
            image.pixels.push_back(static_cast<std::uint8_t>(colour >> shift));
        }
    }
    return image;
}

// The pictures of an animation, each for as long as the others: one that is shown for a moment only
// is not to be missed.
class Slides {
public:
    explicit Slides(int orientation) : orientation_(orientation) {}

    void add(const media::Image& image, int frame) {
        const std::int64_t time_ms = count_++ * kFilmStepMs;
        if (time_ms >= film_.next_ms()) {
            Luma luma = fingerprint::small_luma_of(image, frame, kVeilFilmSideMax);
            film_.add(time_ms, plane_of(std::move(luma), orientation_));
        }
    }
    Result<Veil> finish() const { return film_of(film_, static_cast<std::uint64_t>(count_)); }

private:
    int orientation_;
    std::int64_t count_ = 0;
    FilmPictures film_;
};

Result<Veil> veil_animation(Bytes file, Format format) {
    Slides slides(label::display_orientation(file, format));
    if (format == Format::kGif) {
        const label::GifAnimation animation = TRY(label::read_gif_animation(file));
        label::GifCanvas canvas(animation.width, animation.height);
        const label::GifFrame* before = nullptr;
        for (const label::GifFrame& frame : animation.frames) {
            if (before != nullptr) {
                canvas.leave(*before);
            }
            before = &frame;
            canvas.come(frame);
            const Buffer indices = TRY(label::decode_gif_frame(frame));
            canvas.lay(frame, animation.colours_of(frame), indices);
            slides.add(image_of(canvas, animation.width, animation.height), 0);
        }
    } else if (format == Format::kPng) {
        label::PngFile png = TRY(label::walk_png(file));
        label::ApngCanvases canvases = TRY(label::ApngCanvases::open(file, std::move(png)));
        for (int i = 0; i < canvases.count(); ++i) {
            const media::Image* image = TRY(canvases.next());
            slides.add(*image, 0);
        }
    } else {
        const media::Image image = TRY(media::decode_webp(file, media::WebpFrames::kAll));
        for (int i = 0; i < image.frames; ++i) {
            slides.add(image, i);
        }
    }
    return slides.finish();
}

bool may_move(Format format) noexcept {
    return format == Format::kGif || format == Format::kPng || format == Format::kWebp;
}

Result<Veil> veil_picture(Bytes file, Format format, fingerprint::PictureCoding coding) {
    const std::uint64_t pictures = TRY(count_pictures(file, format));
    if (pictures > 1 && may_move(format)) {
        return veil_animation(file, format);
    }
    Veil veil = TRY(veil_still(file, format, coding));
    veil.pictures = pictures;
    return veil;
}

// The head of a PNG: signature, then IHDR with width, height, 8 bits, grey.
bool is_grey_png(Bytes file) {
    constexpr std::array<std::uint8_t, 16> kHead{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
                                                 0,    0,   0,   13,  'I',  'H',  'D',  'R'};
    constexpr std::size_t kHeadBytes = 26;
    if (file.size() < kHeadBytes || !std::ranges::equal(kHead, file.first(kHead.size()))) {
        return false;
    }
    const auto side = [&](std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            value = value << 8U | file[at + i];
        }
        return value;
    };
    const auto fits = [](std::uint32_t length) { return length >= 1 && length <= kVeilSideMax; };
    return fits(side(16)) && fits(side(20)) && file[24] == 8 && file[25] == 0;
}

bool is_mp4(Bytes file) {
    constexpr std::string_view kType = "ftyp";
    return file.size() > 8 && as_text(file.subspan(4, kType.size())) == kType;
}

}  // namespace

std::string_view veil_media_type(const Veil& veil) noexcept {
    return veil.film ? "video/mp4" : "image/png";
}

bool takes_veil(Format format) noexcept {
    return picture_coding(format).has_value() || label::video_container(format).has_value();
}

media::CodecSet veil_codecs(Format format) noexcept {
    media::CodecSet codecs = print_codecs(format);
    if (picture_coding(format)) {
        codecs.add(media::Codec::kPng);
    }
    if (may_move(format)) {
        codecs.add(media::Codec::kSound);
    }
    return codecs;
}

Result<Veil> make_veil(Bytes file, Format format) {
    if (const auto picture = picture_coding(format)) {
        return veil_picture(file, format, *picture);
    }
    if (const auto container = label::video_container(format)) {
        return veil_video(file, *container);
    }
    return Error{ErrorCode::kUnsupported,
                 fmt::format("no veil is made of {} files", label::facts(format).name)};
}

json::Value encode(const Veil& veil) {
    return json::Object{{"film", veil.film}, {"pictures", veil.pictures}, {"speed", veil.speed}};
}

Result<Veil> decode_veil(const json::Value& value, Bytes file) {
    const json::Value* film = value.find("film");
    const json::Value* pictures = value.find("pictures");
    const json::Value* speed = value.find("speed");
    if (film == nullptr || film->if_bool() == nullptr || pictures == nullptr || speed == nullptr) {
        return wrong_message();
    }
    Veil veil;
    veil.film = *film->if_bool();
    veil.pictures = TRY(pictures->as_uint());
    veil.speed = TRY(speed->as_int());
    const bool whole = file.size() <= kVeilBytesMax && veil.pictures >= 1 && veil.speed >= 1;
    if (!whole || (veil.film ? !is_mp4(file) : !is_grey_png(file))) {
        return wrong_message();
    }
    veil.file = to_buffer(file);
    return veil;
}

}  // namespace colophon::worker
