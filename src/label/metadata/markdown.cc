// SPDX-License-Identifier: Apache-2.0
// The label of a Markdown file: the mapping AIGC in the YAML front matter at its head
// (TC260-PG-20258A, 6.5) [GB45438-6.1].
//
//   ---
//   title: other keys stay as they are
//   AIGC:
//     Label: '1'
//     ContentProducer: '...'
//   ---
//
// A first line of three dashes may also be a horizontal rule. It opens a front matter only when a
// closing line follows and all that stands between looks like a mapping.

#include "core/bytes.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/internal/text_edit.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/yaml_value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kKey = "AIGC";

// One AIGC entry: from its key to the end of its last line.
struct Entry {
    TextRange range;
    std::string value;     // the label as JSON, or the text where it is none
    bool mapping = false;  // in the form that the guide shows
    std::string problem;   // why the value could not be read as YAML
};

enum class FrontMatter : std::uint8_t {
    kNone,
    kMapping,
    kForeign,  // TOML, or YAML that is no block mapping
};

struct Document {
    FrontMatter front = FrontMatter::kNone;
    std::size_t head = 0;        // behind the byte order mark
    std::size_t close_line = 0;  // where the closing line begins
    std::string_view newline = "\n";
    std::vector<Entry> entries;
};

struct Line {
    TextRange range;  // with its line break
    std::string_view content;
};

Line line_at(std::string_view text, std::size_t at) {
    const std::size_t stop = text.find('\n', at);
    const std::size_t end = stop == std::string_view::npos ? text.size() : stop + 1;
    std::string_view content = text.substr(at, end - at);
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r' ||
                                content.back() == ' ' || content.back() == '\t')) {
        content.remove_suffix(1);
    }
    return {.range = {.begin = at, .end = end}, .content = content};
}

bool is_fence(const Line& line) noexcept {
    return line.content == "---" || line.content == "...";
}

// Lines at the left margin that can stand in a block mapping and are no key: comments, items of a
// list, brackets that close a flow.
bool continues_entry(std::string_view content) noexcept {
    return content.empty() || content.front() == ' ' || content.front() == '\t' ||
           content.front() == '#' || content.front() == '}' || content.front() == ']' ||
           content == "-" || content.starts_with("- ");
}

// The place of the closing line; nothing when there is none within the limit.
std::optional<std::size_t> find_close(std::string_view text, std::size_t from,
                                      std::string_view fence) {
    const std::size_t stop = std::min<std::size_t>(text.size(), from + limits::kLabelBytesMax);
    for (std::size_t at = from; at < stop;) {
        const Line line = line_at(text, at);
        if (fence.empty() ? is_fence(line) : line.content == fence) {
            return at;
        }
        at = line.range.end;
    }
    return std::nullopt;
}

Entry read_entry(std::string_view text, TextRange range, std::size_t key_size) {
    Entry entry{.range = range, .value = {}, .mapping = false, .problem = {}};
    const std::string_view raw = cut(text, range).substr(key_size);
    const auto value = read_yaml_value(raw, 0);
    if (!value.ok()) {
        entry.problem = value.error().what;
        entry.value = std::string(raw);
        return entry;
    }
    entry.mapping = value->if_object() != nullptr;
    const std::string* scalar = value->if_string();
    entry.value = scalar != nullptr ? *scalar : json::write(*value);
    return entry;
}

bool same_letters(std::string_view a, std::string_view upper) noexcept {
    return std::ranges::equal(a, upper, {}, [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
}

// "AIGC" is ours; "aigc" may be anybody's flag and is ours only with a label in it.
bool is_label(std::string_view key, std::string_view block) {
    return key == kKey || (same_letters(key, kKey) && may_be_label(block.substr(key.size())));
}

// Reads [begin, document.close_line). False when a line shows that it is no mapping.
bool read_mapping(std::string_view text, std::size_t begin, Document& document) {
    struct Open {
        YamlKey key;
        TextRange range;
    };
    std::optional<Open> open;
    const auto close = [&] {
        if (open && is_label(open->key.name, cut(text, open->range))) {
            document.entries.push_back(read_entry(text, open->range, open->key.size));
        }
    };
    for (std::size_t at = begin; at < document.close_line;) {
        const Line line = line_at(text, at);
        at = line.range.end;
        if (auto key = read_yaml_key(line.content)) {
            close();
            open = Open{.key = *std::move(key), .range = line.range};
            continue;
        }
        const bool margin = line.content.empty() || line.content.front() == '#';
        if (!continues_entry(line.content) || (!open && !margin)) {
            return false;
        }
        // Empty lines and comments at the margin belong to the entry only when more of it follows.
        if (open && !margin) {
            open->range.end = line.range.end;
        }
    }
    close();
    return true;
}

Result<Document> read_document(Bytes file) {
    const std::string_view text = as_text(file);
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit,
                     "Markdown: a file of " + std::to_string(text.size()) + " bytes; at most " +
                         std::to_string(limits::kTextFileBytesMax) + " are read"};
    }
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        return Error{ErrorCode::kUnsupported,
                     "Markdown: the file is written in UTF-16; convert it to UTF-8 first"};
    }
    Document document;
    document.head = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    const std::size_t first_break = text.find('\n');
    if (first_break != std::string_view::npos && first_break > 0 && text[first_break - 1] == '\r') {
        document.newline = "\r\n";
    }
    const Line first = line_at(text, document.head);
    if (first.content == "+++" && find_close(text, first.range.end, "+++")) {
        document.front = FrontMatter::kForeign;
        return document;
    }
    if (first.content != "---" || first.range.end == text.size()) {
        return document;
    }
    const Line second = line_at(text, first.range.end);
    const auto close = find_close(text, first.range.end, {});
    if (!close) {
        const bool cut_off = text.size() - first.range.end > limits::kLabelBytesMax;
        if (cut_off && read_yaml_key(second.content)) {
            return Error{ErrorCode::kLimit, "Markdown: a front matter without end in its first " +
                                                std::to_string(limits::kLabelBytesMax) + " bytes"};
        }
        return document;
    }
    document.close_line = *close;
    if (second.content.starts_with('{') || second.content.starts_with('[')) {
        document.front = FrontMatter::kForeign;
    } else if (read_mapping(text, first.range.end, document)) {
        document.front = FrontMatter::kMapping;
    } else {
        document.entries.clear();
    }
    return document;
}

bool is_plain_key(std::string_view key) noexcept {
    return !key.empty() && std::ranges::all_of(key, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_';
    }) && !(key.front() >= '0' && key.front() <= '9');
}

// [GB45438-E] The fields in the order of the object, one to a line.
Result<std::string> mapping_text(std::string_view aigc, std::string_view newline) {
    const auto label = json::parse(aigc);
    if (!label.ok() || label->if_object() == nullptr || label->if_object()->empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "the label must be a JSON object to be written as front matter"};
    }
    std::unordered_set<std::string_view> seen;
    std::string out = std::string(kKey) + ":" + std::string(newline);
    for (const auto& [key, value] : *label->if_object()) {
        if (!seen.insert(key).second) {
            return Error{ErrorCode::kInvalidArgument, "the label has the field " + key + " twice"};
        }
        const std::string* text = value.if_string();
        out += "  " + (is_plain_key(key) ? key : quote_yaml(key)) + ": ";
        out += text != nullptr ? quote_yaml(*text) : json::write(value);
        out += newline;
    }
    return out;
}

bool says(const Entry& entry, std::string_view aigc) {
    const auto there = json::parse(entry.value);
    const auto wanted = json::parse(aigc);
    return entry.mapping && there.ok() && wanted.ok() &&
           json::write(*there) == json::write(*wanted);
}

}  // namespace

Result<MetadataReading> read_markdown(Bytes file) {
    Document document = TRY(read_document(file));
    MetadataReading reading;
    for (Entry& entry : document.entries) {
        if (reading.sites.size() == limits::kLabelSitesMax) {
            warn(reading.findings, "metadata.too_many",
                 "more than " + std::to_string(limits::kLabelSitesMax) + " labels in one file");
            break;
        }
        if (!entry.problem.empty()) {
            warn(reading.findings, "metadata.yaml",
                 "the AIGC entry of the front matter cannot be read: " + entry.problem);
        }
        reading.sites.push_back({.where = "markdown front matter",
                                 .value = std::move(entry.value),
                                 .offset = entry.range.begin,
                                 .standard_place = true});
    }
    return reading;
}

// [GB45438-6.1]
Result<Splice> write_markdown(Bytes file, const MetadataFields& fields) {
    const std::string_view text = as_text(file);
    const Document document = TRY(read_document(file));
    const std::string newline(document.newline);
    const std::string mapping = TRY(mapping_text(fields.aigc, newline));
    if (document.front == FrontMatter::kForeign) {
        return Error{ErrorCode::kUnsupported,
                     "Markdown: the file has a front matter that is no YAML block mapping; rewrite "
                     "it as one first"};
    }
    std::vector<TextEdit> edits;
    if (document.front == FrontMatter::kNone) {
        edits.push_back({.where = {.begin = document.head, .end = document.head},
                         .text = "---" + newline + mapping + "---" + newline});
    } else if (document.entries.empty()) {
        edits.push_back(
            {.where = {.begin = document.close_line, .end = document.close_line}, .text = mapping});
    }
    for (const Entry& entry : document.entries) {
        const bool first = &entry == &document.entries.front();
        if (!first) {
            edits.push_back({.where = entry.range, .text = {}});
        } else if (!says(entry, fields.aigc)) {
            edits.push_back({.where = entry.range, .text = mapping});
        }
    }
    return splice_edits(text.size(), std::move(edits));
}

}  // namespace colophon::label::internal
