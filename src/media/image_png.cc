// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/internal/expansion.h"

#include <fmt/format.h>
#include <png.h>
#include <pngconf.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace colophon::media {
namespace {

// libpng leaves an error by longjmp. As in jpeg_blocks.cc, no object with a destructor lives
// between the setjmp and the library: everything it needs stands in a job that the caller owns.
struct Job {
    png_structp png = nullptr;
    png_infop info = nullptr;
    Bytes input;
    std::size_t input_at = 0;
    Buffer* output = nullptr;
    std::vector<png_bytep>* rows = nullptr;
    PngImage* picture = nullptr;
    char message[128] = {};
};

void fail(png_structp png, png_const_charp message) {
    auto* job = static_cast<Job*>(png_get_error_ptr(png));
    std::strncpy(job->message, message, sizeof job->message - 1);
    png_longjmp(png, 1);
}

void stay_silent(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, std::size_t size) {
    auto* job = static_cast<Job*>(png_get_io_ptr(png));
    if (size > job->input.size() - job->input_at) {
        png_error(png, "the file ends early");
    }
    std::memcpy(out, job->input.data() + job->input_at, size);
    job->input_at += size;
}

void write_bytes(png_structp png, png_bytep bytes, std::size_t size) {
    auto* job = static_cast<Job*>(png_get_io_ptr(png));
    job->output->insert(job->output->end(), bytes, bytes + size);
}

void flush_bytes(png_structp) {}

bool read_head(Job* job) {
    if (setjmp(png_jmpbuf(job->png)) != 0) {
        return false;
    }
    png_set_read_fn(job->png, job, read_bytes);
    // Text and profiles are carried over as chunks by the caller; here they are only a danger.
    png_set_keep_unknown_chunks(job->png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_user_limits(job->png, limits::kImageSideMax, limits::kImageSideMax);
    png_set_chunk_malloc_max(job->png, std::size_t{limits::kKibibytesPngChunkMax} * 1024U);
    png_set_chunk_cache_max(job->png, 64);
    png_read_info(job->png, job->info);
    return true;
}

bool read_rows(Job* job) {
    if (setjmp(png_jmpbuf(job->png)) != 0) {
        return false;
    }
    png_set_packing(job->png);
    png_set_swap(job->png);
    png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
    png_read_image(job->png, job->rows->data());
    return true;
}

void read_palette(Job& job) {
    png_colorp colours = nullptr;
    int count = 0;
    if (png_get_PLTE(job.png, job.info, &colours, &count) == 0) {
        return;
    }
    png_bytep alphas = nullptr;
    int alpha_count = 0;
    png_get_tRNS(job.png, job.info, &alphas, &alpha_count, nullptr);
    for (int i = 0; i < count; ++i) {
        const std::uint32_t alpha = i < alpha_count ? alphas[i] : 255U;
        job.picture->image.palette.push_back(
            alpha << 24U | static_cast<std::uint32_t>(colours[i].red) << 16U |
            static_cast<std::uint32_t>(colours[i].green) << 8U | colours[i].blue);
    }
}

void describe(Job& job) {
    Image& image = job.picture->image;
    const int type = png_get_color_type(job.png, job.info);
    job.picture->bit_depth = png_get_bit_depth(job.png, job.info);
    job.picture->interlaced = png_get_interlace_type(job.png, job.info) != PNG_INTERLACE_NONE;
    image.width = static_cast<int>(png_get_image_width(job.png, job.info));
    image.height = static_cast<int>(png_get_image_height(job.png, job.info));
    image.channels = png_get_channels(job.png, job.info);
    image.sample_bytes = job.picture->bit_depth == 16 ? 2 : 1;
    image.sample_max = (1 << job.picture->bit_depth) - 1;
    image.has_alpha = (type & PNG_COLOR_MASK_ALPHA) != 0;
    image.space = type == PNG_COLOR_TYPE_PALETTE       ? ColourSpace::kPalette
                  : (type & PNG_COLOR_MASK_COLOR) != 0 ? ColourSpace::kRgb
                                                       : ColourSpace::kGrey;
    if (image.space == ColourSpace::kPalette) {
        read_palette(job);
        return;
    }
    png_color_16p key = nullptr;
    if (png_get_tRNS(job.png, job.info, nullptr, nullptr, &key) != 0 && key != nullptr) {
        job.picture->has_transparent_colour = true;
        const bool grey = image.space == ColourSpace::kGrey;
        job.picture->transparent_colour[0] = grey ? key->gray : key->red;
        job.picture->transparent_colour[1] = grey ? key->gray : key->green;
        job.picture->transparent_colour[2] = grey ? key->gray : key->blue;
    }
}

std::vector<png_bytep> row_pointers(Image& image) {
    std::vector<png_bytep> rows;
    rows.reserve(static_cast<std::size_t>(image.height));
    for (int y = 0; y < image.height; ++y) {
        rows.push_back(image.pixels.data() + static_cast<std::size_t>(y) * image.row_bytes());
    }
    return rows;
}

int colour_type(const Image& image) {
    if (image.space == ColourSpace::kPalette) {
        return PNG_COLOR_TYPE_PALETTE;
    }
    return (image.space == ColourSpace::kRgb ? PNG_COLOR_MASK_COLOR : 0) |
           (image.has_alpha ? PNG_COLOR_MASK_ALPHA : 0);
}

bool write_all(Job* job) {
    if (setjmp(png_jmpbuf(job->png)) != 0) {
        return false;
    }
    const PngImage& picture = *job->picture;
    const Image& image = picture.image;
    png_set_write_fn(job->png, job, write_bytes, flush_bytes);
    png_set_user_limits(job->png, limits::kImageSideMax, limits::kImageSideMax);
    png_set_IHDR(job->png, job->info, static_cast<png_uint_32>(image.width),
                 static_cast<png_uint_32>(image.height), picture.bit_depth, colour_type(image),
                 picture.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_color colours[PNG_MAX_PALETTE_LENGTH];
    png_byte alphas[PNG_MAX_PALETTE_LENGTH];
    int alpha_count = 0;
    const int count = static_cast<int>(std::min<std::size_t>(image.palette.size(), 256));
    for (int i = 0; i < count; ++i) {
        const std::uint32_t c = image.palette[static_cast<std::size_t>(i)];
        colours[i] = {.red = static_cast<png_byte>(c >> 16U),
                      .green = static_cast<png_byte>(c >> 8U),
                      .blue = static_cast<png_byte>(c)};
        alphas[i] = static_cast<png_byte>(c >> 24U);
        alpha_count = alphas[i] != 255 ? i + 1 : alpha_count;
    }
    if (count > 0) {
        png_set_PLTE(job->png, job->info, colours, count);
    }
    if (alpha_count > 0) {
        png_set_tRNS(job->png, job->info, alphas, alpha_count, nullptr);
    }
    png_write_info(job->png, job->info);
    png_set_packing(job->png);
    png_set_swap(job->png);
    png_write_image(job->png, job->rows->data());
    png_write_end(job->png, job->info);
    return true;
}

Error broken(const Job& job) {
    return Error{ErrorCode::kCorrupt, fmt::format("the PNG cannot be read: {}", job.message)};
}

// Into what the job points at.
Result<void> decode(Job& job) {
    if (!read_head(&job)) {
        return broken(job);
    }
    const std::uint64_t pixels = std::uint64_t{png_get_image_width(job.png, job.info)} *
                                 png_get_image_height(job.png, job.info);
    if (pixels > limits::kImagePixelsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a picture of {} pixels is above the limit of {}", pixels,
                                 limits::kImagePixelsMax)};
    }
    describe(job);
    Image& image = job.picture->image;
    const std::uint64_t bytes =
        std::uint64_t{image.row_bytes()} * png_get_image_height(job.png, job.info);
    if (bytes > limits::kImageBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a picture of {} bytes is above the limit of {}", bytes,
                                 limits::kImageBytesMax)};
    }
    TRY(internal::check_expansion(bytes, job.input.size()));
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
    *job.rows = row_pointers(image);
    if (!read_rows(&job)) {
        return broken(job);
    }
    return {};
}

}  // namespace

Result<PngImage> decode_png(Bytes file) {
    TRY(load({Codec::kPng}));
    PngImage picture;
    std::vector<png_bytep> rows;
    Job job;
    job.input = file;
    job.picture = &picture;
    job.rows = &rows;
    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, fail, stay_silent);
    job.info = job.png == nullptr ? nullptr : png_create_info_struct(job.png);
    if (job.info == nullptr) {
        png_destroy_read_struct(&job.png, nullptr, nullptr);
        return Error{ErrorCode::kUnavailable, "libpng does not start"};
    }
    Result<void> decoded = decode(job);
    png_destroy_read_struct(&job.png, &job.info, nullptr);
    TRY(std::move(decoded));
    return picture;
}

Result<Buffer> encode_png(const PngImage& png) {
    TRY(load({Codec::kPng}));
    PngImage copy_of_facts = png;  // libpng wants rows that it could write to
    Buffer out;
    std::vector<png_bytep> rows = row_pointers(copy_of_facts.image);
    Job job;
    job.picture = &copy_of_facts;
    job.output = &out;
    job.rows = &rows;
    job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, fail, stay_silent);
    job.info = job.png == nullptr ? nullptr : png_create_info_struct(job.png);
    const bool good = job.info != nullptr && write_all(&job);
    png_destroy_write_struct(&job.png, &job.info);
    if (!good) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the PNG cannot be written: {}", job.message)};
    }
    return out;
}

}  // namespace colophon::media
