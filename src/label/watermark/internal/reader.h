// SPDX-License-Identifier: Apache-2.0
#pragma once

// Given a lattice, finds the place of the tile on it by its pilot, and decodes the payload.

#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/lattice.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/payload.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace colophon::label::internal {

// Where the tile lies: its lattice with axes told apart, and how far along each the picture's
// centre lies in the tile, 0 .. 1.
struct Placement {
    Lattice lattice;
    double shift_u = 0;
    double shift_v = 0;
    double pilot_score = 0;
};

struct Decoded {
    WatermarkPayload payload;
    double score = 0;
};

// What the gates make of one form of payload at one place.
struct Gates {
    // The likeliest word whose checksum fits, and its correlation, whatever that is.
    std::optional<Decoded> fits;
    // The correlation of the likeliest word of all, whatever its checksum says.
    double likeliest_score = 0;
};

class Reader {
public:
    // `forms`: of the payloads that are looked for, in that order.
    Reader(const Carrier& carrier, std::vector<PayloadForm> forms);

    // The best of the eight ways to lay a square tile on the lattice, and of all shifts.
    Placement place(const Spectrum& spectrum, const Lattice& lattice) const;
    // Climbs to the best placement nearby.
    Placement refine(const Spectrum& spectrum, const Placement& start) const;
    // Nothing when no payload passes both gates.
    std::optional<Decoded> decode(const Spectrum& spectrum, const Placement& placement) const;
    // The same without passing judgement, one for each form: for counting how often a gate opens.
    std::vector<Gates> gates(const Spectrum& spectrum, const Placement& placement) const;

private:
    struct Source {
        std::size_t bin;
        bool conjugate;
    };
    // What was received at a place, ready to be decoded.
    struct Heard {
        std::vector<Complex> received;
        std::vector<float> weights;  // the amplitude that is expected of each
        double noise = 0;            // power
    };
    std::optional<Heard> hear(const Spectrum& spectrum, const Placement& placement) const;
    // Tells the likeliest words, best first, until `accept` takes one.
    void listen(const Heard& heard, PayloadForm form,
                const std::function<bool(std::span<const std::uint8_t>)>& accept) const;
    std::vector<Complex> read(const Spectrum& spectrum, const Lattice& lattice) const;
    std::vector<float> weigh(const Spectrum& spectrum, const Placement& placement,
                             std::span<const Complex> received) const;
    double pilot_correlation(const Spectrum& spectrum, const Placement& placement) const;

    const Carrier& carrier_;
    std::vector<PayloadForm> forms_;
    std::array<std::vector<Source>, 8> symmetric_;  // bin i of the laid tile is which one read
    static constexpr std::size_t kRings = 6;
    std::vector<std::size_t> rings_;  // of each bin, by its distance from zero: as many in each
    std::vector<std::size_t> pilot_bins_;
    std::vector<Bin> pilot_places_;  // of those
    double pilot_parts_ = 0;         // degrees of freedom of the pilot
};

}  // namespace colophon::label::internal
