// SPDX-License-Identifier: Apache-2.0
// Files with assertions that deserve a status code.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/forge.h"
#include "label/provenance/hashing.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/status_rows.h"
#include "label/provenance/validate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {
namespace {

constexpr std::string_view kAlternative = "c2pa.alternative-content-representation";
constexpr std::string_view kImage = "c2pa.embedded-data";

StatusCase with(std::string_view label, const cbor::Value& value) {
    Forge forge;
    forge.set(label, value);
    return judged(forge);
}

StatusCase with_actions(cbor::Array more) {
    cbor::Array list{
        cbor::Map{{"action", "c2pa.created"},
                  {"digitalSourceType",
                   "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"}}};
    list.insert(list.end(), more.begin(), more.end());
    return with("c2pa.actions.v2", Forge::actions(std::move(list)));
}

cbor::Value external(std::string_view label) {
    return cbor::Map{
        {"label", label},
        {"size", 10},
        {"location",
         cbor::Map{{"url", "https://a.example/x"}, {"alg", "sha256"}, {"hash", Buffer(32)}}}};
}

// A reference to data elsewhere, of which that came.
struct Elsewhere {
    std::string_view assertion = "c2pa.external-reference";
    Buffer signed_data = {};  // those that the reference means
    Buffer data = {};         // those that came
    std::string failure = {};
    std::string_view label = {};  // that the reference names
};

StatusCase fetched(const Elsewhere& wish) {
    const bool cloud = wish.assertion == "c2pa.cloud-data";
    const std::string url = "https://a.example/data";
    const Bytes hashed = Bytes(wish.signed_data).subspan(cloud ? 8 : 0);
    cbor::Map location{
        {"url", url}, {"alg", "sha256"}, {"hash", hash(HashAlgorithm::kSha256, hashed)}};
    cbor::Map map{{"location", std::move(location)},
                  {"size", std::uint64_t{wish.signed_data.size()}}};
    if (!wish.label.empty()) {
        map.emplace_back("label", wish.label);
    }
    Forge forge;
    forge.set(wish.assertion, map);
    Trust trust = forge_authority().trust();
    trust.inquiry.external_data = true;
    const Buffer file = forge.make();
    const auto first = judged(file, forge.format, trust);
    CHECK(first.reading.questions == std::vector<Question>{{.url = url, .request = {}}});
    trust.inquiry.answers = {{.question = first.reading.questions.front(),
                              .failure = wish.failure,
                              .media_type = "application/jumbf",
                              .bytes = wish.data}};
    StatusCase made = judged(file, forge.format, trust);
    CHECK(made.reading.questions.empty());
    return made;
}

Buffer remote_assertion(std::string_view label) {
    return assertion_box(label, "cbor", "cbor", Buffer{0xA0});
}

// `change`: what becomes of the reference to the preserved image.
StatusCase preserved(const std::function<void(cbor::Map&)>& change) {
    Forge forge;
    const std::string label = std::string(kImage);
    Buffer file;
    jumbf::append_box(file, "bfdb", to_buffer(std::string_view("\0image/png\0", 11)));
    jumbf::append_box(file, "bidb", plain_file(Format::kPng));
    Buffer box;
    jumbf::append_superbox(box, "bfdb", label, file);
    // ISO/IEC 19566-5, B.1: a file that is embedded, not a type of C2PA.
    constexpr std::array<std::uint8_t, 16> kEmbedded{0x40, 0xCB, 0x0C, 0x32, 0xBB, 0x8A,
                                                     0x48, 0x9D, 0xA7, 0x0B, 0x2A, 0xD6,
                                                     0xF4, 0x7F, 0x43, 0x69};
    std::ranges::copy(kEmbedded, box.begin() + 16);
    forge.set_box(label, box);
    cbor::Map image = *forge.reference(label).if_map();
    change(image);
    forge.set(kAlternative, cbor::Map{{"type", "exif.originalPreservationImage"},
                                      {"parameters", cbor::Map{{"embeddedOriginalPreservationImage",
                                                                std::move(image)}}}});
    return judged(forge);
}

StatusCase with_icon(std::string_view url, const Buffer& hash) {
    Forge forge;
    forge.change_claim = [url, hash](cbor::Map& claim) {
        put(claim, "claim_generator_info",
            cbor::Map{{"name", "Forge"},
                      {"icon", cbor::Map{{"url", url}, {"alg", "sha256"}, {"hash", hash}}}});
    };
    return judged(forge);
}

StatusCase referenced_as(const std::function<void(Forge&, cbor::Map&)>& change) {
    Forge forge;
    forge.set("org.example.note", Buffer{1, 2, 3});
    cbor::Map map = *forge.reference("org.example.note").if_map();
    change(forge, map);
    forge.parts.back().reference = std::move(map);
    return judged(forge);
}

}  // namespace

std::vector<StatusRow> assertion_rows() {
    return {
        {"assertion.hashedURI.match", [] { return judged(Forge()); }},
        {"assertion.hashedURI.mismatch",
         [] {
             return referenced_as([](Forge&, cbor::Map& map) { put(map, "hash", Buffer(32)); });
         }},
        {"assertion.missing",
         [] {
             return referenced_as([](Forge&, cbor::Map& map) {
                 put(map, "url", "self#jumbf=c2pa.assertions/org.example.gone");
             });
         }},
        {"assertion.outsideManifest",
         [] {
             Forge child = child_of(Forge());
             Forge parent;
             child.set("org.example.note", Buffer{1});
             child.parts.back().reference = hashed_uri(
                 parent.uri() + "/c2pa.assertions/c2pa.actions.v2", parent.parts.front().box);
             return judged(child);
         }},
        {"assertion.undeclared",
         [] {
             Forge forge;
             forge.set("org.example.note", Buffer{1}).list = Forge::List::kNowhere;
             return judged(forge);
         }},
        {"assertion.cbor.invalid",
         [] {
             Forge forge;
             forge.set_box("org.example.note",
                           assertion_box("org.example.note", "cbor", "cbor", Buffer{0xFF}));
             return judged(forge);
         }},
        {"assertion.json.invalid",
         [] {
             Forge forge;
             forge.set_box("org.example.metadata", assertion_box("org.example.metadata", "json",
                                                                 "json", as_bytes("{no JSON")));
             return judged(forge);
         }},
        {"assertion.action.malformed", [] { return with("c2pa.actions.v2", cbor::Map{}); }},
        {"assertion.action.ingredientMismatch",
         [] { return with_actions({cbor::Map{{"action", "c2pa.placed"}}}); }},
        {"assertion.action.redactionMismatch",
         [] { return with_actions({cbor::Map{{"action", "c2pa.redacted"}}}); }},
        {"assertion.action.softBindingMissing",
         [] { return with_actions({cbor::Map{{"action", "c2pa.watermarked.bound"}}}); }},
        {"assertion.ingredient.malformed",
         [] { return with("c2pa.ingredient.v3", cbor::Map{{"relationship", "uncleOf"}}); }},
        {"assertion.timestamp.malformed", [] { return with("c2pa.time-stamp", cbor::Map{}); }},
        {"assertion.cloud-data.hardBinding",
         [] { return with("c2pa.cloud-data", external("c2pa.hash.data")); }},
        {"assertion.cloud-data.malformed",
         [] { return with("c2pa.cloud-data", cbor::Map{{"label", "org.example.x"}}); }},
        {"assertion.cloud-data.actions",
         [] {
             Forge update = child_of(Forge());
             update.four = "c2um";
             update.binding.clear();
             update.set("c2pa.cloud-data", external("c2pa.actions"));
             return judged(update);
         }},
        {"assertion.external-reference.malformed",
         [] { return with("c2pa.external-reference", cbor::Map{}); }},
        {"assertion.accessible",
         [] { return fetched({.signed_data = to_buffer("data"), .data = to_buffer("data")}); }},
        {"assertion.inaccessible",
         [] {
             return fetched({.signed_data = to_buffer("data"), .failure = "it did not answer"});
         }},
        {"assertion.external-reference.hashMismatch",
         [] { return fetched({.signed_data = to_buffer("data"), .data = to_buffer("lies")}); }},
        {"assertion.external-reference.labelMismatch",
         [] {
             return fetched({.signed_data = remote_assertion("org.example.a"),
                             .data = remote_assertion("org.example.a"),
                             .label = "org.example.b"});
         }},
        {"assertion.cloud-data.labelMismatch",
         [] {
             return fetched({.assertion = "c2pa.cloud-data",
                             .signed_data = remote_assertion("org.example.a"),
                             .data = remote_assertion("org.example.a"),
                             .label = "org.example.b"});
         }},
        {"hashedURI.missing",
         [] { return with_icon("self#jumbf=c2pa.assertions/c2pa.icon", Buffer(32)); }},
        {"hashedURI.mismatch",
         [] { return with_icon("self#jumbf=c2pa.assertions/c2pa.actions.v2", Buffer(32)); }},
        {"assertion.alternativeContentRepresentation.match",
         [] { return preserved([](cbor::Map&) {}); }},
        {"assertion.alternativeContentRepresentation.malformed",
         [] { return preserved([](cbor::Map& image) { put(image, "hash", {}); }); }},
        {"assertion.alternativeContentRepresentation.hashMismatch",
         [] { return preserved([](cbor::Map& image) { put(image, "hash", Buffer(32)); }); }},
        {"assertion.alternativeContentRepresentation.missing",
         [] {
             return preserved([](cbor::Map& image) {
                 put(image, "url", "self#jumbf=c2pa.assertions/c2pa.gone");
             });
         }},
    };
}

}  // namespace colophon::label::provenance::test
