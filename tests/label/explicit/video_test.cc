// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/video.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/verify.h"
#include "media/video.h"
#include "media/video_transcode.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using Words = std::vector<std::string>;

const std::string kFont = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";

std::string make(const test::TempDir& dir, const std::string& name, const std::string& source,
                 const Words& more = {}) {
    Words argv{"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source};
    argv.insert(argv.end(), more.begin(), more.end());
    for (const char* word : {"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast"}) {
        argv.emplace_back(word);
    }
    argv.push_back(dir.file(name));
    test::run_tool_ok(argv);
    return dir.file(name);
}

bool has(const Findings& findings, std::string_view code) {
    return std::ranges::any_of(findings, [&](const Finding& each) { return each.code == code; });
}

ApplyOptions options_for(const std::string& marks) {
    ApplyOptions options;
    options.record.producer_name = "us";
    options.record.content_id = ContentId{0x1234567};
    options.marks = *parse_marks(marks);
    return options;
}

class MemorySink final : public media::ByteSink {
public:
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        const auto at = static_cast<std::size_t>(offset);
        file.resize(std::max(file.size(), at + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
        return {};
    }
    Buffer file;
};

}  // namespace

TEST_CASE("[GB45438-5.4] a video shows its label on the opening picture for two seconds") {
    const test::TempDir dir;
    const Buffer font = test::read_file(kFont);
    Resources resources;
    resources.font = font;
    struct Row {
        std::string name;
        std::string source;
        Words more;
        double seconds;
    };
    const std::vector<Row> rows{
        {"moving.mp4", "testsrc2=s=640x360:r=25:d=4", {}, 2},
        {"white.mp4", "color=white:s=320x240:r=25:d=4", {}, 2},
        {"black.mp4", "color=black:s=320x240:r=25:d=4", {}, 2},
        {"sideways.mp4", "testsrc2=s=640x360:r=25:d=4", {"-metadata:s:v", "rotate=90"}, 2},
        {"short.mp4", "mandelbrot=s=640x360:r=25:start_scale=2", {"-t", "1"}, 0.9},
    };
    for (const Row& row : rows) {
        CAPTURE(row.name);
        const Buffer file = test::read_file(make(dir, row.name, row.source, row.more));
        MemoryHolder holder;
        const auto applied =
            apply(file, Format::kMp4, options_for("explicit,metadata"), resources, holder);
        REQUIRE_MESSAGE(applied.ok(), (applied.ok() ? "" : applied.error().what));
        REQUIRE(applied->explicit_mark);
        CHECK(*applied->explicit_mark->height_percent >= kInkHeightPercentMin);
        CHECK(*applied->explicit_mark->contrast >= kContrastMin);
        CHECK(*applied->explicit_mark->seconds >= row.seconds);
        VerifyOptions look;
        look.marks = *parse_marks("explicit,metadata");
        const auto seen = verify(applied->file, Format::kMp4, look, resources);
        REQUIRE(seen.ok());
        REQUIRE(seen->explicit_mark);
        CHECK(seen->explicit_mark->found);
        CHECK(seen->explicit_mark->text == "AI生成");
        CHECK(seen->explicit_mark->where == "bottom-right");
        CHECK(*seen->explicit_mark->height_percent >= kInkHeightPercentMin);
        CHECK(!has(seen->explicit_mark->findings, "explicit.duration"));
        // Once is enough.
        MemoryHolder second;
        const auto again =
            apply(applied->file, Format::kMp4, options_for("explicit"), resources, second);
        REQUIRE(again.ok());
        CHECK(std::ranges::equal(again->file, applied->file));
    }
}

TEST_CASE(
    "[GB45438-5.4] a label that goes too soon, or stands on no opening picture, is reported") {
    const test::TempDir dir;
    const Buffer font = test::read_file(kFont);
    const Buffer file = test::read_file(make(dir, "in.mp4", "testsrc2=s=640x360:r=25:d=4"));
    auto video = media::VideoTranscoder::open(file, {});
    REQUIRE(video.ok());
    const auto label =
        VideoLabel::create(video->facts(), {.text = "AI生成", .place = ImagePlace::kTopLeft}, font);
    REQUIRE(label.ok());
    MemorySink sink;
    const auto change = [&](media::VideoPicture& picture) -> Result<void> {
        if (picture.time_us < 1'000'000) {
            label->draw(picture);
        }
        return {};
    };
    REQUIRE(video->run(change, sink).ok());
    const auto seen = find_video_mark(sink.file, media::VideoContainer::kMp4, font, {"AI生成"});
    REQUIRE(seen.ok());
    CHECK(seen->found);
    CHECK(seen->where == "top-left");
    CHECK(has(seen->findings, "explicit.duration"));
    const auto measured = label->read_back(sink.file, media::VideoContainer::kMp4);
    REQUIRE(measured.ok());
    CHECK(!measured->found);
    const auto nothing = find_video_mark(file, media::VideoContainer::kMp4, font, {"AI生成"});
    REQUIRE(nothing.ok());
    CHECK(!nothing->found);
}

TEST_SUITE("slow pictures") {
    TEST_CASE("[DSP-16] all marks of a video are written in one pass, and its tags stay") {
        const test::TempDir dir;
        const Buffer font = test::read_file(kFont);
        Resources resources;
        resources.font = font;
        const Buffer file =
            test::read_file(make(dir, "in.mp4", "testsrc2=s=640x360:r=25:d=5",
                                 {"-f", "lavfi", "-i", "sine=d=5", "-c:a", "aac", "-metadata",
                                  "title=A title", "-metadata", "comment=kept", "-metadata:s:a",
                                  "language=zho", "-movflags", "use_metadata_tags"}));
        std::vector<double> told;
        resources.progress = [&](double share) { told.push_back(share); };
        MemoryHolder holder;
        const auto applied = apply(file, Format::kMp4, options_for("explicit,watermark,metadata"),
                                   resources, holder);
        REQUIRE_MESSAGE(applied.ok(), (applied.ok() ? "" : applied.error().what));
        CHECK(to_string(applied->written) == "explicit,watermark,metadata");
        CHECK(has(applied->findings, "video.recoded"));
        CHECK(told.size() > 3);
        CHECK(std::ranges::is_sorted(told));
        test::write_file(dir.file("out.mp4"), applied->file);
        const test::ToolRun decoded = test::run_tool(
            {"ffmpeg", "-nostdin", "-v", "warning", "-i", dir.file("out.mp4"), "-f", "null", "-"});
        CHECK(decoded.exit_code == 0);
        CHECK(decoded.err == "");
        const std::string tags = test::run_tool_ok({"ffprobe", "-v", "error", "-show_entries",
                                                    "format_tags:stream_tags=language", "-of",
                                                    "flat", dir.file("out.mp4")});
        CHECK(tags.find("title=\"A title\"") != std::string::npos);
        CHECK(tags.find("comment=\"kept\"") != std::string::npos);
        CHECK(tags.find("language=\"zho\"") != std::string::npos);
        CHECK(tags.find("AIGC") != std::string::npos);
        const auto sound = [&](const std::string& name) {
            return test::run_tool_ok({"ffprobe", "-v", "error", "-select_streams", "a",
                                      "-show_entries", "packet=pts_time,data_hash",
                                      "-show_data_hash", "md5", "-of", "csv", dir.file(name)});
        };
        CHECK(sound("out.mp4") == sound("in.mp4"));
        VerifyOptions look;
        look.marks = *parse_marks("explicit,watermark,metadata");
        look.expected = look.marks;
        const auto seen = verify(applied->file, Format::kMp4, look, resources);
        REQUIRE(seen.ok());
        CHECK(seen->verdict == Verdict::kIntact);
        REQUIRE(seen->watermark);
        CHECK(seen->watermark->ranges.size() == 1);
        CHECK(seen->watermark->reading.payload.content_id == ContentId{0x1234567});

        // The same again under a new number: both labels have it, and only it.
        ApplyOptions anew = options_for("explicit,watermark,metadata");
        anew.record.content_id = ContentId{0x7654321};
        MemoryHolder second;
        const auto relabelled = apply(applied->file, Format::kMp4, anew, resources, second);
        REQUIRE_MESSAGE(relabelled.ok(), (relabelled.ok() ? "" : relabelled.error().what));
        const auto now = verify(relabelled->file, Format::kMp4, look, resources);
        REQUIRE(now.ok());
        CHECK(now->verdict == Verdict::kIntact);
        CHECK(now->watermark->reading.payload.content_id == ContentId{0x7654321});
    }
}

TEST_CASE("a watermark that a video cannot hold is a finding when it was only to be tried") {
    const test::TempDir dir;
    const Buffer file = test::read_file(make(dir, "in.mp4", "testsrc2=s=192x108:r=25:d=2"));
    ApplyOptions options = options_for("watermark,metadata");
    options.optional.add(Mark::kWatermark);
    MemoryHolder holder;
    const auto applied = apply(file, Format::kMp4, options, {}, holder);
    REQUIRE_MESSAGE(applied.ok(), (applied.ok() ? "" : applied.error().what));
    CHECK(to_string(applied->written) == "metadata");
    CHECK(has(applied->findings, "watermark.none"));
    options.optional = {};
    MemoryHolder strict;
    CHECK(!apply(file, Format::kMp4, options, {}, strict).ok());
}

}  // namespace colophon::label
