// SPDX-License-Identifier: Apache-2.0
#pragma once

// Comma-separated values (RFC 4180): fields in quotes may hold commas, line ends and doubled
// quotes; lines end with LF or CRLF.

#include "core/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review::internal {

struct CsvLimits {
    std::size_t columns_max;
    std::size_t field_bytes_max;
};

class CsvReader {
public:
    CsvReader(std::string_view text, const CsvLimits& limits) : text_(text), limits_(limits) {}

    // The next row that is not empty; nothing at the end. kCorrupt and kLimit name the line.
    Result<std::optional<std::vector<std::string>>> next();
    // In which the row began that next() gave last.
    std::size_t line() const noexcept { return began_; }

private:
    Result<std::string> field();
    Result<std::string> quoted();
    bool at_line_end() const noexcept;
    void skip_line_end() noexcept;
    Error wrong(ErrorCode code, std::string_view what) const;

    std::string_view text_;
    CsvLimits limits_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t began_ = 1;
};

// In quotes where it must be.
std::string csv_field(std::string_view text);

}  // namespace colophon::review::internal
