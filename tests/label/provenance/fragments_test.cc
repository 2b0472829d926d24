// SPDX-License-Identifier: Apache-2.0
// The Merkle trees that we write into ISO media: over large media in blocks, over fragments in one
// file, and over fragments in files of their own, as DASH and HLS have them. c2pa-rs trusts the
// files; with fragments in files of their own it is its WebAssembly that reads them.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::read_file;
using colophon::test::run_tool;
using colophon::test::run_tool_ok;
using colophon::test::TempDir;
using colophon::test::write_file;

// `more`: the muxer and its options, and the name of the file last.
void make_movie(std::vector<std::string> more) {
    std::vector<std::string> command{"ffmpeg", "-nostdin", "-loglevel", "error",
                                     "-f",     "lavfi",    "-i",        "testsrc=size=160x120:d=4",
                                     "-f",     "lavfi",    "-i",        "sine=duration=4",
                                     "-c:v",   "libx264",  "-g",        "10"};
    command.insert(command.end(), more.begin(), more.end());
    run_tool_ok(command);
}

// How many packets each stream has, and that none is out of place.
std::string packets(const std::string& path) {
    return run_tool_ok({"ffprobe", "-v", "error", "-show_entries", "packet=stream_index,size,pts",
                        "-of", "csv", path});
}

// The specification leaves these out of every hash.
bool is_uncovered(Bytes file, std::uint64_t at) {
    bmff::BoxReader boxes(file);
    while (const auto box = boxes.next().value()) {
        if (at < box->end()) {
            return box->type == bmff::box_type("ftyp") || box->type == bmff::box_type("mfra");
        }
    }
    return false;
}

// Another byte, changed, is noticed.
void check_changes(Bytes file, std::uint64_t seed, int times) {
    SeededRandom random(seed);
    for (int i = 0; i < times; ++i) {
        const auto at = static_cast<std::size_t>(random.next().value() % file.size());
        if (is_uncovered(file, at)) {
            continue;
        }
        Buffer changed = to_buffer(file);
        changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
        const auto seen = read_credential(changed, Format::kMp4, test::trust_root());
        CHECK_MESSAGE((!seen.ok() || !seen->intact()), "seed ", seed, " byte ", at);
    }
}

// What c2pa-rs says of the files; it is content with them unless that is looked for elsewhere.
std::string ask_witness(const test::FreshAuthority& now, const TempDir& dir,
                        const std::vector<std::string>& files, bool content = true) {
    std::vector<std::string> command = test::rust_witness(dir, now);
    command.insert(command.end(), files.begin(), files.end());
    const auto run = run_tool(command);
    CHECK_MESSAGE((!content || run.exit_code == 0), run.out, run.err);
    return run.out;
}

CredentialInput input_now() {
    CredentialInput input = test::input();
    input.now = SystemClock().now();
    return input;
}

Buffer sign_now(const test::FreshAuthority& now, Bytes file, const CredentialInput& input) {
    CredentialSigner signer = now.signer();
    const auto made = add_credential(file, Format::kMp4, input, signer);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().what));
    return apply_splice(file, made->splice);
}

bool names(Bytes file, std::string_view word) {
    return as_text(file).find(word) != std::string_view::npos;
}

TEST_CASE("large media are hashed in blocks, and small ones as a whole" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    make_movie({dir.file("in.mp4")});
    const Buffer movie = read_file(dir.file("in.mp4"));
    CHECK(!names(test::sign(movie, Format::kMp4), "fixedBlockSize"));
    CredentialInput input = test::input();
    input.media.trees_from = 1U << 10U;
    input.media.block_bytes_min = 1U << 10U;
    const Buffer file = test::sign(movie, Format::kMp4, input);
    CHECK(names(file, "fixedBlockSize"));
    CHECK(test::failures(test::read(file, Format::kMp4)) == "");
    CHECK(test::read(file, Format::kMp4).trusted());
    check_changes(file, 1, 300);
    // Fewer blocks than media have, of which there are at least so many: they grow.
    input.media.block_bytes_min = 16;
    input.media.blocks_max = 64;
    CHECK(test::read(test::sign(movie, Format::kMp4, input), Format::kMp4).trusted());
    // Signed again, and beside the file.
    CHECK(test::read(test::sign(file, Format::kMp4, input), Format::kMp4).trusted());
    CredentialSigner signer = test::signer();
    const auto beside = make_detached_credential(movie, Format::kMp4, input, signer).value();
    CHECK(names(beside.store, "fixedBlockSize"));
    CHECK(read_detached(beside.store, movie, Format::kMp4, test::trust_root()).trusted());
}

// Where a large file is written. It may fail, or keep other bytes than it was given.
class Output final : public HashingOutput {
public:
    enum class Fault : std::uint8_t { kNone, kWrite, kOverwrite, kRest };

    explicit Output(Fault fault) : fault_(fault) {}

    Result<WrittenFile> write_hashed(Bytes source, const Splice& splice, HashAlgorithm algorithm,
                                     std::vector<ByteRange> parts) override {
        if (fault_ == Fault::kWrite) {
            return Error{ErrorCode::kUnavailable, "no space left"};
        }
        file_ = apply_splice(source, splice);
        parts_ = parts;
        auto digests = FileView(file_).digests(algorithm, parts);
        return WrittenFile{
            .bytes = file_,
            .known = {
                .algorithm = algorithm, .parts = std::move(parts), .digests = std::move(digests)}};
    }
    Result<void> overwrite(std::uint64_t offset, Bytes bytes) override {
        if (fault_ == Fault::kOverwrite) {
            return Error{ErrorCode::kUnavailable, "no space left"};
        }
        for (const ByteRange& each : parts_) {
            CHECK((offset + bytes.size() <= each.offset || offset >= each.end()));
        }
        std::ranges::copy(bytes, file_.begin() + static_cast<std::ptrdiff_t>(offset));
        if (fault_ == Fault::kRest) {
            file_.back() ^= 1;  // in 'moov', which stands behind the media
        }
        return {};
    }

    const std::vector<ByteRange>& parts() const noexcept { return parts_; }

private:
    Fault fault_;
    Buffer file_;
    std::vector<ByteRange> parts_;
};

TEST_CASE("large media are written and hashed at once, and read no more" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    make_movie({dir.file("in.mp4")});
    const Buffer movie = read_file(dir.file("in.mp4"));
    CredentialInput input = test::input();
    CredentialSigner signer = test::signer();
    Output output(Output::Fault::kNone);
    input.output = &output;
    CHECK(!add_credential(movie, Format::kMp4, input, signer)->written);  // small media
    input.media.trees_from = 1U << 10U;
    input.media.block_bytes_min = 1U << 10U;
    const auto made = add_credential(movie, Format::kMp4, input, signer).value();
    REQUIRE(made.written);
    const Bytes file = made.written->bytes;
    CHECK(output.parts().size() > 20);
    const auto trust = test::trust_root();
    CHECK(read_credential(file, Format::kMp4, trust)->trusted());
    CHECK(read_credential(file, Format::kMp4, trust, {}, &made.written->known)->trusted());
    // The same file as without: only the signatures differ, which are random.
    input.output = nullptr;
    const Buffer usual = test::sign(movie, Format::kMp4, input);
    REQUIRE(usual.size() == file.size());
    CHECK(std::ranges::equal(Bytes(usual).last(movie.size() / 2), file.last(movie.size() / 2)));

    // Each hash is that of its own part, and of no other file.
    PartDigests wrong = made.written->known;
    wrong.digests[3][0] ^= 1;
    CHECK(!read_credential(file, Format::kMp4, trust, {}, &wrong)->intact());
    Buffer changed = to_buffer(file);
    changed[made.written->known.parts[3].offset] ^= 1;
    CHECK(!read_credential(changed, Format::kMp4, trust)->intact());

    Output full(Output::Fault::kWrite);
    Output late(Output::Fault::kOverwrite);
    input.media.trees_from = 1U << 10U;
    for (Output* each : {&full, &late}) {
        input.output = each;
        const auto failed = add_credential(movie, Format::kMp4, input, signer);
        REQUIRE(!failed.ok());
        CHECK(failed.error().what == "no space left");
    }
    Output faulty(Output::Fault::kRest);
    input.output = &faulty;
    const auto odd = add_credential(movie, Format::kMp4, input, signer).value();
    CHECK(!read_credential(odd.written->bytes, Format::kMp4, trust, {}, &odd.written->known)
               ->intact());
}

TEST_CASE("c2pa-rs trusts media in blocks and fragments in one file" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const auto now = test::FreshAuthority::make();
    make_movie({dir.file("in.mp4")});
    CredentialInput input = input_now();
    input.media.trees_from = 1U << 10U;
    input.media.block_bytes_min = 1U << 10U;
    write_file(dir.file("blocks.mp4"), sign_now(now, read_file(dir.file("in.mp4")), input));
    make_movie({"-movflags", "frag_keyframe+empty_moov+default_base_moof", dir.file("frag.mp4")});
    const Buffer fragments = read_file(dir.file("frag.mp4"));
    write_file(dir.file("leaves.mp4"), sign_now(now, fragments, input));
    input.media.row_hashes_max = 3;
    write_file(dir.file("proofs.mp4"), sign_now(now, fragments, input));
    ask_witness(now, dir, {dir.file("leaves.mp4"), dir.file("proofs.mp4")});
    // The newer of the two remarks on the entry for 'mdat' that A.5.6 wants, in its own files too.
    const std::string words = ask_witness(now, dir, {dir.file("blocks.mp4")}, false);
    CHECK(words ==
          "ok c2pa-node blocks.mp4 Trusted\n"
          "NOT c2pa-wasm blocks.mp4 Trusted assertion.bmffHash.additionalExclusionsPresent\n");
}

TEST_CASE("fragments in one file get a tree, a proof each, and tables that still point right") {
    const TempDir dir;
    // An index of segments and one of fragments, which count bytes.
    make_movie(
        {"-movflags", "frag_keyframe+default_base_moof+dash+global_sidx", dir.file("in.mp4")});
    const Buffer movie = read_file(dir.file("in.mp4"));
    REQUIRE(names(movie, "sidx"));
    const std::string before = packets(dir.file("in.mp4"));
    for (const std::size_t row : {std::size_t{256}, std::size_t{2}, std::size_t{1}}) {
        CAPTURE(row);
        CredentialInput input = test::input();
        input.media.row_hashes_max = row;
        const Buffer file = test::sign(movie, Format::kMp4, input);
        CHECK(names(file, "initHash"));
        CHECK(test::failures(test::read(file, Format::kMp4)) == "");
        CHECK(test::read(file, Format::kMp4).trusted());
        write_file(dir.file("out.mp4"), file);
        CHECK(packets(dir.file("out.mp4")) == before);
        check_changes(file, row, 200);
        // The references of 'sidx' lead from one 'moof' to the next.
        bmff::BoxReader boxes(file);
        std::uint64_t expected = 0;
        std::vector<std::uint32_t> sizes;
        while (const auto box = boxes.next().value()) {
            if (box->type == bmff::box_type("sidx")) {
                ByteReader reader(bmff::payload(file, *box), 0);
                const bool wide = bmff::read_full_box(reader).value().version != 0;
                REQUIRE(reader.skip(wide ? 16 : 12, "head").ok());
                expected = box->end() +
                           (wide ? reader.be64("first").value() : reader.be32("first").value());
                REQUIRE(reader.skip(2, "reserved").ok());
                const std::size_t count = reader.be16("count").value();
                for (std::size_t i = 0; i < count; ++i) {
                    sizes.push_back(reader.be32("size").value() & 0x7FFFFFFFU);
                    REQUIRE(reader.skip(8, "rest").ok());
                }
                REQUIRE(!sizes.empty());
            } else if (box->type == bmff::box_type("moof") && !sizes.empty()) {
                CHECK(box->offset == expected);
                expected += sizes.front();
                sizes.erase(sizes.begin());
            }
        }
        // Signed again: the old boxes go.
        const Buffer again = test::sign(file, Format::kMp4, input);
        CHECK(test::read(again, Format::kMp4).trusted());
        CHECK(again.size() == file.size());
    }
}

TEST_CASE("who passes a movie with trees on adds to its credential") {
    const TempDir dir;
    make_movie({dir.file("whole.mp4")});
    make_movie({"-movflags", "frag_keyframe+empty_moov+default_base_moof", dir.file("frag.mp4")});
    CredentialInput first = test::input();
    first.media.trees_from = 1U << 10U;
    first.media.block_bytes_min = 1U << 10U;
    first.media.row_hashes_max = 2;
    for (const std::string_view name : {"whole.mp4", "frag.mp4"}) {
        CAPTURE(name);
        const Buffer file = test::sign(read_file(dir.file(name)), Format::kMp4, first);
        REQUIRE(names(file, "merkle"));
        const CredentialReading reading = test::read(file, Format::kMp4);
        const CredentialInput passed = test::passing_on(reading, 2);
        CredentialSigner signer = test::signer();
        const auto updated = update_credential(file, Format::kMp4, passed, signer).value();
        REQUIRE(updated.has_value());
        const Buffer after = apply_splice(file, updated->splice);
        CHECK(test::failures(test::read(after, Format::kMp4)) == "");
        CHECK(test::read(after, Format::kMp4).trusted());
        CHECK(test::read(after, Format::kMp4).manifests == 2);
        check_changes(after, 5, 100);
    }
}

// A movie as DASH has it: the segments of its pictures, in their order.
struct Dash {
    Buffer init;
    std::vector<Buffer> fragments;

    static Dash make(const TempDir& dir) {
        make_movie({"-an", "-f", "dash", "-seg_duration", "1", dir.file("movie.mpd")});
        Dash dash{.init = read_file(dir.file("init-stream0.m4s")), .fragments = {}};
        for (int i = 1; std::filesystem::exists(dir.file(name(i))); ++i) {
            dash.fragments.push_back(read_file(dir.file(name(i))));
        }
        REQUIRE(dash.fragments.size() >= 4);
        return dash;
    }
    static std::string name(int i) { return "chunk-stream0-0000" + std::to_string(i) + ".m4s"; }
    FragmentedMovie movie() const {
        return {.init = init, .fragments = {fragments.begin(), fragments.end()}};
    }
    CredentialReading read(const Trust& trust = test::trust_root()) const {
        const std::vector<FileView> views(fragments.begin(), fragments.end());
        return read_fragmented_credential(init, views, Format::kMp4, trust).value();
    }
};

Dash sign(const Dash& dash, const CredentialInput& input, ClaimSigner& signer) {
    const auto made = add_fragmented_credential(dash.movie(), Format::kMp4, input, signer);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? std::string() : made.error().what));
    Dash out{.init = apply_splice(dash.init, made->init), .fragments = {}};
    for (std::size_t i = 0; i < dash.fragments.size(); ++i) {
        out.fragments.push_back(apply_splice(dash.fragments[i], made->fragments[i]));
    }
    return out;
}

CredentialInput with_row(std::size_t hashes) {
    CredentialInput input = test::input();
    input.media.row_hashes_max = hashes;
    return input;
}

constexpr std::string_view kMismatch = "assertion.bmffHash.mismatch";
constexpr std::string_view kMalformed = "assertion.bmffHash.malformed";

TEST_CASE("fragments in files of their own are signed and checked with their beginning") {
    const TempDir dir;
    const Dash source = Dash::make(dir);
    for (const std::size_t row : {std::size_t{256}, std::size_t{2}}) {
        CAPTURE(row);
        CredentialSigner signer = test::signer();
        const Dash dash = sign(source, with_row(row), signer);
        const CredentialReading reading = dash.read();
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        CHECK(test::failures(test::read(dash.init, Format::kMp4)) == kMismatch);
        CHECK(test::read(dash.init, Format::kMp4).needs_fragments);
        CHECK(!reading.needs_fragments);
        Buffer changed_init = dash.init;
        changed_init[changed_init.size() / 2] ^= 1U;  // in the store
        CHECK(!test::read(changed_init, Format::kMp4).needs_fragments);
        // In any order.
        Dash turned = dash;
        std::ranges::reverse(turned.fragments);
        CHECK(turned.read().trusted());
        // Signed again: the boxes that were there go.
        const Dash again = sign(dash, with_row(row), signer);
        CHECK(again.read().trusted());
        CHECK(again.fragments[0].size() == dash.fragments[0].size());

        SeededRandom random(row);
        for (int i = 0; i < 300; ++i) {
            Dash changed = dash;
            const std::size_t part =
                static_cast<std::size_t>(random.next().value()) % (changed.fragments.size() + 1);
            Buffer& file = part == 0 ? changed.init : changed.fragments[part - 1];
            const std::size_t at = static_cast<std::size_t>(random.next().value()) % file.size();
            if (part == 0 && is_uncovered(file, at)) {
                continue;
            }
            file[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
            const std::vector<FileView> views(changed.fragments.begin(), changed.fragments.end());
            const auto seen =
                read_fragmented_credential(changed.init, views, Format::kMp4, test::trust_root());
            CHECK_MESSAGE((!seen.ok() || !seen->intact()), "part ", part, " byte ", at);
        }
    }
}

TEST_CASE("fragments that are missing, doubled, foreign or hide something are noticed") {
    const TempDir dir;
    const Dash source = Dash::make(dir);
    CredentialSigner signer = test::signer();
    const Dash dash = sign(source, with_row(256), signer);
    const auto problem = [&](const std::function<void(Dash&)>& spoil) {
        Dash spoiled = dash;
        spoil(spoiled);
        const CredentialReading seen = spoiled.read();
        CHECK(!seen.intact());
        return test::failures(seen);
    };
    CHECK(problem([](Dash& each) { each.fragments.clear(); }) == kMismatch);
    CHECK(problem([](Dash& each) { each.fragments.erase(each.fragments.begin() + 1); }) ==
          kMismatch);
    CHECK(problem([](Dash& each) { each.fragments.back() = each.fragments.front(); }) == kMismatch);
    CHECK(problem([](Dash& each) { each.fragments.push_back(Buffer(each.fragments.front())); }) ==
          kMismatch);
    CHECK(problem([&](Dash& each) { each.fragments[2] = source.fragments[2]; }) == kMalformed);
    CHECK(problem([](Dash& each) { each.fragments[0].pop_back(); }) == kMismatch);
    CHECK(problem([](Dash& each) {
              append(each.fragments[0], each.fragments[1]);
              each.fragments[1] = each.fragments[2];
          }) == kMalformed);
    // Another box of C2PA, which no hash covers.
    const FoundStore found = find_carrier(Format::kMp4)->find(dash.init).value().value();
    CHECK(problem([&](Dash& each) {
              append(each.fragments[0],
                     Bytes(dash.init).subspan(static_cast<std::size_t>(found.ranges[0].offset),
                                              static_cast<std::size_t>(found.ranges[0].size)));
          }) == kMalformed);
    // Fragments beside a credential that is not about fragments.
    CredentialSigner other = test::signer();
    const auto whole = add_credential(source.init, Format::kMp4, test::input(), other).value();
    CHECK(problem([&](Dash& each) { each.init = apply_splice(source.init, whole.splice); }) ==
          kMismatch);
    Dash bare = dash;
    bare.init = source.init;
    CHECK(!bare.read().found);
}

TEST_CASE("fragments are refused that are out of order, are none, or begin with themselves") {
    const TempDir dir;
    const Dash source = Dash::make(dir);
    CredentialSigner signer = test::signer();
    const auto error = [&](const FragmentedMovie& movie, Format format = Format::kMp4) {
        const auto made = add_fragmented_credential(movie, format, test::input(), signer);
        REQUIRE(!made.ok());
        return made.error();
    };
    FragmentedMovie movie = source.movie();
    std::ranges::reverse(movie.fragments);
    CHECK(error(movie).code == ErrorCode::kInvalidArgument);
    movie.fragments.clear();
    CHECK(error(movie).code == ErrorCode::kInvalidArgument);
    movie.fragments = {source.init};
    CHECK(error(movie).code == ErrorCode::kUnsupported);
    movie = {.init = source.fragments[0], .fragments = {source.fragments[1]}};
    CHECK(error(movie).code == ErrorCode::kInvalidArgument);
    CHECK(error(source.movie(), Format::kPng).code == ErrorCode::kUnsupported);
    Buffer two = source.fragments[0];
    append(two, source.fragments[1]);
    movie = {.init = source.init, .fragments = {two}};
    CHECK(error(movie).code == ErrorCode::kUnsupported);
}

TEST_CASE("the WebAssembly of c2pa-rs trusts each fragment with its beginning" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const auto now = test::FreshAuthority::make();
    const Dash source = Dash::make(dir);
    write_file(dir.file("root.pem"), as_bytes(now.root.certificate_pem));
    for (const std::size_t row : {std::size_t{256}, std::size_t{2}}) {
        CredentialInput input = input_now();
        input.media.row_hashes_max = row;
        CredentialSigner signer = now.signer();
        Dash dash = sign(source, input, signer);
        std::vector<std::string> command{"timeout",
                                         "100",
                                         "node",
                                         COLOPHON_SOURCE_DIR "/tests/witness/fragments.mjs",
                                         COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                                         dir.file("root.pem"),
                                         dir.file("init.mp4")};
        write_file(dir.file("init.mp4"), dash.init);
        for (std::size_t i = 0; i < dash.fragments.size(); ++i) {
            command.push_back(dir.file("part" + std::to_string(i) + ".m4s"));
            write_file(command.back(), dash.fragments[i]);
        }
        const auto run = run_tool(command);
        CHECK_MESSAGE(run.exit_code == 0, run.out, run.err);
        // And it notices a change.
        dash.fragments[1].back() ^= 1U;
        write_file(dir.file("part1.m4s"), dash.fragments[1]);
        const auto changed = run_tool(command);
        CHECK_MESSAGE(changed.exit_code == 1, changed.out, changed.err);
    }
}

}  // namespace
}  // namespace colophon::label::provenance
