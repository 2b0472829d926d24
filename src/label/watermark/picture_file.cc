// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/picture_file.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/png_chunks.h"
#include "label/format.h"
#include "label/picture/apng.h"
#include "label/picture/recode.h"
#include "label/watermark/internal/animations.h"
#include "label/watermark/internal/pixels.h"
#include "label/watermark/luma.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"
#include "media/tiff_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::Image;

class JpegPicture final : public PictureFile {
public:
    JpegPicture(Bytes file, media::JpegBlocks blocks) : file_(file), blocks_(std::move(blocks)) {}

    int count() const override { return 1; }
    Result<Luma> luma(int /*index*/) override {
        TRY(check_watermark_size(blocks_.width(), blocks_.height()));
        return luma_of(blocks_);
    }
    Result<void> add(int /*index*/, const Luma& pattern) override {
        add_to_jpeg(blocks_, pattern);
        return {};
    }
    Result<Recoded> finish() override {
        const Buffer coded = TRY(blocks_.write());
        return Recoded{.splice = TRY(exchange_jpeg_picture(file_, coded)), .loss = {}};
    }

private:
    Bytes file_;
    media::JpegBlocks blocks_;
};

class PngPicture final : public PictureFile {
public:
    PngPicture(Bytes file, media::PngImage png) : file_(file), png_(std::move(png)) {
        if (png_.image.space == ColourSpace::kPalette) {
            png_.image = without_palette(png_.image);
            png_.bit_depth = 8;
            palette_ = PngPalette::kGone;
        }
    }

    int count() const override { return 1; }
    Result<Luma> luma(int /*index*/) override {
        TRY(check_watermark_size(png_.image.width, png_.image.height));
        return luma_of(png_.image, 0);
    }
    Result<void> add(int /*index*/, const Luma& pattern) override {
        Image before;
        if (png_.has_transparent_colour) {
            before = png_.image;
        }
        add_to_image(png_.image, 0, pattern);
        if (png_.has_transparent_colour) {
            keep_transparent(before);
        }
        return {};
    }
    Result<Recoded> finish() override {
        Recoded recoded{.splice = TRY(exchange_png_picture(file_, png_, palette_)), .loss = {}};
        if (palette_ == PngPalette::kGone) {
            recoded.loss = "the picture had a palette and is RGB now";
        }
        return recoded;
    }

private:
    bool is_transparent(const Image& image, int x, int y) const {
        for (int c = 0; c < image.channels; ++c) {
            if (image.sample(x, y, c) != png_.transparent_colour[c]) {
                return false;
            }
        }
        return true;
    }
    // Pixels of the colour that means "transparent" stay so, and no other becomes so.
    void keep_transparent(const Image& before) {
        Image& image = png_.image;
        for (int y = 0; y < image.height; ++y) {
            for (int x = 0; x < image.width; ++x) {
                const bool was = is_transparent(before, x, y);
                if (was == is_transparent(image, x, y)) {
                    continue;
                }
                for (int c = 0; c < image.channels; ++c) {
                    image.set_sample(x, y, c, before.sample(x, y, c));
                }
            }
        }
    }

    Bytes file_;
    media::PngImage png_;
    PngPalette palette_ = PngPalette::kAsBefore;
};

// WebP, with all its frames, HEIC and AVIF, with their primary picture.
class RecodedPicture final : public PictureFile {
public:
    using Recode = Result<Recoded> (*)(Bytes file, const Image& image);
    RecodedPicture(Bytes file, Image image, Recode recode)
        : file_(file), image_(std::move(image)), recode_(recode) {}

    int count() const override { return image_.frames; }
    bool animated() const override { return image_.frames > 1; }
    Result<Luma> luma(int index) override {
        TRY(check_watermark_size(image_.width, image_.height));
        return luma_of(image_, index);
    }
    Result<void> add(int index, const Luma& pattern) override {
        if (!animated()) {
            add_to_image(image_, index, pattern);
            return {};
        }
        const Image shown = frame(index);
        add_to_image(image_, index, pattern);
        if (index > 0) {
            Image marked = frame(index);
            keep_still_pixels({.before = before_, .marked_before = frame(index - 1)}, shown,
                              marked);
            std::ranges::copy(marked.pixels, image_.pixels.begin() + offset(index));
        }
        before_ = shown;
        return {};
    }
    Result<Recoded> finish() override { return recode_(file_, image_); }

private:
    std::ptrdiff_t offset(int index) const {
        return static_cast<std::ptrdiff_t>(image_.row_bytes()) * image_.height * index;
    }
    Image frame(int index) const {
        Image one;
        one.width = image_.width;
        one.height = image_.height;
        one.channels = image_.channels;
        one.sample_bytes = image_.sample_bytes;
        one.pixels.assign(image_.pixels.begin() + offset(index),
                          image_.pixels.begin() + offset(index + 1));
        return one;
    }

    Bytes file_;
    Image image_;
    Recode recode_;
    Image before_;  // of an animation: the frame before, unmarked
};

class TiffPicture final : public PictureFile {
public:
    TiffPicture(Bytes file, media::TiffPages pages, std::vector<int> whole)
        : file_(file), pages_(std::move(pages)), whole_(std::move(whole)) {}

    int count() const override { return static_cast<int>(whole_.size()); }
    Result<Luma> luma(int index) override {
        TRY(open(index));
        return luma_of(image_, 0);
    }
    Result<void> add(int index, const Luma& pattern) override {
        TRY(open(index));
        add_to_image(image_, 0, pattern);
        const media::Rect all{0, 0, page_.width, page_.height};
        if (page_.form == media::TiffForm::kSamples || page_.form == media::TiffForm::kJpeg) {
            return pages_.write(all, image_);
        }
        loss_ =
            fmt::format("a page of the TIFF ({}) is RGB of 8 bits without loss now", page_.model);
        return pages_.replace(image_);
    }
    Result<Recoded> finish() override {
        const Buffer changed = TRY(pages_.finish());
        return Recoded{.splice = splice_what_changed(file_, changed), .loss = loss_};
    }

private:
    Result<void> open(int index) {
        page_ = TRY(pages_.select(whole_[static_cast<std::size_t>(index)]));
        TRY(check_watermark_size(page_.width, page_.height));
        image_ = TRY(pages_.read({0, 0, page_.width, page_.height}));
        if (image_.space == ColourSpace::kPalette) {
            image_ = without_palette(image_);
        }
        return {};
    }

    Bytes file_;
    media::TiffPages pages_;
    std::vector<int> whole_;  // pages that are no thumbnails of others
    media::TiffPage page_;
    Image image_;
    std::string loss_;
};

template <class Picture, class... Parts>
std::unique_ptr<PictureFile> as_picture(Parts&&... parts) {
    return std::make_unique<Picture>(std::forward<Parts>(parts)...);
}

Result<std::unique_ptr<PictureFile>> open_png(Bytes file) {
    PngFile chunks = TRY(walk_png(file));
    if (is_apng(chunks)) {
        return open_apng(file, std::move(chunks));
    }
    media::PngImage png = TRY(media::decode_png(file));
    return as_picture<PngPicture>(file, std::move(png));
}

Result<std::unique_ptr<PictureFile>> open_tiff(Bytes file) {
    media::TiffPages pages = TRY(media::TiffPages::open(file));
    std::vector<int> whole;
    for (int i = 0; i < pages.count(); ++i) {
        const media::TiffPage page = TRY(pages.select(i));
        if (!page.reduced || pages.count() == 1) {
            whole.push_back(i);
        }
    }
    return as_picture<TiffPicture>(file, std::move(pages), std::move(whole));
}

}  // namespace

Result<std::unique_ptr<PictureFile>> open_picture(Bytes file, Format format) {
    switch (format) {
        case Format::kJpeg: {
            media::JpegBlocks blocks = TRY(media::JpegBlocks::open(file));
            return as_picture<JpegPicture>(file, std::move(blocks));
        }
        case Format::kPng:
            return open_png(file);
        case Format::kGif:
            return open_gif(file);
        case Format::kWebp: {
            Image image = TRY(media::decode_webp(file, media::WebpFrames::kAll));
            return as_picture<RecodedPicture>(file, std::move(image), recode_webp);
        }
        case Format::kHeic:
        case Format::kAvif: {
            Image image = TRY(media::decode_vips(file, media::VipsFormat::kHeif));
            return as_picture<RecodedPicture>(file, std::move(image), recode_heif);
        }
        case Format::kTiff:
            return open_tiff(file);
        default:
            return Error{ErrorCode::kUnsupported,
                         fmt::format("{} takes no watermark in this version", facts(format).name)};
    }
}

}  // namespace colophon::label::internal
