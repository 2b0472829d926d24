// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tags of Flash Video (Adobe FLV specification 10.1, annex E) and the strings of the script data in
// them, which is encoded in AMF0.
//
//   "FLV" version flags header-size:u32, then { previous-tag-size:u32 tag } ...
//   tag: type:u8 size:u24 time:u24 time-high:u8 stream:u24 data

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace colophon::label::flv {

inline constexpr std::uint8_t kAudioTag = 8;
inline constexpr std::uint8_t kVideoTag = 9;
inline constexpr std::uint8_t kScriptTag = 18;

struct Tag {
    std::uint8_t type = 0;
    std::uint64_t offset = 0;  // in the file, of the tag header
    std::uint32_t size = 0;    // of the data, which follows 11 bytes of header

    std::uint64_t data_offset() const noexcept { return offset + 11; }
};

class TagReader {
public:
    // kCorrupt when the file header is none.
    static Result<TagReader> create(Bytes file);
    // kCorrupt for a tag that is cut; kLimit above limits::kContainerItemsMax tags.
    Result<std::optional<Tag>> next();

private:
    TagReader(Bytes file, std::uint64_t position) : file_(file), position_(position) {}
    Bytes file_;
    std::uint64_t position_;
    std::size_t count_ = 0;
};

Bytes data(Bytes file, const Tag& tag);

// One string member of the object (or ECMA array) that a script tag carries. The texts are views
// of the tag's bytes.
struct ScriptString {
    std::string_view key;
    std::string_view value;
};
struct Script {
    std::string_view name;  // "onMetaData"
    std::vector<ScriptString> strings;
};

// Reads the name and the string members of the first object behind it; members of other types are
// stepped over. kLimit above limits::kContainerDepthMax nested values or limits::kContainerItemsMax
// strings.
Result<Script> read_script(Bytes data, std::uint64_t offset);

}  // namespace colophon::label::flv
