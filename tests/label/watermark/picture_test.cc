// SPDX-License-Identifier: Apache-2.0
// [DSP-16] [DSP-18] The watermark of picture files, marked by us and changed by other programs.
#include "label/watermark/picture.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/plan.h"
#include "label/verify.h"
#include "label/watermark/detect.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "support/natural_picture.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

const std::string kConvert = "/usr/bin/convert";
constexpr ContentId kContent{0x0a1b2c3d4e5f};
const std::array<WatermarkKey, 1> kKeys{published_watermark_key()};

// Our own photograph as a file of another program's making.
Buffer photograph(const test::TempDir& dir, std::string_view name,
                  const std::vector<std::string>& options = {}, int width = 480, int height = 360) {
    const Luma luma = test::natural_picture(width, height, 21);
    std::string pgm = fmt::format("P5\n{} {}\n255\n", width, height);
    for (const float value : luma.values) {
        pgm.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
    }
    test::write_file(dir.file("source.pgm"), as_bytes(pgm));
    // Some colour, so that it is no greyscale picture.
    std::vector<std::string> command{
        kConvert, dir.file("source.pgm"), "-type", "TrueColor", "-fill", "#c08040", "-tint", "40"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(dir.file(name));
    test::run_tool_ok(command);
    return test::read_file(dir.file(name));
}

Buffer marked_file(Bytes file, Format format,
                   const WatermarkOptions& options = {.issuer = {9}, .content_id = kContent}) {
    const Result<WatermarkedFile> marked = mark_picture(file, format, options);
    REQUIRE_MESSAGE(marked.ok(), (marked.ok() ? std::string() : marked.error().what));
    CHECK(marked->changed);
    CHECK(marked->reading.payload.content_id == options.content_id);
    return apply_splice(file, marked->splice);
}

WatermarkReading read(Bytes file, Format format, DetectEffort effort = DetectEffort::kThorough) {
    const Result<WatermarkReading> reading = find_picture_watermark(file, format, kKeys, effort);
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? std::string() : reading.error().what));
    return *reading;
}

double decibels(const std::string& a, const std::string& b) {
    const auto run = test::run_tool({"/usr/bin/compare", "-metric", "PSNR", a, b, "null:"});
    return std::strtod(run.err.c_str(), nullptr);
}

// By ffmpeg, of grey levels.
double likeness(const std::string& a, const std::string& b) {
    const auto run =
        test::run_tool({"ffmpeg", "-nostdin", "-hide_banner", "-i", a, "-i", b, "-lavfi",
                        "[0:v]format=gray[x];[1:v]format=gray[y];[x][y]ssim", "-f", "null", "-"});
    const std::size_t at = run.err.find("SSIM Y:");
    return at == std::string::npos ? 0 : std::strtod(run.err.c_str() + at + 7, nullptr);
}

bool has(const Findings& findings, std::string_view code) {
    return std::ranges::any_of(findings,
                               [&](const Finding& finding) { return finding.code == code; });
}

struct Kind {
    Format format;
    const char* name;
    std::vector<std::string> options;
    double decibels;  // at least, by ImageMagick, from the picture before
};

TEST_CASE(
    "every kind of picture takes the mark, little changed, and another program's copy has it") {
    const std::vector<Kind> kinds{
        {Format::kPng, "a.png", {}, 41.5},
        {Format::kPng, "grey.png", {"-colorspace", "Gray"}, 41.5},
        {Format::kPng, "deep.png", {"-depth", "16"}, 41.5},
        {Format::kPng, "palette.png", {"+dither", "-colors", "200"}, 40},
        {Format::kJpeg, "a.jpg", {"-quality", "92"}, 39},
        {Format::kJpeg, "grey.jpg", {"-colorspace", "Gray", "-quality", "85"}, 38},
        {Format::kJpeg, "cmyk.jpg", {"-colorspace", "CMYK", "-quality", "95"}, 34},
        {Format::kWebp, "lossless.webp", {"-define", "webp:lossless=true"}, 41.5},
        {Format::kWebp, "lossy.webp", {"-quality", "85"}, 34},
        {Format::kTiff, "a.tif", {"-compress", "lzw"}, 41.5},
        {Format::kTiff, "ycc.tif", {"-compress", "jpeg", "-quality", "92"}, 37},
    };
    for (const Kind& kind : kinds) {
        CAPTURE(std::string(kind.name));
        const test::TempDir dir;
        const Buffer file = photograph(dir, kind.name, kind.options);
        CHECK(read(file, kind.format, DetectEffort::kFast).state == WatermarkState::kAbsent);
        const Buffer marked = marked_file(file, kind.format);
        const std::string out = dir.file(std::string("marked-") + kind.name);
        test::write_file(out, marked);
        CHECK(decibels(dir.file(kind.name), out) >= kind.decibels);
        test::run_tool_ok({kConvert, out, "-colorspace", "sRGB", "-resize", "80%", "-quality", "70",
                           dir.file("copy.jpg")});
        const WatermarkReading reading = read(test::read_file(dir.file("copy.jpg")), Format::kJpeg);
        CHECK(reading.state == WatermarkState::kFound);
        CHECK(reading.payload.content_id == kContent);
        CHECK(reading.payload.issuer.value == 9);
        CHECK(reading.geometry.period_x == doctest::Approx(56).epsilon(0.01));
    }
}

TEST_CASE("HEIC and AVIF take the mark through their coders") {
    for (const auto& [format, name, coder] :
         {std::tuple(Format::kHeic, "a.heic", "-q"), std::tuple(Format::kAvif, "a.avif", "-A")}) {
        const test::TempDir dir;
        photograph(dir, "a.png");
        std::vector<std::string> command{"heif-enc", "-q", "80"};
        if (format == Format::kAvif) {
            command.emplace_back(coder);
        }
        command.insert(command.end(), {"-o", dir.file(name), dir.file("a.png")});
        test::run_tool_ok(command);
        const Buffer marked = marked_file(test::read_file(dir.file(name)), format);
        test::write_file(dir.file(name), marked);
        test::run_tool_ok({"heif-convert", dir.file(name), dir.file("seen.png")});
        const WatermarkReading reading =
            read(test::read_file(dir.file("seen.png")), Format::kPng, DetectEffort::kFast);
        CHECK(reading.state == WatermarkState::kFound);
        CHECK(reading.payload.content_id == kContent);
    }
}

TEST_CASE("alpha and the one transparent colour of a PNG stay where they are") {
    const std::vector<std::string> round{
        "-depth",      "8",          "(",         "+clone",
        "-fill",       "black",      "-colorize", "100",
        "-fill",       "white",      "-draw",     "circle 240,180 240,20",
        ")",           "-alpha",     "off",       "-compose",
        "CopyOpacity", "-composite", "-define",   "png:color-type=6"};
    const std::vector<std::string> colour{
        "-depth",   "8",           "-fuzz",   "6%",         "-transparent",
        "#8a8a6a",  "-channel",    "A",       "-threshold", "50%",
        "+channel", "-background", "#010203", "-define",    "png:color-type=2"};
    for (const auto* options : {&round, &colour}) {
        const test::TempDir dir;
        photograph(dir, "before.png", *options);
        const Buffer file = test::read_file(dir.file("before.png"));
        test::write_file(dir.file("after.png"), marked_file(file, Format::kPng));
        const auto alpha = [&](const char* name) {
            return test::run_tool_ok({kConvert, dir.file(name), "-alpha", "extract", "pgm:-"});
        };
        CHECK((alpha("before.png") == alpha("after.png")));
        // Under full transparency nothing changes.
        const auto rgba = [&](const char* name) {
            return test::run_tool_ok({kConvert, dir.file(name), "-depth", "8", "rgba:-"});
        };
        const std::string before = rgba("before.png");
        const std::string after = rgba("after.png");
        REQUIRE(before.size() == after.size());
        std::size_t hidden = 0;
        for (std::size_t i = 0; i < before.size(); i += 4) {
            if (before[i + 3] == 0) {
                ++hidden;
                CHECK((before.substr(i, 4) == after.substr(i, 4)));
            }
        }
        CHECK(hidden > 50);
    }
}

TEST_CASE(
    "marked twice: the mark is kept, or on demand the same issuer's own gets the new number") {
    const test::TempDir dir;
    const Buffer file = photograph(dir, "a.png");
    const Buffer first = marked_file(file, Format::kPng);
    WatermarkOptions second{.issuer = {9}, .content_id = {0x111111111111}};
    const Result<WatermarkedFile> kept = mark_picture(first, Format::kPng, second);
    REQUIRE(kept.ok());
    CHECK_FALSE(kept->changed);
    CHECK(has(kept->findings, "watermark.kept"));
    CHECK(apply_splice(first, kept->splice) == first);

    second.marked_already = MarkedAlready::kReplace;
    const Buffer replaced = marked_file(first, Format::kPng, second);
    CHECK(read(replaced, Format::kPng).payload.content_id == second.content_id);
    test::write_file(dir.file("replaced.png"), replaced);
    CHECK(decibels(dir.file("a.png"), dir.file("replaced.png")) >= 40);

    second.issuer = {10};
    second.content_id = {0x222222222222};
    const Result<WatermarkedFile> foreign = mark_picture(replaced, Format::kPng, second);
    REQUIRE(foreign.ok());
    CHECK_FALSE(foreign->changed);
}

TEST_CASE(
    "a smooth picture is marked with less strength, so that it stays alike, and still robust") {
    const test::TempDir dir;
    const Buffer smooth = photograph(
        dir, "smooth.png", {"-blur", "0x3", "-attenuate", "0.1", "+noise", "Gaussian"}, 800, 600);
    const Result<WatermarkedFile> marked =
        mark_picture(smooth, Format::kPng, {.issuer = {9}, .content_id = kContent});
    REQUIRE(marked.ok());
    CHECK(marked->strength == WatermarkStrength::kRobust);
    CHECK(marked->psnr_db > 42.5);
    test::write_file(dir.file("marked.png"), apply_splice(smooth, marked->splice));
    const double alike = likeness(dir.file("smooth.png"), dir.file("marked.png"));
    CHECK(alike >= 0.985);
    CHECK(alike < 0.987);  // it gave way no more than it had to
}

TEST_CASE("where less strength would leave no robust mark, likeness gives way") {
    const test::TempDir dir;
    const Buffer small = photograph(dir, "small.png", {"-blur", "0x10"});
    const Result<WatermarkedFile> marked =
        mark_picture(small, Format::kPng, {.issuer = {9}, .content_id = kContent});
    REQUIRE(marked.ok());
    CHECK(marked->strength == WatermarkStrength::kRobust);
    test::write_file(dir.file("marked.png"), apply_splice(small, marked->splice));
    CHECK(likeness(dir.file("small.png"), dir.file("marked.png")) < 0.98);
}

TEST_CASE("the long payload names the provider where the picture holds it, and says where not") {
    const test::TempDir dir;
    const Buffer large = photograph(dir, "large.png", {}, 800, 600);
    const WatermarkOptions wish{.issuer = {9},
                                .content_id = kContent,
                                .marked_already = MarkedAlready::kReplace,
                                .form = PayloadForm::kLong,
                                .provider = MarkProvider::create("91350100M000100Y43").value()};
    const auto why_standard = [](const WatermarkedFile& marked) {
        const auto row = std::ranges::find(marked.findings, "watermark.standard", &Finding::code);
        return row == marked.findings.end() ? std::string() : row->what;
    };
    const Result<WatermarkedFile> marked = mark_picture(large, Format::kPng, wish);
    REQUIRE(marked.ok());
    CHECK(why_standard(*marked).empty());
    CHECK(marked->reading.payload.form == PayloadForm::kLong);
    const Buffer file = apply_splice(large, marked->splice);
    test::write_file(dir.file("marked.png"), file);
    CHECK(decibels(dir.file("large.png"), dir.file("marked.png")) >= 41.5);
    test::run_tool_ok({kConvert, dir.file("marked.png"), "-resize", "80%", "-quality", "70",
                       dir.file("copy.jpg")});
    const WatermarkReading copy = read(test::read_file(dir.file("copy.jpg")), Format::kJpeg);
    REQUIRE(copy.state == WatermarkState::kFound);
    CHECK(copy.payload.provider.text() == "91350100M000100Y43");
    CHECK(copy.payload.content_id == kContent);

    // It stays when the standard form of the same content is asked for; another number of the same
    // provider replaces it, another provider's does not.
    WatermarkOptions next = wish;
    next.form = PayloadForm::kStandard;
    CHECK_FALSE(mark_picture(file, Format::kPng, next)->changed);
    next.content_id = {0x111111111111};
    const Buffer replaced = marked_file(file, Format::kPng, next);
    CHECK(read(replaced, Format::kPng).payload ==
          WatermarkPayload{.issuer = {9}, .content_id = {0x111111111111}});
    next.provider = {};
    const Result<WatermarkedFile> foreign = mark_picture(file, Format::kPng, next);
    REQUIRE(foreign.ok());
    CHECK_FALSE(foreign->changed);
    CHECK(foreign->findings.front().what.find("of the provider 91350100M000100Y43") !=
          std::string::npos);

    const Buffer small = photograph(dir, "small.png");
    const Result<WatermarkedFile> less = mark_picture(small, Format::kPng, wish);
    REQUIRE(less.ok());
    CHECK(less->reading.payload.form == PayloadForm::kStandard);
    CHECK(why_standard(*less) ==
          "the watermark holds 64 bits, not 128: the shortest side of the picture has less than "
          "512 pixels");
    WatermarkOptions unknown = wish;
    unknown.provider = {};
    CHECK(why_standard(*mark_picture(large, Format::kPng, unknown)).find("credit code") !=
          std::string::npos);

    // Large, and nearly flat.
    test::run_tool_ok({kConvert, "-size", "640x640", "gradient:#707070-#787878", "-attenuate",
                       "0.01", "+noise", "Gaussian", dir.file("flat.png")});
    const Buffer flat = test::read_file(dir.file("flat.png"));
    const Result<WatermarkedFile> fragile = mark_picture(flat, Format::kPng, wish);
    REQUIRE(fragile.ok());
    CHECK(fragile->reading.payload.form == PayloadForm::kStandard);
    CHECK(why_standard(*fragile).find("would not survive") != std::string::npos);
    // Asked once more, it stays as it is.
    const Buffer again = apply_splice(flat, fragile->splice);
    const Result<WatermarkedFile> second = mark_picture(again, Format::kPng, wish);
    REQUIRE(second.ok());
    CHECK_FALSE(second->changed);
    CHECK(why_standard(*second).find("already") != std::string::npos);
}

TEST_CASE("[DSP-18] watermark and metadata label that name different providers are forged") {
    const test::TempDir dir;
    ApplyOptions options;
    options.record.producer_code = "001191350100M000100Y4310001";
    options.record.content_id = kContent;
    options.payload = PayloadForm::kLong;
    options.marks = MarkSet().add(Mark::kWatermark).add(Mark::kMetadata);
    MemoryHolder holder;
    const Result<Applied> applied =
        apply(photograph(dir, "a.png", {}, 800, 600), Format::kPng, options, {}, holder);
    REQUIRE(applied.ok());
    CHECK(applied->watermark->reading.payload.provider.text() == "91350100M000100Y43");
    VerifyOptions look;
    look.marks = options.marks;
    CHECK(verify(applied->file, Format::kPng, look, {})->verdict == Verdict::kIntact);

    test::write_file(dir.file("marked.png"), applied->file);
    test::run_tool_ok({kConvert, dir.file("marked.png"), "-strip", dir.file("stripped.png")});
    options.record.producer_code = "001191000000000000000K10001";
    options.marks = MarkSet().add(Mark::kMetadata);
    MemoryHolder second;
    const auto other =
        apply(test::read_file(dir.file("stripped.png")), Format::kPng, options, {}, second);
    REQUIRE(other.ok());
    const auto seen = verify(other->file, Format::kPng, look, {});
    REQUIRE(seen.ok());
    CHECK(seen->verdict == Verdict::kForged);
    CHECK(has(seen->findings, "watermark.contradiction"));
}

TEST_CASE("what holds no mark says so: too small, of one colour, a drawing") {
    const test::TempDir dir;
    WatermarkOptions options;
    options.content_id = kContent;
    const auto refusal = [&](const char* name, Format format,
                             const std::vector<std::string>& command) {
        std::vector<std::string> all{kConvert};
        all.insert(all.end(), command.begin(), command.end());
        all.push_back(dir.file(name));
        test::run_tool_ok(all);
        const auto marked = mark_picture(test::read_file(dir.file(name)), format, options);
        REQUIRE_FALSE(marked.ok());
        return marked.error().what;
    };
    CHECK(refusal("small.png", Format::kPng, {"-size", "95x300", "plasma:"}) ==
          "a watermark needs a picture of at least 96 x 96 pixels");
    CHECK(mark_picture(as_bytes("<svg xmlns='http://www.w3.org/2000/svg'/>"), Format::kSvg, options)
              .error()
              .what == "svg takes no watermark in this version");
    const Result<WatermarkedFile> nothing = mark_picture({}, Format::kPng, options);
    CHECK_FALSE(nothing.ok());
}

TEST_CASE(
    "[DSP-18] a lost metadata label beside a watermark is stripped, another number is forged") {
    const test::TempDir dir;
    const Buffer file = photograph(dir, "a.png");
    ApplyOptions options;
    options.record.producer_name = "us";
    options.record.content_id = kContent;
    options.issuer = {3};
    options.marks = MarkSet().add(Mark::kWatermark).add(Mark::kMetadata);
    MemoryHolder holder;
    const Result<Applied> applied = apply(file, Format::kPng, options, {}, holder);
    REQUIRE(applied.ok());
    CHECK(to_string(applied->written) == "watermark,metadata");
    REQUIRE(applied->watermark);
    CHECK(applied->watermark->reading.payload.issuer.value == 3);
    VerifyOptions look;
    look.marks = options.marks;
    CHECK(verify(applied->file, Format::kPng, look, {})->verdict == Verdict::kIntact);

    test::write_file(dir.file("marked.png"), applied->file);
    test::run_tool_ok({kConvert, dir.file("marked.png"), "-strip", dir.file("stripped.png")});
    const auto stripped = verify(test::read_file(dir.file("stripped.png")), Format::kPng, look, {});
    REQUIRE(stripped.ok());
    CHECK(stripped->verdict == Verdict::kStripped);
    CHECK(has(stripped->findings, "metadata.absent"));

    // Somebody else's label on the same picture.
    options.record.content_id = ContentId{5};
    options.marks = MarkSet().add(Mark::kMetadata);
    MemoryHolder second;
    const auto swapped =
        apply(test::read_file(dir.file("stripped.png")), Format::kPng, options, {}, second);
    REQUIRE(swapped.ok());
    const auto forged = verify(swapped->file, Format::kPng, look, {});
    REQUIRE(forged.ok());
    CHECK(forged->verdict == Verdict::kForged);
    CHECK(has(forged->findings, "watermark.contradiction"));
}

TEST_CASE("[DSP-18] a watermark that is expected and gone is stripped") {
    const test::TempDir dir;
    ApplyOptions options;
    options.record.producer_name = "us";
    options.record.content_id = kContent;
    options.marks = MarkSet().add(Mark::kMetadata);
    MemoryHolder holder;
    const Result<Applied> applied =
        apply(photograph(dir, "a.png"), Format::kPng, options, {}, holder);
    REQUIRE(applied.ok());
    VerifyOptions look;
    look.marks = MarkSet().add(Mark::kWatermark).add(Mark::kMetadata);
    look.effort = DetectEffort::kFast;
    CHECK(verify(applied->file, Format::kPng, look, {})->verdict == Verdict::kIntact);
    look.expected = look.marks;
    const auto seen = verify(applied->file, Format::kPng, look, {});
    REQUIRE(seen.ok());
    CHECK(seen->verdict == Verdict::kStripped);
    CHECK(has(seen->findings, "watermark.absent"));
}

TEST_CASE("[DSP-18] a pilot without a payload is a mark that cannot be read") {
    const test::TempDir dir;
    // The published pilot, and noise where the word should be.
    const internal::Carrier carrier(published_watermark_key());
    std::vector<internal::Complex> coefficients(carrier.pilot().begin(), carrier.pilot().end());
    std::mt19937_64 random(8);
    for (internal::Complex& value : coefficients) {
        value.real(value.real() != 0 ? value.real() : (random() & 1U) != 0 ? 1.0F : -1.0F);
        value.imag(value.imag() != 0 ? value.imag() : (random() & 1U) != 0 ? 1.0F : -1.0F);
    }
    const std::vector<float> tile = internal::render_tile(coefficients, internal::kTile);
    Luma picture = test::natural_picture(480, 360, 22);
    std::string pgm = "P5\n480 360\n255\n";
    for (int y = 0; y < picture.height; ++y) {
        for (int x = 0; x < picture.width; ++x) {
            const auto at = static_cast<std::size_t>(y % internal::kTile) * internal::kTile +
                            static_cast<std::size_t>(x % internal::kTile);
            const float value = std::clamp(picture.at(x, y) + 4 * tile[at], 0.0F, 255.0F);
            pgm.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
        }
    }
    test::write_file(dir.file("spoilt.pgm"), as_bytes(pgm));
    test::run_tool_ok({kConvert, dir.file("spoilt.pgm"), dir.file("spoilt.png")});
    VerifyOptions look;
    look.marks = MarkSet().add(Mark::kWatermark).add(Mark::kMetadata);
    look.effort = DetectEffort::kFast;
    const auto seen = verify(test::read_file(dir.file("spoilt.png")), Format::kPng, look, {});
    REQUIRE(seen.ok());
    CHECK(seen->verdict == Verdict::kUnreadable);
    CHECK(has(seen->findings, "watermark.unreadable"));
}

TEST_CASE("a mark that was only to be tried is a finding where the picture cannot hold it") {
    const test::TempDir dir;
    test::run_tool_ok({kConvert, "-size", "80x80", "plasma:", dir.file("icon.png")});
    ApplyOptions options;
    options.record.producer_name = "us";
    options.record.content_id = kContent;
    options.marks = MarkSet().add(Mark::kWatermark).add(Mark::kMetadata);
    options.optional = MarkSet().add(Mark::kWatermark);
    const Buffer icon = test::read_file(dir.file("icon.png"));
    MemoryHolder holder;
    const Result<Applied> applied = apply(icon, Format::kPng, options, {}, holder);
    REQUIRE(applied.ok());
    CHECK(to_string(applied->written) == "metadata");
    CHECK(has(applied->findings, "watermark.none"));

    options.optional = {};
    MemoryHolder strict;
    CHECK_FALSE(apply(icon, Format::kPng, options, {}, strict).ok());
}

TEST_CASE("cut, torn and lying picture files give an error, never a mark") {
    const test::TempDir dir;
    for (const auto& [format, name] :
         {std::pair(Format::kPng, "a.png"), std::pair(Format::kJpeg, "a.jpg"),
          std::pair(Format::kWebp, "a.webp")}) {
        const Buffer file = photograph(dir, name);
        for (const std::size_t size : {std::size_t{0}, std::size_t{20}, file.size() / 2}) {
            const Bytes part = Bytes(file).first(size);
            const auto reading = find_picture_watermark(part, format, kKeys, DetectEffort::kFast);
            CHECK((!reading.ok() || reading->state != WatermarkState::kFound));
        }
    }
}

}  // namespace
}  // namespace colophon::label
