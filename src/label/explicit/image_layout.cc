// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/image_layout.h"

#include "core/result.h"
#include "core/utf8.h"
#include "label/explicit/image.h"
#include "label/explicit/image_turn.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::Mask;
using media::Rect;
using media::TextMask;
using media::Typeface;

constexpr int kInkLegible = 12;      // pixels
constexpr int kInkLegibleLeast = 8;  // pixels
constexpr double kPadX = 0.55;       // these are in ink heights
constexpr double kPadY = 0.42;
constexpr double kMargin = 0.5;
constexpr double kTightPad = 0.2;
constexpr double kTightMargin = 0.12;
constexpr double kLineGap = 0.45;
constexpr std::size_t kLinesMax = 64;

int scaled(double factor, int ink) {
    return std::max(1, static_cast<int>(std::lround(factor * ink)));
}

bool is_letter(char32_t c) {
    return c < 0x2E80 && c != ' ' && c != '-' && c != '/';
}

// The pieces between which a line may break: behind spaces and hyphens, beside ideographs.
// `everywhere` breaks words too.
std::vector<std::string> cut_pieces(std::string_view text, bool everywhere) {
    std::vector<std::string> pieces;
    std::size_t at = 0;
    char32_t before = ' ';
    while (const std::optional<char32_t> c = next_code_point(text, at)) {
        const bool joined = is_letter(before) && is_letter(*c) && !everywhere;
        const bool trailing = (*c == ' ' || *c == '-' || *c == '/') && !pieces.empty();
        if (pieces.empty() || !(joined || trailing)) {
            pieces.emplace_back();
        }
        append_utf8(pieces.back(), *c);
        before = *c;
    }
    return pieces;
}

std::string join(const std::vector<std::string>& pieces, std::size_t first, std::size_t last) {
    std::string line;
    for (std::size_t i = first; i < last; ++i) {
        line += pieces[i];
    }
    while (!line.empty() && line.back() == ' ') {
        line.pop_back();
    }
    return line;
}

struct Broken {
    std::vector<std::string> lines;
    std::vector<double> widths;
    double width = 0;
};

// A line that begins with a piece: where it ends (its own beginning when nothing fits).
struct Filled {
    std::size_t last = 0;
    double width = 0;
};

Result<Filled> fill_line(const Typeface& typeface, const std::vector<std::string>& pieces,
                         std::size_t first, double limit) {
    Filled filled{.last = first, .width = 0};
    while (filled.last < pieces.size()) {
        const std::string line = join(pieces, first, filled.last + 1);
        const double wider = line.empty() ? 0 : TRY(typeface.outline(line)).width;
        if (wider > limit) {
            break;
        }
        filled.width = wider;
        ++filled.last;
    }
    return filled;
}

// Fills lines up to `limit` (in ink heights); nothing when a piece alone is wider.
Result<std::optional<Broken>> fill_lines(const Typeface& typeface,
                                         const std::vector<std::string>& pieces, double limit) {
    Broken broken;
    std::size_t first = 0;
    while (first < pieces.size()) {
        const auto [last, width] = TRY(fill_line(typeface, pieces, first, limit));
        if (last == first || broken.lines.size() == kLinesMax) {
            return std::optional<Broken>();
        }
        const std::string line = join(pieces, first, last);
        if (!line.empty()) {
            broken.lines.push_back(line);
            broken.widths.push_back(width);
            broken.width = std::max(broken.width, width);
        }
        first = last;
    }
    return std::optional<Broken>(std::move(broken));
}

// The fewest lines within `limit`, then the narrowest block with that many lines.
Result<std::optional<Broken>> balance(const Typeface& typeface,
                                      const std::vector<std::string>& pieces, double limit) {
    std::optional<Broken> best = TRY(fill_lines(typeface, pieces, limit));
    if (!best || best->lines.size() < 2) {
        return best;
    }
    double narrower = limit * 0.92;
    while (narrower > 0.8) {
        std::optional<Broken> other = TRY(fill_lines(typeface, pieces, narrower));
        if (!other || other->lines.size() > best->lines.size()) {
            break;
        }
        best = std::move(other);
        narrower *= 0.92;
    }
    return best;
}

struct Spacing {
    int pad_x;
    int pad_y;
    int margin;
};

Spacing roomy(int ink) {
    return {
        .pad_x = scaled(kPadX, ink), .pad_y = scaled(kPadY, ink), .margin = scaled(kMargin, ink)};
}
Spacing tight(int ink) {
    return {.pad_x = scaled(kTightPad, ink),
            .pad_y = scaled(kTightPad, ink),
            .margin = scaled(kTightMargin, ink)};
}

Rect place_plate(ImagePlace place, int width, int height, int margin, Rect plate) {
    const int left = margin;
    const int top = margin;
    const int right = width - margin - plate.width;
    const int bottom = height - margin - plate.height;
    const int centre = (width - plate.width) / 2;
    const int middle = (height - plate.height) / 2;
    switch (place) {
        case ImagePlace::kBottomRight:
            plate.x = right, plate.y = bottom;
            break;
        case ImagePlace::kBottomLeft:
            plate.x = left, plate.y = bottom;
            break;
        case ImagePlace::kTopRight:
            plate.x = right, plate.y = top;
            break;
        case ImagePlace::kTopLeft:
            plate.x = left, plate.y = top;
            break;
        case ImagePlace::kBottom:
            plate.x = centre, plate.y = bottom;
            break;
        case ImagePlace::kTop:
            plate.x = centre, plate.y = top;
            break;
        case ImagePlace::kLeft:
            plate.x = left, plate.y = middle;
            break;
        case ImagePlace::kRight:
            plate.x = right, plate.y = middle;
            break;
    }
    return plate;
}

// One ink height with one spacing and one way of breaking.
struct Attempt {
    int ink = 0;
    Spacing spacing{};
    bool break_words = false;
    bool one_line = true;
};

Result<std::optional<Layout>> try_layout(const Typeface& typeface, const ImageMark& mark, int width,
                                         int height, const Attempt& attempt) {
    const Spacing& spacing = attempt.spacing;
    const int room = width - 2 * spacing.margin - 2 * spacing.pad_x;
    const int rows = height - 2 * spacing.margin - 2 * spacing.pad_y;
    if (room <= 0 || rows < attempt.ink) {
        return std::optional<Layout>();
    }
    const double limit = static_cast<double>(room - 1) / attempt.ink;
    const std::vector<std::string> pieces = attempt.one_line
                                                ? std::vector<std::string>{mark.text}
                                                : cut_pieces(mark.text, attempt.break_words);
    const std::optional<Broken> broken = TRY(balance(typeface, pieces, limit));
    if (!broken) {
        return std::optional<Layout>();
    }
    Layout layout;
    layout.ink_height = attempt.ink;
    layout.pad_x = spacing.pad_x;
    layout.pad_y = spacing.pad_y;
    layout.lines = broken->lines;
    layout.widths = broken->widths;
    layout.line_step = attempt.ink + scaled(kLineGap, attempt.ink);
    const int lines = static_cast<int>(layout.lines.size());
    layout.plate.width =
        static_cast<int>(std::ceil(broken->width * attempt.ink)) + 1 + 2 * spacing.pad_x;
    layout.plate.height = attempt.ink + (lines - 1) * layout.line_step + 2 * spacing.pad_y;
    if (layout.plate.height + 2 * spacing.margin > height ||
        layout.plate.width + 2 * spacing.margin > width) {
        return std::optional<Layout>();
    }
    layout.plate = place_plate(mark.place, width, height, spacing.margin, layout.plate);
    return std::optional<Layout>(std::move(layout));
}

Error too_small(const Typeface& typeface, const ImageMark& mark, int width, int height) {
    const Result<media::TextOutline> outline = typeface.outline(mark.text);
    const double line = outline.ok() ? outline->width : 1.0;
    const int side = static_cast<int>(std::ceil(kInkLegibleLeast * (1 + 2 * (kTightPad + 0.25))));
    const int length =
        static_cast<int>(std::ceil(kInkLegibleLeast * (line + 2 * (kTightPad + 0.25)))) + 2;
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("a picture of {} x {} pixels cannot hold \"{}\" legibly; it takes at "
                             "least {} x {}, or a shorter text",
                             width, height, mark.text, std::max(length, side), side)};
}

// Coverage of a rounded rectangle that fills a mask of this size, sampled on a 4 x 4 grid.
Mask rounded_plate(int width, int height, double radius) {
    Mask mask{width, height, {}};
    mask.coverage.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255);
    const int reach = static_cast<int>(std::ceil(radius));
    const auto covered = [&](double x, double y) {
        const double dx = std::max({radius - x, x - (width - radius), 0.0});
        const double dy = std::max({radius - y, y - (height - radius), 0.0});
        return dx * dx + dy * dy <= radius * radius;
    };
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const bool corner =
                (x < reach || x >= width - reach) && (y < reach || y >= height - reach);
            if (!corner) {
                continue;
            }
            int inside = 0;
            for (int i = 0; i < 16; ++i) {
                const int row = i / 4;
                inside += covered(x + (i % 4 + 0.5) / 4, y + (row + 0.5) / 4) ? 1 : 0;
            }
            mask.coverage[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                          static_cast<std::size_t>(x)] =
                static_cast<std::uint8_t>(inside * 255 / 16);
        }
    }
    return mask;
}

void stamp(const Mask& from, int at_x, int at_y, Mask& into) {
    for (int y = 0; y < from.height; ++y) {
        for (int x = 0; x < from.width; ++x) {
            const int ox = at_x + x;
            const int oy = at_y + y;
            if (ox >= 0 && oy >= 0 && ox < into.width && oy < into.height) {
                std::uint8_t& out = into.coverage[static_cast<std::size_t>(oy) *
                                                      static_cast<std::size_t>(into.width) +
                                                  static_cast<std::size_t>(ox)];
                out = std::max(out, from.at(x, y));
            }
        }
    }
}

}  // namespace

namespace {

// The ways to set the text at one ink height, the best first.
Result<std::optional<Layout>> layout_at(const Typeface& typeface, const ImageMark& mark, int width,
                                        int height, int ink) {
    const Attempt attempts[] = {
        {ink, roomy(ink), false, true},  {ink, tight(ink), false, true},
        {ink, roomy(ink), false, false}, {ink, tight(ink), false, false},
        {ink, tight(ink), true, false},
    };
    for (const Attempt& attempt : attempts) {
        std::optional<Layout> layout = TRY(try_layout(typeface, mark, width, height, attempt));
        if (layout) {
            return layout;
        }
    }
    return std::optional<Layout>();
}

}  // namespace

Result<Layout> plan_layout(const Typeface& typeface, const ImageMark& mark, int width, int height) {
    const int least =
        static_cast<int>(std::ceil(kInkHeightPercent / 100.0 * std::min(width, height) - 1e-9));
    // [GB45438-5.2] at least 5 % of the shortest side; we draw 5.5 %.
    for (int ink = std::max(least, kInkLegible); ink >= std::max(least, kInkLegibleLeast); --ink) {
        std::optional<Layout> layout = TRY(layout_at(typeface, mark, width, height, ink));
        if (layout) {
            return std::move(*layout);
        }
    }
    return too_small(typeface, mark, width, height);
}

Result<Overlay> lay_out(const Typeface& typeface, const ImageMark& mark, int width, int height) {
    const Layout layout = TRY(plan_layout(typeface, mark, width, height));
    Overlay overlay;
    overlay.rect = layout.plate;
    overlay.ink_height = layout.ink_height;
    const int w = layout.plate.width;
    const int h = layout.plate.height;
    overlay.plate = rounded_plate(w, h, std::min({0.5 * layout.ink_height, w / 2.0, h / 2.0}));
    overlay.text = {w, h, {}};
    overlay.text.coverage.assign(static_cast<std::size_t>(w) * static_cast<std::size_t>(h), 0);
    for (std::size_t i = 0; i < layout.lines.size(); ++i) {
        const TextMask line = TRY(typeface.raster(layout.lines[i], layout.ink_height));
        const int y = layout.pad_y + static_cast<int>(i) * layout.line_step - line.ink_top;
        stamp(line.mask, (w - line.mask.width) / 2, y, overlay.text);
    }
    return overlay;
}

Overlay orient(const Overlay& displayed, int orientation, int width, int height) {
    const Turn turn(orientation, width, height);
    if (turn.upright()) {
        return displayed;
    }
    const Rect& from = displayed.rect;
    Overlay stored;
    stored.ink_height = displayed.ink_height;
    stored.rect = turn.stored(from);
    stored.plate = {stored.rect.width, stored.rect.height, {}};
    stored.text = stored.plate;
    for (int y = stored.rect.y; y < stored.rect.bottom(); ++y) {
        for (int x = stored.rect.x; x < stored.rect.right(); ++x) {
            const auto [sx, sy] = turn.shown(x, y);
            stored.plate.coverage.push_back(displayed.plate.at(sx - from.x, sy - from.y));
            stored.text.coverage.push_back(displayed.text.at(sx - from.x, sy - from.y));
        }
    }
    return stored;
}

Result<Mask> set_lines(const Typeface& typeface, const std::vector<std::string>& lines,
                       int ink_height) {
    std::vector<TextMask> masks;
    int width = 0;
    for (const std::string& line : lines) {
        masks.push_back(TRY(typeface.raster(line, ink_height)));
        width = std::max(width, masks.back().mask.width);
    }
    const int step = ink_height + scaled(kLineGap, ink_height);
    const int height = ink_height + (static_cast<int>(lines.size()) - 1) * step;
    Mask out{width, height, {}};
    out.coverage.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0);
    for (std::size_t i = 0; i < masks.size(); ++i) {
        stamp(masks[i].mask, (width - masks[i].mask.width) / 2,
              static_cast<int>(i) * step - masks[i].ink_top, out);
    }
    return out;
}

}  // namespace colophon::label::internal
