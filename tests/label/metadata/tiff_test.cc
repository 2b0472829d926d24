// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/container/tiff_ifds.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/exif_blocks.h"
#include "label/metadata/pictures.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using namespace std::string_literals;

const std::string kWrapped = R"({"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}})";

std::vector<TiffIfd> directories(Bytes file) {
    return walk_tiff(file, read_tiff_header(file).value()).value();
}

TEST_CASE("a first label is appended: only the header's offset changes in the old bytes") {
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
        const Buffer file = make_exif({"a lantern", "", "plain"}, order);
        const Buffer labelled = write_label(Format::kTiff, file, kAigc);
        Buffer old = to_buffer(Bytes(labelled).first(file.size()));
        std::copy_n(file.begin() + 4, 4, old.begin() + 4);
        CHECK(old == file);
        const std::vector<TiffIfd> ifds = directories(labelled);
        REQUIRE(ifds.size() == 1);
        CHECK(ifds[0].offset % 2 == 0);
        CHECK(std::ranges::is_sorted(ifds[0].entries, {}, &TiffEntry::tag));
        const TiffEntry* xmp = ifds[0].find(tiff::kXmp);
        REQUIRE(xmp != nullptr);
        CHECK(xmp->type == tiff::kTypeUndefined);
        CHECK(xmp->value_offset + xmp->count == labelled.size());
    }
}

TEST_CASE("a label in EXIF texts is blanked and every other byte of them stays") {
    const Buffer file =
        make_exif({"by day " + kWrapped, "", "ASCII\0\0\0"s + kWrapped}, ByteOrder::kBig);
    CHECK(read_label(Format::kTiff, file).sites.size() == 2);
    const Buffer labelled = write_label(Format::kTiff, file, kAigc);
    CHECK(read_label(Format::kTiff, labelled).sites.size() == 1);
    check_only_label(Format::kTiff, labelled, kAigc);
    CHECK(as_text(labelled).find("by day  ") != std::string_view::npos);
    CHECK(as_text(labelled).find("\"7\"") == std::string_view::npos);
    CHECK(write_label(Format::kTiff, labelled, kAigc) == labelled);
}

// A TIFF whose packet of `size` bytes stands before other data, as most programs write it.
Buffer with_inner_packet(std::size_t size, std::uint16_t type) {
    const Buffer plain = make_exif({"a lantern", "", ""}, ByteOrder::kLittle);
    Buffer file = write_label(Format::kTiff, plain, kOtherAigc);
    const std::vector<TiffIfd> ifds = directories(file);
    const TiffEntry* xmp = ifds[0].find(tiff::kXmp);
    REQUIRE(xmp != nullptr);
    REQUIRE(size >= xmp->count);
    file.resize(xmp->value_offset + size, ' ');
    file[xmp->offset + 2] = static_cast<std::uint8_t>(type);
    store_le32(file, static_cast<std::size_t>(xmp->offset) + 4, static_cast<std::uint32_t>(size));
    append(file, "strip of the picture");
    return file;
}

TEST_CASE("a packet in the middle is replaced in place when it fits, and moved when it does not") {
    const Buffer file = with_inner_packet(8000, tiff::kTypeByte);
    check_only_label(Format::kTiff, file, kOtherAigc);
    const Buffer same = write_label(Format::kTiff, file, kOtherAigc);
    CHECK(same == file);

    const std::string long_label =
        R"({"Label":"1","ContentProducer":")" + std::string(9000, 'p') + "\"}";
    const Buffer moved = write_label(Format::kTiff, file, long_label);
    check_only_label(Format::kTiff, moved, long_label);
    CHECK(as_text(moved).find("b-22") == std::string_view::npos);
    const std::size_t strip = as_text(file).find("strip of the picture");
    CHECK(as_text(moved).find("strip of the picture") == strip);

    // Back to a short one: where it now stands, at the end, so that the file shrinks again.
    const Buffer again = write_label(Format::kTiff, moved, kAigc);
    check_only_label(Format::kTiff, again, kAigc);
    CHECK(again.size() < moved.size());
    CHECK(write_label(Format::kTiff, again, kAigc) == again);
}

TEST_CASE("a packet that shares its bytes with something else is refused") {
    Buffer file = write_label(Format::kTiff, make_exif({"a lantern", "", ""}, ByteOrder::kLittle),
                              kOtherAigc);
    const TiffHeader header = read_tiff_header(file).value();
    const TiffEntry xmp = *directories(file)[0].find(tiff::kXmp);
    // ImageDescription, the first entry, now claims the packet's bytes.
    const auto first = static_cast<std::size_t>(header.ifd0_offset) + 2;
    store_le32(file, first + 4, 100);
    store_le32(file, first + 8, static_cast<std::uint32_t>(xmp.value_offset));
    const auto written = find_container(Format::kTiff)->write(file, {std::string(kAigc), {}});
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == ErrorCode::kCorrupt);
}

TEST_CASE("an XMP entry that points outside is a finding for the reader, an error for the writer") {
    Buffer file = write_label(Format::kTiff, make_exif({"x", "", ""}, ByteOrder::kLittle), kAigc);
    const TiffEntry xmp = *directories(file)[0].find(tiff::kXmp);
    store_le32(file, static_cast<std::size_t>(xmp.offset) + 4, 0xFFFFFFFF);
    const MetadataReading reading = read_label(Format::kTiff, file);
    CHECK(reading.sites.empty());
    REQUIRE(reading.findings.size() == 1);
    CHECK(reading.findings[0].code == "metadata.xmp");
    CHECK(find_container(Format::kTiff)->write(file, {std::string(kAigc), {}}).error().code ==
          ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace colophon::label
