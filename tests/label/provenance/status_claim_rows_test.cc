// SPDX-License-Identifier: Apache-2.0
// Files with claims, stores and ingredients that deserve a status code.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/forge.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/status_rows.h"
#include "support/tools.h"

#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::test {
namespace {

StatusCase with_claim(const std::function<void(cbor::Map&)>& change) {
    Forge forge;
    forge.change_claim = change;
    return judged(forge);
}

StatusCase text_with(std::string_view text) {
    return judged(to_buffer(text), Format::kMarkdown);
}

// A manifest whose claim redacts that of its parent's assertions.
Forge redacting(const Forge& parent, std::string_view what) {
    Forge child = child_of(parent);
    child.change_claim = [uri = parent.uri() + "/c2pa.assertions/" +
                                std::string(what)](cbor::Map& claim) {
        put(claim, "redacted_assertions", cbor::Array{uri});
    };
    return child;
}

Forge with_note() {
    Forge forge;
    forge.set("org.example.note", Buffer{1, 2, 3});
    return forge;
}

StatusCase update_with(const std::function<void(Forge&)>& change) {
    Forge update = child_of(Forge());
    update.four = "c2um";
    update.binding.clear();
    change(update);
    return judged(update);
}

}  // namespace

std::vector<StatusRow> claim_rows() {
    return {
        {"claim.cbor.invalid",
         [] {
             Forge forge;
             forge.change_claim_bytes = [](Buffer bytes) {
                 bytes.front() = 0xFF;
                 return bytes;
             };
             return judged(forge);
         }},
        {"claim.malformed",
         [] { return with_claim([](cbor::Map& claim) { put(claim, "instanceID", {}); }); }},
        {"claim.missing",
         [] {
             Forge forge;
             forge.claim_label = "c2pa.claim.v9";
             return judged(forge);
         }},
        {"claim.multiple",
         [] {
             Forge forge;
             forge.more = assertion_box("c2pa.claim.v2", "c2cl", "cbor", Buffer{0xA0});
             return judged(forge);
         }},
        {"claim.hardBindings.missing",
         [] {
             Forge forge;
             forge.binding.clear();
             return judged(forge);
         }},
        {"algorithm.unsupported",
         [] {
             Forge forge;
             forge.change_hash = [](cbor::Map& map) { put(map, "alg", "md5"); };
             return judged(forge);
         }},
        {"general.error",
         [] {
             const Placement placed =
                 find_carrier(Format::kPng)->place(plain_file(Format::kPng), Buffer(64)).value();
             return judged(apply_splice(plain_file(Format::kPng), placed.splice), Format::kPng);
         }},
        {"manifest.compressed.invalid",
         [] {
             Forge forge;
             forge.four = "c2cm";
             return judged(forge);
         }},
        {"manifest.multipleParents",
         [] {
             Forge child = child_of(Forge());
             child.set("c2pa.ingredient.v3__1", cbor::Map{{"relationship", "parentOf"}});
             return judged(child);
         }},
        {"manifest.update.wrongParents",
         [] {
             return update_with([](Forge& update) {
                 update.set("c2pa.ingredient.v3__1", cbor::Map{{"relationship", "parentOf"}});
             });
         }},
        {"manifest.update.invalid",
         [] {
             return update_with(
                 [](Forge& update) { update.set("c2pa.actions.v2", Forge::created()); });
         }},
        {"manifest.timestamp.wrongParents",
         [] {
             Forge forge;
             forge.four = "c2tm";
             return judged(forge);
         }},
        {"manifest.timestamp.invalid",
         [] { return update_with([](Forge& update) { update.four = "c2tm"; }); }},
        {"manifest.html.multipleManifests",
         [] {
             const std::string page(as_text(Forge(Format::kHtml).make()));
             const std::size_t begin = page.find("<script type");
             const std::size_t end = page.find("</script>", begin) + 9;
             return judged(to_buffer(page.substr(0, end) + page.substr(begin, end - begin) +
                                     page.substr(end)),
                           Format::kHtml);
         }},
        {"manifest.structuredText.multipleReferences",
         [] {
             const std::string note(as_text(Forge(Format::kMarkdown).make()));
             const std::size_t begin = note.rfind("<!-- --");
             return judged(to_buffer(note.substr(begin) + note), Format::kMarkdown);
         }},
        {"manifest.structuredText.noManifest",
         [] { return text_with("words\n<!-- -----BEGIN C2PA MANIFEST----- -->\n"); }},
        {"manifest.structuredText.emptyReference",
         [] {
             return text_with(
                 "---\n-----BEGIN C2PA MANIFEST-----\n \n-----END C2PA MANIFEST-----\n---\n");
         }},
        {"manifest.structuredText.malformedReference",
         [] {
             return text_with(
                 "# -----BEGIN C2PA MANIFEST----- data:text/plain,no -----END C2PA "
                 "MANIFEST-----\nwords\n");
         }},
        {"manifest.structuredText.noResolutionPath",
         [] {
             return text_with(
                 "words\n<!-- -----BEGIN C2PA MANIFEST----- ipfs://bafy -----END "
                 "C2PA MANIFEST----- -->");
         }},
        {"manifest.text.corruptedWrapper",
         [] {
             Buffer text = sign(as_bytes("words"), Format::kPlainText);
             text.resize(text.size() - 40);
             return judged(std::move(text), Format::kPlainText);
         }},
        {"manifest.text.multipleWrappers",
         [] {
             Buffer text = sign(as_bytes("words"), Format::kPlainText);
             const Buffer wrapper(text.begin() + 5, text.end());
             append(text, as_bytes(" "));
             append(text, wrapper);
             return judged(std::move(text), Format::kPlainText);
         }},
        {"assertion.action.redacted", [] { return judged(redacting(Forge(), "c2pa.actions.v2")); }},
        {"assertion.hardBinding.redacted",
         [] { return judged(redacting(Forge(), "c2pa.hash.data")); }},
        {"assertion.notRedacted",
         [] { return judged(redacting(with_note(), "org.example.note")); }},
        {"assertion.selfRedacted",
         [] {
             Forge forge = with_note();
             forge.change_claim = [uri = forge.uri()](cbor::Map& claim) {
                 put(claim, "redacted_assertions",
                     cbor::Array{uri + "/c2pa.assertions/org.example.note"});
             };
             return judged(forge);
         }},
        {"ingredient.manifest.validated", [] { return judged(child_of(Forge())); }},
        {"ingredient.manifest.mismatch",
         [] {
             Forge child = child_of(Forge());
             child.before[child.before.size() - 1] ^= 1U;  // of the signature's padding
             return judged(child);
         }},
        {"ingredient.manifest.missing",
         [] {
             Forge child = child_of(Forge());
             child.before.clear();
             return judged(child);
         }},
        {"ingredient.claimSignature.validated",
         [] { return judged(redacting(with_note(), "org.example.note")); }},
        {"ingredient.claimSignature.mismatch",
         [] {
             Forge child = redacting(with_note(), "org.example.note");
             child.before[child.before.size() - 1] ^= 1U;
             return judged(child);
         }},
        {"ingredient.claimSignature.missing",
         [] {
             const Forge parent = with_note();
             Forge child = redacting(parent, "org.example.note");
             const jumbf::Superbox box = jumbf::parse(child.before).value();
             child.set("c2pa.ingredient.v3",
                       cbor::Map{{"relationship", "parentOf"},
                                 {"activeManifest", hashed_uri(parent.uri(), box.whole)},
                                 {"validationResults", nothing_found()}});
             child.set("c2pa.actions.v2", opening(child));
             return judged(child);
         }},
        {"ingredient.unknownProvenance",
         [] {
             Forge forge;
             forge.set("c2pa.ingredient.v3", cbor::Map{{"relationship", "componentOf"}});
             return judged(forge);
         }},
    };
}

}  // namespace colophon::label::provenance::test
