// SPDX-License-Identifier: Apache-2.0
#pragma once

// The steps of validation, each on one manifest, each adding its status codes to a report. Which
// manifests are visited, and in which order, is decided in validate.cc.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/validate.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {

// Bounded: beyond limits::kStatusCodesMax a failure is still remembered, its text is not. Each code
// is one of all_status_codes(), and of the kind that this says (asserted).
class Report {
public:
    void success(std::string_view code, std::string url, std::string what = {}) {
        add(StatusKind::kSuccess, code, std::move(url), std::move(what));
    }
    void inform(std::string_view code, std::string url, std::string what = {}) {
        add(StatusKind::kInformational, code, std::move(url), std::move(what));
    }
    void fail(std::string_view code, std::string url, std::string what = {}) {
        add(StatusKind::kFailure, code, std::move(url), std::move(what));
    }
    bool has(std::string_view code) const noexcept;
    const std::vector<Status>& statuses() const noexcept { return statuses_; }
    void append(Report other);
    std::vector<Status> take() { return std::move(statuses_); }

private:
    void add(StatusKind kind, std::string_view code, std::string url, std::string what);
    std::vector<Status> statuses_;
};

// A claim, taken apart and found complete.
struct Claim {
    const Manifest* manifest = nullptr;
    const jumbf::Superbox* box = nullptr;
    Bytes bytes;  // CBOR, as it is signed
    cbor::Value value;
    bool old = false;  // version 1
    std::optional<HashAlgorithm> algorithm;
    // All assertions that it references, created before gathered.
    std::vector<HashedUri> assertions;
    std::vector<std::string> redacted;  // as written

    std::string uri(std::string_view below) const;  // "self#jumbf=/c2pa/MANIFEST/BELOW"
};

// An assertion that is there and hashes to what the claim says.
struct Assertion {
    std::string label;  // with its instance number
    std::string uri;
    const jumbf::Superbox* box = nullptr;
    std::optional<cbor::Value> value;  // of CBOR assertions

    std::string_view kind() const noexcept { return without_instance(label); }
};

// What the whole store contributes to the judgement of one manifest.
struct Context {
    const ManifestStore& store;
    const Trust& trust;
    std::set<std::string> redacted;  // absolute URIs, of all claims
    // "c2pa.time-stamp" assertions: tokens by manifest label.
    std::map<std::string, std::vector<Buffer>, std::less<>> time_stamps;
    // "c2pa.certificate-status" assertions: OCSP responses, about whichever certificates.
    std::vector<Buffer> certificate_statuses;
    // What the caller is to ask; grows while manifests are judged.
    std::vector<Question>& questions;

    void ask(const Question& question) const;
};

std::string absolute_uri(const Manifest& manifest, std::string_view uri);
// The algorithm that a reference names, or what encloses it does (`named` nullptr); fails
// "algorithm.unsupported".
std::optional<HashAlgorithm> algorithm_of(const std::string* named, const Claim& claim,
                                          const std::string& url, Report& report);

// 15.6: locates and reads the claim; nothing when that fails.
std::optional<Claim> read_claim(const Manifest& manifest, Report& report);

// 15.10: the assertions; those that are good.
std::vector<Assertion> check_assertions(const Context& context, const Claim& claim, Report& report);
// 15.10.1 and 15.10.3.2: which assertions a manifest must and must not have, and what is in them.
void check_rules(const Context& context, const Claim& claim,
                 const std::vector<Assertion>& assertions, Report& report);

// 15.10.3.2.7 and 15.10.3.3: what assertions and the claim refer to within the store.
void check_references(const Context& context, const Claim& claim,
                      const std::vector<Assertion>& assertions, Report& report);

// 15.10.4: cloud data and external references, of a claim that holds.
void check_external_data(const Context& context, const std::vector<Assertion>& assertions,
                         Report& report);

// 15.7 to 15.9.
struct SignatureFacts {
    std::string signer;
    std::string organization;
    std::string issuer;
    std::string algorithm;
    std::optional<Time> signed_at;
    std::string time_authority;
    Buffer certificate;  // of the signer, DER
};
SignatureFacts check_signature(const Context& context, const Claim& claim, Report& report);

// 15.12: whether the file's bytes are those that the manifest was made for. `updated`: the binding
// is of a manifest below update manifests, so the store has grown since.
struct Content {
    FileView view;
    Format format;
    std::vector<ByteRange> store_ranges;
    std::string store_problem;
    std::string problem_code;  // empty: that of the hash
    bool updated = false;
    bool detached = false;       // the store lies outside the file
    bool without_store = false;  // a part of a file whose store lies in another part
    // Of a movie in several files, `view` being its initialization segment; nullptr: one file.
    const std::vector<FileView>* fragments = nullptr;
};
void check_binding(const Claim& claim, const std::vector<Assertion>& assertions,
                   const Content& content, Report& report);
// One hard binding: of the file, or of a part of it.
void check_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                Report& report);

// Whether the binding that counts for the active manifest of the store fits the content, whatever
// else may be wrong with either.
bool binding_holds(Bytes store, const Content& content);

// What is said of a beginning without its fragments.
inline constexpr std::string_view kFragmentsElsewhere =
    "the fragments of the movie lie in other files; they are checked with this one (verify "
    "--fragments)";

bool is_hard_binding(std::string_view kind) noexcept;
bool is_ingredient(std::string_view kind) noexcept;
bool is_actions(std::string_view kind) noexcept;

}  // namespace colophon::label::provenance::internal
