// SPDX-License-Identifier: Apache-2.0
// ZIP archives: Office Open XML and EPUB (C2PA 2.4, A.6). The store is the file
// META-INF/content_credential.c2pa, stored and not encrypted; ours is the last one. An Office
// package names the type of each of its files by its extension, so [Content_Types].xml learns of
// this one: readers of such packages call a file without type a damage.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/zip_file.h"
#include "label/internal/xml_scan.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/collection_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

using label::internal::XmlAttribute;
using label::internal::XmlDoctype;
using label::internal::XmlKind;
using label::internal::XmlScanner;
using label::internal::XmlToken;

constexpr std::string_view kContentTypes = "[Content_Types].xml";
constexpr std::string_view kUri = "http://schemas.openxmlformats.org/package/2006/content-types";
constexpr std::string_view kDefault =
    "<Default Extension=\"c2pa\" ContentType=\"application/c2pa\"/>";
constexpr std::size_t kXmlDepthMax = 16;

// What the local header and the directory say of our own file must be the same, and nothing else
// may hide in it: no hash covers its local header.
std::string problem_of(Bytes archive, const zip::Archive& parsed, const zip::File& file) {
    const Bytes local = archive.subspan(static_cast<std::size_t>(file.offset), 30);
    const Bytes header = Bytes(parsed.directory).subspan(static_cast<std::size_t>(file.header), 46);
    if (file.method != 0 || file.flags != 0 || file.local_extra != 0 ||
        !std::ranges::equal(local.subspan(4, 22), header.subspan(6, 22))) {
        return "the manifest store of the archive is not stored as it should be";
    }
    const Bytes data = archive.subspan(static_cast<std::size_t>(file.data_offset),
                                       static_cast<std::size_t>(file.stored));
    // The specification before this one wanted zero.
    if (file.crc != 0 && file.crc != zip::checksum(data)) {
        return "the manifest store of the archive has another checksum";
    }
    return {};
}

// The content types with that of a manifest; nothing when they have it already.
Result<std::optional<std::string>> with_type(const std::string& text) {
    XmlScanner scanner(text, {.depth_max = kXmlDepthMax, .doctype = XmlDoctype::kWithoutSubset});
    std::size_t place = 0;
    std::string prefix;
    while (TRY(scanner.next())) {
        const XmlToken& token = scanner.token();
        if (token.kind != XmlKind::kStart) {
            continue;
        }
        if (token.depth == 1 && token.name.is(kUri, "Types") && !token.self_closing) {
            place = token.range.end;
            prefix = token.name.prefix.empty() ? "" : fmt::format("{}:", token.name.prefix);
        }
        for (const XmlAttribute& each : token.attributes) {
            const std::string_view value =
                std::string_view(text).substr(each.value.begin, each.value.end - each.value.begin);
            if (token.name.is(kUri, "Default") && each.name.local == "Extension" &&
                value == "c2pa") {
                return std::optional<std::string>();
            }
        }
    }
    if (place == 0) {
        return Error{ErrorCode::kCorrupt, "an Office file without content types"};
    }
    return std::optional(fmt::format("{}<{}{}{}", text.substr(0, place), prefix, kDefault.substr(1),
                                     text.substr(place)));
}

// A file of the new archive: an old one that is copied, or new contents.
struct Part {
    std::string name;
    std::uint64_t order = 0;  // where the old file lies
    const zip::File* copied = nullptr;
    Buffer contents;           // when it is not copied
    std::uint64_t offset = 0;  // in the new archive
};

// The parts in the order of the directory, without a manifest.
Result<std::vector<Part>> keep_parts(Bytes archive, const zip::Archive& parsed) {
    std::vector<Part> parts;
    for (const zip::File& file : parsed.files) {
        if (file.name == kZipManifest) {
            continue;
        }
        Part part{
            .name = file.name, .order = file.offset, .copied = &file, .contents = {}, .offset = 0};
        if (file.name == kContentTypes) {
            const std::string text =
                TRY(zip::inflate_file(archive, file, limits::kInflatedBytesMax));
            if (const auto changed = TRY(with_type(text))) {
                part.copied = nullptr;
                part.contents = to_buffer(*changed);
            }
        }
        parts.push_back(std::move(part));
    }
    return parts;
}

// Writes the files one behind the other, in the order in which they lay.
void put_files(std::vector<Part>& parts, Splice& splice) {
    std::vector<Part*> in_order;
    in_order.reserve(parts.size());
    for (Part& part : parts) {
        in_order.push_back(&part);
    }
    std::ranges::sort(in_order, {}, &Part::order);
    for (Part* part : in_order) {
        part->offset = splice.size();
        if (part->copied != nullptr) {
            splice.copy(part->copied->offset, part->copied->size);
        } else {
            splice.insert(zip::make_file(part->name, part->contents));
        }
    }
}

// The directory, whose headers say what they said but for the offsets, and its end.
Result<void> put_directory(const std::vector<Part>& parts, const zip::Archive& parsed,
                           Splice& splice) {
    const std::uint64_t begin = splice.size();
    Buffer directory;
    for (const Part& part : parts) {
        Buffer header =
            part.copied != nullptr
                ? to_buffer(Bytes(parsed.directory)
                                .subspan(static_cast<std::size_t>(part.copied->header),
                                         static_cast<std::size_t>(part.copied->header_size)))
                : zip::make_header(part.name, part.contents);
        if (part.offset >= UINT32_MAX) {
            return Error{ErrorCode::kUnsupported, "a ZIP archive in parts or of more than 4 GB"};
        }
        store_le32(header, zip::kOffsetAt, static_cast<std::uint32_t>(part.offset));
        append(directory, header);
    }
    if (begin + directory.size() >= UINT32_MAX) {
        return Error{ErrorCode::kUnsupported, "a ZIP archive in parts or of more than 4 GB"};
    }
    Buffer end = to_buffer(Bytes(parsed.end).first(8));
    append_le16(end, static_cast<std::uint16_t>(parts.size()));
    append_le16(end, static_cast<std::uint16_t>(parts.size()));
    append_le32(end, static_cast<std::uint32_t>(directory.size()));
    append_le32(end, static_cast<std::uint32_t>(begin));
    append(end, Bytes(parsed.end).subspan(20));
    splice.insert(std::move(directory));
    splice.insert(std::move(end));
    return {};
}

}  // namespace

Result<std::optional<FoundStore>> find_in_zip(Bytes file) {
    const zip::Archive parsed = TRY(zip::read_archive(file));
    const auto row = std::ranges::find(parsed.files, kZipManifest, &zip::File::name);
    if (row == parsed.files.end()) {
        return std::optional<FoundStore>();
    }
    FoundStore found{.store = {},
                     .ranges = {{.offset = row->data_offset, .size = row->stored}},
                     .where = "zip META-INF/content_credential.c2pa",
                     .problem = problem_of(file, parsed, *row),
                     .code = {}};
    if (found.problem.empty()) {
        found.store = to_buffer(file.subspan(static_cast<std::size_t>(row->data_offset),
                                             static_cast<std::size_t>(row->stored)));
    }
    return std::optional(std::move(found));
}

Result<Placement> place_in_zip(Bytes file, Bytes store) {
    const zip::Archive parsed = TRY(zip::read_archive(file));
    std::vector<Part> parts = TRY(keep_parts(file, parsed));
    if (parts.size() + 2 >= limits::kZipEntriesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a ZIP of more than {} files", limits::kZipEntriesMax - 3)};
    }
    parts.push_back({.name = std::string(kZipManifest),
                     .order = UINT64_MAX,
                     .copied = nullptr,
                     .contents = to_buffer(store),
                     .offset = 0});
    Placement placement;
    put_files(parts, placement.splice);
    TRY(put_directory(parts, parsed, placement.splice));
    const std::uint64_t data = parts.back().offset + zip::make_file(kZipManifest, {}).size();
    placement.ranges = {{.offset = data, .size = store.size()}};
    return placement;
}

}  // namespace colophon::label::provenance::internal
