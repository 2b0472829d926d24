// SPDX-License-Identifier: Apache-2.0
#pragma once

// A picture file as a row of frames or pages, each with a luma that can be read and added to.

#include "core/bytes.h"
#include "label/format.h"
#include "label/picture/recode.h"
#include "label/watermark/luma.h"

#include <memory>

namespace colophon::label::internal {

class PictureFile {
public:
    PictureFile() = default;
    PictureFile(const PictureFile&) = delete;
    PictureFile& operator=(const PictureFile&) = delete;
    PictureFile(PictureFile&&) = delete;
    PictureFile& operator=(PictureFile&&) = delete;
    virtual ~PictureFile() = default;

    virtual int count() const = 0;
    // Frames of one size that are shown one after the other.
    virtual bool animated() const { return false; }
    // kLimit above limits::kWatermarkPixelsMax.
    virtual Result<Luma> luma(int index) = 0;
    virtual Result<void> add(int index, const Luma& pattern) = 0;
    // The file with what was added; once.
    virtual Result<Recoded> finish() = 0;
};

// `file` must outlive the object. kUnsupported for formats and animations that take no watermark.
Result<std::unique_ptr<PictureFile>> open_picture(Bytes file, Format format);

}  // namespace colophon::label::internal
