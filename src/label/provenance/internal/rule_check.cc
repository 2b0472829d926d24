// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 15.10.1 and 15.10.3.2: which assertions a manifest must and must not have, and what
// must be in them.

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/manifest_store.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

bool is_parent(const Assertion& assertion) {
    const std::string* relationship = assertion.value && is_ingredient(assertion.kind())
                                          ? assertion.value->text("relationship")
                                          : nullptr;
    return relationship != nullptr && *relationship == "parentOf";
}

// Assertions that no reference to somewhere else may stand for.
bool must_be_embedded(std::string_view kind) noexcept {
    return is_hard_binding(kind) || is_actions(kind) || is_ingredient(kind) ||
           kind == "c2pa.hash.multi-asset" || kind == "c2pa.cloud-data" ||
           kind == "c2pa.external-reference";
}

class Rules {
public:
    Rules(const Context& context, const Claim& claim, const std::vector<Assertion>& assertions,
          Report& report)
        : context_(context), claim_(claim), assertions_(assertions), report_(report) {}

    // 15.10.1.2.
    void standard() {
        const auto bindings =
            count([](const Assertion& each) { return is_hard_binding(each.kind()); });
        // A binding that is there but was changed has its failure already.
        const bool referenced = std::ranges::any_of(claim_.assertions, [](const HashedUri& each) {
            return is_hard_binding(
                without_instance(std::string_view(each.url).substr(each.url.rfind('/') + 1)));
        });
        if (!referenced) {
            report_.fail("claim.hardBindings.missing", claim_.uri(claim_.box->label));
        } else if (bindings > 1) {
            report_.fail("assertion.multipleHardBindings", claim_.uri(kAssertionsLabel));
        }
        if (count(is_parent) > 1) {
            report_.fail("manifest.multipleParents", claim_.uri(claim_.box->label));
        }
    }

    // 15.10.1.3.
    void update() {
        const auto ingredients =
            count([](const Assertion& each) { return is_ingredient(each.kind()); });
        if (ingredients != 1 || count(is_parent) != 1) {
            report_.fail("manifest.update.wrongParents", claim_.uri(claim_.box->label));
        }
        const auto forbidden = count([](const Assertion& each) {
            return is_hard_binding(each.kind()) || each.kind() == "c2pa.hash.multi-asset" ||
                   each.kind().starts_with("c2pa.thumbnail.");
        });
        if (forbidden != 0 || has_foreign_action()) {
            report_.fail("manifest.update.invalid", claim_.uri(claim_.box->label));
        }
    }

    // Time-stamp manifests: their parent and nothing else.
    void time_stamp_manifest() {
        const auto ingredients =
            count([](const Assertion& each) { return is_ingredient(each.kind()); });
        if (ingredients != 1 || count(is_parent) != 1) {
            report_.fail("manifest.timestamp.wrongParents", claim_.uri(claim_.box->label));
        }
        if (ingredients != assertions_.size()) {
            report_.fail("manifest.timestamp.invalid", claim_.uri(claim_.box->label));
        }
    }

    // 11.2.3: those that leave the content as it is.
    bool has_foreign_action() const {
        constexpr std::array<std::string_view, 4> kAllowed{"c2pa.edited.metadata", "c2pa.opened",
                                                           "c2pa.published", "c2pa.redacted"};
        for (const Assertion& each : assertions_) {
            const cbor::Array* list =
                is_actions(each.kind()) && each.value ? each.value->array("actions") : nullptr;
            for (const cbor::Value& action : list == nullptr ? cbor::Array{} : *list) {
                const std::string* name = action.text("action");
                if (name == nullptr || std::ranges::find(kAllowed, *name) == kAllowed.end()) {
                    return true;
                }
            }
        }
        return false;
    }

    // 15.10.3.2.3.
    void actions(const Assertion& assertion) {
        const cbor::Array* list = assertion.value ? assertion.value->array("actions") : nullptr;
        if (list == nullptr || list->empty()) {
            report_.fail("assertion.action.malformed", assertion.uri);
            return;
        }
        for (std::size_t i = 0; i < list->size(); ++i) {
            const std::string* name = (*list)[i].text("action");
            if (name == nullptr) {
                report_.fail("assertion.action.malformed", assertion.uri);
                continue;
            }
            action(assertion, (*list)[i], *name, i);
        }
    }

    // 15.10.3.2.1 and 15.10.3.2.2, without fetching anything.
    void external(const Assertion& assertion) {
        const bool cloud = assertion.kind() == "c2pa.cloud-data";
        const std::string_view malformed =
            cloud ? "assertion.cloud-data.malformed" : "assertion.external-reference.malformed";
        const cbor::Value* location = assertion.value ? assertion.value->find("location") : nullptr;
        const bool complete = location != nullptr && location->text("url") != nullptr &&
                              (!cloud || (assertion.value->text("label") != nullptr &&
                                          assertion.value->find("size") != nullptr));
        if (!complete) {
            report_.fail(malformed, assertion.uri);
            return;
        }
        // Of what is not hashed, neither stands there.
        const bool half = (location->find("alg") == nullptr) != (location->find("hash") == nullptr);
        if (!cloud && half) {
            report_.fail(malformed, assertion.uri);
        }
        const std::string* label = assertion.value->text("label");
        const std::string_view kind = label == nullptr ? "" : without_instance(*label);
        if (!must_be_embedded(kind)) {
            return;
        }
        if (cloud && claim_.manifest->kind == ManifestKind::kUpdate && is_actions(kind)) {
            report_.fail("assertion.cloud-data.actions", assertion.uri);
            return;
        }
        report_.fail(cloud ? "assertion.cloud-data.hardBinding" : malformed, assertion.uri);
    }

    // 15.10.3.2.6. What the tokens are worth is told with the signatures that they are for.
    void time_stamp(const Assertion& assertion) {
        const cbor::Map* tokens = assertion.value ? assertion.value->if_map() : nullptr;
        if (tokens == nullptr || tokens->empty()) {
            report_.fail("assertion.timestamp.malformed", assertion.uri);
        }
    }

    // 15.11.3.2.
    void ingredient(const Assertion& assertion) {
        constexpr std::array<std::string_view, 3> kKnown{"parentOf", "componentOf", "inputTo"};
        const std::string* relationship =
            assertion.value ? assertion.value->text("relationship") : nullptr;
        const bool known =
            relationship != nullptr && std::ranges::find(kKnown, *relationship) != kKnown.end();
        const bool both = assertion.value && assertion.value->find("activeManifest") != nullptr &&
                          assertion.value->find("digitalSourceType") != nullptr;
        const bool unjudged = assertion.kind() == "c2pa.ingredient.v3" && assertion.value &&
                              assertion.value->find("activeManifest") != nullptr &&
                              assertion.value->find("validationResults") == nullptr;
        if (!known || both || unjudged) {
            report_.fail("assertion.ingredient.malformed", assertion.uri);
        }
    }

    // A claim of version 2 begins with how the file came to be.
    void inception() {
        const auto first = std::ranges::find_if(
            assertions_, [](const Assertion& each) { return is_actions(each.kind()); });
        const cbor::Array* list =
            first == assertions_.end() || !first->value ? nullptr : first->value->array("actions");
        const std::string* name =
            list == nullptr || list->empty() ? nullptr : list->front().text("action");
        const bool starts = name != nullptr && (*name == "c2pa.created" || *name == "c2pa.opened");
        if (!starts) {
            report_.fail("assertion.action.malformed", claim_.uri(kAssertionsLabel),
                         "the first action is neither c2pa.created nor c2pa.opened");
        }
    }

private:
    template <class Test>
    std::size_t count(Test test) const {
        return static_cast<std::size_t>(std::ranges::count_if(assertions_, test));
    }

    void action(const Assertion& assertion, const cbor::Value& value, const std::string& name,
                std::size_t index) {
        const cbor::Value* parameters = value.find("parameters");
        if (name == "c2pa.created" || name == "c2pa.opened") {
            const auto first = std::ranges::find_if(
                assertions_, [](const Assertion& each) { return is_actions(each.kind()); });
            // A claim of version 1 may say both.
            if (!claim_.old && (&*first != &assertion || index != 0)) {
                report_.fail("assertion.action.malformed", assertion.uri);
            }
        }
        if (name == "c2pa.opened" || name == "c2pa.placed" || name == "c2pa.removed") {
            needed_ingredients(assertion, parameters, name);
        } else if (name == "c2pa.transcoded" || name == "c2pa.repackaged") {
            if (parameters != nullptr && ingredients_of(*parameters) != nullptr) {
                needed_ingredients(assertion, parameters, name);
            }
        }
        if (name == "c2pa.watermarked" || name == "c2pa.watermarked.bound") {
            if (count([](const Assertion& e) { return e.kind() == "c2pa.soft-binding"; }) == 0 &&
                !claim_.old) {
                report_.fail("assertion.action.softBindingMissing", assertion.uri);
            }
        }
        if (name == "c2pa.redacted") {
            redaction(assertion, parameters);
        }
        if (parameters != nullptr && parameters->find("relatedAssertions") != nullptr) {
            related(assertion, *parameters);
        }
    }

    static const cbor::Value* ingredients_of(const cbor::Value& parameters) {
        const cbor::Value* list = parameters.find("ingredients");
        return list != nullptr ? list : parameters.find("ingredient");
    }

    const Assertion* resolve(const HashedUri& uri) const {
        const auto* box = context_.store.resolve(uri.url, *claim_.manifest).box;
        const auto row = std::ranges::find(assertions_, box, &Assertion::box);
        return box == nullptr || row == assertions_.end() ? nullptr : &*row;
    }

    void needed_ingredients(const Assertion& assertion, const cbor::Value* parameters,
                            const std::string& name) {
        const cbor::Value* member = parameters == nullptr ? nullptr : ingredients_of(*parameters);
        std::vector<std::optional<HashedUri>> uris;
        if (member != nullptr && member->if_array() != nullptr) {
            for (const cbor::Value& each : *member->if_array()) {
                uris.push_back(read_hashed_uri(&each));
            }
        } else if (member != nullptr && member->if_map() != nullptr) {
            uris.push_back(read_hashed_uri(member));
        }
        const std::string_view wanted =
            name == "c2pa.placed" || name == "c2pa.removed" ? "componentOf" : "parentOf";
        bool good = !uris.empty() && (name != "c2pa.opened" || uris.size() == 1);
        for (const auto& uri : uris) {
            good = good && uri && fits(*uri, wanted, name);
        }
        // Claims of version 1 named ingredients in other ways too.
        if (!good && !claim_.old) {
            report_.fail("assertion.action.ingredientMismatch", assertion.uri);
        }
    }

    bool fits(const HashedUri& uri, std::string_view relationship, std::string_view action) {
        if (action == "c2pa.removed") {
            return context_.store.resolve(uri.url, *claim_.manifest).box != nullptr;
        }
        const Assertion* target = resolve(uri);
        if (target == nullptr || !target->value || !is_ingredient(target->kind())) {
            return false;
        }
        const auto algorithm =
            uri.algorithm ? parse_hash_algorithm(*uri.algorithm) : claim_.algorithm;
        const std::string* found = target->value->text("relationship");
        return algorithm && hash(*algorithm, target->box->hashed) == uri.hash && found != nullptr &&
               *found == relationship;
    }

    void redaction(const Assertion& assertion, const cbor::Value* parameters) {
        const std::string* uri = parameters == nullptr ? nullptr : parameters->text("redacted");
        if (uri == nullptr || !context_.redacted.contains(absolute_uri(*claim_.manifest, *uri))) {
            report_.fail("assertion.action.redactionMismatch", assertion.uri);
        }
    }

    void related(const Assertion& assertion, const cbor::Value& parameters) {
        const cbor::Array* list = parameters.array("relatedAssertions");
        if (list == nullptr || list->empty()) {
            report_.fail("assertion.action.malformed", assertion.uri);
            return;
        }
        for (const cbor::Value& each : *list) {
            const auto uri = read_hashed_uri(&each);
            const Assertion* target = uri ? resolve(*uri) : nullptr;
            if (target == nullptr || is_ingredient(target->kind()) || is_actions(target->kind())) {
                report_.fail("assertion.action.malformed", assertion.uri);
            }
        }
    }

    const Context& context_;
    const Claim& claim_;
    const std::vector<Assertion>& assertions_;
    Report& report_;
};

}  // namespace

void check_rules(const Context& context, const Claim& claim,
                 const std::vector<Assertion>& assertions, Report& report) {
    Rules rules(context, claim, assertions, report);
    if (claim.manifest->kind == ManifestKind::kUpdate) {
        rules.update();
    } else if (claim.manifest->kind == ManifestKind::kTimeStamp) {
        rules.time_stamp_manifest();
    } else {
        rules.standard();
        if (!claim.old) {
            rules.inception();
        }
    }
    for (const Assertion& each : assertions) {
        if (is_actions(each.kind())) {
            rules.actions(each);
        } else if (is_ingredient(each.kind())) {
            rules.ingredient(each);
        } else if (each.kind() == "c2pa.cloud-data" || each.kind() == "c2pa.external-reference") {
            rules.external(each);
        } else if (each.kind() == "c2pa.time-stamp") {
            rules.time_stamp(each);
        }
    }
}

}  // namespace colophon::label::provenance::internal
