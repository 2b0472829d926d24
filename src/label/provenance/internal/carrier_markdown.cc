// SPDX-License-Identifier: Apache-2.0
// Markdown (C2PA 2.4, A.9, structured text): the store as a data URI between two delimiters, in a
// comment that is the last line of the file.
//
//   <!-- -----BEGIN C2PA MANIFEST----- data:application/c2pa;base64,... -----END C2PA MANIFEST-----
//   -->    (in one line)
//
// The specification would rather have the block in the front matter. There it is no YAML, and takes
// the metadata label that stands there with it; so ours is the comment, which CommonMark shows
// nobody. The form in a front matter is read. Left out of the hash is the block and, at the end of
// the file, the line break before it.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/internal/text_edit.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

using label::internal::TextEdit;
using label::internal::TextRange;

constexpr std::string_view kBegin = "-----BEGIN C2PA MANIFEST-----";
constexpr std::string_view kEnd = "-----END C2PA MANIFEST-----";
constexpr std::string_view kUri = "data:application/c2pa;base64,";

struct Block {
    TextRange range;  // what is left out of the hash
    std::string_view base64;
    bool plain = false;  // there is nothing in that range but the block
};

std::string_view trim(std::string_view text) noexcept {
    const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// A.9.4: whole lines; at the end of the file with the line break before them.
TextRange lines_of(std::string_view text, std::size_t begin, std::size_t end) {
    const std::size_t line = text.rfind('\n', begin);
    TextRange range{.begin = line == std::string_view::npos ? 0 : line + 1,
                    .end = std::min(text.find('\n', end), text.size())};
    range.end = std::min(range.end + 1, text.size());
    if (range.end == text.size() && range.begin > 0) {
        --range.begin;
    }
    return range;
}

// Nobody signs what is left out, so there must be nothing to choose in it: the comment in one line,
// or three lines of a front matter.
bool is_plain(std::string_view lines, std::string_view base64) {
    if (lines.starts_with('\n')) {
        lines.remove_prefix(1);
    }
    const std::string_view newline = lines.ends_with("\r\n") ? "\r\n" : "\n";
    if (lines.ends_with(newline)) {
        lines.remove_suffix(newline.size());
    }
    return lines == fmt::format("<!-- {} {}{} {} -->", kBegin, kUri, base64, kEnd) ||
           lines == fmt::format("{}{}{}{}{}{}", kBegin, newline, kUri, base64, newline, kEnd);
}

bool is_address(std::string_view text) noexcept {
    return (text.starts_with("http://") || text.starts_with("https://")) &&
           text.find_first_of(" \t\r\n<>\"") == std::string_view::npos;
}

// What stands between the delimiters.
struct Found {
    std::vector<Block> blocks;
    std::string link;  // the first address of a manifest that lies elsewhere
};

// A text that speaks of the delimiters is none that carries a manifest: only a data URI between
// them makes a block.
Found find_blocks(std::string_view text) {
    Found found;
    std::size_t end = 0;
    for (std::size_t at = text.find(kBegin); at != std::string_view::npos;) {
        const std::size_t inner = at + kBegin.size();
        end = end < inner ? text.find(kEnd, inner) : end;
        if (end == std::string_view::npos) {
            break;
        }
        // Of two beginnings the later one is the nearer to the end.
        const std::size_t next = text.find(kBegin, inner);
        if (next < end) {
            at = next;
            continue;
        }
        const std::string_view reference = trim(text.substr(inner, end - inner));
        if (reference.starts_with(kUri)) {
            const TextRange range = lines_of(text, at, end + kEnd.size());
            const std::string_view base64 = reference.substr(kUri.size());
            found.blocks.push_back(
                {.range = range, .base64 = base64, .plain = is_plain(cut(text, range), base64)});
        } else if (found.link.empty() && is_address(reference)) {
            found.link = reference;
        }
        at = next;
    }
    return found;
}

Result<Found> read_blocks(Bytes file) {
    const std::string_view text = as_text(file);
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("Markdown: a file of {} bytes; at most {} are read", text.size(),
                                 limits::kTextFileBytesMax)};
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        return Error{ErrorCode::kUnsupported,
                     "Markdown: the file is written in UTF-16; convert it to UTF-8 first"};
    }
    return find_blocks(text);
}

}  // namespace

std::string link_in_markdown(Bytes file) {
    const auto found = read_blocks(file);
    return found.ok() ? found->link : std::string();
}

Result<std::optional<FoundStore>> find_in_markdown(Bytes file) {
    const std::vector<Block> blocks = TRY(read_blocks(file)).blocks;
    if (blocks.empty()) {
        return std::optional<FoundStore>();
    }
    const Block& block = blocks.front();
    FoundStore found{.store = {},
                     .ranges = {{.offset = block.range.begin, .size = block.range.size()}},
                     .where = "markdown manifest block",
                     .problem = {},
                     .code = {}};
    auto store = from_base64(block.base64);
    if (blocks.size() > 1) {
        found.problem = "the text holds more than one manifest store";
        found.code = "manifest.structuredText.multipleReferences";
    } else if (!store.ok()) {
        found.problem = "the manifest store of the text is no base64";
    } else if (!block.plain) {
        found.problem = "there is more in the lines of the manifest than the manifest";
    }
    if (store.ok()) {
        found.store = std::move(store).value();
    }
    return std::optional(std::move(found));
}

// The block is the last line; one that was there before goes, wherever it stood. The line break
// before it is ours, so that no byte of the text is left out of the hash.
Result<Placement> place_in_markdown(Bytes file, Bytes store) {
    const std::vector<Block> blocks = TRY(read_blocks(file)).blocks;
    const std::string block =
        fmt::format("\n<!-- {} {}{} {} -->\n", kBegin, kUri, to_base64(store), kEnd);
    std::vector<TextEdit> edits;
    std::size_t size = file.size();
    std::size_t done = 0;
    for (const Block& each : blocks) {
        // Blocks on neighbouring lines share a line break.
        const TextRange gone{.begin = std::max(each.range.begin, done), .end = each.range.end};
        if (gone.begin < gone.end) {
            size -= gone.size();
            edits.push_back({.where = gone, .text = {}});
            done = gone.end;
        }
    }
    edits.push_back({.where = {.begin = file.size(), .end = file.size()}, .text = block});
    Placement placement;
    placement.splice = label::internal::splice_edits(file.size(), std::move(edits));
    // In an empty file there is no line before the block.
    placement.ranges = {{.offset = size, .size = block.size()}};
    return placement;
}

}  // namespace colophon::label::provenance::internal
