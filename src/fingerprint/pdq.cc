// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/pdq.h"

#include "core/bytes.h"
#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::fingerprint {
namespace {

constexpr int kSideMin = 5;
constexpr int kSmall = 64;            // side of the decimated picture
constexpr int kFrequencies = 16;      // kept in each direction, the constant one left out
constexpr std::size_t kMedian = 127;  // the 128th smallest of 256

using Small = std::array<std::array<float, kSmall>, kSmall>;
using Coefficients = std::array<std::array<float, kFrequencies>, kFrequencies>;

constexpr std::size_t at(int index) noexcept {
    return static_cast<std::size_t>(index);
}

int window_of(int side) noexcept {
    return (side + 2 * kSmall - 1) / (2 * kSmall);
}

// Where the samples of `kLanes` lines lie that are filtered at once.
struct Lines {
    int size = 0;               // samples of a line
    std::size_t step = 1;       // from one sample of a line to the next
    std::size_t lane_step = 1;  // from one line to the next
};

// The mean over a window of samples. The window is smaller at both ends, where the sum is divided
// by what is in it. Every line sees the same operations in the same order, whatever the lines
// beside it.
template <std::size_t kLanes>
class Box {
public:
    Box(const float* from, float* to, const Lines& lines) : from_(from), to_(to), lines_(lines) {}

    void run(int window) {
        const int half = (window + 2) / 2;
        for (int i = 0; i < half - 1; ++i) {
            add();
        }
        for (int i = 0; i < window - half + 1; ++i) {
            add();
            write();
        }
        for (int i = 0; i < lines_.size - window; ++i) {
            add();
            take();
            write();
        }
        for (int i = 0; i < half - 1; ++i) {
            take();
            write();
        }
    }

private:
    void add() {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sums_[lane] += from_[right_ + lane * lines_.lane_step];
        }
        ++inside_;
        right_ += lines_.step;
    }
    void take() {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sums_[lane] -= from_[left_ + lane * lines_.lane_step];
        }
        --inside_;
        left_ += lines_.step;
    }
    void write() {
        const auto count = static_cast<float>(inside_);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            to_[out_ + lane * lines_.lane_step] = sums_[lane] / count;
        }
        out_ += lines_.step;
    }

    const float* __restrict from_;
    float* __restrict to_;
    Lines lines_;
    float sums_[kLanes] = {};
    std::size_t left_ = 0;
    std::size_t right_ = 0;
    std::size_t out_ = 0;
    int inside_ = 0;
};

// All lines of a picture, many at once as far as they go. Few of those whose samples lie far apart:
// many would want the same places of the cache.
template <std::size_t kLanes>
void smooth_lines(const std::vector<float>& from, std::vector<float>& to, const Lines& lines,
                  int count) {
    const int window = window_of(lines.size);
    int line = 0;
    constexpr int kStep = static_cast<int>(kLanes);
    for (; line + kStep <= count; line += kStep) {
        const std::size_t first = at(line) * lines.lane_step;
        Box<kLanes>(from.data() + first, to.data() + first, lines).run(window);
    }
    for (; line < count; ++line) {
        const std::size_t first = at(line) * lines.lane_step;
        Box<1>(from.data() + first, to.data() + first, lines).run(window);
    }
}

// "Jarosz" filter: two passes of a box along the rows and along the columns come near a tent.
void smooth(Luma& luma) {
    std::vector<float> other(luma.values.size());
    const auto width = at(luma.width);
    const Lines rows{.size = luma.width, .step = 1, .lane_step = width};
    const Lines columns{.size = luma.height, .step = width, .lane_step = 1};
    for (int pass = 0; pass < 2; ++pass) {
        smooth_lines<4>(luma.values, other, rows, luma.height);
        smooth_lines<16>(other, luma.values, columns, luma.width);
    }
}

// Every 64th part of the picture, its middle.
Small decimate(const Luma& luma) {
    Small small{};
    const auto place = [](int index, int side) {
        return static_cast<int>((static_cast<double>(index) + 0.5) * side / kSmall);
    };
    for (int y = 0; y < kSmall; ++y) {
        const float* from = luma.row(place(y, luma.height));
        for (int x = 0; x < kSmall; ++x) {
            small[at(y)][at(x)] = from[place(x, luma.width)];
        }
    }
    return small;
}

// How much neighbouring samples differ, in percent of white, cut to whole numbers before they are
// added up: noise below a percent is no quality.
int quality_of(const Small& small) {
    const auto step = [](float u, float v) {
        return std::abs(static_cast<int>((u - v) * 100.0F / 255.0F));
    };
    int sum = 0;
    for (std::size_t y = 0; y < kSmall; ++y) {
        for (std::size_t x = 0; x < kSmall; ++x) {
            if (y + 1 < kSmall) {
                sum += step(small[y][x], small[y + 1][x]);
            }
            if (x + 1 < kSmall) {
                sum += step(small[y][x], small[y][x + 1]);
            }
        }
    }
    constexpr int kSumOfOnePercent = 90;
    return std::min(sum / kSumOfOnePercent, 100);
}

using Basis = std::array<std::array<float, kSmall>, kFrequencies>;

Basis make_basis() {
    Basis basis{};
    const auto scale = static_cast<float>(std::sqrt(2.0 / kSmall));
    for (int i = 0; i < kFrequencies; ++i) {
        for (int j = 0; j < kSmall; ++j) {
            basis[at(i)][at(j)] = static_cast<float>(
                scale * std::cos(std::numbers::pi / 2 / kSmall * (i + 1) * (2 * j + 1)));
        }
    }
    return basis;
}

// basis * small * transposed basis; terms are added in ascending order.
Coefficients transform(const Small& small) {
    static const Basis kBasis = make_basis();
    std::array<std::array<float, kSmall>, kFrequencies> rows{};
    for (std::size_t i = 0; i < kFrequencies; ++i) {
        for (std::size_t k = 0; k < kSmall; ++k) {
            for (std::size_t j = 0; j < kSmall; ++j) {
                rows[i][j] += kBasis[i][k] * small[k][j];
            }
        }
    }
    Coefficients result{};
    for (std::size_t i = 0; i < kFrequencies; ++i) {
        for (std::size_t j = 0; j < kFrequencies; ++j) {
            float sum = 0;
            for (std::size_t k = 0; k < kSmall; ++k) {
                sum += rows[i][k] * kBasis[j][k];
            }
            result[i][j] = sum;
        }
    }
    return result;
}

PdqHash hash_of(const Coefficients& coefficients) {
    std::array<float, kPdqBits> sorted{};
    for (std::size_t i = 0; i < kPdqBits; ++i) {
        sorted[i] = coefficients[i / kFrequencies][i % kFrequencies];
    }
    const std::array<float, kPdqBits> all = sorted;
    std::nth_element(sorted.begin(), sorted.begin() + kMedian, sorted.end());
    PdqHash hash;
    for (std::size_t i = 0; i < kPdqBits; ++i) {
        if (all[i] > sorted[kMedian]) {
            hash.set_bit(i);
        }
    }
    return hash;
}

bool too_small(const Luma& luma) {
    return luma.width < kSideMin || luma.height < kSideMin;
}

Small reduce(Luma luma) {
    if (luma.width != kSmall || luma.height != kSmall) {
        smooth(luma);
    }
    return decimate(luma);
}

// The coefficient of frequency f (index f - 1) of a reversed row has the sign (-1)^f.
Coefficients turned(const Coefficients& given, Dihedral how) {
    const auto sign = [](std::size_t index) { return index % 2 == 1 ? 1.0F : -1.0F; };
    Coefficients result{};
    for (std::size_t i = 0; i < kFrequencies; ++i) {
        for (std::size_t j = 0; j < kFrequencies; ++j) {
            const float same = given[i][j];
            const float crossed = given[j][i];
            switch (how) {
                case Dihedral::kAsIs:
                    result[i][j] = same;
                    break;
                case Dihedral::kRotate90:
                    result[i][j] = sign(j) * crossed;
                    break;
                case Dihedral::kRotate180:
                    result[i][j] = sign(i) * sign(j) * same;
                    break;
                case Dihedral::kRotate270:
                    result[i][j] = sign(i) * crossed;
                    break;
                case Dihedral::kFlipRows:
                    result[i][j] = sign(i) * same;
                    break;
                case Dihedral::kFlipColumns:
                    result[i][j] = sign(j) * same;
                    break;
                case Dihedral::kTranspose:
                    result[i][j] = crossed;
                    break;
                case Dihedral::kAntitranspose:
                    result[i][j] = sign(i) * sign(j) * crossed;
                    break;
            }
        }
    }
    return result;
}

}  // namespace

std::string to_hex(const PdqHash& hash) {
    return colophon::to_hex(to_bytes(hash));
}

Result<PdqHash> parse_pdq_hex(std::string_view text) {
    if (text.size() != kPdqHexChars) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("a PDQ hash has 64 hexadecimal digits, not {} characters", text.size())};
    }
    const std::size_t foreign = text.find_first_not_of("0123456789abcdefABCDEF");
    if (foreign != std::string_view::npos) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("no hexadecimal digit at character {} of a PDQ hash", foreign + 1)};
    }
    const Buffer bytes = TRY(from_hex(text));
    return parse_pdq_bytes(bytes);
}

std::array<std::uint8_t, kPdqBytes> to_bytes(const PdqHash& hash) noexcept {
    std::array<std::uint8_t, kPdqBytes> bytes{};
    for (std::size_t i = 0; i < kPdqBytes; ++i) {
        const std::size_t low_bit = (kPdqBytes - 1 - i) * 8;
        bytes[i] = static_cast<std::uint8_t>(hash.words[low_bit / 64] >> (low_bit % 64));
    }
    return bytes;
}

Result<PdqHash> parse_pdq_bytes(Bytes bytes) {
    if (bytes.size() != kPdqBytes) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a PDQ hash has 32 bytes, not {}", bytes.size())};
    }
    PdqHash hash;
    for (std::size_t i = 0; i < kPdqBytes; ++i) {
        const std::size_t low_bit = (kPdqBytes - 1 - i) * 8;
        hash.words[low_bit / 64] |= std::uint64_t{bytes[i]} << (low_bit % 64);
    }
    return hash;
}

PdqPrint pdq_of(Luma luma) {
    if (too_small(luma)) {
        return {};
    }
    const Small small = reduce(std::move(luma));
    return {.hash = hash_of(transform(small)), .quality = quality_of(small)};
}

PdqDihedralPrint dihedral_hashes(Luma luma) {
    PdqDihedralPrint print{};
    if (too_small(luma)) {
        return print;
    }
    const Small small = reduce(std::move(luma));
    const Coefficients coefficients = transform(small);
    print.quality = quality_of(small);
    for (std::size_t i = 0; i < kDihedrals; ++i) {
        print.hashes[i] = hash_of(turned(coefficients, static_cast<Dihedral>(i)));
    }
    return print;
}

}  // namespace colophon::fingerprint
