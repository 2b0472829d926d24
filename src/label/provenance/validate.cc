// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/validate.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/internal/live_video.h"
#include "label/provenance/internal/session_key.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/ocsp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using internal::Assertion;
using internal::Claim;
using internal::Content;
using internal::Context;
using internal::Report;

constexpr std::string_view kUntrusted = "signingCredential.untrusted";

// One ingredient assertion somewhere in the lineage.
struct Ingredient {
    const Manifest* owner = nullptr;
    std::string uri;
    const Manifest* manifest = nullptr;  // nullptr: none, or one that is not in the store
    std::optional<HashedUri> manifest_uri;
    std::optional<HashedUri> signature_uri;
    bool parent = false;
    bool input = false;
    bool names_signature = false;    // of the version that has to
    std::set<std::string> recorded;  // "code url-tail" of what is known already
};

std::string tail(std::string_view url) {
    return std::string(url.substr(std::min(url.rfind('/'), url.size() - 1) + 1));
}

std::string key_of(std::string_view code, std::string_view url) {
    return fmt::format("{} {}", code, url.empty() ? std::string() : tail(url));
}

void record(const cbor::Value* list, std::set<std::string>& recorded) {
    const cbor::Array* statuses = list == nullptr ? nullptr : list->if_array();
    for (const cbor::Value& each : statuses == nullptr ? cbor::Array{} : *statuses) {
        if (const std::string* code = each.text("code")) {
            const std::string* url = each.text("url");
            recorded.insert(key_of(*code, url == nullptr ? std::string_view() : *url));
        }
    }
}

void record_all(const cbor::Value* codes, std::set<std::string>& recorded) {
    for (const std::string_view name : {"success", "informational", "failure"}) {
        record(codes == nullptr ? nullptr : codes->find(name), recorded);
    }
}

// What the assertion says a validator found when the ingredient was taken in.
std::set<std::string> recorded_of(const cbor::Value& assertion) {
    std::set<std::string> recorded;
    record(assertion.find("validationStatus"), recorded);
    if (const cbor::Value* results = assertion.find("validationResults")) {
        record_all(results->find("activeManifest"), recorded);
        const cbor::Array* deltas = results->array("ingredientDeltas");
        for (const cbor::Value& each : deltas == nullptr ? cbor::Array{} : *deltas) {
            record_all(each.find("validationDeltas"), recorded);
        }
    }
    return recorded;
}

class Validator {
public:
    Validator(const ManifestStore& store, const Trust& trust, std::vector<Question>& questions)
        : context_{.store = store,
                   .trust = trust,
                   .redacted = {},
                   .time_stamps = {},
                   .certificate_statuses = {},
                   .questions = questions} {}

    void run(const Content& content, CredentialReading& reading) {
        gather();
        const Manifest& active = context_.store.active();
        Report report;
        auto checked = check_manifest(active, report, &reading);
        if (checked) {
            bind(*checked, content, report, reading);
        }
        reading.statuses = report.take();
        for (const Ingredient& each : ingredients_) {
            reading.ingredients.push_back(check_ingredient(each));
        }
        reading.state = judge(reading);
        // 15.10.4.1: never for a claim that is rejected.
        if (checked && trust_asks() && reading.state != CredentialState::kInvalid) {
            Report more;
            internal::check_external_data(context_, checked->assertions, more);
            const std::vector<Status> found = more.take();
            reading.statuses.insert(reading.statuses.end(), found.begin(), found.end());
            reading.state = judge(reading);
        }
    }

    // Of the active manifest, after run().
    std::optional<cbor::Value> take_segment() { return std::move(segment_); }
    std::vector<internal::SessionKey> take_keys() { return std::move(keys_); }

private:
    bool trust_asks() const { return context_.trust.inquiry.external_data; }

    struct Checked {
        Claim claim;
        std::vector<Assertion> assertions;
    };

    // 15.11.3.3: all ingredients below the active manifest, and all that was redacted.
    void gather() {
        std::vector<std::pair<const Manifest*, std::set<std::string>>> open{
            {&context_.store.active(), {}}};
        std::set<const Manifest*> seen{open.front().first};
        while (!open.empty()) {
            const auto [manifest, known] = std::move(open.back());
            open.pop_back();
            Report unheard;
            const auto claim = internal::read_claim(*manifest, unheard);
            if (!claim) {
                continue;
            }
            for (const std::string& uri : claim->redacted) {
                context_.redacted.insert(internal::absolute_uri(*manifest, uri));
            }
            for (const Assertion& each : internal::check_assertions(context_, *claim, unheard)) {
                take_stamps(each);
                take_statuses(each);
                if (!internal::is_ingredient(each.kind()) || !each.value) {
                    continue;
                }
                Ingredient ingredient = read_ingredient(*manifest, each);
                ingredient.recorded.insert(known.begin(), known.end());
                if (ingredient.manifest != nullptr && seen.insert(ingredient.manifest).second) {
                    open.emplace_back(ingredient.manifest, ingredient.recorded);
                }
                ingredients_.push_back(std::move(ingredient));
            }
        }
    }

    void take_stamps(const Assertion& assertion) {
        if (assertion.kind() != "c2pa.time-stamp" || !assertion.value ||
            assertion.value->if_map() == nullptr) {
            return;
        }
        for (const auto& [name, token] : *assertion.value->if_map()) {
            if (name.if_text() != nullptr && token.if_bytes() != nullptr) {
                context_.time_stamps[*name.if_text()].push_back(*token.if_bytes());
            }
        }
    }

    void take_statuses(const Assertion& assertion) {
        if (assertion.kind() != "c2pa.certificate-status" || !assertion.value) {
            return;
        }
        const cbor::Array* list = assertion.value->array("ocspVals");
        for (const cbor::Value& each : list == nullptr ? cbor::Array{} : *list) {
            if (each.if_bytes() != nullptr &&
                context_.certificate_statuses.size() < kOcspResponsesMax) {
                context_.certificate_statuses.push_back(*each.if_bytes());
            }
        }
    }

    Ingredient read_ingredient(const Manifest& owner, const Assertion& assertion) const {
        const cbor::Value& value = *assertion.value;
        Ingredient ingredient;
        ingredient.owner = &owner;
        ingredient.uri = assertion.uri;
        const cbor::Value* uri = value.find("activeManifest");
        ingredient.manifest_uri =
            read_hashed_uri(uri != nullptr ? uri : value.find("c2pa_manifest"));
        ingredient.signature_uri = read_hashed_uri(value.find("claimSignature"));
        if (ingredient.manifest_uri) {
            ingredient.manifest =
                context_.store.resolve(ingredient.manifest_uri->url, owner).manifest;
        }
        ingredient.names_signature = assertion.kind() == "c2pa.ingredient.v3";
        const std::string* relationship = value.text("relationship");
        ingredient.parent = relationship != nullptr && *relationship == "parentOf";
        ingredient.input = relationship != nullptr && *relationship == "inputTo";
        ingredient.recorded = recorded_of(value);
        return ingredient;
    }

    std::optional<Checked> check_manifest(const Manifest& manifest, Report& report,
                                          CredentialReading* reading) {
        if (manifest.kind == ManifestKind::kCompressed) {
            report.fail("manifest.compressed.invalid", {},
                        "this version reads no compressed manifests");
            return std::nullopt;
        }
        if (manifest.kind == ManifestKind::kUnknown) {
            report.fail("claim.malformed", {}, "a manifest of a kind that is not known");
            return std::nullopt;
        }
        auto claim = internal::read_claim(manifest, report);
        if (!claim) {
            return std::nullopt;
        }
        if (manifest.kind == ManifestKind::kTimeStamp) {
            report.fail("general.error", claim->uri(claim->box->label),
                        "a manifest that only brings a time stamp, as older versions had them, "
                        "counts for nothing");
        }
        const internal::SignatureFacts facts = internal::check_signature(context_, *claim, report);
        auto assertions = internal::check_assertions(context_, *claim, report);
        internal::check_rules(context_, *claim, assertions, report);
        internal::check_references(context_, *claim, assertions, report);
        internal::check_session_keys(assertions, facts.certificate, report);
        if (reading != nullptr) {
            describe(*claim, assertions, facts, *reading);
            take_live_facts(assertions, facts.certificate);
        }
        return Checked{.claim = std::move(*claim), .assertions = std::move(assertions)};
    }

    void take_live_facts(const std::vector<Assertion>& assertions, Bytes certificate) {
        for (const Assertion& each : assertions) {
            if (each.kind() == "c2pa.livevideo.segment") {
                segment_ = each.value;
            } else if (each.kind() == internal::kSessionKeys && each.value) {
                keys_ = internal::read_session_keys(*each.value, certificate)
                            .value_or(std::vector<internal::SessionKey>());
            }
        }
    }

    // 15.12: the binding of the first standard manifest on the way up. What the manifests in
    // between and that one say of the content holds too: update manifests only add to it.
    void bind(const Checked& active, const Content& content, Report& report,
              CredentialReading& reading) {
        if (active.claim.manifest->kind != ManifestKind::kUpdate) {
            internal::check_binding(active.claim, active.assertions, content, report);
            return;
        }
        Content updated = content;
        updated.updated = true;
        const Manifest* manifest = active.claim.manifest;
        for (std::size_t step = 0; step < context_.store.manifests().size(); ++step) {
            manifest = parent_of(*manifest);
            Report unheard;
            const auto claim = manifest == nullptr ? std::optional<Claim>()
                                                   : internal::read_claim(*manifest, unheard);
            if (!claim) {
                break;
            }
            const auto assertions = internal::check_assertions(context_, *claim, unheard);
            describe_assertions(assertions, reading);
            if (manifest->kind == ManifestKind::kStandard) {
                internal::check_binding(*claim, assertions, updated, report);
                return;
            }
        }
        report.fail("claim.hardBindings.missing", active.claim.uri(active.claim.box->label));
    }

    const Manifest* parent_of(const Manifest& manifest) const {
        for (const Ingredient& each : ingredients_) {
            if (each.owner == &manifest && each.parent) {
                return each.manifest;
            }
        }
        return nullptr;
    }

    IngredientReport check_ingredient(const Ingredient& ingredient) {
        IngredientReport out{.assertion_uri = ingredient.uri, .manifest_label = {}, .statuses = {}};
        Report report;
        if (!ingredient.manifest_uri) {
            if (!ingredient.input) {
                report.inform("ingredient.unknownProvenance", ingredient.uri);
            }
        } else if (ingredient.manifest == nullptr) {
            report.fail("ingredient.manifest.missing", ingredient.uri);
        } else if (ingredient.manifest->kind == ManifestKind::kTimeStamp) {
            out.manifest_label = ingredient.manifest->label();  // 15.11.2.3: to be ignored
        } else {
            out.manifest_label = ingredient.manifest->label();
            check_link(ingredient, report);
            check_manifest(*ingredient.manifest, report, nullptr);
        }
        for (Status& each : report.take()) {
            if (!ingredient.recorded.contains(key_of(each.code, each.url))) {
                out.statuses.push_back(std::move(each));
            }
        }
        return out;
    }

    // 15.11.3.3.1 and 15.11.3.3.2: whether the manifest is the one that was taken in. Redaction
    // changes a manifest, so then its signature stands for it.
    void check_link(const Ingredient& ingredient, Report& report) const {
        const std::string prefix =
            fmt::format("self#jumbf=/{}/{}/", kStoreLabel, ingredient.manifest->label());
        const bool redacted = std::ranges::any_of(
            context_.redacted, [&](const std::string& uri) { return uri.starts_with(prefix); });
        if (!redacted) {
            compare(*ingredient.manifest_uri, *ingredient.manifest->box, "ingredient.manifest",
                    ingredient.uri, report);
            return;
        }
        const jumbf::Superbox* signature =
            ingredient.signature_uri
                ? context_.store.resolve(ingredient.signature_uri->url, *ingredient.owner).box
                : nullptr;
        if (signature != nullptr) {
            compare(*ingredient.signature_uri, *signature, "ingredient.claimSignature",
                    ingredient.uri, report);
        } else if (ingredient.signature_uri || ingredient.names_signature) {
            report.fail("ingredient.claimSignature.missing", ingredient.uri);
        }
        check_redactions(prefix, *ingredient.manifest, report);
    }

    static void compare(const HashedUri& uri, const jumbf::Superbox& box, std::string_view what,
                        const std::string& at, Report& report) {
        const auto algorithm = uri.algorithm ? parse_hash_algorithm(*uri.algorithm)
                                             : std::optional(HashAlgorithm::kSha256);
        if (!algorithm) {
            report.fail("algorithm.unsupported", at);
        } else if (hash(*algorithm, box.hashed) != uri.hash) {
            report.fail(fmt::format("{}.mismatch", what), at);
        } else {
            report.success(fmt::format("{}.validated", what), at);
        }
    }

    // A redacted assertion may be there, but only as zeros.
    void check_redactions(const std::string& prefix, const Manifest& manifest,
                          Report& report) const {
        for (const std::string& uri : context_.redacted) {
            if (!uri.starts_with(prefix)) {
                continue;
            }
            const jumbf::Superbox* box = context_.store.resolve(uri, manifest).box;
            if (box == nullptr) {
                continue;
            }
            const bool empty =
                std::ranges::all_of(box->contents, [](const jumbf::ContentBox& each) {
                    return std::ranges::all_of(each.data, [](auto byte) { return byte == 0; });
                });
            if (!empty) {
                report.fail("assertion.notRedacted", uri);
            }
        }
    }

    static CredentialState judge(const CredentialReading& reading) {
        bool trusted = std::ranges::any_of(reading.statuses, [](const Status& each) {
            return each.code == "signingCredential.trusted";
        });
        const auto look = [&](const std::vector<Status>& statuses) {
            bool valid = true;
            for (const Status& each : statuses) {
                if (each.kind == StatusKind::kFailure) {
                    trusted = false;
                    valid = valid && each.code == kUntrusted;
                }
            }
            return valid;
        };
        bool valid = look(reading.statuses);
        for (const IngredientReport& each : reading.ingredients) {
            valid = look(each.statuses) && valid;
        }
        return !valid    ? CredentialState::kInvalid
               : trusted ? CredentialState::kTrusted
                         : CredentialState::kValid;
    }

    static void describe(const Claim& claim, const std::vector<Assertion>& assertions,
                         const internal::SignatureFacts& facts, CredentialReading& reading) {
        reading.manifest_label = claim.manifest->label();
        reading.signer = facts.signer;
        reading.organization = facts.organization;
        reading.issuer = facts.issuer;
        reading.algorithm = facts.algorithm;
        reading.signed_at = facts.signed_at;
        reading.time_authority = facts.time_authority;
        if (const std::string* title = claim.value.text("dc:title")) {
            reading.title = *title;
        }
        reading.generator = generator_of(claim.value);
        describe_assertions(assertions, reading);
    }

    static void describe_assertions(const std::vector<Assertion>& assertions,
                                    CredentialReading& reading) {
        for (const Assertion& each : assertions) {
            if (each.value) {
                describe_assertion(each, reading);
            }
        }
    }

    static std::string generator_of(const cbor::Value& claim) {
        const cbor::Value* info = claim.find("claim_generator_info");
        if (info != nullptr && info->if_array() != nullptr && !info->if_array()->empty()) {
            info = &info->if_array()->front();
        }
        const std::string* name = info == nullptr ? nullptr : info->text("name");
        if (name == nullptr) {
            const std::string* old = claim.text("claim_generator");
            return old == nullptr ? std::string() : *old;
        }
        const std::string* version = info->text("version");
        return version == nullptr ? *name : fmt::format("{} {}", *name, *version);
    }

    static void describe_assertion(const Assertion& assertion, CredentialReading& reading) {
        if (internal::is_actions(assertion.kind())) {
            const cbor::Array* list = assertion.value->array("actions");
            for (const cbor::Value& each : list == nullptr ? cbor::Array{} : *list) {
                describe_action(each, reading);
            }
        } else if (assertion.kind() == internal::kAigcAssertion &&
                   assertion.value->if_map() != nullptr && reading.aigc.empty()) {
            json::Object object;
            for (const auto& [name, value] : *assertion.value->if_map()) {
                if (name.if_text() != nullptr && value.if_text() != nullptr) {
                    object.emplace_back(*name.if_text(), *value.if_text());
                }
            }
            reading.aigc = json::write(object);
        } else if (assertion.kind() == "c2pa.soft-binding") {
            const std::string* algorithm = assertion.value->text("alg");
            const cbor::Array* blocks = assertion.value->array("blocks");
            for (const cbor::Value& each : blocks == nullptr ? cbor::Array{} : *blocks) {
                const Buffer* value = each.bytes("value");
                if (algorithm != nullptr && value != nullptr) {
                    reading.soft_bindings.push_back({.algorithm = *algorithm, .value = *value});
                }
            }
        }
    }

    static void describe_action(const cbor::Value& value, CredentialReading& reading) {
        ActionReading action;
        if (const std::string* name = value.text("action")) {
            action.name = *name;
        }
        if (const std::string* type = value.text("digitalSourceType")) {
            action.source_type = *type;
        }
        const cbor::Value* when = value.find("when");
        if (when != nullptr && when->if_tagged() != nullptr &&
            when->if_tagged()->value->if_text() != nullptr) {
            action.when = *when->if_tagged()->value->if_text();
        }
        if (reading.source_type.empty()) {
            reading.source_type = action.source_type;
        }
        reading.actions.push_back(std::move(action));
    }

    Context context_;
    std::vector<Ingredient> ingredients_;
    std::optional<cbor::Value> segment_;
    std::vector<internal::SessionKey> keys_;
};

void validate(Bytes store_bytes, const Content& content, const Trust& trust,
              CredentialReading& reading, internal::LivePart* live = nullptr) {
    reading.validated_at = trust.now;
    const auto store = ManifestStore::create(store_bytes);
    if (!store.ok()) {
        const bool named = !content.problem_code.empty();
        reading.statuses.push_back(
            {.kind = StatusKind::kFailure,
             .code = named ? content.problem_code : std::string("general.error"),
             .url = {},
             .what = named ? content.store_problem : store.error().what});
        return;
    }
    reading.manifests = store->manifests().size();
    Validator validator(*store, trust, reading.questions);
    validator.run(content, reading);
    if (live != nullptr) {
        live->segment = validator.take_segment();
        live->keys = validator.take_keys();
    }
}

}  // namespace

namespace internal {

bool binding_holds(Bytes store, const Content& content) {
    CredentialReading reading;
    validate(store, content, Trust{}, reading);
    return std::ranges::any_of(reading.statuses, [](const Status& each) {
        return each.kind == StatusKind::kSuccess && each.code.ends_with("Hash.match");
    });
}

}  // namespace internal

std::string_view credential_state_name(CredentialState state) noexcept {
    constexpr std::array<std::string_view, 3> kNames{"invalid", "valid", "trusted"};
    return kNames[static_cast<std::size_t>(state)];
}

namespace {

Result<CredentialReading> read_found(const FileView& view, const std::vector<FileView>* fragments,
                                     Format format, const Trust& trust,
                                     internal::LivePart* live = nullptr) {
    CredentialReading reading;
    const Carrier* carrier = find_carrier(format);
    if (carrier == nullptr) {
        return reading;
    }
    auto found = TRY(carrier->find(view.whole()));
    if (!found) {
        return reading;
    }
    reading.found = true;
    reading.where = found->where;
    reading.store = std::move(found->store);
    const Content content{.view = view,
                          .format = format,
                          .store_ranges = found->ranges,
                          .store_problem = found->problem,
                          .problem_code = found->code,
                          .updated = false,
                          .detached = false,
                          .fragments = fragments};
    validate(reading.store, content, trust, reading, live);
    // A failure of an ingredient makes it invalid whatever the fragments say.
    const auto matters = [](const Status& each) {
        return each.kind == StatusKind::kFailure && each.code != kUntrusted;
    };
    const bool below = std::ranges::any_of(reading.ingredients, [&](const IngredientReport& each) {
        return std::ranges::any_of(each.statuses, matters);
    });
    const auto first = std::ranges::find_if(reading.statuses, matters);
    reading.needs_fragments = !below && first != reading.statuses.end() &&
                              first->what == internal::kFragmentsElsewhere &&
                              std::none_of(first + 1, reading.statuses.end(), matters);
    return reading;
}

}  // namespace

Result<CredentialReading> read_credential(Bytes file, Format format, const Trust& trust,
                                          const PageRelease& release, const PartDigests* known) {
    return read_found(FileView(file, release, known), nullptr, format, trust);
}

Result<CredentialReading> read_fragmented_credential(Bytes init,
                                                     const std::vector<FileView>& fragments,
                                                     Format format, const Trust& trust,
                                                     const PageRelease& release) {
    const FileView view(init, release);
    return internal::is_live_video(fragments)
               ? internal::read_live_video(view, fragments, format, trust)
               : read_found(view, &fragments, format, trust);
}

Result<internal::LivePart> internal::read_live_part(const FileView& file, Format format,
                                                    const Trust& trust) {
    LivePart part;
    part.reading = TRY(read_found(file, nullptr, format, trust, &part));
    return part;
}

CredentialReading read_detached(Bytes store, Bytes file, Format format, const Trust& trust) {
    CredentialReading reading;
    reading.found = true;
    reading.where = "detached";
    reading.store = to_buffer(store);
    const Content content{.view = FileView(file),
                          .format = format,
                          .store_ranges = {},
                          .store_problem = {},
                          .problem_code = {},
                          .updated = false,
                          .detached = true};
    validate(reading.store, content, trust, reading);
    return reading;
}

}  // namespace colophon::label::provenance
