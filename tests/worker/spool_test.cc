// SPDX-License-Identifier: Apache-2.0
#include "worker/spool.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace colophon::worker {
namespace {

bool in_memory(const SpooledFile& file) {
    struct statfs facts{};
    REQUIRE(::fstatfs(file.descriptor(), &facts) == 0);
    return facts.f_type == TMPFS_MAGIC;
}

Buffer numbers(std::size_t count) {
    Buffer all(count);
    for (std::size_t i = 0; i < count; ++i) {
        all[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    }
    return all;
}

}  // namespace

TEST_CASE("a spooled file has what was put into it, in memory and on the disk") {
    const test::TempDir dir;
    const auto spool =
        Spool::create({.folder = dir.file(""), .bytes_max = 100'000, .memory_bytes_max = 10'000});
    REQUIRE(spool.ok());
    const Buffer all = numbers(50'000);
    auto file = spool->file();
    REQUIRE(file.ok());
    for (std::size_t at = 0; at < all.size(); at += 1000) {
        REQUIRE(file->append(Bytes(all).subspan(at, 1000)).ok());
        CHECK(file->size() == at + 1000);
        // The first test runs everywhere; the second where the folder is no memory itself.
        if (at + 1000 <= 10'000) {
            CHECK(in_memory(*file));
        }
    }
    CHECK(*file->content() == all);
    CHECK(*file->sha256() == sha256(all));
    CHECK(spool->held() == 50'000);
    std::array<std::uint8_t, 100> part{};
    CHECK(*file->read(49'950, part) == 50);
    CHECK(part[49] == all.back());
    CHECK(*file->read(60'000, part) == 0);
    // Nothing of it has a name.
    CHECK(std::filesystem::is_empty(dir.file("")));
    const auto large = spool->file(10'001);
    const auto held = spool->hold(Bytes(all).first(10'001));
    REQUIRE(large.ok());
    REQUIRE(held.ok());
    CHECK(in_memory(*large) == in_memory(*file));
    CHECK(in_memory(*held) == in_memory(*file));
    const auto free = SpooledFile::of(all);
    REQUIRE(free.ok());
    CHECK(in_memory(*free));
    CHECK(*free->content() == all);
    CHECK(spool->held() == 60'001);
}

TEST_CASE("a spool takes no more than it may, and has room again when files are let go") {
    const test::TempDir dir;
    const auto spool =
        Spool::create({.folder = dir.file(""), .bytes_max = 1000, .memory_bytes_max = 100});
    REQUIRE(spool.ok());
    const Buffer all = numbers(600);
    {
        auto one = spool->hold(all);
        auto two = spool->file();
        REQUIRE(one.ok());
        REQUIRE(two.ok());
        CHECK(two->append(all).error().code == ErrorCode::kLimit);
        CHECK(two->size() == 0);
        CHECK(two->append(Bytes(all).first(400)).ok());
        CHECK(spool->hold(Bytes(all).first(1)).error().code == ErrorCode::kLimit);
        SpooledFile moved = std::move(*one);
        CHECK(spool->held() == 1000);
        moved = std::move(*two);
        CHECK(spool->held() == 400);
        CHECK(*moved.content() == Buffer(all.begin(), all.begin() + 400));
    }
    CHECK(spool->held() == 0);
    CHECK(spool->hold(all).ok());
}

TEST_CASE("what others wrote into a spooled file counts") {
    const test::TempDir dir;
    const auto spool = Spool::create({.folder = dir.file(""), .bytes_max = 1000});
    REQUIRE(spool.ok());
    auto file = spool->file();
    REQUIRE(file.ok());
    REQUIRE(::pwrite(file->descriptor(), "words", 5, 0) == 5);
    REQUIRE(file->settle().ok());
    CHECK(as_text(*file->content()) == "words");
    CHECK(spool->held() == 5);
    REQUIRE(::ftruncate(file->descriptor(), 2) == 0);
    CHECK(file->content().error().code == ErrorCode::kUnavailable);
    CHECK(file->sha256().error().code == ErrorCode::kUnavailable);
    REQUIRE(file->settle().ok());
    CHECK(as_text(*file->content()) == "wo");
    CHECK(spool->held() == 2);
}

TEST_CASE("a folder in which no file can be made is no place for a spool") {
    const test::TempDir dir;
    const auto none = Spool::create({.folder = dir.file("none")});
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().code == ErrorCode::kInvalidArgument);
    CHECK(none.error().what.find(dir.file("none")) != std::string::npos);
    test::write_file(dir.file("file"), {});
    CHECK_FALSE(Spool::create({.folder = dir.file("file")}).ok());
}

}  // namespace colophon::worker
