// SPDX-License-Identifier: Apache-2.0
#pragma once

// Many files on several workers at once, reported in their order. A bad file never stops the rest.

#include "cli/exit_code.h"
#include "cli/files.h"
#include "worker/client.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace colophon::cli {

struct Outcome {
    ExitCode code = ExitCode::kGood;
    std::string out;  // for standard output
    std::string err;  // for standard error
};

struct BatchOptions {
    std::size_t jobs = 1;
    bool progress = true;
    bool tally = true;  // one line at the end that counts, when there are several files
    worker::WorkerOptions worker;
};

// Runs `work` once for each input; calls run concurrently, each with a worker of its own. Prints
// the outcomes in order and returns the worst code. Ends early only when standard output is gone.
ExitCode run_batch(const std::vector<Input>& inputs, const BatchOptions& options,
                   const std::function<Outcome(worker::Worker&, const Input&)>& work);

}  // namespace colophon::cli
