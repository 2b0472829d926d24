// SPDX-License-Identifier: Apache-2.0
#include "media/codecs.h"

#include "media/internal/late.h"
#include "media/versions.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace colophon::media {
namespace {

constexpr CodecSet kAll{Codec::kLetters, Codec::kJpeg, Codec::kPng,  Codec::kWebp,
                        Codec::kTiff,    Codec::kVips, Codec::kHeif, Codec::kSound};

TEST_CASE("every media library loads, twice as well as once") {
    CHECK(load(kAll).ok());
    CHECK(load(kAll).ok());
    CHECK(load({}).ok());
    for (const LibraryVersion& each : library_versions()) {
        CHECK_MESSAGE(each.version.find_first_of("0123456789") == 0, each.version);
    }
}

TEST_CASE("every codec but that of writing HEIF has libraries, and every function its place") {
    const internal::LateTable table = internal::late_table();
    CodecSet seen{Codec::kHeif};
    int at = 0;
    for (int i = 0; i < table.library_count; ++i) {
        const internal::LateLibrary& library = table.libraries[i];
        CAPTURE(library.file);
        CHECK(std::string_view(library.file).find(".so.") != std::string_view::npos);
        CHECK(library.first == at);
        CHECK(library.count > 0);
        at += library.count;
        seen.add(library.codec);
    }
    CHECK(seen == kAll);
}

TEST_CASE("a set of codecs is what was put into it") {
    CodecSet set{Codec::kPng};
    CHECK(set.has(Codec::kPng));
    CHECK_FALSE(set.has(Codec::kJpeg));
    CHECK_FALSE(set.has_all({Codec::kPng, Codec::kSound}));
    set.add({Codec::kSound, Codec::kPng});
    CHECK(set.has_all({Codec::kPng, Codec::kSound}));
    CHECK(CodecSet::from_bits(set.bits()) == set);
    CHECK(CodecSet().empty());
}

TEST_CASE("the program is linked with no media library") {
    const std::string needed =
        test::run_tool_ok({"readelf", "-d", "/proc/" + std::to_string(getpid()) + "/exe"});
    CHECK(needed.find("libc.so") != std::string::npos);
    for (const std::string_view name :
         {"libvips", "libavcodec", "libjpeg", "libtiff", "libharfbuzz"}) {
        CHECK(needed.find(name) == std::string::npos);
    }
}

}  // namespace
}  // namespace colophon::media
