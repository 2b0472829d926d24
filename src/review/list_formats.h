// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lists of entries as they go from one house to another.
//   kJson     one entry a line (review/entry_json.h) with "about":{"reason":...,"evidence":...,
//             "source":...,"owner":...,"expires":"2027-01-01T00:00:00Z"}
//   kCsv      RFC 4180, a row of names first: those of kJson and of "about"; lists parted by "|"
//   kSignals  "pdq HASH", "raw_text WORDS" or "url LINK" a line, the local file of ThreatExchange
//             and HMA
//   kUpdates  {"data":[{"id":...,"indicator":...,"type":"HASH_PDQ"|"TEXT_STRING"|"URI",
//             "should_delete":false,"descriptors":[{"tags":[...]}]}]}, ThreatExchange's
//             threat_updates

#include "core/result.h"
#include "review/library.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

enum class ListFormat : std::uint8_t { kJson, kCsv, kSignals, kUpdates };
std::string_view list_format_name(ListFormat format) noexcept;  // "json", ...
std::optional<ListFormat> parse_list_format(std::string_view name) noexcept;

inline constexpr std::size_t kListBytesMax = 64U << 20U;
inline constexpr std::size_t kCsvColumnsMax = 64;

// What a list does not say of its entries.
struct ListDefaults {
    About about;
    std::string category = "imported";
    std::string id_prefix = "import/";  // and the number of the line, where entries have no id
};

struct ListLine {
    std::size_t number;  // of the line, or of the element
    Result<Proposal> proposal;
};

// Each line that is not empty, those that are wrong too. kInvalidArgument, kCorrupt and kLimit when
// the list as a whole cannot be read.
Result<std::vector<ListLine>> read_list(ListFormat format, std::string_view text,
                                        const ListDefaults& defaults);

// kSignals and kUpdates leave out what they have no words for: everything but hashes,
// phrases and links.
std::string write_list(ListFormat format, std::span<const Proposal> proposals);

}  // namespace colophon::review
