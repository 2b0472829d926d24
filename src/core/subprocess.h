// SPDX-License-Identifier: Apache-2.0
#pragma once

// Another program as a function: bytes to its standard input, its standard output back. No shell is
// in between. What it says on standard error is dropped; nothing of ours is open in it.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace colophon {

struct ProgramLimits {
    std::chrono::milliseconds time{10'000};
    std::size_t output_bytes = 1U << 20U;
    std::vector<std::string> variables = {};  // "NAME=value", beside those of this process
};

// `words`: the program, looked for along PATH, and its arguments. kNotFound: it does not start;
// kUnavailable: it ended with another status than 0, or was killed; kLimit: it took longer than the
// limit, and was killed, or printed more. A program that does not read its input is none of these.
Result<Buffer> run_program(std::vector<std::string> words, Bytes input,
                           const ProgramLimits& limits);

}  // namespace colophon
