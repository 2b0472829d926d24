// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <system_error>
#include <thread>
#include <vector>

namespace colophon {

void parallel_for(std::size_t count, std::size_t threads,
                  const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    const auto some = [&] {
        for (std::size_t i = next++; i < count; i = next++) {
            work(i);
        }
    };
    std::vector<std::jthread> others;
    others.reserve(std::min(threads, count));
    for (std::size_t i = 1; i < std::min(threads, count); ++i) {
        try {
            others.emplace_back(some);
        } catch (const std::system_error&) {
            break;
        }
    }
    some();
}

std::size_t useful_threads(std::size_t most) noexcept {
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                   std::max<std::size_t>(most, 1));
}

}  // namespace colophon
