// SPDX-License-Identifier: Apache-2.0
#include "support/sample_files.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

constexpr std::string_view kHtml =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>t</title></head>\n"
    "<body><p>Words of a page.</p></body></html>\n";
constexpr std::string_view kSvg =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 320 240\">"
    "<rect width=\"320\" height=\"240\" fill=\"#88aacc\"/></svg>\n";

void make_picture(const std::string& path) {
    run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i",
                 "testsrc2=size=320x240", "-frames:v", "1", "-pix_fmt",
                 path.ends_with(".jpeg") || path.ends_with(".webp") ? "yuv420p"
                 : path.ends_with(".gif")                           ? "rgb8"
                                                                    : "rgb24",
                 path});
}

void make_sound(const std::string& path, const std::vector<std::string>& codec) {
    std::vector<std::string> command{
        "ffmpeg", "-nostdin", "-v",
        "error",  "-y",       "-f",
        "lavfi",  "-i",       "aevalsrc=0.3*sin(2*PI*t*(300+200*sin(t*3))):s=44100:d=2"};
    command.insert(command.end(), codec.begin(), codec.end());
    command.push_back(path);
    run_tool_ok(command);
}

void make_text(const std::string& path, std::string_view text) {
    write_file(path, as_bytes(text));
}

}  // namespace

const std::vector<std::string_view>& writable_formats() {
    static const std::vector<std::string_view> kFormats{
        "jpeg", "png",  "webp", "gif",  "tiff", "heic",     "avif", "svg", "wav",
        "mp3",  "flac", "ogg",  "opus", "m4a",  "markdown", "html", "text"};
    return kFormats;
}

std::string make_sample(const TempDir& dir, std::string_view format) {
    if (format == "markdown" || format == "text") {
        const std::string path = dir.file(format == "text" ? "sample.txt" : "sample.md");
        make_text(path, "# Heading\n\nSome words of a text that somebody wrote.\n");
        return path;
    }
    const std::string path = dir.file("sample." + std::string(format));
    if (format == "html") {
        make_text(path, kHtml);
    } else if (format == "svg") {
        make_text(path, kSvg);
    } else if (format == "heic" || format == "avif") {
        const std::string png = dir.file("source.png");
        make_picture(png);
        std::vector<std::string> command{"heif-enc", "-q", "80", png, "-o", path};
        if (format == "avif") {
            command.insert(command.begin() + 1, "-A");
        }
        run_tool_ok(command);
    } else if (format == "jpeg" || format == "png" || format == "webp" || format == "gif" ||
               format == "tiff") {
        make_picture(path);
    } else if (format == "ogg") {
        make_sound(path, {"-c:a", "libvorbis"});
    } else if (format == "m4a") {
        make_sound(path, {"-c:a", "aac"});
    } else {
        make_sound(path, {});
    }
    return path;
}

}  // namespace colophon::test
