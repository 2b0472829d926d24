// SPDX-License-Identifier: Apache-2.0
// Ogg Vorbis and Opus (C2PA 2.4, A.3.5): a logical stream of its own, whose one packet is 00 "c2pa"
// and the store.
//
//   sound's first page | first page of ours | our other pages | headers and sound
//
// The first pages of all streams stand before all others (RFC 3533, clause 4), and ours directly
// behind them, so that the store is one range.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/ogg_pages.h"
#include "label/provenance/carrier.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/carriers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kMagic("\0c2pa", 5);
constexpr std::uint32_t kSerial = 0x61703263;  // "c2pa"
constexpr std::size_t kFlagsAt = 5;            // in a page
constexpr std::size_t kChecksumAt = 22;
constexpr std::size_t kStreamsMax = 64;
constexpr std::size_t kPagesMax = 1U << 16U;

// One of our streams: its pages up to the end of its first packet.
struct Stream {
    std::vector<OggPage> pages;
    Buffer packet;
    bool whole = false;   // the packet ends, with a page
    std::string problem;  // why its pages may hold more than the store
};

struct Layout {
    std::uint64_t first_end = 0;  // behind the first pages of all streams
    std::set<std::uint32_t> serials;
    std::vector<Stream> streams;  // ours
};

// Nobody signs what is in the pages of the store but the store, so there is nothing to choose.
std::string problem_of(Bytes file, const Stream& stream) {
    for (std::size_t i = 0; i < stream.pages.size(); ++i) {
        const OggPage& page = stream.pages[i];
        const bool last = i + 1 == stream.pages.size();
        const auto flags =
            static_cast<std::uint8_t>((i == 0 ? kOggFirst : kOggContinued) | (last ? kOggLast : 0));
        if (page.flags != flags || page.sequence != i ||
            page.granule != (last ? 0 : kOggNoGranule) || !ogg_checksum_matches(file, page)) {
            return fmt::format(
                "the Ogg page at byte {} is not as a page of a manifest store should be",
                page.offset);
        }
    }
    return stream.whole ? std::string() : "the manifest store of the Ogg file is cut off";
}

// Adds a page; false when the packet is complete.
bool add_page(Stream& stream, const OggPage& page) {
    std::size_t at = 0;
    for (std::size_t i = 0; i < page.lacing.size(); ++i) {
        append(stream.packet, page.body.subspan(at, page.lacing[i]));
        at += page.lacing[i];
        if (page.lacing[i] < 255) {
            stream.whole = i + 1 == page.lacing.size();
            stream.pages.push_back(page);
            return false;
        }
    }
    stream.pages.push_back(page);
    return true;
}

Result<void> read_stream(Bytes file, std::uint64_t from, Stream& stream) {
    bool open = add_page(stream, OggPage(stream.pages.front()));
    stream.pages.pop_back();
    std::size_t others = 0;
    for (std::uint64_t at = from; open && at < file.size();) {
        const auto page = read_ogg_page(file, at);
        if (!page.ok() || others > kPagesMax ||
            stream.packet.size() > limits::kMetadataBlockBytesMax) {
            break;
        }
        at = page->end();
        if (page->serial == stream.pages.front().serial) {
            open = add_page(stream, *page);
        } else {
            ++others;
        }
    }
    stream.problem = problem_of(file, stream);
    return {};
}

Result<Layout> read_layout(Bytes file) {
    Layout layout;
    std::uint64_t at = 0;
    while (at < file.size()) {
        auto page = read_ogg_page(file, at);
        if (!page.ok() && at == 0) {
            return std::move(page).error();
        }
        if (!page.ok() || (page->flags & kOggFirst) == 0) {
            break;
        }
        if (layout.serials.size() == kStreamsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("an Ogg file of more than {} streams", kStreamsMax)};
        }
        layout.serials.insert(page->serial);
        at = page->end();
        if (starts_with(page->body, kMagic)) {
            layout.streams.push_back(
                {.pages = {std::move(page).value()}, .packet = {}, .whole = false, .problem = {}});
        }
    }
    layout.first_end = at;
    for (Stream& stream : layout.streams) {
        TRY(read_stream(file, layout.first_end, stream));
    }
    return layout;
}

// Neighbouring pages are one range.
std::vector<ByteRange> ranges_of(const Stream& stream) {
    std::vector<ByteRange> ranges;
    for (const OggPage& page : stream.pages) {
        if (!ranges.empty() && ranges.back().end() == page.offset) {
            ranges.back().size += page.size;
        } else {
            ranges.push_back({.offset = page.offset, .size = page.size});
        }
    }
    return ranges;
}

// The pages of a packet as a stream of its own.
Buffer make_stream(const Buffer& packet, std::uint32_t serial) {
    const OggLayout layout{.serial = serial, .sequence = 0, .pages_min = 1};
    std::vector<Buffer> pages = lay_ogg_pages(std::span(&packet, 1), layout);
    pages.front()[kFlagsAt] |= kOggFirst;
    pages.back()[kFlagsAt] |= kOggLast;
    Buffer out;
    for (Buffer& page : pages) {
        store_le32(page, kChecksumAt, 0);
        store_le32(page, kChecksumAt, ogg_checksum(page));
        append(out, page);
    }
    return out;
}

std::uint32_t free_serial(const Layout& layout) {
    std::uint32_t serial = kSerial;
    const auto ours = [&](std::uint32_t number) {
        return std::ranges::any_of(layout.streams, [&](const Stream& each) {
            return each.pages.front().serial == number;
        });
    };
    while (layout.serials.contains(serial) && !ours(serial)) {
        ++serial;
    }
    return serial;
}

}  // namespace

Result<std::optional<FoundStore>> find_in_ogg(Bytes file) {
    const Layout layout = TRY(read_layout(file));
    if (layout.streams.empty()) {
        return std::optional<FoundStore>();
    }
    const Stream& stream = layout.streams.front();
    FoundStore found{.store = {},
                     .ranges = ranges_of(stream),
                     .where = "ogg stream",
                     .problem = stream.problem,
                     .code = {}};
    if (layout.streams.size() > 1) {
        found.problem = "the file holds more than one manifest store";
    }
    if (stream.packet.size() >= kMagic.size()) {
        found.store = to_buffer(Bytes(stream.packet).subspan(kMagic.size()));
    }
    return std::optional(std::move(found));
}

Result<Placement> place_in_ogg(Bytes file, Bytes store) {
    const Layout layout = TRY(read_layout(file));
    std::vector<ByteRange> gone;
    for (const Stream& stream : layout.streams) {
        const std::vector<ByteRange> ranges = ranges_of(stream);
        gone.insert(gone.end(), ranges.begin(), ranges.end());
    }
    std::ranges::sort(gone, {}, &ByteRange::offset);
    Buffer packet = to_buffer(kMagic);
    append(packet, store);
    const Buffer pages = make_stream(packet, free_serial(layout));
    Placement placement;
    std::uint64_t at = 0;
    bool placed = false;
    // Everything up to `end`, with our pages behind the first pages of the others.
    const auto copy_to = [&](std::uint64_t end) {
        if (!placed && end >= layout.first_end) {
            if (at < layout.first_end) {
                placement.splice.copy(at, layout.first_end - at);
                at = layout.first_end;
            }
            placement.ranges = {{.offset = placement.splice.size(), .size = pages.size()}};
            placement.splice.insert(Bytes(pages));
            placed = true;
        }
        placement.splice.copy(at, end - at);
    };
    for (const ByteRange& each : gone) {
        copy_to(each.offset);
        at = each.end();
    }
    copy_to(file.size());
    return placement;
}

}  // namespace colophon::label::provenance::internal
