// SPDX-License-Identifier: Apache-2.0
#include "label/container/ogg_pages.h"

#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::uint32_t kPolynomial = 0x04C11DB7;
constexpr std::size_t kHeaderBytes = 27;
constexpr std::size_t kChecksumOffset = 22;
constexpr std::size_t kSegmentsMax = 255;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i << 24U;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value << 1U) ^ ((value & 0x80000000U) != 0 ? kPolynomial : 0U);
        }
        table[i] = value;
    }
    return table;
}
constexpr auto kTable = make_table();

constexpr std::uint32_t step(std::uint32_t checksum, std::uint8_t byte) {
    return (checksum << 8U) ^ kTable[(checksum >> 24U) ^ byte];
}

// What 2^k zero bytes do to a checksum, as the images of its 32 bits. A page has fewer than 2^17
// bytes.
using BitImages = std::array<std::uint32_t, 32>;
constexpr std::size_t kPowers = 17;

constexpr std::uint32_t apply_images(const BitImages& images, std::uint32_t checksum) {
    std::uint32_t out = 0;
    for (std::size_t bit = 0; bit < images.size(); ++bit) {
        out ^= ((checksum >> bit) & 1U) != 0 ? images[bit] : 0U;
    }
    return out;
}

constexpr std::array<BitImages, kPowers> make_zero_steps() {
    std::array<BitImages, kPowers> powers{};
    for (std::size_t bit = 0; bit < 32; ++bit) {
        powers[0][bit] = step(1U << bit, 0);
    }
    for (std::size_t k = 1; k < kPowers; ++k) {
        for (std::size_t bit = 0; bit < 32; ++bit) {
            powers[k][bit] = apply_images(powers[k - 1], powers[k - 1][bit]);
        }
    }
    return powers;
}
constexpr auto kZeroSteps = make_zero_steps();

// The page that holds segments [first, first + count) of the laced packets.
struct PageCut {
    std::size_t first = 0;
    std::size_t count = 0;
    Bytes body;
};

Buffer make_page(const std::vector<std::uint8_t>& lacing, const PageCut& cut,
                 const OggLayout& layout, std::uint32_t sequence) {
    const auto segments = std::span(lacing).subspan(cut.first, cut.count);
    const bool continued = cut.first > 0 && lacing[cut.first - 1] == 255;
    const bool ends_packet = std::ranges::any_of(segments, [](std::uint8_t s) { return s < 255; });
    Buffer page = to_buffer("OggS");
    page.push_back(0);
    page.push_back(continued ? kOggContinued : std::uint8_t{0});
    append_le64(page, ends_packet ? 0 : kOggNoGranule);
    append_le32(page, layout.serial);
    append_le32(page, sequence);
    append_le32(page, 0);
    page.push_back(static_cast<std::uint8_t>(cut.count));
    append(page, segments);
    append(page, cut.body);
    store_le32(page, kChecksumOffset, ogg_checksum(page));
    return page;
}

}  // namespace

Result<OggPage> read_ogg_page(Bytes file, std::uint64_t offset) {
    ByteReader reader(file);
    TRY(reader.skip(offset, "Ogg pages"));
    OggPage page;
    page.offset = offset;
    const Bytes pattern = TRY(reader.take(5, "start of an Ogg page"));
    if (!starts_with(pattern, "OggS") || pattern[4] != 0) {
        return corrupt_at("no Ogg page of version 0", offset);
    }
    page.flags = TRY(reader.u8("flags of an Ogg page"));
    page.granule = TRY(reader.le64("granule position of an Ogg page"));
    page.serial = TRY(reader.le32("serial number of an Ogg page"));
    page.sequence = TRY(reader.le32("sequence number of an Ogg page"));
    page.checksum = TRY(reader.le32("checksum of an Ogg page"));
    const std::uint8_t segments = TRY(reader.u8("number of segments of an Ogg page"));
    page.lacing = TRY(reader.take(segments, "segment table of an Ogg page"));
    const std::size_t body =
        std::accumulate(page.lacing.begin(), page.lacing.end(), std::size_t{0});
    page.body = TRY(reader.take(body, "body of an Ogg page"));
    page.size = kHeaderBytes + segments + body;
    return page;
}

std::uint32_t ogg_checksum(Bytes bytes) {
    std::uint32_t checksum = 0;
    for (const std::uint8_t byte : bytes) {
        checksum = step(checksum, byte);
    }
    return checksum;
}

bool ogg_checksum_matches(Bytes file, const OggPage& page) {
    Buffer whole = to_buffer(file.subspan(page.offset, page.size));
    store_le32(whole, kChecksumOffset, 0);
    return ogg_checksum(whole) == page.checksum;
}

std::uint32_t renumbered_checksum(const OggPage& page, std::uint32_t sequence) {
    // checksum(a xor b) = checksum(a) xor checksum(b) for equal lengths. The difference of the two
    // pages is zero before the sequence number, which changes nothing, and zero behind it.
    const std::uint32_t difference = page.sequence ^ sequence;
    std::uint32_t changed = 0;
    for (unsigned byte = 0; byte < 4; ++byte) {
        changed = step(changed, static_cast<std::uint8_t>((difference >> (8 * byte)) & 0xFFU));
    }
    const std::uint64_t zeros = page.size - kOggSequenceOffset - 4;
    for (std::size_t k = 0; k < kPowers; ++k) {
        if (((zeros >> k) & 1U) != 0) {
            changed = apply_images(kZeroSteps[k], changed);
        }
    }
    return page.checksum ^ changed;
}

std::vector<Buffer> lay_ogg_pages(std::span<const Buffer> packets, const OggLayout& layout) {
    std::vector<std::uint8_t> lacing;
    Buffer bytes;
    for (const Buffer& packet : packets) {
        lacing.insert(lacing.end(), packet.size() / 255, 255);
        lacing.push_back(static_cast<std::uint8_t>(packet.size() % 255));
        append(bytes, packet);
    }
    const std::size_t needed = (lacing.size() + kSegmentsMax - 1) / kSegmentsMax;
    const std::size_t wanted =
        std::clamp<std::size_t>(layout.pages_min, needed, std::max(needed, lacing.size()));
    std::vector<Buffer> pages;
    std::size_t first = 0;
    std::size_t body = 0;
    while (first < lacing.size()) {
        // Full pages, as long as one segment is left for each page that must still come.
        const std::size_t pages_after = wanted > pages.size() + 1 ? wanted - pages.size() - 1 : 0;
        const std::size_t count = std::min(kSegmentsMax, lacing.size() - first - pages_after);
        const std::size_t size = std::accumulate(
            lacing.begin() + static_cast<std::ptrdiff_t>(first),
            lacing.begin() + static_cast<std::ptrdiff_t>(first + count), std::size_t{0});
        const PageCut cut{.first = first, .count = count, .body = Bytes(bytes).subspan(body, size)};
        pages.push_back(make_page(lacing, cut, layout,
                                  layout.sequence + static_cast<std::uint32_t>(pages.size())));
        first += count;
        body += size;
    }
    return pages;
}

}  // namespace colophon::label
