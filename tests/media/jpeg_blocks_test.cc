// SPDX-License-Identifier: Apache-2.0
#include "media/jpeg_blocks.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string_view>

namespace colophon::media {
namespace {

TEST_CASE("a JPEG that promises more pixels than its bytes can hold is refused by its header") {
    const test::TempDir dir;
    test::run_tool_ok({"/usr/bin/convert", "-size", "640x480", "xc:white", dir.file("a.jpg")});
    Buffer file = test::read_file(dir.file("a.jpg"));
    // Even a white picture has its bit for each block.
    CHECK(JpegBlocks::open(file).ok());
    const std::size_t frame = as_text(file).find(std::string_view("\xFF\xC0", 2));
    REQUIRE(frame != std::string_view::npos);
    for (const std::size_t side : {std::size_t{5}, std::size_t{7}}) {
        file[frame + side] = 0x3E;  // 15,872 pixels and more
    }
    const auto opened = JpegBlocks::open(file);
    REQUIRE(!opened.ok());
    CHECK(opened.error().code == ErrorCode::kCorrupt);
    CHECK(opened.error().what.find("cannot hold") != std::string_view::npos);
}

}  // namespace
}  // namespace colophon::media
