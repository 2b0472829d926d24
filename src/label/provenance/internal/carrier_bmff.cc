// SPDX-License-Identifier: Apache-2.0
// HEIF, AVIF, MP4, MOV, M4A (C2PA 2.4, A.5): the store is in a box 'uuid' behind 'ftyp'.
//
//   uuid box: D8FEC3D6-1B0E-483C-9297-5828877EC481 | version and flags:u32 | purpose NUL |
//             offset of a Merkle box:u64, 0 | store

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_offsets.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/carriers.h"

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

constexpr std::string_view kManifest = "manifest";
constexpr std::string_view kOriginal = "original";
constexpr std::string_view kMerkle = "merkle";
constexpr std::size_t kPurposeCharsMax = 16;

struct StoreBox {
    bmff::Box box;
    std::string purpose;
    Bytes data;  // behind the purpose
};

bool is_c2pa(const bmff::Box& box) {
    return box.type == bmff::box_type("uuid") && std::ranges::equal(box.uuid, kC2paUuid);
}

StoreBox read_box(Bytes file, const bmff::Box& box) {
    StoreBox found{.box = box, .purpose = {}, .data = {}};
    const Bytes payload = bmff::payload(file, box);
    if (payload.size() < 4 || load_be32(payload) != 0) {
        return found;
    }
    const std::string_view text = as_text(payload.subspan(4));
    const std::size_t end = text.substr(0, kPurposeCharsMax).find('\0');
    if (end != std::string_view::npos) {
        found.purpose = text.substr(0, end);
        found.data = payload.subspan(4 + end + 1);
    }
    return found;
}

struct Layout {
    std::uint64_t place = 0;  // behind 'ftyp'
    std::vector<StoreBox> stores;
};

Result<Layout> walk(Bytes file) {
    Layout layout;
    bmff::BoxReader reader(file);
    while (const auto box = TRY(reader.next())) {
        if (box->type == bmff::box_type("ftyp") && layout.place == 0) {
            layout.place = box->end();
        }
        if (is_c2pa(*box)) {
            layout.stores.push_back(read_box(file, *box));
        }
    }
    return layout;
}

}  // namespace

Result<std::optional<FoundStore>> find_in_bmff(Bytes file) {
    const Layout layout = TRY(walk(file));
    std::optional<FoundStore> found;
    for (const StoreBox& each : layout.stores) {
        if (each.purpose == kMerkle && found) {
            continue;
        }
        if (found || (each.purpose != kManifest && each.purpose != kOriginal)) {
            // What is in there is left out of the hash, so there may be nothing but the store.
            if (!found) {
                found = FoundStore{
                    .store = {}, .ranges = {}, .where = "uuid box", .problem = {}, .code = {}};
            }
            found->problem = "the file holds another C2PA box than that of the manifest";
            continue;
        }
        found = FoundStore{.store = {},
                           .ranges = {{.offset = each.box.offset, .size = each.box.size}},
                           .where = "uuid box",
                           .problem = {},
                           .code = {}};
        if (each.data.size() < 8 || each.box.to_end) {
            found->problem = "the C2PA box holds no manifest store";
            continue;
        }
        const std::uint64_t merkle = load_be64(each.data);
        const bool points = std::ranges::any_of(layout.stores, [&](const StoreBox& other) {
            return other.purpose == kMerkle && other.box.offset == merkle;
        });
        if (merkle != 0 && !points) {
            found->problem = "the C2PA box points to a Merkle box that is not there";
        }
        found->store = to_buffer(each.data.subspan(8));
    }
    return found;
}

Result<Placement> place_in_bmff(Bytes file, Bytes store) {
    const Layout layout = TRY(walk(file));
    bmff::FileEdits edits;
    std::uint64_t removed_before = 0;
    for (const StoreBox& each : layout.stores) {
        edits.replace(each.box.offset, each.box.size, {}, {});
        removed_before += each.box.offset < layout.place ? each.box.size : 0;
    }
    Buffer payload = to_buffer(Bytes(kC2paUuid));
    append_be32(payload, 0);
    append(payload, kManifest);
    payload.push_back(0);
    append_be64(payload, 0);
    append(payload, store);
    Buffer box;
    bmff::append_box(box, bmff::box_type("uuid"), payload);
    Placement placement;
    placement.ranges = {{.offset = layout.place - removed_before, .size = box.size()}};
    edits.replace(layout.place, 0, std::move(box), {});
    TRY(bmff::shift_offsets(file, edits));
    placement.splice = TRY(edits.finish(file));
    return placement;
}

}  // namespace colophon::label::provenance::internal
