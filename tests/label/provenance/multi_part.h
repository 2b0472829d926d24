// SPDX-License-Identifier: Apache-2.0
#pragma once

// A picture with another file behind it, as telephones write them, and a hash for each of the two.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/forge.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/box_hash.h"
#include "label/provenance/internal/claim_writer.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {

struct MultiPartWish {
    bool optional = true;  // the part behind may be taken away
    bool lists_parts = true;
    bool boxes = false;   // the first part's hash is one of boxes
    std::size_t gap = 0;  // bytes between the parts that none of them covers
    bool twice = false;   // another multi-asset hash beside it
    Format second = Format::kMp4;
};

class MultiPart {
public:
    explicit MultiPart(const MultiPartWish& wish = {})
        : wish_(wish), second_(plain_file(wish.second)) {
        Forge forge(Format::kJpeg);
        Buffer both = forge.file;
        append(both, second_);
        forge.file = both;
        forge.hash_file = [](Bytes file, const std::vector<ByteRange>& ranges) {
            return internal::data_hash(
                ranges, hash_without(HashAlgorithm::kSha256, FileView(file), ranges));
        };
        // The parts stand before the binding in the claim, so they are made with it.
        const PlaceStore usual = usual_place(both, Format::kJpeg);
        const auto with_parts = [&](const PlacedStore& placed) {
            Forge made = forge;
            add_parts(made, placed);
            return made;
        };
        // Longer places are longer numbers, so it is tried twice.
        PlacedStore placed = usual(Buffer(16));
        for (int i = 0; i < 2; ++i) {
            placed = usual(with_parts(placed).store(placed, false));
        }
        const Buffer store = with_parts(placed).store(placed, true);
        REQUIRE(usual(Buffer(store.size())).file.size() == placed.file.size());
        file_ = usual(store).file;
    }

    const Buffer& whole() const { return file_; }
    Buffer without_last() const {
        return {file_.begin(), file_.end() - static_cast<std::ptrdiff_t>(second_.size())};
    }
    std::size_t second_size() const { return second_.size(); }

private:
    void add_parts(Forge& forge, const PlacedStore& placed) const {
        const Bytes file(placed.file);
        const std::size_t split = file.size() - second_.size();
        const Bytes front = file.first(split);
        if (wish_.boxes) {
            forge.set(
                "c2pa.hash.boxes.part",
                internal::box_hash(FileView(front), Format::kJpeg, placed.ranges, false).value());
        } else {
            forge.set(
                "c2pa.hash.data.part",
                internal::data_hash(placed.ranges, hash_without(HashAlgorithm::kSha256,
                                                                FileView(front), placed.ranges)));
        }
        const std::string front_label =
            wish_.boxes ? "c2pa.hash.boxes.part" : "c2pa.hash.data.part";
        const std::string back_label =
            wish_.boxes ? "c2pa.hash.data.part" : "c2pa.hash.data.part__1";
        forge.set(back_label, internal::data_hash({}, hash(HashAlgorithm::kSha256,
                                                           file.subspan(split + wish_.gap))));
        cbor::Map back{{"location", range(split + wish_.gap, file.size() - split - wish_.gap)},
                       {"hashAssertion", forge.reference(back_label)}};
        if (wish_.optional) {
            back.emplace_back("optional", true);
        }
        cbor::Array parts{cbor::Map{{"location", range(0, split)},
                                    {"hashAssertion", forge.reference(front_label)}},
                          std::move(back)};
        forge.set("c2pa.hash.multi-asset",
                  cbor::Map{{"parts", wish_.lists_parts ? std::move(parts) : cbor::Array{}}});
        if (wish_.twice) {
            forge.set("c2pa.hash.multi-asset__1", cbor::Map{});
        }
    }

    static cbor::Value range(std::size_t offset, std::size_t length) {
        return cbor::Map{{"byteOffset", std::uint64_t{offset}}, {"length", std::uint64_t{length}}};
    }

    MultiPartWish wish_;
    Buffer second_;
    Buffer file_;
};

}  // namespace colophon::label::provenance::test
