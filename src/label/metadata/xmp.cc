// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/xmp.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/rdf_edit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::RdfCollector;
using internal::RdfFacts;
using internal::TextEdit;
using internal::TextRange;
using internal::XmlScanner;

// What a new packet leaves for later editors, as ISO 16684-1 advises: 2 KB in lines.
constexpr std::size_t kPaddingLines = 20;
constexpr std::size_t kPaddingLineBytes = 100;

struct Encoding {
    std::string_view start;  // a byte order mark, or "<" in that encoding
    std::size_t unit_bytes;
    bool big_endian;
    bool mark;  // `start` is a byte order mark and no part of the text
};

using namespace std::string_view_literals;

// The longer starts first: a UTF-32 mark begins with a UTF-16 one. A packet may lack the mark at
// its very start, because XMP keeps one in the attribute `begin`.
constexpr std::array kEncodings{
    Encoding{"\xFF\xFE\0\0"sv, 4, false, true}, Encoding{"\0\0\xFE\xFF"sv, 4, true, true},
    Encoding{"<\0\0\0"sv, 4, false, false},     Encoding{"\0\0\0<"sv, 4, true, false},
    Encoding{"\xFF\xFE"sv, 2, false, true},     Encoding{"\xFE\xFF"sv, 2, true, true},
    Encoding{"<\0"sv, 2, false, false},         Encoding{"\0<"sv, 2, true, false},
};

std::uint32_t load_unit(std::string_view text, std::size_t at, const Encoding& encoding) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < encoding.unit_bytes; ++i) {
        const std::size_t from = encoding.big_endian ? i : encoding.unit_bytes - 1 - i;
        value = value << 8U | static_cast<unsigned char>(text[at + from]);
    }
    return value;
}

bool is_high_surrogate(std::uint32_t unit) noexcept {
    return unit >= 0xD800 && unit < 0xDC00;
}
bool is_low_surrogate(std::uint32_t unit) noexcept {
    return unit >= 0xDC00 && unit < 0xE000;
}

Result<std::string> convert(std::string_view packet, const Encoding& encoding) {
    const std::size_t unit = encoding.unit_bytes;
    std::string out;
    out.reserve(packet.size());
    std::size_t at = encoding.mark ? encoding.start.size() : 0;
    for (; at + unit <= packet.size(); at += unit) {
        std::uint32_t value = load_unit(packet, at, encoding);
        if (unit == 2 && is_high_surrogate(value) && at + 2 * unit <= packet.size()) {
            const std::uint32_t low = load_unit(packet, at + unit, encoding);
            if (is_low_surrogate(low)) {
                value = 0x10000 + ((value - 0xD800) << 10U) + (low - 0xDC00);
                at += unit;
            }
        }
        if (value > 0x10FFFF || is_high_surrogate(value) || is_low_surrogate(value)) {
            return corrupt_at("XMP: not a character", at);
        }
        append_utf8(out, value);
    }
    if (at != packet.size()) {
        return corrupt_at("XMP: half a character at the end", at);
    }
    return out;
}

Result<void> check_size(std::size_t size) {
    if (size > limits::kXmpBytesMax) {
        return Error{ErrorCode::kLimit, "XMP: a packet of " + std::to_string(size) +
                                            " bytes; at most " +
                                            std::to_string(limits::kXmpBytesMax) + " are read"};
    }
    return {};
}

struct Packet {
    std::string text;
    bool converted = false;  // from UTF-16 or UTF-32
};

Result<Packet> to_utf8(std::string_view packet) {
    TRY(check_size(packet.size()));
    const auto* encoding = std::ranges::find_if(
        kEncodings, [&](const Encoding& e) { return packet.starts_with(e.start); });
    if (encoding == kEncodings.end()) {
        return Packet{.text = std::string(packet), .converted = false};
    }
    std::string text = TRY(convert(packet, *encoding));
    TRY(check_size(text.size()));
    return Packet{.text = std::move(text), .converted = true};
}

// Some containers round a packet up with zeros. They are no part of the XML and stay behind it.
std::string_view without_zeros(std::string_view text) noexcept {
    while (text.ends_with('\0')) {
        text.remove_suffix(1);
    }
    return text;
}

struct Scanned {
    RdfFacts facts;
    std::optional<TextRange> encoding;  // a name that is wrong for what we write
};

Result<Scanned> scan(std::string_view text) {
    Scanned scanned;
    XmlScanner scanner(text);
    RdfCollector collector(text);
    while (TRY(scanner.next())) {
        TRY(collector.feed(scanner));
        const auto encoding = internal::foreign_encoding(text, scanner.token());
        scanned.encoding = encoding ? encoding : scanned.encoding;
    }
    scanned.facts = collector.facts();
    return scanned;
}

// ISO-8859-1 and its like: the bytes that differ from UTF-8 would be read wrongly.
Result<void> check_encoding(const Packet& packet, const Scanned& scanned) {
    const bool ascii = std::ranges::all_of(
        packet.text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (scanned.encoding && !ascii && !packet.converted) {
        return Error{ErrorCode::kUnsupported,
                     "XMP: the packet says that it is written in " +
                         std::string(internal::cut(packet.text, *scanned.encoding).substr(0, 40)) +
                         "; only UTF-8, UTF-16 and UTF-32 are read"};
    }
    return {};
}

bool is_blank(std::string_view text) noexcept {
    return internal::trim_xml_space(text).empty();
}

std::string new_packet(const MetadataFields& fields) {
    std::string packet =
        "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n " +
        internal::new_rdf(fields, "\n ") + "\n</x:xmpmeta>\n";
    for (std::size_t i = 0; i < kPaddingLines; ++i) {
        packet.append(kPaddingLineBytes, ' ').append(1, '\n');
    }
    return packet + "<?xpacket end=\"w\"?>";
}

}  // namespace

Result<XmpReading> read_xmp(std::string_view packet) {
    const Packet whole = TRY(to_utf8(packet));
    const std::string_view text = without_zeros(whole.text);
    if (is_blank(text)) {
        return XmpReading{};
    }
    const Scanned scanned = TRY(scan(text));
    TRY(check_encoding(whole, scanned));
    internal::RdfReading reading = internal::read_rdf(scanned.facts);
    XmpReading out{.aigc = {},
                   .iptc = std::move(reading.iptc),
                   .credential_link = scanned.facts.credential_link,
                   .findings = std::move(reading.findings)};
    for (internal::RdfLabel& label : reading.labels) {
        out.aigc.push_back(std::move(label.value));
    }
    return out;
}

bool holds_label_bytes(std::string_view block) {
    static constexpr std::array kSigns{"TC260:AIGC"sv,        "tc260.org.cn/ns/AIGC"sv,
                                       "ContentProducer"sv,   "ProduceID"sv,
                                       "ContentPropagator"sv, "PropagateID"sv};
    const auto holds = [](std::string_view text) {
        return std::ranges::any_of(
            kSigns, [&](std::string_view sign) { return text.find(sign) != text.npos; });
    };
    if (holds(block)) {
        return true;
    }
    // In the wider encodings these characters have zeros between them.
    std::string narrow(block.substr(0, limits::kXmpBytesMax));
    std::erase(narrow, '\0');
    return narrow.size() < block.size() && holds(narrow);
}

Result<void> check_xmp_fields(const MetadataFields& fields) {
    return internal::check_rdf_fields(fields);
}

// [GB45438-6.1] Exactly one label in the packet, everything foreign as it was.
Result<std::string> write_xmp(std::string_view packet, const MetadataFields& fields) {
    TRY(internal::check_rdf_fields(fields));
    const Packet whole = TRY(to_utf8(packet));
    const std::string_view text = without_zeros(whole.text);
    if (is_blank(text)) {
        return new_packet(fields);
    }
    const Scanned scanned = TRY(scan(text));
    TRY(check_encoding(whole, scanned));
    auto edits = internal::plan_rdf_edits(text, scanned.facts, fields);
    if (!edits.ok() && edits.error().code == ErrorCode::kNotFound) {
        return Error{ErrorCode::kUnsupported,
                     "XMP: the packet has neither an x:xmpmeta nor an rdf:RDF element to write to"};
    }
    if (!edits.ok()) {
        return edits.error();
    }
    if (scanned.encoding) {
        edits->push_back(TextEdit{.where = *scanned.encoding, .text = "UTF-8"});
    }
    std::string out = internal::apply_edits(whole.text, *std::move(edits));
    TRY(check_size(out.size()));
    return out;
}

}  // namespace colophon::label
