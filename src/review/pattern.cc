// SPDX-License-Identifier: Apache-2.0
#include "review/pattern.h"

#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::string_view kDots = "...";
constexpr std::string_view kEllipsis = "\xe2\x80\xa6";

Error wrong_pattern(std::string what) {
    return {ErrorCode::kInvalidArgument, std::move(what)};
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// What comes before the next gap; the gap is passed over.
std::string_view take_part(std::string_view& rest) {
    const std::size_t gap = std::min({rest.find(kDots), rest.find(kEllipsis), rest.size()});
    const std::string_view part = rest.substr(0, gap);
    rest.remove_prefix(gap);
    while (rest.starts_with('.') || rest.starts_with(kEllipsis)) {
        rest.remove_prefix(rest.starts_with('.') ? 1 : kEllipsis.size());
    }
    return part;
}

Result<std::vector<std::string>> ways_of(std::string_view part) {
    std::vector<std::string> ways;
    while (true) {
        const std::size_t slash = std::min(part.find('/'), part.size());
        const std::string_view way = trimmed(part.substr(0, slash));
        if (way.empty() || ways.size() == kPatternWaysMax) {
            return wrong_pattern(
                fmt::format("each part of a pattern is 1 to {} phrases with / "
                            "between them",
                            kPatternWaysMax));
        }
        ways.emplace_back(way);
        if (slash == part.size()) {
            return ways;
        }
        part.remove_prefix(slash + 1);
    }
}

}  // namespace

Result<std::vector<std::vector<std::string>>> parse_pattern(std::string_view pattern) {
    if (pattern.size() > kPatternBytesMax) {
        return wrong_pattern(fmt::format("a pattern has at most {} bytes", kPatternBytesMax));
    }
    std::vector<std::vector<std::string>> parts;
    std::string_view rest = pattern;
    while (true) {
        const std::size_t before = rest.size();
        const std::string_view part = take_part(rest);
        parts.push_back(TRY(ways_of(part)));
        if (part.size() == before) {
            break;  // no gap after it
        }
    }
    if (parts.size() < 2 || parts.size() > kPatternPartsMax) {
        return wrong_pattern(
            fmt::format("a pattern has 2 to {} parts with ... between them", kPatternPartsMax));
    }
    return parts;
}

}  // namespace colophon::review
