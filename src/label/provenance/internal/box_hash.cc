// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/box_hash.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kRowsMax = 1U << 16U;
constexpr std::size_t kNamesMax = 1U << 18U;
constexpr std::size_t kExclusionsMax = 4096;
constexpr std::string_view kManifest = "C2PA";
constexpr std::size_t kWrittenBoxesMax = 4096;
constexpr std::size_t kPicturesMax = 64;  // of a JPEG, one behind the other

struct Exclusion {
    std::size_t box = 0;  // among those of the row
    ByteRange range;      // from the start of that box
};

// One entry of "boxes".
struct Row {
    std::vector<std::string> names;
    Buffer hash;
    bool excluded = false;
    std::vector<Exclusion> exclusions;
    std::optional<HashAlgorithm> algorithm;

    bool is_manifest() const noexcept { return names.size() == 1 && names.front() == kManifest; }
};

bool read_names(const cbor::Value& value, Row& row) {
    const cbor::Array* names = value.array("names");
    if (names == nullptr || names->empty() || names->size() > kNamesMax) {
        return false;
    }
    for (const cbor::Value& each : *names) {
        if (each.if_text() == nullptr) {
            return false;
        }
        row.names.push_back(*each.if_text());
    }
    return true;
}

bool read_exclusions(const cbor::Value& value, Row& row) {
    const cbor::Value* member = value.find("exclusions");
    if (member == nullptr) {
        return true;
    }
    const cbor::Array* list = member->if_array();
    if (list == nullptr || list->size() > kExclusionsMax) {
        return false;
    }
    for (const cbor::Value& each : *list) {
        const std::uint64_t* start = each.number("start");
        const std::uint64_t* length = each.number("length");
        const std::uint64_t* box = each.number("boxIndex");
        const std::uint64_t index = box == nullptr ? 0 : *box;
        if (start == nullptr || length == nullptr || *length > UINT64_MAX - *start ||
            (each.find("boxIndex") != nullptr && box == nullptr) || index >= row.names.size()) {
            return false;
        }
        const Exclusion exclusion{.box = static_cast<std::size_t>(index),
                                  .range = {.offset = *start, .size = *length}};
        // In order, and apart.
        if (!row.exclusions.empty()) {
            const Exclusion& last = row.exclusions.back();
            if (exclusion.box < last.box ||
                (exclusion.box == last.box && exclusion.range.offset < last.range.end())) {
                return false;
            }
        }
        row.exclusions.push_back(exclusion);
    }
    return true;
}

class BoxCheck {
public:
    BoxCheck(const Claim& claim, const Assertion& assertion, const Content& content, Report& report)
        : claim_(claim), assertion_(assertion), content_(content), report_(report) {}

    void run() {
        if (!read_rows()) {
            return;
        }
        if (!content_.store_problem.empty()) {
            fail("mismatch", content_.store_problem);
            return;
        }
        // Boxes are found by walking the whole file, so one that is not written yet is made: only
        // pictures are asked about before they are written.
        const FileView& view = content_.view;
        const Buffer made =
            view.is_there() ? Buffer() : view.read({.offset = 0, .size = view.size()});
        std::size_t pictures = 0;
        for (const Row& row : rows_) {
            pictures += static_cast<std::size_t>(std::ranges::count(row.names, "SOI"));
        }
        auto boxes = list_boxes(view.is_there() ? view.whole() : Bytes(made), content_.format,
                                content_.store_ranges, pictures);
        if (!boxes.ok() && boxes.error().code == ErrorCode::kUnsupported) {
            report_.fail("general.error", assertion_.uri, boxes.error().what);
            return;
        }
        if (!boxes.ok()) {
            fail("mismatch", boxes.error().what);
            return;
        }
        boxes_ = std::move(boxes).value();
        if (compare()) {
            finish();
        }
    }

private:
    void fail(std::string_view what, std::string words = {}) {
        report_.fail(fmt::format("assertion.boxesHash.{}", what), assertion_.uri, std::move(words));
    }

    bool read_rows() {
        const cbor::Array* list = assertion_.value->array("boxes");
        if (list == nullptr || list->empty() || list->size() > kRowsMax) {
            fail("malformed");
            return false;
        }
        const std::string* outer = assertion_.value->text("alg");
        for (const cbor::Value& each : *list) {
            Row row;
            if (!read_names(each, row) || !read_exclusions(each, row)) {
                fail("malformed");
                return false;
            }
            const std::string* named = each.text("alg");
            row.algorithm =
                algorithm_of(named == nullptr ? outer : named, claim_, assertion_.uri, report_);
            if (!row.algorithm) {
                return false;
            }
            const cbor::Value* excluded = each.find("excluded");
            row.excluded = excluded != nullptr && excluded->if_simple() != nullptr &&
                           *excluded->if_simple() == cbor::Simple::kTrue;
            const Buffer* hash = each.bytes("hash");
            if (hash == nullptr) {
                fail("mismatch", "the assertion holds no hash");
                return false;
            }
            row.hash = *hash;
            rows_.push_back(std::move(row));
        }
        return true;
    }

    bool compare() {
        std::size_t at = 0;
        for (const Row& row : rows_) {
            for (std::size_t i = 0; i < row.names.size(); ++i) {
                if (at + i >= boxes_.size() || boxes_[at + i].name != row.names[i]) {
                    say_difference(at + i, row.names[i]);
                    return false;
                }
            }
            const auto boxes = std::span(boxes_).subspan(at, row.names.size());
            const bool holds_manifest = std::ranges::find(row.names, kManifest) != row.names.end();
            if (holds_manifest && !row.is_manifest()) {
                fail("mismatch", "the manifest is hashed together with other boxes");
                return false;
            }
            if (!row.is_manifest() && !row.excluded && !fits(row, boxes)) {
                return false;
            }
            at += row.names.size();
        }
        if (at != boxes_.size()) {
            fail("unknownBox",
                 fmt::format("the box {} of the file was not signed", boxes_[at].name));
            return false;
        }
        return true;
    }

    void say_difference(std::size_t at, const std::string& wanted) {
        if (at >= boxes_.size()) {
            fail("mismatch", fmt::format("the box {} of the file is gone", wanted));
            return;
        }
        const std::string& found = boxes_[at].name;
        const bool known = std::ranges::any_of(rows_, [&](const Row& row) {
            return std::ranges::find(row.names, found) != row.names.end();
        });
        if (known) {
            fail("mismatch",
                 fmt::format("the box {} of the file stands where {} should", found, wanted));
        } else {
            fail("unknownBox", fmt::format("the box {} of the file was not signed", found));
        }
    }

    // From the first box to the end of the last, without what is left out.
    bool fits(const Row& row, std::span<const NamedBox> boxes) {
        std::vector<ByteRange> out;
        for (const Exclusion& each : row.exclusions) {
            const NamedBox& box = boxes[each.box];
            if (box.ranges.size() != 1 || each.range.end() > box.ranges.front().size) {
                fail("mismatch", "a range that is left out ends behind its box");
                return false;
            }
            out.push_back(
                {.offset = box.ranges.front().offset + each.range.offset, .size = each.range.size});
        }
        ContentHasher hasher(*row.algorithm);
        auto gap = out.begin();
        for (const NamedBox& box : boxes) {
            for (const ByteRange& range : box.ranges) {
                std::uint64_t at = range.offset;
                for (; gap != out.end() && gap->offset < range.end(); ++gap) {
                    content_.view.feed({.offset = at, .size = gap->offset - at}, hasher);
                    at = gap->end();
                }
                content_.view.feed({.offset = at, .size = range.end() - at}, hasher);
            }
        }
        if (hasher.finish() != row.hash) {
            fail("mismatch", "the file was changed after it was signed");
            return false;
        }
        return true;
    }

    void finish() {
        const bool manifest = std::ranges::any_of(rows_, &Row::is_manifest);
        if (!manifest && !content_.detached && !content_.without_store) {
            fail("mismatch", "the assertion does not list the box of the manifest");
            return;
        }
        const bool more = std::ranges::any_of(
            rows_, [](const Row& row) { return row.excluded || !row.exclusions.empty(); });
        if (more) {
            report_.inform("assertion.boxesHash.additionalExclusionsPresent", assertion_.uri);
        }
        report_.success("assertion.boxesHash.match", assertion_.uri);
    }

    const Claim& claim_;
    const Assertion& assertion_;
    const Content& content_;
    Report& report_;
    std::vector<Row> rows_;
    std::vector<NamedBox> boxes_;
};

}  // namespace

Result<cbor::Value> box_hash(const FileView& file, Format format,
                             const std::vector<ByteRange>& store_ranges, bool measured) {
    const auto boxes = TRY(list_boxes(file.whole(), format, store_ranges, kPicturesMax));
    if (boxes.size() > kWrittenBoxesMax) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a file of {} boxes; a hash over at most {} of them is written",
                                 boxes.size(), kWrittenBoxesMax)};
    }
    cbor::Array rows;
    const auto add = [&](std::span<const NamedBox> some, bool manifest) {
        cbor::Array names;
        ContentHasher hasher(kWriterHash);
        for (const NamedBox& box : some) {
            names.emplace_back(box.name);
            for (const ByteRange& range : box.ranges) {
                if (!measured && !manifest) {
                    file.feed(range, hasher);
                }
            }
        }
        // 18.7.1: that of the store is a single zero.
        rows.emplace_back(cbor::Map{{"names", std::move(names)},
                                    {"hash", manifest ? Buffer{0} : hasher.finish()},
                                    {"pad", Buffer{}}});
    };
    const auto store = std::ranges::find(boxes, kManifest, &NamedBox::name);
    if (store == boxes.begin() || store == boxes.end()) {
        return Error{ErrorCode::kCorrupt, "the manifest is not among the boxes of the file"};
    }
    add({boxes.begin(), store}, false);
    add({store, 1}, true);
    if (store + 1 != boxes.end()) {
        add({store + 1, boxes.end()}, false);
    }
    return cbor::Value(
        cbor::Map{{"alg", hash_algorithm_name(kWriterHash)}, {"boxes", std::move(rows)}});
}

void check_box_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                    Report& report) {
    BoxCheck(claim, assertion, content, report).run();
}

}  // namespace colophon::label::provenance::internal
