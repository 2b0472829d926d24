// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/format.h"
#include "label/metadata/bmff_media.h"
#include "label/metadata/container.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

using label::Format;

// An EBML element with a size field of four bytes.
Buffer element(const std::string& id_hex, const Buffer& content) {
    Buffer out = *from_hex(id_hex);
    append_be32(out, 0x10000000U | static_cast<std::uint32_t>(content.size()));
    append(out, content);
    return out;
}
Buffer element(const std::string& id_hex, std::string_view content) {
    return element(id_hex, to_buffer(content));
}
// The same without a size.
Buffer open_element(const std::string& id_hex, const Buffer& content) {
    return join({*from_hex(id_hex), *from_hex("01ffffffffffffff"), content});
}

const Buffer kHead = element("1a45dfa3", element("4282", "matroska"));

Buffer tags(std::string_view name, std::string_view value) {
    return element(
        "1254c367",
        element("7373", element("67c8", join({element("45a3", name), element("4487", value)}))));
}
Buffer cluster(bool open) {
    const Buffer blocks = join({element("e7", "\x01"), element("a3", std::string(500, 'b'))});
    return open ? open_element("1f43b675", blocks) : element("1f43b675", blocks);
}

void check_one(Format format, const Buffer& file, std::string_view value = kLabel) {
    const auto reading = read_labels(format, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].value == value);
    CHECK(reading.sites[0].standard_place);
}

Buffer script(const Buffer& object) {
    return join({from_hex("02000a").value(), to_buffer("onMetaData"), object});
}
Buffer flv(const Buffer& data) {
    Buffer out = *from_hex("464c5601050000000900000000");
    out.push_back(18);
    append_be24(out, static_cast<std::uint32_t>(data.size()));
    append(out, Buffer(7, 0));
    append(out, data);
    append_be32(out, static_cast<std::uint32_t>(data.size() + 11));
    return out;
}
Buffer member(std::string_view key, const Buffer& value) {
    return join({be16(static_cast<std::uint16_t>(key.size())), to_buffer(key), value});
}
Buffer short_string(std::string_view text) {
    return join({Buffer(1, 2), be16(static_cast<std::uint16_t>(text.size())), to_buffer(text)});
}
Buffer long_string(std::string_view text) {
    return join({Buffer(1, 12), be32(static_cast<std::uint32_t>(text.size())), to_buffer(text)});
}

// [TC260-PG-20257A]
TEST_CASE("labels that FFmpeg wrote into Matroska, WebM and FLV are read") {
    const TempDir dir;
    struct Row {
        std::string name;
        Format format;
        std::vector<std::string> options;
    };
    for (const Row& row : {Row{"sound.mka", Format::kMatroska, {"-c:a", "libopus"}},
                           Row{"sound.webm", Format::kMatroska, {"-c:a", "libopus"}},
                           Row{"live.mkv", Format::kMatroska, {"-live", "1", "-c:a", "libopus"}},
                           Row{"sound.flv", Format::kFlv, {}}}) {
        CAPTURE(row.name);
        std::vector<std::string> options = row.options;
        options.insert(options.end(), {"-metadata", "AIGC=" + std::string(kLabel)});
        check_one(row.format, make_sound(dir, row.name, options));
        CHECK(read_labels(row.format, make_sound(dir, row.name, row.options)).sites.empty());
    }
}

TEST_CASE("Matroska tags are found before, between and behind clusters of any kind") {
    const Buffer label_tags = tags("AIGC", kLabel);
    const Buffer seek_head = element("114d9b74", std::string(20, '\0'));
    check_one(Format::kMatroska,
              join({kHead, element("18538067", join({label_tags, cluster(false)}))}));
    check_one(
        Format::kMatroska,
        join({kHead,
              element("18538067", join({seek_head, cluster(false), cluster(false), label_tags}))}));
    check_one(Format::kMatroska,
              join({kHead, open_element("18538067", join({cluster(true), cluster(true), label_tags,
                                                          cluster(true)}))}));
    check_one(Format::kMatroska, join({kHead, open_element("18538067", cluster(true)), kHead,
                                       open_element("18538067", label_tags)}));
}

TEST_CASE("a Matroska tag of another name counts only when it may be a label") {
    const auto read = [](std::string_view name, std::string_view value) {
        return read_labels(Format::kMatroska, join({kHead, element("18538067", tags(name, value))}))
            .sites;
    };
    CHECK(read("COMMENT", "a song").empty());
    REQUIRE(read("COMMENT", kLabel).size() == 1);
    CHECK_FALSE(read("COMMENT", kLabel)[0].standard_place);
}

TEST_CASE("Matroska files that are cut or lie are errors") {
    const Buffer file =
        join({kHead, element("18538067", join({cluster(false), tags("AIGC", kLabel)}))});
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(label::find_container(Format::kMatroska)->read(Bytes(file).first(size)).ok());
    }
    for (const std::string size : {"08ffffffff", "01fffffffffffffe", "00", "10ffffff"}) {
        const Buffer bad = join({kHead, *from_hex("18538067"), *from_hex(size), Buffer(4, 0)});
        CHECK_FALSE(label::find_container(Format::kMatroska)->read(bad).ok());
    }
    // SimpleTags in SimpleTags without end.
    Buffer nested = element("45a3", "x");
    for (int i = 0; i < 100; ++i) {
        nested = element("67c8", nested);
    }
    const auto deep =
        label::find_container(Format::kMatroska)
            ->read(
                join({kHead, element("18538067", element("1254c367", element("7373", nested)))}));
    REQUIRE_FALSE(deep.ok());
    CHECK(deep.error().code == ErrorCode::kLimit);
}

TEST_CASE("FLV labels are read from arrays and objects, as short and long strings") {
    const Buffer end = *from_hex("000009");
    const Buffer number = join({Buffer(1, 0), Buffer(8, 1)});
    const Buffer inner = join({Buffer(1, 3), member("n", number), end});
    const Buffer strict = join({Buffer(1, 10), be32(2), number, short_string("x")});
    for (const Buffer& value : {short_string(kLabel), long_string(kLabel)}) {
        const Buffer members =
            join({member("duration", number), member("inner", inner), member("list", strict),
                  member("AIGC", value), member("flag", Buffer{1, 1})});
        check_one(Format::kFlv, flv(script(join({Buffer(1, 8), be32(5), members, end}))));
        check_one(Format::kFlv, flv(script(join({Buffer(1, 3), members, end}))));
        check_one(Format::kFlv, flv(script(join({Buffer(1, 8), be32(5), members}))));
    }
}

TEST_CASE("FLV files that are cut are errors or have no label; script bombs are findings") {
    const Buffer file = flv(script(
        join({Buffer(1, 8), be32(1), member("AIGC", short_string(kLabel)), *from_hex("000009")})));
    for (std::size_t size = 0; size < file.size() - 4; ++size) {
        CAPTURE(size);
        const auto reading = label::find_container(Format::kFlv)->read(Bytes(file).first(size));
        CHECK((!reading.ok() || reading->sites.empty()));
    }
    Buffer nested;
    for (int i = 0; i < 5000; ++i) {
        append(nested, join({Buffer(1, 10), be32(1)}));
    }
    const Buffer bomb = flv(script(join({Buffer(1, 3), member("x", nested)})));
    CHECK(read_labels(Format::kFlv, bomb).findings.size() == 1);
    const Buffer array = flv(script(join({Buffer(1, 3), member("x", *from_hex("0affffffff05"))})));
    CHECK(read_labels(Format::kFlv, array).findings.size() == 1);
}

}  // namespace
}  // namespace colophon::test
