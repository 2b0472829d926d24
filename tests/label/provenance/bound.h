// SPDX-License-Identifier: Apache-2.0
#pragma once

// Credentials with bindings that we check and do not write: whatever assertion a test makes over
// the file with the place of its store.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"

#include <doctest/doctest.h>

#include <functional>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::test {

// The assertion over a file whose store lies in these ranges; as long for every file of one size.
using MakeBinding =
    std::function<cbor::Value(Bytes file, const std::vector<ByteRange>& store_ranges)>;

// A file with a store in it, and where it lies.
struct PlacedStore {
    Buffer file;
    std::vector<ByteRange> ranges;
};
using PlaceStore = std::function<PlacedStore(Bytes store)>;

inline PlaceStore usual_place(Bytes file, Format format) {
    return [file, format](Bytes store) {
        const Placement placement = find_carrier(format)->place(file, store).value();
        return PlacedStore{.file = apply_splice(file, placement.splice),
                           .ranges = placement.ranges};
    };
}

inline Buffer sign_bound(const PlaceStore& place, Format format, std::string_view label,
                         const MakeBinding& binding, ClaimSigner& signer,
                         const CredentialInput& wanted = input()) {
    internal::ManifestWriter statements(wanted);
    REQUIRE(internal::add_statements(wanted, format, statements).ok());
    const auto store_of = [&](const cbor::Value& assertion, bool finished) {
        internal::ManifestWriter writer = statements;
        writer.add(label, assertion);
        const Buffer claim = writer.claim();
        const Buffer signature =
            finished ? signer.sign(claim).value() : Buffer(signer.signature_bytes());
        return internal::make_store(wanted, writer.manifest(claim, signature)).value();
    };
    PlacedStore placed = place(Buffer(16));
    const Buffer zeros = store_of(binding(placed.file, placed.ranges), false);
    placed = place(zeros);
    const Buffer store = store_of(binding(placed.file, placed.ranges), true);
    REQUIRE(store.size() == zeros.size());
    return place(store).file;
}

}  // namespace colophon::label::provenance::test
