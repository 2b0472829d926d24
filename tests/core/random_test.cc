// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include "core/bytes.h"
#include "core/result.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>

namespace colophon {
namespace {

TEST_CASE("the seeded generator is SplitMix64 as published") {
    // First outputs for the seed 1234567, from the authors' reference program.
    SeededRandom random(1234567);
    CHECK(random.next().value() == 6457827717110365317ULL);
    CHECK(random.next().value() == 3203168211198807973ULL);
    CHECK(random.next().value() == 9817491932198370423ULL);
}

TEST_CASE("the same seed gives the same bytes, another seed gives others") {
    Buffer a(1000);
    Buffer b(1000);
    Buffer c(1000);
    REQUIRE(SeededRandom(5).fill(a).ok());
    REQUIRE(SeededRandom(5).fill(b).ok());
    REQUIRE(SeededRandom(6).fill(c).ok());
    CHECK(a == b);
    CHECK(a != c);
}

TEST_CASE("the system's generator fills spans of every size and does not repeat") {
    SystemRandom random;
    CHECK(random.fill({}).ok());
    for (const std::size_t size : {1U, 7U, 256U, 257U, 100000U}) {
        Buffer bytes(size + 2, 0xAA);
        REQUIRE(random.fill(std::span(bytes).subspan(1, size)).ok());
        CHECK(bytes.front() == 0xAA);
        CHECK(bytes.back() == 0xAA);
        if (size >= 256) {
            // All bytes alike would happen once in 256^255 runs.
            CHECK(std::adjacent_find(bytes.begin() + 1, bytes.end() - 1, std::not_equal_to<>()) !=
                  bytes.end() - 1);
        }
    }
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(random.next().value());
    }
    CHECK(seen.size() == 1000);
}

// What a thread has ahead of its callers must not be in two processes.
TEST_CASE("a child of a fork is given other bytes than its parent") {
    SystemRandom random;
    REQUIRE(random.next().ok());  // some are ahead now
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const auto next = random.next();
        const std::uint64_t own = next.ok() ? *next : 0;
        const bool told = write(ends[1], &own, sizeof(own)) == sizeof(own);
        _exit(told ? 0 : 1);
    }
    std::uint64_t theirs = 0;
    REQUIRE(read(ends[0], &theirs, sizeof(theirs)) == sizeof(theirs));
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    close(ends[0]);
    close(ends[1]);
    CHECK(theirs != 0);
    std::set<std::uint64_t> ours;
    for (int i = 0; i < 1000; ++i) {  // more than a thread has ahead
        ours.insert(random.next().value());
    }
    CHECK(ours.size() == 1000);
    CHECK_FALSE(ours.contains(theirs));
}

TEST_CASE("a generator without randomness is an error, not a zero") {
    class Empty final : public Random {
    public:
        Result<void> fill(std::span<std::uint8_t>) override {
            return Error{ErrorCode::kUnavailable, "none"};
        }
    };
    Empty empty;
    CHECK(empty.next().error().code == ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace colophon
