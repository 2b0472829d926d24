// SPDX-License-Identifier: Apache-2.0
// Plain text (C2PA 2.4, A.8): the store is a row of characters that nobody sees, at the end of the
// text.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "core/utf8.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/text_wrapper.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

Result<std::string_view> read_text(Bytes file) {
    const std::string_view text = as_text(file);
    if (text.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("text: a file of {} bytes; at most {} are read",
                                                    text.size(), limits::kTextFileBytesMax)};
    }
    return text;
}

}  // namespace

Result<std::optional<FoundStore>> find_in_text(Bytes file) {
    std::vector<TextWrapper> wrappers = find_text_wrappers(TRY(read_text(file)));
    if (wrappers.empty()) {
        return std::optional<FoundStore>();
    }
    TextWrapper& first = wrappers.front();
    FoundStore found{.store = std::move(first.store),
                     .ranges = {first.range},
                     .where = "text variation selectors",
                     .problem = first.problem,
                     .code = {}};
    if (wrappers.size() > 1) {
        found.problem = "the text holds more than one manifest store";
        found.code = "manifest.text.multipleWrappers";
    } else if (!found.problem.empty()) {
        found.code = "manifest.text.corruptedWrapper";
    }
    return std::optional(std::move(found));
}

// One that was there before goes, wherever it stood.
Result<Placement> place_in_text(Bytes file, Bytes store) {
    const std::string_view text = TRY(read_text(file));
    if (const auto invalid = find_invalid_utf8(text)) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("Content Credentials go into texts in UTF-8, and byte {} of this "
                                 "one is none; --detached writes them beside the file",
                                 *invalid)};
    }
    Placement placement;
    std::uint64_t at = 0;
    for (const TextWrapper& each : find_text_wrappers(text)) {
        placement.splice.copy(at, each.range.offset - at);
        at = each.range.end();
    }
    placement.splice.copy(at, text.size() - at);
    const std::string wrapper = write_text_wrapper(store);
    placement.ranges = {{.offset = placement.splice.size(), .size = wrapper.size()}};
    placement.splice.insert(to_buffer(wrapper));
    return placement;
}

}  // namespace colophon::label::provenance::internal
