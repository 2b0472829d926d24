// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/movie_tags.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/container/bmff_boxes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

using bmff::Box;
using bmff::box_type;
using bmff::BoxReader;

// Well-known types of QuickTime values.
constexpr std::uint32_t kUtf16 = 2;

std::string from_utf16(Bytes bytes) {
    std::string out;
    for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
        char32_t c = load_be16(bytes.subspan(i));
        if (c >= 0xD800 && c < 0xDC00 && i + 3 < bytes.size()) {
            const char32_t low = load_be16(bytes.subspan(i + 2));
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10U) + (low - 0xDC00);
                i += 2;
            }
        }
        append_utf8(out, c);
    }
    return out;
}

std::string without_zeros(std::string_view text) {
    return std::string(text.substr(0, text.find_last_not_of('\0') + 1));
}

// A 'data' box begins with a type and a locale; some writers put the text right there.
std::string data_text(Bytes data) {
    if (data.size() > limits::kLabelBytesMax) {
        return {};
    }
    if (data.size() < 8 || data[0] == '{') {
        return without_zeros(as_text(data));
    }
    const Bytes value = data.subspan(8);
    return (load_be32(data) & 0xFFFFFFU) == kUtf16 ? from_utf16(value)
                                                   : without_zeros(as_text(value));
}

std::string full_box_text(Bytes content) {
    return content.size() < 4 ? std::string() : std::string(as_text(content.subspan(4)));
}

// Whether the content of a box reads as boxes up to its end.
bool has_boxes(Bytes file, const Box& box) {
    BoxReader reader(file, box);
    const auto first = reader.next();
    return first.ok() && first->has_value();
}

Result<void> read_tag_children(Bytes file, MovieTag& tag) {
    std::string mean;
    std::string name;
    bool found = false;
    BoxReader reader(file, tag.box);
    while (const auto child = TRY(reader.next())) {
        const Bytes content = bmff::payload(file, *child);
        if (child->type == box_type("data") && !found) {
            tag.text = data_text(content);
            found = !tag.text.empty();
        } else if (child->type == box_type("mean") && content.size() < 256) {
            mean = full_box_text(content);
        } else if (child->type == box_type("name") && content.size() < 256) {
            name = full_box_text(content);
        }
    }
    if (tag.box.type == box_type("----")) {
        tag.name = mean + ":" + name;
    }
    return {};
}

// Letters that are not ASCII are Mac OS Roman in box types; of those only the © matters here.
std::string tag_name(bmff::BoxType type) {
    return type >> 24U == 0xA9U ? "\xC2\xA9" + bmff::type_name(type).substr(1)
                                : bmff::type_name(type);
}

Result<MovieTag> read_tag(Bytes file, const Box& box, const MovieTags& tags) {
    MovieTag tag;
    tag.box = box;
    const std::size_t index = box.type;
    if (index >= 1 && index <= tags.keys.size()) {
        const MovieKey& key = tags.keys[index - 1];
        tag.by_key = key.space == box_type("mdta");
        tag.name =
            std::string(as_text(key.name.first(std::min<std::size_t>(key.name.size(), 256))));
    } else if (index > 0xFFFFFFU) {
        tag.name = tag_name(box.type);
    }
    // A list of bare values: 'data' without an item around it, or text without a 'data' box.
    const Bytes content = bmff::payload(file, box);
    if (box.type == box_type("data") || (!content.empty() && content[0] == '{')) {
        tag.text = data_text(content);
    } else if (has_boxes(file, box) || names_label(tag)) {
        // What is no box in a tag of somebody else is theirs; in a label it is damage.
        TRY(read_tag_children(file, tag));
    }
    return tag;
}

Result<void> read_keys(Bytes file, const Box& box, MovieTags& tags) {
    tags.keys_box = box;
    ByteReader reader(bmff::payload(file, box), box.payload_offset());
    (void)TRY(bmff::read_full_box(reader));
    const std::uint32_t count = TRY(reader.be32("number of keys"));
    if (count > limits::kMovieTagsMax) {
        return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kMovieTagsMax) +
                                            " keys in the box at byte " +
                                            std::to_string(box.offset)};
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint64_t at = reader.offset();
        const std::uint32_t size = TRY(reader.be32("size of a key"));
        MovieKey key;
        key.space = TRY(reader.be32("namespace of a key"));
        if (size < 8) {
            return corrupt_at("key of " + std::to_string(size) + " bytes", at);
        }
        key.name = TRY(reader.take(size - 8, "name of a key"));
        tags.keys.push_back(key);
    }
    return {};
}

Result<void> read_list(Bytes file, MovieTags& tags) {
    BoxReader reader(file, *tags.list);
    while (const auto item = TRY(reader.next())) {
        if (tags.tags.size() >= limits::kMovieTagsMax) {
            return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kMovieTagsMax) +
                                                " tags in the box at byte " +
                                                std::to_string(tags.list->offset)};
        }
        tags.tags.push_back(TRY(read_tag(file, *item, tags)));
    }
    return {};
}

// The first box of each kind counts.
Result<void> read_child(Bytes file, const Box& child, MovieTags& tags) {
    if (child.type == box_type("hdlr")) {
        const Bytes content = bmff::payload(file, child);
        tags.handler = content.size() >= 12 ? load_be32(content.subspan(8)) : 0;
    } else if (child.type == box_type("keys") && !tags.keys_box) {
        return read_keys(file, child, tags);
    } else if (child.type == box_type("ilst") && !tags.list) {
        tags.list = child;
    } else if (child.type != box_type("free") && child.type != box_type("skip")) {
        tags.others = true;
    }
    return {};
}

}  // namespace

Result<MovieTags> read_movie_tags(Bytes file, const Box& meta) {
    MovieTags tags;
    tags.box = meta;
    tags.prefix = bmff::meta_prefix(file, meta);
    BoxReader reader(file, meta, tags.prefix);
    while (const auto child = TRY(reader.next())) {
        TRY(read_child(file, *child, tags));
    }
    if (tags.list) {
        TRY(read_list(file, tags));
    }
    return tags;
}

bool names_label(const MovieTag& tag) {
    return tag.name.find("AIGC") != std::string::npos || tag.name == "aigc";
}

}  // namespace colophon::label::internal
