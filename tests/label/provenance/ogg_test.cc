// SPDX-License-Identifier: Apache-2.0
// Content Credentials in Ogg: a stream of their own beside the sound.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/ogg_pages.h"
#include "label/explicit/audio.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::make_sample;
using colophon::test::read_file;
using colophon::test::run_tool;
using colophon::test::run_tool_ok;
using colophon::test::TempDir;
using colophon::test::write_file;

std::vector<OggPage> pages_of(Bytes file) {
    std::vector<OggPage> pages;
    for (std::uint64_t at = 0; at < file.size(); at = pages.back().end()) {
        pages.push_back(read_ogg_page(file, at).value());
    }
    return pages;
}

TEST_CASE("the manifest is a stream of its own, which players pass over") {
    for (const Format format : {Format::kOggVorbis, Format::kOpus}) {
        CAPTURE(facts(format).name);
        const TempDir dir;
        const std::string path = make_sample(dir, facts(format).name);
        const Buffer before = read_file(path);
        const std::string sound = run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-i",
                                               path, "-map", "0:a", "-f", "md5", "-"});
        const Buffer after = test::sign(before, format);
        const std::vector<OggPage> pages = pages_of(after);
        // RFC 3533: the first pages of all streams stand before all others.
        CHECK(pages[0].flags == kOggFirst);
        CHECK((pages[1].flags & kOggFirst) != 0);
        CHECK(starts_with(pages[1].body, std::string_view("\0c2pa", 5)));
        CHECK(pages[1].serial != pages[0].serial);
        std::size_t ours = 0;
        for (const OggPage& page : pages) {
            CHECK(ogg_checksum_matches(after, page));
            ours += page.serial == pages[1].serial ? 1U : 0U;
        }
        CHECK((pages[ours].flags & kOggLast) != 0);
        CHECK(pages.size() == pages_of(before).size() + ours);
        // The sound is the same to others.
        write_file(path, after);
        CHECK(run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-i", path, "-map", "0:a",
                           "-f", "md5", "-"}) == sound);
        CHECK(run_tool_ok({"ffprobe", "-loglevel", "error", "-show_entries", "stream=codec_name",
                           "-of", "csv=p=0", path})
                  .find(format == Format::kOpus ? "opus" : "vorbis") != std::string::npos);
        CHECK(run_tool({"exiftool", path}).out.find("Error") == std::string::npos);
        CHECK(detect_format(after, "") == format);
    }
}

TEST_CASE("the label in the sound's comments is read and written beside the manifest") {
    const TempDir dir;
    for (const Format format : {Format::kOggVorbis, Format::kOpus}) {
        CAPTURE(facts(format).name);
        const Container& container = *find_container(format);
        const std::string aigc = R"({"Label":"1","ProduceID":"42"})";
        const Buffer file = read_file(make_sample(dir, facts(format).name));
        const Buffer signed_first = test::sign(file, format);
        const Buffer labelled = apply_splice(
            signed_first, container.write(signed_first, {.aigc = aigc, .iptc = {}}).value());
        CHECK(container.read(labelled)->sites.size() == 1);
        CHECK(!test::read(labelled, format).intact());
        // Whole again with a new manifest, and the old pages are gone.
        const Buffer again = test::sign(labelled, format, test::input(2));
        CHECK(test::read(again, format).trusted());
        CHECK(container.read(again)->sites.size() == 1);
        const Buffer once = test::sign(
            apply_splice(file, container.write(file, {.aigc = aigc, .iptc = {}}).value()), format,
            test::input(2));
        CHECK(again.size() == once.size());
    }
}

TEST_CASE("a sound mark takes the place of the manifest that does not fit the sound any more") {
    const TempDir dir;
    for (const Format format : {Format::kOggVorbis, Format::kOpus}) {
        CAPTURE(facts(format).name);
        const Buffer file = test::sign(read_file(make_sample(dir, facts(format).name)), format);
        const auto marked = mark_audio(
            file, format, {.form = SoundForm::kRhythm, .place = SoundPlace::kStart, .prompt = {}});
        REQUIRE(marked.ok());
        const Buffer sound = apply_splice(file, marked->splice);
        CHECK(!find_carrier(format)->find(sound)->has_value());
        CHECK(find_audio_mark(sound, format, {})->found);
        CHECK(test::read(test::sign(sound, format, test::input(2)), format).trusted());
    }
}

TEST_CASE("pages of the manifest's stream that are not as they should be are noticed") {
    const TempDir dir;
    const Buffer file = test::sign(read_file(make_sample(dir, "opus")), Format::kOpus);
    const std::vector<OggPage> pages = pages_of(file);
    // Another position, with the checksum that goes with it.
    Buffer changed = file;
    const auto at = static_cast<std::size_t>(pages[1].offset);
    store_le32(changed, at + 6, 7);
    store_le32(changed, at + 22, 0);
    store_le32(changed, at + 22,
               ogg_checksum(Bytes(changed).subspan(at, static_cast<std::size_t>(pages[1].size))));
    const CredentialReading reading = test::read(changed, Format::kOpus);
    CHECK(!reading.intact());
    CHECK(test::failures(reading) == "assertion.dataHash.mismatch");
    // Cut off within the stream.
    const auto cut = static_cast<std::size_t>(pages[2].offset);
    CHECK(!test::read(Bytes(file).first(cut), Format::kOpus).intact());
}

}  // namespace
}  // namespace colophon::label::provenance
