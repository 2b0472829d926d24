// SPDX-License-Identifier: Apache-2.0
#pragma once

// A pull scanner for XML 1.0 with namespaces, made for editing: every token and every attribute
// tells where it stands, so that a writer can change one value and leave the rest byte for byte.
//
// Strict where leniency would hide an attack or a broken file: well-formedness, balanced tags, one
// root, no duplicate attributes, declared prefixes, only the five predefined entities and character
// references. Entity declarations do not exist here: a document type is refused, or (for SVG) only
// tolerated without an internal subset, and nothing outside the text is ever loaded. It does not
// recurse, and its memory grows with depth and with the attributes of one element only.
//
// Not checked: the exact character classes of names (any character outside ASCII may stand in one).

#include "core/limits.h"
#include "core/result.h"
#include "label/internal/text_edit.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace colophon::label::internal {

enum class XmlKind : std::uint8_t {
    kStart,        // <a ...> or <a .../>
    kEnd,          // </a>; follows <a/> too, then with an empty range
    kText,         // character data, entities not yet resolved
    kCdata,        // <![CDATA[...]]>
    kComment,      // <!-- -->
    kInstruction,  // <?target ...?>, the XML declaration too
    kDoctype,      // <!DOCTYPE ...>
};

// The views point into the text or into the scanner and last until the next call of next().
struct XmlName {
    std::string_view prefix;
    std::string_view local;
    std::string_view uri;  // empty: in no namespace
    bool is(std::string_view of_uri, std::string_view of_local) const noexcept {
        return uri == of_uri && local == of_local;
    }
};

inline constexpr std::string_view kXmlnsUri = "http://www.w3.org/2000/xmlns/";

struct XmlAttribute {
    XmlName name;
    TextRange range;  // from the name to the closing quote
    TextRange value;  // between the quotes
    char quote = '"';
};

struct XmlToken {
    XmlKind kind = XmlKind::kText;
    TextRange range;    // the whole token
    TextRange content;  // what stands inside the marks: text, CDATA, comment, instruction
    XmlName name;       // elements; an instruction has its target as `local`
    std::vector<XmlAttribute> attributes;  // of a start, declarations of namespaces included
    bool self_closing = false;             // of a start
    std::size_t depth = 0;                 // the root element has depth 1; its text too
};

enum class XmlDoctype : std::uint8_t { kRefuse, kWithoutSubset };

struct XmlOptions {
    std::size_t depth_max = limits::kXmlDepthMax;
    XmlDoctype doctype = XmlDoctype::kRefuse;
};

class XmlScanner {
public:
    // `text`: UTF-8, a byte order mark at its start is passed over. It must outlive the scanner.
    explicit XmlScanner(std::string_view text, XmlOptions options = {});

    // Moves to the next token; false at the end of a well-formed document. kCorrupt names the byte;
    // kLimit for depth, attributes and namespaces; kUnsupported for an internal subset.
    Result<bool> next();
    const XmlToken& token() const noexcept { return token_; }

    // The prefix under which `uri` can be written at the current token, never the default one.
    std::optional<std::string_view> prefix_of(std::string_view uri) const;
    // Whether a prefix stands for anything at the current token.
    bool is_bound(std::string_view prefix) const { return innermost_.contains(prefix); }

private:
    struct Binding {
        std::string_view prefix;
        std::string uri;
        std::size_t depth = 0;
        std::size_t outer = kNone;  // the binding of the same prefix that this one hides
    };
    struct Open {
        std::string_view raw_name;
        XmlName name;
    };
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

    Result<void> check_characters() const;
    Result<void> scan_markup();
    Result<void> scan_text();
    Result<void> scan_start();
    Result<void> scan_end();
    Result<void> scan_delimited(XmlKind kind, std::string_view open, std::string_view close);
    Result<void> scan_instruction();
    Result<void> scan_doctype();
    Result<void> scan_attributes();
    Result<XmlAttribute> scan_attribute();
    Result<void> check_references(TextRange range) const;
    Result<std::string_view> scan_name(std::string_view what);
    Result<void> bind(const XmlAttribute& attribute);
    Result<void> resolve_names();
    Result<void> check_duplicates() const;
    Result<std::string_view> resolve(std::string_view prefix, std::size_t at) const;
    Result<bool> finish();
    void close_element();
    void skip_space() noexcept;
    bool at(std::string_view what) const noexcept { return text_.substr(at_).starts_with(what); }

    std::string_view text_;
    XmlOptions options_;
    std::size_t at_ = 0;
    bool started_ = false;
    bool root_seen_ = false;
    bool doctype_seen_ = false;
    bool end_pending_ = false;    // behind <a/>: its end is the next token
    bool close_pending_ = false;  // behind an end: the scope ends with the next token
    XmlToken token_;
    std::vector<Open> open_;
    std::deque<Binding> bindings_;  // a deque, because tokens point at its strings
    std::unordered_map<std::string_view, std::size_t> innermost_;
};

// Character data as a reader sees it: entities resolved, line ends unified. For a range that the
// scanner has passed (it has checked the references).
std::string decode_xml_text(std::string_view raw);
// The same for an attribute value, where white space becomes spaces.
std::string decode_xml_attribute(std::string_view raw);

// The text as element content or as an attribute value in either kind of quotes.
std::string encode_xml(std::string_view text);

// Whether the text can stand in XML at all: valid UTF-8 and none of the characters that XML
// forbids.
bool is_xml_text(std::string_view text) noexcept;

inline bool is_xml_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
std::string_view trim_xml_space(std::string_view text) noexcept;

}  // namespace colophon::label::internal
