// SPDX-License-Identifier: Apache-2.0
#include "media/versions.h"

#include <fmt/format.h>
#include <ft2build.h>  // IWYU pragma: keep: it defines FT_FREETYPE_H
#include <hb.h>
#include <vips/vips.h>

#include <vector>

extern "C" {
#include <libavutil/avutil.h>
}

#include FT_FREETYPE_H

namespace colophon::media {

std::vector<LibraryVersion> library_versions() {
    return {
        {"libvips", vips_version_string()},
        {"ffmpeg", av_version_info()},
        {"freetype", fmt::format("{}.{}.{}", FREETYPE_MAJOR, FREETYPE_MINOR, FREETYPE_PATCH)},
        {"harfbuzz", hb_version_string()},
    };
}

}  // namespace colophon::media
