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

class Scan {
public:
    explicit Scan(Bytes file) : file_(file) {}
    Result<MetadataReading> run();

private:
    Result<void> read_segment(const Element& segment, std::uint64_t& end);
    Result<std::uint64_t> end_of(const Element& element) const;
    Result<void> read_tags(const Element& tags);
    Result<void> read_simple_tags(const Element& tag);

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

// SimpleTags may hold SimpleTags; each is entered from a list, without recursion.
Result<void> Scan::read_simple_tags(const Element& tag) {
    std::vector<std::pair<Element, std::size_t>> open{{tag, 0}};
    std::size_t count = 0;
    while (!open.empty()) {
        const auto [element, depth] = open.back();
        open.pop_back();
        std::string_view name;
        std::string_view value;
        ElementReader children(file_, element.content_offset(), element.end(),
                               limits::kContainerItemsMax);
        while (const auto child = TRY(children.next())) {
            if (child->id == kSimpleTag) {
                if (depth >= limits::kContainerDepthMax || ++count > limits::kMovieTagsMax) {
                    return Error{ErrorCode::kLimit,
                                 "too many or too deeply nested SimpleTags at "
                                 "byte " +
                                     std::to_string(child->offset)};
                }
                open.emplace_back(*child, depth + 1);
            } else if (child->id == kTagName) {
                name = ebml::string_of(file_, *child);
            } else if (child->id == kTagString || child->id == kTagBinary) {
                value = ebml::string_of(file_, *child);
            }
        }
        const bool named = name.find("AIGC") != std::string_view::npos;
        if (value.empty() || value.size() > limits::kLabelBytesMax ||
            !(named || may_be_label(value)) || reading_.sites.size() >= limits::kLabelSitesMax) {
            continue;
        }
        reading_.sites.push_back({.where = "matroska SimpleTag " + std::string(name.substr(0, 64)),
                                  .value = std::string(value),
                                  .offset = element.offset,
                                  .standard_place = name == "AIGC"});
    }
    return {};
}

Result<void> Scan::read_tags(const Element& tags) {
    ElementReader children(file_, tags.content_offset(), tags.end(), limits::kContainerItemsMax);
    while (const auto child = TRY(children.next())) {
        if (child->id == kTag) {
            TRY(read_simple_tags(*child));
        }
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
        if (child->id == kTags) {
            TRY(read_tags(*child));
        } else if (child->unknown_size) {
            children.seek(TRY(end_of(*child)));
        }
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
    std::ranges::stable_sort(reading_.sites, {}, &LabelSite::offset);
    return std::move(reading_);
}

}  // namespace

Result<MetadataReading> read_matroska(Bytes file) {
    return Scan(file).run();
}

}  // namespace colophon::label::internal
