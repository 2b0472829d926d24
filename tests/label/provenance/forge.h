// SPDX-License-Identifier: Apache-2.0
#pragma once

// Credentials as nobody should write them: every part of a manifest can be another one, and all
// that is around it still fits.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/bound.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {

// An unsigned file of that format; made once.
inline const Buffer& plain_file(Format format) {
    static std::map<Format, Buffer> files;
    auto row = files.find(format);
    if (row == files.end()) {
        const colophon::test::TempDir dir;
        row = files
                  .emplace(format, colophon::test::read_file(
                                       colophon::test::make_sample(dir, facts(format).name)))
                  .first;
    }
    return row->second;
}

// The authority by whom all of it is signed, good now: witnesses look at the clock.
inline const FreshAuthority& forge_authority() {
    static const FreshAuthority kAuthority = FreshAuthority::make();
    return kAuthority;
}

inline Buffer assertion_box(std::string_view label, std::string_view four, std::string_view type,
                            Bytes data) {
    Buffer content;
    jumbf::append_box(content, type, data);
    Buffer box;
    jumbf::append_superbox(box, four, label, content);
    return box;
}

inline cbor::Value hashed_uri(std::string_view url, Bytes box) {
    return write_hashed_uri(url, HashAlgorithm::kSha256,
                            hash(HashAlgorithm::kSha256, box.subspan(8)));
}

struct Forge {
    enum class List : std::uint8_t { kCreated, kGathered, kNowhere };
    struct Part {
        std::string label;
        Buffer box;
        List list = List::kCreated;
        cbor::Value reference;  // in the claim; null: the right one
    };

    explicit Forge(Format wanted = Format::kPng, std::uint8_t number = 1)
        : format(wanted), file(plain_file(wanted)) {
        std::array<std::uint8_t, 16> id{};
        id.fill(number);
        label = "urn:c2pa:" + internal::uuid_text(id);
        set("c2pa.actions.v2", created());
    }

    static cbor::Value created() {
        return actions({cbor::Map{
            {"action", "c2pa.created"},
            {"digitalSourceType",
             "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"}}});
    }
    static cbor::Value actions(cbor::Array list) {
        return cbor::Map{{"actions", std::move(list)}, {"allActionsIncluded", true}};
    }

    Format format;
    Buffer file;
    std::string label;          // of the manifest
    std::string four = "c2ma";  // its kind
    std::vector<Part> parts;
    std::string binding = "c2pa.hash.data";  // empty: none
    MakeBinding hash_file;                   // empty: the right one
    // What a hash assertion becomes before it is written.
    std::function<void(cbor::Map&)> change_hash;
    std::function<void(cbor::Map&)> change_claim;
    std::function<Buffer(Buffer)> change_claim_bytes;
    std::function<Buffer(Bytes)> sign;  // empty: as it should be
    std::size_t signature_bytes = 0;    // of `sign`
    std::string claim_label = "c2pa.claim.v2";
    Buffer more;       // boxes behind those of the manifest
    Buffer before;     // manifests in front of it in the store
    PlaceStore place;  // empty: the usual one

    // An assertion, instead of the one of that label where there is one.
    Part& set(std::string_view name, const cbor::Value& value) {
        return set_box(name, assertion_box(name, "cbor", "cbor", cbor::encode(value)));
    }
    Part& set_box(std::string_view name, Buffer box) {
        auto row = std::ranges::find(parts, name, &Part::label);
        if (row == parts.end()) {
            row = parts.insert(row, Part{.label = std::string(name), .box = {}, .reference = {}});
        }
        row->box = std::move(box);
        return *row;
    }
    // A hashed URI of an assertion that is there.
    cbor::Value reference(std::string_view name) const {
        const auto row = std::ranges::find(parts, name, &Part::label);
        REQUIRE(row != parts.end());
        return hashed_uri("self#jumbf=c2pa.assertions/" + std::string(name), row->box);
    }
    std::string uri() const { return "self#jumbf=/c2pa/" + label; }

    Buffer manifest(const PlacedStore& placed, bool finished) const {
        Forge with = *this;
        if (!binding.empty()) {
            cbor::Value value = hash_file ? hash_file(placed.file, placed.ranges)
                                          : usual_hash(placed.file, placed.ranges);
            if (change_hash) {
                cbor::Map map = *value.if_map();
                change_hash(map);
                value = std::move(map);
            }
            with.set(binding, value);
        }
        Buffer claim = cbor::encode(with.claim());
        if (change_claim_bytes) {
            claim = change_claim_bytes(std::move(claim));
        }
        CredentialSigner usual = forge_authority().signer();
        const std::size_t size = sign ? signature_bytes : usual.signature_bytes();
        const Buffer signature = !finished ? Buffer(size)
                                 : sign    ? sign(claim)
                                           : usual.sign(claim).value();
        REQUIRE(signature.size() == size);
        Buffer boxes;
        for (const Part& each : with.parts) {
            append(boxes, each.box);
        }
        Buffer content;
        jumbf::append_superbox(content, "c2as", kAssertionsLabel, boxes);
        append(content, assertion_box(claim_label, "c2cl", "cbor", claim));
        append(content, assertion_box(kSignatureLabel, "c2cs", "cbor", signature));
        append(content, more);
        Buffer out;
        jumbf::append_superbox(out, four, label, content);
        return out;
    }

    Buffer store(const PlacedStore& placed, bool finished) const {
        Buffer content = before;
        append(content, manifest(placed, finished));
        Buffer out;
        jumbf::append_superbox(out, "c2pa", kStoreLabel, content);
        return out;
    }

    Buffer make() const {
        const PlaceStore at = place ? place : usual_place(file, format);
        const Buffer zeros = store(at(Buffer(16)), false);
        const Buffer whole = store(at(zeros), true);
        REQUIRE(whole.size() == zeros.size());
        return at(whole).file;
    }

    // The manifest alone, for the store of another file.
    Buffer ingredient() const {
        const Buffer made = make();
        const Buffer found = find_carrier(format)->find(made).value()->store;
        return to_buffer(ManifestStore::create(found).value().active().box->whole);
    }

private:
    cbor::Map claim() const {
        cbor::Array lists[2];
        for (const Part& each : parts) {
            if (each.list != List::kNowhere) {
                lists[each.list == List::kCreated ? 0 : 1].push_back(
                    each.reference.is_null() ? reference(each.label) : each.reference);
            }
        }
        cbor::Map map{{"instanceID", "xmp:iid:1"},
                      {"claim_generator_info", cbor::Map{{"name", "Forge"}}},
                      {"signature", uri() + "/c2pa.signature"},
                      {"created_assertions", std::move(lists[0])},
                      {"alg", "sha256"}};
        if (!lists[1].empty()) {
            map.emplace_back("gathered_assertions", std::move(lists[1]));
        }
        if (change_claim) {
            change_claim(map);
        }
        return map;
    }

    cbor::Value usual_hash(Bytes made, const std::vector<ByteRange>& ranges) const {
        const FileView view(made);
        if (find_carrier(format)->binding == Binding::kBmff) {
            return internal::bmff_hash(internal::hash_bmff(HashAlgorithm::kSha256, view,
                                                           internal::standard_bmff_exclusions(),
                                                           true)
                                           .value());
        }
        return internal::data_hash(ranges, hash_without(HashAlgorithm::kSha256, view, ranges));
    }
};

// Changes a member, adds it, or takes it away (`value` null).
inline void put(cbor::Map& map, std::string_view name, const cbor::Value& value) {
    std::erase_if(map, [&](const auto& member) {
        return member.first.if_text() != nullptr && *member.first.if_text() == name;
    });
    if (!value.is_null()) {
        map.emplace_back(name, value);
    }
}

// The action with which a file begins that has a parent.
inline cbor::Value opening(const Forge& child) {
    return Forge::actions({cbor::Map{
        {"action", "c2pa.opened"},
        {"parameters",
         cbor::Map{{"ingredients", cbor::Array{child.reference("c2pa.ingredient.v3")}}}}}});
}

inline cbor::Value nothing_found() {
    return cbor::Map{{"activeManifest", cbor::Map{{"success", cbor::Array{}},
                                                  {"informational", cbor::Array{}},
                                                  {"failure", cbor::Array{}}}}};
}

// A manifest that takes this one as its parent.
inline Forge child_of(const Forge& parent) {
    Forge child(parent.format, 2);
    child.before = parent.ingredient();
    const jumbf::Superbox box = jumbf::parse(child.before).value();
    const jumbf::Superbox* signature = box.find(kSignatureLabel);
    REQUIRE(signature != nullptr);
    child.set("c2pa.ingredient.v3",
              cbor::Map{{"relationship", "parentOf"},
                        {"activeManifest", hashed_uri(parent.uri(), box.whole)},
                        {"claimSignature",
                         hashed_uri(parent.uri() + "/c2pa.signature", signature->whole)},
                        {"validationResults", nothing_found()}});
    child.set("c2pa.actions.v2", opening(child));
    return child;
}

}  // namespace colophon::label::provenance::test
