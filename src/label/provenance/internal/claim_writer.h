// SPDX-License-Identifier: Apache-2.0
#pragma once

// Builds one manifest: assertions, claim, a place for the signature.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/manifest_store.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {

inline constexpr HashAlgorithm kWriterHash = HashAlgorithm::kSha256;
inline constexpr std::string_view kSpecVersion = "2.4.0";
// Our own assertion: the seven fields of the TC260 object, in the namespace of who defined them.
inline constexpr std::string_view kAigcAssertion = "cn.org.tc260.aigc";

// "urn:c2pa:UUID" and "xmp:iid:UUID" from random bytes (RFC 9562, version 4).
std::string uuid_text(std::array<std::uint8_t, 16> random);

class ManifestWriter {
public:
    // kStandard or kUpdate.
    explicit ManifestWriter(const CredentialInput& input,
                            ManifestKind kind = ManifestKind::kStandard);

    // The assertion's box, in the order of the calls, and its URI. `created`: the signer vouches
    // for it; otherwise it was gathered from elsewhere.
    enum class Attribution : std::uint8_t { kCreated, kGathered };
    void add(std::string_view label, const cbor::Value& value,
             Attribution attribution = Attribution::kCreated);

    const std::string& label() const noexcept { return label_; }
    // A hashed URI of an assertion that was added.
    cbor::Value reference(std::string_view label) const;

    // The claim over what was added.
    Buffer claim() const;
    // The manifest's superbox.
    Buffer manifest(Bytes claim, Bytes signature) const;

private:
    struct Written {
        std::string label;
        Buffer box;
        Buffer hash;
        Attribution attribution;
    };
    const CredentialInput& input_;
    ManifestKind kind_;
    std::string label_;
    std::vector<Written> assertions_;
};

// The assertions that follow from the input alone, all but the hard binding: ingredient, actions,
// disclosure, soft bindings, the TC260 record.
Result<void> add_statements(const CredentialInput& input, Format format, ManifestWriter& writer);

// What an update manifest says (C2PA 2.4, 11.2.3): which manifest it adds to, that the file was
// passed on, and the TC260 record. input.upstream is there (asserted).
Result<void> add_update_statements(const CredentialInput& input, Format format,
                                   ManifestWriter& writer);

// A store with the manifests of the credential that was there, and this one behind them.
Result<Buffer> make_store(const CredentialInput& input, Bytes manifest);

// c2pa.hash.bmff.v3.
cbor::Value bmff_hash(Bytes hash);

// c2pa.hash.data, of a length that depends on the number of ranges and nothing else. Without ranges
// it covers the whole file.
cbor::Value data_hash(const std::vector<ByteRange>& ranges, Bytes hash);

}  // namespace colophon::label::provenance::internal
