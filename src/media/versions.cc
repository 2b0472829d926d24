// SPDX-License-Identifier: Apache-2.0
#include "media/versions.h"

#include "core/result.h"
#include "media/codecs.h"

#include <fmt/format.h>
#include <ft2build.h>  // IWYU pragma: keep: it defines FT_FREETYPE_H
#include <hb.h>
#include <vips/vips.h>

#include <functional>
#include <string>
#include <vector>

extern "C" {
#include <libavutil/avutil.h>
}

#include FT_FREETYPE_H

namespace colophon::media {

namespace {

std::string known(Codec codec, const std::function<std::string()>& version) {
    const Result<void> there = load({codec});
    return there.ok() ? version() : there.error().what;
}

}  // namespace

std::vector<LibraryVersion> library_versions() {
    return {
        {"libvips", known(Codec::kVips, [] { return std::string(vips_version_string()); })},
        {"ffmpeg", known(Codec::kSound, [] { return std::string(av_version_info()); })},
        {"freetype", fmt::format("{}.{}.{}", FREETYPE_MAJOR, FREETYPE_MINOR, FREETYPE_PATCH)},
        {"harfbuzz", known(Codec::kLetters, [] { return std::string(hb_version_string()); })},
    };
}

}  // namespace colophon::media
