// SPDX-License-Identifier: Apache-2.0
#pragma once

// The answers of an S3 store: small documents of elements with text. Attributes, comments and
// processing instructions are passed over; a document type declaration, and with it every entity
// but the five of XML and numbers, is refused.

#include "core/bytes.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {

inline constexpr std::size_t kS3XmlBytesMax = 4U << 20U;  // a page of 1,000 keys has about 0.4 MB
inline constexpr std::size_t kS3XmlDepthMax = 16;
inline constexpr std::size_t kS3XmlElementsMax = 65'536;

struct XmlElement {
    std::string name;  // without its namespace prefix
    std::string text;  // of this element itself, entities resolved, blanks at both ends dropped
    std::vector<XmlElement> children;

    // The first child of that name; nullptr when there is none.
    const XmlElement* find(std::string_view child) const noexcept;
    // Its text, or nothing.
    std::string_view text_of(std::string_view child) const noexcept;
};

// The root element. Error{kCorrupt} names the byte; Error{kLimit} the limit.
Result<XmlElement> parse_s3_xml(std::string_view text);

}  // namespace colophon::storage
