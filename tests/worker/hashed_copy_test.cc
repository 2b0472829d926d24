// SPDX-License-Identifier: Apache-2.0
#include "worker/hashed_copy.h"

#include "core/bytes.h"
#include "core/random.h"
#include "core/splice.h"
#include "label/provenance/hashing.h"
#include "support/tools.h"
#include "worker/channel.h"
#include "worker/mapping.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::worker {
namespace {

using label::provenance::ByteRange;
using label::provenance::HashAlgorithm;

// Ranges in order and apart; some empty, some next to each other.
std::vector<ByteRange> random_parts(SeededRandom& random, std::uint64_t size) {
    std::vector<ByteRange> parts;
    std::uint64_t at = 0;
    while (parts.size() < 20) {
        at += random.next().value() % 3 == 0 ? 0 : random.next().value() % 200'000;
        const std::uint64_t length = random.next().value() % 600'000;
        if (at + length > size) {
            break;
        }
        parts.push_back({.offset = at, .size = length});
        at += length;
    }
    return parts;
}

TEST_CASE("a file is written like any splice, and its parts are hashed") {
    const test::TempDir dir;
    Buffer source(3U << 20U);
    SeededRandom random(12);
    REQUIRE(random.fill(source).ok());
    test::write_file(dir.file("in"), source);
    const Fd in(open(dir.file("in").c_str(), O_RDONLY));
    const Mapping mapping = Mapping::create(in.get()).value();
    for (int round = 0; round < 30; ++round) {
        CAPTURE(round);
        Splice splice;
        for (int piece = 0; piece < 8; ++piece) {
            const std::uint64_t offset = random.next().value() % source.size();
            const std::uint64_t most = source.size() - offset;
            splice.copy(offset, random.next().value() % most);
            splice.insert(to_buffer(std::string(random.next().value() % 300, 'x')));
        }
        const Buffer wanted = apply_splice(source, splice);
        const std::vector<ByteRange> parts = random_parts(random, wanted.size());
        // A longer file, of which nothing is left.
        test::write_file(dir.file("out"), Buffer(wanted.size() + 1000, 0xEE));
        const Fd out(open(dir.file("out").c_str(), O_RDWR));
        const auto digests =
            write_splice_hashed(mapping.bytes(), splice, HashAlgorithm::kSha256, parts, out.get());
        REQUIRE(digests.ok());
        CHECK(test::read_file(dir.file("out")) == wanted);
        REQUIRE(digests->size() == parts.size());
        for (std::size_t i = 0; i < parts.size(); ++i) {
            CHECK((*digests)[i] ==
                  label::provenance::hash(HashAlgorithm::kSha256,
                                          slice(wanted, parts[i].offset, parts[i].size).value()));
        }
    }
}

TEST_CASE("what cannot be written or read back is an error with the system's reason") {
    const test::TempDir dir;
    test::write_file(dir.file("in"), Buffer(3U << 20U, 7));
    const Fd in(open(dir.file("in").c_str(), O_RDONLY));
    const Mapping mapping = Mapping::create(in.get()).value();
    Splice splice;
    splice.copy(0, 3U << 20U);
    const std::vector<ByteRange> parts{{.offset = 0, .size = 1U << 20U},
                                       {.offset = 1U << 20U, .size = 2U << 20U}};
    const auto fails = [&](const std::string& path, int flags) {
        const Fd out(open(path.c_str(), flags, 0600));
        const auto digests =
            write_splice_hashed(mapping.bytes(), splice, HashAlgorithm::kSha256, parts, out.get());
        REQUIRE(!digests.ok());
        CHECK(digests.error().code == ErrorCode::kUnavailable);
        return digests.error().what;
    };
    CHECK(fails("/dev/full", O_RDWR).find("cannot") == 0);
    CHECK(fails(dir.file("unreadable"), O_WRONLY | O_CREAT) ==
          "cannot read what was written: Bad file descriptor");
    CHECK(fails(dir.file("in"), O_RDONLY).find("cannot") == 0);
}

}  // namespace
}  // namespace colophon::worker
