// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/ogg_join.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::uint8_t kContinued = 1;
constexpr std::uint8_t kFirstPage = 2;
constexpr std::uint8_t kLastPage = 4;
// Begins the stream of Content Credentials (C2PA 2.4, A.3.5).
constexpr std::string_view kCredentials("\0c2pa", 5);
constexpr std::uint64_t kNoPosition = ~std::uint64_t{0};  // no packet ends on the page

struct Page {
    std::uint8_t flags = 0;
    std::uint64_t position = 0;  // samples up to the last packet that ends here
    std::uint32_t serial = 0;
    Bytes lacing;
    Bytes body;
};

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i << 24U;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value << 1U) ^ ((value & 0x80000000U) != 0 ? 0x04C11DB7U : 0U);
        }
        table[i] = value;
    }
    return table;
}
constexpr auto kCrcTable = make_crc_table();

// All but those of Content Credentials, which do not fit a sound with a mark.
Result<std::vector<Page>> read_pages(Bytes file) {
    std::vector<Page> pages;
    std::set<std::uint32_t> left_out;
    ByteReader reader(file);
    while (!reader.done()) {
        if (pages.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "the Ogg file has too many pages"};
        }
        const std::uint64_t at = reader.offset();
        if (as_text(TRY(reader.take(4, "Ogg page"))) != "OggS") {
            return corrupt_at("no Ogg page", at);
        }
        TRY(reader.skip(1, "Ogg version"));
        Page page;
        page.flags = TRY(reader.u8("Ogg page flags"));
        page.position = TRY(reader.le64("Ogg position"));
        page.serial = TRY(reader.le32("Ogg serial number"));
        TRY(reader.skip(8, "Ogg page number"));
        const std::uint8_t segments = TRY(reader.u8("Ogg segment count"));
        page.lacing = TRY(reader.take(segments, "Ogg segment table"));
        std::uint64_t size = 0;
        for (const std::uint8_t segment : page.lacing) {
            size += segment;
        }
        page.body = TRY(reader.take(size, "Ogg page body"));
        if (!pages.empty() && (page.flags & kFirstPage) != 0 &&
            page.serial != pages.front().serial && starts_with(page.body, kCredentials)) {
            left_out.insert(page.serial);
        }
        if (left_out.contains(page.serial)) {
            continue;
        }
        if (!pages.empty() &&
            (page.serial != pages.front().serial || (page.flags & kFirstPage) != 0)) {
            return Error{
                ErrorCode::kUnsupported,
                "the Ogg file has more than one stream or link: a sound mark cannot be put "
                "beside all of them; --marks metadata labels each link"};
        }
        pages.push_back(page);
    }
    if (pages.empty()) {
        return corrupt_at("no Ogg page", 0);
    }
    return pages;
}

// Writes the pages of one stream, numbered from zero.
class PageWriter {
public:
    explicit PageWriter(std::uint32_t serial) : serial_(serial) {}

    void page(std::uint8_t flags, std::uint64_t position, Bytes lacing, Bytes body) {
        const std::size_t start = out_.size();
        append(out_, "OggS");
        out_.push_back(0);
        out_.push_back(flags);
        append_le64(out_, position);
        append_le32(out_, serial_);
        append_le32(out_, number_++);
        append_le32(out_, 0);
        out_.push_back(static_cast<std::uint8_t>(lacing.size()));
        append(out_, lacing);
        append(out_, body);
        std::uint32_t crc = 0;
        for (const std::uint8_t byte : Bytes(out_).subspan(start)) {
            crc = (crc << 8U) ^ kCrcTable[(crc >> 24U) ^ byte];
        }
        store_le32(out_, start + 22, crc);
    }

    // Packets in as many pages as they need; `position` is that of the last one's end, the others
    // belong to headers, whose position is 0.
    void headers(const std::vector<Bytes>& packets) {
        Buffer lacing;
        Buffer body;
        std::uint8_t flags = 0;
        bool ends = false;
        const auto flush = [&](bool inside) {
            page(flags, ends ? 0 : kNoPosition, lacing, body);
            flags = inside ? kContinued : 0;
            ends = false;
            lacing.clear();
            body.clear();
        };
        for (const Bytes packet : packets) {
            std::size_t at = 0;
            for (bool more = true; more;) {
                if (lacing.size() == 255) {
                    flush(at > 0);
                }
                const std::size_t size = std::min<std::size_t>(255, packet.size() - at);
                lacing.push_back(static_cast<std::uint8_t>(size));
                append(body, packet.subspan(at, size));
                at += size;
                more = size == 255;
                ends = ends || !more;
            }
        }
        flush(false);
    }

    Buffer take() { return std::move(out_); }

private:
    std::uint32_t serial_;
    std::uint32_t number_ = 0;
    Buffer out_;
};

// The header packets, and the first page after them.
struct Headers {
    std::vector<Buffer> packets;
    std::size_t pages = 0;
};

Result<Headers> read_headers(const std::vector<Page>& pages, std::size_t count) {
    Headers headers;
    Buffer packet;
    for (const Page& page : pages) {
        ++headers.pages;
        std::size_t at = 0;
        for (const std::uint8_t segment : page.lacing) {
            append(packet, page.body.subspan(at, segment));
            at += segment;
            if (packet.size() > limits::kMetadataBlockBytesMax) {
                return Error{ErrorCode::kLimit, "a header packet of the Ogg file is too large"};
            }
            if (segment < 255) {
                headers.packets.push_back(std::move(packet));
                packet.clear();
            }
        }
        if (headers.packets.size() == count && packet.empty()) {
            return headers;
        }
        if (headers.packets.size() > count) {
            return corrupt_at("sound on the page of the Ogg headers", 0);
        }
    }
    return corrupt_at("the Ogg file ends in its headers", 0);
}

// Samples at 48 kHz in one Opus packet, from its first bytes (RFC 6716 section 3.1).
std::uint32_t opus_samples(Bytes packet) {
    constexpr std::array<std::uint32_t, 4> kSilk{480, 960, 1920, 2880};
    constexpr std::array<std::uint32_t, 4> kCelt{120, 240, 480, 960};
    if (packet.empty()) {
        return 0;
    }
    const unsigned configuration = packet[0] >> 3U;
    const std::uint32_t frame = configuration < 12   ? kSilk[configuration % 4]
                                : configuration < 16 ? 480U << (configuration % 2)
                                                     : kCelt[configuration % 4];
    const unsigned code = packet[0] & 3U;
    const std::uint32_t frames = code == 0           ? 1
                                 : code < 3          ? 2
                                 : packet.size() > 1 ? packet[1] & 0x3FU
                                                     : 0;
    return frame * frames;
}

// Samples of the packets that begin on the page.
std::uint64_t page_samples(const Page& page) {
    std::uint64_t samples = 0;
    std::size_t at = 0;
    bool begins = (page.flags & kContinued) == 0;
    for (const std::uint8_t segment : page.lacing) {
        if (begins) {
            samples += opus_samples(page.body.subspan(at, segment));
        }
        at += segment;
        begins = segment < 255;
    }
    return samples;
}

// New packets, about a second on a page.
std::uint64_t write_packets(PageWriter& writer, const std::vector<media::CodedPacket>& packets,
                            std::uint64_t position, bool last) {
    Buffer lacing;
    Buffer body;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const Bytes packet = packets[i].bytes;
        lacing.insert(lacing.end(), packet.size() / 255, 255);
        lacing.push_back(static_cast<std::uint8_t>(packet.size() % 255));
        append(body, packet);
        position += opus_samples(packet);
        // A packet has at most 8 segments a channel (1275 bytes and a little).
        const bool end = i + 1 == packets.size();
        const std::size_t next = end ? 0 : packets[i + 1].bytes.size() / 255 + 1;
        if (end || lacing.size() + next > 200) {
            writer.page(end && last ? kLastPage : 0, position, lacing, body);
            lacing.clear();
            body.clear();
        }
    }
    return position;
}

Result<Buffer> join_packets(const std::vector<Page>& pages, const Headers& headers,
                            const media::CodedSound& before, const media::CodedSound& after) {
    PageWriter writer(pages.front().serial);
    for (std::size_t i = 0; i < headers.pages; ++i) {
        writer.page(pages[i].flags, pages[i].position, pages[i].lacing, pages[i].body);
    }
    std::uint64_t begin = 0;  // where the positions of the programme start
    std::uint64_t samples = 0;
    for (std::size_t i = headers.pages; i < pages.size(); ++i) {
        samples += page_samples(pages[i]);
        if (begin == 0 && pages[i].position != kNoPosition && i + 1 < pages.size()) {
            begin = pages[i].position - std::min(pages[i].position, samples);
        }
    }
    const std::uint64_t start = write_packets(writer, before.packets, begin, false);
    const std::uint64_t shift = start - begin;
    for (std::size_t i = headers.pages; i < pages.size(); ++i) {
        const Page& page = pages[i];
        const bool final = i + 1 == pages.size();
        std::uint64_t position = page.position;
        std::uint8_t flags = page.flags;
        if (final && !after.packets.empty()) {
            // The last page may say that its end is to be cut off; inside a stream it cannot.
            position = begin + samples;
            flags = static_cast<std::uint8_t>(flags & ~kLastPage);
        }
        writer.page(flags, position == kNoPosition ? position : position + shift, page.lacing,
                    page.body);
    }
    write_packets(writer, after.packets, start + samples, true);
    return writer.take();
}

// The file coded again, with the old comment packet.
Result<Buffer> join_reencoded(Bytes file, const std::vector<Page>& pages, std::size_t count,
                              const media::Pcm& before, const media::Pcm& after) {
    const Headers old = TRY(read_headers(pages, count));
    const Buffer coded = TRY(media::reencode(file, media::AudioContainer::kOgg, before, after));
    const std::vector<Page> fresh = TRY(read_pages(coded));
    const Headers headers = TRY(read_headers(fresh, count));
    PageWriter writer(pages.front().serial);
    writer.page(fresh[0].flags, 0, fresh[0].lacing, fresh[0].body);
    std::vector<Bytes> packets{old.packets[1]};
    for (std::size_t i = 2; i < headers.packets.size(); ++i) {
        packets.emplace_back(headers.packets[i]);
    }
    writer.headers(packets);
    for (std::size_t i = headers.pages; i < fresh.size(); ++i) {
        writer.page(fresh[i].flags, fresh[i].position, fresh[i].lacing, fresh[i].body);
    }
    return writer.take();
}

// Whether packets made under `made` can stand in a stream under `header` (both OpusHead): the same
// channels and the same mapping of streams. A stream with an output gain would change the loudness
// of what we add.
bool same_opus_setup(Bytes header, Bytes made) {
    constexpr std::size_t kChannelsAt = 9;
    constexpr std::size_t kGainAt = 16;
    constexpr std::size_t kFamilyAt = 18;
    return header.size() == made.size() && header.size() > kFamilyAt &&
           header[kChannelsAt] == made[kChannelsAt] && load_le16(header.subspan(kGainAt)) == 0 &&
           std::ranges::equal(header.subspan(kFamilyAt), made.subspan(kFamilyAt));
}

Result<media::CodedSound> encode(const media::Pcm& pcm, const media::AudioFacts& facts) {
    return pcm.samples() == 0 ? media::CodedSound{} : TRY(media::encode_like(pcm, facts));
}

}  // namespace

Result<JoinedOgg> join_ogg(Bytes file, const media::AudioFacts& facts, const media::Pcm& before,
                           const media::Pcm& after) {
    const std::vector<Page> pages = TRY(read_pages(file));
    JoinedOgg joined;
    const bool opus = facts.codec == media::AudioCodec::kOpus;
    const std::size_t count = opus ? 2 : 3;
    const Headers headers = TRY(read_headers(pages, count));
    const media::CodedSound head = opus ? TRY(encode(before, facts)) : media::CodedSound{};
    const media::CodedSound tail = opus ? TRY(encode(after, facts)) : media::CodedSound{};
    const Bytes made = head.packets.empty() ? Bytes(tail.setup) : Bytes(head.setup);
    const bool fits = opus && same_opus_setup(headers.packets[0], made);
    joined.splice.insert(fits ? TRY(join_packets(pages, headers, head, tail))
                              : TRY(join_reencoded(file, pages, count, before, after)));
    joined.reencoded = !fits;
    return joined;
}

}  // namespace colophon::label::internal
