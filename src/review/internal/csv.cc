// SPDX-License-Identifier: Apache-2.0
#include "review/internal/csv.h"

#include "core/result.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review::internal {

Error CsvReader::wrong(ErrorCode code, std::string_view what) const {
    return {code, fmt::format("line {}: {}", line_, what)};
}

bool CsvReader::at_line_end() const noexcept {
    return at_ >= text_.size() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n";
}

void CsvReader::skip_line_end() noexcept {
    if (at_ < text_.size()) {
        at_ += text_[at_] == '\r' ? 2U : 1U;
        ++line_;
    }
}

Result<std::string> CsvReader::quoted() {
    ++at_;
    std::string field;
    while (at_ < text_.size()) {
        const char c = text_[at_++];
        if (c == '"') {
            if (at_ >= text_.size() || text_[at_] != '"') {
                if (!at_line_end() && text_[at_] != ',') {
                    return wrong(ErrorCode::kCorrupt, "something stands behind a closing quote");
                }
                return field;
            }
            ++at_;
        }
        line_ += c == '\n' ? 1U : 0U;
        if (field.size() == limits_.field_bytes_max) {
            return wrong(ErrorCode::kLimit, "a field is too long");
        }
        field += c;
    }
    return wrong(ErrorCode::kCorrupt, "a quote is never closed");
}

Result<std::string> CsvReader::field() {
    if (at_ < text_.size() && text_[at_] == '"') {
        return quoted();
    }
    const std::size_t begin = at_;
    while (!at_line_end() && text_[at_] != ',') {
        if (text_[at_] == '"') {
            return wrong(ErrorCode::kCorrupt, "a quote stands within a field that has none");
        }
        ++at_;
    }
    if (at_ - begin > limits_.field_bytes_max) {
        return wrong(ErrorCode::kLimit, "a field is too long");
    }
    return std::string(text_.substr(begin, at_ - begin));
}

Result<std::optional<std::vector<std::string>>> CsvReader::next() {
    while (at_ < text_.size() && at_line_end()) {
        skip_line_end();
    }
    if (at_ >= text_.size()) {
        return std::optional<std::vector<std::string>>();
    }
    began_ = line_;
    std::vector<std::string> row;
    while (true) {
        std::string value = TRY(field());
        if (find_invalid_utf8(value)) {
            return wrong(ErrorCode::kCorrupt, "a field is no UTF-8");
        }
        if (row.size() == limits_.columns_max) {
            return wrong(ErrorCode::kLimit, "a row has too many fields");
        }
        row.push_back(std::move(value));
        if (at_line_end()) {
            skip_line_end();
            return std::optional(std::move(row));
        }
        ++at_;
    }
}

std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        return std::string(text);
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c;
        if (c == '"') {
            quoted += c;
        }
    }
    return quoted + "\"";
}

}  // namespace colophon::review::internal
