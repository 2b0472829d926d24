// SPDX-License-Identifier: Apache-2.0
// HEIF, AVIF, MP4, MOV, M4A (C2PA 2.4, A.5): the store is in a box 'uuid' behind 'ftyp'.
//
//   uuid box: D8FEC3D6-1B0E-483C-9297-5828877EC481 | version and flags:u32 | purpose NUL |
//             offset of a Merkle box:u64, 0 | store
//
// Update manifests come in a box of the purpose "update", the last of the file, and the first box
// is then of the purpose "original" (A.5.3). Both stores count as one. c2pa-rs reads the offset in
// that box too, which A.5.3 does not name; so we write it, as 0, and read boxes of both kinds.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_offsets.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/jumbf.h"
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

constexpr std::string_view kManifest = "manifest";
constexpr std::string_view kOriginal = "original";
constexpr std::string_view kUpdate = "update";
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
    bool open_end = false;    // the last box says that it lasts to the end
    std::vector<StoreBox> stores;
    std::vector<std::uint64_t> fragments;  // where each 'moof' begins
};

Result<Layout> walk(Bytes file) {
    Layout layout;
    bmff::BoxReader reader(file);
    while (const auto box = TRY(reader.next())) {
        if (box->type == bmff::box_type("ftyp") && layout.place == 0) {
            layout.place = box->end();
        }
        layout.open_end = box->to_end;
        if (box->type == bmff::box_type("moof")) {
            layout.fragments.push_back(box->offset);
        }
        if (is_c2pa(*box)) {
            layout.stores.push_back(read_box(file, *box));
        }
    }
    return layout;
}

bool is_update(const StoreBox& each, Bytes file) {
    return each.purpose == kUpdate && each.box.end() == file.size() && !each.box.to_end;
}

// The manifests of both, in their order.
Result<Buffer> join_stores(Bytes original, Bytes update) {
    const ManifestStore first = TRY(ManifestStore::create(original));
    const ManifestStore second = TRY(ManifestStore::create(update));
    Buffer content;
    for (const ManifestStore* store : {&first, &second}) {
        for (const Manifest& each : store->manifests()) {
            append(content, each.box->whole);
        }
    }
    Buffer out;
    jumbf::append_superbox(out, "c2pa", kStoreLabel, content);
    return out;
}

void take_update(const StoreBox& each, FoundStore& found) {
    found.ranges.push_back({.offset = each.box.offset, .size = each.box.size});
    const bool offset = each.data.size() >= 8 && load_be64(each.data) == 0;
    auto joined = join_stores(found.store, each.data.subspan(offset ? 8 : 0));
    if (joined.ok()) {
        found.store = std::move(joined).value();
    } else {
        found.problem = "the C2PA box with the update manifests cannot be read";
    }
}

}  // namespace

Result<std::optional<FoundStore>> find_in_bmff(Bytes file) {
    const Layout layout = TRY(walk(file));
    std::optional<FoundStore> found;
    for (const StoreBox& each : layout.stores) {
        if (each.purpose == kMerkle && found) {
            continue;
        }
        if (is_update(each, file) && found && layout.stores.front().purpose == kOriginal) {
            take_update(each, *found);
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

Result<std::optional<Placement>> append_to_bmff(Bytes file, Bytes store) {
    const Layout layout = TRY(walk(file));
    if (layout.stores.empty() || layout.stores.front().data.size() < 8 || layout.open_end) {
        return std::optional<Placement>();
    }
    const StoreBox& first = layout.stores.front();
    const ManifestStore original = TRY(ManifestStore::create(first.data.subspan(8)));
    const ManifestStore all = TRY(ManifestStore::create(store));
    Buffer content;
    for (std::size_t i = 0; i < all.manifests().size(); ++i) {
        const Bytes whole = all.manifests()[i].box->whole;
        if (i >= original.manifests().size()) {
            append(content, whole);
        } else if (!std::ranges::equal(whole, original.manifests()[i].box->whole)) {
            return Error{ErrorCode::kCorrupt, "the C2PA box of the file holds other manifests"};
        }
    }
    Buffer payload = to_buffer(Bytes(kC2paUuid));
    append_be32(payload, 0);
    append(payload, kUpdate);
    payload.push_back(0);
    append_be64(payload, 0);
    jumbf::append_superbox(payload, "c2pa", kStoreLabel, content);
    Buffer box;
    bmff::append_box(box, bmff::box_type("uuid"), payload);

    // The purpose lies behind size, type, uuid, version and flags; both words are as long.
    static_assert(kManifest.size() == kOriginal.size());
    const std::uint64_t purpose = first.box.end() - first.data.size() - 1 - first.purpose.size();
    const std::uint64_t kept_end =
        is_update(layout.stores.back(), file) ? layout.stores.back().box.offset : file.size();
    Placement placement;
    placement.splice.copy(0, purpose);
    placement.splice.insert(to_buffer(kOriginal));
    placement.splice.copy(purpose + kOriginal.size(), kept_end - purpose - kOriginal.size());
    placement.ranges = {{.offset = first.box.offset, .size = first.box.size},
                        {.offset = kept_end, .size = box.size()}};
    placement.splice.insert(std::move(box));
    return std::optional(std::move(placement));
}

Result<Placement> place_in_bmff(Bytes file, Bytes store) {
    return place_with_proofs(file, store, {});
}

Result<Placement> place_with_proofs(Bytes file, Bytes store, const std::vector<Buffer>& proofs) {
    const Layout layout = TRY(walk(file));
    COLOPHON_ASSERT(proofs.empty() || proofs.size() == layout.fragments.size());
    bmff::FileEdits edits;
    std::uint64_t removed_before = 0;
    for (const StoreBox& each : layout.stores) {
        edits.replace(each.box.offset, each.box.size, {}, {});
        removed_before += each.box.offset < layout.place ? each.box.size : 0;
    }
    // The box has its size before what it says is known: where the first proof lies behind it.
    const auto manifest_box = [&](std::uint64_t first_proof) {
        Buffer payload = to_buffer(Bytes(kC2paUuid));
        append_be32(payload, 0);
        append(payload, kManifest);
        payload.push_back(0);
        append_be64(payload, first_proof);
        append(payload, store);
        Buffer box;
        bmff::append_box(box, bmff::box_type("uuid"), payload);
        return box;
    };
    bmff::FileEdits sizes = edits;
    sizes.replace(layout.place, 0, manifest_box(0), {});
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        sizes.replace(layout.fragments[i], 0, proofs[i], {});
    }
    const std::uint64_t first_proof =
        proofs.empty() ? 0 : sizes.moves()(layout.fragments.front()) - proofs.front().size();
    Buffer box = manifest_box(first_proof);
    Placement placement;
    placement.ranges = {{.offset = layout.place - removed_before, .size = box.size()}};
    edits.replace(layout.place, 0, std::move(box), {});
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        edits.replace(layout.fragments[i], 0, proofs[i], {});
    }
    TRY(bmff::shift_offsets(file, edits));
    placement.splice = TRY(edits.finish(file));
    return placement;
}

Result<std::vector<std::uint64_t>> fragments_of_bmff(Bytes file) {
    return TRY(walk(file)).fragments;
}

Result<Splice> place_proof(Bytes file, Bytes proof) {
    const Layout layout = TRY(walk(file));
    if (layout.fragments.size() != 1) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a fragment in a file of its own holds one 'moof' box, not {}",
                                 layout.fragments.size())};
    }
    bmff::FileEdits edits;
    for (const StoreBox& each : layout.stores) {
        edits.replace(each.box.offset, each.box.size, {}, {});
    }
    edits.replace(layout.fragments.front(), 0, to_buffer(proof), {});
    TRY(bmff::shift_offsets(file, edits));
    return edits.finish(file);
}

}  // namespace colophon::label::provenance::internal
