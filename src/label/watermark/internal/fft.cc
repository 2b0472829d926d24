// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/fft.h"

#include "core/assert.h"

#include <fftw3.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

namespace colophon::label::internal {
namespace {

// Planning is the one part of FFTW that may not run twice at a time.
std::mutex& planning() {
    static std::mutex mutex;
    return mutex;
}

struct PlanDeleter {
    void operator()(fftwf_plan plan) const {
        const std::scoped_lock lock(planning());
        fftwf_destroy_plan(plan);
    }
};
using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, PlanDeleter>;

fftwf_complex* as_fftw(std::vector<Complex>& values) {
    return reinterpret_cast<fftwf_complex*>(values.data());
}

void run(const Plan& plan) {
    COLOPHON_ASSERT(plan != nullptr);
    fftwf_execute(plan.get());
}

std::size_t half_size(int width, int height) {
    return (static_cast<std::size_t>(width) / 2 + 1) * static_cast<std::size_t>(height);
}

}  // namespace

int fast_size(int least) {
    for (int size = least + least % 2;; size += 2) {
        int rest = size;
        for (const int prime : {2, 3, 5}) {
            while (rest % prime == 0) {
                rest /= prime;
            }
        }
        if (rest == 1) {
            return size;
        }
    }
}

std::vector<Complex> transform(const std::vector<float>& real, int width, int height) {
    std::vector<Complex> half(half_size(width, height));
    Plan plan;
    {
        const std::scoped_lock lock(planning());
        // FFTW takes no const input, and leaves it alone all the same.
        // NOLINTBEGIN(cppcoreguidelines-pro-type-const-cast)
        plan.reset(fftwf_plan_dft_r2c_2d(height, width, const_cast<float*>(real.data()),
                                         as_fftw(half), FFTW_ESTIMATE | FFTW_PRESERVE_INPUT));
        // NOLINTEND(cppcoreguidelines-pro-type-const-cast)
    }
    run(plan);
    return half;
}

std::vector<float> transform_back(std::vector<Complex>& half, int width, int height) {
    COLOPHON_ASSERT(half.size() == half_size(width, height));
    std::vector<float> real(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    Plan plan;
    {
        const std::scoped_lock lock(planning());
        plan.reset(fftwf_plan_dft_c2r_2d(height, width, as_fftw(half), real.data(), FFTW_ESTIMATE));
    }
    run(plan);
    return real;
}

void transform_back_square(std::vector<Complex>& values, int size) {
    COLOPHON_ASSERT(values.size() ==
                    static_cast<std::size_t>(size) * static_cast<std::size_t>(size));
    Plan plan;
    {
        const std::scoped_lock lock(planning());
        plan.reset(fftwf_plan_dft_2d(size, size, as_fftw(values), as_fftw(values), FFTW_BACKWARD,
                                     FFTW_ESTIMATE));
    }
    run(plan);
}

}  // namespace colophon::label::internal
