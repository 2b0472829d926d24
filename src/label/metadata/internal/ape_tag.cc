// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/ape_tag.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::uint64_t kFrameBytes = 32;  // of header and footer
constexpr std::uint64_t kId3v1Bytes = 128;
constexpr std::uint32_t kHasHeader = 0x80000000;
constexpr std::size_t kSizeOffset = 12;
constexpr std::size_t kCountOffset = 16;

bool read_items(Bytes file, std::uint64_t at, std::uint64_t end, std::uint32_t count, ApeTag& tag) {
    while (at < end && tag.items.size() < count) {
        const auto head = slice(file.first(static_cast<std::size_t>(end)), at, 8);
        if (!head) {
            return false;
        }
        const Bytes rest =
            file.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(end - at));
        ApeItem item;
        item.offset = at;
        item.flags = load_le32(head->subspan(4));
        const std::uint64_t size = load_le32(*head);
        // A key has at most 255 characters.
        const std::size_t zero = as_text(rest.subspan(8)).substr(0, 256).find('\0');
        if (zero == std::string_view::npos || size > rest.size() - 8 - zero - 1) {
            return false;
        }
        item.key = as_text(rest.subspan(8, zero));
        item.value = as_text(rest.subspan(8 + zero + 1, static_cast<std::size_t>(size)));
        at += 8 + zero + 1 + size;
        item.end = at;
        tag.items.push_back(item);
    }
    return at == end && tag.items.size() == count;
}

}  // namespace

std::optional<ApeTag> find_ape_tag(Bytes file, std::uint64_t from, bool id3v1) {
    std::uint64_t end = file.size();
    // "TAG" inside of an ID3v2 tag, or of "APETAGEX", begins no tag.
    if (id3v1 && end >= from + kId3v1Bytes + 3 &&
        as_text(*slice(file, end - kId3v1Bytes, 3)) == "TAG" &&
        as_text(*slice(file, end - kId3v1Bytes - 3, 8)) != "APETAGEX") {
        end -= kId3v1Bytes;
    }
    if (end < from + kFrameBytes) {
        return std::nullopt;
    }
    const Bytes footer = *slice(file, end - kFrameBytes, kFrameBytes);
    if (!starts_with(footer, "APETAGEX") || load_le32(footer.subspan(8)) != 2000) {
        return std::nullopt;
    }
    const std::uint64_t size = load_le32(footer.subspan(kSizeOffset));  // items and footer
    const std::uint32_t count = load_le32(footer.subspan(kCountOffset));
    ApeTag tag;
    tag.end = end;
    tag.header = (load_le32(footer.subspan(20)) & kHasHeader) != 0;
    const std::uint64_t whole = size + (tag.header ? kFrameBytes : 0);
    if (size < kFrameBytes || whole > end - from || size > limits::kMetadataBlockBytesMax ||
        count > limits::kContainerItemsMax) {
        return std::nullopt;
    }
    tag.offset = end - whole;
    if (!read_items(file, end - size, end - kFrameBytes, count, tag)) {
        return std::nullopt;
    }
    return tag;
}

Buffer make_ape_tag(Bytes file, const ApeTag& tag, const std::vector<bool>& drop) {
    COLOPHON_ASSERT(drop.size() == tag.items.size());
    Buffer items;
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < drop.size(); ++i) {
        if (!drop[i]) {
            append(items,
                   *slice(file, tag.items[i].offset, tag.items[i].end - tag.items[i].offset));
            ++count;
        }
    }
    Buffer out;
    if (count == 0) {
        return out;
    }
    const auto frame = [&](std::uint64_t offset) {
        Buffer bytes = to_buffer(*slice(file, offset, kFrameBytes));
        store_le32(bytes, kSizeOffset, static_cast<std::uint32_t>(items.size() + kFrameBytes));
        store_le32(bytes, kCountOffset, count);
        return bytes;
    };
    if (tag.header) {
        append(out, frame(tag.offset));
    }
    append(out, items);
    append(out, frame(tag.end - kFrameBytes));
    return out;
}

}  // namespace colophon::label::internal
