// SPDX-License-Identifier: Apache-2.0
#include "label/internal/xml_scan.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/internal/text_edit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kXmlUri = "http://www.w3.org/XML/1998/namespace";
constexpr std::string_view kXmlnsDeclaration = "xmlns";

bool is_name_start(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool is_name_part(char c) noexcept {
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool is_forbidden_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

struct Entity {
    std::string_view name;
    char character;
};
constexpr std::array kEntities{Entity{"lt", '<'}, Entity{"gt", '>'}, Entity{"amp", '&'},
                               Entity{"quot", '"'}, Entity{"apos", '\''}};

// The longest reference that makes sense is "&#x0010FFFF;"; longer ones only pad with zeros.
constexpr std::size_t kReferenceBytesMax = 16;

std::optional<unsigned> digit_of(char c, unsigned base) noexcept {
    unsigned value = 0;
    if (c >= '0' && c <= '9') {
        value = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
        value = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
        value = static_cast<unsigned>(c - 'A') + 10;
    } else {
        return std::nullopt;
    }
    return value < base ? std::optional(value) : std::nullopt;
}

bool is_xml_character(char32_t c) noexcept {
    return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) ||
           (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

// What stands between '&' and ';'. Nothing when it is no reference that we know.
std::optional<char32_t> reference_value(std::string_view name) noexcept {
    if (!name.starts_with('#')) {
        const auto* entity = std::ranges::find(kEntities, name, &Entity::name);
        return entity == kEntities.end() ? std::nullopt
                                         : std::optional<char32_t>(entity->character);
    }
    name.remove_prefix(1);
    const unsigned base = name.starts_with('x') ? 16 : 10;
    name.remove_prefix(base == 16 ? 1 : 0);
    std::uint64_t value = 0;
    for (const char c : name) {
        const auto digit = digit_of(c, base);
        if (!digit) {
            return std::nullopt;
        }
        value = value * base + *digit;  // at most 16 digits: no overflow
    }
    if (name.empty() || value > 0x10FFFF || !is_xml_character(static_cast<char32_t>(value))) {
        return std::nullopt;
    }
    return static_cast<char32_t>(value);
}

struct Reference {
    char32_t value;
    std::size_t size;  // with '&' and ';'
};

// The reference at the start of `text` (which starts with '&').
std::optional<Reference> read_reference(std::string_view text) noexcept {
    const std::size_t end = text.substr(0, kReferenceBytesMax).find(';');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const auto value = reference_value(text.substr(1, end - 1));
    if (!value) {
        return std::nullopt;
    }
    return Reference{.value = *value, .size = end + 1};
}

std::string decode(std::string_view raw, bool attribute) {
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size();) {
        const char c = raw[i];
        if (c == '&') {
            const auto reference = read_reference(raw.substr(i));
            append_utf8(out, reference ? reference->value : U'\uFFFD');
            i += reference ? reference->size : 1;
            continue;
        }
        if (c == '\r') {  // XML 1.0, 2.11: one line end, whatever it was
            i += raw.substr(i).starts_with("\r\n") ? 2U : 1U;
            out += attribute ? ' ' : '\n';
            continue;
        }
        out += attribute && is_xml_space(c) ? ' ' : c;
        ++i;
    }
    return out;
}

struct SplitName {
    std::string_view prefix;
    std::string_view local;
};

std::optional<SplitName> split_name(std::string_view raw) noexcept {
    const std::size_t colon = raw.find(':');
    if (colon == std::string_view::npos) {
        return SplitName{.prefix = {}, .local = raw};
    }
    const std::string_view local = raw.substr(colon + 1);
    if (colon == 0 || local.empty() || local.find(':') != std::string_view::npos ||
        !is_name_start(local.front())) {
        return std::nullopt;
    }
    return SplitName{.prefix = raw.substr(0, colon), .local = local};
}

bool declares_namespace(const XmlName& name) noexcept {
    return name.prefix == kXmlnsDeclaration ||
           (name.prefix.empty() && name.local == kXmlnsDeclaration);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t kShown = 40;
    return "'" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "...'" : "'");
}

}  // namespace

XmlScanner::XmlScanner(std::string_view text, XmlOptions options) : text_(text), options_(options) {
    bindings_.push_back({.prefix = "xml", .uri = std::string(kXmlUri), .depth = 0, .outer = kNone});
    innermost_.emplace("xml", 0);
}

Result<bool> XmlScanner::next() {
    if (!started_) {
        TRY(check_characters());
        at_ = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
        started_ = true;
    }
    if (close_pending_) {
        close_element();
    }
    token_.attributes.clear();
    token_.self_closing = false;
    if (end_pending_) {
        end_pending_ = false;
        close_pending_ = true;
        token_.kind = XmlKind::kEnd;
        token_.range = {.begin = at_, .end = at_};
        return true;
    }
    token_.name = {};
    token_.depth = open_.size();
    // Outside the root element only white space may stand; it is no token there.
    if (open_.empty()) {
        skip_space();
    }
    if (at_ == text_.size()) {
        return finish();
    }
    if (text_[at_] == '<') {
        TRY(scan_markup());
    } else {
        TRY(scan_text());
    }
    return true;
}

// One pass over all bytes, so that the rest need not think of them.
Result<void> XmlScanner::check_characters() const {
    const auto control = std::ranges::find_if(text_, is_forbidden_control);
    if (control != text_.end()) {
        return corrupt_at("XML: a control character",
                          static_cast<std::size_t>(control - text_.begin()));
    }
    if (const auto bad = find_invalid_utf8(text_)) {
        return corrupt_at("XML: not UTF-8", *bad);
    }
    return {};
}

Result<bool> XmlScanner::finish() {
    if (!open_.empty()) {
        return corrupt_at("XML: the text ends inside element " + quoted(open_.back().raw_name),
                          at_);
    }
    if (!root_seen_) {
        return corrupt_at("XML: no element", at_);
    }
    return false;
}

Result<void> XmlScanner::scan_markup() {
    if (at("</")) {
        return scan_end();
    }
    if (at("<?")) {
        return scan_instruction();
    }
    if (at("<!--")) {
        TRY(scan_delimited(XmlKind::kComment, "<!--", "-->"));
        const std::size_t dashes = cut(text_, token_.content).find("--");
        if (dashes != std::string_view::npos || cut(text_, token_.content).ends_with('-')) {
            return corrupt_at("XML: -- inside a comment", token_.range.begin);
        }
        return {};
    }
    if (at("<![CDATA[")) {
        if (open_.empty()) {
            return corrupt_at("XML: CDATA outside the root element", at_);
        }
        return scan_delimited(XmlKind::kCdata, "<![CDATA[", "]]>");
    }
    if (at("<!DOCTYPE")) {
        return scan_doctype();
    }
    if (at("<!")) {
        return corrupt_at("XML: a declaration that is not allowed here", at_);
    }
    return scan_start();
}

Result<void> XmlScanner::scan_text() {
    if (open_.empty()) {
        return corrupt_at("XML: text outside the root element", at_);
    }
    const std::size_t end = std::min(text_.find('<', at_), text_.size());
    token_.kind = XmlKind::kText;
    token_.range = {.begin = at_, .end = end};
    token_.content = token_.range;
    TRY(check_references(token_.range));
    const std::size_t cdata_end = cut(text_, token_.range).find("]]>");
    if (cdata_end != std::string_view::npos) {
        return corrupt_at("XML: ]]> in text", at_ + cdata_end);
    }
    at_ = end;
    return {};
}

Result<void> XmlScanner::scan_delimited(XmlKind kind, std::string_view open,
                                        std::string_view close) {
    const std::size_t begin = at_ + open.size();
    const std::size_t end = text_.find(close, begin);
    if (end == std::string_view::npos) {
        return corrupt_at("XML: no " + std::string(close) + " for the " + std::string(open), at_);
    }
    token_.kind = kind;
    token_.range = {.begin = at_, .end = end + close.size()};
    token_.content = {.begin = begin, .end = end};
    at_ = token_.range.end;
    return {};
}

// Real packets end "<?xpacket begin=... ??>": the content ends at the first "?>", so this parses.
Result<void> XmlScanner::scan_instruction() {
    TRY(scan_delimited(XmlKind::kInstruction, "<?", "?>"));
    const std::string_view content = cut(text_, token_.content);
    std::size_t size = 0;
    while (size < content.size() && is_name_part(content[size])) {
        ++size;
    }
    token_.name.local = content.substr(0, size);
    if (size == 0 || !is_name_start(content.front()) ||
        (size < content.size() && !is_xml_space(content[size]) && content[size] != '?')) {
        return corrupt_at("XML: an instruction without a name", token_.range.begin);
    }
    if (token_.name.local == "xml" && root_seen_) {
        return corrupt_at("XML: an XML declaration behind the start", token_.range.begin);
    }
    return {};
}

// Only <!DOCTYPE svg PUBLIC "..." "..."> is tolerated: a name and quoted identifiers, which are
// never looked up.
Result<void> XmlScanner::scan_doctype() {
    const std::size_t begin = at_;
    if (options_.doctype == XmlDoctype::kRefuse) {
        return corrupt_at("XML: a document type declaration, which is not allowed here", begin);
    }
    if (root_seen_ || doctype_seen_) {
        return corrupt_at("XML: a document type declaration in the wrong place", begin);
    }
    doctype_seen_ = true;
    char quote = 0;
    for (std::size_t i = begin; i < text_.size(); ++i) {
        const char c = text_[i];
        if (quote != 0) {
            quote = c == quote ? char{0} : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '[') {
            Error error =
                corrupt_at("XML: a document type with its own declarations, which is not read", i);
            error.code = ErrorCode::kUnsupported;
            return error;
        } else if (c == '>') {
            token_.kind = XmlKind::kDoctype;
            token_.range = {.begin = begin, .end = i + 1};
            token_.content = token_.range;
            at_ = i + 1;
            return {};
        } else if (c == '<' && i != begin) {
            return corrupt_at("XML: < in a document type declaration", i);
        }
    }
    return corrupt_at("XML: a document type declaration without end", begin);
}

Result<void> XmlScanner::scan_start() {
    const std::size_t begin = at_;
    if (open_.empty() && root_seen_) {
        return corrupt_at("XML: a second root element", begin);
    }
    if (open_.size() >= options_.depth_max) {
        return Error{ErrorCode::kLimit, "XML: elements nested deeper than " +
                                            std::to_string(options_.depth_max) + " at byte " +
                                            std::to_string(begin)};
    }
    root_seen_ = true;
    ++at_;
    const std::string_view raw = TRY(scan_name("an element name"));
    const auto split = split_name(raw);
    if (!split) {
        return corrupt_at("XML: a broken element name", begin + 1);
    }
    token_.kind = XmlKind::kStart;
    token_.depth = open_.size() + 1;
    token_.name = {.prefix = split->prefix, .local = split->local, .uri = {}};
    TRY(scan_attributes());
    token_.self_closing = text_[at_] == '/';
    at_ += token_.self_closing ? 2 : 1;
    token_.range = {.begin = begin, .end = at_};
    token_.content = {.begin = at_, .end = at_};
    TRY(resolve_names());
    open_.push_back({.raw_name = raw, .name = token_.name});
    end_pending_ = token_.self_closing;
    return {};
}

// Stops at '>' or at "/>".
Result<void> XmlScanner::scan_attributes() {
    while (true) {
        const std::size_t before = at_;
        skip_space();
        if (at(">") || at("/>")) {
            return {};
        }
        if (at_ == text_.size()) {
            return corrupt_at("XML: the text ends inside a tag", at_);
        }
        if (at_ == before) {
            return corrupt_at("XML: a character that does not belong in a tag", at_);
        }
        if (token_.attributes.size() >= limits::kXmlAttributesMax) {
            return Error{ErrorCode::kLimit, "XML: more than " +
                                                std::to_string(limits::kXmlAttributesMax) +
                                                " attributes at byte " + std::to_string(at_)};
        }
        token_.attributes.push_back(TRY(scan_attribute()));
    }
}

Result<XmlAttribute> XmlScanner::scan_attribute() {
    XmlAttribute attribute;
    attribute.range.begin = at_;
    const std::string_view raw = TRY(scan_name("an attribute name"));
    const auto split = split_name(raw);
    if (!split) {
        return corrupt_at("XML: a broken attribute name", attribute.range.begin);
    }
    attribute.name = {.prefix = split->prefix, .local = split->local, .uri = {}};
    skip_space();
    if (!at("=")) {
        return corrupt_at("XML: no = behind attribute " + quoted(raw), at_);
    }
    ++at_;
    skip_space();
    if (!at("\"") && !at("'")) {
        return corrupt_at("XML: no quote around the value of " + quoted(raw), at_);
    }
    attribute.quote = text_[at_];
    attribute.value.begin = at_ + 1;
    attribute.value.end = text_.find(attribute.quote, at_ + 1);
    if (attribute.value.end == std::string_view::npos) {
        return corrupt_at("XML: the value of " + quoted(raw) + " has no end", at_);
    }
    at_ = attribute.value.end + 1;
    attribute.range.end = at_;
    const std::size_t less = cut(text_, attribute.value).find('<');
    if (less != std::string_view::npos) {
        return corrupt_at("XML: < in an attribute value", attribute.value.begin + less);
    }
    TRY(check_references(attribute.value));
    if (declares_namespace(attribute.name)) {
        TRY(bind(attribute));
    }
    return attribute;
}

Result<void> XmlScanner::scan_end() {
    const std::size_t begin = at_;
    at_ += 2;
    const std::string_view raw = TRY(scan_name("an element name"));
    skip_space();
    if (!at(">")) {
        return corrupt_at("XML: no > behind </" + std::string(raw.substr(0, 40)), at_);
    }
    ++at_;
    if (open_.empty()) {
        return corrupt_at("XML: an end tag without a start", begin);
    }
    if (open_.back().raw_name != raw) {
        return corrupt_at(
            "XML: end tag " + quoted(raw) + " where " + quoted(open_.back().raw_name) + " is open",
            begin);
    }
    token_.kind = XmlKind::kEnd;
    token_.range = {.begin = begin, .end = at_};
    token_.content = token_.range;
    token_.name = open_.back().name;
    close_pending_ = true;
    return {};
}

void XmlScanner::close_element() {
    close_pending_ = false;
    const std::size_t depth = open_.size();
    open_.pop_back();
    while (bindings_.back().depth == depth) {
        const Binding& binding = bindings_.back();
        if (binding.outer == kNone) {
            innermost_.erase(binding.prefix);
        } else {
            innermost_[binding.prefix] = binding.outer;
        }
        bindings_.pop_back();
    }
}

Result<void> XmlScanner::check_references(TextRange range) const {
    const std::string_view text = cut(text_, range);
    for (std::size_t i = text.find('&'); i != std::string_view::npos; i = text.find('&', i + 1)) {
        if (!read_reference(text.substr(i))) {
            return corrupt_at("XML: an entity that is none of the five predefined ones",
                              range.begin + i);
        }
    }
    return {};
}

Result<std::string_view> XmlScanner::scan_name(std::string_view what) {
    const std::size_t begin = at_;
    if (at_ < text_.size() && is_name_start(text_[at_])) {
        ++at_;
        while (at_ < text_.size() && is_name_part(text_[at_])) {
            ++at_;
        }
    }
    if (at_ == begin) {
        return corrupt_at("XML: " + std::string(what) + " is missing", begin);
    }
    return text_.substr(begin, at_ - begin);
}

Result<void> XmlScanner::bind(const XmlAttribute& attribute) {
    if (bindings_.size() >= limits::kXmlNamespacesMax) {
        return Error{ErrorCode::kLimit,
                     "XML: more than " + std::to_string(limits::kXmlNamespacesMax) +
                         " namespaces at byte " + std::to_string(attribute.range.begin)};
    }
    const std::string_view prefix =
        attribute.name.prefix.empty() ? std::string_view{} : attribute.name.local;
    std::string uri = decode_xml_attribute(cut(text_, attribute.value));
    const bool reserved =
        prefix == kXmlnsDeclaration || (prefix == "xml") != (uri == kXmlUri) || uri == kXmlnsUri;
    if (reserved || (uri.empty() && !prefix.empty())) {
        return corrupt_at("XML: a namespace declaration that is not allowed",
                          attribute.range.begin);
    }
    const std::size_t index = bindings_.size();
    const auto [place, added] = innermost_.try_emplace(prefix, index);
    bindings_.push_back({.prefix = prefix,
                         .uri = std::move(uri),
                         .depth = token_.depth,
                         .outer = added ? kNone : place->second});
    place->second = index;
    return {};
}

// Declarations may stand behind their use in a tag, so names are resolved when all are known.
Result<void> XmlScanner::resolve_names() {
    token_.name.uri = TRY(resolve(token_.name.prefix, token_.range.begin));
    for (XmlAttribute& attribute : token_.attributes) {
        const bool declaration = declares_namespace(attribute.name);
        if (!declaration && attribute.name.prefix.empty()) {
            continue;
        }
        attribute.name.uri =
            declaration ? kXmlnsUri : TRY(resolve(attribute.name.prefix, attribute.range.begin));
    }
    return check_duplicates();
}

Result<std::string_view> XmlScanner::resolve(std::string_view prefix, std::size_t at) const {
    const auto place = innermost_.find(prefix);
    if (place != innermost_.end()) {
        return std::string_view(bindings_[place->second].uri);
    }
    if (prefix.empty()) {
        return std::string_view{};
    }
    return corrupt_at("XML: prefix " + quoted(prefix) + " is not declared", at);
}

// Two attributes are the same when namespace and local name are, whatever their prefixes. Sorted,
// because an element of four thousand attributes must not cost millions of comparisons.
Result<void> XmlScanner::check_duplicates() const {
    if (token_.attributes.size() < 2) {
        return {};
    }
    struct Key {
        std::string_view uri;
        std::string_view local;
        std::size_t at;
    };
    std::vector<Key> keys;
    keys.reserve(token_.attributes.size());
    for (const XmlAttribute& attribute : token_.attributes) {
        keys.push_back({.uri = attribute.name.uri,
                        .local = attribute.name.local,
                        .at = attribute.range.begin});
    }
    const auto same = [](const Key& a, const Key& b) {
        return a.local == b.local && a.uri == b.uri;
    };
    std::ranges::sort(keys, [](const Key& a, const Key& b) {
        if (a.local != b.local) {
            return a.local < b.local;
        }
        return a.uri != b.uri ? a.uri < b.uri : a.at < b.at;
    });
    const auto twin = std::ranges::adjacent_find(keys, same);
    if (twin != keys.end()) {
        return corrupt_at("XML: attribute " + quoted(twin->local) + " stands twice",
                          (twin + 1)->at);
    }
    return {};
}

void XmlScanner::skip_space() noexcept {
    while (at_ < text_.size() && is_xml_space(text_[at_])) {
        ++at_;
    }
}

std::optional<std::string_view> XmlScanner::prefix_of(std::string_view uri) const {
    for (std::size_t i = bindings_.size(); i-- > 0;) {
        const Binding& binding = bindings_[i];
        const auto visible = innermost_.find(binding.prefix);
        if (!binding.prefix.empty() && binding.uri == uri && visible->second == i) {
            return binding.prefix;
        }
    }
    return std::nullopt;
}

std::string decode_xml_text(std::string_view raw) {
    return decode(raw, false);
}

std::string decode_xml_attribute(std::string_view raw) {
    return decode(raw, true);
}

std::string encode_xml(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&apos;";
                break;
            case '\t':
                out += "&#9;";
                break;
            case '\n':
                out += "&#10;";
                break;
            case '\r':
                out += "&#13;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::optional<TextRange> foreign_encoding(std::string_view text, const XmlToken& token) {
    if (token.kind != XmlKind::kInstruction || token.name.local != "xml") {
        return std::nullopt;
    }
    const std::string_view content = cut(text, token.content);
    const std::size_t word = content.find("encoding");
    const std::size_t open =
        word == std::string_view::npos ? word : content.find_first_of("\"'", word);
    if (open == std::string_view::npos) {
        return std::nullopt;
    }
    const std::size_t close = content.find(content[open], open + 1);
    if (close == std::string_view::npos) {
        return std::nullopt;
    }
    std::string name(content.substr(open + 1, close - open - 1));
    std::ranges::transform(name, name.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (name == "utf-8" || name == "utf8") {
        return std::nullopt;
    }
    return TextRange{.begin = token.content.begin + open + 1, .end = token.content.begin + close};
}

bool is_xml_text(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const auto character = next_code_point(text, at);
        if (!character || !is_xml_character(*character)) {
            return false;
        }
    }
    return true;
}

std::string_view trim_xml_space(std::string_view text) noexcept {
    while (!text.empty() && is_xml_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_xml_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace colophon::label::internal
