// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 15.10.4 and 15.10.3.2.1: what an assertion keeps elsewhere, once somebody asked for it
// and a caller fetched it.

#include "core/bytes.h"
#include "core/result.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/jumbf.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kCloudData = "c2pa.cloud-data";
constexpr std::string_view kExternalReference = "c2pa.external-reference";
constexpr std::size_t kBoxHeader = 8;  // of JUMBF, which its hash leaves out (8.4.2.3)

class ExternalData {
public:
    ExternalData(const Context& context, Report& report) : context_(context), report_(report) {}

    void check(const Assertion& assertion) {
        const bool cloud = assertion.kind() == kCloudData;
        const cbor::Value* location = assertion.value ? assertion.value->find("location") : nullptr;
        const std::string* url = location == nullptr ? nullptr : location->text("url");
        // What is not hashed may be anything, so nobody needs to look.
        if (url == nullptr || (!cloud && location->find("hash") == nullptr)) {
            return;
        }
        const Question question{.url = *url, .request = {}};
        const Answer* answer = context_.trust.inquiry.find(question);
        if (answer == nullptr) {
            context_.ask(question);
            return;
        }
        if (!answer->failure.empty()) {
            report_.inform("assertion.inaccessible", assertion.uri, answer->failure);
            return;
        }
        if (is_as_declared(assertion, *location, *answer) &&
            hash_fits(assertion, *location, *answer) && label_fits(assertion, *answer)) {
            report_.success("assertion.hashedURI.match", *url);
            report_.success("assertion.accessible", assertion.uri);
        }
    }

private:
    bool is_as_declared(const Assertion& assertion, const cbor::Value& location,
                        const Answer& answer) {
        const bool cloud = assertion.kind() == kCloudData;
        const cbor::Value& sized = cloud ? *assertion.value : location;
        const std::uint64_t* size = sized.number("size");
        if (size != nullptr ? answer.bytes.size() != *size : cloud) {
            report_.fail("assertion.hashedURI.mismatch", assertion.uri,
                         "data elsewhere are not of the size that was signed");
            return false;
        }
        const std::string* type = location.text("dc:format");
        const std::string_view declared = type != nullptr ? std::string_view(*type)
                                          : cloud         ? "application/jumbf"
                                                          : "";
        if (!declared.empty() && answer.media_type != declared) {
            report_.fail("assertion.hashedURI.mismatch", assertion.uri,
                         "data elsewhere are not of the type that was signed");
            return false;
        }
        return true;
    }

    bool hash_fits(const Assertion& assertion, const cbor::Value& location, const Answer& answer) {
        const bool cloud = assertion.kind() == kCloudData;
        const std::string* named = location.text("alg");
        const auto algorithm = named == nullptr ? std::nullopt : parse_hash_algorithm(*named);
        if (!algorithm) {
            report_.fail("algorithm.unsupported", assertion.uri,
                         "a hash algorithm that is not allowed");
            return false;
        }
        const Bytes bytes(answer.bytes);
        const bool boxed = cloud && bytes.size() >= kBoxHeader;
        const Buffer* wanted = location.bytes("hash");
        if (wanted == nullptr ||
            hash(*algorithm, boxed ? bytes.subspan(kBoxHeader) : bytes) != *wanted) {
            report_.fail(cloud ? "assertion.hashedURI.mismatch"
                               : "assertion.external-reference.hashMismatch",
                         assertion.uri, "data elsewhere are not those that were signed");
            return false;
        }
        return true;
    }

    bool label_fits(const Assertion& assertion, const Answer& answer) {
        const std::string* label = assertion.value->text("label");
        if (label == nullptr) {
            return true;
        }
        const auto box = jumbf::parse(answer.bytes);
        if (!box.ok() || box->label != *label) {
            report_.fail(assertion.kind() == kCloudData
                             ? "assertion.cloud-data.labelMismatch"
                             : "assertion.external-reference.labelMismatch",
                         assertion.uri, "what lies elsewhere is another assertion");
            return false;
        }
        return true;
    }

    const Context& context_;
    Report& report_;
};

}  // namespace

void check_external_data(const Context& context, const std::vector<Assertion>& assertions,
                         Report& report) {
    ExternalData data(context, report);
    for (const Assertion& each : assertions) {
        if (each.kind() == kCloudData || each.kind() == kExternalReference) {
            data.check(each);
        }
    }
}

}  // namespace colophon::label::provenance::internal
