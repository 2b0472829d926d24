// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/fft.h"

#include "core/assert.h"

#include <fftw3.h>

#include <array>
#include <cstddef>
#include <functional>
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

std::vector<float> transform_back(std::vector<Complex>& half, int width, int height) {
    COLOPHON_ASSERT(half.size() == half_size(width, height));
    std::vector<float> real(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    // Tiles of one size are transformed over and over.
    thread_local Plan plan;
    thread_local std::array<int, 2> planned_for{};
    const bool aligned = fftwf_alignment_of(real.data()) == 0 &&
                         fftwf_alignment_of(reinterpret_cast<float*>(half.data())) == 0;
    if (planned_for != std::array{width, height} || !aligned) {
        plan.reset();
        const std::scoped_lock lock(planning());
        plan.reset(fftwf_plan_dft_c2r_2d(height, width, as_fftw(half), real.data(), FFTW_ESTIMATE));
        planned_for = aligned ? std::array{width, height} : std::array{0, 0};
    }
    COLOPHON_ASSERT(plan != nullptr);
    fftwf_execute_dft_c2r(plan.get(), as_fftw(half), real.data());
    return real;
}

namespace {

template <class Make>
Plan planned(const Make& make) {
    const std::scoped_lock lock(planning());
    return Plan(make());
}

}  // namespace

void transform_rows(int length, int rows, const std::function<void(int row, float* values)>& fill,
                    const std::function<void(int row, const Complex* half)>& drain) {
    std::vector<float> values(static_cast<std::size_t>(length));
    std::vector<Complex> half(static_cast<std::size_t>(length) / 2 + 1);
    const Plan plan = planned(
        [&] { return fftwf_plan_dft_r2c_1d(length, values.data(), as_fftw(half), FFTW_ESTIMATE); });
    for (int row = 0; row < rows; ++row) {
        fill(row, values.data());
        run(plan);
        drain(row, half.data());
    }
}

void transform_rows_back(int length, int rows,
                         const std::function<void(int row, Complex* half)>& fill,
                         const std::function<void(int row, const float* values)>& drain) {
    std::vector<Complex> half(static_cast<std::size_t>(length) / 2 + 1);
    std::vector<float> values(static_cast<std::size_t>(length));
    const Plan plan = planned(
        [&] { return fftwf_plan_dft_c2r_1d(length, as_fftw(half), values.data(), FFTW_ESTIMATE); });
    for (int row = 0; row < rows; ++row) {
        fill(row, half.data());
        run(plan);
        drain(row, values.data());
    }
}

void transform_columns(int length, int columns,
                       const std::function<void(int first, Complex* values)>& fill,
                       const std::function<void(int first, const Complex* values)>& drain) {
    std::vector<Complex> values(static_cast<std::size_t>(length) * kColumnsAtOnce);
    const Plan plan = planned([&] {
        return fftwf_plan_many_dft(1, &length, kColumnsAtOnce, as_fftw(values), nullptr,
                                   kColumnsAtOnce, 1, as_fftw(values), nullptr, kColumnsAtOnce, 1,
                                   FFTW_FORWARD, FFTW_ESTIMATE);
    });
    for (int first = 0; first < columns; first += kColumnsAtOnce) {
        fill(first, values.data());
        run(plan);
        drain(first, values.data());
    }
}

void transform_real_columns(int length, int columns,
                            const std::function<void(int first, float* values)>& fill,
                            const std::function<void(int first, const Complex* half)>& drain) {
    std::vector<float> values(static_cast<std::size_t>(length) * kColumnsAtOnce);
    std::vector<Complex> half((static_cast<std::size_t>(length) / 2 + 1) * kColumnsAtOnce);
    const Plan plan = planned([&] {
        return fftwf_plan_many_dft_r2c(1, &length, kColumnsAtOnce, values.data(), nullptr,
                                       kColumnsAtOnce, 1, as_fftw(half), nullptr, kColumnsAtOnce, 1,
                                       FFTW_ESTIMATE);
    });
    for (int first = 0; first < columns; first += kColumnsAtOnce) {
        fill(first, values.data());
        run(plan);
        drain(first, half.data());
    }
}

}  // namespace colophon::label::internal
