// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/rdf_edit.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/finding.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "label/metadata/container.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

struct Vocabulary {
    std::string_view uri;
    std::string_view prefix;  // the usual one
};
constexpr std::array kVocabularies{Vocabulary{kTc260Uri, "TC260"},
                                   Vocabulary{kIptcExtUri, "Iptc4xmpExt"}};

struct PropertyFacts {
    std::size_t vocabulary;
    std::string_view name;
};
// In the order of RdfProperty.
constexpr std::array<PropertyFacts, kRdfPropertyCount> kProperties{{
    {0, "AIGC"},
    {1, "DigitalSourceType"},
    {1, "AISystemUsed"},
    {1, "AISystemVersionUsed"},
}};

const PropertyFacts& facts_of(RdfProperty property) {
    return kProperties[static_cast<std::size_t>(property)];
}

std::optional<RdfProperty> property_of(const XmlName& name) noexcept {
    for (std::size_t i = 0; i < kProperties.size(); ++i) {
        if (name.is(kVocabularies[kProperties[i].vocabulary].uri, kProperties[i].name)) {
            return static_cast<RdfProperty>(i);
        }
    }
    return std::nullopt;
}

std::string_view wanted_value(const MetadataFields& fields, RdfProperty property) {
    switch (property) {
        case RdfProperty::kAigc:
            return fields.aigc;
        case RdfProperty::kDigitalSourceType:
            return fields.iptc.digital_source_type;
        case RdfProperty::kAiSystemUsed:
            return fields.iptc.ai_system_used;
        case RdfProperty::kAiSystemVersionUsed:
            return fields.iptc.ai_system_version_used;
    }
    return {};
}

std::string raw_element_name(std::string_view text, const XmlToken& token) {
    const std::size_t begin = token.range.begin + 1;
    const std::size_t size =
        token.name.local.size() + (token.name.prefix.empty() ? 0 : token.name.prefix.size() + 1);
    return std::string(text.substr(begin, size));
}

const XmlAttribute* find_attribute(const XmlToken& token, std::string_view uri,
                                   std::string_view local) {
    const auto found = std::ranges::find_if(
        token.attributes, [&](const XmlAttribute& a) { return a.name.is(uri, local); });
    return found == token.attributes.end() ? nullptr : &*found;
}

}  // namespace

RdfElement element_at(std::string_view text, const XmlScanner& scanner) {
    const XmlToken& token = scanner.token();
    RdfElement element;
    element.start_tag = token.range;
    element.raw_name = raw_element_name(text, token);
    element.self_closing = token.self_closing;
    const auto owned = [](std::optional<std::string_view> view) {
        return view ? std::optional<std::string>(*view) : std::nullopt;
    };
    element.rdf_prefix = owned(scanner.prefix_of(kRdfUri));
    for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
        element.prefixes[i] = owned(scanner.prefix_of(kVocabularies[i].uri));
        element.taken[i] = scanner.is_bound(kVocabularies[i].prefix);
    }
    return element;
}

std::string_view indentation_in(std::string_view text, const RdfElement& element) {
    if (element.self_closing) {
        return {};
    }
    const std::size_t begin = element.start_tag.end;
    std::size_t end = begin;
    while (end < text.size() && is_xml_space(text[end])) {
        ++end;
    }
    const std::string_view space = text.substr(begin, end - begin);
    constexpr std::size_t kIndentationMax = 128;  // more is padding, not indentation
    const std::string_view rest = text.substr(end);
    const bool child_follows = rest.starts_with('<') && !rest.starts_with("</");
    return child_follows && space.size() <= kIndentationMax ? space : std::string_view{};
}

void add_children(const RdfElement& element, std::string attributes, std::string content,
                  std::vector<TextEdit>& edits) {
    const std::size_t tag_end = element.start_tag.end;
    const std::size_t name_end = element.start_tag.begin + 1 + element.raw_name.size();
    if (!attributes.empty()) {
        edits.push_back(
            {.where = {.begin = name_end, .end = name_end}, .text = std::move(attributes)});
    }
    if (element.self_closing) {
        const TextRange slash{.begin = tag_end - 2, .end = tag_end};
        content.insert(0, ">");
        content += "</" + element.raw_name + ">";
        edits.push_back({.where = slash, .text = std::move(content)});
        return;
    }
    edits.push_back({.where = {.begin = tag_end, .end = tag_end}, .text = std::move(content)});
}

Result<void> RdfCollector::feed(const XmlScanner& scanner) {
    const XmlToken& token = scanner.token();
    switch (token.kind) {
        case XmlKind::kStart:
            return start(scanner);
        case XmlKind::kEnd:
            end(token);
            return {};
        case XmlKind::kText:
        case XmlKind::kCdata:
            if (link_depth_ != 0) {
                const std::string_view text = cut(text_, token.content);
                take_link(token.kind == XmlKind::kText ? decode_xml_text(text) : std::string(text));
            }
            return property_depth_ != 0 ? take_text(token) : Result<void>();
        case XmlKind::kComment:
        case XmlKind::kInstruction:
        case XmlKind::kDoctype:
            if (property_depth_ != 0) {
                facts_.sites.back().plain = false;
            }
            return {};
    }
    return {};
}

// Text inside a property, as it is or in a CDATA section.
Result<void> RdfCollector::take_text(const XmlToken& token) {
    TRY(check_value_size(token.content));
    const std::string_view text = cut(text_, token.content);
    if (token.kind == XmlKind::kText) {
        value_ += decode_xml_text(text);
        return {};
    }
    value_ += text;
    facts_.sites.back().plain = false;
    return {};
}

Result<void> RdfCollector::start(const XmlScanner& scanner) {
    const XmlToken& token = scanner.token();
    if (property_depth_ != 0) {
        inside_property(token);
        return {};
    }
    const auto property = property_of(token.name);
    if (rdf_depth_ == 0) {
        if (property) {
            return start_property(token, *property, false);
        }
        if (xmpmeta_depth_ == 0 && token.name.uri == kXmpMetaUri) {
            xmpmeta_depth_ = token.depth;
            facts_.xmpmeta = facts_.xmpmeta ? facts_.xmpmeta : element_at(text_, scanner);
        }
        if (token.name.is(kRdfUri, "RDF")) {
            rdf_depth_ = token.depth;
            if (!facts_.rdf) {
                facts_.rdf = element_at(text_, scanner);
            }
        }
        return take_attributes(token, false);
    }
    if (token.depth == rdf_depth_ + 1) {
        start_node(scanner);
        const XmlAttribute* link = find_attribute(token, kDublinCoreTermsUri, "provenance");
        if (link != nullptr && facts_.credential_link.empty()) {
            take_link(trim_xml_space(decode_xml_attribute(cut(text_, link->value))));
        }
        return take_attributes(token, true);
    }
    if (property && token.depth == rdf_depth_ + 2) {
        return start_property(token, *property, true);
    }
    if (token.depth == rdf_depth_ + 2 && token.name.is(kDublinCoreTermsUri, "provenance")) {
        start_link(token);
    }
    const bool attribute_of_ours = std::ranges::any_of(
        token.attributes, [](const XmlAttribute& a) { return property_of(a.name).has_value(); });
    facts_.nested = facts_.nested || property.has_value() || attribute_of_ours;
    return {};
}

// Inside our property: an array (rdf:Alt, rdf:Bag, rdf:Seq) gives one value for each of its items,
// anything else the text of all of it.
void RdfCollector::inside_property(const XmlToken& token) {
    facts_.sites.back().plain = false;
    if (token.name.is(kRdfUri, "li")) {
        flush_value();
    }
}

void RdfCollector::flush_value() {
    const std::string_view trimmed = trim_xml_space(value_);
    if (!trimmed.empty()) {
        facts_.sites.back().values.emplace_back(trimmed);
    }
    value_.clear();
}

Result<void> RdfCollector::check_value_size(TextRange more) const {
    if (value_.size() + more.size() > limits::kLabelBytesMax) {
        return Error{ErrorCode::kLimit, "XMP: a label property of more than " +
                                            std::to_string(limits::kLabelBytesMax) +
                                            " bytes at byte " + std::to_string(more.begin)};
    }
    return {};
}

Result<void> RdfCollector::add(RdfSite site) {
    if (facts_.sites.size() >= limits::kXmpPropertiesMax) {
        return Error{ErrorCode::kLimit,
                     "XMP: more than " + std::to_string(limits::kXmpPropertiesMax) +
                         " label properties at byte " + std::to_string(site.range.begin)};
    }
    facts_.sites.push_back(std::move(site));
    return {};
}

Result<void> RdfCollector::start_property(const XmlToken& token, RdfProperty property,
                                          bool placed) {
    RdfSite site;
    site.property = property;
    site.placed = placed;
    site.plain = !token.self_closing;
    site.range = token.range;
    site.content = token.content;
    site.raw_name = raw_element_name(text_, token);
    for (const XmlAttribute& attribute : token.attributes) {
        if (attribute.name.uri == kXmlnsUri) {
            site.raw_xmlns += ' ';
            site.raw_xmlns += cut(text_, attribute.range);
        }
        // rdf:parseType and the like change how the content is read.
        site.plain = site.plain && attribute.name.uri != kRdfUri;
        if (!attribute.name.is(kRdfUri, "resource") && !attribute.name.is(kRdfUri, "value")) {
            continue;
        }
        TRY(check_value_size(attribute.value));
        site.values.push_back(decode_xml_attribute(cut(text_, attribute.value)));
    }
    property_depth_ = token.depth;
    value_.clear();
    return add(std::move(site));
}

Result<void> RdfCollector::take_attributes(const XmlToken& token, bool placed) {
    for (const XmlAttribute& attribute : token.attributes) {
        const auto property = property_of(attribute.name);
        if (!property) {
            continue;
        }
        TRY(check_value_size(attribute.value));
        RdfSite site;
        site.property = *property;
        site.form = RdfSite::Form::kAttribute;
        site.placed = placed;
        site.range = attribute.range;
        site.content = attribute.value;
        const std::string value = decode_xml_attribute(cut(text_, attribute.value));
        site.values.emplace_back(trim_xml_space(value));
        TRY(add(std::move(site)));
    }
    return {};
}

// The first rdf:Description about the file itself takes new properties; better one that already
// declares the TC260 namespace. In a drawing a description may be about any web resource.
void RdfCollector::start_node(const XmlScanner& scanner) {
    const XmlToken& token = scanner.token();
    if (!token.name.is(kRdfUri, "Description") || facts_.description_declares_tc260 ||
        find_attribute(token, kRdfUri, "nodeID") != nullptr ||
        find_attribute(token, kRdfUri, "ID") != nullptr) {
        return;
    }
    const XmlAttribute* about = find_attribute(token, kRdfUri, "about");
    if (about != nullptr && xmpmeta_depth_ == 0 &&
        cut(text_, about->value).find("//") != std::string_view::npos) {
        return;
    }
    const bool declares = std::ranges::any_of(token.attributes, [&](const XmlAttribute& attribute) {
        return attribute.name.prefix == "xmlns" && cut(text_, attribute.value) == kTc260Uri;
    });
    if (!facts_.description || declares) {
        facts_.description = element_at(text_, scanner);
        facts_.description_declares_tc260 = declares;
    }
}

void RdfCollector::start_link(const XmlToken& token) {
    if (!facts_.credential_link.empty()) {
        return;
    }
    if (const XmlAttribute* resource = find_attribute(token, kRdfUri, "resource")) {
        take_link(decode_xml_attribute(cut(text_, resource->value)));
        return;
    }
    link_depth_ = token.depth;
}

// One byte more than may be fetched is kept, so that who fetches sees that it is too long.
void RdfCollector::take_link(std::string_view text) {
    const std::size_t room = kCredentialLinkBytesMax + 1 - facts_.credential_link.size();
    facts_.credential_link += text.substr(0, room);
}

void RdfCollector::end(const XmlToken& token) {
    if (link_depth_ != 0 && token.depth == link_depth_) {
        facts_.credential_link = std::string(trim_xml_space(facts_.credential_link));
        link_depth_ = 0;
    }
    if (property_depth_ != 0 && token.name.is(kRdfUri, "li")) {
        flush_value();
    }
    if (property_depth_ != 0 && token.depth == property_depth_) {
        flush_value();
        RdfSite& site = facts_.sites.back();
        site.content.end = std::max(site.content.begin, token.range.begin);
        site.range.end = token.range.end;
        property_depth_ = 0;
        if (site.values.empty()) {
            site.values.emplace_back();  // an empty label is still one
        }
    }
    rdf_depth_ = token.depth == rdf_depth_ ? 0 : rdf_depth_;
    xmpmeta_depth_ = token.depth == xmpmeta_depth_ ? 0 : xmpmeta_depth_;
}

namespace {

std::string& iptc_field(IptcFields& fields, RdfProperty property) {
    switch (property) {
        case RdfProperty::kAiSystemUsed:
            return fields.ai_system_used;
        case RdfProperty::kAiSystemVersionUsed:
            return fields.ai_system_version_used;
        case RdfProperty::kAigc:
        case RdfProperty::kDigitalSourceType:
            break;
    }
    return fields.digital_source_type;
}

}  // namespace

RdfReading read_rdf(const RdfFacts& facts) {
    RdfReading reading;
    for (const RdfSite& site : facts.sites) {
        if (site.property == RdfProperty::kAigc) {
            for (const std::string& value : site.values) {
                reading.labels.push_back(
                    {.value = value, .range = site.range, .placed = site.placed});
            }
            if (!site.placed) {
                warn(reading.findings, "metadata.misplaced",
                     "TC260:AIGC stands outside an RDF node at byte " +
                         std::to_string(site.range.begin));
            }
            continue;
        }
        std::string& field = iptc_field(reading.iptc, site.property);
        if (!field.empty() && field != site.values.front()) {
            warn(reading.findings, "metadata.iptc_conflict",
                 "Iptc4xmpExt:" + std::string(facts_of(site.property).name) +
                     " stands twice with different values");
        }
        if (field.empty()) {
            field = site.values.front();
        }
    }
    if (facts.nested) {
        note(reading.findings, "metadata.nested_label",
             "a label stands inside another XMP property, so it speaks about something other than "
             "this file");
    }
    return reading;
}

Result<void> check_rdf_fields(const MetadataFields& fields) {
    if (fields.aigc.empty()) {
        return Error{ErrorCode::kInvalidArgument, "there is no label to write"};
    }
    for (std::size_t i = 0; i < kRdfPropertyCount; ++i) {
        const auto property = static_cast<RdfProperty>(i);
        const std::string_view value = wanted_value(fields, property);
        if (!is_xml_text(value) || trim_xml_space(value) != value) {
            return Error{ErrorCode::kInvalidArgument,
                         std::string(facts_of(property).name) +
                             " must be UTF-8 without control characters and without white space "
                             "around it"};
        }
        if (value.size() > limits::kLabelBytesMax) {
            return Error{ErrorCode::kLimit,
                         std::string(facts_of(property).name) + " is longer than one mebibyte"};
        }
    }
    return {};
}

namespace {

// Takes an element or attribute away with the white space before it. Behind a bracket an empty
// comment stays, because "]]" and ">" must not meet.
TextEdit removal(std::string_view text, TextRange range) {
    while (range.begin > 0 && is_xml_space(text[range.begin - 1])) {
        --range.begin;
    }
    const bool bracket = range.begin > 0 && text[range.begin - 1] == ']';
    return {.where = range, .text = bracket ? "<!---->" : ""};
}

// One place, one value: keeps the form and as many bytes as possible.
std::optional<TextEdit> replace_value(const RdfSite& site, std::string_view value) {
    if (site.values.size() == 1 && site.values.front() == value) {
        return std::nullopt;
    }
    if (site.form == RdfSite::Form::kAttribute || site.plain) {
        return TextEdit{.where = site.content, .text = encode_xml(value)};
    }
    return TextEdit{.where = site.range,
                    .text = "<" + site.raw_name + site.raw_xmlns + ">" + encode_xml(value) + "</" +
                            site.raw_name + ">"};
}

std::string property_element(std::string_view prefix, RdfProperty property, bool declare,
                             std::string_view value) {
    const PropertyFacts& facts = facts_of(property);
    const std::string name = std::string(prefix) + ":" + std::string(facts.name);
    std::string out = "<" + name;
    if (declare) {
        out += " xmlns:" + std::string(prefix) + "=\"" +
               std::string(kVocabularies[facts.vocabulary].uri) + "\"";
    }
    return out + ">" + encode_xml(value) + "</" + name + ">";
}

std::vector<RdfProperty> wanted_properties(const MetadataFields& fields) {
    std::vector<RdfProperty> wanted;
    for (std::size_t i = 0; i < kRdfPropertyCount; ++i) {
        const auto property = static_cast<RdfProperty>(i);
        if (!wanted_value(fields, property).empty()) {
            wanted.push_back(property);
        }
    }
    return wanted;
}

bool uses_vocabulary(const std::vector<RdfProperty>& properties, std::size_t vocabulary) {
    return std::ranges::any_of(properties,
                               [&](RdfProperty p) { return facts_of(p).vocabulary == vocabulary; });
}

// New properties in an rdf:Description that is there.
void add_to_description(std::string_view text, const RdfElement& element,
                        const std::vector<RdfProperty>& missing, const MetadataFields& fields,
                        std::vector<TextEdit>& edits) {
    std::array<bool, kVocabularies.size()> declare_here{};
    std::string attributes;
    for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
        const bool needed = !element.prefixes[i] && uses_vocabulary(missing, i);
        // Where our usual prefix means something else, only our own elements redefine it.
        declare_here[i] = needed && element.taken[i];
        if (needed && !element.taken[i]) {
            attributes += " xmlns:" + std::string(kVocabularies[i].prefix) + "=\"" +
                          std::string(kVocabularies[i].uri) + "\"";
        }
    }
    const std::string_view indentation = indentation_in(text, element);
    std::string content;
    for (const RdfProperty property : missing) {
        const std::size_t vocabulary = facts_of(property).vocabulary;
        const std::string prefix =
            element.prefixes[vocabulary].value_or(std::string(kVocabularies[vocabulary].prefix));
        content += indentation;
        content += property_element(prefix, property, declare_here[vocabulary],
                                    wanted_value(fields, property));
    }
    add_children(element, std::move(attributes), std::move(content), edits);
}

// <rdf:Description rdf:about=""> with the properties in it, every line led by `indent`.
std::string new_description(const std::vector<RdfProperty>& properties,
                            const MetadataFields& fields, std::string_view rdf_prefix,
                            bool declare_rdf, std::string_view indent) {
    const std::string rdf(rdf_prefix);
    std::string out = "<" + rdf + ":Description";
    if (declare_rdf) {
        out += " xmlns:" + rdf + "=\"" + std::string(kRdfUri) + "\"";
    }
    out += " " + rdf + ":about=\"\"";
    for (std::size_t i = 0; i < kVocabularies.size(); ++i) {
        if (uses_vocabulary(properties, i)) {
            out += " xmlns:" + std::string(kVocabularies[i].prefix) + "=\"" +
                   std::string(kVocabularies[i].uri) + "\"";
        }
    }
    out += ">";
    const std::string inner = indent.empty() ? std::string{} : std::string(indent) + " ";
    for (const RdfProperty property : properties) {
        out += inner;
        out += property_element(kVocabularies[facts_of(property).vocabulary].prefix, property,
                                false, wanted_value(fields, property));
    }
    out += indent;
    return out + "</" + rdf + ":Description>";
}

// Whether a property must not stay, although there is no new value for it.
bool is_outdated(const MetadataFields& fields, RdfProperty property) {
    switch (property) {
        case RdfProperty::kAiSystemUsed:
            return fields.replaces_system;
        case RdfProperty::kAiSystemVersionUsed:
            return fields.replaces_system || !fields.iptc.ai_system_used.empty();
        case RdfProperty::kAigc:
        case RdfProperty::kDigitalSourceType:
            break;
    }
    return false;
}

// Which place of each property is kept: the first one that belongs to a node.
std::array<const RdfSite*, kRdfPropertyCount> kept_sites(const RdfFacts& facts) {
    std::array<const RdfSite*, kRdfPropertyCount> kept{};
    for (const RdfSite& site : facts.sites) {
        const RdfSite*& place = kept[static_cast<std::size_t>(site.property)];
        if (site.placed && place == nullptr) {
            place = &site;
        }
    }
    return kept;
}

}  // namespace

Result<std::vector<TextEdit>> plan_rdf_edits(std::string_view text, const RdfFacts& facts,
                                             const MetadataFields& fields) {
    const auto kept = kept_sites(facts);
    std::vector<TextEdit> edits;
    for (const RdfSite& site : facts.sites) {
        const std::string_view value = wanted_value(fields, site.property);
        if (value.empty()) {
            if (is_outdated(fields, site.property)) {
                edits.push_back(removal(text, site.range));
            }
            continue;
        }
        if (&site != kept[static_cast<std::size_t>(site.property)]) {
            edits.push_back(removal(text, site.range));
        } else if (auto edit = replace_value(site, value)) {
            edits.push_back(*std::move(edit));
        }
    }
    std::vector<RdfProperty> missing = wanted_properties(fields);
    std::erase_if(missing, [&](RdfProperty property) {
        return kept[static_cast<std::size_t>(property)] != nullptr;
    });
    if (missing.empty()) {
        return edits;
    }
    if (facts.description) {
        add_to_description(text, *facts.description, missing, fields, edits);
        return edits;
    }
    if (!facts.rdf && facts.xmpmeta) {
        add_children(*facts.xmpmeta, {}, "\n " + new_rdf(fields, "\n ") + "\n", edits);
        return edits;
    }
    if (!facts.rdf) {
        return Error{ErrorCode::kNotFound, "XMP: there is no rdf:RDF"};
    }
    const std::string indent(indentation_in(text, *facts.rdf));
    const bool declare_rdf = !facts.rdf->rdf_prefix;
    add_children(*facts.rdf, {},
                 indent + new_description(missing, fields, facts.rdf->rdf_prefix.value_or("rdf"),
                                          declare_rdf, indent),
                 edits);
    return edits;
}

std::vector<TextEdit> plan_rdf_removal(std::string_view text, const RdfFacts& facts) {
    std::vector<TextEdit> edits;
    edits.reserve(facts.sites.size());
    for (const RdfSite& site : facts.sites) {
        edits.push_back(removal(text, site.range));
    }
    return edits;
}

std::string new_rdf(const MetadataFields& fields, std::string_view indent) {
    const std::string line(indent);
    const std::string inner = indent.empty() ? line : line + " ";
    return "<rdf:RDF xmlns:rdf=\"" + std::string(kRdfUri) + "\">" + inner +
           new_description(wanted_properties(fields), fields, "rdf", false, inner) + line +
           "</rdf:RDF>";
}

}  // namespace colophon::label::internal
