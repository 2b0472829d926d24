// SPDX-License-Identifier: Apache-2.0
#include "label/container/ebml.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::ebml {
namespace {

constexpr int kIdBytesMax = 4;
constexpr int kSizeBytesMax = 8;

// How many bytes a number has is the number of zero bits before its first one, plus one.
Result<std::uint64_t> take_number(ByteReader& reader, int bytes_max, bool keep_marker) {
    const std::uint64_t start = reader.offset();
    const std::uint8_t first = TRY(reader.u8("element"));
    const int length = std::countl_zero(first) + 1;
    if (length > bytes_max) {
        return corrupt_at("number of more than " + std::to_string(bytes_max) + " bytes", start);
    }
    std::uint64_t value = keep_marker ? first : first & (0xFFU >> static_cast<unsigned>(length));
    for (int i = 1; i < length; ++i) {
        value = (value << 8U) | TRY(reader.u8("element"));
    }
    // All bits set is no size: it says that the size is not known.
    if (!keep_marker && value == (std::uint64_t{1} << (7U * static_cast<unsigned>(length))) - 1) {
        return ~std::uint64_t{0};
    }
    return value;
}

}  // namespace

ElementReader::ElementReader(Bytes file, std::uint64_t begin, std::uint64_t end,
                             std::size_t count_max)
    : file_(file), position_(begin), end_(end), count_max_(count_max) {
    COLOPHON_ASSERT(begin <= end && end <= file.size());
}

Result<std::optional<Element>> ElementReader::next() {
    if (position_ == end_) {
        return std::optional<Element>();
    }
    if (++count_ > count_max_) {
        return Error{ErrorCode::kLimit, "more than " + std::to_string(count_max_) +
                                            " elements side by side at byte " +
                                            std::to_string(position_)};
    }
    ByteReader reader(*slice(file_, position_, end_ - position_), position_);
    Element element;
    element.offset = position_;
    element.id = static_cast<std::uint32_t>(TRY(take_number(reader, kIdBytesMax, true)));
    const std::uint64_t size = TRY(take_number(reader, kSizeBytesMax, false));
    element.header_size = static_cast<std::uint32_t>(reader.position());
    element.unknown_size = size == ~std::uint64_t{0};
    element.content_size = element.unknown_size ? reader.left() : size;
    if (element.content_size > reader.left()) {
        return corrupt_at("element of " + std::to_string(size) + " bytes does not fit into the " +
                              std::to_string(reader.left()) + " bytes around it,",
                          position_);
    }
    position_ = element.end();
    return std::optional<Element>(element);
}

void ElementReader::seek(std::uint64_t offset) {
    COLOPHON_ASSERT(offset <= end_);
    position_ = offset;
}

Bytes content(Bytes file, const Element& element) {
    const auto bytes = slice(file, element.content_offset(), element.content_size);
    COLOPHON_ASSERT(bytes.has_value());
    return *bytes;
}

std::string_view string_of(Bytes file, const Element& element) {
    const std::string_view text = as_text(content(file, element));
    return text.substr(0, std::min(text.find('\0'), text.size()));
}

}  // namespace colophon::label::ebml
