// SPDX-License-Identifier: Apache-2.0
// Reads labels from Matroska and WebM (RFC 9559): Segment / Tags / Tag / SimpleTag with the TagName
// AIGC. [TC260-PG-20257A]
//
// The walk hops over every element of the segment by its size and enters only Tags, so it also
// finds tags that a SeekHead does not name. A live recording may have clusters of unknown size;
// those are hopped through block by block until an element that belongs beside a cluster begins.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/sort.h"
#include "label/container/ebml.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using ebml::Element;
using ebml::ElementReader;

constexpr std::uint32_t kEbmlHead = 0x1A45DFA3;
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kTags = 0x1254C367;
constexpr std::uint32_t kTag = 0x7373;
constexpr std::uint32_t kSimpleTag = 0x67C8;
constexpr std::uint32_t kTagName = 0x45A3;
constexpr std::uint32_t kTagString = 0x4487;
constexpr std::uint32_t kTagBinary = 0x4485;

// What may follow a cluster: the children of Segment, and a new segment or file.
constexpr std::array<std::uint32_t, 10> kBesideCluster{0x114D9B74,  // SeekHead
                                                       0x1549A966,  // Info
                                                       0x1654AE6B,  // Tracks
                                                       0x1C53BB6B,  // Cues
                                                       0x1941A469,  // Attachments
                                                       0x1043A770,  // Chapters
                                                       kCluster,   kTags, kSegment, kEbmlHead};

// Blocks of a cluster without a size are bounded by the file alone: each takes two bytes.
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

// One that was met and is yet to be read. `depth` counts the SimpleTags around it.
struct SimpleTag {
    Element element;
    std::size_t depth = 0;
    std::string_view name;
    std::string_view value;
};

// Reads the name and the value; the SimpleTags inside go to `open`, `count` is how many ever did.
Result<void> read_simple_tag(Bytes file, SimpleTag& tag, std::vector<SimpleTag>& open,
                             std::size_t& count) {
    const Element& element = tag.element;
    ElementReader children(file, element.content_offset(), element.end(),
                           limits::kContainerItemsMax);
    while (const auto child = TRY(children.next())) {
        if (child->id == kTagName) {
            tag.name = ebml::string_of(file, *child);
        } else if (child->id == kTagString || child->id == kTagBinary) {
            tag.value = ebml::string_of(file, *child);
        }
        if (child->id != kSimpleTag) {
            continue;
        }
        if (tag.depth >= limits::kContainerDepthMax || ++count > limits::kMovieTagsMax) {
            return Error{ErrorCode::kLimit, "too many or too deeply nested SimpleTags at byte " +
                                                std::to_string(child->offset)};
        }
        open.push_back({.element = *child, .depth = tag.depth + 1, .name = {}, .value = {}});
    }
    return {};
}

class Scan {
public:
    explicit Scan(Bytes file) : file_(file) {}
    Result<MetadataReading> run();

private:
    Result<void> read_segment(const Element& segment, std::uint64_t& end);
    Result<std::uint64_t> end_of(const Element& element) const;
    Result<void> read_tags(const Element& tags);
    Result<void> read_simple_tags(const Element& tag);
    Result<void> read_child(const Element& child, ElementReader& children);
    void add(const SimpleTag& tag);

    Bytes file_;
    MetadataReading reading_;
};

// Where an element of unknown size ends.
Result<std::uint64_t> Scan::end_of(const Element& element) const {
    if (!element.unknown_size) {
        return element.end();
    }
    ElementReader children(file_, element.content_offset(), element.end(), kNoLimit);
    while (const auto child = TRY(children.next())) {
        if (std::ranges::find(kBesideCluster, child->id) != kBesideCluster.end()) {
            return child->offset;
        }
    }
    return element.end();
}

void Scan::add(const SimpleTag& tag) {
    const bool named = tag.name.find("AIGC") != std::string_view::npos;
    if (tag.value.empty() || tag.value.size() > limits::kLabelBytesMax ||
        !(named || may_be_label(tag.value)) || reading_.sites.size() >= limits::kLabelSitesMax) {
        return;
    }
    reading_.sites.push_back({.where = "matroska SimpleTag " + std::string(tag.name.substr(0, 64)),
                              .value = std::string(tag.value),
                              .offset = tag.element.offset,
                              .standard_place = tag.name == "AIGC"});
}

// SimpleTags may hold SimpleTags; each is entered from a list, without recursion.
Result<void> Scan::read_simple_tags(const Element& tag) {
    std::vector<SimpleTag> open{{.element = tag, .depth = 0, .name = {}, .value = {}}};
    std::size_t count = 0;
    while (!open.empty()) {
        SimpleTag next = open.back();
        open.pop_back();
        TRY(read_simple_tag(file_, next, open, count));
        add(next);
    }
    return {};
}

Result<void> Scan::read_tags(const Element& tags) {
    ElementReader children(file_, tags.content_offset(), tags.end(), limits::kContainerItemsMax);
    while (const auto child = TRY(children.next())) {
        if (child->id != kTag) {
            continue;
        }
        TRY(read_simple_tags(*child));
    }
    return {};
}

// A child of a segment; one of unknown size is stepped over.
Result<void> Scan::read_child(const Element& child, ElementReader& children) {
    if (child.id == kTags) {
        return read_tags(child);
    }
    if (child.unknown_size) {
        children.seek(TRY(end_of(child)));
    }
    return {};
}

Result<void> Scan::read_segment(const Element& segment, std::uint64_t& end) {
    ElementReader children(file_, segment.content_offset(), segment.end(),
                           limits::kContainerItemsMax);
    while (const auto child = TRY(children.next())) {
        if (segment.unknown_size && (child->id == kEbmlHead || child->id == kSegment)) {
            end = child->offset;
            return {};
        }
        TRY(read_child(*child, children));
    }
    end = segment.end();
    return {};
}

Result<MetadataReading> Scan::run() {
    bool found = false;
    ElementReader elements(file_, 0, file_.size(), limits::kContainerItemsMax);
    while (const auto element = TRY(elements.next())) {
        if (element->id != kSegment) {
            continue;
        }
        found = true;
        std::uint64_t end = 0;
        TRY(read_segment(*element, end));
        elements.seek(end);
    }
    if (!found) {
        return Error{ErrorCode::kCorrupt, "the file has no Matroska segment"};
    }
    sort_stably(reading_.sites, &LabelSite::offset);
    return std::move(reading_);
}

}  // namespace

Result<MetadataReading> read_matroska(Bytes file) {
    return Scan(file).run();
}

}  // namespace colophon::label::internal
