// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 15.10.3.3: whether what assertions refer to within the store is there and hashes to
// what they say; and 15.10.3.2.7, alternative representations of the content.

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kJumbfUri = "self#jumbf=";
constexpr std::string_view kAlternative = "c2pa.alternative-content-representation";
constexpr std::string_view kPreserved = "exif.originalPreservationImage";
constexpr std::string_view kMultiAsset = "c2pa.hash.multi-asset";

// Members that hold a hashed URI or a list of them, wherever in a standard assertion they stand.
// The manifest and the signature of an ingredient have rules of their own (15.11.3), and so have
// the parts of a multi-asset hash (15.12.4) and the image below (15.10.3.2.7).
constexpr std::array<std::string_view, 6> kReferences{
    "icon", "thumbnail", "data", "ingredient", "ingredients", "relatedAssertions"};

class References {
public:
    References(const Context& context, const Claim& claim, Report& report)
        : context_(context), claim_(claim), report_(report) {}

    // All that stand in the value, but for what "metadata" holds, which nobody validates.
    void walk(const cbor::Value& value, const std::string& uri) {
        if (const cbor::Array* list = value.if_array()) {
            for (const cbor::Value& each : *list) {
                walk(each, uri);
            }
        }
        const cbor::Map* map = value.if_map();
        for (const auto& [name, member] : map == nullptr ? cbor::Map{} : *map) {
            const std::string* text = name.if_text();
            if (text == nullptr || *text == "metadata") {
                continue;
            }
            if (std::ranges::find(kReferences, *text) != kReferences.end()) {
                check_member(member, uri);
            } else {
                walk(member, uri);
            }
        }
    }

private:
    void check_member(const cbor::Value& member, const std::string& uri) {
        const cbor::Array* list = member.if_array();
        if (list == nullptr) {
            check(member, uri);
            return;
        }
        for (const cbor::Value& each : *list) {
            check(each, uri);
        }
    }

    void check(const cbor::Value& value, const std::string& uri) {
        const cbor::Map* map = value.if_map();
        if (map == nullptr) {
            return;  // a claim of version 1 may hold a text there
        }
        const std::string* url = value.text("url");
        const bool reference = url != nullptr || value.find("hash") != nullptr;
        if (!reference) {
            walk(value, uri);
            return;
        }
        if (url == nullptr) {
            report_.fail("hashedURI.missing", uri, "a reference names no place");
            return;
        }
        if (!url->starts_with(kJumbfUri)) {
            return;  // elsewhere; not retrieved
        }
        if (context_.redacted.contains(absolute_uri(*claim_.manifest, *url))) {
            return;
        }
        const jumbf::Superbox* box = context_.store.resolve(*url, *claim_.manifest).box;
        if (box == nullptr) {
            report_.fail("hashedURI.missing", uri, "what a reference names is not there");
            return;
        }
        const auto algorithm = algorithm_of(value.text("alg"), claim_, uri, report_);
        const Buffer* wanted = value.bytes("hash");
        if (!algorithm) {
            return;
        }
        if (wanted == nullptr || hash(*algorithm, box->hashed) != *wanted) {
            report_.fail("hashedURI.mismatch", uri, "what a reference names was changed");
        }
    }

    const Context& context_;
    const Claim& claim_;
    Report& report_;
};

class Alternatives {
public:
    Alternatives(const Context& context, const Claim& claim,
                 const std::vector<Assertion>& assertions, Report& report)
        : context_(context), claim_(claim), assertions_(assertions), report_(report) {}

    void run() {
        std::size_t preserved = 0;
        for (const Assertion& each : assertions_) {
            if (each.kind() != kAlternative) {
                continue;
            }
            const std::string* type = each.value ? each.value->text("type") : nullptr;
            if (type == nullptr) {
                malformed(each, "an alternative representation names no type");
            } else if (*type == kPreserved && ++preserved > 1) {
                malformed(each, "there are two original preservation images");
            } else if (*type == kPreserved) {
                check(each);
            }
        }
    }

private:
    void malformed(const Assertion& assertion, std::string what) {
        report_.fail("assertion.alternativeContentRepresentation.malformed", assertion.uri,
                     std::move(what));
    }

    void check(const Assertion& assertion) {
        const cbor::Value* parameters = assertion.value->find("parameters");
        const cbor::Value* part =
            parameters == nullptr ? nullptr : parameters->find("multiAssetPartIndex");
        const cbor::Value* image =
            parameters == nullptr ? nullptr : parameters->find("embeddedOriginalPreservationImage");
        if ((part == nullptr) == (image == nullptr)) {
            malformed(assertion, "an original preservation image is either a part or embedded");
            return;
        }
        const bool good =
            part != nullptr ? part_is_there(assertion, *part) : image_is_there(assertion, *image);
        if (good) {
            report_.success("assertion.alternativeContentRepresentation.match", assertion.uri);
        }
    }

    // Nobody can say that of an ingredient, whose file is not here.
    bool part_is_there(const Assertion& assertion, const cbor::Value& index) {
        if (claim_.manifest != &context_.store.active()) {
            return false;
        }
        const auto row = std::ranges::find(assertions_, kMultiAsset, &Assertion::kind);
        const cbor::Array* parts =
            row == assertions_.end() || !row->value ? nullptr : row->value->array("parts");
        const std::uint64_t* number = index.if_unsigned();
        if (parts == nullptr || number == nullptr || *number >= parts->size()) {
            malformed(assertion, "the part that is the original preservation image is not listed");
            return false;
        }
        return true;
    }

    bool image_is_there(const Assertion& assertion, const cbor::Value& value) {
        const auto uri = read_hashed_uri(&value);
        if (!uri) {
            malformed(assertion, "the original preservation image has no address or no hash");
            return false;
        }
        const jumbf::Superbox* box = context_.store.resolve(uri->url, *claim_.manifest).box;
        if (box == nullptr) {
            report_.fail("assertion.alternativeContentRepresentation.missing", assertion.uri,
                         "the original preservation image is not there");
            return false;
        }
        const auto algorithm = algorithm_of(uri->algorithm ? &*uri->algorithm : nullptr, claim_,
                                            assertion.uri, report_);
        if (!algorithm) {
            return false;
        }
        if (hash(*algorithm, box->hashed) != uri->hash) {
            report_.fail("assertion.alternativeContentRepresentation.hashMismatch", assertion.uri,
                         "the original preservation image was changed");
            return false;
        }
        return true;
    }

    const Context& context_;
    const Claim& claim_;
    const std::vector<Assertion>& assertions_;
    Report& report_;
};

}  // namespace

void check_references(const Context& context, const Claim& claim,
                      const std::vector<Assertion>& assertions, Report& report) {
    References references(context, claim, report);
    if (const cbor::Value* info = claim.value.find("claim_generator_info")) {
        references.walk(*info, claim.uri(claim.box->label));
    }
    for (const Assertion& each : assertions) {
        if (each.value && each.kind().starts_with("c2pa.")) {
            references.walk(*each.value, each.uri);
        }
    }
    Alternatives(context, claim, assertions, report).run();
}

}  // namespace colophon::label::provenance::internal
