// SPDX-License-Identifier: Apache-2.0
// The label in Ogg Vorbis and Opus: a comment AIGC in the comment header packet of the first
// stream. The header packets are laid onto pages anew; when their number changes, the pages behind
// are renumbered without touching their bodies. The links of a chained file (RFC 3533 clause 4) are
// wholes with headers of their own, which may be cut apart again: each has its label.
//
//   page 0         pages 1..n                      pages n+1..
//   id header      comment header [setup header]   sound
//   copied         new                             copied, or only sequence number and checksum new

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/ogg_pages.h"
#include "label/container/vorbis_comment.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/label_sites.h"
#include "label/metadata/internal/vorbis_label.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

struct Codec {
    std::string_view name;
    std::string_view id_magic;       // how its first packet starts
    std::string_view comment_magic;  // how its comment packet starts
    std::size_t packets = 0;         // header packets behind the first page
};

constexpr Codec kVorbis{.name = "ogg",
                        .id_magic = std::string_view("\x01vorbis", 7),
                        .comment_magic = std::string_view("\x03vorbis", 7),
                        .packets = 2};
constexpr Codec kOpus{
    .name = "opus", .id_magic = "OpusHead", .comment_magic = "OpusTags", .packets = 1};

struct Link {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
};

// The header pages behind the first page of the stream, and the packets on them. A group is a run
// of packets whose first starts a page and whose last ends one.
struct Headers {
    Link link;
    Codec codec;
    std::uint32_t serial = 0;
    std::vector<OggPage> pages;  // of this stream only
    std::vector<Buffer> packets;
    std::vector<std::size_t> packets_after;  // for each page: whole packets up to its end
    std::vector<bool> whole;                 // for each page: whether a packet ends with it
    std::uint64_t end = 0;                   // of the last header page
};

Result<Codec> find_codec(const OggPage& first) {
    if (starts_with(first.body, kVorbis.id_magic)) {
        return kVorbis;
    }
    if (starts_with(first.body, kOpus.id_magic)) {
        return kOpus;
    }
    return Error{ErrorCode::kUnsupported,
                 "the first stream of the Ogg file is neither Vorbis nor Opus"};
}

// Adds the segments of a page to the packets; whether the last segment ends one is kept.
void add_segments(Headers& headers, const OggPage& page, Buffer& open) {
    std::size_t at = 0;
    bool ends = false;
    for (const std::uint8_t segment : page.lacing) {
        append(open, page.body.subspan(at, segment));
        at += segment;
        ends = segment < 255;
        if (ends) {
            headers.packets.push_back(std::move(open));
            open = {};
        }
    }
    headers.pages.push_back(page);
    headers.packets_after.push_back(headers.packets.size());
    headers.whole.push_back(ends);
    headers.end = page.end();
}

// Whether the file ends in the stream with which it starts: then, serial numbers being unique, it
// is no chain, and its sound is not touched to find that out.
bool ends_in_stream(Bytes file, std::uint32_t serial) {
    constexpr std::size_t kPageBytesMax = 27 + 255 + std::size_t{255} * 255;
    const std::string_view text = as_text(file);
    const std::size_t least = text.size() - std::min(text.size(), kPageBytesMax);
    for (std::size_t at = text.rfind("OggS"); at != std::string_view::npos && at >= least;
         at = at == 0 ? std::string_view::npos : text.rfind("OggS", at - 1)) {
        const auto page = read_ogg_page(file, at);
        if (page.ok() && page->end() == file.size()) {
            return page->serial == serial;
        }
    }
    return false;
}

// The links of a chain: each starts with pages that start streams. What follows a page that cannot
// be read belongs to the last link.
Result<std::vector<Link>> find_links(Bytes file) {
    const OggPage first = TRY(read_ogg_page(file, 0));
    std::vector<Link> links{{.start = 0, .end = file.size()}};
    if (ends_in_stream(file, first.serial)) {
        return links;
    }
    bool starting = true;
    std::uint64_t at = first.end();
    for (std::size_t pages = 0; at < file.size(); ++pages) {
        const auto page = read_ogg_page(file, at);
        if (!page.ok()) {
            break;
        }
        if (pages >= limits::kContainerItemsMax || links.size() > limits::kLabelSitesMax) {
            return Error{ErrorCode::kLimit,
                         "an Ogg file of more than " + std::to_string(limits::kContainerItemsMax) +
                             " pages or " + std::to_string(limits::kLabelSitesMax) +
                             " links (kContainerItemsMax, kLabelSitesMax)"};
        }
        const bool starts = (page->flags & kOggFirst) != 0;
        if (starts && !starting) {
            links.back().end = at;
            links.push_back({.start = at, .end = file.size()});
        }
        starting = starts;
        at = page->end();
    }
    return links;
}

Result<Headers> read_headers(Bytes file, const Link& link) {
    const OggPage first = TRY(read_ogg_page(file, link.start));
    Headers headers;
    headers.link = link;
    headers.codec = TRY(find_codec(first));
    headers.serial = first.serial;
    Buffer open;
    std::uint64_t at = first.end();
    std::uint64_t bytes = 0;
    for (std::size_t pages = 0; headers.packets.size() < headers.codec.packets; ++pages) {
        const OggPage page = TRY(read_ogg_page(file, at));
        bytes += page.size;
        if (pages >= limits::kContainerItemsMax || bytes > limits::kMetadataBlockBytesMax) {
            return Error{ErrorCode::kLimit, "Ogg headers of more than " + std::to_string(bytes) +
                                                " bytes (kMetadataBlockBytesMax)"};
        }
        at = page.end();
        if (page.serial == headers.serial) {
            add_segments(headers, page, open);
        }
    }
    // Sound starts on a page of its own (Vorbis I appendix A.2, RFC 7845 clause 3).
    if (headers.packets.size() != headers.codec.packets || !headers.whole.back()) {
        return corrupt_at("sound on a page of the Ogg headers", headers.pages.back().offset);
    }
    if (!starts_with(headers.packets.front(), headers.codec.comment_magic)) {
        return corrupt_at("the second Ogg packet is no comment header",
                          headers.pages.front().offset);
    }
    return headers;
}

Bytes comment_list(const Headers& headers) {
    return Bytes(headers.packets.front()).subspan(headers.codec.comment_magic.size());
}

// The new header pages. Packets that started a page keep doing so, and each group keeps its number
// of pages where it can, so that the pages behind need no new numbers.
std::vector<Buffer> lay_headers(const Headers& headers) {
    std::vector<Buffer> pages;
    std::size_t first_packet = 0;
    std::size_t first_page = 0;
    for (std::size_t i = 0; i < headers.pages.size(); ++i) {
        const std::size_t after = headers.packets_after[i];
        if (!headers.whole[i] || after == first_packet) {
            continue;
        }
        const auto packets = std::span(headers.packets).subspan(first_packet, after - first_packet);
        const OggLayout layout{
            .serial = headers.serial,
            .sequence = headers.pages.front().sequence + static_cast<std::uint32_t>(pages.size()),
            .pages_min = i + 1 - first_page};
        std::ranges::move(lay_ogg_pages(packets, layout), std::back_inserter(pages));
        first_packet = after;
        first_page = i + 1;
    }
    return pages;
}

// New sequence numbers and checksums for all pages of the stream behind its headers. A page of
// another stream stays, and so does what is behind the last page of this one.
Result<void> renumber(Splice& splice, Bytes file, const Headers& headers, std::uint32_t shift) {
    std::uint64_t at = headers.end;
    bool last = false;
    for (std::size_t pages = 0; at < headers.link.end && !last; ++pages) {
        if (pages >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " Ogg pages to renumber (kContainerItemsMax)"};
        }
        const OggPage page = TRY(read_ogg_page(file, at));
        at = page.end();
        if (page.serial != headers.serial) {
            splice.copy(page.offset, page.size);
            continue;
        }
        last = (page.flags & kOggLast) != 0;
        const std::uint32_t sequence = page.sequence + shift;
        Buffer numbers;
        append_le32(numbers, sequence);
        append_le32(numbers, renumbered_checksum(page, sequence));
        splice.copy(page.offset, kOggSequenceOffset);
        splice.insert(std::move(numbers));
        splice.copy(page.offset + kOggSequenceOffset + 8, page.size - kOggSequenceOffset - 8);
    }
    splice.copy(at, headers.link.end - std::min(at, headers.link.end));
    return {};
}

// The new header pages stand where the first old one stood; pages of other streams in between are
// copied.
void replace_headers(Splice& splice, const Headers& headers, const std::vector<Buffer>& pages) {
    const std::uint64_t start = headers.link.start;
    splice.copy(start, headers.pages.front().offset - start);
    for (const Buffer& page : pages) {
        splice.insert(Bytes(page));
    }
    std::uint64_t at = headers.pages.front().end();
    for (const OggPage& old : std::span(headers.pages).subspan(1)) {
        splice.copy(at, old.offset - at);
        at = old.end();
    }
}

Result<void> read_link(Bytes file, const Link& link, std::uint32_t part, MetadataReading& reading) {
    const Headers headers = TRY(read_headers(file, link));
    const OggPage& first = headers.pages.front();
    const VorbisComments comments = TRY(read_vorbis_comments(comment_list(headers), first.offset));
    // The list may be spread over pages, so each label is placed at the page where the list starts.
    for (const VorbisComment& comment : comments.comments) {
        if (is_label_comment(comment)) {
            collect_site(reading, {.where = std::string(headers.codec.name) + " Vorbis comment " +
                                            printable_name(comment.name),
                                   .value = std::string(comment.value),
                                   .offset = first.offset,
                                   .standard_place = is_label_name(comment.name),
                                   .part = part});
        }
    }
    for (const OggPage& page : headers.pages) {
        if (!ogg_checksum_matches(file, page)) {
            collect_finding(reading, {.code = "metadata.checksum",
                                      .level = FindingLevel::kWarning,
                                      .what = "the checksum of the Ogg page at byte " +
                                              std::to_string(page.offset) + " is wrong"});
        }
    }
    return {};
}

Result<void> write_link(Bytes file, const Link& link, const MetadataFields& fields,
                        Splice& splice) {
    Headers headers = TRY(read_headers(file, link));
    for (const OggPage& page : headers.pages) {
        if (!ogg_checksum_matches(file, page)) {
            return corrupt_at("the checksum of an Ogg page is wrong", page.offset);
        }
    }
    const Bytes list = comment_list(headers);
    const VorbisComments comments = TRY(read_vorbis_comments(list, headers.pages.front().offset));
    Buffer packet = to_buffer(headers.codec.comment_magic);
    append(packet, edit_vorbis_comments(list, comments, fields.aigc));
    if (packet == headers.packets.front()) {
        splice.copy(link.start, link.end - link.start);
        return {};
    }
    headers.packets.front() = std::move(packet);
    const std::vector<Buffer> pages = lay_headers(headers);
    replace_headers(splice, headers, pages);
    if (pages.size() == headers.pages.size()) {
        splice.copy(headers.end, link.end - headers.end);
        return {};
    }
    const auto shift = static_cast<std::uint32_t>(pages.size() - headers.pages.size());
    return renumber(splice, file, headers, shift);
}

}  // namespace

Result<MetadataReading> read_ogg(Bytes file) {
    const std::vector<Link> links = TRY(find_links(file));
    MetadataReading reading;
    for (std::size_t part = 0; part < links.size(); ++part) {
        const std::size_t before = reading.sites.size();
        TRY(read_link(file, links[part], static_cast<std::uint32_t>(part), reading));
        const bool others = part > 0 && !reading.sites.empty();
        if (others && before == reading.sites.size()) {
            collect_finding(reading,
                            {.code = "metadata.links",
                             .level = FindingLevel::kWarning,
                             .what = "the link at byte " + std::to_string(links[part].start) +
                                     " of the chained Ogg file carries no label"});
        }
    }
    const bool first_bare = !reading.sites.empty() && reading.sites.front().part != 0;
    if (first_bare) {
        collect_finding(reading,
                        {.code = "metadata.links",
                         .level = FindingLevel::kWarning,
                         .what = "the first link of the chained Ogg file carries no label"});
    }
    return reading;
}

// [GB45438-6.1] Exactly one label, in the comment header of the first stream; of each link.
Result<Splice> write_ogg(Bytes file, const MetadataFields& fields) {
    TRY(check_label_bytes(fields.aigc));
    Splice splice;
    for (const Link& link : TRY(find_links(file))) {
        TRY(write_link(file, link, fields, splice));
    }
    return splice;
}

}  // namespace colophon::label::internal
