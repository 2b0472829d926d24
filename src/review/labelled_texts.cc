// SPDX-License-Identifier: Apache-2.0
#include "review/labelled_texts.h"

#include "core/result.h"
#include "review/classifier.h"
#include "review/internal/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::size_t kColumnsMax = 256;
constexpr std::size_t kTextBytesMax = 1U << 20U;

bool same_name(std::string_view one, std::string_view other) {
    const auto low = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
    return std::ranges::equal(one, other, {}, low, low);
}

Result<std::size_t> column_of(const std::vector<std::string>& names, const std::string& name) {
    const auto found =
        std::ranges::find_if(names, [&](const std::string& each) { return same_name(each, name); });
    if (found == names.end()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the table has no column \"{}\"", name)};
    }
    return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

Result<std::vector<Sample>> read_labelled_texts(std::string_view table,
                                                const LabelledColumns& columns) {
    constexpr std::string_view kMark = "\xef\xbb\xbf";
    if (table.starts_with(kMark)) {
        table.remove_prefix(kMark.size());
    }
    internal::CsvReader reader(table,
                               {.columns_max = kColumnsMax, .field_bytes_max = kTextBytesMax});
    const auto names = TRY(reader.next());
    if (!names) {
        return Error{ErrorCode::kInvalidArgument, "the list has no row of names"};
    }
    const std::size_t text = TRY(column_of(*names, columns.text));
    const std::size_t label = TRY(column_of(*names, columns.label));
    std::vector<Sample> samples;
    while (true) {
        auto row = TRY(reader.next());
        if (!row) {
            return samples;
        }
        if (row->size() != names->size()) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("line {}: it has {} fields, the first row {}", reader.line(),
                                     row->size(), names->size())};
        }
        if (samples.size() == kClassifierSamplesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a classifier learns from at most {} texts",
                                                        kClassifierSamplesMax)};
        }
        samples.push_back({std::move((*row)[text]), (*row)[label] == columns.positive});
    }
}

std::string write_labelled_row(std::string_view text, std::string_view label) {
    return internal::csv_field(text) + "," + internal::csv_field(label) + "\n";
}

}  // namespace colophon::review
