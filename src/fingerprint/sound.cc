// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/sound.h"

#include "core/bytes.h"
#include "core/result.h"
#include "fingerprint/internal/power_spectrum.h"
#include "media/audio.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::fingerprint {
namespace {

constexpr std::size_t kNotes = 12;
using Row = std::array<double, kNotes>;

constexpr double kLowestHz = 28;
constexpr double kHighestHz = 3520;
constexpr double kLowestA = 440.0 / 16;
constexpr std::array<double, 5> kSmoothing{0.25, 0.75, 1.0, 0.75, 0.25};
constexpr double kSilentLength = 0.01;
constexpr std::size_t kFilterRows = 16;
static_assert(kSoundFramesOfItem == kSmoothing.size() - 1 + kFilterRows);

// How the parts of a filter's rectangle are told apart: the power of some of them against that of
// the others.
enum class Shape : std::uint8_t {
    kAll,          // all of it against nothing
    kUpperHalf,    // the higher notes against the lower ones
    kLaterHalf,    // the later rows against the earlier ones
    kQuadrants,    // higher earlier and lower later against the two others
    kMiddleNotes,  // the middle third of the notes against the thirds beside it
    kMiddleRows,   // the middle third of the rows against the thirds beside it
};

// Coefficients of the format, trained by its author.
struct Filter {
    Shape shape;
    std::size_t note;  // the lowest
    std::size_t notes;
    std::size_t rows;
    std::array<double, 3> bounds;  // between the four values
};

// NOLINTBEGIN(modernize-use-designated-initializers): a table is read by its columns.
constexpr std::array<Filter, 16> kFilters{{
    {Shape::kAll, 4, 3, 15, {1.98215, 2.35817, 2.63523}},
    {Shape::kMiddleNotes, 4, 6, 15, {-1.03809, -0.651211, -0.282167}},
    {Shape::kUpperHalf, 0, 4, 16, {-0.298702, 0.119262, 0.558497}},
    {Shape::kQuadrants, 8, 2, 12, {-0.105439, 0.0153946, 0.135898}},
    {Shape::kQuadrants, 4, 4, 8, {-0.142891, 0.0258736, 0.200632}},
    {Shape::kMiddleNotes, 0, 3, 5, {-0.826319, -0.590612, -0.368214}},
    {Shape::kUpperHalf, 2, 2, 9, {-0.557409, -0.233035, 0.0534525}},
    {Shape::kLaterHalf, 7, 3, 4, {-0.0646826, 0.00620476, 0.0784847}},
    {Shape::kLaterHalf, 6, 2, 16, {-0.192387, -0.029699, 0.215855}},
    {Shape::kLaterHalf, 1, 3, 2, {-0.0397818, -0.00568076, 0.0292026}},
    {Shape::kMiddleRows, 10, 1, 15, {-0.53823, -0.369934, -0.190235}},
    {Shape::kQuadrants, 6, 2, 10, {-0.124877, 0.0296483, 0.139239}},
    {Shape::kLaterHalf, 1, 1, 14, {-0.101475, 0.0225617, 0.231971}},
    {Shape::kQuadrants, 5, 6, 4, {-0.0799915, -0.00729616, 0.063262}},
    {Shape::kUpperHalf, 9, 2, 12, {-0.272556, 0.019424, 0.302559}},
    {Shape::kQuadrants, 4, 2, 14, {-0.164292, -0.0321188, 0.0846339}},
}};
// NOLINTEND(modernize-use-designated-initializers)

// The note of each coefficient of a spectrum, from the lowest one counted on.
struct NoteOfBin {
    std::size_t first;
    std::vector<std::uint8_t> notes;
};

std::size_t bin_of(double hertz) {
    return static_cast<std::size_t>(std::lround(kSoundFrameSamples * hertz / kSoundRate));
}

NoteOfBin note_of_bins() {
    NoteOfBin out{.first = bin_of(kLowestHz), .notes = {}};
    for (std::size_t bin = out.first; bin < bin_of(kHighestHz); ++bin) {
        const double hertz = static_cast<double>(bin) * kSoundRate / kSoundFrameSamples;
        const double octave = std::log2(hertz / kLowestA);
        out.notes.push_back(
            static_cast<std::uint8_t>(static_cast<double>(kNotes) * (octave - std::floor(octave))));
    }
    return out;
}

// Sums of everything before a row and below a note, of the last rows: what lies in a rectangle is
// told from its four corners.
class RowSums {
public:
    void push(const Row& row) {
        std::array<double, kNotes + 1> now{};
        const auto& before = sums_[rows_ % kKept];
        double sum = 0;
        for (std::size_t note = 0; note < kNotes; ++note) {
            sum += row[note];
            now[note + 1] = before[note + 1] + sum;
        }
        ++rows_;
        sums_[rows_ % kKept] = now;
    }
    std::size_t rows() const noexcept { return rows_; }

    // Of rows [row, row + rows), notes [note, note + notes).
    double area(std::size_t row, std::size_t rows, std::size_t note, std::size_t notes) const {
        const auto& before = sums_[row % kKept];
        const auto& after = sums_[(row + rows) % kKept];
        return after[note + notes] - after[note] - before[note + notes] + before[note];
    }

private:
    static constexpr std::size_t kKept = kFilterRows + 1;
    // sums_[n % kKept][k]: of the rows before the n-th and the notes before the k-th.
    std::array<std::array<double, kNotes + 1>, kKept> sums_{};
    std::size_t rows_ = 0;
};

// Of the parts that are told apart.
using Halves = std::pair<double, double>;

Halves halves(const Filter& filter, const RowSums& sums, std::size_t row) {
    const auto [shape, note, notes, rows, bounds] = filter;
    const auto area = [&](std::size_t from_row, std::size_t to_row, std::size_t from_note,
                          std::size_t to_note) {
        return sums.area(row + from_row, to_row - from_row, note + from_note, to_note - from_note);
    };
    switch (shape) {
        case Shape::kAll:
            return {area(0, rows, 0, notes), 0};
        case Shape::kUpperHalf:
            return {area(0, rows, notes / 2, notes), area(0, rows, 0, notes / 2)};
        case Shape::kLaterHalf:
            return {area(rows / 2, rows, 0, notes), area(0, rows / 2, 0, notes)};
        case Shape::kQuadrants:
            return {area(0, rows / 2, notes / 2, notes) + area(rows / 2, rows, 0, notes / 2),
                    area(0, rows / 2, 0, notes / 2) + area(rows / 2, rows, notes / 2, notes)};
        case Shape::kMiddleNotes: {
            const std::size_t third = notes / 3;
            return {area(0, rows, third, 2 * third),
                    area(0, rows, 0, third) + area(0, rows, 2 * third, notes)};
        }
        case Shape::kMiddleRows: {
            const std::size_t third = rows / 3;
            return {area(third, 2 * third, 0, notes),
                    area(0, third, 0, notes) + area(2 * third, rows, 0, notes)};
        }
    }
    return {0, 0};
}

std::uint32_t item_of(const RowSums& sums, std::size_t row) {
    constexpr std::array<std::uint32_t, 4> kGray{0, 1, 3, 2};
    std::uint32_t item = 0;
    for (const Filter& filter : kFilters) {
        const auto [some, others] = halves(filter, sums, row);
        const double value = std::log((1 + some) / (1 + others));
        const auto above =
            std::ranges::count_if(filter.bounds, [&](double bound) { return value >= bound; });
        item = (item << 2U) | kGray[static_cast<std::size_t>(above)];
    }
    return item;
}

void normalize(Row& row) {
    double square = 0;
    for (const double value : row) {
        square += value * value;
    }
    const double length = std::sqrt(square);
    for (double& value : row) {
        value = length < kSilentLength ? 0 : value / length;
    }
}

}  // namespace

struct SoundPrinter::State {
    internal::PowerSpectrum spectrum{kSoundFrameSamples};
    NoteOfBin bins = note_of_bins();
    std::vector<std::int16_t> waiting;  // from the next frame on
    std::array<Row, kSmoothing.size()> recent{};
    std::size_t frames = 0;
    RowSums sums;
    SoundPrint print;

    void add_frame(std::span<const std::int16_t> frame) {
        Row chroma{};
        const auto power = spectrum.of(frame);
        for (std::size_t i = 0; i < bins.notes.size(); ++i) {
            chroma[bins.notes[i]] += power[bins.first + i];
        }
        recent[frames % recent.size()] = chroma;
        ++frames;
        if (frames < recent.size()) {
            return;
        }
        Row smooth{};
        for (std::size_t i = 0; i < kSmoothing.size(); ++i) {
            const Row& from = recent[(frames + i) % recent.size()];
            for (std::size_t note = 0; note < kNotes; ++note) {
                smooth[note] += from[note] * kSmoothing[i];
            }
        }
        normalize(smooth);
        sums.push(smooth);
        if (sums.rows() >= kFilterRows && print.items.size() < kSoundItemsMax) {
            print.items.push_back(item_of(sums, sums.rows() - kFilterRows));
        }
    }
};

SoundPrinter::SoundPrinter() : state_(std::make_unique<State>()) {}
SoundPrinter::~SoundPrinter() = default;
SoundPrinter::SoundPrinter(SoundPrinter&&) noexcept = default;
SoundPrinter& SoundPrinter::operator=(SoundPrinter&&) noexcept = default;

void SoundPrinter::push(std::span<const std::int16_t> samples) {
    std::vector<std::int16_t>& waiting = state_->waiting;
    waiting.insert(waiting.end(), samples.begin(), samples.end());
    std::size_t at = 0;
    for (; at + kSoundFrameSamples <= waiting.size(); at += kSoundStepSamples) {
        state_->add_frame(std::span(waiting).subspan(at, kSoundFrameSamples));
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(at));
}

const SoundPrint& SoundPrinter::print() const noexcept {
    return state_->print;
}

double seconds_of_items(std::size_t items) noexcept {
    const std::size_t frames = items + kSoundFramesOfItem - 1;
    return items == 0 ? 0
                      : static_cast<double>((frames - 1) * kSoundStepSamples + kSoundFrameSamples) /
                            kSoundRate;
}

std::size_t items_in(double seconds) noexcept {
    const double samples = seconds * kSoundRate - kSoundFrameSamples;
    const double frames = std::floor(samples / kSoundStepSamples) + 1;
    return static_cast<std::size_t>(
        std::max(frames - static_cast<double>(kSoundFramesOfItem - 1), 0.0));
}

Result<SoundPrint> print_sound(Bytes file, media::AudioContainer container) {
    SoundPrinter printer;
    TRY(media::read_mono(file, container, kSoundRate,
                         [&](std::span<const std::int16_t> samples) { printer.push(samples); }));
    return printer.print();
}

Result<std::optional<SoundPrint>> print_sound(Bytes file, media::VideoContainer container) {
    SoundPrinter printer;
    const bool has_sound = TRY(
        media::read_mono(file, container, kSoundRate,
                         [&](std::span<const std::int16_t> samples) { printer.push(samples); }));
    return has_sound ? std::optional(printer.print()) : std::nullopt;
}

}  // namespace colophon::fingerprint
