// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes Content Credentials (C2PA 2.4): what a file says of its origin becomes a manifest, bound
// to the bytes of the file, signed, and put into it.
//
// Signing is two passes without a second layout. The size of everything is known before anything is
// hashed: assertions are padded to a fixed size, the signature's place has a fixed size. So the
// first pass places zeros and learns where they lie, the hash leaves exactly that place out, and
// the second pass puts the store there. Large media, which are hashed in blocks, are written with
// the zeros and hashed where they lie then; the store takes the place of the zeros.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/hashing.h"
#include "label/provenance/signer.h"
#include "label/record.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::provenance {

// A watermark by which a stripped file finds its manifest again (C2PA 2.4, 18.10).
struct SoftBinding {
    std::string algorithm;  // of the C2PA list, or a name in reverse domain notation
    Buffer value;           // the payload
};

// A status code with the place it is about, as validators report them (C2PA 2.4, 15.2).
enum class StatusKind : std::uint8_t { kSuccess, kInformational, kFailure };
struct Status {
    StatusKind kind = StatusKind::kSuccess;
    std::string code;  // "assertion.dataHash.match"
    std::string url;   // JUMBF URI of what it is about; may be empty
    std::string what;  // for people; may be empty
};

// What validation said of a manifest below the active one, beyond what its ingredient assertion
// already records.
struct IngredientReport {
    std::string assertion_uri;
    std::string manifest_label;  // empty: the ingredient has no manifest
    std::vector<Status> statuses;
};

// The credential that the file carried before, with what a validator said of it then.
struct Upstream {
    Buffer store;
    std::vector<Status> statuses;               // of its active manifest
    std::vector<IngredientReport> ingredients;  // and of those below
};

// How the hash over ISO media is divided, so that who plays them can check them piece by piece.
struct MediaHashing {
    std::uint64_t trees_from = 64ULL << 20U;      // bytes of a box of media; smaller files get none
    std::uint64_t block_bytes_min = 1ULL << 20U;  // doubled until all media have no more blocks
    std::size_t blocks_max = 1024;                // than these
    std::size_t row_hashes_max = 256;             // of a tree over fragments, in the manifest
};

// What the content is bound by.
enum class BindingWish : std::uint8_t {
    kUsual,  // as the format's row in carrier.h says
    kBoxes,  // c2pa.hash.boxes, in JPEG, PNG and GIF
};

struct CredentialInput {
    Origin origin = Origin::kGenerated;
    bool as_producer = true;  // false: the file is passed on by somebody who did not make it
    std::string system_name;  // the model; may be empty
    std::string system_version;
    std::string aigc;  // the TC260 object as it stands in the metadata; empty: none
    std::string title;
    std::vector<SoftBinding> soft_bindings;
    std::optional<Upstream> upstream;
    Time now;                                    // of the actions
    std::array<std::uint8_t, 16> manifest_id{};  // random
    std::array<std::uint8_t, 16> instance_id{};  // random
    PageRelease release;                         // may be empty
    MediaHashing media;
    BindingWish binding = BindingWish::kUsual;
    // Where add_credential() writes large media itself, to read them once; nullptr: nowhere.
    HashingOutput* output = nullptr;
};

struct Credential {
    Splice splice;  // empty when the file is written
    std::string manifest_label;
    std::string where;
    std::optional<WrittenFile> written;  // the file with its credential, in CredentialInput::output
};

// Whether BindingWish::kBoxes may be wished for it.
bool takes_box_hash(Format format) noexcept;

// kUnsupported for formats without a carrier, or without the binding that is wished for. kCorrupt,
// kLimit: the file. Otherwise what the signer says.
Result<Credential> add_credential(Bytes file, Format format, const CredentialInput& input,
                                  ClaimSigner& signer);

// Adds an update manifest to the credential that is there (input.upstream, asserted): that the file
// was passed on, by an intermediary who changed none of its bytes (C2PA 2.4, 11.2.3). The binding
// of that credential stays the one that counts. Nothing where the store cannot grow without
// touching what is hashed; then add_credential() makes a manifest of its own.
Result<std::optional<Credential>> update_credential(Bytes file, Format format,
                                                    const CredentialInput& input,
                                                    ClaimSigner& signer);

// A movie whose fragments lie in files of their own (DASH, HLS), and what becomes of each.
struct FragmentedMovie {
    Bytes init;                    // the initialization segment, without media
    std::vector<Bytes> fragments;  // at least one, in the order in which they are played
};
struct FragmentedCredential {
    Splice init;
    std::vector<Splice> fragments;
    std::string manifest_label;
};
inline constexpr std::size_t kFragmentsMax = 1U << 16U;

// The credential goes into the initialization segment, a proof into each fragment (C2PA 2.4,
// A.5.4.1.2). kUnsupported for formats that are no ISO media and for fragments that are more than
// one 'moof'; kInvalidArgument when the fragments are not in their order; otherwise as
// add_credential().
Result<FragmentedCredential> add_fragmented_credential(const FragmentedMovie& movie, Format format,
                                                       const CredentialInput& input,
                                                       ClaimSigner& signer);

struct DetachedCredential {
    Buffer store;  // a whole manifest store: what a file FILE.c2pa holds
    std::string manifest_label;
};

// The same beside the file, which stays as it is (C2PA 2.4, 11.4): for formats without a carrier,
// or where nothing may be put into the file. The hash covers every byte; of boxed formats those
// boxes that c2pa.hash.bmff covers. kConflict when the file carries a credential already, which
// whoever finds both would take for the one that counts.
Result<DetachedCredential> make_detached_credential(Bytes file, Format format,
                                                    const CredentialInput& input,
                                                    ClaimSigner& signer);

}  // namespace colophon::label::provenance
