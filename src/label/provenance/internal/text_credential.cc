// SPDX-License-Identifier: Apache-2.0
// The range that the hash leaves out is signed before the signature is there, and how long it is
// depends on the signature's bytes: each below 16 takes three bytes in the file, the others four.
// So the range is as long as if all of them took four, and afterwards the padding of the
// signature's box, zeros that nobody signs, fills it to the byte. A zero takes three bytes; what is
// left, one or two, has to come from how the padding is written:
//
//   pad alone
//   pad and pad2           28 more and its zeros: one more than a multiple of three
//   pad of open length     8 more, its beginning and its end: two more than a multiple of three

#include "label/provenance/internal/text_credential.h"

#include "core/bytes.h"
#include "core/nfc.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cose.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/carriers.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/text_wrapper.h"
#include "label/provenance/signer.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kZeroBytes = 3;   // that a zero takes
constexpr std::size_t kLeastPad = 24;   // from here on its head is 16 or more in each byte
constexpr std::uint64_t kSpare = 400;   // of the file, for two pads where nothing else is left over
constexpr std::size_t kNearMisses = 4;  // sizes of boxes are bytes too, and change with the padding
constexpr std::size_t kShortPads = 40;

// The store with the signature padded so that it takes exactly so many bytes in the text.
class Filler {
public:
    Filler(const CredentialInput& input, const ManifestWriter& writer, Bytes claim, Bytes cose,
           std::uint64_t wanted)
        : input_(input), writer_(writer), claim_(claim), cose_(cose), wanted_(wanted) {}

    Result<Buffer> fill() const {
        for (std::size_t i = 0; i < kShortPads; ++i) {
            for (const bool open : {false, true}) {
                const auto pad2 = i == 0 ? std::nullopt : std::optional(kLeastPad + i - 1);
                auto store = TRY(try_with({.pad = 0, .pad2 = pad2, .open = open}));
                if (store) {
                    return std::move(*store);
                }
            }
        }
        return Error{ErrorCode::kLimit, "the claim signature cannot be padded"};
    }

private:
    // Of one way to write it: the length of `pad` that fits, when there is one.
    Result<std::optional<Buffer>> try_with(CosePadding padding) const {
        padding.pad = kLeastPad;
        const std::uint64_t least = text_wrapper_bytes(TRY(make(padding)));
        if (least > wanted_) {
            return std::optional<Buffer>();
        }
        const auto guess = kLeastPad + static_cast<std::size_t>(wanted_ - least) / kZeroBytes;
        for (std::size_t pad = std::max(kLeastPad, guess - kNearMisses); pad <= guess + kNearMisses;
             ++pad) {
            padding.pad = pad;
            Buffer store = TRY(make(padding));
            if (text_wrapper_bytes(store) == wanted_) {
                return std::optional(std::move(store));
            }
        }
        return std::optional<Buffer>();
    }

    Result<Buffer> make(const CosePadding& padding) const {
        const Buffer signature = TRY(repad_cose(cose_, padding));
        return make_store(input_, writer_.manifest(claim_, signature));
    }

    const CredentialInput& input_;
    const ManifestWriter& writer_;
    Bytes claim_;
    Bytes cose_;
    std::uint64_t wanted_;
};

// The text without any manifest, in form C.
Result<std::string> bare_text(Bytes file) {
    const Placement placement = TRY(place_in_text(file, {}));
    const Buffer whole = apply_splice(file, placement.splice);
    auto normal = to_nfc(
        as_text(Bytes(whole).first(static_cast<std::size_t>(placement.ranges.front().offset))));
    if (!normal.ok()) {
        return Error{ErrorCode::kUnsupported, normal.error().what};
    }
    return normal;
}

}  // namespace

Result<Credential> add_text_credential(Bytes file, const CredentialInput& input,
                                       const ManifestWriter& statements, ClaimSigner& signer) {
    const std::string text = TRY(bare_text(file));
    const Buffer content = hash(kWriterHash, as_bytes(text));
    const auto bound_to = [&](const ByteRange& range) {
        ManifestWriter writer = statements;
        writer.add("c2pa.hash.data", data_hash({range}, content));
        return writer;
    };
    const ManifestWriter measured = bound_to({.offset = text.size(), .size = 0});
    const Buffer largest = TRY(
        make_store(input, measured.manifest(measured.claim(), Buffer(signer.signature_bytes()))));
    const std::uint64_t room = text_wrapper_bytes(Buffer(largest.size(), 0xFF)) + kSpare;
    const ManifestWriter writer = bound_to({.offset = text.size(), .size = room});
    const Buffer claim = writer.claim();
    const Buffer signature = TRY(signer.sign(claim));
    const Buffer store = TRY(Filler(input, writer, claim, signature, room).fill());
    Placement placement = TRY(place_in_text(file, store));
    return Credential{.splice = std::move(placement.splice),
                      .manifest_label = writer.label(),
                      .where = {},
                      .written = {}};
}

}  // namespace colophon::label::provenance::internal
