// SPDX-License-Identifier: Apache-2.0
// SVG (C2PA 2.4, A.3): the store in base64 is the text of svg/metadata/c2pa:manifest; that text
// alone is left out of the hash. The name space is declared on the root, because validators look
// for the bare tag.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/file_edits.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

using label::internal::XmlDoctype;
using label::internal::XmlKind;
using label::internal::XmlScanner;
using label::internal::XmlToken;

constexpr std::string_view kUri = "http://c2pa.org/manifest";
constexpr std::string_view kOpen = "<c2pa:manifest>";
constexpr std::string_view kClose = "</c2pa:manifest>";

struct Element {
    std::size_t text_begin = 0;
    std::size_t text_end = 0;
    bool plain = true;  // text and nothing else
};

struct Drawing {
    std::size_t root_begin = 0;      // behind the start tag of the root
    bool root_open = false;          // the root is not <svg/>
    std::string prefix;              // of the root, with its colon
    bool declared = false;           // the root gives the name space its usual prefix
    bool taken = false;              // the root gives the prefix to something else
    std::size_t metadata_begin = 0;  // behind the start tag of the first metadata; 0: none
    std::vector<Element> manifests;
};

bool is_manifest(const XmlToken& token) {
    return token.depth == 3 && token.name.is(kUri, "manifest");
}

void look_at_root(std::string_view text, const XmlToken& token, Drawing& drawing) {
    drawing.root_begin = token.range.end;
    drawing.root_open = !token.self_closing;
    drawing.prefix = token.name.prefix.empty() ? "" : std::string(token.name.prefix) + ":";
    for (const label::internal::XmlAttribute& each : token.attributes) {
        if (each.name.uri == label::internal::kXmlnsUri && each.name.local == "c2pa") {
            const std::string_view value =
                text.substr(each.value.begin, each.value.end - each.value.begin);
            (value == kUri ? drawing.declared : drawing.taken) = true;
        }
    }
}

Result<Drawing> scan(std::string_view text) {
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("an SVG of {} bytes; at most {} are read",
                                                    text.size(), limits::kTextFileBytesMax)};
    }
    XmlScanner scanner(text,
                       {.depth_max = limits::kSvgDepthMax, .doctype = XmlDoctype::kWithoutSubset});
    Drawing drawing;
    bool inside_metadata = false;
    bool inside = false;
    while (TRY(scanner.next())) {
        const XmlToken& token = scanner.token();
        const bool start = token.kind == XmlKind::kStart;
        const bool end = token.kind == XmlKind::kEnd;
        if (start && token.depth == 1) {
            look_at_root(text, token, drawing);
        }
        if ((start || end) && token.depth == 2) {
            inside_metadata = start && token.name.local == "metadata";
            if (inside_metadata && !token.self_closing && drawing.metadata_begin == 0) {
                drawing.metadata_begin = token.range.end;
            }
        }
        if (inside && end && is_manifest(token)) {
            drawing.manifests.back().text_end = token.range.begin;
            inside = false;
        } else if (inside && token.kind != XmlKind::kText) {
            drawing.manifests.back().plain = false;
        }
        if (start && inside_metadata && is_manifest(token)) {
            drawing.manifests.push_back({.text_begin = token.range.end,
                                         .text_end = token.range.end,
                                         .plain = !token.self_closing});
            inside = true;
        }
    }
    return drawing;
}

// A new element, in the metadata that is there or in a new one, which is the first child.
Result<void> add_element(const Drawing& drawing, const std::string& text, Placement& placement,
                         std::vector<FileEdit>& edits) {
    if (drawing.taken) {
        return Error{ErrorCode::kUnsupported,
                     "the drawing uses the prefix c2pa for something else"};
    }
    std::uint64_t shift = 0;
    if (!drawing.declared) {
        const std::string declaration = fmt::format(" xmlns:c2pa=\"{}\"", kUri);
        edits.push_back({drawing.root_begin - 1, 0, to_buffer(declaration)});
        shift = declaration.size();
    }
    const bool inside = drawing.metadata_begin != 0;
    const std::uint64_t place = inside ? drawing.metadata_begin : drawing.root_begin;
    const std::string open =
        inside ? std::string(kOpen) : fmt::format("<{}metadata>{}", drawing.prefix, kOpen);
    const std::string close =
        inside ? std::string(kClose) : fmt::format("{}</{}metadata>", kClose, drawing.prefix);
    placement.ranges = {{.offset = place + shift + open.size(), .size = text.size()}};
    edits.push_back({place, 0, to_buffer(open + text + close)});
    return {};
}

}  // namespace

Result<std::optional<FoundStore>> find_in_svg(Bytes file) {
    const std::string_view text = as_text(file);
    const Drawing drawing = TRY(scan(text));
    if (drawing.manifests.empty()) {
        return std::optional<FoundStore>();
    }
    const Element& element = drawing.manifests.front();
    const std::string_view raw =
        text.substr(element.text_begin, element.text_end - element.text_begin);
    const std::string_view inner = label::internal::trim_xml_space(raw);
    const std::size_t begin =
        element.text_begin + static_cast<std::size_t>(inner.data() - raw.data());
    FoundStore found{.store = {},
                     .ranges = {{.offset = begin, .size = inner.size()}},
                     .where = "svg metadata c2pa:manifest",
                     .problem = {},
                     .code = {}};
    auto store = from_base64(inner);
    if (drawing.manifests.size() > 1) {
        found.problem = "the drawing holds more than one manifest store";
    } else if (!element.plain || !store.ok()) {
        found.problem = "the manifest store of the drawing is no base64";
    }
    if (store.ok()) {
        found.store = std::move(store).value();
    }
    return std::optional(std::move(found));
}

Result<Placement> place_in_svg(Bytes file, Bytes store) {
    const Drawing drawing = TRY(scan(as_text(file)));
    if (!drawing.root_open) {
        return Error{ErrorCode::kUnsupported, "an SVG with nothing in it"};
    }
    const std::string text = to_base64(store);
    std::vector<FileEdit> edits;
    Placement placement;
    if (!drawing.manifests.empty() && drawing.manifests.front().plain) {
        const Element& element = drawing.manifests.front();
        edits.push_back(
            {element.text_begin, element.text_end - element.text_begin, to_buffer(text)});
        placement.ranges = {{.offset = element.text_begin, .size = text.size()}};
    } else if (!drawing.manifests.empty()) {
        return Error{ErrorCode::kCorrupt,
                     "the manifest element of the drawing holds more than a text"};
    } else {
        TRY(add_element(drawing, text, placement, edits));
    }
    placement.splice = TRY(splice_edits(file, std::move(edits)));
    return placement;
}

}  // namespace colophon::label::provenance::internal
