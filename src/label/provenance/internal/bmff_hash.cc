// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/bmff_hash.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kExclusionsMax = 64;
constexpr std::size_t kPathPartsMax = 8;
constexpr std::size_t kBoxesMax = 1U << 16U;

bool fits(const FileView& file, const BmffBox& box, const BmffExclusion& rule) {
    if (rule.length && *rule.length != box.range.size) {
        return false;
    }
    if (rule.version || rule.flags) {
        if (box.range.size < box.header + 4) {
            return false;
        }
        const Buffer full = file.read({.offset = box.range.offset + box.header, .size = 4});
        if (rule.version && full[0] != *rule.version) {
            return false;
        }
        for (std::size_t i = 0; rule.flags && i < 3; ++i) {
            const std::uint8_t wanted = (*rule.flags)[i];
            const std::uint8_t found = full[i + 1];
            if (rule.exact ? found != wanted : (found & wanted) != wanted) {
                return false;
            }
        }
    }
    return std::ranges::all_of(rule.data, [&](const BmffExclusion::Data& data) {
        return data.offset <= box.range.size && data.value.size() <= box.range.size - data.offset &&
               file.read({.offset = box.range.offset + data.offset, .size = data.value.size()}) ==
                   data.value;
    });
}

void exclude(const BmffBox& box, const BmffExclusion& rule, std::vector<ByteRange>& out) {
    if (rule.subset.empty()) {
        out.push_back(box.range);
        return;
    }
    for (const ByteRange& part : rule.subset) {
        if (part.offset >= box.range.size) {
            continue;
        }
        const std::uint64_t left = box.range.size - part.offset;
        out.push_back({.offset = box.range.offset + part.offset,
                       .size = part.size == 0 ? left : std::min(part.size, left)});
    }
}

// "trak[2]" is the second of its kind.
struct PathPart {
    std::string_view type;
    std::size_t number = 0;  // 0: all
};
PathPart part_of(const std::string& text) {
    const std::size_t at = text.find('[');
    PathPart part{.type = std::string_view(text).substr(0, at)};
    for (std::size_t i = at == std::string::npos ? text.size() : at + 1;
         i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
        part.number = part.number * 10 + static_cast<std::size_t>(text[i] - '0');
    }
    return part;
}

Result<void> apply(const FileView& file, const BmffExclusion& rule, std::size_t depth,
                   const std::vector<BmffBox>& boxes, std::vector<ByteRange>& out) {
    const PathPart part = part_of(rule.path[depth]);
    std::size_t count = 0;
    for (const BmffBox& box : boxes) {
        if (box.type != part.type || (part.number != 0 && ++count != part.number)) {
            continue;
        }
        if (depth + 1 == rule.path.size()) {
            if (fits(file, box, rule)) {
                exclude(box, rule, out);
            }
            continue;
        }
        const std::uint64_t skip = box.header + (box.type == "meta" ? 4 : 0);
        if (box.range.size >= skip) {
            const auto inner = TRY(bmff_boxes_in(
                file, {.offset = box.range.offset + skip, .size = box.range.size - skip}));
            TRY(apply(file, rule, depth + 1, inner, out));
        }
    }
    return {};
}

void merge(std::vector<ByteRange>& ranges) {
    std::ranges::sort(ranges, {}, &ByteRange::offset);
    std::vector<ByteRange> merged;
    for (const ByteRange& each : ranges) {
        if (!merged.empty() && each.offset <= merged.back().end()) {
            merged.back().size = std::max(merged.back().end(), each.end()) - merged.back().offset;
        } else {
            merged.push_back(each);
        }
    }
    ranges = std::move(merged);
}

std::optional<std::vector<std::string>> split_path(const std::string& path) {
    if (!path.starts_with('/')) {
        return std::nullopt;
    }
    std::vector<std::string> parts;
    std::string_view rest = std::string_view(path).substr(1);
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        parts.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return parts.empty() || parts.size() > kPathPartsMax ? std::nullopt : std::optional(parts);
}

// A member that may be absent or null; false when it is something else.
template <class Take>
bool take_optional(const cbor::Value& map, std::string_view name, Take take) {
    const cbor::Value* member = map.find(name);
    return member == nullptr || member->is_null() || take(*member);
}

bool read_data(const cbor::Value& value, BmffExclusion& rule) {
    const cbor::Array* list = value.if_array();
    if (list == nullptr || list->size() > kExclusionsMax) {
        return false;
    }
    for (const cbor::Value& each : *list) {
        const std::uint64_t* offset = each.number("offset");
        const Buffer* bytes = each.bytes("value");
        if (offset == nullptr || bytes == nullptr) {
            return false;
        }
        rule.data.push_back({.offset = *offset, .value = *bytes});
    }
    return true;
}

bool read_subset(const cbor::Value& value, BmffExclusion& rule) {
    const cbor::Array* list = value.if_array();
    if (list == nullptr || list->size() > kExclusionsMax) {
        return false;
    }
    std::uint64_t end = 0;
    for (const cbor::Value& each : *list) {
        const std::uint64_t* offset = each.number("offset");
        const std::uint64_t* length = each.number("length");
        if (offset == nullptr || length == nullptr || *offset < end ||
            *length > UINT64_MAX - *offset) {
            return false;
        }
        rule.subset.push_back({.offset = *offset, .size = *length});
        end = *offset + *length;
    }
    return true;
}

std::optional<BmffExclusion> read_rule(const cbor::Value& value) {
    const std::string* xpath = value.text("xpath");
    auto path = xpath == nullptr ? std::nullopt : split_path(*xpath);
    if (!path) {
        return std::nullopt;
    }
    BmffExclusion rule;
    rule.path = std::move(*path);
    const auto number = [](std::optional<std::uint64_t>& to) {
        return [&to](const cbor::Value& member) {
            const std::uint64_t* found = member.if_unsigned();
            to = found == nullptr ? std::optional<std::uint64_t>() : std::optional(*found);
            return found != nullptr;
        };
    };
    const bool good =
        take_optional(value, "length", number(rule.length)) &&
        take_optional(value, "version", number(rule.version)) &&
        take_optional(value, "data",
                      [&](const cbor::Value& member) { return read_data(member, rule); }) &&
        take_optional(value, "subset",
                      [&](const cbor::Value& member) { return read_subset(member, rule); }) &&
        take_optional(value, "flags",
                      [&](const cbor::Value& member) {
                          const Buffer* bytes = member.if_bytes();
                          if (bytes == nullptr || bytes->size() != 3) {
                              return false;
                          }
                          rule.flags = *bytes;
                          return true;
                      }) &&
        take_optional(value, "exact", [&](const cbor::Value& member) {
            const cbor::Simple* simple = member.if_simple();
            rule.exact = simple == nullptr || *simple != cbor::Simple::kFalse;
            return simple != nullptr;
        });
    return good ? std::optional(std::move(rule)) : std::nullopt;
}

}  // namespace

std::optional<std::vector<BmffExclusion>> read_bmff_exclusions(const cbor::Value& assertion) {
    const cbor::Array* list = assertion.array("exclusions");
    if (list == nullptr || list->empty() || list->size() > kExclusionsMax) {
        return std::nullopt;
    }
    std::vector<BmffExclusion> exclusions;
    for (const cbor::Value& each : *list) {
        auto rule = read_rule(each);
        if (!rule) {
            return std::nullopt;
        }
        exclusions.push_back(std::move(*rule));
    }
    return exclusions;
}

std::vector<BmffExclusion> standard_bmff_exclusions() {
    std::vector<BmffExclusion> exclusions(3);
    exclusions[0].path = {"uuid"};
    exclusions[0].data = {{.offset = 8, .value = to_buffer(Bytes(kC2paUuid))}};
    exclusions[1].path = {"ftyp"};
    exclusions[2].path = {"mfra"};
    return exclusions;
}

cbor::Value write_bmff_exclusions(const std::vector<BmffExclusion>& exclusions) {
    cbor::Array list;
    for (const BmffExclusion& each : exclusions) {
        std::string path;
        for (const std::string& part : each.path) {
            path += "/" + part;
        }
        cbor::Map map{{"xpath", path}};
        if (!each.data.empty()) {
            cbor::Array data;
            for (const BmffExclusion::Data& row : each.data) {
                data.emplace_back(cbor::Map{{"offset", row.offset}, {"value", row.value}});
            }
            map.emplace_back("data", std::move(data));
        }
        if (!each.subset.empty()) {
            cbor::Array subset;
            for (const ByteRange& part : each.subset) {
                subset.emplace_back(cbor::Map{{"offset", part.offset}, {"length", part.size}});
            }
            map.emplace_back("subset", std::move(subset));
        }
        list.emplace_back(std::move(map));
    }
    return list;
}

bool are_usual(const std::vector<BmffExclusion>& exclusions, bool trees) {
    constexpr std::array<std::string_view, 5> kUsual{"uuid", "ftyp", "mfra", "free", "skip"};
    // A.5.6: what Merkle trees cover, but for the head that holds it in its place.
    const std::vector<ByteRange> media{{.offset = 16, .size = 0}};
    return std::ranges::all_of(exclusions, [&](const BmffExclusion& each) {
        if (trees && each.path == std::vector<std::string>{"mdat"} && each.subset == media) {
            return true;
        }
        return each.path.size() == 1 &&
               std::ranges::find(kUsual, each.path.front()) != kUsual.end() &&
               (each.path.front() != "uuid" || !each.data.empty());
    });
}

Result<std::vector<BmffBox>> bmff_boxes_in(const FileView& file, const ByteRange& range) {
    std::vector<BmffBox> boxes;
    std::uint64_t at = range.offset;
    while (range.end() - at >= 8) {
        if (boxes.size() == kBoxesMax) {
            return Error{ErrorCode::kLimit, "more boxes than are hashed one by one"};
        }
        const Buffer head =
            file.read({.offset = at, .size = std::min<std::uint64_t>(16, range.end() - at)});
        BmffBox box{.type = std::string(as_text(Bytes(head).subspan(4, 4))),
                    .range = {.offset = at, .size = load_be32(head)},
                    .header = 8};
        if (box.range.size == 1 && head.size() == 16) {
            box.range.size = load_be64(Bytes(head).subspan(8));
            box.header = 16;
        } else if (box.range.size == 0) {
            box.range.size = range.end() - at;
        }
        if (box.range.size < box.header || box.range.size > range.end() - at) {
            return corrupt_at("a box of an impossible size", at);
        }
        at += box.range.size;
        boxes.push_back(std::move(box));
    }
    if (at != range.end()) {
        boxes.push_back({.type = {}, .range = {.offset = at, .size = range.end() - at}});
    }
    return boxes;
}

Result<BmffHasher> BmffHasher::create(const FileView& file,
                                      const std::vector<BmffExclusion>& exclusions,
                                      bool with_places) {
    BmffHasher hasher(file, with_places);
    hasher.boxes_ = TRY(bmff_boxes_in(file, {.offset = 0, .size = file.size()}));
    for (const BmffExclusion& rule : exclusions) {
        TRY(apply(file, rule, 0, hasher.boxes_, hasher.excluded_));
    }
    merge(hasher.excluded_);
    return hasher;
}

Buffer BmffHasher::some(HashAlgorithm algorithm, std::size_t first, std::size_t last) const {
    ContentHasher hasher(algorithm);
    auto gap = excluded_.begin();
    for (std::size_t i = first; i < last; ++i) {
        const BmffBox& box = boxes_[i];
        while (gap != excluded_.end() && gap->end() <= box.range.offset) {
            ++gap;
        }
        if (gap != excluded_.end() && gap->offset <= box.range.offset &&
            gap->end() >= box.range.end()) {
            continue;
        }
        if (with_places_) {
            Buffer place;
            append_be64(place, box.range.offset);
            hasher.update(place);
        }
        std::uint64_t at = box.range.offset;
        for (auto each = gap; each != excluded_.end() && each->offset < box.range.end(); ++each) {
            if (each->offset > at) {
                file_.feed({.offset = at, .size = each->offset - at}, hasher);
            }
            at = std::max(at, std::min(each->end(), box.range.end()));
        }
        file_.feed({.offset = at, .size = box.range.end() - at}, hasher);
    }
    return hasher.finish();
}

Result<Buffer> hash_bmff(HashAlgorithm algorithm, const FileView& file,
                         const std::vector<BmffExclusion>& exclusions, bool with_places) {
    return TRY(BmffHasher::create(file, exclusions, with_places)).all(algorithm);
}

}  // namespace colophon::label::provenance::internal
