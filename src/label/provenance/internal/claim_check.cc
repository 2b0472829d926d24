// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 15.6 and 15.10: the claim and the assertions that it references.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/status_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kUriPrefix = "self#jumbf=";

// The boxes that give a manifest its form are covered by no hash, so nothing may be in them but
// what that form needs: label, type, the usual toggles.
bool plain(const jumbf::Superbox& box) {
    return box.toggles == 0x03 && box.salt.empty();
}

bool holds_one(const jumbf::Superbox& box, std::string_view type) {
    return box.children.empty() && box.contents.size() == 1 && box.contents[0].type == type;
}

// Whether every part of a manifest is one that the specification knows.
bool well_built(const Manifest& manifest) {
    constexpr std::array<std::string_view, 5> kParts{"c2as", "c2cl", "c2cs", "c2vc", "c2db"};
    if (!plain(*manifest.box) || !manifest.box->contents.empty()) {
        return false;
    }
    return std::ranges::all_of(manifest.box->children, [&](const jumbf::Superbox& child) {
        return std::ranges::find(kParts, child.letters()) != kParts.end() && plain(child);
    });
}

std::optional<std::vector<HashedUri>> references(const cbor::Value& claim, std::string_view name) {
    std::vector<HashedUri> list;
    const cbor::Value* member = claim.find(name);
    if (member == nullptr) {
        return list;
    }
    const cbor::Array* array = member->if_array();
    if (array == nullptr || array->size() > limits::kAssertionsMax) {
        return std::nullopt;
    }
    for (const cbor::Value& each : *array) {
        auto uri = read_hashed_uri(&each);
        if (!uri) {
            return std::nullopt;
        }
        list.push_back(std::move(*uri));
    }
    return list;
}

bool has_all(const cbor::Value& value, std::initializer_list<std::string_view> names) {
    return std::ranges::all_of(names,
                               [&](std::string_view name) { return value.find(name) != nullptr; });
}

// The fields that a claim must have; says in words what is missing.
std::string missing_in(const Claim& claim) {
    const cbor::Value& value = claim.value;
    if (claim.old) {
        return has_all(value, {"signature", "assertions", "instanceID"})
                   ? std::string()
                   : "the claim lacks one of its fields";
    }
    if (!has_all(value,
                 {"instanceID", "signature", "created_assertions", "claim_generator_info"})) {
        return "the claim lacks one of its fields";
    }
    return value.find("claim_generator_info")->text("name") != nullptr
               ? std::string()
               : "the claim does not name what made it";
}

bool read_lists(Claim& claim) {
    using Names = std::vector<std::string_view>;
    const Names names =
        claim.old ? Names{"assertions"} : Names{"created_assertions", "gathered_assertions"};
    for (const std::string_view name : names) {
        auto list = references(claim.value, name);
        if (!list) {
            return false;
        }
        claim.assertions.insert(claim.assertions.end(), list->begin(), list->end());
    }
    if (const cbor::Value* redacted = claim.value.find("redacted_assertions")) {
        const cbor::Array* list = redacted->if_array();
        if (list == nullptr) {
            return false;
        }
        for (const cbor::Value& each : *list) {
            if (each.if_text() == nullptr) {
                return false;
            }
            claim.redacted.push_back(*each.if_text());
        }
    }
    return claim.assertions.size() <= limits::kAssertionsMax;
}

// The content of an assertion box as far as it has a form; false when that form is broken.
bool read_content(Assertion& assertion, Report& report) {
    const std::string letters = assertion.box->letters();
    if (letters == "cbor") {
        const auto bytes = assertion.box->content("cbor");
        auto value = bytes ? cbor::decode(*bytes)
                           : Result<cbor::Value>(Error{ErrorCode::kCorrupt, "no CBOR box"});
        if (!value.ok()) {
            report.fail("assertion.cbor.invalid", assertion.uri, value.error().what);
            return false;
        }
        assertion.value = std::move(value).value();
    } else if (letters == "json") {
        const auto bytes = assertion.box->content("json");
        const auto value = bytes ? json::parse(as_text(*bytes))
                                 : Result<json::Value>(Error{ErrorCode::kCorrupt, "no JSON box"});
        if (!value.ok() && (!bytes || value.error().code == ErrorCode::kCorrupt)) {
            report.fail("assertion.json.invalid", assertion.uri, value.error().what);
            return false;
        }
    }
    return true;
}

std::optional<Assertion> check_assertion(const Context& context, const Claim& claim,
                                         const HashedUri& reference, Report& report) {
    const std::string url = absolute_uri(*claim.manifest, reference.url);
    const ManifestStore::Target target = context.store.resolve(reference.url, *claim.manifest);
    const std::string label = url.substr(url.rfind('/') + 1);
    if (context.redacted.contains(url)) {
        const std::string_view kind = without_instance(label);
        if (is_actions(kind)) {
            report.fail("assertion.action.redacted", url);
        } else if (is_hard_binding(kind)) {
            report.fail("assertion.hardBinding.redacted", url);
        }
        return std::nullopt;
    }
    if (target.box == nullptr) {
        report.fail("assertion.missing", url, "an assertion of the claim is not there");
        return std::nullopt;
    }
    const jumbf::Superbox* store = claim.manifest->assertion_store();
    if (target.manifest != claim.manifest || store == nullptr ||
        store->find(target.box->label) != target.box) {
        report.fail("assertion.outsideManifest", url);
        return std::nullopt;
    }
    const auto algorithm =
        algorithm_of(reference.algorithm ? &*reference.algorithm : nullptr, claim, url, report);
    if (!algorithm) {
        return std::nullopt;
    }
    if (hash(*algorithm, target.box->hashed) != reference.hash) {
        report.fail("assertion.hashedURI.mismatch", url,
                    fmt::format("the assertion {} was changed", label));
        return std::nullopt;
    }
    report.success("assertion.hashedURI.match", url);
    Assertion assertion{.label = label, .uri = url, .box = target.box, .value = {}};
    return read_content(assertion, report) ? std::optional(std::move(assertion)) : std::nullopt;
}

void check_undeclared(const Context& context, const Claim& claim, Report& report) {
    const jumbf::Superbox* store = claim.manifest->assertion_store();
    if (store == nullptr) {
        return;
    }
    std::set<const jumbf::Superbox*> declared;
    for (const HashedUri& each : claim.assertions) {
        declared.insert(context.store.resolve(each.url, *claim.manifest).box);
    }
    for (const jumbf::Superbox& child : store->children) {
        if (!declared.contains(&child)) {
            report.fail("assertion.undeclared",
                        claim.uri(fmt::format("{}/{}", kAssertionsLabel, child.label)));
        }
    }
    if (!store->contents.empty()) {
        report.fail("assertion.undeclared", claim.uri(kAssertionsLabel));
    }
}

}  // namespace

bool Report::has(std::string_view code) const noexcept {
    return std::ranges::find(statuses_, code, &Status::code) != statuses_.end();
}

void Context::ask(const Question& question) const {
    if (questions.size() < kQuestionsMax &&
        std::ranges::find(questions, question) == questions.end()) {
        questions.push_back(question);
    }
}

void Report::append(Report other) {
    for (Status& each : other.take()) {
        add(each.kind, each.code, std::move(each.url), std::move(each.what));
    }
}

void Report::add(StatusKind kind, std::string_view code, std::string url, std::string what) {
    const StatusCode* row = find_status_code(code);
    COLOPHON_ASSERT(row != nullptr && row->given == kind);
    if (statuses_.size() >= limits::kStatusCodesMax) {
        if (kind != StatusKind::kFailure || statuses_.back().kind == StatusKind::kFailure) {
            return;
        }
        statuses_.pop_back();
    }
    statuses_.push_back(
        {.kind = kind, .code = std::string(code), .url = std::move(url), .what = std::move(what)});
}

std::string Claim::uri(std::string_view below) const {
    return fmt::format("{}/{}/{}/{}", kUriPrefix, kStoreLabel, manifest->label(), below);
}

std::string absolute_uri(const Manifest& manifest, std::string_view uri) {
    if (!uri.starts_with(kUriPrefix) || uri.substr(kUriPrefix.size()).starts_with('/')) {
        return std::string(uri);
    }
    return fmt::format("{}/{}/{}/{}", kUriPrefix, kStoreLabel, manifest.label(),
                       uri.substr(kUriPrefix.size()));
}

bool is_hard_binding(std::string_view kind) noexcept {
    constexpr std::array<std::string_view, 6> kKinds{
        "c2pa.hash.data", "c2pa.hash.boxes",   "c2pa.hash.collection.data",
        "c2pa.hash.bmff", "c2pa.hash.bmff.v2", "c2pa.hash.bmff.v3"};
    return std::ranges::find(kKinds, kind) != kKinds.end();
}

bool is_ingredient(std::string_view kind) noexcept {
    return kind == "c2pa.ingredient" || kind == "c2pa.ingredient.v2" ||
           kind == "c2pa.ingredient.v3";
}

bool is_actions(std::string_view kind) noexcept {
    return kind == "c2pa.actions" || kind == "c2pa.actions.v2";
}

std::optional<HashAlgorithm> algorithm_of(const std::string* named, const Claim& claim,
                                          const std::string& url, Report& report) {
    const auto algorithm = named != nullptr ? parse_hash_algorithm(*named) : claim.algorithm;
    if (!algorithm) {
        report.fail("algorithm.unsupported", url, "a hash algorithm that is not allowed");
    }
    return algorithm;
}

std::optional<Claim> read_claim(const Manifest& manifest, Report& report) {
    Claim claim;
    claim.manifest = &manifest;
    const std::string url = claim.uri(kClaimLabel);
    const auto boxes = manifest.of_type("c2cl");
    if (boxes.size() != 1) {
        report.fail(boxes.empty() ? "claim.missing" : "claim.multiple", url);
        return std::nullopt;
    }
    claim.box = boxes.front();
    claim.old = claim.box->label == kOldClaimLabel;
    if (!claim.old && claim.box->label != kClaimLabel) {
        report.fail("claim.missing", url);
        return std::nullopt;
    }
    if (!well_built(manifest) || !holds_one(*claim.box, "cbor")) {
        report.fail("claim.malformed", url, "the manifest holds parts that nothing covers");
        return std::nullopt;
    }
    claim.bytes = claim.box->contents[0].data;
    auto value = cbor::decode(claim.bytes);
    if (!value.ok()) {
        report.fail("claim.cbor.invalid", url, value.error().what);
        return std::nullopt;
    }
    claim.value = std::move(value).value();
    std::string missing = missing_in(claim);
    if (missing.empty() && !read_lists(claim)) {
        missing = "a list of the claim is malformed";
    }
    if (!missing.empty()) {
        report.fail("claim.malformed", url, std::move(missing));
        return std::nullopt;
    }
    const std::string* algorithm = claim.value.text("alg");
    claim.algorithm = algorithm == nullptr && claim.old ? HashAlgorithm::kSha256
                      : algorithm == nullptr            ? std::optional<HashAlgorithm>()
                                                        : parse_hash_algorithm(*algorithm);
    return claim;
}

std::vector<Assertion> check_assertions(const Context& context, const Claim& claim,
                                        Report& report) {
    std::vector<Assertion> good;
    for (const HashedUri& each : claim.assertions) {
        if (auto assertion = check_assertion(context, claim, each, report)) {
            good.push_back(std::move(*assertion));
        }
    }
    check_undeclared(context, claim, report);
    for (const std::string& each : claim.redacted) {
        if (absolute_uri(*claim.manifest, each).starts_with(claim.uri(""))) {
            report.fail("assertion.selfRedacted", each);
        }
    }
    return good;
}

}  // namespace colophon::label::provenance::internal
