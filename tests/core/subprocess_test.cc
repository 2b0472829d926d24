// SPDX-License-Identifier: Apache-2.0
#include "core/subprocess.h"

#include "core/bytes.h"
#include "core/result.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace colophon {
namespace {

using std::chrono::milliseconds;

std::string run(std::vector<std::string> words, std::string_view input = {}) {
    const auto out = run_program(std::move(words), as_bytes(input), {.time = milliseconds(20'000)});
    return out.ok() ? std::string(as_text(*out)) : "error: " + out.error().what;
}

ErrorCode error_of(std::vector<std::string> words, const ProgramLimits& limits) {
    const auto out = run_program(std::move(words), Buffer(), limits);
    REQUIRE(!out.ok());
    return out.error().code;
}

TEST_CASE("bytes go to a program and its output comes back, more than a pipe holds both ways") {
    CHECK(run({"cat"}, "two words\n") == "two words\n");
    std::string large(1'000'000, 'a');
    for (std::size_t i = 0; i < large.size(); i += 7) {
        large[i] = static_cast<char>(i % 251);
    }
    CHECK(run({"cat"}, large) == large);
    CHECK(run({"printf", "%s", "a b;c"}) == "a b;c");
    CHECK(run({"true"}, large).empty());  // reads nothing, which is no error
    CHECK(as_text(*run_program({"sh", "-c", "printf %s \"$GREETING\""}, Buffer(),
                               {.variables = {"GREETING=hello"}})) == "hello");
}

TEST_CASE("a program that fails, hangs, is killed or prints without end is an error") {
    CHECK(error_of({"/nowhere/program"}, {}) == ErrorCode::kNotFound);
    CHECK(error_of({"false"}, {}) == ErrorCode::kUnavailable);
    CHECK(error_of({"sh", "-c", "kill -9 $$"}, {}) == ErrorCode::kUnavailable);
    CHECK(error_of({"yes"}, {.output_bytes = 100'000}) == ErrorCode::kLimit);
    CHECK(error_of({"sleep", "60"}, {.time = milliseconds(100)}) == ErrorCode::kLimit);
    // Closes its output, and does not end.
    CHECK(error_of({"sh", "-c", "exec >&-; sleep 60"}, {.time = milliseconds(200)}) ==
          ErrorCode::kLimit);
}

TEST_CASE("nothing of ours is open in another program") {
    // ls itself opens the folder that it lists.
    CHECK(run({"sh", "-c", "ls /proc/self/fd | wc -l"}) == "4\n");
}

}  // namespace
}  // namespace colophon
