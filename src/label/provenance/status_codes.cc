// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/status_codes.h"

#include "label/provenance/credential.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::label::provenance {
namespace {

using enum StatusKind;

constexpr std::array kCodes{
    StatusCode{"algorithm.deprecated", kInformational, std::nullopt},
    StatusCode{"algorithm.unsupported", kFailure, kFailure},
    StatusCode{"assertion.accessible", kSuccess, kSuccess},
    StatusCode{"assertion.action.ingredientMismatch", kFailure, kFailure},
    StatusCode{"assertion.action.malformed", kFailure, kFailure},
    StatusCode{"assertion.action.redacted", kFailure, kFailure},
    StatusCode{"assertion.action.redactionMismatch", kFailure, kFailure},
    StatusCode{"assertion.action.softBindingMissing", kFailure, kFailure},
    StatusCode{"assertion.alternativeContentRepresentation.hashMismatch", kFailure, kFailure},
    StatusCode{"assertion.alternativeContentRepresentation.malformed", kFailure, kFailure},
    StatusCode{"assertion.alternativeContentRepresentation.match", kSuccess, kSuccess},
    StatusCode{"assertion.alternativeContentRepresentation.missing", kFailure, kFailure},
    StatusCode{"assertion.bmffHash.additionalExclusionsPresent", kInformational, kInformational},
    StatusCode{"assertion.bmffHash.malformed", kFailure, kFailure},
    StatusCode{"assertion.bmffHash.match", kSuccess, kSuccess},
    StatusCode{"assertion.bmffHash.mismatch", kFailure, kFailure},
    StatusCode{"assertion.boxesHash.additionalExclusionsPresent", kInformational, kInformational},
    StatusCode{"assertion.boxesHash.malformed", kFailure, kFailure},
    StatusCode{"assertion.boxesHash.match", kSuccess, kSuccess},
    StatusCode{"assertion.boxesHash.mismatch", kFailure, kFailure},
    StatusCode{"assertion.boxesHash.unknownBox", kFailure, kFailure},
    StatusCode{"assertion.cbor.invalid", kFailure, kFailure},
    StatusCode{"assertion.cloud-data.actions", kFailure, kFailure},
    StatusCode{"assertion.cloud-data.hardBinding", kFailure, kFailure},
    StatusCode{"assertion.cloud-data.labelMismatch", kFailure, kFailure},
    StatusCode{"assertion.cloud-data.malformed", kFailure, kFailure},
    StatusCode{"assertion.collectionHash.incorrectFileCount", kFailure, kFailure},
    StatusCode{"assertion.collectionHash.invalidURI", kFailure, kFailure},
    StatusCode{"assertion.collectionHash.malformed", kFailure, kFailure},
    StatusCode{"assertion.collectionHash.match", kSuccess, kSuccess},
    StatusCode{"assertion.collectionHash.mismatch", kFailure, kFailure},
    StatusCode{"assertion.dataHash.additionalExclusionsPresent", kInformational, kInformational},
    StatusCode{"assertion.dataHash.malformed", kFailure, kFailure},
    StatusCode{"assertion.dataHash.match", kSuccess, kSuccess},
    StatusCode{"assertion.dataHash.mismatch", kFailure, kFailure},
    StatusCode{"assertion.dataHash.redacted", kFailure, std::nullopt},
    StatusCode{"assertion.external-reference.created", kFailure, std::nullopt},
    StatusCode{"assertion.external-reference.hashMismatch", kFailure, kFailure},
    StatusCode{"assertion.external-reference.labelMismatch", kFailure, kFailure},
    StatusCode{"assertion.external-reference.malformed", kFailure, kFailure},
    StatusCode{"assertion.hardBinding.redacted", kFailure, kFailure},
    StatusCode{"assertion.hashedURI.match", kSuccess, kSuccess},
    StatusCode{"assertion.hashedURI.mismatch", kFailure, kFailure},
    StatusCode{"assertion.inaccessible", kFailure, kInformational},
    StatusCode{"assertion.ingredient.malformed", kFailure, kFailure},
    StatusCode{"assertion.json.invalid", kFailure, kFailure},
    StatusCode{"assertion.missing", kFailure, kFailure},
    StatusCode{"assertion.multiAssetHash.malformed", kFailure, kFailure},
    StatusCode{"assertion.multiAssetHash.match", kSuccess, kSuccess},
    StatusCode{"assertion.multiAssetHash.mismatch", kFailure, kFailure},
    StatusCode{"assertion.multiAssetHash.missingPart", kFailure, kFailure},
    StatusCode{"assertion.multipleHardBindings", kFailure, kFailure},
    StatusCode{"assertion.notRedacted", kFailure, kFailure},
    StatusCode{"assertion.outsideManifest", kFailure, kFailure},
    StatusCode{"assertion.selfRedacted", kFailure, kFailure},
    StatusCode{"assertion.timestamp.malformed", kFailure, kFailure},
    StatusCode{"assertion.undeclared", kFailure, kFailure},
    StatusCode{"claim.cbor.invalid", kFailure, kFailure},
    StatusCode{"claim.hardBindings.missing", kFailure, kFailure},
    StatusCode{"claim.malformed", kFailure, kFailure},
    StatusCode{"claim.missing", kFailure, kFailure},
    StatusCode{"claim.multiple", kFailure, kFailure},
    StatusCode{"claimSignature.insideValidity", kSuccess, kSuccess},
    StatusCode{"claimSignature.mismatch", kFailure, kFailure},
    StatusCode{"claimSignature.missing", kFailure, kFailure},
    StatusCode{"claimSignature.outsideValidity", kFailure, kFailure},
    StatusCode{"claimSignature.validated", kSuccess, kSuccess},
    StatusCode{"general.error", kFailure, kFailure},
    StatusCode{"hashedURI.mismatch", kFailure, kFailure},
    StatusCode{"hashedURI.missing", kFailure, kFailure},
    StatusCode{"ingredient.claimSignature.mismatch", kFailure, kFailure},
    StatusCode{"ingredient.claimSignature.missing", kFailure, kFailure},
    StatusCode{"ingredient.claimSignature.validated", kSuccess, kSuccess},
    StatusCode{"ingredient.manifest.mismatch", kFailure, kFailure},
    StatusCode{"ingredient.manifest.missing", kFailure, kFailure},
    StatusCode{"ingredient.manifest.validated", kSuccess, kSuccess},
    StatusCode{"ingredient.unknownProvenance", kInformational, kInformational},
    StatusCode{"livevideo.assertion.invalid", kFailure, kFailure},
    StatusCode{"livevideo.continuityMethod.invalid", kFailure, kFailure},
    StatusCode{"livevideo.init.invalid", kFailure, kFailure},
    StatusCode{"livevideo.manifest.invalid", kFailure, kFailure},
    StatusCode{"livevideo.segment.invalid", kFailure, kFailure},
    StatusCode{"livevideo.sessionkey.invalid", kFailure, kFailure},
    StatusCode{"manifest.compressed.invalid", kFailure, kFailure},
    StatusCode{"manifest.html.multipleManifests", kFailure, kFailure},
    StatusCode{"manifest.inaccessible", kFailure, kFailure},
    StatusCode{"manifest.multipleParents", kFailure, kFailure},
    StatusCode{"manifest.structuredText.emptyReference", kFailure, kFailure},
    StatusCode{"manifest.structuredText.malformedReference", kFailure, kFailure},
    StatusCode{"manifest.structuredText.multipleReferences", kFailure, kFailure},
    StatusCode{"manifest.structuredText.noManifest", kFailure, kFailure},
    StatusCode{"manifest.structuredText.noResolutionPath", kFailure, kFailure},
    StatusCode{"manifest.text.corruptedWrapper", kFailure, kFailure},
    StatusCode{"manifest.text.multipleWrappers", kFailure, kFailure},
    StatusCode{"manifest.timestamp.invalid", kFailure, kFailure},
    StatusCode{"manifest.timestamp.wrongParents", kFailure, kFailure},
    StatusCode{"manifest.update.invalid", kFailure, kFailure},
    StatusCode{"manifest.update.wrongParents", kFailure, kFailure},
    StatusCode{"signingCredential.invalid", kFailure, kFailure},
    StatusCode{"signingCredential.ocsp.inaccessible", kInformational, kInformational},
    StatusCode{"signingCredential.ocsp.notRevoked", kSuccess, kSuccess},
    StatusCode{"signingCredential.ocsp.revoked", kFailure, kFailure},
    StatusCode{"signingCredential.ocsp.skipped", kInformational, kInformational},
    StatusCode{"signingCredential.ocsp.unknown", kInformational, kInformational},
    StatusCode{"signingCredential.trusted", kSuccess, kSuccess},
    StatusCode{"signingCredential.untrusted", kFailure, kFailure},
    StatusCode{"timeOfSigning.insideValidity", kInformational, kInformational},
    StatusCode{"timeOfSigning.outsideValidity", kInformational, kInformational},
    StatusCode{"timeStamp.credentialInvalid", kInformational, kInformational},
    StatusCode{"timeStamp.malformed", kInformational, kInformational},
    StatusCode{"timeStamp.mismatch", kInformational, kInformational},
    StatusCode{"timeStamp.outsideValidity", kInformational, kInformational},
    StatusCode{"timeStamp.trusted", kSuccess, kSuccess},
    StatusCode{"timeStamp.untrusted", kInformational, kInformational},
    StatusCode{"timeStamp.validated", kSuccess, kSuccess},
};
static_assert(std::ranges::is_sorted(kCodes, {}, &StatusCode::code));

}  // namespace

std::span<const StatusCode> all_status_codes() noexcept {
    return kCodes;
}

const StatusCode* find_status_code(std::string_view code) noexcept {
    const auto row = std::ranges::lower_bound(kCodes, code, {}, &StatusCode::code);
    return row == kCodes.end() || row->code != code ? nullptr : &*row;
}

}  // namespace colophon::label::provenance
