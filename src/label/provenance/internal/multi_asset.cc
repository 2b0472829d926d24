// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/multi_asset.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/manifest_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kPartsMax = 256;
constexpr std::string_view kPartSuffix = ".part";

// Where a part lies.
struct Place {
    ByteRange whole;    // what it covers of the file
    ByteRange content;  // what is hashed
    bool there = false;
};

class PartCheck {
public:
    PartCheck(const Claim& claim, const std::vector<Assertion>& assertions, const Content& content,
              Report& report)
        : claim_(claim), assertions_(assertions), content_(content), report_(report) {}

    void run() {
        std::vector<const Assertion*> found;
        for (const Assertion& each : assertions_) {
            if (each.kind() == kMultiAsset) {
                found.push_back(&each);
            }
        }
        uri_ = found.front()->uri;
        const cbor::Array* parts =
            found.front()->value ? found.front()->value->array("parts") : nullptr;
        if (found.size() > 1 || parts == nullptr || parts->empty() || parts->size() > kPartsMax) {
            fail("malformed", found.size() > 1 ? "there are two multi-asset hashes"
                                               : "the multi-asset hash lists no parts");
            return;
        }
        std::uint64_t covered = 0;
        for (const cbor::Value& each : *parts) {
            if (!part(each, covered)) {
                return;
            }
        }
        if (covered != content_.view.size()) {
            fail("malformed", "the parts do not cover the file");
            return;
        }
        report_.success("assertion.multiAssetHash.match", uri_);
    }

private:
    bool fail(std::string_view what, std::string words) {
        report_.fail(fmt::format("assertion.multiAssetHash.{}", what), uri_, std::move(words));
        return false;
    }

    // `covered` grows by it.
    bool part(const cbor::Value& value, std::uint64_t& covered) {
        const cbor::Value* location = value.find("location");
        const Assertion* assertion = assertion_of(value);
        if (location == nullptr || assertion == nullptr) {
            return fail("malformed", "a part has no place, or no hash that is there");
        }
        const auto place = place_of(*location);
        if (!place) {
            return fail("malformed", "the place of a part cannot be found");
        }
        if (!place->there) {
            const cbor::Value* optional = value.find("optional");
            const bool may_lack = optional != nullptr && optional->if_simple() != nullptr &&
                                  *optional->if_simple() == cbor::Simple::kTrue;
            return may_lack || fail("missingPart", "a part of the file is gone");
        }
        if (place->whole.end() > content_.view.size()) {
            return fail("mismatch", "a part of the file is cut off");
        }
        if (place->whole.offset != covered) {
            return fail("malformed", "the parts do not lie one behind the other");
        }
        covered = place->whole.end();
        return fits(*assertion, *place);
    }

    // The hash of a part: an assertion of the claim "c2pa.hash.data.part" and so on.
    const Assertion* assertion_of(const cbor::Value& value) const {
        const auto uri = read_hashed_uri(value.find("hashAssertion"));
        if (!uri) {
            return nullptr;
        }
        const std::string absolute = absolute_uri(*claim_.manifest, uri->url);
        const auto row = std::ranges::find(assertions_, absolute, &Assertion::uri);
        const auto algorithm =
            uri->algorithm ? parse_hash_algorithm(*uri->algorithm) : claim_.algorithm;
        if (row == assertions_.end() || !row->kind().ends_with(kPartSuffix) || !row->value ||
            !algorithm || hash(*algorithm, row->box->hashed) != uri->hash) {
            return nullptr;
        }
        const std::string_view kind =
            row->kind().substr(0, row->kind().size() - kPartSuffix.size());
        return is_hard_binding(kind) && kind != "c2pa.hash.collection.data" ? &*row : nullptr;
    }

    std::optional<Place> place_of(const cbor::Value& location) const {
        const std::string* box = location.text("bmffBox");
        const std::uint64_t* offset = location.number("byteOffset");
        const std::uint64_t* length = location.number("length");
        if (box != nullptr && offset == nullptr && length == nullptr) {
            return place_of_box(*box);
        }
        if (box != nullptr || offset == nullptr || length == nullptr || *length == 0 ||
            *length > UINT64_MAX - *offset) {
            return std::nullopt;
        }
        const ByteRange range{.offset = *offset, .size = *length};
        return Place{.whole = range, .content = range, .there = *offset < content_.view.size()};
    }

    // "/mpvd": a box at the top of the file.
    std::optional<Place> place_of_box(std::string_view path) const {
        const auto boxes =
            bmff_boxes_in(content_.view, {.offset = 0, .size = content_.view.size()});
        if (!path.starts_with('/') || !boxes.ok()) {
            return std::nullopt;
        }
        const auto row = std::ranges::find(*boxes, path.substr(1), &BmffBox::type);
        if (row == boxes->end() ||
            std::ranges::count(*boxes, path.substr(1), &BmffBox::type) != 1) {
            return std::nullopt;
        }
        return Place{.whole = row->range,
                     .content = {.offset = row->range.offset + row->header,
                                 .size = row->range.size - row->header},
                     .there = true};
    }

    // The store, when it is in this part, with places counted from the part's beginning; the hash
    // of another part leaves out what it says and nothing of ours.
    bool fits(const Assertion& assertion, const Place& place) {
        const bool in_memory = content_.view.is_there();
        const Buffer made = in_memory ? Buffer() : content_.view.read(place.content);
        const Bytes bytes = in_memory ? content_.view.whole().subspan(
                                            static_cast<std::size_t>(place.content.offset),
                                            static_cast<std::size_t>(place.content.size))
                                      : Bytes(made);
        Content part{.view = FileView(bytes),
                     .format = place.content.offset == 0
                                   ? content_.format
                                   : detect_format(bytes, {}).value_or(Format::kPlainText),
                     .store_ranges = {},
                     .store_problem = {},
                     .problem_code = {}};
        for (const ByteRange& each : content_.store_ranges) {
            const bool inside =
                place.content.offset <= each.offset && each.end() <= place.content.end();
            const bool outside =
                each.end() <= place.whole.offset || place.whole.end() <= each.offset;
            if (!inside && !outside) {
                return fail("mismatch", "the manifest does not lie in one part");
            }
            if (inside) {
                part.store_ranges.push_back(
                    {.offset = each.offset - place.content.offset, .size = each.size});
            }
        }
        if (part.store_ranges.empty() && !is_whole_store(assertion, bytes)) {
            return fail("mismatch", "a part of the file holds a C2PA box that nothing covers");
        }
        part.detached = content_.detached;
        part.without_store = part.store_ranges.empty();
        Assertion plain = assertion;
        plain.label = plain.kind().substr(0, plain.kind().size() - kPartSuffix.size());
        Report report;
        check_hash(claim_, plain, part, report);
        bool good = false;
        for (const Status& each : report.take()) {
            good = good || each.kind == StatusKind::kSuccess;
            if (each.kind == StatusKind::kInformational) {
                report_.inform(each.code, each.url, each.what);
            } else if (each.code == "algorithm.unsupported") {
                report_.fail(each.code, each.url, each.what);
            }
        }
        return good || fail("mismatch", "a part of the file was changed after it was signed");
    }

    // Hashes of boxes leave every C2PA box out: in a part with a credential of its own it must hold
    // that and nothing else.
    static bool is_whole_store(const Assertion& assertion, Bytes bytes) {
        if (!assertion.kind().starts_with("c2pa.hash.bmff")) {
            return true;
        }
        const auto found = find_in_bmff(bytes);
        return found.ok() && (!found->has_value() || ((*found)->problem.empty() &&
                                                      ManifestStore::create((*found)->store).ok()));
    }

    const Claim& claim_;
    const std::vector<Assertion>& assertions_;
    const Content& content_;
    Report& report_;
    std::string uri_;
};

}  // namespace

bool has_multi_asset(const std::vector<Assertion>& assertions) {
    return std::ranges::find(assertions, kMultiAsset, &Assertion::kind) != assertions.end();
}

void check_multi_asset(const Claim& claim, const std::vector<Assertion>& assertions,
                       const Content& content, Report& report) {
    PartCheck(claim, assertions, content, report).run();
}

}  // namespace colophon::label::provenance::internal
