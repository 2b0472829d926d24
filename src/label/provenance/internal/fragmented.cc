// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, A.5.4.1.2: a tree over the fragments of a movie, in one file or in many. Two passes, as
// everywhere: with a tree of zeros everything gets its place, then the fragments are hashed where
// they lie, because the place of each box is hashed with it.

#include "label/provenance/internal/fragmented.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/draft.h"
#include "label/provenance/internal/merkle_tree.h"
#include "label/provenance/internal/merkle_write.h"
#include "label/provenance/signer.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kLabel = "c2pa.hash.bmff.v3";
constexpr std::int64_t kUniqueId = 1;  // there is one tree

// What a fragment says of itself.
struct FragmentHead {
    std::uint32_t sequence = 0;  // 'mfhd'
    std::uint32_t track = 1;     // of its first track, when it has one
};

Result<FragmentHead> read_moof(Bytes file, const bmff::Box& moof) {
    const auto field = [&](const bmff::Box& parent,
                           std::string_view type) -> Result<std::uint32_t> {
        const auto box = TRY(bmff::find_child(file, parent, bmff::box_type(type)));
        if (!box || box->payload_size() < 8) {
            return corrupt_at(fmt::format("a fragment without the box '{}',", type), parent.offset);
        }
        return load_be32(bmff::payload(file, *box).subspan(4));
    };
    FragmentHead head;
    head.sequence = TRY(field(moof, "mfhd"));
    const auto traf = TRY(bmff::find_child(file, moof, bmff::box_type("traf")));
    if (traf) {
        head.track = TRY(field(*traf, "tfhd"));
    }
    return head;
}

Result<std::optional<FragmentHead>> first_moof(Bytes file) {
    bmff::BoxReader boxes(file);
    while (const auto box = TRY(boxes.next())) {
        if (box->type == bmff::box_type("moof")) {
            return std::optional(TRY(read_moof(file, *box)));
        }
    }
    return std::optional<FragmentHead>();
}

std::vector<Buffer> proof_boxes(const FragmentTree& tree) {
    std::vector<Buffer> boxes;
    boxes.reserve(tree.rows.front().size());
    for (std::size_t i = 0; i < tree.rows.front().size(); ++i) {
        boxes.push_back(tree.proof_box(i));
    }
    return boxes;
}

// The store with zeros for what is not known yet.
Result<Buffer> measure_store(const Draft& draft, const FragmentTree& measured,
                             std::size_t signature) {
    const Buffer zeros(hash(kWriterHash, {}).size());
    const Buffer no_signature(signature);
    return draft.store(draft.with({.label = kLabel, .value = measured.assertion(zeros)}),
                       no_signature);
}

}  // namespace

Result<Credential> add_to_fragmented(Bytes file, const Draft& draft, ClaimSigner& signer) {
    const auto first = TRY(first_moof(file));
    COLOPHON_ASSERT(first.has_value());
    const std::size_t count = TRY(fragments_of_bmff(file)).size();
    const TreeId id{.unique = kUniqueId, .local = first->track};
    const MediaHashing& wanted = draft.input.media;
    const FragmentTree measured = FragmentTree::measured(id, count, wanted);
    const Buffer zeros = TRY(measure_store(draft, measured, signer.signature_bytes()));
    const Placement placement = TRY(place_with_proofs(file, zeros, proof_boxes(measured)));

    const FileView view(file, placement.splice, draft.input.release);
    const BmffHasher hasher = TRY(BmffHasher::create(view, standard_bmff_exclusions(), true));
    std::vector<std::size_t> starts;
    for (std::size_t i = 0; i < hasher.boxes().size(); ++i) {
        if (hasher.boxes()[i].type == "moof") {
            starts.push_back(i);
        }
    }
    COLOPHON_ASSERT(starts.size() == count);
    const Buffer init = hasher.some(kWriterHash, 0, starts.front());
    starts.push_back(hasher.boxes().size());
    std::vector<Buffer> leaves;
    leaves.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        leaves.push_back(hasher.some(kWriterHash, starts[i], starts[i + 1]));
    }
    const FragmentTree tree = FragmentTree::over(id, std::move(leaves), wanted);
    const Draft::Finished finished = draft.with({.label = kLabel, .value = tree.assertion(init)});
    const Buffer signature = TRY(signer.sign(finished.claim));
    const Buffer store = TRY(draft.store(finished, signature));
    COLOPHON_ASSERT(store.size() == zeros.size());
    Placement last = TRY(place_with_proofs(file, store, proof_boxes(tree)));
    COLOPHON_ASSERT(last.ranges == placement.ranges &&
                    last.splice.size() == placement.splice.size());
    return Credential{.splice = std::move(last.splice),
                      .manifest_label = finished.writer.label(),
                      .where = {},
                      .written = {}};
}

namespace {

// One 'moof' in each file, in the order in which they were made. Gives the track.
Result<std::uint32_t> check_fragments(const FragmentedMovie& movie) {
    if (movie.fragments.empty() || movie.fragments.size() > kFragmentsMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a movie in 1 to {} fragments is labelled, not in {}",
                                 kFragmentsMax, movie.fragments.size())};
    }
    if (!TRY(fragments_of_bmff(movie.init)).empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "the first file holds fragments itself; it should be the initialization "
                     "segment of the others"};
    }
    std::uint32_t track = 0;
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < movie.fragments.size(); ++i) {
        const auto head = first_moof(movie.fragments[i]);
        if (!head.ok()) {
            return Error{head.error().code,
                         fmt::format("fragment {}: {}", i + 1, head.error().what)};
        }
        if (!*head) {
            return Error{ErrorCode::kUnsupported,
                         fmt::format("fragment {} holds no 'moof' box", i + 1)};
        }
        if ((*head)->sequence < last) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("the fragments are not in their order: number {} has the "
                                     "sequence number {}, the one before it {}",
                                     i + 1, (*head)->sequence, last)};
        }
        last = (*head)->sequence;
        track = i == 0 ? (*head)->track : track;
    }
    return track;
}

Result<std::vector<Splice>> place_proofs(const FragmentedMovie& movie, const FragmentTree& tree) {
    std::vector<Splice> splices;
    for (std::size_t i = 0; i < movie.fragments.size(); ++i) {
        auto placed = place_proof(movie.fragments[i], tree.proof_box(i));
        if (!placed.ok()) {
            return Error{placed.error().code,
                         fmt::format("fragment {}: {}", i + 1, placed.error().what)};
        }
        splices.push_back(std::move(placed).value());
    }
    return splices;
}

Result<Buffer> hash_boxes(const FileView& file) {
    return hash_bmff(kWriterHash, file, standard_bmff_exclusions(), true);
}

}  // namespace

Result<FragmentedCredential> add_to_fragments(const FragmentedMovie& movie, const Draft& draft,
                                              ClaimSigner& signer) {
    const std::uint32_t track = TRY(check_fragments(movie));
    const TreeId id{.unique = kUniqueId, .local = track};
    const std::size_t count = movie.fragments.size();
    const CredentialInput& input = draft.input;
    const FragmentTree measured = FragmentTree::measured(id, count, input.media);
    const Buffer zeros = TRY(measure_store(draft, measured, signer.signature_bytes()));
    const Placement placement = TRY(place_in_bmff(movie.init, zeros));
    const std::vector<Splice> places = TRY(place_proofs(movie, measured));

    const Buffer init = TRY(hash_boxes(FileView(movie.init, placement.splice, input.release)));
    std::vector<Buffer> leaves;
    leaves.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        leaves.push_back(TRY(hash_boxes(FileView(movie.fragments[i], places[i], input.release))));
    }
    const FragmentTree tree = FragmentTree::over(id, std::move(leaves), input.media);
    const Draft::Finished finished = draft.with({.label = kLabel, .value = tree.assertion(init)});
    const Buffer signature = TRY(signer.sign(finished.claim));
    const Buffer store = TRY(draft.store(finished, signature));
    COLOPHON_ASSERT(store.size() == zeros.size());
    FragmentedCredential made;
    made.init = TRY(place_in_bmff(movie.init, store)).splice;
    made.fragments = TRY(place_proofs(movie, tree));
    made.manifest_label = finished.writer.label();
    return made;
}

}  // namespace colophon::label::provenance::internal
