// SPDX-License-Identifier: Apache-2.0
#include "worker/mapping.h"

#include "core/bytes.h"
#include "core/random.h"
#include "core/splice.h"
#include "support/tools.h"
#include "worker/channel.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdint>
#include <string>
#include <utility>

namespace colophon::worker {
namespace {

TEST_CASE("a splice written to a file is the splice applied in memory") {
    const test::TempDir dir;
    Buffer source(3U << 20U);
    SeededRandom random(11);
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
        const Fd out(open(dir.file("out").c_str(), O_RDWR | O_CREAT, 0600));
        REQUIRE(write_splice(in.get(), mapping.bytes(), splice, out.get()).ok());
        CHECK(test::read_file(dir.file("out")) == apply_splice(source, splice));
    }
}

TEST_CASE("an empty file maps to nothing and a folder does not map at all") {
    const test::TempDir dir;
    test::write_file(dir.file("empty"), {});
    const Fd empty(open(dir.file("empty").c_str(), O_RDONLY));
    CHECK(Mapping::create(empty.get()).value().bytes().empty());
    const Fd folder(open(dir.path().c_str(), O_RDONLY | O_DIRECTORY));
    const auto mapped = Mapping::create(folder.get());
    REQUIRE(!mapped.ok());
    CHECK(mapped.error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a full disk is an error with the system's reason") {
    const Fd full(open("/dev/full", O_WRONLY));
    Splice splice;
    splice.insert(as_bytes("label"));
    const auto written = write_splice(-1, {}, splice, full.get());
    REQUIRE(!written.ok());
    CHECK(written.error().code == ErrorCode::kUnavailable);
    CHECK(written.error().what.find("No space left") != std::string::npos);
}

}  // namespace
}  // namespace colophon::worker
