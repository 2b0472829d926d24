// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/xmp.h"

#include "core/result.h"
#include "label/metadata/container.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '"') {
            out += "&quot;";
        } else if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else {
            out += c;
        }
    }
    return out;
}

std::string unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        if (text.starts_with("&quot;")) {
            out += '"';
            text.remove_prefix(6);
        } else if (text.starts_with("&amp;")) {
            out += '&';
            text.remove_prefix(5);
        } else {
            out += text.front();
            text.remove_prefix(1);
        }
    }
    return out;
}

}  // namespace

Result<XmpReading> read_xmp(std::string_view packet) {
    XmpReading reading;
    const std::size_t open = packet.find("<TC260:AIGC>");
    const std::size_t close = packet.find("</TC260:AIGC>");
    if (open != std::string_view::npos && close != std::string_view::npos) {
        reading.aigc.push_back(unescape(packet.substr(open + 12, close - open - 12)));
    }
    return reading;
}

Result<std::string> write_xmp(std::string_view packet, const MetadataFields& fields) {
    if (!packet.empty()) {
        return Error{ErrorCode::kUnsupported, "editing an XMP packet"};
    }
    return "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
           "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
           "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
           "<rdf:Description rdf:about=\"\" xmlns:TC260=\"http://www.tc260.org.cn/ns/AIGC/1.0/\">"
           "<TC260:AIGC>" +
           escape(fields.aigc) +
           "</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>";
}

}  // namespace colophon::label
