// SPDX-License-Identifier: Apache-2.0
// Merkle trees of ISO media: of media in pieces as c2pa-rs writes them, and of fragments in one
// file.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "label/container/bmff_boxes.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/bound.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/merkle_check.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::read_file;
using colophon::test::run_tool_ok;
using colophon::test::TempDir;
using colophon::test::write_file;
using internal::BmffHasher;
using internal::kC2paUuid;
using internal::merkle_rows;

constexpr HashAlgorithm kSha256 = HashAlgorithm::kSha256;

void make_movie(const TempDir& dir, const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> command{
        "ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:d=4",
        "-c:v",   "libx264",  "-g",        "10",    "-an"};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back(dir.file(name));
    run_tool_ok(command);
}

TEST_CASE("a node without a neighbour is taken over, and the others are hashed in pairs") {
    const Buffer a = hash(kSha256, as_bytes("a"));
    const Buffer b = hash(kSha256, as_bytes("b"));
    const Buffer c = hash(kSha256, as_bytes("c"));
    const auto pair = [](const Buffer& left, const Buffer& right) {
        Buffer both = left;
        append(both, right);
        return hash(kSha256, both);
    };
    const auto rows = merkle_rows(kSha256, {a, b, c});
    REQUIRE(rows.size() == 3);
    CHECK(rows[1] == std::vector<Buffer>{pair(a, b), c});
    CHECK(rows[2] == std::vector<Buffer>{pair(pair(a, b), c)});
    CHECK(merkle_rows(kSha256, {a}).size() == 1);
}

TEST_CASE("media in pieces are checked as c2pa-rs signs them" *
          doctest::test_suite("slow pictures")) {
    const TempDir dir;
    const auto authority = test::FreshAuthority::make();
    write_file(dir.file("key.pem"), as_bytes(authority.leaf.key_pem));
    write_file(dir.file("cert.pem"), as_bytes(authority.leaf.certificate_pem));
    const Trust trust = authority.trust();
    make_movie(dir, "in.mp4", {});
    // All leaves in the manifest, and a row above them with proofs in the file.
    for (const std::string_view settings :
         {R"({"core":{"merkle_tree_chunk_size_in_kb":4}})",
          R"({"core":{"merkle_tree_chunk_size_in_kb":1,"merkle_tree_max_proofs":3}})"}) {
        CAPTURE(settings);
        run_tool_ok({"timeout", "60", "node", COLOPHON_SOURCE_DIR "/tests/witness/sign.mjs",
                     COLOPHON_SOURCE_DIR "/build/witness/node_modules", dir.file("key.pem"),
                     dir.file("cert.pem"), std::string(settings), dir.file("in.mp4"),
                     dir.file("out.mp4")});
        const Buffer file = read_file(dir.file("out.mp4"));
        CHECK(as_text(file).find("merkle") != std::string_view::npos);
        const CredentialReading reading = read_credential(file, Format::kMp4, trust).value();
        CHECK(test::failures(reading) == "");
        CHECK(reading.trusted());
        bmff::BoxReader boxes(file);
        while (const auto box = boxes.next().value()) {
            // A byte of each box, proofs included, but of the type of the file.
            if (box->type == bmff::box_type("ftyp")) {
                continue;
            }
            for (const std::uint64_t part : {std::uint64_t{1}, std::uint64_t{2}}) {
                Buffer changed = file;
                changed[static_cast<std::size_t>(box->offset + box->size * part / 3)] ^= 0x10U;
                const auto seen = read_credential(changed, Format::kMp4, trust);
                CHECK_MESSAGE((!seen.ok() || !seen->intact()), bmff::type_name(box->type), " at ",
                              box->offset);
            }
        }
    }
}

// The box before a fragment.
Buffer proof_box(std::uint64_t location, const std::vector<Buffer>& hashes) {
    cbor::Map map{{"uniqueId", 1}, {"localId", 1}, {"location", location}};
    if (!hashes.empty()) {
        map.emplace_back("hashes", cbor::Array(hashes.begin(), hashes.end()));
    }
    Buffer payload = to_buffer(Bytes(kC2paUuid));
    append_be32(payload, 0);
    append(payload, std::string_view("merkle\0", 7));
    append(payload, cbor::encode(map));
    Buffer box;
    bmff::append_box(box, bmff::box_type("uuid"), payload);
    return box;
}

// A movie in fragments with a proof before each.
Buffer with_proofs(Bytes movie, const std::function<Buffer(std::size_t)>& proof) {
    Buffer out;
    bmff::BoxReader boxes(movie);
    std::size_t fragments = 0;
    while (const auto box = boxes.next().value()) {
        if (box->type == bmff::box_type("moof")) {
            append(out, proof(fragments++));
        }
        append(out, movie.subspan(static_cast<std::size_t>(box->offset),
                                  static_cast<std::size_t>(box->size)));
    }
    return out;
}

struct Leaves {
    Buffer init;
    std::vector<Buffer> leaves;
};
Leaves leaves_of(Bytes file) {
    const FileView view(file);
    const auto hasher =
        BmffHasher::create(view, internal::standard_bmff_exclusions(), true).value();
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < hasher.boxes().size(); ++i) {
        if (hasher.boxes()[i].type == "moof") {
            starts.push_back(i);
        }
    }
    Leaves out{.init = hasher.some(kSha256, 0, starts.front()), .leaves = {}};
    starts.push_back(hasher.boxes().size());
    for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
        out.leaves.push_back(hasher.some(kSha256, starts[i], starts[i + 1]));
    }
    return out;
}

// The assertion with the row of so many levels above the leaves.
test::MakeBinding tree(std::size_t level) {
    return [level](Bytes file, const std::vector<ByteRange>&) -> cbor::Value {
        const Leaves found = leaves_of(file);
        const auto rows = merkle_rows(kSha256, found.leaves);
        const std::vector<Buffer>& row = rows.at(level);
        return cbor::Map{
            {"exclusions", internal::write_bmff_exclusions(internal::standard_bmff_exclusions())},
            {"alg", "sha256"},
            {"merkle", cbor::Array{cbor::Map{{"uniqueId", 1},
                                             {"localId", 1},
                                             {"count", std::uint64_t{found.leaves.size()}},
                                             {"initHash", found.init},
                                             {"hashes", cbor::Array(row.begin(), row.end())}}}}};
    };
}

using Proofs = std::function<Buffer(std::size_t)>;

// With these proofs, which are not there when the store is placed: whoever writes one box of C2PA
// takes all others out.
Buffer sign_tree(Bytes movie, const Proofs& proofs, std::size_t level) {
    CredentialSigner by = test::signer();
    const test::PlaceStore place = [&](Bytes store) {
        test::PlacedStore placed = test::usual_place(movie, Format::kMp4)(store);
        placed.file = with_proofs(placed.file, proofs);
        return placed;
    };
    return test::sign_bound(place, Format::kMp4, "c2pa.hash.bmff.v3", tree(level), by);
}

Buffer no_path(std::size_t fragment) {
    return proof_box(fragment, {});
}

TEST_CASE("fragments in one file are checked by their trees, whichever row is signed") {
    const TempDir dir;
    make_movie(dir, "in.mp4",
               {"-movflags", "frag_keyframe+empty_moov+default_base_moof+skip_trailer"});
    const Buffer movie = read_file(dir.file("in.mp4"));
    const std::size_t count = leaves_of(movie).leaves.size();
    REQUIRE(count > 4);
    const Buffer file = sign_tree(movie, no_path, 0);
    CHECK(test::failures(test::read(file, Format::kMp4)) == "");
    CHECK(test::read(file, Format::kMp4).trusted());

    // Two rows up: each leaf comes with what leads there. Where things lie is known after a first
    // round with zeros.
    const auto proofs_of = [&](Bytes signed_file) {
        const auto rows = merkle_rows(kSha256, leaves_of(signed_file).leaves);
        return [rows](std::size_t i) {
            std::vector<Buffer> hashes;
            for (std::size_t level = 0, at = i; level < 2; ++level, at /= 2) {
                if ((at ^ 1U) < rows[level].size()) {
                    hashes.push_back(rows[level][at ^ 1U]);
                }
            }
            return proof_box(i, hashes);
        };
    };
    const Buffer first = sign_tree(movie, proofs_of(file), 2);
    const Buffer above = sign_tree(movie, proofs_of(first), 2);
    CHECK(test::failures(test::read(above, Format::kMp4)) == "");
    CHECK(test::read(above, Format::kMp4).trusted());
    // Proofs of another tree, and none at all.
    CHECK(test::failures(test::read(first, Format::kMp4)) == "assertion.bmffHash.mismatch");
    CHECK(test::failures(test::read(sign_tree(movie, no_path, 2), Format::kMp4)) ==
          "assertion.bmffHash.mismatch");
    CHECK(test::failures(test::read(sign_tree(
                                        movie, [](std::size_t) { return Buffer(); }, 0),
                                    Format::kMp4)) == "assertion.bmffHash.malformed");

    SeededRandom random(3);
    for (const Buffer& each : {file, above}) {
        const FoundStore found = find_carrier(Format::kMp4)->find(each).value().value();
        for (int i = 0; i < 200; ++i) {
            const auto at = static_cast<std::size_t>(random.next().value() % each.size());
            if (at < found.ranges.front().offset) {
                continue;  // the type of the file
            }
            Buffer changed = each;
            changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
            const auto seen = read_credential(changed, Format::kMp4, test::trust_root());
            CHECK_MESSAGE((!seen.ok() || !seen->found || !seen->intact()), "byte ", at);
        }
    }
}

TEST_CASE("fragments that are gone, doubled or in another order are noticed") {
    const TempDir dir;
    make_movie(dir, "in.mp4",
               {"-movflags", "frag_keyframe+empty_moov+default_base_moof+skip_trailer"});
    const Buffer file = sign_tree(read_file(dir.file("in.mp4")), no_path, 0);
    // Each fragment with the proof before it.
    Buffer head;
    std::vector<Buffer> fragments;
    bmff::BoxReader boxes(file);
    while (const auto box = boxes.next().value()) {
        const Bytes whole = Bytes(file).subspan(static_cast<std::size_t>(box->offset),
                                                static_cast<std::size_t>(box->size));
        const bool proof = box->type == bmff::box_type("uuid") &&
                           as_text(whole).find("merkle") != std::string_view::npos &&
                           whole.size() < 200;
        if (proof) {
            fragments.emplace_back();
        }
        append(fragments.empty() ? head : fragments.back(), whole);
    }
    REQUIRE(fragments.size() > 3);
    const auto joined = [&](const std::vector<std::size_t>& order) {
        Buffer out = head;
        for (const std::size_t each : order) {
            append(out, fragments[each]);
        }
        return out;
    };
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < fragments.size(); ++i) {
        order.push_back(i);
    }
    CHECK(joined(order) == file);
    std::vector<std::size_t> swapped = order;
    std::swap(swapped[1], swapped[2]);
    std::vector<std::size_t> shorter = order;
    shorter.pop_back();
    std::vector<std::size_t> longer = order;
    longer.push_back(0);
    for (const auto& each : {swapped, shorter, longer}) {
        CHECK(!test::read(joined(each), Format::kMp4).intact());
    }
}

}  // namespace
}  // namespace colophon::label::provenance
