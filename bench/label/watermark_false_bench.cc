// SPDX-License-Identifier: Apache-2.0
// watermark_false_bench DECODES SEED [PICTURE...]: how often each gate of the watermark opens where
// it should not. A decode is one call of the list decoder: one form of payload at one place, that
// is one lattice with its shift and its way of laying the tile, under one key. The product decodes
// only where the pilot stands out by 5 deviations; here every place is decoded, the best shift of
// each lattice, so that the count grows quickly and the gates stand alone.
//
// Pictures are the files that are named, of each also crops and smaller copies, and pictures of the
// program's own; every other one is marked under a key that is not looked for. Lattices are those
// of an untouched picture and random ones in the range of the search. Each picture is looked at
// under random keys and the published one.
#include "core/bytes.h"
#include "label/format.h"
#include "label/watermark/detect.h"
#include "label/watermark/embed.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/lattice.h"
#include "label/watermark/internal/picture_file.h"
#include "label/watermark/internal/reader.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/internal/working.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "support/natural_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Carrier;
using internal::Lattice;

constexpr std::size_t kKeys = 8;       // looked for, of each picture
constexpr std::size_t kLattices = 24;  // of each key
constexpr std::array kScores{12.0, 13.0, 14.0, 15.0, 15.5, 16.0, 16.5,
                             17.0, 17.5, 18.0, 18.5, 19.0, 20.0, 21.0};

struct Counts {
    std::uint64_t decodes = 0;
    std::uint64_t checksums = 0;  // a word of the list has one that fits
    std::uint64_t both = 0;       // and correlates as much as the product asks
    std::array<std::uint64_t, kScores.size()> likeliest{};  // the likeliest word reaches that score
    double sum = 0;                                         // of the scores of the likeliest words
    double squares = 0;
    double highest = 0;
    double highest_with_checksum = 0;
};

// Of unmarked pictures, or of those under another key.
struct Tally {
    std::uint64_t pictures = 0;
    std::uint64_t places = 0;
    std::uint64_t places_decoded = 0;  // by the product: their pilot stands out
    std::array<Counts, kPayloadForms.size()> forms;
    std::array<Counts, kPayloadForms.size()> forms_of_product;  // of them: at those places

    std::uint64_t decodes() const {
        std::uint64_t all = 0;
        for (const Counts& counts : forms) {
            all += counts.decodes;
        }
        return all;
    }
};

void count(const internal::Gates& gates, PayloadForm form, Counts& counts) {
    ++counts.decodes;
    counts.sum += gates.likeliest_score;
    counts.squares += gates.likeliest_score * gates.likeliest_score;
    counts.highest = std::max(counts.highest, gates.likeliest_score);
    for (std::size_t i = 0; i < kScores.size(); ++i) {
        counts.likeliest[i] += gates.likeliest_score >= kScores[i] ? 1U : 0U;
    }
    if (gates.fits) {
        ++counts.checksums;
        counts.both += gates.fits->score >= score_min(form) ? 1U : 0U;
        counts.highest_with_checksum = std::max(counts.highest_with_checksum, gates.fits->score);
    }
}

WatermarkKey random_key(std::mt19937_64& random) {
    WatermarkKey key;
    for (std::uint8_t& byte : key.bytes) {
        byte = static_cast<std::uint8_t>(random());
    }
    return key;
}

// As the embedder leaves it first, then any within the range of the search.
Lattice lattice_number(std::size_t i, const internal::Working& working, std::mt19937_64& random) {
    double period = working.period * working.scale_x;
    double angle = 0;
    if (i > 0) {
        std::uniform_real_distribution<double> unit(0, 1);
        period = internal::kPeriodMin *
                 std::pow(internal::kPeriodMax / internal::kPeriodMin, unit(random));
        angle = unit(random) * std::numbers::pi / 2;
    }
    const double x = period * std::cos(angle);
    const double y = period * std::sin(angle);
    return {.ax = x, .ay = y, .bx = -y, .by = x};
}

void look_at(const Luma& picture, Tally& tally, std::mt19937_64& random) {
    if (picture.shortest_side() < kWatermarkSideMin) {
        return;
    }
    ++tally.pictures;
    const internal::Working working = internal::working_copy(picture, internal::kCanonicalSide);
    const internal::Spectrum spectrum(working.luma);
    const std::vector<PayloadForm> forms(kPayloadForms.begin(), kPayloadForms.end());
    for (std::size_t k = 0; k < kKeys; ++k) {
        const Carrier carrier(k == 0 ? published_watermark_key() : random_key(random));
        const internal::Reader reader(carrier, forms);
        for (std::size_t i = 0; i < kLattices; ++i) {
            const internal::Placement place =
                reader.place(spectrum, lattice_number(i, working, random));
            constexpr double kPilotWorthTrying = 5;  // as in detect.cc
            ++tally.places;
            tally.places_decoded += place.pilot_score >= kPilotWorthTrying ? 1U : 0U;
            const std::vector<internal::Gates> gates = reader.gates(spectrum, place);
            for (std::size_t f = 0; f < gates.size(); ++f) {
                count(gates[f], forms[f], tally.forms[f]);
                if (place.pilot_score >= kPilotWorthTrying) {
                    count(gates[f], forms[f], tally.forms_of_product[f]);
                }
            }
        }
    }
}

// Cut at random to a part of each side, or made smaller.
Luma changed(const Luma& picture, std::mt19937_64& random) {
    const double share = std::uniform_real_distribution<double>(0.45, 0.95)(random);
    const int width = static_cast<int>(picture.width * share);
    const int height = static_cast<int>(picture.height * share);
    if ((random() & 1U) != 0) {
        return colophon::test::turned_and_scaled(picture, 0, share, 1);
    }
    Luma part(width, height);
    const auto below = [&](int count) {
        return static_cast<int>(random() % (static_cast<unsigned>(count) + 1U));
    };
    const int left = below(picture.width - width);
    const int top = below(picture.height - height);
    for (int y = 0; y < height; ++y) {
        std::copy_n(picture.row(top + y) + left, width, part.row(y));
    }
    return part;
}

// Under a key that nobody looks for.
Luma marked(const Luma& picture, std::mt19937_64& random) {
    const Carrier carrier(random_key(random));
    const WatermarkPayload payload{
        .form = PayloadForm::kStandard, .issuer = {7}, .content_id = {random() & ContentId::kMax}};
    const auto pattern = watermark_pattern(picture, carrier, payload, {});
    Luma result = picture;
    if (pattern.ok()) {
        add_pattern(result, *pattern);
    }
    return result;
}

std::vector<Luma> read_pictures(int argc, char** argv) {
    std::vector<Luma> pictures;
    for (int i = 3; i < argc; ++i) {
        std::ifstream in(argv[i], std::ios::binary);
        const Buffer file{std::istreambuf_iterator<char>(in), {}};
        const auto format = detect_format(file, argv[i]);
        if (!format) {
            continue;
        }
        auto picture = internal::open_picture(file, *format);
        if (!picture.ok()) {
            continue;
        }
        auto luma = (*picture)->luma(0);
        if (luma.ok()) {
            pictures.push_back(std::move(*luma));
        }
    }
    return pictures;
}

unsigned long long number(std::uint64_t value) {
    return value;
}

void print_form(const char* where, PayloadForm form, const Counts& counts) {
    const auto all = static_cast<double>(counts.decodes);
    const double mean = counts.sum / all;
    std::printf(
        "  %s, %s: %llu decodes; checksum %llu, both gates %llu; likeliest word: mean %.3f, "
        "deviation %.3f, highest %.2f",
        where, std::string(payload_form_name(form)).c_str(), number(counts.decodes),
        number(counts.checksums), number(counts.both), mean,
        std::sqrt(counts.squares / all - mean * mean), counts.highest);
    for (std::size_t i = 0; i < kScores.size(); ++i) {
        std::printf("; %.1f: %llu", kScores[i], number(counts.likeliest[i]));
    }
    std::printf("; with a checksum at most %.2f\n", counts.highest_with_checksum);
}

void print(const char* what, const Tally& tally) {
    std::printf("%s: %llu pictures, %llu places, %llu of them with a pilot of 5, %llu decodes\n",
                what, number(tally.pictures), number(tally.places), number(tally.places_decoded),
                number(tally.decodes()));
    for (std::size_t f = 0; f < tally.forms.size(); ++f) {
        print_form("all places", kPayloadForms[f], tally.forms[f]);
        print_form("pilot of 5", kPayloadForms[f], tally.forms_of_product[f]);
    }
    std::fflush(stdout);
}

void run(std::uint64_t decodes, std::uint64_t seed, const std::vector<Luma>& files) {
    std::mt19937_64 random(seed);
    Tally unmarked;
    Tally wrong_key;
    std::uint64_t told = 0;
    for (std::uint64_t round = 0; unmarked.decodes() + wrong_key.decodes() < decodes; ++round) {
        const bool own = files.empty() || round % 4 == 3;
        const Luma picture = own ? colophon::test::natural_picture(480, 360, random())
                                 : files[random() % files.size()];
        look_at(changed(picture, random), unmarked, random);
        const Luma other = marked(picture, random);
        look_at(round % 2 == 0 ? other : changed(other, random), wrong_key, random);
        if (unmarked.decodes() + wrong_key.decodes() - told >= 50000) {
            told = unmarked.decodes() + wrong_key.decodes();
            print("unmarked so far", unmarked);
            print("wrong key so far", wrong_key);
        }
    }
    print("unmarked", unmarked);
    print("wrong key", wrong_key);
}

}  // namespace
}  // namespace colophon::label

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: watermark_false_bench DECODES SEED [PICTURE...]\n");
        return 64;
    }
    colophon::label::run(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[2], nullptr, 10),
                         colophon::label::read_pictures(argc, argv));
    return 0;
}
