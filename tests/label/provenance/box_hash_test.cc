// SPDX-License-Identifier: Apache-2.0
// c2pa.hash.boxes: the boxes of each format by name, and what is not as it was signed.

#include "label/provenance/internal/box_hash.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/bound.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
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
using internal::list_boxes;
using internal::NamedBox;

constexpr std::array kFormats{Format::kJpeg, Format::kPng, Format::kGif,       Format::kWebp,
                              Format::kWav,  Format::kAvi, Format::kOggVorbis, Format::kOpus};

Buffer sample(Format format) {
    const TempDir dir;
    return read_file(make_sample(dir, facts(format).name));
}

Buffer hash_of(Bytes file, const std::vector<const NamedBox*>& boxes) {
    ContentHasher hasher(HashAlgorithm::kSha256);
    for (const NamedBox* box : boxes) {
        for (const ByteRange& range : box->ranges) {
            hasher.update(file.subspan(static_cast<std::size_t>(range.offset),
                                       static_cast<std::size_t>(range.size)));
        }
    }
    return hasher.finish();
}

// One row for each run of boxes on either side of the manifest.
test::MakeBinding boxes_of(Format format) {
    return [format](Bytes file, const std::vector<ByteRange>& store) -> cbor::Value {
        const auto boxes = list_boxes(file, format, store, 1).value();
        cbor::Array rows;
        for (std::size_t at = 0; at < boxes.size();) {
            const bool manifest = boxes[at].name == "C2PA";
            std::vector<const NamedBox*> run;
            cbor::Array names;
            for (; at < boxes.size() && (run.empty() || !manifest) &&
                   (manifest || boxes[at].name != "C2PA");
                 ++at) {
                run.push_back(&boxes[at]);
                names.emplace_back(boxes[at].name);
            }
            // c2pa-rs wants a `pad` in each row.
            rows.emplace_back(cbor::Map{{"names", std::move(names)},
                                        {"hash", manifest ? Buffer{0} : hash_of(file, run)},
                                        {"pad", Buffer{}}});
        }
        return cbor::Map{{"alg", "sha256"}, {"boxes", std::move(rows)}};
    };
}

Buffer sign_boxes(Format format) {
    CredentialSigner by = test::signer();
    return test::sign_bound(test::usual_place(sample(format), format), format, "c2pa.hash.boxes",
                            boxes_of(format), by);
}

TEST_CASE("boxes are called as the specification calls them, and leave no gaps") {
    const auto names = [](const std::vector<NamedBox>& boxes) {
        std::string text;
        for (const NamedBox& each : boxes) {
            text += (text.empty() ? "" : " ") + each.name;
        }
        return text;
    };
    for (const Format format : kFormats) {
        CAPTURE(facts(format).name);
        const Buffer file = sample(format);
        const auto boxes = list_boxes(file, format, {}, 1).value();
        if (format != Format::kOggVorbis && format != Format::kOpus) {
            std::uint64_t at = 0;
            for (const NamedBox& each : boxes) {
                CHECK(each.ranges.front().offset == at);
                at = each.ranges.front().end();
            }
            CHECK(at == file.size());
        }
    }
    CHECK(names(list_boxes(sample(Format::kGif), Format::kGif, {}, 1).value())
              .starts_with("GIF89a LSD "));
    CHECK(names(list_boxes(sample(Format::kGif), Format::kGif, {}, 1).value())
              .ends_with("2C TBID 3B"));
    const std::string png = names(list_boxes(sample(Format::kPng), Format::kPng, {}, 1).value());
    CHECK(png.starts_with("PNGh IHDR "));
    CHECK(png.ends_with("IDAT IEND"));
    CHECK(names(list_boxes(sample(Format::kWav), Format::kWav, {}, 1).value())
              .starts_with("WAVE fmt "));
    CHECK(names(list_boxes(sample(Format::kOpus), Format::kOpus, {}, 1).value())
              .starts_with("Stream-"));
    // A JPEG with restarts, and with a second picture behind the first.
    const TempDir dir;
    const std::string path = make_sample(dir, "jpeg");
    run_tool_ok({"jpegtran", "-restart", "4B", "-outfile", dir.file("restarts.jpg"), path});
    Buffer jpeg = read_file(dir.file("restarts.jpg"));
    const std::string one = names(list_boxes(jpeg, Format::kJpeg, {}, 1).value());
    CHECK(one.starts_with("SOI APP0 "));
    CHECK(one.find("SOS RST0 RST1 RST2") != std::string::npos);
    CHECK(one.ends_with(" EOI"));
    append(jpeg, Bytes(Buffer(jpeg)));
    CHECK(names(list_boxes(jpeg, Format::kJpeg, {}, 1).value()) == one + " c2pa.after");
    CHECK(names(list_boxes(jpeg, Format::kJpeg, {}, 2).value()) == one + " " + one);
    CHECK(list_boxes(jpeg, Format::kMp3, {}, 1).error().code == ErrorCode::kUnsupported);
}

// That many bits of the file, one at a time: none may be changed unseen.
void check_bits(const Buffer& file, Format format, Random& random, int bits) {
    const FoundStore found = find_carrier(format)->find(file).value().value();
    for (int i = 0; i < bits; ++i) {
        const auto at = static_cast<std::size_t>(random.next().value() % file.size());
        // The number that tells the JUMBF boxes of a JPEG apart means nothing.
        const std::uint64_t first = found.ranges.front().offset;
        if (format == Format::kJpeg && (at == first + 6 || at == first + 7)) {
            continue;
        }
        Buffer changed = file;
        changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
        const auto seen = read_credential(changed, format, test::trust_root());
        CHECK_MESSAGE((!seen.ok() || !seen->found || !seen->intact()), "byte ", at);
    }
}

TEST_CASE("files bound by their boxes are trusted, and a changed bit is noticed") {
    SeededRandom random(7);
    for (const Format format : kFormats) {
        CAPTURE(facts(format).name);
        const Buffer file = sign_boxes(format);
        const CredentialReading reading = test::read(file, format);
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        check_bits(file, format, random, 60);
        Buffer longer = file;
        longer.push_back(0);
        CHECK(!test::read(longer, format).intact());
    }
}

TEST_CASE("boxes that came, went or changed places are told apart") {
    const Buffer file = sign_boxes(Format::kPng);
    const PngFile png = walk_png(file).value();
    const auto without = [&](std::string_view type) {
        const auto row = std::ranges::find(png.chunks, type, &PngChunk::type);
        Buffer out = file;
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(row->offset),
                  out.begin() + static_cast<std::ptrdiff_t>(row->end()));
        return out;
    };
    const auto with = [&](std::string_view type, Bytes data) {
        Buffer out = file;
        const Buffer chunk = make_png_chunk(type, data);
        out.insert(out.begin() + static_cast<std::ptrdiff_t>(png.chunks.back().offset),
                   chunk.begin(), chunk.end());
        return out;
    };
    CHECK(test::failures(test::read(with("tEXt", as_bytes("a\0b")), Format::kPng)) ==
          "assertion.boxesHash.unknownBox");
    CHECK(test::failures(test::read(with("IDAT", {}), Format::kPng)) ==
          "assertion.boxesHash.mismatch");
    CHECK(test::failures(test::read(without("pHYs"), Format::kPng)) ==
          "assertion.boxesHash.mismatch");
}

TEST_CASE("an assertion of boxes that is not well made is called so") {
    const Buffer source = sample(Format::kPng);
    const auto failure_of = [&](const std::function<void(cbor::Map&)>& spoil) {
        CredentialSigner by = test::signer();
        const auto binding = [&](Bytes file, const std::vector<ByteRange>& store) -> cbor::Value {
            const cbor::Value good = boxes_of(Format::kPng)(file, store);
            cbor::Map map = *good.if_map();
            spoil(map);
            return map;
        };
        const Buffer file = test::sign_bound(test::usual_place(source, Format::kPng), Format::kPng,
                                             "c2pa.hash.boxes", binding, by);
        return test::failures(test::read(file, Format::kPng));
    };
    const auto first_row = [](cbor::Map& map, const std::string& name, const cbor::Value& value) {
        for (auto& [key, boxes] : map) {
            if (key.if_text() != nullptr && *key.if_text() == "boxes") {
                cbor::Array rows = *boxes.if_array();
                cbor::Map row = *rows.front().if_map();
                std::erase_if(row, [&](const auto& each) { return *each.first.if_text() == name; });
                row.emplace_back(name, value);
                rows.front() = row;
                boxes = rows;
            }
        }
    };
    const auto range = [](int box, std::uint64_t start, std::uint64_t length) -> cbor::Value {
        return cbor::Map{{"start", start}, {"length", length}, {"boxIndex", box}};
    };
    CHECK(failure_of([](cbor::Map& map) { map.pop_back(); }) == "assertion.boxesHash.malformed");
    CHECK(failure_of([&](cbor::Map& map) { first_row(map, "names", 1); }) ==
          "assertion.boxesHash.malformed");
    CHECK(failure_of([&](cbor::Map& map) { first_row(map, "hash", "text"); }) ==
          "assertion.boxesHash.mismatch");
    CHECK(failure_of([&](cbor::Map& map) { first_row(map, "alg", "md5"); }) ==
          "algorithm.unsupported");
    // Two ranges that overlap, a box that is not there, and one that ends behind its box.
    CHECK(failure_of([&](cbor::Map& map) {
              first_row(map, "exclusions", cbor::Array{range(0, 0, 4), range(0, 2, 2)});
          }) == "assertion.boxesHash.malformed");
    CHECK(failure_of([&](cbor::Map& map) {
              first_row(map, "exclusions", cbor::Array{range(99, 0, 4)});
          }) == "assertion.boxesHash.malformed");
    CHECK(failure_of([&](cbor::Map& map) {
              first_row(map, "exclusions", cbor::Array{range(0, 0, 4000)});
          }) == "assertion.boxesHash.mismatch");
}

// c2pa-rs knows the boxes of these.
TEST_CASE("c2pa-rs trusts files that are bound by the boxes as we list them" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    SystemClock clock;
    const auto authority = test::FreshAuthority::make();
    CredentialSigner by = authority.signer();
    std::vector<std::string> command = test::rust_witness(dir, authority);
    for (const Format format : {Format::kJpeg, Format::kPng, Format::kGif}) {
        command.push_back(make_sample(dir, facts(format).name));
        CredentialInput input = test::input();
        input.now = clock.now();
        const Buffer file = read_file(command.back());
        write_file(command.back(),
                   test::sign_bound(test::usual_place(file, format), format, "c2pa.hash.boxes",
                                    boxes_of(format), by, input));
    }
    const auto run = run_tool(command);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
}

CredentialInput by_boxes(CredentialInput input = test::input()) {
    input.binding = BindingWish::kBoxes;
    return input;
}

TEST_CASE("pictures are bound by their boxes where that is wished for") {
    SeededRandom random(9);
    for (const Format format : {Format::kJpeg, Format::kPng, Format::kGif}) {
        CAPTURE(facts(format).name);
        const Buffer source = sample(format);
        const Buffer file = test::sign(source, format, by_boxes());
        CHECK(as_text(file).find("c2pa.hash.boxes") != std::string_view::npos);
        const CredentialReading reading = test::read(file, format);
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        check_bits(file, format, random, 100);
        // Whoever passes it on adds to the store where it lies; the boxes stay those that count.
        const CredentialInput passed = test::passing_on(reading, 2);
        CredentialSigner signer = test::signer();
        const auto updated = update_credential(file, format, passed, signer).value();
        REQUIRE(updated.has_value());
        const CredentialReading after = test::read(apply_splice(file, updated->splice), format);
        CHECK(test::failures(after) == "");
        CHECK(after.trusted());
        CHECK(after.manifests == 2);
    }
    for (const Format format : {Format::kWav, Format::kTiff, Format::kMp4, Format::kSvg}) {
        CredentialSigner signer = test::signer();
        CHECK(!takes_box_hash(format));
        CHECK(add_credential(sample(format), format, by_boxes(), signer).error().code ==
              ErrorCode::kUnsupported);
    }
    // More boxes than a manifest should list.
    Buffer many = sample(Format::kPng);
    const PngFile png = walk_png(many).value();
    Buffer chunks;
    for (int i = 0; i < 5000; ++i) {
        append(chunks, make_png_chunk("tEXt", as_bytes("a")));
    }
    many.insert(many.begin() + static_cast<std::ptrdiff_t>(png.chunks.back().offset),
                chunks.begin(), chunks.end());
    CredentialSigner signer = test::signer();
    CHECK(add_credential(many, Format::kPng, by_boxes(), signer).error().code ==
          ErrorCode::kUnsupported);
}

TEST_CASE("c2pa-rs and c2pa-ts trust pictures that are bound by their boxes" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const auto now = test::FreshAuthority::make();
    write_file(dir.file("root.pem"), as_bytes(now.root.certificate_pem));
    CredentialInput input = by_boxes();
    input.now = SystemClock().now();
    std::vector<std::string> command{"timeout",
                                     "100",
                                     "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/credentials.mjs",
                                     COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                                     dir.file("root.pem")};
    for (const Format format : {Format::kJpeg, Format::kPng, Format::kGif}) {
        const std::string path = make_sample(dir, facts(format).name);
        const Buffer source = read_file(path);
        CredentialSigner signer = now.signer();
        const auto made = add_credential(source, format, input, signer);
        REQUIRE(made.ok());
        write_file(path, apply_splice(source, made->splice));
        command.push_back(path);
    }
    const auto run = run_tool(command);
    CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
}

}  // namespace
}  // namespace colophon::label::provenance
