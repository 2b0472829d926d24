// SPDX-License-Identifier: Apache-2.0
// The program as its user meets it: files in, files out, exit codes, words and JSON.

#include "core/bytes.h"
#include "core/json.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

// Honest check digit, nobody's code: region and organisation are zeros.
constexpr const char* kProducer = "001191000000000000000K10001";

// A home of its own for each test, so that keys and configuration of the person who runs the tests
// play no part.
struct Home {
    test::TempDir dir;

    test::ToolRun run(const std::vector<std::string>& arguments, std::string_view input = {},
                      const std::vector<std::string>& environment = {}) const {
        std::vector<std::string> command{"env", "-i", "PATH=/usr/bin:/bin", "LANG=C.UTF-8",
                                         "HOME=" + dir.file("home")};
        command.insert(command.end(), environment.begin(), environment.end());
        command.emplace_back(COLOPHON_PROGRAM);
        command.insert(command.end(), arguments.begin(), arguments.end());
        return test::run_tool(command, input);
    }
    test::ToolRun label(const std::string& in, const std::string& out,
                        std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"label", in, "-o", out, "--producer", kProducer};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
    json::Value verify_json(const std::string& file, int expected_code) const {
        const test::ToolRun seen = run({"verify", "--json", file});
        CHECK_MESSAGE(seen.exit_code == expected_code, file, "\n", seen.out, seen.err);
        const auto value = json::parse(seen.out);
        REQUIRE_MESSAGE(value.ok(), seen.out);
        return *value;
    }
};

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

// [AILM-5] The metadata names the producer and numbers the content.
TEST_CASE("each format goes from absent through labelled to intact, and a changed id is altered") {
    for (const std::string_view format : test::writable_formats()) {
        CAPTURE(format);
        const Home home;
        const std::string in = test::make_sample(home.dir, format);
        const std::string out =
            home.dir.file("out" + std::filesystem::path(in).extension().string());
        CHECK(home.verify_json(in, 3).string_or("verdict", "") == "absent");
        const test::ToolRun labelled = home.label(in, out, {"--content-id", "7QK0M3X9Z2"});
        REQUIRE_MESSAGE(labelled.exit_code == 0, labelled.err);
        const json::Value seen = home.verify_json(out, 0);
        CHECK(seen.string_or("verdict", "") == "intact");
        CHECK(seen.string_or("format", "") == format);
        // The pages of a PDF are not drawn on.
        CHECK((format == "pdf" || *seen.find("explicit")->find("found")->if_bool()));
        if (format == "text") {
            continue;  // words are its only label
        }
        const json::Value& metadata = *seen.find("metadata");
        CHECK(metadata.string_or("producer", "") == kProducer);
        CHECK(metadata.string_or("content_id", "") == "7QK0M3X9Z2");
        CHECK(metadata.string_or("signature", "") == "valid");

        Buffer bytes = test::read_file(out);
        const std::string_view text = as_text(bytes);
        const std::size_t at = text.find("7QK0M3X9Z2");
        REQUIRE(at != std::string_view::npos);
        bytes[at + 4] = 'V';
        const std::string changed =
            home.dir.file("changed" + std::filesystem::path(in).extension().string());
        test::write_file(changed, bytes);
        // Containers with checksums of their own notice the byte before the signature does.
        const int code = home.run({"verify", changed}).exit_code;
        CHECK((code == 2 || (code == 1 && (format == "ogg" || format == "opus"))));
    }
}

TEST_CASE("labelling twice leaves one label and one explicit mark") {
    for (const std::string_view format : test::writable_formats()) {
        CAPTURE(format);
        const Home home;
        const std::string in = test::make_sample(home.dir, format);
        const std::string extension = std::filesystem::path(in).extension().string();
        const std::string once = home.dir.file("once" + extension);
        const std::string twice = home.dir.file("twice" + extension);
        REQUIRE(home.label(in, once).exit_code == 0);
        const test::ToolRun again = home.label(once, twice, {"--content-id", "00000000V1"});
        REQUIRE_MESSAGE(again.exit_code == 0, again.err);
        const json::Value seen = home.verify_json(twice, 0);
        for (const json::Value& finding : *seen.find("findings")->if_array()) {
            CHECK(finding.string_or("code", "") != "metadata.duplicate");
        }
        if (format != "text") {
            CHECK(seen.find("metadata")->string_or("content_id", "") == "00000000V1");
        }
    }
}

TEST_CASE("a bad file never stops the rest, and the worst code counts") {
    const Home home;
    const std::string folder = home.dir.file("in");
    std::filesystem::create_directories(folder + "/deep");
    std::filesystem::rename(test::make_sample(home.dir, "png"), folder + "/deep/a.png");
    test::write_file(folder + "/broken.png", as_bytes("\x89PNG\r\n\x1A\n\xFF\xFF\xFF\xFFIHDR"));
    std::filesystem::rename(test::make_sample(home.dir, "markdown"), folder + "/note.md");
    test::write_file(folder + "/unknown.bin", Buffer(100, 0x01));
    const test::ToolRun run = home.label(folder, home.dir.file("out"), {"--json"});
    CHECK(run.exit_code == 1);
    CHECK(std::ranges::count(run.out, '\n') == 4);
    CHECK(std::filesystem::exists(home.dir.file("out/deep/a.png")));
    CHECK(std::filesystem::exists(home.dir.file("out/note.md")));
    CHECK_FALSE(std::filesystem::exists(home.dir.file("out/broken.png")));
    CHECK_FALSE(std::filesystem::exists(home.dir.file("out/unknown.bin")));
    CHECK(run.err.find("4 files") != std::string::npos);
    CHECK(run.err.find("at byte") != std::string::npos);
    const test::ToolRun missing =
        home.run({"verify", "--json", home.dir.file("nowhere.png"), folder + "/note.md"});
    CHECK(missing.exit_code == 1);
    CHECK(std::ranges::count(missing.out, '\n') == 2);
    std::filesystem::remove(folder + "/broken.png");
    CHECK(home.label(folder, home.dir.file("out")).exit_code == 4);
}

TEST_CASE("standard input and output take the place of files") {
    const Home home;
    const Buffer png = test::read_file(test::make_sample(home.dir, "png"));
    const test::ToolRun labelled =
        home.run({"label", "-", "-o", "-", "--producer", kProducer}, as_text(png));
    REQUIRE_MESSAGE(labelled.exit_code == 0, labelled.err);
    const test::ToolRun seen = home.run({"verify", "-"}, labelled.out);
    CHECK(seen.exit_code == 0);
    CHECK(first_line(seen.out).find("intact") != std::string::npos);
}

TEST_CASE("a failing label leaves the earlier output alone and no debris beside it") {
    const Home home;
    const std::string out = home.dir.file("out.png");
    test::write_file(out, as_bytes("earlier"));
    test::write_file(home.dir.file("broken.png"), as_bytes("\x89PNG\r\n\x1A\nrubbish"));
    CHECK(home.label(home.dir.file("broken.png"), out).exit_code == 1);
    CHECK(as_text(test::read_file(out)) == "earlier");
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(home.dir.path())) {
        ++count;
    }
    CHECK(count == 3);  // home with its key, the broken file, the earlier output
}

TEST_CASE("a file may be labelled in place") {
    const Home home;
    const std::string file = test::make_sample(home.dir, "flac");
    CHECK(home.label(file, file).exit_code == 0);
    CHECK(home.run({"verify", file}).exit_code == 0);
}

// [AILM-6] [DSP-18] What is there of another producer stays.
TEST_CASE("a platform adds itself and leaves the producer alone, unless it relabels and says so") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "png");
    const std::string first = home.dir.file("first.png");
    REQUIRE(home.label(in, first, {"--content-id", "7QK0M3X9Z2"}).exit_code == 0);
    const std::string second = home.dir.file("second.png");
    const auto other = [&](std::vector<std::string> more) {
        std::vector<std::string> arguments{
            "label",           first,     "-o",           second,
            "--producer-name", "another", "--content-id", "00000000V1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return home.run(arguments);
    };
    REQUIRE(other({"--propagate"}).exit_code == 0);
    json::Value metadata = *home.verify_json(second, 0).find("metadata");
    CHECK(metadata.string_or("producer", "") == kProducer);
    CHECK(metadata.string_or("produce_id", "") == "7QK0M3X9Z2");
    CHECK(metadata.string_or("propagator", "") == "another");
    CHECK(metadata.string_or("propagate_id", "") == "00000000V1");
    CHECK(metadata.string_or("signature", "") == "valid");

    const test::ToolRun relabelled = other({"--relabel"});
    REQUIRE(relabelled.exit_code == 0);
    CHECK(relabelled.err.find("label.relabelled") != std::string::npos);
    metadata = *home.verify_json(second, 0).find("metadata");
    CHECK(metadata.string_or("producer", "") == "another");
}

TEST_CASE("a replaced label does not leave its model behind, a kept one does") {
    for (const std::string_view format :
         {"jpeg", "png", "webp", "gif", "tiff", "heic", "avif", "svg"}) {
        CAPTURE(format);
        const Home home;
        const std::string in = test::make_sample(home.dir, format);
        const std::string first =
            home.dir.file("first" + std::filesystem::path(in).extension().string());
        const std::string second =
            home.dir.file("second" + std::filesystem::path(in).extension().string());
        REQUIRE(home.label(in, first, {"--system", "painter/1", "--marks", "metadata"}).exit_code ==
                0);
        const auto systems = [&](std::vector<std::string> more) {
            std::vector<std::string> arguments{"label", first, "-o", second, "--marks", "metadata"};
            arguments.insert(arguments.end(), more.begin(), more.end());
            REQUIRE(home.run(arguments).exit_code == 0);
            return test::run_tool_ok(
                {"exiftool", "-s3", "-XMP:AISystemUsed", "-XMP:AISystemVersionUsed", second});
        };
        CHECK(systems({"--producer-name", "another"}) == "painter\n1\n");
        CHECK(systems({"--producer-name", "another", "--relabel"}).empty());
        CHECK(systems({"--producer", kProducer}).empty());
        CHECK(systems({"--producer", kProducer, "--system", "brush"}) == "brush\n");
    }
}

TEST_CASE("a label in damaged XMP is unreadable in every picture that carries XMP") {
    for (const std::string_view format : {"jpeg", "webp", "gif", "tiff", "heic", "avif"}) {
        CAPTURE(format);
        const Home home;
        const std::string in = test::make_sample(home.dir, format);
        const std::string extension = std::filesystem::path(in).extension().string();
        const std::string out = home.dir.file("out" + extension);
        REQUIRE(home.label(in, out, {"--marks", "metadata"}).exit_code == 0);
        Buffer bytes = test::read_file(out);
        const std::size_t at = as_text(bytes).find("</rdf:RDF>");
        REQUIRE(at != std::string_view::npos);
        bytes[at + 1] = '?';
        const std::string damaged = home.dir.file("damaged" + extension);
        test::write_file(damaged, bytes);
        for (const char* marks : {"metadata", "explicit,metadata"}) {
            const test::ToolRun run = home.run({"verify", "--json", "--marks", marks, damaged});
            CHECK(run.exit_code == 1);
            CHECK(run.out.find("\"verdict\":\"unreadable\"") != std::string::npos);
        }
    }
}

TEST_CASE("words alone are intact, and stripped when the service is known to write more") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "png");
    const std::string out = home.dir.file("out.png");
    REQUIRE(home.label(in, out, {"--marks", "explicit"}).exit_code == 0);
    const json::Value seen = home.verify_json(out, 0);
    CHECK(seen.string_or("verdict", "") == "intact");
    CHECK(seen.string_or("propagation", "") == "suspected");
    CHECK(home.run({"verify", "--expect", "explicit", out}).exit_code == 0);
    CHECK(home.run({"verify", "--expect", "metadata,explicit", out}).exit_code == 2);
    CHECK(home.run({"verify", "--expect", "metadata,explicit", in}).exit_code == 3);
    CHECK(home.run({"verify", "--expect", "ink", out}).exit_code == 64);
}

TEST_CASE("a recording of the user's own is put on, found again and never put on twice") {
    const Home home;
    const std::string voice = home.dir.file("voice.wav");
    // A voice and words that verification does not know by heart.
    test::run_tool_ok({"espeak-ng", "-v", "cmn+f2", "-s", "170", "-p", "70", "-w", voice,
                       "接下来的节目由人工智能生成"});
    for (const std::string_view format : {"wav", "mp3"}) {
        CAPTURE(format);
        const std::string in = test::make_sample(home.dir, format);
        const std::string out = home.dir.file("out." + std::string(format));
        const std::string again = home.dir.file("again." + std::string(format));
        REQUIRE(home.label(in, out, {"--recording", voice}).exit_code == 0);
        CHECK_FALSE(*home.verify_json(out, 0).find("explicit")->find("found")->if_bool());
        const test::ToolRun told = home.run({"verify", "--json", "--recording", voice, out});
        REQUIRE(told.exit_code == 0);
        const json::Value mark = *json::parse(told.out)->find("explicit");
        CHECK(*mark.find("found")->if_bool());
        CHECK(mark.string_or("text", "") == "voice.wav");
        const test::ToolRun configured = home.run({"verify", "--expect", "explicit", out}, {},
                                                  {"COLOPHON_LABEL_RECORDING=" + voice});
        CHECK(configured.exit_code == 0);
        CHECK(configured.out.find("voice.wav") != std::string::npos);
        REQUIRE(home.label(out, again, {"--recording", voice}).exit_code == 0);
        CHECK(test::run_tool_ok({"ffprobe", "-v", "error", "-show_entries", "format=duration",
                                 "-of", "csv=p=0", again}) ==
              test::run_tool_ok({"ffprobe", "-v", "error", "-show_entries", "format=duration",
                                 "-of", "csv=p=0", out}));
    }
    const std::string noise = home.dir.file("noise.wav");
    test::write_file(noise, as_bytes("RIFF of nothing"));
    const std::string in = test::make_sample(home.dir, "flac");
    const test::ToolRun refused = home.label(in, home.dir.file("out.flac"), {"--recording", noise});
    CHECK(refused.exit_code != 0);
    CHECK(refused.err.find("noise.wav") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(home.dir.file("out.flac")));
    CHECK(home.run({"verify", "--recording", noise, in}).exit_code != 0);
}

TEST_CASE("a platform does not invent that a file is synthetic") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "png");
    const std::string out = home.dir.file("out.png");
    CHECK(home.label(in, out, {"--propagate"}).exit_code == 1);
    CHECK_FALSE(std::filesystem::exists(out));
    REQUIRE(home.label(in, out, {"--propagate", "--declared"}).exit_code == 0);
    CHECK(home.verify_json(out, 0).find("metadata")->string_or("label", "") == "2");
}

TEST_CASE("wrong usage is 64 and says what to do") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "markdown");
    const auto complains = [&](const std::vector<std::string>& arguments, std::string_view about) {
        const test::ToolRun run = home.run(arguments);
        CAPTURE(run.err);
        CHECK(run.exit_code == 64);
        CHECK(run.err.find(about) != std::string::npos);
    };
    const std::string out = home.dir.file("out.md");
    complains({}, "subcommand");
    complains({"label", in}, "output");
    complains({"label", in, "-o", out}, "--producer");
    complains({"label", in, "-o", out, "--producer", "001191000000000000000A10001"}, "check");
    complains({"label", in, "-o", out, "--producer", kProducer, "--profile", "mars"}, "profile");
    complains({"label", in, "-o", out, "--producer", kProducer, "--marks", "tattoo"}, "tattoo");
    complains({"label", in, "-o", out, "--producer", kProducer, "--propagate", "--relabel"},
              "choose one");
    complains({"verify", in, "--marks", "tattoo"}, "tattoo");
    complains({"verify", in, "--wording", ""}, "empty");
    complains({"verify", in, "--jobs", "0"}, "jobs");
}

TEST_CASE("every value that an option may not have is 64, and names what is wrong") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "markdown");
    const std::string out = home.dir.file("out.md");
    struct Row {
        std::vector<std::string> options;
        std::string_view about;
    };
    const Row rows[] = {
        {{"--service", "tattooist"}, "tattooist is no service"},
        {{"--origin", "heaven"}, "heaven is no origin"},
        {{"--language", "la"}, "la is no language"},
        {{"--sound", "drum"}, "drum is no form"},
        {{"--position", "middle"}, "middle is no position"},
        {{"--position", "bottom-right"}, "bottom-right is no place in a text"},
        {{"--text", "made by a machine"}, "lacks the AI element"},
        {{"--text", "AI made"}, "lacks the generation element"},
        {{"--text", "AI生成", "--profile", "eu", "--position", "corner", "--origin", "x"},
         "origin"},
        {{"--text", std::string("AI生成\n2")}, "one line"},
        {{"--system", "/2"}, "names no system"},
        {{"--system", " painter"}, "AISystemUsed"},
        {{"--content-id", "two words"}, "ProduceID"},
        {{"--content-id", std::string(3000, '7')}, "ProduceID"},
        {{"--propagator", "a b"}, "ContentPropagator"},
        {{"--propagator", "002191000000000000000K10001"}, "subject type"},
        {{"--metadata-key-id", "密钥"}, "key id"},
        {{"--issuer", "70000"}, "70000 is no issuer"},
        {{"--payload", "longer"}, "longer is no payload of a watermark"},
        {{"--jobs", "many"}, "jobs"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.about);
        std::vector<std::string> command = row.options;
        if (row.options.front() != "--marks") {
            command.insert(command.end(), {"--json"});
        }
        const test::ToolRun run = home.label(in, out, command);
        CHECK(run.exit_code == 64);
        CHECK_MESSAGE(run.err.find(row.about) != std::string::npos, run.err);
        CHECK_FALSE(std::filesystem::exists(out));
    }
    // A name is checked where it is given, too.
    CHECK(home.run({"label", in, "-o", out, "--producer-name", "two words"}).exit_code == 64);
    // The long payload of a watermark names a provider who has a code.
    const test::ToolRun nameless =
        home.run({"label", in, "-o", out, "--producer-name", "somebody", "--payload", "long"});
    CHECK(nameless.exit_code == 64);
    CHECK(nameless.err.find("give --producer CODE") != std::string::npos);
    // Texts bear no watermark: none is found.
    CHECK(home.run({"verify", in, "--marks", "watermark"}).exit_code == 3);
    // A place that suits no words does not matter where none are written.
    CHECK(home.label(in, out, {"--marks", "metadata", "--position", "bottom-right"}).exit_code ==
          0);
}

TEST_CASE("what looks like a provider code and is none is refused, a name is not") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "markdown");
    const std::string out = home.dir.file("out.md");
    const auto refusal = [&](std::string_view option, std::string_view value) {
        const test::ToolRun run = home.run({"label", in, "-o", out, "--producer-name", "us",
                                            std::string(option), std::string(value)});
        CHECK(run.exit_code == 64);
        CHECK_FALSE(std::filesystem::exists(out));
        return run.err;
    };
    for (const std::string_view option : {"--producer", "--propagator"}) {
        CAPTURE(option);
        CHECK(refusal(option, "00119100000000000000K10001").find("1 too few") != std::string::npos);
        CHECK(refusal(option, "0011910000000000000000K10001").find("1 too many") !=
              std::string::npos);
        CHECK(refusal(option, "91000000000000000K").find("nine characters more") !=
              std::string::npos);
        CHECK(refusal(option, "001191000000000000000A10001").find("check character") !=
              std::string::npos);
    }
    CHECK(home.run({"label", in, "-o", out, "--producer", "example-2025"}).exit_code == 0);
}

TEST_CASE("a wording without its two elements is refused") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "markdown");
    const test::ToolRun run =
        home.label(in, home.dir.file("out.md"), {"--text", "made by a machine"});
    CHECK(run.exit_code == 64);
    CHECK(run.err.find("AI") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(home.dir.file("out.md")));
}

TEST_CASE("defaults come from a file, the environment wins over it, an option over both") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "markdown");
    const std::string out = home.dir.file("out.md");
    const std::string config = home.dir.file("my.toml");
    const std::string setting = "COLOPHON_CONFIG=" + config;
    const auto producer_of = [&] {
        return home.verify_json(out, 0).find("metadata")->string_or("producer", "");
    };
    test::write_file(config, as_bytes("[label]\nproducer_name = \"from-file\"\n"));
    REQUIRE(home.run({"label", in, "-o", out}, {}, {setting}).exit_code == 0);
    CHECK(producer_of() == "from-file");
    REQUIRE(
        home.run({"label", in, "-o", out}, {}, {setting, "COLOPHON_LABEL_PRODUCER_NAME=from-env"})
            .exit_code == 0);
    CHECK(producer_of() == "from-env");
    REQUIRE(home.run({"label", in, "-o", out, "--producer-name", "from-option"}, {},
                     {setting, "COLOPHON_LABEL_PRODUCER_NAME=from-env"})
                .exit_code == 0);
    CHECK(producer_of() == "from-option");

    test::write_file(config, as_bytes("[label]\nproducer = \"x\"\nproduser = \"y\"\n"));
    const test::ToolRun wrong = home.run({"label", in, "-o", out}, {}, {setting});
    CHECK(wrong.exit_code == 64);
    CHECK(wrong.err.find("line 3") != std::string::npos);
    CHECK(wrong.err.find("produser") != std::string::npos);
}

TEST_CASE("a key of the user's own signs, and a verifier who trusts it sees that") {
    const Home home;
    const std::string key = home.dir.file("key.pem");
    const std::string pub = home.dir.file("pub.pem");
    test::run_tool_ok({"openssl", "genpkey", "-algorithm", "SM2", "-out", key});
    test::run_tool_ok({"openssl", "pkey", "-in", key, "-pubout", "-out", pub});
    const std::string in = test::make_sample(home.dir, "png");
    const std::string out = home.dir.file("out.png");
    REQUIRE(
        home.label(in, out, {"--metadata-key", key, "--metadata-key-id", "press-1"}).exit_code ==
        0);
    CHECK_FALSE(std::filesystem::exists(home.dir.file("home")));
    json::Value metadata = *home.verify_json(out, 0).find("metadata");
    CHECK(metadata.string_or("signature", "") == "valid");
    CHECK(metadata.string_or("key_id", "") == "press-1");
    CHECK_FALSE(*metadata.find("trusted")->if_bool());
    const test::ToolRun seen = home.run({"verify", "--json", "--trust", pub, out});
    CHECK(*json::parse(seen.out).value().find("metadata")->find("trusted")->if_bool());
}

TEST_CASE("the report speaks the user's language and shows no control characters of a file") {
    const Home home;
    const std::string in = test::make_sample(home.dir, "markdown");
    const test::ToolRun chinese = home.run({"verify", in}, {}, {"LANG=zh_CN.UTF-8"});
    CHECK(chinese.out.find("无标识") != std::string::npos);
    const std::string named = home.dir.file("evil\x1b[31m.md");
    std::filesystem::copy_file(in, named);
    CHECK(home.run({"verify", named}).out.find('\x1b') == std::string::npos);
}

TEST_CASE("[GB45438-5.4] a video gets all its marks in one run, and other tools still play it") {
    const Home home;
    const std::string in = home.dir.file("in.mp4");
    const std::string out = home.dir.file("out.mp4");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "testsrc2=size=320x240:d=3", "-f", "lavfi", "-i", "sine=d=3", "-pix_fmt",
                       "yuv420p", in});
    REQUIRE(home.label(in, out).exit_code == 0);
    const json::Value seen = home.verify_json(out, 0);
    CHECK(seen.string_or("verdict", "") == "intact");
    for (const char* part : {"explicit", "watermark", "metadata"}) {
        CAPTURE(part);
        const json::Value* found = seen.find(part);
        REQUIRE(found != nullptr);
        CHECK(*found->find("found")->if_bool());
    }
    CHECK(seen.find("watermark")->find("ranges")->if_array()->size() == 1);
    const test::ToolRun played =
        test::run_tool({"ffmpeg", "-nostdin", "-v", "warning", "-i", out, "-f", "null", "-"});
    CHECK(played.exit_code == 0);
    CHECK(played.err == "");
    const std::string plain = home.dir.file("plain.mp4");
    REQUIRE(home.label(in, plain, {"--marks", "metadata"}).exit_code == 0);
    CHECK(home.verify_json(plain, 0).string_or("verdict", "") == "intact");
    // Of a container that is not written nothing appears.
    const std::string film = home.dir.file("film.mkv");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", in, "-c", "copy", film});
    CHECK(home.label(film, home.dir.file("film-out.mkv")).exit_code == 4);
    CHECK_FALSE(std::filesystem::exists(home.dir.file("film-out.mkv")));
}

TEST_CASE("help and version answer") {
    const Home home;
    CHECK(home.run({"--help"}).out.find("verify") != std::string::npos);
    CHECK(home.run({"label", "--help"}).exit_code == 0);
    const test::ToolRun version = home.run({"version", "--json"});
    REQUIRE(version.exit_code == 0);
    CHECK_FALSE(json::parse(version.out).value().string_or("version", "").empty());
}

}  // namespace
}  // namespace colophon
