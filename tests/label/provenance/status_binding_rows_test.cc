// SPDX-License-Identifier: Apache-2.0
// Files whose bytes are not, or not all, those that were signed.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/forge.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/box_hash.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/collection_hash.h"
#include "label/provenance/multi_part.h"
#include "label/provenance/status_rows.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {
namespace {

Forge movie() {
    Forge forge(Format::kMp4);
    forge.binding = "c2pa.hash.bmff.v3";
    return forge;
}

Forge boxes() {
    Forge forge;
    forge.binding = "c2pa.hash.boxes";
    forge.hash_file = [](Bytes file, const std::vector<ByteRange>& ranges) {
        return internal::box_hash(FileView(file), Format::kPng, ranges, false).value();
    };
    return forge;
}

Forge archive() {
    Forge forge(Format::kDocx);
    forge.binding = "c2pa.hash.collection.data";
    forge.hash_file = [](Bytes file, const std::vector<ByteRange>&) {
        return internal::collection_hash(FileView(file), false).value();
    };
    return forge;
}

StatusCase archive_with(const std::string& uri, const cbor::Value& hash) {
    Forge forge = archive();
    forge.change_hash = [uri, hash](cbor::Map& map) {
        cbor::Array list = *cbor::Value(map).array("uris");
        cbor::Map entry{{"uri", uri}};
        put(entry, "hash", hash);
        list.emplace_back(std::move(entry));
        put(map, "uris", std::move(list));
    };
    return judged(forge);
}

StatusCase last_bit_changed(const Forge& forge) {
    Buffer file = forge.make();
    file.back() ^= 1U;
    return judged(std::move(file), forge.format);
}

}  // namespace

std::vector<StatusRow> binding_rows() {
    return {
        {"assertion.dataHash.match", [] { return judged(Forge()); }},
        {"assertion.dataHash.mismatch", [] { return last_bit_changed(Forge()); }},
        {"assertion.dataHash.malformed",
         [] {
             Forge forge;
             forge.hash_file = [](Bytes, const std::vector<ByteRange>&) {
                 const cbor::Map range{{"start", 9}, {"length", 9}};
                 return cbor::Value(cbor::Map{{"alg", "sha256"},
                                              {"hash", Buffer(32)},
                                              {"exclusions", cbor::Array{range, range}}});
             };
             return judged(forge);
         }},
        {"assertion.dataHash.additionalExclusionsPresent",
         [] {
             Forge forge;
             forge.hash_file = [](Bytes file, const std::vector<ByteRange>& ranges) {
                 std::vector<ByteRange> more = ranges;
                 more.push_back({.offset = file.size() - 8, .size = 4});
                 return internal::data_hash(
                     more, hash_without(HashAlgorithm::kSha256, FileView(file), more));
             };
             return judged(forge);
         }},
        {"assertion.multipleHardBindings",
         [] {
             Forge forge;
             forge.set("c2pa.hash.boxes", cbor::Map{});
             return judged(forge);
         }},
        {"assertion.bmffHash.match", [] { return judged(movie()); }},
        {"assertion.bmffHash.mismatch", [] { return last_bit_changed(movie()); }},
        {"assertion.bmffHash.malformed",
         [] {
             Forge forge = movie();
             forge.change_hash = [](cbor::Map& map) { put(map, "exclusions", {}); };
             return judged(forge);
         }},
        {"assertion.bmffHash.additionalExclusionsPresent",
         [] {
             Forge forge = movie();
             forge.hash_file = [](Bytes file, const std::vector<ByteRange>&) {
                 auto exclusions = internal::standard_bmff_exclusions();
                 exclusions.push_back({.path = {"wide"},
                                       .length = {},
                                       .data = {},
                                       .subset = {},
                                       .version = {},
                                       .flags = {}});
                 cbor::Map map =
                     *internal::bmff_hash(internal::hash_bmff(HashAlgorithm::kSha256,
                                                              FileView(file), exclusions, true)
                                              .value())
                          .if_map();
                 put(map, "exclusions", internal::write_bmff_exclusions(exclusions));
                 return cbor::Value(std::move(map));
             };
             return judged(forge);
         }},
        {"assertion.boxesHash.match", [] { return judged(boxes()); }},
        {"assertion.boxesHash.mismatch", [] { return last_bit_changed(boxes()); }},
        {"assertion.boxesHash.malformed",
         [] {
             Forge forge = boxes();
             forge.change_hash = [](cbor::Map& map) { put(map, "boxes", {}); };
             return judged(forge);
         }},
        {"assertion.boxesHash.unknownBox",
         [] {
             Forge forge = boxes();
             forge.change_hash = [](cbor::Map& map) {
                 cbor::Array rows = *cbor::Value(map).array("boxes");
                 rows.pop_back();
                 put(map, "boxes", std::move(rows));
             };
             return judged(forge);
         }},
        {"assertion.boxesHash.additionalExclusionsPresent",
         [] {
             Forge forge = boxes();
             forge.change_hash = [](cbor::Map& map) {
                 cbor::Array rows = *cbor::Value(map).array("boxes");
                 cbor::Map last = *rows.back().if_map();
                 put(last, "excluded", true);
                 rows.back() = std::move(last);
                 put(map, "boxes", std::move(rows));
             };
             return judged(forge);
         }},
        {"assertion.collectionHash.match", [] { return judged(archive()); }},
        {"assertion.collectionHash.mismatch",
         [] {
             Forge forge = archive();
             forge.change_hash = [](cbor::Map& map) {
                 put(map, "zip_central_directory_hash", Buffer(32));
             };
             return judged(forge);
         }},
        {"assertion.collectionHash.malformed",
         [] { return archive_with("word/document.xml", {}); }},
        {"assertion.collectionHash.invalidURI",
         [] { return archive_with("../word/document.xml", Buffer(32)); }},
        {"assertion.collectionHash.incorrectFileCount",
         [] { return archive_with("word/gone.xml", Buffer(32)); }},
        {"assertion.multiAssetHash.match",
         [] {
             const MultiPart parts;
             return judged(parts.without_last(), Format::kJpeg);
         }},
        {"assertion.multiAssetHash.mismatch",
         [] {
             const MultiPart parts;
             Buffer file = parts.whole();
             file.back() ^= 1U;
             return judged(std::move(file), Format::kJpeg);
         }},
        {"assertion.multiAssetHash.missingPart",
         [] {
             const MultiPart parts({.optional = false});
             return judged(parts.without_last(), Format::kJpeg);
         }},
        {"assertion.multiAssetHash.malformed",
         [] {
             const MultiPart parts({.lists_parts = false});
             return judged(parts.without_last(), Format::kJpeg);
         }},
    };
}

}  // namespace colophon::label::provenance::test
