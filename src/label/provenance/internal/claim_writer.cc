// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/claim_writer.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::uint64_t kDateTag = 0;  // RFC 8949 3.4.1: an RFC 3339 date and time
constexpr std::string_view kGenerator = "Colophon";
constexpr std::string_view kGenerated =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
constexpr std::string_view kComposite =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";
constexpr std::string_view kGeneratedText =
    "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData";

constexpr std::string_view kActions = "c2pa.actions.v2";
constexpr std::string_view kIngredient = "c2pa.ingredient.v3";
constexpr std::string_view kSoftBinding = "c2pa.soft-binding";

// What the model is called, or the program that writes this where nobody says.
cbor::Value software_agent(const CredentialInput& input) {
    cbor::Map agent;
    if (input.system_name.empty()) {
        agent.emplace_back("name", kGenerator);
        agent.emplace_back("version", COLOPHON_VERSION);
    } else {
        agent.emplace_back("name", input.system_name);
        if (!input.system_version.empty()) {
            agent.emplace_back("version", input.system_version);
        }
    }
    return agent;
}

cbor::Map action(const CredentialInput& input, std::string_view name) {
    return {{"action", name}, {"when", cbor::tagged(kDateTag, format_time(input.now))}};
}

std::string_view source_type(const CredentialInput& input, Format format) {
    if (input.origin == Origin::kEdited) {
        return kComposite;
    }
    return is_written_text(format) ? kGeneratedText : kGenerated;
}

cbor::Map status_maps(const std::vector<Status>& statuses) {
    constexpr std::array<std::pair<StatusKind, std::string_view>, 3> kLists{
        {{StatusKind::kSuccess, "success"},
         {StatusKind::kInformational, "informational"},
         {StatusKind::kFailure, "failure"}}};
    cbor::Map map;
    for (const auto& [kind, name] : kLists) {
        cbor::Array list;
        for (const Status& each : statuses) {
            if (each.kind != kind) {
                continue;
            }
            cbor::Map entry{{"code", each.code}};
            if (!each.url.empty()) {
                entry.emplace_back("url", each.url);
            }
            list.emplace_back(std::move(entry));
        }
        map.emplace_back(name, std::move(list));
    }
    return map;
}

// What a validator found when the file was taken in, down to the first of its line: whoever judges
// the new credential counts only what is new.
cbor::Map validation_results(const Upstream& upstream) {
    cbor::Map results{{"activeManifest", status_maps(upstream.statuses)},
                      {"specVersion", kSpecVersion}};
    cbor::Array deltas;
    for (const IngredientReport& each : upstream.ingredients) {
        if (!each.statuses.empty()) {
            deltas.emplace_back(cbor::Map{{"ingredientAssertionURI", each.assertion_uri},
                                          {"validationDeltas", status_maps(each.statuses)}});
        }
    }
    if (!deltas.empty()) {
        results.emplace_back("ingredientDeltas", std::move(deltas));
    }
    return results;
}

// [spec 18.16] What the file was before: with its credential where it had one.
Result<cbor::Value> ingredient(const CredentialInput& input, Format format) {
    cbor::Map map{{"relationship", "parentOf"}, {"dc:format", facts(format).media_type}};
    if (input.upstream) {
        const ManifestStore store = TRY(ManifestStore::create(input.upstream->store));
        const Manifest& active = store.active();
        const std::string uri = fmt::format("self#jumbf=/c2pa/{}", active.label());
        map.emplace_back("activeManifest",
                         write_hashed_uri(uri, kWriterHash, hash(kWriterHash, active.box->hashed)));
        if (const jumbf::Superbox* signature = active.box->find(kSignatureLabel)) {
            map.emplace_back("claimSignature",
                             write_hashed_uri(fmt::format("{}/{}", uri, kSignatureLabel),
                                              kWriterHash, hash(kWriterHash, signature->hashed)));
        }
        map.emplace_back("validationResults", validation_results(*input.upstream));
    }
    return cbor::Value(std::move(map));
}

// The file has a past that we did not make: somebody's credential, or we only pass it on.
bool has_parent(const CredentialInput& input) {
    return input.upstream.has_value() || !input.as_producer || input.origin == Origin::kSuspected;
}

cbor::Map opened(const CredentialInput& input, const ManifestWriter& writer) {
    cbor::Map opened = action(input, "c2pa.opened");
    opened.emplace_back("parameters",
                        cbor::Map{{"ingredients", cbor::Array{writer.reference(kIngredient)}}});
    return opened;
}

cbor::Array actions(const CredentialInput& input, Format format, const ManifestWriter& writer) {
    cbor::Array list;
    const bool knows_origin = input.as_producer && input.origin != Origin::kSuspected;
    if (has_parent(input)) {
        list.emplace_back(opened(input, writer));
        if (knows_origin) {
            cbor::Map edited = action(input, "c2pa.edited");
            edited.emplace_back("digitalSourceType", source_type(input, format));
            edited.emplace_back("softwareAgent", software_agent(input));
            list.emplace_back(std::move(edited));
        }
        list.emplace_back(action(input, "c2pa.edited.metadata"));
    } else {
        cbor::Map created = action(input, "c2pa.created");
        created.emplace_back("digitalSourceType", source_type(input, format));
        created.emplace_back("softwareAgent", software_agent(input));
        list.emplace_back(std::move(created));
    }
    if (!input.soft_bindings.empty()) {
        cbor::Map bound = action(input, "c2pa.watermarked.bound");
        bound.emplace_back("parameters", cbor::Map{{"relatedAssertions",
                                                    cbor::Array{writer.reference(kSoftBinding)}}});
        list.emplace_back(std::move(bound));
    }
    return list;
}

// 2.4, 18.28. That a person wrote the prompt is the most that a service knows of its users.
cbor::Value disclosure(const CredentialInput& input) {
    cbor::Map map{{"modelType", "c2pa.types.model"},
                  {"contentProfile", cbor::Map{{"humanOversightLevel", "prompt_guided"}}}};
    if (!input.system_name.empty()) {
        map.emplace_back("modelName", input.system_name);
        if (!input.system_version.empty()) {
            map.emplace_back("modelIdentifier",
                             fmt::format("{}/{}", input.system_name, input.system_version));
        }
    }
    return map;
}

// [SB942-22757.3] Provider and number of the content; system and time stand in the actions.
// The seven fields as they stand in the metadata label, so that both worlds say the same.
Result<cbor::Value> aigc_record(std::string_view text) {
    const json::Value value = TRY(json::parse(text));
    const json::Object* object = value.if_object();
    COLOPHON_ASSERT(object != nullptr);
    cbor::Map map;
    for (const auto& [name, member] : *object) {
        if (const std::string* field = member.if_string()) {
            map.emplace_back(name, *field);
        }
    }
    return cbor::Value(std::move(map));
}

std::string numbered(std::string_view label, std::size_t index) {
    return index == 0 ? std::string(label) : fmt::format("{}__{}", label, index);
}

}  // namespace

std::string uuid_text(std::array<std::uint8_t, 16> random) {
    random[6] = static_cast<std::uint8_t>((random[6] & 0x0FU) | 0x40U);
    random[8] = static_cast<std::uint8_t>((random[8] & 0x3FU) | 0x80U);
    const std::string hex = to_hex(random);
    return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                       hex.substr(16, 4), hex.substr(20));
}

ManifestWriter::ManifestWriter(const CredentialInput& input, ManifestKind kind)
    : input_(input), kind_(kind), label_("urn:c2pa:" + uuid_text(input.manifest_id)) {}

void ManifestWriter::add(std::string_view label, const cbor::Value& value,
                         Attribution attribution) {
    Buffer content;
    jumbf::append_box(content, "cbor", cbor::encode(value));
    Written written{.label = std::string(label), .box = {}, .hash = {}, .attribution = attribution};
    jumbf::append_superbox(written.box, "cbor", label, content);
    written.hash = hash(kWriterHash, Bytes(written.box).subspan(8));
    assertions_.push_back(std::move(written));
}

cbor::Value ManifestWriter::reference(std::string_view label) const {
    const auto row = std::ranges::find(assertions_, label, &Written::label);
    COLOPHON_ASSERT(row != assertions_.end());
    return write_hashed_uri(fmt::format("self#jumbf={}/{}", kAssertionsLabel, label), kWriterHash,
                            row->hash);
}

Buffer ManifestWriter::claim() const {
    cbor::Array created;
    cbor::Array gathered;
    for (const Written& each : assertions_) {
        (each.attribution == Attribution::kCreated ? created : gathered)
            .push_back(reference(each.label));
    }
    cbor::Map claim{{"instanceID", "xmp:iid:" + uuid_text(input_.instance_id)},
                    {"claim_generator_info", cbor::Map{{"name", kGenerator},
                                                       {"version", COLOPHON_VERSION},
                                                       {"specVersion", kSpecVersion}}},
                    {"signature", fmt::format("self#jumbf=/c2pa/{}/{}", label_, kSignatureLabel)},
                    {"created_assertions", std::move(created)},
                    {"alg", hash_algorithm_name(kWriterHash)}};
    if (!gathered.empty()) {
        claim.emplace_back("gathered_assertions", std::move(gathered));
    }
    if (!input_.title.empty()) {
        claim.emplace_back("dc:title", input_.title);
    }
    return cbor::encode(claim);
}

Buffer ManifestWriter::manifest(Bytes claim, Bytes signature) const {
    Buffer boxes;
    for (const Written& each : assertions_) {
        append(boxes, each.box);
    }
    Buffer content;
    jumbf::append_superbox(content, "c2as", kAssertionsLabel, boxes);
    Buffer claim_box;
    jumbf::append_box(claim_box, "cbor", claim);
    jumbf::append_superbox(content, "c2cl", kClaimLabel, claim_box);
    Buffer signature_box;
    jumbf::append_box(signature_box, "cbor", signature);
    jumbf::append_superbox(content, "c2cs", kSignatureLabel, signature_box);
    Buffer out;
    jumbf::append_superbox(out, kind_ == ManifestKind::kUpdate ? "c2um" : "c2ma", label_, content);
    return out;
}

Result<void> add_statements(const CredentialInput& input, Format format, ManifestWriter& writer) {
    if (has_parent(input)) {
        writer.add(kIngredient, TRY(ingredient(input, format)));
    }
    for (std::size_t i = 0; i < input.soft_bindings.size(); ++i) {
        const SoftBinding& each = input.soft_bindings[i];
        writer.add(
            numbered(kSoftBinding, i),
            cbor::Map{
                {"alg", each.algorithm},
                {"pad", Buffer{}},
                {"blocks", cbor::Array{cbor::Map{{"scope", cbor::Map{}}, {"value", each.value}}}}});
    }
    writer.add(kActions, cbor::Map{{"actions", actions(input, format, writer)},
                                   {"allActionsIncluded", true}});
    if (input.as_producer && input.origin != Origin::kSuspected) {
        writer.add("c2pa.ai-disclosure", disclosure(input));
    }
    if (!input.aigc.empty()) {
        writer.add(kAigcAssertion, TRY(aigc_record(input.aigc)));
    }
    return {};
}

Result<void> add_update_statements(const CredentialInput& input, Format format,
                                   ManifestWriter& writer) {
    COLOPHON_ASSERT(input.upstream.has_value());
    writer.add(kIngredient, TRY(ingredient(input, format)));
    writer.add(
        kActions,
        cbor::Map{{"actions", cbor::Array{opened(input, writer), action(input, "c2pa.published")}},
                  {"allActionsIncluded", true}});
    if (!input.aigc.empty()) {
        writer.add(kAigcAssertion, TRY(aigc_record(input.aigc)));
    }
    return {};
}

Result<Buffer> make_store(const CredentialInput& input, Bytes manifest) {
    Buffer content;
    if (input.upstream) {
        const ManifestStore store = TRY(ManifestStore::create(input.upstream->store));
        for (const Manifest& each : store.manifests()) {
            append(content, each.box->whole);
        }
    }
    append(content, manifest);
    Buffer out;
    jumbf::append_superbox(out, "c2pa", kStoreLabel, content);
    return out;
}

cbor::Value bmff_hash(Bytes hash) {
    return cbor::Map{{"exclusions", write_bmff_exclusions(standard_bmff_exclusions())},
                     {"alg", hash_algorithm_name(kWriterHash)},
                     {"hash", to_buffer(hash)},
                     {"name", "jumbf manifest"}};
}

cbor::Value data_hash(const std::vector<ByteRange>& ranges, Bytes hash) {
    // A number takes 1, 2, 3, 5 or 9 bytes; the padding takes what the numbers leave of 9. Its own
    // head has two bytes for every length from 24 to 255.
    constexpr std::size_t kNumberBytesMax = 9;
    constexpr std::size_t kPadBytesMin = 24;
    cbor::Array exclusions;
    std::size_t spare = 0;
    for (const ByteRange& range : ranges) {
        for (const std::uint64_t number : {range.offset, range.size}) {
            spare += kNumberBytesMax - cbor::encode(cbor::Value(number)).size();
        }
        exclusions.push_back(cbor::Map{{"start", range.offset}, {"length", range.size}});
    }
    COLOPHON_ASSERT(kPadBytesMin + spare < 256);
    cbor::Map map{{"alg", hash_algorithm_name(kWriterHash)},
                  {"hash", to_buffer(hash)},
                  {"pad", Buffer(kPadBytesMin + spare)},
                  {"name", "jumbf manifest"}};
    if (!ranges.empty()) {
        map.emplace_back("exclusions", std::move(exclusions));
    }
    return map;
}

}  // namespace colophon::label::provenance::internal
