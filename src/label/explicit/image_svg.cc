// SPDX-License-Identifier: Apache-2.0
// The mark in an SVG: outlines, so that it does not depend on the fonts of who looks at it.
//
//   <g class="aigc-label"><title>AI生成</title><desc>...</desc><rect .../><path .../></g>
//
// It is the last child of the root and thus lies above everything else. Units are those of the
// root's viewBox, or of its width and height where there is none. What lies under the mark is
// unknown without rendering, so the plate is opaque.
#include "label/explicit/internal/image_svg.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "media/text_raster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kSvgUri = "http://www.w3.org/2000/svg";
constexpr std::string_view kClass = "aigc-label";
constexpr int kUnits = 10000;  // the layout is made on a grid with this shortest side

struct View {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
};

struct SvgFacts {
    std::optional<View> view;
    std::string prefix;  // of the SVG namespace at the root, with its colon
    TextRange root;      // the start tag of the root
    bool root_self_closing = false;
    std::size_t root_end = 0;         // where the end tag of the root begins
    std::optional<std::string> mark;  // the title of our group
    std::optional<TextRange> mark_range;
    double mark_height = 0;          // its stated height in percent
    std::vector<std::string> texts;  // of text elements
};

// A length; units other than px count as px, a percentage as nothing.
std::optional<double> parse_length(std::string_view text) {
    const std::string copy(text);
    char* end = nullptr;
    const double value = std::strtod(copy.c_str(), &end);
    if (end == copy.c_str() || *end == '%' || !std::isfinite(value) || value <= 0) {
        return std::nullopt;
    }
    return value;
}

std::optional<View> parse_view_box(std::string_view text) {
    std::string copy(text);
    std::replace(copy.begin(), copy.end(), ',', ' ');
    const char* at = copy.c_str();
    double values[4] = {};
    for (double& value : values) {
        char* end = nullptr;
        value = std::strtod(at, &end);
        if (end == at || !std::isfinite(value)) {
            return std::nullopt;
        }
        at = end;
    }
    if (values[2] <= 0 || values[3] <= 0) {
        return std::nullopt;
    }
    return View{values[0], values[1], values[2], values[3]};
}

std::string attribute(std::string_view text, const XmlToken& token, std::string_view name) {
    for (const XmlAttribute& a : token.attributes) {
        if (a.name.uri.empty() && a.name.local == name) {
            return decode_xml_attribute(cut(text, a.value));
        }
    }
    return {};
}

void read_root(std::string_view text, const XmlToken& token, SvgFacts& facts) {
    facts.root = token.range;
    facts.root_self_closing = token.self_closing;
    facts.prefix = token.name.prefix.empty() ? "" : std::string(token.name.prefix) + ":";
    facts.view = parse_view_box(attribute(text, token, "viewBox"));
    if (!facts.view) {
        const std::optional<double> width = parse_length(attribute(text, token, "width"));
        const std::optional<double> height = parse_length(attribute(text, token, "height"));
        if (width && height) {
            facts.view = View{0, 0, *width, *height};
        }
    }
}

// Goes over the tokens of a drawing and notes what is in it.
class SvgScan {
public:
    explicit SvgScan(std::string_view text) : text_(text) {}

    Result<void> take(const XmlToken& token) {
        if (token.kind == XmlKind::kStart) {
            return start(token);
        }
        if (token.kind == XmlKind::kText || token.kind == XmlKind::kCdata) {
            content(token);
        } else if (token.kind == XmlKind::kEnd) {
            end(token);
        }
        return {};
    }
    SvgFacts facts() { return std::move(facts_); }

private:
    Result<void> start(const XmlToken& token) {
        if (token.depth == 1) {
            if (!token.name.is(kSvgUri, "svg")) {
                return Error{ErrorCode::kCorrupt, "the root is no svg element"};
            }
            read_root(text_, token, facts_);
        } else if (token.depth == 2 && attribute(text_, token, "class") == kClass) {
            mark_depth_ = token.depth;
            facts_.mark = "";
            facts_.mark_range = token.range;
            facts_.mark_height =
                parse_length(attribute(text_, token, "data-height-percent")).value_or(0);
        } else if (text_depth_ == 0 && token.name.is(kSvgUri, "text")) {
            text_depth_ = token.depth;
            facts_.texts.emplace_back();
        }
        in_title_ = mark_depth_ != 0 && token.name.is(kSvgUri, "title");
        return {};
    }
    void content(const XmlToken& token) {
        if (in_title_ && facts_.mark) {
            *facts_.mark += decode_xml_text(cut(text_, token.content));
        } else if (text_depth_ != 0) {
            facts_.texts.back() += decode_xml_text(cut(text_, token.content));
        }
    }
    void end(const XmlToken& token) {
        in_title_ = false;
        text_depth_ = token.depth == text_depth_ ? 0 : text_depth_;
        if (mark_depth_ != 0 && token.depth == mark_depth_) {
            facts_.mark_range->end = token.range.end;
            mark_depth_ = 0;
        }
        if (token.depth == 1) {
            facts_.root_end = token.range.begin;
        }
    }

    std::string_view text_;
    SvgFacts facts_;
    std::size_t mark_depth_ = 0;
    std::size_t text_depth_ = 0;
    bool in_title_ = false;
};

Result<SvgFacts> scan(Bytes file) {
    if (file.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit, "the SVG is too large"};
    }
    const std::string_view text = as_text(file);
    XmlScanner scanner(text, {limits::kXmlDepthMax, XmlDoctype::kWithoutSubset});
    SvgScan scan(text);
    while (TRY(scanner.next())) {
        TRY(scan.take(scanner.token()));
    }
    return scan.facts();
}

std::string path_data(const media::TextOutline& outline, double x, double y, double scale) {
    std::string out;
    bool open = false;
    for (const media::PathCommand& command : outline.path) {
        constexpr std::string_view kLetters = "MLQC";
        if (command.verb == media::PathVerb::kMove && open) {
            out += 'Z';
        }
        open = true;
        out += kLetters[static_cast<std::size_t>(command.verb)];
        for (int i = 0; i < command.count(); ++i) {
            out += fmt::format("{}{:.6g} {:.6g}", i > 0 ? " " : "", x + command.points[i].x * scale,
                               y + command.points[i].y * scale);
        }
    }
    return open ? out + 'Z' : out;
}

// The group, laid out on a fine grid and written in the units of the view.
Result<std::string> make_group(const Drawing& drawing, const SvgFacts& facts, double& percent) {
    const View& view = *facts.view;
    const double unit = std::min(view.width, view.height) / kUnits;
    const double across = view.width / unit;
    const double down = view.height / unit;
    if (across > 100.0 * kUnits || down > 100.0 * kUnits) {
        return Error{ErrorCode::kInvalidArgument, "an SVG more than 100 times as long as wide"};
    }
    const Layout layout = TRY(plan_layout(drawing.typeface, drawing.mark, static_cast<int>(across),
                                          static_cast<int>(down)));
    percent = 100.0 * layout.ink_height / kUnits;
    const std::string& p = facts.prefix;
    const double left = view.x + layout.plate.x * unit;
    const double top = view.y + layout.plate.y * unit;
    const double ink = layout.ink_height * unit;
    std::string out = fmt::format(
        "<{0}g class=\"{1}\" data-height-percent=\"{2:.2f}\"><{0}title>{3}</{0}title><{0}rect "
        "x=\"{4:.6g}\" y=\"{5:.6g}\" width=\"{6:.6g}\" height=\"{7:.6g}\" rx=\"{8:.6g}\" "
        "style=\"fill:#000;fill-opacity:1;stroke:none\"/><{0}path "
        "style=\"fill:#fff;fill-opacity:1;fill-rule:nonzero;stroke:none\" d=\"",
        p, kClass, percent, encode_xml(drawing.mark.text), left, top, layout.plate.width * unit,
        layout.plate.height * unit, ink * 0.5);
    for (std::size_t i = 0; i < layout.lines.size(); ++i) {
        const media::TextOutline outline = TRY(drawing.typeface.outline(layout.lines[i]));
        const double x = left + (layout.plate.width * unit - outline.width * ink) / 2;
        const double y = top + (layout.pad_y + static_cast<int>(i) * layout.line_step) * unit;
        out += path_data(outline, x, y, ink);
    }
    return out + fmt::format("\"/></{0}g>", p);
}

}  // namespace

Result<ExplicitReading> find_svg_mark(Bytes file, const std::vector<std::string>& wordings) {
    const SvgFacts facts = TRY(scan(file));
    ExplicitReading reading;
    if (facts.mark && std::find(wordings.begin(), wordings.end(), *facts.mark) != wordings.end()) {
        reading.found = true;
        reading.text = *facts.mark;
        reading.where = "mark group";
        reading.height_percent = facts.mark_height;
        reading.contrast = 21.0;  // white on opaque black
        return reading;
    }
    for (const std::string& text : facts.texts) {
        for (const std::string& wording : wordings) {
            if (!reading.found && text.find(wording) != std::string::npos) {
                reading.found = true;
                reading.text = wording;
                reading.where = "text element";
                note(reading.findings, "explicit.unmeasured",
                     "the words stand in a text element, whose height depends on the font");
            }
        }
    }
    return reading;
}

Result<Drawn> draw_svg(const Drawing& drawing) {
    const SvgFacts facts = TRY(scan(drawing.file));
    if (!facts.view) {
        return Error{ErrorCode::kUnsupported,
                     "the SVG has neither a viewBox nor a width and height to measure against"};
    }
    Drawn drawn;
    const std::string group = TRY(make_group(drawing, facts, drawn.height_percent));
    drawn.contrast = 21.0;
    const std::string_view text = as_text(drawing.file);
    std::vector<TextEdit> edits;
    if (facts.mark_range) {
        edits.push_back({*facts.mark_range, ""});  // another text of ours gives way
    }
    if (facts.root_self_closing) {
        const std::size_t slash = text.rfind('/', facts.root.end - 1);
        edits.push_back({{slash, facts.root.end}, ">" + group + "</" + facts.prefix + "svg>"});
    } else {
        edits.push_back({{facts.root_end, facts.root_end}, group});
    }
    drawn.splice = splice_edits(drawing.file.size(), std::move(edits));
    return drawn;
}

}  // namespace colophon::label::internal
