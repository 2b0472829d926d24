// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/fft.h"

#include "core/assert.h"

#include <fftw3.h>

#include <algorithm>
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

// Planning real transforms takes FFTW 1.5 ms each, more than many of them take; complex ones a
// tenth of that. So two real rows are the real and the imaginary part of a complex one, whose
// coefficients z(k) are those of the first plus i times those of the second. With z(-k) apart:
//
//     first(k) = (z(k) + conj z(-k)) / 2        second(k) = (z(k) - conj z(-k)) / 2i

// One transform of rows, from one buffer to another.
class RowTransform {
public:
    RowTransform(int length, int direction)
        : in_(static_cast<std::size_t>(length)),
          out_(static_cast<std::size_t>(length)),
          plan_(planned([&] {
              return fftwf_plan_dft_1d(length, as_fftw(in_), as_fftw(out_), direction,
                                       FFTW_ESTIMATE);
          })) {}
    std::vector<Complex>& in() noexcept { return in_; }
    const std::vector<Complex>& transform() {
        run(plan_);
        return out_;
    }

private:
    std::vector<Complex> in_;
    std::vector<Complex> out_;
    Plan plan_;
};

// The same of kColumnsAtOnce columns, or half as many.
class ColumnTransform {
public:
    ColumnTransform(int length, int columns)
        : in_(static_cast<std::size_t>(length) * static_cast<std::size_t>(columns)),
          out_(in_.size()),
          plan_(planned([&] {
              return fftwf_plan_many_dft(1, &length, columns, as_fftw(in_), nullptr, columns, 1,
                                         as_fftw(out_), nullptr, columns, 1, FFTW_FORWARD,
                                         FFTW_ESTIMATE);
          })) {}
    std::vector<Complex>& in() noexcept { return in_; }
    const std::vector<Complex>& transform() {
        run(plan_);
        return out_;
    }

private:
    std::vector<Complex> in_;
    std::vector<Complex> out_;
    Plan plan_;
};

void part(const Complex& here, const Complex& there, Complex& first, Complex& second) {
    first = {0.5F * (here.real() + there.real()), 0.5F * (here.imag() - there.imag())};
    second = {0.5F * (here.imag() + there.imag()), 0.5F * (there.real() - here.real())};
}

}  // namespace

void transform_rows(int length, int rows, const std::function<void(int row, float* values)>& fill,
                    const std::function<void(int row, const Complex* half)>& drain) {
    const auto count = static_cast<std::size_t>(length);
    const std::size_t half = count / 2 + 1;
    RowTransform both(length, FFTW_FORWARD);
    std::array<std::vector<float>, 2> values{std::vector<float>(count), std::vector<float>(count)};
    std::array<std::vector<Complex>, 2> parted{std::vector<Complex>(half),
                                               std::vector<Complex>(half)};
    for (int row = 0; row < rows; row += 2) {
        const bool last_alone = row + 1 == rows;
        fill(row, values[0].data());
        if (last_alone) {
            std::ranges::fill(values[1], 0.0F);
        } else {
            fill(row + 1, values[1].data());
        }
        for (std::size_t x = 0; x < count; ++x) {
            both.in()[x] = {values[0][x], values[1][x]};
        }
        const std::vector<Complex>& z = both.transform();
        for (std::size_t k = 0; k < half; ++k) {
            part(z[k], z[k == 0 ? 0 : count - k], parted[0][k], parted[1][k]);
        }
        drain(row, parted[0].data());
        if (!last_alone) {
            drain(row + 1, parted[1].data());
        }
    }
}

void transform_rows_back(int length, int rows,
                         const std::function<void(int row, Complex* half)>& fill,
                         const std::function<void(int row, const float* values)>& drain) {
    const auto count = static_cast<std::size_t>(length);
    const std::size_t half = count / 2 + 1;
    RowTransform both(length, FFTW_BACKWARD);
    std::array<std::vector<float>, 2> values{std::vector<float>(count), std::vector<float>(count)};
    std::array<std::vector<Complex>, 2> halves{std::vector<Complex>(half),
                                               std::vector<Complex>(half)};
    for (int row = 0; row < rows; row += 2) {
        const bool last_alone = row + 1 == rows;
        fill(row, halves[0].data());
        if (last_alone) {
            std::ranges::fill(halves[1], Complex(0));
        } else {
            fill(row + 1, halves[1].data());
        }
        std::vector<Complex>& z = both.in();
        for (std::size_t k = 0; k < half; ++k) {
            const Complex& a = halves[0][k];
            const Complex& b = halves[1][k];
            z[k] = {a.real() - b.imag(), a.imag() + b.real()};
            // Real rows: what lies at zero and in the middle is real.
            if (k > 0 && 2 * k < count) {
                z[count - k] = {a.real() + b.imag(), b.real() - a.imag()};
            } else {
                z[k] = {a.real(), b.real()};
            }
        }
        const std::vector<Complex>& out = both.transform();
        for (std::size_t x = 0; x < count; ++x) {
            values[0][x] = out[x].real();
            values[1][x] = out[x].imag();
        }
        drain(row, values[0].data());
        if (!last_alone) {
            drain(row + 1, values[1].data());
        }
    }
}

void transform_columns(int length, int columns,
                       const std::function<void(int first, Complex* values)>& fill,
                       const std::function<void(int first, const Complex* values)>& drain) {
    ColumnTransform some(length, kColumnsAtOnce);
    for (int first = 0; first < columns; first += kColumnsAtOnce) {
        fill(first, some.in().data());
        drain(first, some.transform().data());
    }
}

void transform_real_columns(int length, int columns,
                            const std::function<void(int first, float* values)>& fill,
                            const std::function<void(int first, const Complex* half)>& drain) {
    // Neighbours are the two parts of one.
    constexpr int kPairs = kColumnsAtOnce / 2;
    ColumnTransform pairs(length, kPairs);
    const std::size_t rows = static_cast<std::size_t>(length) / 2 + 1;
    std::vector<Complex> half(rows * kColumnsAtOnce);
    for (int first = 0; first < columns; first += kColumnsAtOnce) {
        fill(first, reinterpret_cast<float*>(pairs.in().data()));
        const std::vector<Complex>& z = pairs.transform();
        for (std::size_t k = 0; k < rows; ++k) {
            const Complex* here = z.data() + k * kPairs;
            const Complex* there =
                z.data() + (k == 0 ? 0 : static_cast<std::size_t>(length) - k) * kPairs;
            Complex* out = half.data() + k * kColumnsAtOnce;
            for (std::size_t i = 0; i < kPairs; ++i) {
                part(here[i], there[i], out[2 * i], out[2 * i + 1]);
            }
        }
        drain(first, half.data());
    }
}

}  // namespace colophon::label::internal
