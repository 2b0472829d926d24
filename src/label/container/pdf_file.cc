// SPDX-License-Identifier: Apache-2.0
#include "label/container/pdf_file.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/pdf_syntax.h"
#include "label/container/png_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::pdf {
namespace {

constexpr std::size_t kTailBytes = 2048;           // where startxref is looked for
constexpr std::uint64_t kNumberMax = 1ULL << 31U;  // of an object
constexpr int kLengthDepthMax = 4;                 // lengths of streams that stand in streams
constexpr std::size_t kHopsMax = 32;               // references to references

std::uint64_t big_endian(Bytes bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value = value << 8U | byte;
    }
    return value;
}

// PNG prediction (ISO 32000-1, 7.4.4.4): rows of one byte that says how, and `columns` of data.
std::uint8_t nearest(int left, int above, int corner) {
    const int estimate = left + above - corner;
    const int to_left = std::abs(estimate - left);
    const int to_above = std::abs(estimate - above);
    const int to_corner = std::abs(estimate - corner);
    if (to_left <= to_above && to_left <= to_corner) {
        return static_cast<std::uint8_t>(left);
    }
    return static_cast<std::uint8_t>(to_above <= to_corner ? above : corner);
}

std::uint8_t predicted(std::uint8_t how, std::uint8_t left, std::uint8_t above,
                       std::uint8_t corner) {
    switch (how) {
        case 1:
            return left;
        case 2:
            return above;
        case 3:
            return static_cast<std::uint8_t>((unsigned{left} + above) / 2);
        case 4:
            return nearest(left, above, corner);
        default:
            return 0;
    }
}

Result<std::string> undo_prediction(std::string_view coded, std::size_t columns) {
    if (columns == 0 || columns >= coded.size() || coded.size() % (columns + 1) != 0) {
        return Error{ErrorCode::kCorrupt, "a predicted PDF stream that is no whole rows"};
    }
    std::string out(coded.size() / (columns + 1) * columns, '\0');
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(out[at]); };
    for (std::size_t row = 0; row * (columns + 1) < coded.size(); ++row) {
        const auto how = static_cast<std::uint8_t>(coded[row * (columns + 1)]);
        for (std::size_t column = 0; column < columns; ++column) {
            const std::size_t at = row * columns + column;
            const std::uint8_t left = column > 0 ? byte(at - 1) : std::uint8_t{0};
            const std::uint8_t above = row > 0 ? byte(at - columns) : std::uint8_t{0};
            const std::uint8_t corner =
                row > 0 && column > 0 ? byte(at - columns - 1) : std::uint8_t{0};
            const auto value = static_cast<std::uint8_t>(coded[row * (columns + 1) + 1 + column]);
            out[at] = static_cast<char>(value + predicted(how, left, above, corner));
        }
    }
    return out;
}

// The one value of an array of one, or the value itself.
Result<std::string_view> single(std::string_view value) {
    if (!value.starts_with('[')) {
        return value;
    }
    const auto values = TRY(parse_array(value));
    if (values.size() > 1) {
        return Error{ErrorCode::kUnsupported, "a PDF stream with several filters"};
    }
    return values.empty() ? std::string_view() : values.front();
}

}  // namespace

Result<File> File::create(Bytes file) {
    if (!starts_with(file, "%PDF-")) {
        return corrupt_at("no PDF header", 0);
    }
    File made(file);
    TRY(made.read_sections());
    return made;
}

Result<void> File::read_sections() {
    const std::string_view text = as_text(file_);
    const std::size_t tail = text.size() - std::min(text.size(), kTailBytes);
    const std::size_t mark = text.rfind("startxref");
    if (mark == std::string_view::npos || mark < tail) {
        return corrupt_at("a PDF without startxref at its end", tail);
    }
    std::size_t at = skip_space(text, mark + 9);
    const auto newest = parse_digits(text, at);
    if (!newest) {
        return corrupt_at("a PDF whose startxref names no place", mark);
    }
    newest_ = *newest;
    std::set<std::uint64_t> seen;
    std::optional<std::uint64_t> next = newest_;
    bool first = true;
    while (next) {
        if (!seen.insert(*next).second) {
            return corrupt_at("PDF cross-reference sections in a circle", *next);
        }
        if (seen.size() > limits::kPdfSectionsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a PDF with more than {} cross-reference sections",
                                     limits::kPdfSectionsMax)};
        }
        Section section = TRY(read_section(*next));
        // Of a hybrid file: the objects that the table calls free for readers of old.
        if (const auto hidden = to_number(section.trailer.find("XRefStm"))) {
            Section streamed = TRY(read_section(*hidden));
            TRY(add_rows(std::move(streamed.rows)));
        }
        TRY(add_rows(std::move(section.rows)));
        next = to_number(section.trailer.find("Prev"));
        if (first) {
            first = false;
            trailer_ = std::move(section.trailer);
            table_streams_ = section.stream;
        }
    }
    if (!trailer_.find("Encrypt").empty()) {
        return Error{ErrorCode::kUnsupported,
                     "an encrypted PDF; take the encryption away first, or write beside it"};
    }
    if (!to_reference(trailer_.find("Root"))) {
        return corrupt_at("a PDF whose trailer names no catalog", newest_);
    }
    std::ranges::sort(rows_, {}, [](const Row& row) { return std::pair(row.number, row.age); });
    const auto spare = std::ranges::unique(rows_, {}, &Row::number);
    rows_.erase(spare.begin(), spare.end());
    const std::uint64_t size = to_number(trailer_.find("Size")).value_or(0);
    const std::uint64_t highest = rows_.empty() ? 0 : rows_.back().number;
    if (size >= kNumberMax) {
        return corrupt_at("a PDF trailer with a size that no file has", newest_);
    }
    next_number_ = static_cast<std::uint32_t>(std::max({size, highest + 1, std::uint64_t{1}}));
    return {};
}

Result<void> File::add_rows(std::vector<Row>&& rows) {
    if (rows.size() > limits::kPdfObjectsMax - rows_.size()) {
        return Error{ErrorCode::kLimit, fmt::format("a PDF with more than {} objects in its tables",
                                                    limits::kPdfObjectsMax)};
    }
    for (Row& row : rows) {
        row.age = static_cast<std::uint32_t>(rows_.size());
        rows_.push_back(row);
    }
    return {};
}

Result<File::Section> File::read_section(std::uint64_t offset) {
    const std::string_view text = as_text(file_);
    if (offset >= text.size()) {
        return corrupt_at("a PDF cross-reference section behind the end of the file", offset);
    }
    const std::size_t at = skip_space(text, static_cast<std::size_t>(offset));
    if (text.substr(at, 4) == "xref") {
        return read_table(at + 4);
    }
    return read_table_stream(at);
}

Result<File::Section> File::read_table(std::size_t at) {
    const std::string_view text = as_text(file_);
    Section section;
    at = skip_space(text, at);
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
        TRY(read_subsection(at, section.rows));
        at = skip_space(text, at);
    }
    if (text.substr(at, 7) != "trailer") {
        return corrupt_at("a PDF cross-reference table without trailer", at);
    }
    const Token token = TRY(parse_value(text, at + 7));
    section.trailer = TRY(Dictionary::parse(token.of(text), token.begin));
    return section;
}

Result<void> File::read_subsection(std::size_t& at, std::vector<Row>& rows) const {
    const std::string_view text = as_text(file_);
    const std::size_t begin = at;
    const auto first = parse_digits(text, at);
    at = skip_space(text, at);
    const auto count = parse_digits(text, at);
    if (!first || !count || *first >= kNumberMax || *count >= kNumberMax) {
        return corrupt_at("no PDF cross-reference subsection", begin);
    }
    for (std::uint64_t i = 0; i < *count; ++i) {
        at = skip_space(text, at);
        const auto offset = parse_digits(text, at);
        at = skip_space(text, at);
        const auto generation = parse_digits(text, at);
        at = skip_space(text, at);
        const char letter = at < text.size() ? text[at] : ' ';
        if (!offset || !generation || (letter != 'n' && letter != 'f') ||
            *generation > UINT32_MAX) {
            return corrupt_at("no PDF cross-reference entry", at);
        }
        ++at;
        if (rows.size() >= limits::kPdfObjectsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a PDF with more than {} objects in its tables",
                                     limits::kPdfObjectsMax)};
        }
        rows.push_back({.number = static_cast<std::uint32_t>(*first + i),
                        .second = static_cast<std::uint32_t>(*generation),
                        .place = *offset,
                        .kind = letter == 'n' ? std::uint8_t{1} : std::uint8_t{0},
                        .age = 0});
    }
    return {};
}

Result<File::Section> File::read_table_stream(std::uint64_t offset) {
    const Object object = TRY(object_at(offset, std::nullopt));
    Section section;
    section.stream = true;
    section.trailer = TRY(Dictionary::parse(object.text, object.offset));
    if (!object.stream || to_name(section.trailer.find("Type")) != "XRef") {
        return corrupt_at("no PDF cross-reference stream", offset);
    }
    const std::string data = TRY(decode(object));
    TRY(read_rows(section.trailer, as_bytes(data), section.rows));
    return section;
}

// 7.5.8.2: rows of three numbers, whose widths are in W, for the objects in Index.
Result<void> File::read_rows(const Dictionary& dictionary, Bytes data,
                             std::vector<Row>& rows) const {
    std::array<std::size_t, 3> widths{};
    const auto listed = TRY(parse_array(dictionary.find("W")));
    std::size_t width = 0;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const auto number = i < listed.size() ? to_number(listed[i]) : std::nullopt;
        if (!number || *number > sizeof(std::uint64_t)) {
            return Error{ErrorCode::kCorrupt, "a PDF cross-reference stream without widths"};
        }
        widths[i] = static_cast<std::size_t>(*number);
        width += widths[i];
    }
    const std::string whole = fmt::format("[0 {}]", dictionary.find("Size"));
    const std::string_view index = dictionary.find("Index");
    const auto ranges = TRY(parse_array(index.empty() ? std::string_view(whole) : index));
    for (std::size_t i = 0; width > 0 && i + 1 < ranges.size(); i += 2) {
        const auto first = to_number(ranges[i]);
        const auto count = to_number(ranges[i + 1]);
        if (!first || !count || *first >= kNumberMax || *count > data.size() / width) {
            return Error{ErrorCode::kCorrupt,
                         "a PDF cross-reference stream with other rows than it says"};
        }
        for (std::uint64_t k = 0; k < *count; ++k) {
            const auto field = [&](std::size_t which) {
                const std::uint64_t value = big_endian(data.first(widths[which]));
                data = data.subspan(widths[which]);
                return value;
            };
            const std::uint64_t kind = widths[0] == 0 ? 1 : big_endian(data.first(widths[0]));
            data = data.subspan(widths[0]);
            const std::uint64_t place = field(1);
            const std::uint64_t second = field(2);
            rows.push_back({.number = static_cast<std::uint32_t>(*first + k),
                            .second = static_cast<std::uint32_t>(second),
                            .place = place,
                            .kind = static_cast<std::uint8_t>(kind > 2 ? 0 : kind),
                            .age = 0});
        }
    }
    return {};
}

const File::Row* File::find(std::uint32_t number) const noexcept {
    const auto row = std::ranges::lower_bound(rows_, number, {}, &Row::number);
    return row == rows_.end() || row->number != number ? nullptr : &*row;
}

Result<Object> File::object(Reference reference) {
    const Row* row = find(reference.number);
    if (row == nullptr || row->kind == 0 ||
        (row->kind == 1 && row->second != reference.generation)) {
        return Object{.text = "null", .offset = 0, .stream = {}, .data_offset = 0};
    }
    return row->kind == 1 ? object_at(row->place, reference.number) : packed_object(*row);
}

Result<Object> File::resolve(std::string_view value) {
    Object object{.text = value, .offset = 0, .stream = {}, .data_offset = 0};
    for (std::size_t hops = 0; hops < kHopsMax; ++hops) {
        const auto reference = to_reference(object.text);
        if (!reference) {
            return object;
        }
        object = TRY(this->object(*reference));
    }
    return Error{ErrorCode::kCorrupt, "PDF references in a circle"};
}

// "12 0 obj VALUE", with "stream" behind it or not.
Result<Object> File::object_at(std::uint64_t offset, std::optional<std::uint32_t> number) {
    const std::string_view text = as_text(file_);
    if (offset >= text.size()) {
        return corrupt_at("a PDF object behind the end of the file", offset);
    }
    std::size_t at = skip_space(text, static_cast<std::size_t>(offset));
    const auto found = parse_digits(text, at);
    at = skip_space(text, at);
    const auto generation = parse_digits(text, at);
    at = skip_space(text, at);
    if (!found || !generation || text.substr(at, 3) != "obj" || (number && *found != *number)) {
        return corrupt_at("no PDF object where the table says", offset);
    }
    const Token token = TRY(parse_value(text, at + 3));
    Object object{
        .text = token.of(text), .offset = offset, .stream = {}, .data_offset = token.begin};
    at = skip_space(text, token.end);
    if (token.kind != Kind::kDictionary || text.substr(at, 6) != "stream") {
        return object;
    }
    return with_stream(object, at + 6);
}

Result<Object> File::with_stream(Object object, std::size_t at) {
    const std::string_view text = as_text(file_);
    at += text.substr(at, 2) == "\r\n" ? 2U : text.substr(at, 1) == "\n" ? 1U : 0U;
    const Dictionary dictionary = TRY(Dictionary::parse(object.text, object.data_offset));
    const std::uint64_t length = TRY(stream_length(dictionary));
    object.stream = slice(file_, at, length);
    if (!object.stream ||
        text.substr(skip_space(text, at + static_cast<std::size_t>(length)), 9) != "endstream") {
        return corrupt_at("a PDF stream of another length than it says", at);
    }
    object.data_offset = at;
    return object;
}

Result<std::uint64_t> File::stream_length(const Dictionary& dictionary) {
    const std::string_view value = dictionary.find("Length");
    if (const auto length = to_number(value)) {
        return *length;
    }
    if (++lengths_open_ > kLengthDepthMax) {
        return Error{ErrorCode::kCorrupt, "PDF references in a circle"};
    }
    const auto object = resolve(value);
    --lengths_open_;
    const auto length = object.ok() ? to_number(object->text) : std::nullopt;
    if (!length) {
        return Error{ErrorCode::kCorrupt, "a PDF stream without length"};
    }
    return *length;
}

Result<std::string> File::decode(const Object& stream) {
    const Dictionary dictionary = TRY(Dictionary::parse(stream.text, stream.offset));
    const std::string_view filter = TRY(single(dictionary.find("Filter")));
    const Bytes stored = stream.stream.value_or(Bytes());
    const std::uint64_t left = limits::kPdfStreamBytesMax - inflated_;
    if (filter.empty()) {
        if (stored.size() > left) {
            return Error{ErrorCode::kLimit, fmt::format("PDF tables of more than {} bytes",
                                                        limits::kPdfStreamBytesMax)};
        }
        inflated_ += stored.size();
        return std::string(as_text(stored));
    }
    if (to_name(filter) != "FlateDecode" || stored.size() > limits::kPdfStreamBytesMax) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a PDF table behind the filter {}; FlateDecode is read", filter)};
    }
    std::string data = TRY(inflate_text(stored, left));
    inflated_ += std::min<std::uint64_t>(data.size(), left);
    const std::string_view wanted = TRY(single(dictionary.find("DecodeParms")));
    if (wanted.empty()) {
        return data;
    }
    const Object resolved = TRY(resolve(wanted));
    const Dictionary parameters = TRY(Dictionary::parse(resolved.text, resolved.offset));
    const auto number = [&](std::string_view name) {
        return to_number(parameters.find(name)).value_or(1);
    };
    if (number("Predictor") == 1) {
        return data;
    }
    const std::string_view bits = parameters.find("BitsPerComponent");
    if (number("Predictor") < 10 || number("Colors") != 1 || (!bits.empty() && bits != "8")) {
        return Error{ErrorCode::kUnsupported, "a PDF table with a predictor that is not PNG's"};
    }
    return undo_prediction(data, static_cast<std::size_t>(number("Columns")));
}

Result<const File::Packed*> File::open_packed(std::uint32_t number) {
    const auto known = packed_.find(number);
    if (known != packed_.end()) {
        return known->second.get();
    }
    const Row* row = find(number);
    if (row == nullptr || row->kind != 1) {
        return Error{ErrorCode::kCorrupt, "a PDF object stream that is not in the file"};
    }
    const Object object = TRY(object_at(row->place, number));
    const Dictionary dictionary = TRY(Dictionary::parse(object.text, object.offset));
    const auto count = to_number(dictionary.find("N"));
    const auto first = to_number(dictionary.find("First"));
    if (!object.stream || to_name(dictionary.find("Type")) != "ObjStm" || !count || !first) {
        return corrupt_at("no PDF object stream", row->place);
    }
    auto packed = std::make_unique<Packed>();
    packed->text = TRY(decode(object));
    packed->offset = row->place;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < *count; ++i) {
        at = skip_space(packed->text, at);
        const auto name = parse_digits(packed->text, at);
        at = skip_space(packed->text, at);
        const auto place = parse_digits(packed->text, at);
        if (!name || !place || *name >= kNumberMax || *place > packed->text.size() ||
            *first > packed->text.size()) {
            return corrupt_at("a PDF object stream whose head is wrong", row->place);
        }
        packed->objects.emplace_back(static_cast<std::uint32_t>(*name),
                                     static_cast<std::size_t>(*first + *place));
    }
    return packed_.emplace(number, std::move(packed)).first->second.get();
}

Result<Object> File::packed_object(const Row& row) {
    if (row.place >= kNumberMax) {
        return Error{ErrorCode::kCorrupt, "a PDF object stream that is not in the file"};
    }
    const Packed* packed = TRY(open_packed(static_cast<std::uint32_t>(row.place)));
    if (row.second >= packed->objects.size() || packed->objects[row.second].first != row.number) {
        return corrupt_at("a PDF object that is not in its object stream", packed->offset);
    }
    const Token token =
        TRY(parse_value(packed->text, packed->objects[row.second].second, packed->offset));
    return Object{
        .text = token.of(packed->text), .offset = packed->offset, .stream = {}, .data_offset = 0};
}

Result<Dictionary> File::catalog() {
    const Object root = TRY(resolve(trailer_.find("Root")));
    return Dictionary::parse(root.text, root.offset);
}

}  // namespace colophon::label::pdf
