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
    std::string_view reference;
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
bool is_plain(std::string_view lines, std::string_view reference) {
    if (lines.starts_with('\n')) {
        lines.remove_prefix(1);
    }
    const std::string_view newline = lines.ends_with("\r\n") ? "\r\n" : "\n";
    if (lines.ends_with(newline)) {
        lines.remove_suffix(newline.size());
    }
    return lines == fmt::format("<!-- {} {} {} -->", kBegin, reference, kEnd) ||
           lines == fmt::format("{}{}{}{}{}", kBegin, newline, reference, newline, kEnd);
}

bool is_address(std::string_view text) noexcept {
    return (text.starts_with("http://") || text.starts_with("https://")) &&
           text.find_first_of(" \t\r\n<>\"") == std::string_view::npos;
}

// What stands between the delimiters.
struct Found {
    std::vector<Block> blocks;
    std::string link;         // the first address of a manifest that lies elsewhere
    bool unfinished = false;  // one delimiter stands where a block would, the other nowhere
};

// Where the front matter ends; 0 without one.
std::size_t front_matter_end(std::string_view text) {
    const std::size_t start = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    const std::string_view rest = text.substr(start);
    if (!rest.starts_with("---\n") && !rest.starts_with("---\r\n")) {
        return 0;
    }
    for (std::size_t at = text.find("\n---", start + 3); at != std::string_view::npos;
         at = text.find("\n---", at + 1)) {
        const std::string_view line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
        if (trim(line) == "---") {
            return at + 1;
        }
    }
    return 0;
}

// A.9.3: the beginning of the file, its last line, or the front matter. A text that speaks of the
// delimiters elsewhere, in a sentence or in an example, carries no manifest.
class Places {
public:
    explicit Places(std::string_view text) : text_(text), front_end_(front_matter_end(text)) {}

    // Whether a block in those lines stands where one belongs, with nothing but the signs of a
    // comment around it.
    bool take(const TextRange& lines, std::size_t begin, std::size_t end) const {
        const bool first = trim(text_.substr(0, lines.begin)).empty() ||
                           trim(text_.substr(0, lines.begin)) == "\xEF\xBB\xBF";
        const bool last = trim(text_.substr(lines.end)).empty();
        return (first || last || lines.end <= front_end_) &&
               is_comment(text_.substr(lines.begin, begin - lines.begin)) &&
               is_comment(text_.substr(end, lines.end - end));
    }

private:
    static bool is_comment(std::string_view text) {
        const std::string_view signs = trim(text);
        return signs.empty() || signs == "<!--" || signs == "-->" || signs == "#";
    }

    std::string_view text_;
    std::size_t front_end_;
};

// The delimiters, one pair after the other. Of two beginnings the later one is the nearer to the
// end.
Found find_blocks(std::string_view text) {
    const Places places(text);
    Found found;
    std::size_t end = 0;
    for (std::size_t at = text.find(kBegin); at != std::string_view::npos;) {
        const std::size_t inner = at + kBegin.size();
        end = end < inner ? text.find(kEnd, inner) : end;
        if (end == std::string_view::npos) {
            break;
        }
        const std::size_t next = text.find(kBegin, inner);
        if (next < end) {
            at = next;
            continue;
        }
        const std::string_view reference = trim(text.substr(inner, end - inner));
        const TextRange range = lines_of(text, at, end + kEnd.size());
        // Words between delimiters are a text's own, which nobody may take away.
        const bool placed = reference.find_first_of(" \t\r\n") == std::string_view::npos &&
                            places.take(range, at, end + kEnd.size());
        if (reference.starts_with(kUri) || placed) {
            found.blocks.push_back({.range = range,
                                    .reference = reference,
                                    .plain = is_plain(cut(text, range), reference)});
        }
        if (found.link.empty() && is_address(reference)) {
            found.link = reference;
        }
        at = next;
    }
    const std::size_t begin = text.find(kBegin);
    const std::size_t last = text.rfind(kEnd);
    if ((begin == std::string_view::npos) != (last == std::string_view::npos)) {
        const std::size_t at = std::min(begin, last);
        const std::size_t size = begin == std::string_view::npos ? kEnd.size() : kBegin.size();
        const TextRange line = lines_of(text, at, at + size);
        found.unfinished = begin == std::string_view::npos ? places.take(line, at + size, at + size)
                                                           : places.take(line, at, line.end);
    }
    return found;
}

// What is wrong with a reference by which nothing can be found: in words, and its code.
struct Problem {
    std::string_view words;
    std::string_view code;
};

Problem problem_of(std::string_view reference) {
    if (reference.empty()) {
        return {"there is nothing between the delimiters of the manifest",
                "manifest.structuredText.emptyReference"};
    }
    const std::size_t colon = reference.find(':');
    const bool scheme =
        colon != std::string_view::npos && colon > 1 &&
        std::ranges::all_of(reference.substr(0, colon),
                            [](char c) {
                                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                       (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
                            }) &&
        reference.find_first_of(" \t\r\n<>\"") == std::string_view::npos;
    if (scheme && !reference.starts_with("data:")) {
        return {"the address of the manifest is of a kind that leads nowhere",
                "manifest.structuredText.noResolutionPath"};
    }
    return {"what stands between the delimiters is no address and no manifest store",
            "manifest.structuredText.malformedReference"};
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
    const Found read = TRY(read_blocks(file));
    FoundStore found{
        .store = {}, .ranges = {}, .where = "markdown manifest block", .problem = {}, .code = {}};
    const auto say = [&](std::string_view words, std::string_view code) {
        found.problem = words;
        found.code = code;
    };
    if (read.blocks.empty() && read.unfinished) {
        say("of the two delimiters of a manifest there is one",
            "manifest.structuredText.noManifest");
        return std::optional(std::move(found));
    }
    if (read.blocks.empty() || (read.blocks.size() == 1 && is_address(read.blocks[0].reference))) {
        return std::optional<FoundStore>();
    }
    const Block& block = read.blocks.front();
    found.ranges = {{.offset = block.range.begin, .size = block.range.size()}};
    auto store = block.reference.starts_with(kUri)
                     ? from_base64(block.reference.substr(kUri.size()))
                     : Result<Buffer>(Error{ErrorCode::kCorrupt, "no data URI"});
    if (read.blocks.size() > 1) {
        say("the text holds more than one manifest store",
            "manifest.structuredText.multipleReferences");
    } else if (!store.ok()) {
        const Problem problem = problem_of(block.reference);
        say(problem.words, problem.code);
    } else if (!block.plain) {
        say("there is more in the lines of the manifest than the manifest", "");
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
