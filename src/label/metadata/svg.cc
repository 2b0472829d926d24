// SPDX-License-Identifier: Apache-2.0
// The label of a drawing: an XMP packet in the <metadata> of the root element, which is where the
// guide's "other formats: XMP" lands for SVG [GB45438-6.1]. RDF that stands there without a packet
// (Inkscape writes it so) takes the properties itself.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/rdf_edit.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSvgUri = "http://www.w3.org/2000/svg";

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct Drawing {
    std::string prefix;  // of the root element, with its colon
    std::optional<RdfElement> root;
    std::optional<RdfElement> metadata;  // the first one of the root
    RdfFacts facts;
    std::optional<TextRange> encoding;  // a declared one that is not UTF-8
};

Result<void> check_file(std::string_view text) {
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit,
                     "SVG: a file of " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(limits::kTextFileBytesMax) + " are read"};
    }
    if (text.starts_with("\x1F\x8B")) {
        return Error{ErrorCode::kUnsupported,
                     "SVG: the drawing is compressed with gzip (SVGZ); unpack it first"};
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") || text.starts_with("<\0"sv) ||
        text.starts_with("\0"sv)) {
        return Error{ErrorCode::kUnsupported,
                     "SVG: the drawing is not written in UTF-8; convert it first"};
    }
    return {};
}

// Other tokens than the start of the root element are passed over.
Result<void> look_at_root(std::string_view text, const XmlScanner& scanner, Drawing& drawing) {
    const XmlToken& token = scanner.token();
    if (token.kind != XmlKind::kStart || token.depth != 1) {
        return {};
    }
    if (token.name.local != "svg" || (!token.name.uri.empty() && token.name.uri != kSvgUri)) {
        return Error{ErrorCode::kUnsupported, "SVG: the root element is not svg"};
    }
    drawing.root = element_at(text, scanner);
    drawing.prefix = token.name.prefix.empty() ? "" : std::string(token.name.prefix) + ":";
    return {};
}

bool is_metadata(const XmlToken& token) noexcept {
    return token.depth == 2 && token.name.local == "metadata" &&
           (token.name.uri.empty() || token.name.uri == kSvgUri);
}

Result<Drawing> scan_drawing(std::string_view text) {
    TRY(check_file(text));
    XmlScanner scanner(text,
                       {.depth_max = limits::kSvgDepthMax, .doctype = XmlDoctype::kWithoutSubset});
    RdfCollector collector(text);
    Drawing drawing;
    bool inside = false;
    while (TRY(scanner.next())) {
        const XmlToken& token = scanner.token();
        if (const auto encoding = foreign_encoding(text, token)) {
            drawing.encoding = encoding;
        }
        TRY(look_at_root(text, scanner, drawing));
        const bool border =
            (token.kind == XmlKind::kStart || token.kind == XmlKind::kEnd) && is_metadata(token);
        if (border) {
            inside = token.kind == XmlKind::kStart;
            if (inside && !drawing.metadata) {
                drawing.metadata = element_at(text, scanner);
            }
        }
        if (border || !inside) {
            continue;
        }
        TRY(collector.feed(scanner));
    }
    drawing.facts = collector.facts();
    if (drawing.encoding && !is_ascii(text)) {
        return Error{ErrorCode::kUnsupported,
                     "SVG: the drawing says that it is written in " +
                         std::string(cut(text, *drawing.encoding).substr(0, 40)) +
                         "; only UTF-8 is read, convert it first"};
    }
    return drawing;
}

// Without the optional x:xmpmeta: where it stands behind an XML declaration, ExifTool takes the
// drawing for a bare XMP file and names its tags after the elements around them.
std::string packet_in_line(const MetadataFields& fields, std::string_view indent) {
    const std::string line(indent);
    return line + "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" + line +
           new_rdf(fields, indent) + line + "<?xpacket end=\"w\"?>";
}

// No RDF and no wrapper yet: a packet, in the metadata that is there or in a new one, which the
// specification wants as the first child.
std::vector<TextEdit> plan_new_packet(std::string_view text, const Drawing& drawing,
                                      const MetadataFields& fields) {
    std::vector<TextEdit> edits = plan_rdf_removal(text, drawing.facts);
    if (drawing.metadata) {
        const std::string_view indent = indentation_in(text, *drawing.metadata);
        add_children(*drawing.metadata, {}, packet_in_line(fields, indent), edits);
        return edits;
    }
    const std::string line(indentation_in(text, *drawing.root));
    const std::string inner = line.empty() ? line : line + " ";
    const std::string name = drawing.prefix + "metadata";
    add_children(*drawing.root, {},
                 line + "<" + name + ">" + packet_in_line(fields, inner) + line + "</" + name + ">",
                 edits);
    return edits;
}

}  // namespace

Result<MetadataReading> read_svg(Bytes file) {
    const Drawing drawing = TRY(scan_drawing(as_text(file)));
    RdfReading rdf = read_rdf(drawing.facts);
    MetadataReading reading;
    reading.iptc = std::move(rdf.iptc);
    reading.credential_link = drawing.facts.credential_link;
    reading.findings = std::move(rdf.findings);
    for (RdfLabel& label : rdf.labels) {
        if (reading.sites.size() == limits::kLabelSitesMax) {
            warn(reading.findings, "metadata.too_many",
                 "more than " + std::to_string(limits::kLabelSitesMax) + " labels in one file");
            break;
        }
        reading.sites.push_back({.where = "svg metadata XMP",
                                 .value = std::move(label.value),
                                 .offset = label.range.begin,
                                 .standard_place = label.placed});
    }
    return reading;
}

Result<Splice> write_svg(Bytes file, const MetadataFields& fields) {
    TRY(check_rdf_fields(fields));
    const std::string_view text = as_text(file);
    const Drawing drawing = TRY(scan_drawing(text));
    auto planned = plan_rdf_edits(text, drawing.facts, fields);
    if (!planned.ok() && planned.error().code != ErrorCode::kNotFound) {
        return planned.error();
    }
    std::vector<TextEdit> edits =
        planned.ok() ? *std::move(planned) : plan_new_packet(text, drawing, fields);
    const bool ascii =
        std::ranges::all_of(edits, [](const TextEdit& edit) { return is_ascii(edit.text); });
    if (drawing.encoding && !ascii) {
        edits.push_back({.where = *drawing.encoding, .text = "UTF-8"});
    }
    return splice_edits(text.size(), std::move(edits));
}

}  // namespace colophon::label::internal
