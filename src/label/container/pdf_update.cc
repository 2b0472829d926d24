// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/pdf_file.h"
#include "label/container/pdf_syntax.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::pdf {
namespace {

constexpr std::uint64_t kTableOffsetMax = 9'999'999'999;  // ten digits

// What a trailer of ours says; the rest of a cross-reference stream's dictionary is about itself.
constexpr std::array<std::string_view, 3> kKept{"Root", "Info", "ID"};

}  // namespace

std::string write_reference(Reference reference) {
    return fmt::format("{} {} R", reference.number, reference.generation);
}

std::string rewrite(const Dictionary& dictionary,
                    const std::vector<std::pair<std::string, std::string>>& changes) {
    std::string out = "<<";
    for (const Entry& each : dictionary.entries()) {
        if (std::ranges::find(changes, each.name, &std::pair<std::string, std::string>::first) ==
            changes.end()) {
            out += fmt::format(" {} {}", each.raw, each.value);
        }
    }
    for (const auto& [name, value] : changes) {
        if (!value.empty()) {
            out += fmt::format(" /{} {}", name, value);
        }
    }
    return out + " >>";
}

std::string Update::trailer_entries(std::uint32_t size) const {
    std::string out = fmt::format("/Size {} /Prev {}", size, file_.newest_section());
    for (const std::string_view name : kKept) {
        const auto own =
            std::ranges::find(trailer_, name, &std::pair<std::string, std::string>::first);
        const std::string_view value =
            own == trailer_.end() ? file_.trailer().find(name) : std::string_view(own->second);
        if (!value.empty()) {
            out += fmt::format(" /{} {}", name, value);
        }
    }
    return out;
}

// 7.5.4: entries of twenty bytes, those of neighbouring numbers together.
void Update::append_table(const std::vector<Place>& places, Buffer& out) const {
    append(out, "xref\n");
    for (std::size_t begin = 0; begin < places.size();) {
        std::size_t end = begin + 1;
        while (end < places.size() &&
               places[end].reference.number == places[end - 1].reference.number + 1) {
            ++end;
        }
        append(out, fmt::format("{} {}\n", places[begin].reference.number, end - begin));
        for (; begin < end; ++begin) {
            append(out, fmt::format("{:010} {:05} n \n", places[begin].offset,
                                    places[begin].reference.generation));
        }
    }
    append(out, fmt::format("trailer\n<< {} >>\n", trailer_entries(next_)));
}

// 7.5.8: the same as a stream, which lists itself too.
void Update::append_table_stream(std::vector<Place> places, Buffer& out) {
    const Reference own = reserve();
    places.push_back({.reference = own, .offset = file_.bytes().size() + out.size()});
    std::string index;
    Buffer rows;
    for (const Place& each : places) {
        index += fmt::format("{}{} 1", index.empty() ? "" : " ", each.reference.number);
        rows.push_back(1);
        append_be64(rows, each.offset);
        append_be16(rows, static_cast<std::uint16_t>(each.reference.generation));
    }
    append(out, fmt::format("{} 0 obj\n<< /Type /XRef /W [1 8 2] /Index [{}] /Length {} {} >>\n"
                            "stream\n",
                            own.number, index, rows.size(), trailer_entries(next_)));
    append(out, rows);
    append(out, "\nendstream\nendobj\n");
}

Result<Update::Written> Update::finish() {
    Written written;
    Buffer& out = written.bytes;
    const std::uint64_t base = file_.bytes().size();
    if (base > kTableOffsetMax - limits::kPdfObjectBytesMax) {
        return Error{ErrorCode::kLimit, "a PDF that is longer than its tables can say"};
    }
    if (file_.bytes().back() != '\n' && file_.bytes().back() != '\r') {
        append(out, "\n");
    }
    std::vector<Place> places;
    for (const Part& part : parts_) {
        places.push_back({.reference = part.reference, .offset = base + out.size()});
        append(out, fmt::format("{} {} obj\n{}\n", part.reference.number, part.reference.generation,
                                part.text));
        if (part.stream) {
            append(out, "stream\n");
            if (written.stream_offset == 0) {
                written.stream_offset = base + out.size();
            }
            append(out, *part.stream);
            append(out, "\nendstream\n");
        }
        append(out, "endobj\n");
    }
    std::ranges::sort(places, {}, [](const Place& each) { return each.reference.number; });
    const auto same = std::ranges::adjacent_find(
        places, {}, [](const Place& each) { return each.reference.number; });
    if (same != places.end()) {
        return Error{ErrorCode::kCorrupt, fmt::format("the PDF object {} is two things at once",
                                                      same->reference.number)};
    }
    const std::uint64_t section = base + out.size();
    if (file_.has_table_streams()) {
        append_table_stream(std::move(places), out);
    } else {
        append_table(places, out);
    }
    append(out, fmt::format("startxref\n{}\n%%EOF\n", section));
    return written;
}

}  // namespace colophon::label::pdf
