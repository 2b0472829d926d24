// SPDX-License-Identifier: Apache-2.0
#pragma once

// Several threads for one call, which returns when all of the work is done.

#include <cstddef>
#include <functional>

namespace colophon {

// Calls work(i) once for each i below `count`, from at most `threads` threads at a time (1: from
// the caller's alone), of which the caller's is one; in any order. Where the system gives no more
// threads, fewer do the work. `work` must not throw.
void parallel_for(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t)>& work);

// How many threads are worth having: as many as processors, at most `most`.
std::size_t useful_threads(std::size_t most) noexcept;

}  // namespace colophon
