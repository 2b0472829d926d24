// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 15.12: whether the bytes of the file are those that the manifest was made for.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/box_hash.h"
#include "label/provenance/internal/collection_hash.h"
#include "label/provenance/internal/merkle_check.h"
#include "label/provenance/internal/multi_asset.h"
#include "label/provenance/internal/text_wrapper.h"
#include "label/provenance/internal/validation.h"

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

constexpr std::size_t kExclusionsMax = 4096;

// The ranges as the assertion lists them; nothing when they are malformed.
std::optional<std::vector<ByteRange>> exclusions_of(const cbor::Value& assertion) {
    std::vector<ByteRange> ranges;
    const cbor::Value* member = assertion.find("exclusions");
    if (member == nullptr) {
        return ranges;
    }
    const cbor::Array* list = member->if_array();
    if (list == nullptr || list->size() > kExclusionsMax) {
        return std::nullopt;
    }
    std::uint64_t end = 0;
    for (const cbor::Value& each : *list) {
        const std::uint64_t* start = each.number("start");
        const std::uint64_t* length = each.number("length");
        if (start == nullptr || length == nullptr || *start < end ||
            *length > UINT64_MAX - *start) {
            return std::nullopt;
        }
        ranges.push_back({.offset = *start, .size = *length});
        end = *start + *length;
    }
    return ranges;
}

// Update manifests made the store longer after the hash was taken: the range that begins where the
// store does has its length now, and what follows has moved along.
void stretch(std::vector<ByteRange>& ranges, const ByteRange& store) {
    const auto row = std::ranges::find(ranges, store.offset, &ByteRange::offset);
    if (row == ranges.end()) {
        return;
    }
    const std::uint64_t before = row->size;
    row->size = store.size;
    for (auto later = row + 1; later != ranges.end(); ++later) {
        later->offset = later->offset - before + store.size;
    }
}

void check_data_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                     Report& report) {
    const auto mismatch = [&](std::string what) {
        report.fail("assertion.dataHash.mismatch", assertion.uri, std::move(what));
    };
    auto ranges = exclusions_of(*assertion.value);
    if (!ranges) {
        report.fail("assertion.dataHash.malformed", assertion.uri);
        return;
    }
    const Buffer* wanted = assertion.value->bytes("hash");
    if (wanted == nullptr) {
        mismatch("the assertion holds no hash");
        return;
    }
    const auto algorithm = algorithm_of(assertion.value->text("alg"), claim, assertion.uri, report);
    if (!algorithm) {
        return;
    }
    if (content.updated && content.store_ranges.size() == 1) {
        stretch(*ranges, content.store_ranges.front());
    }
    if (!ranges->empty() && ranges->back().end() > content.view.size()) {
        mismatch("a range that is left out ends behind the file");
        return;
    }
    // A store that was taken out of a file would leave its old place to anybody.
    if (content.detached && std::ranges::any_of(*ranges, &ByteRange::size)) {
        mismatch("a manifest beside the file leaves bytes of the file out");
        return;
    }
    if (!content.store_problem.empty()) {
        report.fail(content.problem_code.empty() ? "assertion.dataHash.mismatch"
                                                 : std::string_view(content.problem_code),
                    assertion.uri, content.store_problem);
        return;
    }
    // Nothing else may hide where the store lies.
    for (const ByteRange& own : content.store_ranges) {
        if (std::ranges::find(*ranges, own) == ranges->end()) {
            mismatch("the range that is left out is not that of the manifest");
            return;
        }
    }
    if (hash_without(*algorithm, content.view, *ranges) != *wanted) {
        mismatch("the file was changed after it was signed");
        return;
    }
    if (ranges->size() > content.store_ranges.size()) {
        report.inform("assertion.dataHash.additionalExclusionsPresent", assertion.uri);
    }
    report.success("assertion.dataHash.match", assertion.uri);
}

void check_bmff_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                     Report& report) {
    const auto mismatch = [&](std::string what) {
        report.fail("assertion.bmffHash.mismatch", assertion.uri, std::move(what));
    };
    const auto exclusions = read_bmff_exclusions(*assertion.value);
    if (!exclusions) {
        report.fail("assertion.bmffHash.malformed", assertion.uri);
        return;
    }
    const Buffer* wanted = assertion.value->bytes("hash");
    const auto algorithm = algorithm_of(assertion.value->text("alg"), claim, assertion.uri, report);
    if (!algorithm) {
        return;
    }
    const bool trees = assertion.value->find("merkle") != nullptr;
    if (wanted == nullptr && !trees) {
        mismatch("the assertion holds no hash");
        return;
    }
    if (!content.store_problem.empty()) {
        mismatch(content.store_problem);
        return;
    }
    const auto hasher =
        BmffHasher::create(content.view, *exclusions, assertion.kind() != "c2pa.hash.bmff");
    if (!hasher.ok()) {
        mismatch(hasher.error().what);
        return;
    }
    if (wanted != nullptr && hasher->all(*algorithm) != *wanted) {
        mismatch("the file was changed after it was signed");
        return;
    }
    const MerkleTask task{.claim = claim,
                          .assertion = assertion,
                          .content = content,
                          .hasher = *hasher,
                          .exclusions = *exclusions};
    if (trees && !check_merkle(task, report)) {
        return;
    }
    if (!trees && content.fragments != nullptr) {
        mismatch("the manifest does not cover the fragments");
        return;
    }
    if (!are_usual(*exclusions, trees)) {
        report.inform("assertion.bmffHash.additionalExclusionsPresent", assertion.uri);
    }
    report.success("assertion.bmffHash.match", assertion.uri);
}

}  // namespace

void check_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                Report& report) {
    const std::string_view kind = assertion.kind();
    if (content.fragments != nullptr && !kind.starts_with("c2pa.hash.bmff")) {
        report.fail("general.error", assertion.uri,
                    fmt::format("{} does not cover fragments in other files", kind));
        return;
    }
    const bool in_text =
        content.format == Format::kPlainText && !content.detached && !content.without_store;
    if (kind == "c2pa.hash.data" && assertion.value && in_text) {
        check_text_hash(claim, assertion, content, report);
    } else if (kind == "c2pa.hash.data" && assertion.value) {
        check_data_hash(claim, assertion, content, report);
    } else if (kind == "c2pa.hash.boxes" && assertion.value) {
        check_box_hash(claim, assertion, content, report);
    } else if (kind.starts_with("c2pa.hash.bmff") && assertion.value) {
        check_bmff_hash(claim, assertion, content, report);
    } else if (kind == "c2pa.hash.collection.data" && assertion.value) {
        check_collection_hash(claim, assertion, content, report);
    } else {
        report.fail("general.error", assertion.uri,
                    fmt::format("this version does not check {}", kind));
    }
}

void check_binding(const Claim& claim, const std::vector<Assertion>& assertions,
                   const Content& content, Report& report) {
    for (const Assertion& each : assertions) {
        if (!is_hard_binding(each.kind())) {
            continue;
        }
        Report whole;
        check_hash(claim, each, content, whole);
        const bool misfit = std::ranges::any_of(whole.statuses(), [](const Status& status) {
            return status.code.ends_with("Hash.mismatch") ||
                   status.code == "assertion.boxesHash.unknownBox";
        });
        const bool parts = misfit && content.store_problem.empty() &&
                           content.fragments == nullptr && has_multi_asset(assertions);
        if (parts) {
            check_multi_asset(claim, assertions, content, report);
        } else {
            report.append(std::move(whole));
        }
    }
}

}  // namespace colophon::label::provenance::internal
