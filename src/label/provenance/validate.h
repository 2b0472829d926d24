// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads and judges the Content Credentials of a file (C2PA 2.4, chapter 15). Everything that can be
// wrong with them is a status code, never an error; an error means that the file around them could
// not be read. No network: a manifest that lies elsewhere is only named.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/format.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/inquiry.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance {

struct Trust {
    std::vector<Certificate> signers;      // anchors of claim signatures
    std::vector<Certificate> time_stamps;  // anchors of time-stamp authorities
    Time now;
    Inquiry inquiry = {};  // whom the caller will ask; nobody
};

// C2PA 2.4, 14.3. Two questions: was anything changed, and is it from somebody whom we trust?
enum class CredentialState : std::uint8_t {
    kInvalid,  // changed, broken or against the rules
    kValid,    // intact; the signer is nobody whom we know
    kTrusted,  // intact, and the signer's chain leads to one of our anchors
};
std::string_view credential_state_name(CredentialState state) noexcept;  // "invalid", ...

struct ActionReading {
    std::string name;         // "c2pa.created"
    std::string source_type;  // URI; may be empty
    std::string when;         // may be empty
};

struct CredentialReading {
    bool found = false;
    std::string where;  // "png caBX"
    CredentialState state = CredentialState::kInvalid;
    std::vector<Status> statuses;  // of the active manifest
    std::vector<IngredientReport> ingredients;

    // What the active manifest says, and where it is an update manifest those that it adds to; only
    // as good as `state`.
    std::string manifest_label;
    std::size_t manifests = 0;
    std::string generator;  // "Colophon 0.1.0"
    std::string title;
    std::string signer;        // common name of the certificate
    std::string organization;  // of the certificate; may be empty
    std::string issuer;
    std::string algorithm;          // "ES256"
    std::optional<Time> signed_at;  // by a trusted time stamp
    std::string time_authority;     // who gave it
    std::string source_type;        // of the action with which the file began, as URI
    std::vector<ActionReading> actions;
    std::string aigc;  // the TC260 record among the assertions, as JSON; empty without
    std::vector<SoftBinding> soft_bindings;

    // Where the file says that its credential lies, outside of it; as it stands there, not fetched,
    // and named whatever lies in the file. May be empty.
    std::string link;

    // The fragments of the movie lie in other files, and none was given: nobody knows whether it is
    // intact. Nothing else speaks against it.
    bool needs_fragments = false;

    // What the caller is to ask, and then to read the credential again: as Trust::inquiry allows,
    // of what it has no answer to.
    std::vector<Question> questions;

    Buffer store;       // the whole store as found
    Time validated_at;  // Trust::now

    bool intact() const noexcept { return found && state != CredentialState::kInvalid; }
    bool trusted() const noexcept { return found && state == CredentialState::kTrusted; }
};

// `format` without a carrier: nothing found. `release` may be empty. `known`, hashes of parts of
// the file, may be nullptr.
Result<CredentialReading> read_credential(Bytes file, Format format, const Trust& trust,
                                          const PageRelease& release = {},
                                          const PartDigests* known = nullptr);

// The same for a movie in several files (DASH, HLS): `init` is the initialization segment, which
// carries the store, and the fragments are all that belong to it, in any order (C2PA 2.4,
// A.5.4.1.2). Intact only when none is missing.
Result<CredentialReading> read_fragmented_credential(Bytes init,
                                                     const std::vector<FileView>& fragments,
                                                     Format format, const Trust& trust,
                                                     const PageRelease& release = {});

// The same for a store that lies beside the file.
CredentialReading read_detached(Bytes store, Bytes file, Format format, const Trust& trust);

}  // namespace colophon::label::provenance
