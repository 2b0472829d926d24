// SPDX-License-Identifier: Apache-2.0
#include "storage/objects.h"

#include "core/bytes.h"
#include "storage/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace colophon::storage {
namespace {

// What every file system can take.
constexpr std::size_t kSegmentBytesMax = 255;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

Error bad_name(std::string_view why) {
    // The name itself may hold anything, so it is not repeated.
    return Error{ErrorCode::kInvalidArgument, fmt::format("an object's name {}", why)};
}

Result<void> check_segment(std::string_view segment) {
    if (segment.empty()) {
        return bad_name("has an empty part between two slashes");
    }
    if (segment.size() > kSegmentBytesMax) {
        return bad_name(fmt::format("has a part of more than {} bytes", kSegmentBytesMax));
    }
    if (segment == "." || segment == "..") {
        return bad_name("leads to another folder");
    }
    if (segment.ends_with(".part")) {
        return bad_name("has a part that ends in .part");
    }
    if (!std::ranges::all_of(segment, is_name_character)) {
        return bad_name("has a character that is not a letter, a digit, '.', '_' or '-'");
    }
    return {};
}

}  // namespace

Result<void> check_object_name(std::string_view name) {
    if (name.size() > kObjectNameBytesMax) {
        return bad_name(fmt::format("is longer than {} bytes", kObjectNameBytesMax));
    }
    for (;;) {
        const std::size_t slash = name.find('/');
        TRY(check_segment(name.substr(0, slash)));
        if (slash == std::string_view::npos) {
            return {};
        }
        name.remove_prefix(slash + 1);
    }
}

Result<void> check_object_prefix(std::string_view prefix) {
    // "a/" and "a." begin names although they are none: the unfinished part gets a letter.
    if (prefix.empty()) {
        return {};
    }
    if (prefix.size() >= kObjectNameBytesMax) {
        return bad_name(fmt::format("is longer than {} bytes", kObjectNameBytesMax));
    }
    std::string completed(prefix);
    completed += 'x';
    return check_object_name(completed);
}

Result<void> check_put_bytes(Bytes content) {
    if (content.size() > kObjectInMemoryBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("an object of {} bytes is not put at once: {}",
                                                    content.size(), "write it in pieces")};
    }
    return {};
}

Result<void> ObjectStore::put(std::string_view name, Bytes content, Existing existing) {
    TRY(check_put_bytes(content));
    const std::unique_ptr<ObjectWriter> writer = TRY(write(name, existing));
    TRY(writer->append(content));
    return writer->commit();
}

Result<void> ObjectStore::put_all(std::span<const NamedBytes> objects) {
    for (const NamedBytes& each : objects) {
        TRY(put(each.name, each.content, Existing::kReplace));
    }
    return {};
}

}  // namespace colophon::storage
