// SPDX-License-Identifier: Apache-2.0
#include "core/result.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_find.h"
#include "label/explicit/internal/image_layout.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::Mask;
using media::Rect;
using media::Typeface;

constexpr int kCoarseInk = 8;
constexpr int kFineInk = 24;
constexpr double kLadderStep = 1.12;
constexpr double kHeightLeast = 0.03;
constexpr double kHeightMost = 0.125;
constexpr double kCoarseAccept = 0.42;
constexpr std::size_t kCandidatesMax = 10;
constexpr double kEdgeReach = 3.2;  // ink heights between the text and the edge, at most
constexpr float kDeviationLeast = 4.0F;

// A grid of numbers.
struct Field {
    int width = 0;
    int height = 0;
    std::vector<float> values;

    Field() = default;
    Field(int w, int h)
        : width(w), height(h), values(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {}
    float* row(int y) {
        return &values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width)];
    }
    const float* row(int y) const {
        return &values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width)];
    }
};

struct Tap {
    int at;
    float weight;
};

// What of [0, limit) lies in the box of `step` from `from` on; weights add up to 1.
std::vector<Tap> taps_of(double from, double step, int limit) {
    std::vector<Tap> taps;
    const double half = std::max(step, 1.0) / 2.0;  // enlarging interpolates
    const double centre = from + step / 2.0;
    double total = 0;
    const int first = static_cast<int>(std::floor(centre - half));
    const int last = static_cast<int>(std::ceil(centre + half));
    for (int i = first; i < last; ++i) {
        const double part = std::min(i + 1.0, centre + half) - std::max<double>(i, centre - half);
        if (part > 1e-6) {
            taps.push_back({std::clamp(i, 0, limit - 1), static_cast<float>(part)});
            total += part;
        }
    }
    for (Tap& tap : taps) {
        tap.weight = static_cast<float>(tap.weight / total);
    }
    return taps;
}

// Mean over boxes of the source, cut at fractions of a pixel: first along x, then along y.
Field resample(const Field& in, double step, int width, int height) {
    std::vector<std::vector<Tap>> columns;
    columns.reserve(static_cast<std::size_t>(width));
    for (int x = 0; x < width; ++x) {
        columns.push_back(taps_of(x * step, step, in.width));
    }
    Field across(width, in.height);
    for (int y = 0; y < in.height; ++y) {
        const float* source = in.row(y);
        float* target = across.row(y);
        for (std::size_t x = 0; x < columns.size(); ++x) {
            float sum = 0;
            for (const Tap& tap : columns[x]) {
                sum += source[tap.at] * tap.weight;
            }
            target[x] = sum;
        }
    }
    Field out(width, height);
    for (int y = 0; y < height; ++y) {
        for (const Tap& tap : taps_of(y * step, step, in.height)) {
            const float* source = across.row(tap.at);
            float* target = out.row(y);
            for (int x = 0; x < width; ++x) {
                target[x] += source[x] * tap.weight;
            }
        }
    }
    return out;
}

Field to_field(const media::Plane& plane) {
    Field field(plane.area.width, plane.area.height);
    std::copy(plane.samples.begin(), plane.samples.end(), field.values.begin());
    return field;
}

// Text as a template of mean 0 and length 1.
struct Template {
    std::size_t wording = 0;
    std::vector<std::string> lines;
    Field shape;
};

Result<Template> make_template(const Typeface& typeface, std::size_t wording,
                               const std::vector<std::string>& lines, int ink) {
    const Mask mask = TRY(set_lines(typeface, lines, ink));
    Template out{wording, lines, Field(mask.width, mask.height)};
    std::copy(mask.coverage.begin(), mask.coverage.end(), out.shape.values.begin());
    const auto count = static_cast<float>(out.shape.values.size());
    float sum = 0;
    for (const float v : out.shape.values) {
        sum += v;
    }
    float squares = 0;
    for (float& v : out.shape.values) {
        v -= sum / count;
        squares += v * v;
    }
    for (float& v : out.shape.values) {
        v /= std::sqrt(std::max(squares, 1e-6F));
    }
    return out;
}

// Sums over rectangles in constant time.
class Sums {
public:
    explicit Sums(const Field& field) : width_(field.width + 1) {
        const std::size_t count =
            static_cast<std::size_t>(width_) * static_cast<std::size_t>(field.height + 1);
        sum_.resize(count);
        squares_.resize(count);
        for (int y = 0; y < field.height; ++y) {
            double s = 0;
            double q = 0;
            for (int x = 0; x < field.width; ++x) {
                const double v = field.row(y)[x];
                s += v;
                q += v * v;
                sum_[at(x + 1, y + 1)] = sum_[at(x + 1, y)] + s;
                squares_[at(x + 1, y + 1)] = squares_[at(x + 1, y)] + q;
            }
        }
    }
    // The root of the sum of squared deviations from the mean; 0 for flat places.
    float spread(int x, int y, int w, int h) const {
        const double count = static_cast<double>(w) * h;
        const double s = of(sum_, x, y, w, h);
        const double deviation = std::max(0.0, of(squares_, x, y, w, h) - s * s / count);
        return std::sqrt(deviation / count) < kDeviationLeast
                   ? 0.0F
                   : static_cast<float>(std::sqrt(deviation));
    }

private:
    std::size_t at(int x, int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
               static_cast<std::size_t>(x);
    }
    double of(const std::vector<double>& table, int x, int y, int w, int h) const {
        return table[at(x + w, y + h)] - table[at(x, y + h)] - table[at(x + w, y)] +
               table[at(x, y)];
    }
    int width_;
    std::vector<double> sum_;
    std::vector<double> squares_;
};

struct Candidate {
    std::size_t pattern = 0;  // index of the template
    double score = 0;         // signed
    double x = 0;             // of the text's box, in parts of the picture's width ...
    double y = 0;             // ... and height
    double ink = 0;           // in parts of the shortest side
};

// A row of places, [x0, x1) at y.
struct Places {
    int y = 0;
    int x0 = 0;
    int x1 = 0;
};

// So many neighbouring places are correlated at once, their sums held in registers.
constexpr int kBlockPlaces = 32;
using Lanes = float __attribute__((vector_size(32)));

// The inner products of the template with the kBlockPlaces places from `source` on, whose rows are
// `stride` apart. Each product is added in the order of the template's rows, so that the sums are
// those of the plain loops, bit for bit. AVX2 where the machine has it; never fused, which would
// round otherwise.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("avx2", "default")))
#endif
void correlate_block(const float* source, std::size_t stride, const Field& shape, float* out) {
    constexpr std::size_t kLanes = 8;
    Lanes a{};
    Lanes b{};
    Lanes c{};
    Lanes d{};
    for (int ty = 0; ty < shape.height; ++ty) {
        const float* from = source + static_cast<std::size_t>(ty) * stride;
        const float* weights = shape.row(ty);
        for (int tx = 0; tx < shape.width; ++tx, ++from) {
            const float weight = weights[tx];
            Lanes part;
            std::memcpy(&part, from, sizeof part);
            a += weight * part;
            std::memcpy(&part, from + kLanes, sizeof part);
            b += weight * part;
            std::memcpy(&part, from + 2 * kLanes, sizeof part);
            c += weight * part;
            std::memcpy(&part, from + 3 * kLanes, sizeof part);
            d += weight * part;
        }
    }
    std::memcpy(out, &a, sizeof a);
    std::memcpy(out + kLanes, &b, sizeof b);
    std::memcpy(out + 2 * kLanes, &c, sizeof c);
    std::memcpy(out + 3 * kLanes, &d, sizeof d);
}

// The same at one place, for fields that are narrower than a block.
float correlate_place(const float* source, std::size_t stride, const Field& shape) {
    float sum = 0;
    for (int ty = 0; ty < shape.height; ++ty) {
        const float* from = source + static_cast<std::size_t>(ty) * stride;
        const float* weights = shape.row(ty);
        for (int tx = 0; tx < shape.width; ++tx) {
            sum += from[tx] * weights[tx];
        }
    }
    return sum;
}

// Correlates along one row of places, which all lie in the field.
void scan_row(const Field& field, const Sums& sums, const Template& pattern, const Places& places,
              std::vector<float>& line) {
    const auto [y, x0, x1] = places;
    line.assign(static_cast<std::size_t>(std::max(0, x1 - x0)), 0.0F);
    const Field& shape = pattern.shape;
    const float* source = field.row(y);
    const auto stride = static_cast<std::size_t>(field.width);
    const int last_block = field.width - shape.width + 1 - kBlockPlaces;
    for (int x = x0; x < x1; x += kBlockPlaces) {
        const int count = std::min(kBlockPlaces, x1 - x);
        float* to = &line[static_cast<std::size_t>(x - x0)];
        if (last_block < 0) {
            for (int i = 0; i < count; ++i) {
                to[i] = correlate_place(source + x + i, stride, shape);
            }
            continue;
        }
        // At the end of the row the block begins earlier and what comes before is thrown away.
        const int start = std::min(x, last_block);
        std::array<float, kBlockPlaces> block;
        correlate_block(source + start, stride, shape, block.data());
        std::copy_n(block.begin() + (x - start), count, to);
    }
    for (std::size_t i = 0; i < line.size(); ++i) {
        const float spread = sums.spread(x0 + static_cast<int>(i), y, shape.width, shape.height);
        line[i] = spread > 0 ? line[i] / spread : 0.0F;
    }
}

// Keeps the best candidates; one that lies on a better one of the same size is dropped.
void keep(std::vector<Candidate>& best, const Candidate& candidate) {
    for (Candidate& other : best) {
        const double reach = 0.6 * std::max(candidate.ink, other.ink);
        if (other.pattern == candidate.pattern && std::abs(other.x - candidate.x) < reach &&
            std::abs(other.y - candidate.y) < reach) {
            if (std::abs(candidate.score) > std::abs(other.score)) {
                other = candidate;
            }
            return;
        }
    }
    best.push_back(candidate);
    std::sort(best.begin(), best.end(), [](const Candidate& a, const Candidate& b) {
        return std::abs(a.score) > std::abs(b.score);
    });
    if (best.size() > kCandidatesMax) {
        best.pop_back();
    }
}

// Keeps what correlates along a row whose first place is `first`; places are `unit` apart.
void keep_peaks(std::vector<Candidate>& best, const std::vector<float>& line,
                const Candidate& first, double unit) {
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (std::abs(line[i]) > kCoarseAccept) {
            Candidate peak = first;
            peak.score = line[i];
            peak.x += static_cast<double>(i) * unit;
            keep(best, peak);
        }
    }
}

// All places near the edges, for one size of text.
void scan_scale(const Field& field, const std::vector<Template>& patterns, double ink,
                std::vector<Candidate>& best) {
    const Sums sums(field);
    const int reach = static_cast<int>(std::lround(kEdgeReach * kCoarseInk));
    const double unit = 1.0 / std::min(field.width, field.height);
    std::vector<float> line;
    for (std::size_t p = 0; p < patterns.size(); ++p) {
        const int right = field.width - patterns[p].shape.width;
        const int bottom = field.height - patterns[p].shape.height;
        const auto scan = [&](int y, int x0, int x1) {
            scan_row(field, sums, patterns[p], {.y = y, .x0 = x0, .x1 = x1}, line);
            keep_peaks(best, line,
                       {.pattern = p, .score = 0, .x = x0 * unit, .y = y * unit, .ink = ink}, unit);
        };
        for (int y = 0; y <= bottom && right >= 0; ++y) {
            if (y <= reach || y >= bottom - reach || right <= 2 * reach) {
                scan(y, 0, right + 1);
            } else {
                scan(y, 0, reach + 1);
                scan(y, right - reach, right + 1);
            }
        }
    }
}

// Luma of a patch, 0 .. 255; transparent parts count as a middle grey.
Field luma_of(const Patch& patch) {
    Field field(patch.rect.width, patch.rect.height);
    for (int y = 0; y < patch.rect.height; ++y) {
        for (int x = 0; x < patch.rect.width; ++x) {
            const float* pixel = patch.at(patch.rect.x + x, patch.rect.y + y);
            field.row(y)[x] = 255.0F * luma_over_grey(patch, pixel);
        }
    }
    return field;
}

struct Peak {
    double score = 0;  // signed
    int x = 0;
    int y = 0;
};

// The place in `places` where the template correlates best.
Peak highest(const Field& field, const Template& pattern, const Rect& places) {
    const Sums sums(field);
    Peak best;
    std::vector<float> line;
    for (int y = places.y; y < places.bottom(); ++y) {
        scan_row(field, sums, pattern, {.y = y, .x0 = places.x, .x1 = places.right()}, line);
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (std::abs(line[i]) > std::abs(best.score)) {
                best = {.score = line[i], .x = places.x + static_cast<int>(i), .y = y};
            }
        }
    }
    return best;
}

struct Refined {
    double score = 0;  // signed
    double x = 0;      // of the text's box, in displayed pixels
    double y = 0;
    double ink = 0;  // pixels
};

// Looks again, with larger text, at sizes and places around a candidate.
Refined refine(const SearchView& view, const Template& pattern, const Candidate& candidate,
               int fine_ink) {
    const double side = std::min(view.width, view.height);
    const double guess = candidate.ink * side;
    const double x = candidate.x * side;
    const double y = candidate.y * side;
    const double w = pattern.shape.width * guess / fine_ink;
    const double h = pattern.shape.height * guess / fine_ink;
    const double slack = 0.45 * guess + 0.06 * w;
    const int left = static_cast<int>(std::floor(x - slack));
    const int top = static_cast<int>(std::floor(y - slack));
    const Rect area = media::intersect({left, top, static_cast<int>(std::ceil(w + 2 * slack)) + 1,
                                        static_cast<int>(std::ceil(h + 2 * slack)) + 1},
                                       {0, 0, view.width, view.height});
    const Field pixels = luma_of(view.full(area));
    Refined best;
    for (int percent = 92; percent <= 108; percent += 2) {
        const double size = percent / 100.0;
        const double step = guess * size / fine_ink;
        const int width = static_cast<int>(pixels.width / step);
        const int height = static_cast<int>(pixels.height / step);
        if (width < pattern.shape.width || height < pattern.shape.height) {
            continue;
        }
        const Field field = resample(pixels, step, width, height);
        const Peak peak =
            highest(field, pattern,
                    {0, 0, width - pattern.shape.width + 1, height - pattern.shape.height + 1});
        if (std::abs(peak.score) > std::abs(best.score)) {
            best = {.score = peak.score,
                    .x = area.x + peak.x * step,
                    .y = area.y + peak.y * step,
                    .ink = guess * size};
        }
    }
    return best;
}

// The wording as the layout would set it in a picture of this shape, and on one line.
std::vector<std::vector<std::string>> settings_of(const Typeface& typeface,
                                                  const std::string& wording, int width,
                                                  int height) {
    std::vector<std::vector<std::string>> settings{{wording}};
    const Result<Layout> layout = plan_layout(typeface, {wording}, width, height);
    if (layout && layout->lines.size() > 1) {
        settings.push_back(layout->lines);
    }
    return settings;
}

// First and last row of the ink, by the level halfway between text and ground. The first line of a
// broken text is measured, as lines have one height.
struct InkRows {
    int top = 0;
    int bottom = 0;
};
InkRows measure_rows(const Field& luma, const Rect& text, int line_height, bool white) {
    std::vector<float> values;
    for (int y = text.y; y < text.bottom(); ++y) {
        values.insert(values.end(), luma.row(y) + text.x, luma.row(y) + text.right());
    }
    std::sort(values.begin(), values.end());
    const auto part = [&](double p) {
        return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
    };
    const float ink = white ? part(0.97) : part(0.03);
    const float ground = white ? part(0.35) : part(0.65);
    const float middle = (ink + ground) / 2;
    const int slack = std::max(2, line_height / 6);
    const auto has_ink = [&](int y) {
        int count = 0;
        for (int x = text.x; x < text.right(); ++x) {
            count += (luma.row(y)[x] > middle) == white ? 1 : 0;
        }
        return count >= std::max(1, text.width / 60);
    };
    InkRows rows{std::max(0, text.y - slack),
                 std::min(luma.height, text.y + line_height + slack) - 1};
    while (rows.top < text.y + line_height / 2 && !has_ink(rows.top)) {
        ++rows.top;
    }
    while (rows.bottom > text.y + line_height / 2 && !has_ink(rows.bottom)) {
        --rows.bottom;
    }
    return rows;
}

// Where the glyphs of a wording lie, and how high they are set.
struct Laid {
    double score = 0;  // unsigned; 0: nowhere
    Rect box;
    int ink = 0;
};

// Tries heights a pixel around the measured one and places two pixels around the box: a mark laid
// one pixel off would measure the contrast of the fringes.
Result<Laid> lay_glyphs(const Field& luma, const Typeface& typeface, const Template& pattern,
                        const Rect& box, int ink) {
    Laid laid;
    for (int each = std::max(1, ink - 1); each <= ink + 1; ++each) {
        const Template exact = TRY(make_template(typeface, 0, pattern.lines, each));
        const Rect places = media::intersect(
            {box.x - 2, box.y - 2, 5, 5},
            {0, 0, luma.width - exact.shape.width + 1, luma.height - exact.shape.height + 1});
        const Peak peak = highest(luma, exact, places);
        if (std::abs(peak.score) > laid.score) {
            laid = {.score = std::abs(peak.score),
                    .box = {peak.x, peak.y, exact.shape.width, exact.shape.height},
                    .ink = each};
        }
    }
    return laid;
}

// Height and contrast on the full pixels.
Result<Match> measure(const SearchView& view, const Typeface& typeface, const Template& pattern,
                      const Refined& refined) {
    Match match;
    match.score = std::abs(refined.score);
    match.white_text = refined.score > 0;
    const double unit = refined.ink / kFineInk;
    const int slack = std::max(3, static_cast<int>(refined.ink / 4));
    const Rect box{static_cast<int>(std::lround(refined.x)),
                   static_cast<int>(std::lround(refined.y)),
                   static_cast<int>(std::lround(pattern.shape.width * unit)),
                   static_cast<int>(std::lround(pattern.shape.height * unit))};
    const Rect area = media::intersect(
        {box.x - slack, box.y - slack, box.width + 2 * slack, box.height + 2 * slack},
        {0, 0, view.width, view.height});
    const Patch patch = view.full(area);
    const Field luma = luma_of(patch);
    const Rect inside = media::intersect({box.x - area.x, box.y - area.y, box.width, box.height},
                                         {0, 0, area.width, area.height});
    const InkRows rows =
        measure_rows(luma, inside, static_cast<int>(std::lround(refined.ink)), match.white_text);
    const int ink = std::max(1, rows.bottom - rows.top + 1);
    const bool plausible = std::abs(ink - refined.ink) <= std::max(1.5, 0.1 * refined.ink);
    const double height = plausible ? ink : refined.ink;
    match.height_percent = 100.0 * height / std::min(view.width, view.height);
    match.box = box;
    // The glyphs at about that height, laid where they correlate best.
    const Laid laid = TRY(lay_glyphs(luma, typeface, pattern, inside,
                                     std::max(1, static_cast<int>(std::lround(height)))));
    if (laid.score > 0) {
        Overlay overlay;
        overlay.rect = {area.x + laid.box.x, area.y + laid.box.y, laid.box.width, laid.box.height};
        overlay.text = TRY(set_lines(typeface, pattern.lines, laid.ink));
        overlay.plate = {laid.box.width, laid.box.height, {}};
        overlay.plate.coverage.assign(overlay.rect.area(), 255);
        overlay.ink_height = laid.ink;
        match.contrast = measure_contrast(patch, overlay, match.white_text);
        match.box = overlay.rect;
    }
    return match;
}

// All wordings, each in its settings, at one ink height.
Result<std::vector<Template>> templates_of(const SearchView& view, const Typeface& typeface,
                                           const std::vector<std::string>& wordings, int ink) {
    struct Setting {
        std::size_t wording;
        std::vector<std::string> lines;
    };
    std::vector<Setting> settings;
    for (std::size_t i = 0; i < wordings.size(); ++i) {
        for (auto& lines : settings_of(typeface, wordings[i], view.width, view.height)) {
            settings.push_back({.wording = i, .lines = std::move(lines)});
        }
    }
    std::vector<Template> templates;
    templates.reserve(settings.size());
    for (const Setting& setting : settings) {
        templates.push_back(TRY(make_template(typeface, setting.wording, setting.lines, ink)));
    }
    return templates;
}

// The places, at any size, where one of the templates may stand.
std::vector<Candidate> find_candidates(const SearchView& view,
                                       const std::vector<Template>& coarse) {
    const Field small = to_field(view.small);
    const double side = std::min(small.width, small.height);
    const double most = std::min(view.width, view.height) < 200 ? 0.22 : kHeightMost;
    std::vector<Candidate> candidates;
    double ink = kHeightLeast;
    while (ink <= most) {
        const double step = ink * side / kCoarseInk;
        const int width = static_cast<int>(std::lround(small.width / step));
        const int height = static_cast<int>(std::lround(small.height / step));
        if (step >= 0.25 && width >= 1 && height >= 1) {
            scan_scale(resample(small, step, width, height), coarse, ink, candidates);
        }
        ink *= kLadderStep;
    }
    return candidates;
}

}  // namespace

Result<std::optional<Match>> search(const SearchView& view, const Typeface& typeface,
                                    const std::vector<std::string>& wordings) {
    const std::vector<Template> coarse = TRY(templates_of(view, typeface, wordings, kCoarseInk));
    const std::vector<Template> fine = TRY(templates_of(view, typeface, wordings, kFineInk));
    const std::vector<Candidate> candidates = find_candidates(view, coarse);
    std::optional<Match> best;
    Refined place;
    for (const Candidate& candidate : candidates) {
        const Template& pattern = fine[candidate.pattern];
        const Refined refined = refine(view, pattern, candidate, kFineInk);
        if (refined.score == 0) {
            continue;  // nothing to measure: what looked like text is flat at the finer size
        }
        // A longer wording that fits almost as well says more than a part of it.
        const double length = 0.02 * static_cast<double>(wordings[pattern.wording].size()) / 8.0;
        const double worth = std::abs(refined.score) + length;
        if (best && worth <= best->score) {
            continue;
        }
        best = TRY(measure(view, typeface, pattern, refined));
        best->text = wordings[pattern.wording];
        best->score = worth;
        place = refined;
    }
    if (best) {
        best->score = std::abs(place.score);
    }
    return best;
}

}  // namespace colophon::label::internal
