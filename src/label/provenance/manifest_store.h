// SPDX-License-Identifier: Apache-2.0
#pragma once

// A C2PA manifest store (C2PA 2.4, chapter 11) taken apart, without judging what is in it:
//
//   c2pa "c2pa"                                  the store
//    └ c2ma "urn:c2pa:..."                       a manifest; the last one is the active one
//       ├ c2as "c2pa.assertions"                 one box for each assertion
//       ├ c2cl "c2pa.claim.v2"                   CBOR
//       └ c2cs "c2pa.signature"                  COSE_Sign1

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/jumbf.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance {

inline constexpr std::string_view kStoreLabel = "c2pa";
inline constexpr std::string_view kAssertionsLabel = "c2pa.assertions";
inline constexpr std::string_view kClaimLabel = "c2pa.claim.v2";
inline constexpr std::string_view kOldClaimLabel = "c2pa.claim";
inline constexpr std::string_view kSignatureLabel = "c2pa.signature";

// kTimeStamp: of older versions (11.2.5), which nobody is to write or read any more.
enum class ManifestKind : std::uint8_t { kStandard, kUpdate, kCompressed, kTimeStamp, kUnknown };

struct Manifest {
    const jumbf::Superbox* box = nullptr;
    ManifestKind kind = ManifestKind::kUnknown;

    const std::string& label() const noexcept { return box->label; }
    const jumbf::Superbox* assertion_store() const noexcept { return box->find(kAssertionsLabel); }
    // The boxes of that C2PA type.
    std::vector<const jumbf::Superbox*> of_type(std::string_view letters) const;
};

class ManifestStore {
public:
    // `bytes` must outlive the store. kCorrupt, kLimit as jumbf::parse(); kCorrupt also when it is
    // a superbox of another kind, or two manifests have one label.
    static Result<ManifestStore> create(Bytes bytes);

    // In store order; never empty.
    const std::vector<Manifest>& manifests() const noexcept { return manifests_; }
    const Manifest& active() const noexcept { return manifests_.back(); }
    const Manifest* find(std::string_view label) const noexcept;

    // The superbox that a JUMBF URI means: "self#jumbf=/c2pa/MANIFEST/..." from the store, or
    // "self#jumbf=c2pa.assertions/..." from `from`. nullptr when there is none.
    struct Target {
        const Manifest* manifest = nullptr;
        const jumbf::Superbox* box = nullptr;
    };
    Target resolve(std::string_view uri, const Manifest& from) const noexcept;

private:
    explicit ManifestStore(jumbf::Superbox root);
    // On the heap, so that the pointers into it survive a move.
    std::shared_ptr<const jumbf::Superbox> root_;
    std::vector<Manifest> manifests_;
};

// A reference with a hash, as assertions and claims hold them.
struct HashedUri {
    std::string url;
    std::optional<std::string> algorithm;
    Buffer hash;
};
// Nothing when it is no such map.
std::optional<HashedUri> read_hashed_uri(const cbor::Value* value);
cbor::Value write_hashed_uri(std::string_view url, HashAlgorithm algorithm, Bytes hash);

// "c2pa.ingredient.v3__2" is the third assertion "c2pa.ingredient.v3".
std::string_view without_instance(std::string_view label) noexcept;

}  // namespace colophon::label::provenance
