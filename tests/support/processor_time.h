// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a piece of work costs: a promise of a second must not fail because others use the machine.

#include <chrono>
#include <ctime>

namespace colophon::test {

class ProcessorTime {
public:
    // Of all threads of this process since this object was made.
    std::chrono::duration<double> spent() const {
        return std::chrono::duration<double>(static_cast<double>(std::clock() - start_) /
                                             CLOCKS_PER_SEC);
    }

private:
    std::clock_t start_ = std::clock();
};

}  // namespace colophon::test
