// SPDX-License-Identifier: Apache-2.0
#pragma once

// The TC260 and IPTC properties in RDF/XML: where they stand, and the edits that leave exactly one
// of each. Shared by XMP packets (xmp.cc) and drawings (svg.cc), which differ only in what
// surrounds the rdf:RDF element. [GB45438-6.1]
//
//   rdf:RDF                      depth n
//     rdf:Description            depth n + 1: a node; its attributes may be properties
//       TC260:AIGC               depth n + 2: a property element
//
// A property of ours inside another property speaks about something else (an ingredient, for
// example): it is neither read as the file's label nor touched.

#include "core/result.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "label/metadata/container.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

inline constexpr std::string_view kRdfUri = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
inline constexpr std::string_view kXmpMetaUri = "adobe:ns:meta/";
inline constexpr std::string_view kTc260Uri = "http://www.tc260.org.cn/ns/AIGC/1.0/";
inline constexpr std::string_view kDublinCoreTermsUri = "http://purl.org/dc/terms/";
inline constexpr std::string_view kIptcExtUri = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";

enum class RdfProperty : std::uint8_t {
    kAigc,
    kDigitalSourceType,
    kAiSystemUsed,
    kAiSystemVersionUsed,
};
inline constexpr std::size_t kRdfPropertyCount = 4;

// One place where one of our properties stands.
struct RdfSite {
    enum class Form : std::uint8_t { kElement, kAttribute };

    RdfProperty property = RdfProperty::kAigc;
    Form form = Form::kElement;
    bool placed = false;    // belongs to a node of an rdf:RDF, as it should
    bool plain = true;      // an element with nothing but text in it and no RDF attributes
    TextRange range;        // the whole element or attribute
    TextRange content;      // of the element, or between the quotes
    std::string raw_name;   // of the element, with its prefix
    std::string raw_xmlns;  // its own namespace declarations, each with a space before it
    std::vector<std::string> values;  // decoded and trimmed; several for an array
};

// An element into which something can be added.
struct RdfElement {
    TextRange start_tag;
    std::string raw_name;
    bool self_closing = false;
    std::optional<std::string> rdf_prefix;
    std::array<std::optional<std::string>, 2> prefixes;  // of kTc260Uri and kIptcExtUri
    std::array<bool, 2> taken{};  // whether our usual prefix already stands for something
};

struct RdfFacts {
    std::vector<RdfSite> sites;
    std::optional<RdfElement> xmpmeta;      // the first x:xmpmeta
    std::optional<RdfElement> rdf;          // the first rdf:RDF
    std::optional<RdfElement> description;  // where new properties go
    bool description_declares_tc260 = false;
    bool nested = false;  // a property of ours was seen inside another property
    // The first dcterms:provenance of a node, which is only read: see MetadataReading.
    std::string credential_link;
};

// The element whose start is the scanner's token.
RdfElement element_at(std::string_view text, const XmlScanner& scanner);

// Adds `content` as the first children of an element, opening it when it was <a/>. The start tag
// also gets `attributes`.
void add_children(const RdfElement& element, std::string attributes, std::string content,
                  std::vector<TextEdit>& edits);

// The line break and indentation that stand behind a start tag, so that what we add looks at home;
// empty for <a/> and where no child follows.
std::string_view indentation_in(std::string_view text, const RdfElement& element);

// Feeds on the tokens of a scanner.
class RdfCollector {
public:
    explicit RdfCollector(std::string_view text) : text_(text) {}

    // kLimit above limits::kXmpPropertiesMax properties, or limits::kLabelBytesMax in one.
    Result<void> feed(const XmlScanner& scanner);
    const RdfFacts& facts() const noexcept { return facts_; }

private:
    Result<void> take_text(const XmlToken& token);
    Result<void> start(const XmlScanner& scanner);
    Result<void> start_property(const XmlToken& token, RdfProperty property, bool placed);
    Result<void> take_attributes(const XmlToken& token, bool placed);
    Result<void> add(RdfSite site);
    Result<void> check_value_size(TextRange more) const;
    void start_node(const XmlScanner& scanner);
    void start_link(const XmlToken& token);
    void take_link(std::string_view text);
    void inside_property(const XmlToken& token);
    void flush_value();
    void end(const XmlToken& token);

    std::string_view text_;
    RdfFacts facts_;
    std::size_t xmpmeta_depth_ = 0;  // 0: not inside
    std::size_t rdf_depth_ = 0;
    std::size_t property_depth_ = 0;  // of the property of ours that is open; it is sites.back()
    std::string value_;
    std::size_t link_depth_ = 0;  // of the open dcterms:provenance
};

struct RdfLabel {
    std::string value;
    TextRange range;  // of the element or attribute
    bool placed = false;
};

// What the sites say, for a reader. Labels are in file order.
struct RdfReading {
    std::vector<RdfLabel> labels;
    IptcFields iptc;
    Findings findings;
};
RdfReading read_rdf(const RdfFacts& facts);

// kInvalidArgument for fields that cannot stand in XML, and for an empty label.
Result<void> check_rdf_fields(const MetadataFields& fields);

// The edits after which the text has exactly one label and the given IPTC fields, and no AI system
// or version that those replace; none when it
// already says so. kNotFound when something must be added and there is neither an rdf:RDF nor an
// x:xmpmeta: then the caller knows where new_rdf() goes.
Result<std::vector<TextEdit>> plan_rdf_edits(std::string_view text, const RdfFacts& facts,
                                             const MetadataFields& fields);

// Edits that take away every property of ours, for a caller that adds new_rdf().
std::vector<TextEdit> plan_rdf_removal(std::string_view text, const RdfFacts& facts);

// A whole rdf:RDF element with our properties. `indent` is a line break and the white space behind
// it; empty: all on one line.
std::string new_rdf(const MetadataFields& fields, std::string_view indent);

}  // namespace colophon::label::internal
