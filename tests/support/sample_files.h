// SPDX-License-Identifier: Apache-2.0
#pragma once

// One small real file of each format, made by other people's programs.

#include "support/tools.h"

#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {

// Format names as label::FormatFacts has them, of all formats that labels are written in.
const std::vector<std::string_view>& writable_formats();

// Makes sample.EXT in the folder and returns its path. Pictures are 320 x 240 and busy, sounds two
// seconds of changing tones.
// Besides those: docx, xlsx, pptx, epub, odt, ods, odp, which carry credentials only, and other
// videos' names.
std::string make_sample(const TempDir& dir, std::string_view format);

}  // namespace colophon::test
