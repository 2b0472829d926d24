// SPDX-License-Identifier: Apache-2.0
// GIF: the label stands in the XMP packet of an application extension [GB45438-6.1], laid out as
// the XMP specification part 3 has it: the packet lies bare in the file, and a trailer of 258 bytes
// leads every reader that takes its characters for sub-block lengths to the end of the block.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/gif_blocks.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/collect.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/file_edits.h"
#include "label/metadata/internal/label_text.h"
#include "label/metadata/xmp.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kXmpApplication = "XMP DataXMP";
constexpr std::size_t kTrailerStart = 16;  // bytes by which the trailer is known

// 01 FF FE FD ... 02 01 00 00: from wherever a chain of lengths comes in, it ends at the last zero.
Buffer magic_trailer() {
    Buffer trailer{1};
    for (int value = 255; value >= 0; --value) {
        trailer.push_back(static_cast<std::uint8_t>(value));
    }
    trailer.push_back(0);
    return trailer;
}

bool is_xmp(const GifBlock& block) noexcept {
    return block.application() == kXmpApplication;
}

bool is_comment(const GifBlock& block) noexcept {
    return block.kind == GifBlockKind::kExtension && block.label == gif::kComment;
}

// The packet as it lies, or, from writers that cut it into ordinary sub-blocks, joined. c2pa-rs
// cuts the trailer with it.
Buffer xmp_packet(const GifBlock& block) {
    const Bytes content = block.sub_blocks.subspan(1 + gif::kApplicationIdBytes);
    const Buffer trailer = magic_trailer();
    if (content.size() >= trailer.size() && as_text(content).ends_with(as_text(trailer))) {
        return to_buffer(content.first(content.size() - trailer.size()));
    }
    Buffer packet = join_gif_sub_blocks(content);
    const std::size_t end = as_text(packet).rfind(as_text(trailer).substr(0, kTrailerStart));
    if (end != std::string_view::npos &&
        as_text(trailer).starts_with(as_text(packet).substr(end))) {
        packet.resize(end);
    }
    return packet;
}

Result<Buffer> make_xmp_block(std::string_view packet) {
    packet = packet.substr(0, packet.find_last_not_of('\0') + 1);
    if (packet.find('\0') != std::string_view::npos) {
        return Error{ErrorCode::kUnsupported,
                     "an XMP packet with a zero inside cannot stand in GIF"};
    }
    Buffer block{0x21, gif::kApplication, gif::kApplicationIdBytes};
    append(block, kXmpApplication);
    append(block, packet);
    append(block, magic_trailer());
    return block;
}

void edit_comment(const GifBlock& block, std::vector<FileEdit>& edits) {
    const Buffer joined = join_gif_sub_blocks(block.sub_blocks);
    const std::string_view text = as_text(joined);
    if (!may_be_label(text)) {
        return;
    }
    const std::string left = without_tc260_labels(text);
    if (left == text) {
        return;
    }
    Buffer made;
    if (!left.empty()) {
        made = {0x21, gif::kComment};
        append(made, make_gif_sub_blocks(as_bytes(left)));
    }
    edits.push_back({block.offset, block.size, std::move(made)});
}

// Behind the application extensions that lead the file (players look for NETSCAPE2.0 first) and
// before everything that shows something.
std::uint64_t place_for_new_packet(const GifFile& gif) {
    std::uint64_t place = gif.header_end;
    for (const GifBlock& block : gif.blocks) {
        if (block.application().empty()) {
            break;
        }
        place = block.end();
    }
    return place;
}

Result<void> update_packet(const GifBlock& block, const MetadataFields& fields,
                           std::vector<FileEdit>& edits) {
    const Buffer old = xmp_packet(block);
    const std::string packet = TRY(write_xmp(as_text(old), fields));
    if (packet != as_text(old)) {
        edits.push_back({block.offset, block.size, TRY(make_xmp_block(packet))});
    }
    return {};
}

Result<void> edit_xmp(const GifFile& gif, const MetadataFields& fields,
                      std::vector<FileEdit>& edits) {
    bool written = false;
    for (const GifBlock& block : gif.blocks) {
        if (!is_xmp(block)) {
            continue;
        }
        if (written) {
            // A second packet is against the XMP specification; it goes when it carries a label.
            const Buffer second = xmp_packet(block);
            const auto reading = read_xmp(as_text(second));
            if (reading.ok() && !reading->aigc.empty()) {
                edits.push_back({block.offset, block.size, {}});
            }
            continue;
        }
        written = true;
        TRY(update_packet(block, fields, edits));
    }
    if (!written) {
        const std::string packet = TRY(write_xmp({}, fields));
        edits.push_back({place_for_new_packet(gif), 0, TRY(make_xmp_block(packet))});
    }
    return {};
}

}  // namespace

Result<MetadataReading> read_gif(Bytes file) {
    const GifFile gif = TRY(walk_gif(file));
    MetadataReading reading;
    bool first_xmp = true;
    for (const GifBlock& block : gif.blocks) {
        LabelSite site;
        site.offset = block.offset;
        if (is_xmp(block)) {
            site.where = "gif XMP extension";
            site.standard_place = first_xmp;
            first_xmp = false;
            add_xmp(reading, xmp_packet(block), std::move(site));
        } else if (is_comment(block)) {
            site.where = "gif comment";
            add_text(reading, as_text(join_gif_sub_blocks(block.sub_blocks)), site);
        }
    }
    return reading;
}

// [GB45438-6.1] One label: the packet is updated, every other TC260 label is taken away.
Result<Splice> write_gif(Bytes file, const MetadataFields& fields) {
    const GifFile gif = TRY(walk_gif(file));
    std::vector<FileEdit> edits;
    TRY(edit_xmp(gif, fields, edits));
    for (const GifBlock& block : gif.blocks) {
        if (is_comment(block)) {
            edit_comment(block, edits);
        }
    }
    if (!gif.version_89a) {
        // Extensions exist since 89a only.
        edits.push_back({3, 3, to_buffer("89a")});
    }
    return splice_edits(file, std::move(edits));
}

}  // namespace colophon::label::internal
