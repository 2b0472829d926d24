// SPDX-License-Identifier: Apache-2.0
#include "label/container/flv_tags.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::flv {
namespace {

// Type markers of AMF0.
enum Marker : std::uint8_t {
    kNumber = 0,
    kBoolean = 1,
    kString = 2,
    kObject = 3,
    kNull = 5,
    kUndefined = 6,
    kReference = 7,
    kEcmaArray = 8,
    kObjectEnd = 9,
    kStrictArray = 10,
    kDate = 11,
    kLongString = 12,
    kUnsupported = 13,
    kXml = 15,
    kTypedObject = 16,
};

Result<Bytes> take_string(ByteReader& reader, bool is_long) {
    const std::uint64_t size =
        is_long ? TRY(reader.be32("string length")) : TRY(reader.be16("string length"));
    return reader.take(size, "string");
}

Result<void> skip_value(ByteReader& reader, std::uint8_t marker, std::size_t depth);

Result<void> take_found(ByteReader& reader, std::uint8_t marker, Bytes key,
                        std::vector<ScriptString>& found) {
    const Bytes value = TRY(take_string(reader, marker == kLongString));
    if (found.size() >= limits::kContainerItemsMax) {
        return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kContainerItemsMax) +
                                            " strings in script data"};
    }
    found.push_back({.key = as_text(key), .value = as_text(value)});
    return {};
}

// Members until the empty key that an end marker follows. `found`, when given, receives strings.
Result<void> walk_members(ByteReader& reader, std::size_t depth, std::vector<ScriptString>* found) {
    if (depth > limits::kContainerDepthMax) {
        return Error{ErrorCode::kLimit, "script data nested deeper than " +
                                            std::to_string(limits::kContainerDepthMax) +
                                            " at byte " + std::to_string(reader.offset())};
    }
    while (!reader.done()) {
        const Bytes key = TRY(take_string(reader, false));
        const std::uint8_t marker = TRY(reader.u8("value type"));
        if (marker == kObjectEnd) {
            return {};
        }
        const bool wanted = found != nullptr && (marker == kString || marker == kLongString);
        TRY(wanted ? take_found(reader, marker, key, *found) : skip_value(reader, marker, depth));
    }
    return {};  // Some writers leave the end marker out.
}

Result<void> skip_value(ByteReader& reader, std::uint8_t marker, std::size_t depth) {
    switch (marker) {
        case kNumber:
            return reader.skip(8, "number");
        case kBoolean:
            return reader.skip(1, "boolean");
        case kDate:
            return reader.skip(10, "date");
        case kReference:
            return reader.skip(2, "reference");
        case kNull:
        case kUndefined:
        case kUnsupported:
            return {};
        case kString:
        case kLongString:
        case kXml:
            (void)TRY(take_string(reader, marker != kString));
            return {};
        case kTypedObject:
            (void)TRY(take_string(reader, false));
            return walk_members(reader, depth + 1, nullptr);
        case kEcmaArray:
            TRY(reader.skip(4, "array length"));
            return walk_members(reader, depth + 1, nullptr);
        case kObject:
            return walk_members(reader, depth + 1, nullptr);
        case kStrictArray:
            break;
        default:
            return corrupt_at("script value of unknown type " + std::to_string(marker),
                              reader.offset());
    }
    const std::uint32_t count = TRY(reader.be32("array length"));
    if (depth >= limits::kContainerDepthMax) {
        return Error{ErrorCode::kLimit, "script data nested deeper than " +
                                            std::to_string(limits::kContainerDepthMax) +
                                            " at byte " + std::to_string(reader.offset())};
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint8_t inner = TRY(reader.u8("value type"));
        TRY(skip_value(reader, inner, depth + 1));
    }
    return {};
}

}  // namespace

Result<TagReader> TagReader::create(Bytes file) {
    ByteReader reader(file);
    const Bytes signature = TRY(reader.take(3, "FLV signature"));
    if (as_text(signature) != "FLV") {
        return corrupt_at("no FLV signature", 0);
    }
    TRY(reader.skip(2, "FLV header"));
    const std::uint32_t header_size = TRY(reader.be32("size of the FLV header"));
    if (header_size < 9 || header_size > file.size()) {
        return corrupt_at("FLV header of " + std::to_string(header_size) + " bytes", 5);
    }
    return TagReader(file, header_size);
}

Result<std::optional<Tag>> TagReader::next() {
    ByteReader reader(file_.subspan(static_cast<std::size_t>(position_)), position_);
    if (reader.left() <= 4) {
        // The size of the last tag, which some writers leave out or a cut has shortened.
        return std::optional<Tag>();
    }
    if (++count_ > limits::kContainerItemsMax) {
        return Error{ErrorCode::kLimit,
                     "more than " + std::to_string(limits::kContainerItemsMax) + " FLV tags"};
    }
    TRY(reader.skip(4, "size of the previous tag"));
    Tag tag;
    tag.offset = reader.offset();
    tag.type = TRY(reader.u8("tag type"));
    tag.type &= 0x1FU;  // above it are reserved bits and the mark of encrypted tags
    tag.size = TRY(reader.be24("tag size"));
    TRY(reader.skip(7, "tag header"));
    TRY(reader.skip(tag.size, "tag"));
    position_ = reader.offset();
    return std::optional<Tag>(tag);
}

Bytes data(Bytes file, const Tag& tag) {
    const auto bytes = slice(file, tag.data_offset(), tag.size);
    COLOPHON_ASSERT(bytes.has_value());
    return *bytes;
}

Result<Script> read_script(Bytes data, std::uint64_t offset) {
    ByteReader reader(data, offset);
    Script script;
    const std::uint8_t name_marker = TRY(reader.u8("script name"));
    if (name_marker != kString) {
        return corrupt_at("script data without a name", offset);
    }
    const Bytes name = TRY(take_string(reader, false));
    script.name = as_text(name);
    if (reader.done()) {
        return script;
    }
    const std::uint8_t marker = TRY(reader.u8("script value"));
    if (marker == kEcmaArray) {
        TRY(reader.skip(4, "array length"));
    } else if (marker != kObject) {
        return script;
    }
    TRY(walk_members(reader, 1, &script.strings));
    return script;
}

}  // namespace colophon::label::flv
