// SPDX-License-Identifier: Apache-2.0
#pragma once

// A manifest that waits for its hard binding: signing is two passes, and both lay out the same
// statements around a hash that is zeros in the first (label/provenance/credential.h).

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/internal/claim_writer.h"

#include <string_view>

namespace colophon::label::provenance::internal {

// The hard binding of a carrier over a hash.
struct BoundHash {
    std::string_view label;
    cbor::Value value;
};

// Everything of one manifest but what the file's bytes decide.
struct Draft {
    const CredentialInput& input;
    ManifestWriter statements;

    struct Finished {
        ManifestWriter writer;
        Buffer claim;
    };
    Finished with(const BoundHash& binding) const {
        Finished finished{.writer = statements, .claim = {}};
        finished.writer.add(binding.label, binding.value);
        finished.claim = finished.writer.claim();
        return finished;
    }
    Result<Buffer> store(const Finished& finished, Bytes signature) const {
        return make_store(input, finished.writer.manifest(finished.claim, signature));
    }
};

}  // namespace colophon::label::provenance::internal
