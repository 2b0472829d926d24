// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/credential.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/box_hash.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/collection_hash.h"
#include "label/provenance/internal/draft.h"
#include "label/provenance/internal/fragmented.h"
#include "label/provenance/internal/merkle_write.h"
#include "label/provenance/internal/text_credential.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/signer.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using internal::BoundHash;
using internal::Draft;
using internal::ManifestWriter;

// What the hash is taken over. `measured`: only as long as the real one will be, made without
// reading the content.
struct BindingTask {
    Binding binding;
    const FileView& file;
    const std::vector<ByteRange>& ranges;
    const CredentialInput& input;
    bool measured;
};

Result<BoundHash> bind_media(const BindingTask& task) {
    auto trees = TRY(internal::media_hash(task.file, task.input.media, task.measured));
    if (trees) {
        return BoundHash{.label = "c2pa.hash.bmff.v3", .value = std::move(*trees)};
    }
    const Buffer content =
        task.measured ? Buffer(hash(internal::kWriterHash, {}).size())
                      : TRY(internal::hash_bmff(internal::kWriterHash, task.file,
                                                internal::standard_bmff_exclusions(), true));
    return BoundHash{.label = "c2pa.hash.bmff.v3", .value = internal::bmff_hash(content)};
}

Result<BoundHash> bind(const BindingTask& task) {
    switch (task.binding) {
        case Binding::kZip:
            return BoundHash{.label = "c2pa.hash.collection.data",
                             .value = TRY(internal::collection_hash(task.file, task.measured))};
        case Binding::kBmff:
            return bind_media(task);
        case Binding::kData:
        case Binding::kText:
            break;
    }
    const Buffer content = task.measured
                               ? Buffer(hash(internal::kWriterHash, {}).size())
                               : hash_without(internal::kWriterHash, task.file, task.ranges);
    return BoundHash{.label = "c2pa.hash.data", .value = internal::data_hash(task.ranges, content)};
}

// Boxes are found by walking the finished file, which is made for that: pictures fit into memory.
Result<BoundHash> bind_boxes(Bytes source, const Placement& placement, Format format,
                             bool measured) {
    const Buffer file = apply_splice(source, placement.splice);
    return BoundHash{
        .label = "c2pa.hash.boxes",
        .value = TRY(internal::box_hash(FileView(file), format, placement.ranges, measured))};
}

// The file with a longer store, when that moves nothing that is hashed but what stands behind it.
Result<std::optional<Placement>> grow(const Carrier& carrier, Bytes file, Bytes store) {
    if (carrier.growth == Growth::kAppended) {
        return internal::append_to_bmff(file, store);
    }
    const auto found = TRY(carrier.find(file));
    Placement placement = TRY(carrier.place(file, store));
    const bool same_place = found && found->problem.empty() && found->ranges.size() == 1 &&
                            placement.ranges.size() == 1 &&
                            found->ranges[0].offset == placement.ranges[0].offset;
    return same_place ? std::optional(std::move(placement)) : std::nullopt;
}

// The store in the place of the zeros that were written first.
Result<void> replace_zeros(HashingOutput& output, const Splice& zeros, const Splice& final) {
    const std::vector<SplicePiece>& before = zeros.pieces();
    const std::vector<SplicePiece>& after = final.pieces();
    COLOPHON_ASSERT(before.size() == after.size());
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < after.size(); ++i) {
        COLOPHON_ASSERT(before[i].source_offset == after[i].source_offset &&
                        before[i].source_size == after[i].source_size &&
                        before[i].bytes.size() == after[i].bytes.size());
        if (before[i].bytes != after[i].bytes) {
            TRY(output.overwrite(at, after[i].bytes));
        }
        at += after[i].source_size == 0 ? after[i].bytes.size() : after[i].source_size;
    }
    return {};
}

// The second pass over large media, which are written first: the file is hashed where it lies and
// read no more. Nothing where the binding has no trees over media.
Result<std::optional<Credential>> add_to_large_media(Bytes file, const Carrier& carrier,
                                                     const Placement& placement, const Draft& draft,
                                                     ClaimSigner& signer) {
    HashingOutput* output = draft.input.output;
    if (output == nullptr || carrier.binding != Binding::kBmff) {
        return std::optional<Credential>();
    }
    auto blocks = TRY(internal::media_blocks(FileView(file, placement.splice), draft.input.media));
    if (blocks.empty()) {
        return std::optional<Credential>();
    }
    WrittenFile written =
        TRY(output->write_hashed(file, placement.splice, internal::kWriterHash, std::move(blocks)));
    const BoundHash bound =
        TRY(bind({.binding = carrier.binding,
                  .file = FileView(written.bytes, draft.input.release, &written.known),
                  .ranges = placement.ranges,
                  .input = draft.input,
                  .measured = false}));
    const Draft::Finished finished = draft.with(bound);
    const Buffer signature = TRY(signer.sign(finished.claim));
    COLOPHON_ASSERT(signature.size() == signer.signature_bytes());
    const Buffer store = TRY(draft.store(finished, signature));
    const Placement last = TRY(carrier.place(file, store));
    COLOPHON_ASSERT(last.ranges == placement.ranges);
    TRY(replace_zeros(*output, placement.splice, last.splice));
    return std::optional(Credential{.splice = {},
                                    .manifest_label = finished.writer.label(),
                                    .where = {},
                                    .written = std::move(written)});
}

}  // namespace

bool takes_box_hash(Format format) noexcept {
    return format == Format::kJpeg || format == Format::kPng || format == Format::kGif;
}

Result<Credential> add_credential(Bytes file, Format format, const CredentialInput& input,
                                  ClaimSigner& signer) {
    const Carrier* carrier = find_carrier(format);
    if (carrier == nullptr) {
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("this version puts no Content Credentials into {}", facts(format).name)};
    }
    Draft draft{.input = input, .statements = ManifestWriter(input)};
    TRY(internal::add_statements(input, format, draft.statements));

    if (input.binding == BindingWish::kBoxes && !takes_box_hash(format)) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("box hashes are written into JPEG, PNG and GIF, not into {}",
                                 facts(format).name)};
    }
    if (carrier->binding == Binding::kText) {
        return internal::add_text_credential(file, input, draft.statements, signer);
    }

    if (carrier->binding == Binding::kBmff && !TRY(internal::fragments_of_bmff(file)).empty()) {
        return internal::add_to_fragmented(file, draft, signer);
    }

    // First pass: zeros, to learn the size of the store and where it lies.
    const Buffer no_signature(signer.signature_bytes());
    Placement placement = TRY(carrier->place(file, Buffer(16)));
    const std::vector<ByteRange> no_ranges(placement.ranges.size());
    const bool boxes = input.binding == BindingWish::kBoxes;
    const BoundHash measured = boxes ? TRY(bind_boxes(file, placement, format, true))
                                     : TRY(bind({.binding = carrier->binding,
                                                 .file = FileView(file, placement.splice),
                                                 .ranges = no_ranges,
                                                 .input = input,
                                                 .measured = true}));
    const Buffer zeros = TRY(draft.store(draft.with(measured), no_signature));
    placement = TRY(carrier->place(file, zeros));
    auto large = TRY(add_to_large_media(file, *carrier, placement, draft, signer));
    if (large) {
        return std::move(*large);
    }

    // Second pass: the hash of all the rest, the claim, the signature.
    const BoundHash bound = boxes
                                ? TRY(bind_boxes(file, placement, format, false))
                                : TRY(bind({.binding = carrier->binding,
                                            .file = FileView(file, placement.splice, input.release),
                                            .ranges = placement.ranges,
                                            .input = input,
                                            .measured = false}));
    const Draft::Finished finished = draft.with(bound);
    const Buffer signature = TRY(signer.sign(finished.claim));
    COLOPHON_ASSERT(signature.size() == no_signature.size());
    const Buffer store = TRY(draft.store(finished, signature));
    COLOPHON_ASSERT(store.size() == zeros.size());
    Placement last = TRY(carrier->place(file, store));
    COLOPHON_ASSERT(last.ranges == placement.ranges);
    return Credential{.splice = std::move(last.splice),
                      .manifest_label = finished.writer.label(),
                      .where = {},
                      .written = {}};
}

Result<FragmentedCredential> add_fragmented_credential(const FragmentedMovie& movie, Format format,
                                                       const CredentialInput& input,
                                                       ClaimSigner& signer) {
    const Carrier* carrier = find_carrier(format);
    if (carrier == nullptr || carrier->binding != Binding::kBmff) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("fragments in files of their own are those of MP4, not of {}",
                                 facts(format).name)};
    }
    Draft draft{.input = input, .statements = ManifestWriter(input)};
    TRY(internal::add_statements(input, format, draft.statements));
    return internal::add_to_fragments(movie, draft, signer);
}

Result<DetachedCredential> make_detached_credential(Bytes file, Format format,
                                                    const CredentialInput& input,
                                                    ClaimSigner& signer) {
    const Carrier* carrier = find_carrier(format);
    if (carrier != nullptr && TRY(carrier->find(file))) {
        return Error{ErrorCode::kConflict,
                     "the file carries Content Credentials already; others beside it would "
                     "contradict them"};
    }
    const bool boxes = carrier != nullptr && carrier->binding == Binding::kBmff;
    const Binding binding = boxes ? Binding::kBmff : Binding::kData;
    Draft draft{.input = input, .statements = ManifestWriter(input)};
    TRY(internal::add_statements(input, format, draft.statements));
    const BoundHash bound = TRY(bind({.binding = binding,
                                      .file = FileView(file, input.release),
                                      .ranges = {},
                                      .input = input,
                                      .measured = false}));
    const Draft::Finished finished = draft.with(bound);
    const Buffer signature = TRY(signer.sign(finished.claim));
    return DetachedCredential{.store = TRY(draft.store(finished, signature)),
                              .manifest_label = finished.writer.label()};
}

Result<std::optional<Credential>> update_credential(Bytes file, Format format,
                                                    const CredentialInput& input,
                                                    ClaimSigner& signer) {
    const Carrier* carrier = find_carrier(format);
    if (carrier == nullptr || carrier->growth == Growth::kFixed) {
        return std::optional<Credential>();
    }
    ManifestWriter writer(input, ManifestKind::kUpdate);
    TRY(internal::add_update_statements(input, format, writer));
    const Buffer claim = writer.claim();
    const Buffer no_signature(signer.signature_bytes());
    const Buffer zeros = TRY(internal::make_store(input, writer.manifest(claim, no_signature)));
    const std::optional<Placement> measured = TRY(grow(*carrier, file, zeros));
    if (!measured) {
        return std::optional<Credential>();
    }
    // Somebody else may have bound his credential in a way that allows no longer store.
    const internal::Content content{.view = FileView(file, measured->splice, input.release),
                                    .format = format,
                                    .store_ranges = measured->ranges,
                                    .store_problem = {},
                                    .problem_code = {}};
    if (!internal::binding_holds(zeros, content)) {
        return std::optional<Credential>();
    }
    const Buffer signature = TRY(signer.sign(claim));
    COLOPHON_ASSERT(signature.size() == no_signature.size());
    const Buffer store = TRY(internal::make_store(input, writer.manifest(claim, signature)));
    std::optional<Placement> placement = TRY(grow(*carrier, file, store));
    COLOPHON_ASSERT(placement.has_value());
    return std::optional(Credential{.splice = std::move(placement->splice),
                                    .manifest_label = writer.label(),
                                    .where = {},
                                    .written = {}});
}

}  // namespace colophon::label::provenance
