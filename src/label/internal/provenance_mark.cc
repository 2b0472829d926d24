// SPDX-License-Identifier: Apache-2.0
#include "label/internal/provenance_mark.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/existing.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/credential_link.h"
#include "label/provenance/crjson.h"
#include "label/provenance/hashing.h"
#include "label/provenance/validate.h"
#include "label/verify.h"
#include "label/watermark/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using provenance::CredentialReading;
using provenance::Status;
using provenance::StatusKind;

constexpr std::string_view kOurGenerator = "Colophon ";
constexpr std::string_view kWatermarkName = "colophon.watermark.picture.1";

// The failure that a person should read: the first that is more than "unknown signer".
const Status* first_failure(const CredentialReading& reading) {
    const auto bad = [](const Status& each) {
        return each.kind == StatusKind::kFailure && each.code != "signingCredential.untrusted";
    };
    const auto own = std::ranges::find_if(reading.statuses, bad);
    if (own != reading.statuses.end()) {
        return &*own;
    }
    for (const provenance::IngredientReport& each : reading.ingredients) {
        const auto row = std::ranges::find_if(each.statuses, bad);
        if (row != each.statuses.end()) {
            return &*row;
        }
    }
    return nullptr;
}

std::string in_words(const Status* failure) {
    if (failure == nullptr) {
        return "it cannot be read";
    }
    return failure->what.empty() ? failure->code : failure->what;
}

bool synthetic(std::string_view source_type) {
    constexpr std::array<std::string_view, 5> kTypes{
        "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic",
        "algorithmicMedia", "trainedAlgorithmicData"};
    const std::string_view word = source_type.substr(source_type.rfind('/') + 1);
    return std::ranges::find(kTypes, word) != kTypes.end();
}

bool camera(std::string_view source_type) {
    constexpr std::array<std::string_view, 4> kTypes{"digitalCapture", "computationalCapture",
                                                     "negativeFilm", "positiveFilm"};
    const std::string_view word = source_type.substr(source_type.rfind('/') + 1);
    return std::ranges::find(kTypes, word) != kTypes.end();
}

bool says_synthetic(const CredentialReading& reading) {
    return std::ranges::any_of(reading.actions, [](const provenance::ActionReading& each) {
        return synthetic(each.source_type);
    });
}

// Whether the record among the assertions is about the content that the metadata label is about.
bool same_record(const std::string& record, const AigcLabel& label) {
    const auto parsed = read_aigc(record);
    return parsed.ok() && parsed->label.label == label.label &&
           parsed->label.content_producer == label.content_producer &&
           parsed->label.produce_id == label.produce_id;
}

void judge_altered(const CredentialReading& reading, Verification& seen) {
    const Status* failure = first_failure(reading);
    fault(seen.findings, "provenance.altered",
          fmt::format("the Content Credentials do not hold: {} ({})", in_words(failure),
                      failure == nullptr ? std::string("general.error") : failure->code));
}

// What the credential says for or against itself and the metadata label.
void add_findings(const CredentialReading& reading, Verification& seen) {
    const bool label_seen = seen.metadata && seen.metadata->found;
    if (reading.needs_fragments) {
        fault(seen.findings, "provenance.fragments_missing", in_words(first_failure(reading)));
        return;
    }
    if (!reading.intact()) {
        judge_altered(reading, seen);
        if (!reading.aigc.empty() && seen.metadata && !label_seen) {
            fault(seen.findings, "provenance.remembers",
                  "the Content Credentials tell of a metadata label that is gone");
        }
        return;
    }
    if (!reading.trusted()) {
        note(seen.findings, "provenance.untrusted",
             "the Content Credentials are intact; their signer is nobody whom you trust");
    }
    const bool differs =
        label_seen && !reading.aigc.empty() && !same_record(reading.aigc, seen.metadata->label);
    const bool captured =
        label_seen && seen.metadata->label.label == "1" && camera(reading.source_type);
    if (differs || captured) {
        fault(seen.findings, "provenance.contradiction",
              "the Content Credentials and the metadata label say different things");
    }
}

bool same_bytes(Bytes a, Bytes b) {
    return a.data() == b.data() || (a.size() == b.size() && std::ranges::equal(a, b));
}

// The payload in its own order of bits, by which whoever reads the watermark finds the manifest.
provenance::SoftBinding soft_binding(const WatermarkPayload& payload) {
    return {.algorithm = std::string(kWatermarkName), .value = payload_bytes(payload)};
}

// Of the file, or of the movie of which it is the initialization segment.
Result<CredentialReading> read_whole(Bytes file, Format format, const provenance::Trust& trust,
                                     const Resources& resources) {
    if (resources.fragments.empty()) {
        return provenance::read_credential(file, format, trust, resources.release);
    }
    std::vector<provenance::FileView> fragments;
    fragments.reserve(resources.fragments.size());
    for (const Bytes& each : resources.fragments) {
        fragments.emplace_back(each, resources.release);
    }
    return provenance::read_fragmented_credential(file, fragments, format, trust,
                                                  resources.release);
}

Result<void> check_read_back(const CredentialReading& reading, const std::string& manifest_label) {
    if (!reading.intact() || reading.manifest_label != manifest_label) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("the Content Credentials do not read back: {}",
                                 in_words(first_failure(reading)))};
    }
    return {};
}

}  // namespace

Result<void> check_provenance_possible(Format format, const ApplyOptions& options) {
    if (!options.detached && provenance::find_carrier(format) == nullptr) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("this version puts no Content Credentials into {}; --detached "
                                 "writes them beside the file",
                                 facts(format).name)};
    }
    return {};
}

bool is_beside(const CredentialReading& reading) noexcept {
    return reading.where == "detached";
}

Result<std::optional<CredentialReading>> read_upstream(Bytes file, Format format,
                                                       const ApplyOptions& options,
                                                       const Resources& resources,
                                                       Findings& findings) {
    CredentialReading reading;
    if (!options.detached_counts) {
        reading = TRY(read_whole(file, format, options.credentials, resources));
    }
    if (reading.found) {
        return std::optional(std::move(reading));
    }
    if (resources.credential.empty()) {
        const std::string link = provenance::find_credential_link(file, format);
        if (!link.empty()) {
            warn(findings, "provenance.elsewhere",
                 fmt::format("the file names Content Credentials at {}, which are not fetched and "
                             "not taken for its past; --credential names them once they are here",
                             link));
        }
        return std::optional<CredentialReading>();
    }
    reading = provenance::read_detached(resources.credential, file, format, options.credentials);
    if (reading.intact()) {
        return std::optional(std::move(reading));
    }
    const std::string words = in_words(first_failure(reading));
    if (options.detached_counts) {
        return Error{
            ErrorCode::kConflict,
            fmt::format("the Content Credentials of --credential do not fit the file: {}", words)};
    }
    warn(findings, "provenance.beside",
         fmt::format("the Content Credentials beside the file do not fit it and are left out: {}",
                     words));
    return std::optional<CredentialReading>();
}

namespace {

// Everything that the credential will say.
provenance::CredentialInput credential_input(const ProvenanceTask& task,
                                             const ApplyOptions& options,
                                             const Resources& resources) {
    provenance::CredentialInput input;
    input.origin = options.record.origin;
    input.as_producer = options.existing != ExistingPolicy::kPropagate;
    input.system_name = options.record.system_name;
    input.system_version = options.record.system_version;
    input.now = options.record.created_at;
    input.manifest_id = options.manifest_id;
    input.instance_id = options.instance_id;
    input.release = resources.release;
    input.binding = options.binding;
    if (task.label) {
        input.aigc = write_aigc(*task.label, Wrapping::kBare);
    }
    if (task.watermark) {
        input.soft_bindings.push_back(soft_binding(task.watermark->reading.payload));
    }
    return input;
}

provenance::Upstream upstream_of(const CredentialReading& reading) {
    return {
        .store = reading.store, .statuses = reading.statuses, .ingredients = reading.ingredients};
}

void note_ingredient(const CredentialReading& upstream, Findings& findings) {
    note(findings, "provenance.ingredient",
         fmt::format("the Content Credentials that were there ({}) are kept as an ingredient",
                     provenance::credential_state_name(upstream.state)));
}

// Whether the credential that is there says already what ours would say: it is by this program, and
// where the file is only passed on, it says that it was.
bool says_all(const CredentialReading& upstream, const ApplyOptions& options) {
    const bool passed_on =
        options.existing != ExistingPolicy::kPropagate ||
        std::ranges::find(upstream.actions, "c2pa.published", &provenance::ActionReading::name) !=
            upstream.actions.end();
    return upstream.generator.starts_with(kOurGenerator) && passed_on;
}

void note_kept(Findings& findings) {
    note(findings, "provenance.kept",
         "the file bears Content Credentials of this program already; they stay as they are");
}

Result<ProvenanceMark> keep(const ProvenanceTask& task, Holder& holder) {
    ProvenanceMark mark;
    Splice same;
    same.copy(0, task.file.size());
    mark.file = TRY(holder.hold(task.file, same, true));
    mark.manifest_label = task.upstream->manifest_label;
    note_kept(mark.findings);
    return mark;
}

// The file stays as it is; whoever holds it writes it out.
Result<ProvenanceMark> make_detached(const ProvenanceTask& task, const ApplyOptions& options,
                                     const Resources& resources) {
    ProvenanceMark mark;
    if (task.upstream && same_bytes(task.original, task.file) &&
        says_all(*task.upstream, options)) {
        mark.file = task.file;
        mark.manifest_label = task.upstream->manifest_label;
        mark.detached = task.upstream->store;
        note_kept(mark.findings);
        return mark;
    }
    provenance::CredentialInput input = credential_input(task, options, resources);
    if (task.upstream) {
        input.upstream = upstream_of(*task.upstream);
        note_ingredient(*task.upstream, mark.findings);
    }
    provenance::DetachedCredential made =
        TRY(provenance::make_detached_credential(task.file, task.format, input, *resources.signer));
    mark.file = task.file;
    mark.manifest_label = std::move(made.manifest_label);
    mark.detached = std::move(made.store);
    TRY(check_read_back(
        provenance::read_detached(mark.detached, task.file, task.format, options.credentials),
        mark.manifest_label));
    return mark;
}

// The movie is read back as it will be, before its fragments are written.
Result<ProvenanceMark> mark_fragments(const ProvenanceTask& task,
                                      const provenance::CredentialInput& input,
                                      const ApplyOptions& options, const Resources& resources,
                                      Holder& holder) {
    ProvenanceMark mark;
    provenance::FragmentedCredential made = TRY(
        provenance::add_fragmented_credential({.init = task.file, .fragments = resources.fragments},
                                              task.format, input, *resources.signer));
    mark.file = TRY(holder.hold(task.file, made.init, true));
    mark.manifest_label = std::move(made.manifest_label);
    std::vector<provenance::FileView> fragments;
    fragments.reserve(made.fragments.size());
    for (std::size_t i = 0; i < made.fragments.size(); ++i) {
        fragments.emplace_back(resources.fragments[i], made.fragments[i], resources.release);
    }
    const CredentialReading reading = TRY(provenance::read_fragmented_credential(
        mark.file, fragments, task.format, options.credentials, resources.release));
    TRY(check_read_back(reading, mark.manifest_label));
    mark.fragments = std::move(made.fragments);
    note(mark.findings, "provenance.fragments",
         fmt::format("a proof stands in each of the {} fragments", mark.fragments.size()));
    return mark;
}

// Nothing where the format, or how somebody else bound his credential to the file, allows none.
Result<std::optional<ProvenanceMark>> try_update(const ProvenanceTask& task,
                                                 const provenance::CredentialInput& input,
                                                 const ApplyOptions& options,
                                                 const Resources& resources, Holder& holder) {
    const auto updated =
        TRY(provenance::update_credential(task.file, task.format, input, *resources.signer));
    if (!updated) {
        return std::optional<ProvenanceMark>();
    }
    ProvenanceMark mark;
    mark.file = TRY(holder.hold(task.file, updated->splice, true));
    mark.manifest_label = updated->manifest_label;
    const CredentialReading reading = TRY(provenance::read_credential(
        mark.file, task.format, options.credentials, resources.release));
    TRY(check_read_back(reading, mark.manifest_label));
    note(mark.findings, "provenance.updated",
         "the Content Credentials that were there stay, and an update manifest says that the file "
         "was passed on");
    return std::optional(std::move(mark));
}

}  // namespace

Result<ProvenanceMark> apply_provenance(const ProvenanceTask& task, const ApplyOptions& options,
                                        const Resources& resources, Holder& holder) {
    if (resources.signer == nullptr) {
        return Error{ErrorCode::kInvalidArgument,
                     "Content Credentials need a key and a certificate that sign them"};
    }
    if (options.detached && options.binding != provenance::BindingWish::kUsual) {
        return Error{ErrorCode::kInvalidArgument,
                     "--binding boxes is for Content Credentials that stand in the file"};
    }
    if (options.detached) {
        return make_detached(task, options, resources);
    }
    const bool untouched = task.upstream && task.upstream->intact() && !is_beside(*task.upstream) &&
                           same_bytes(task.original, task.file) && resources.fragments.empty();
    if (untouched && says_all(*task.upstream, options)) {
        return keep(task, holder);
    }
    ProvenanceMark mark;
    provenance::CredentialInput input = credential_input(task, options, resources);
    if (task.upstream && task.upstream->manifests > 0) {
        input.upstream = upstream_of(*task.upstream);
        if (untouched && !input.as_producer) {
            auto updated = TRY(try_update(task, input, options, resources, holder));
            if (updated) {
                return std::move(*updated);
            }
        }
        note_ingredient(*task.upstream, mark.findings);
    } else if (task.upstream) {
        warn(mark.findings, "provenance.unreadable",
             "the Content Credentials that were there cannot be read; new ones take their place");
    }
    if (!resources.fragments.empty()) {
        ProvenanceMark movie = TRY(mark_fragments(task, input, options, resources, holder));
        movie.findings.insert(movie.findings.end(), mark.findings.begin(), mark.findings.end());
        return movie;
    }
    input.output = &holder;
    const provenance::Credential credential =
        TRY(provenance::add_credential(task.file, task.format, input, *resources.signer));
    const auto& written = credential.written;
    mark.file = written ? written->bytes : TRY(holder.hold(task.file, credential.splice, true));
    mark.manifest_label = credential.manifest_label;
    const CredentialReading reading =
        TRY(provenance::read_credential(mark.file, task.format, options.credentials,
                                        resources.release, written ? &written->known : nullptr));
    TRY(check_read_back(reading, mark.manifest_label));
    return mark;
}

namespace {

// C2PA 2.4, 15.5: what is said of a credential that the file names and that lies elsewhere.
void add_link_findings(const VerifyOptions& options, CredentialReading& reading,
                       Findings& findings) {
    const auto& fetched = options.fetched;
    if (fetched && fetched->failure.empty()) {
        note(findings, "provenance.fetched",
             fmt::format("the Content Credentials were fetched from {}", fetched->from));
    } else if (fetched) {
        reading.statuses.push_back({.kind = StatusKind::kFailure,
                                    .code = "manifest.inaccessible",
                                    .url = fetched->from,
                                    .what = fetched->failure});
        warn(findings, "provenance.inaccessible",
             fmt::format("the Content Credentials that the file names cannot be fetched: {}",
                         fetched->failure));
    } else if (!reading.found && !reading.link.empty()) {
        note(findings, "provenance.elsewhere",
             fmt::format("the Content Credentials of the file lie at {}; nothing is fetched unless "
                         "that is asked for (verify --fetch-manifests)",
                         reading.link));
    }
}

}  // namespace

Result<ProvenanceFinds> verify_provenance(Bytes file, const VerifyOptions& options,
                                          const Resources& resources, Verification& seen) {
    ProvenanceFinds finds;
    if (provenance::find_carrier(seen.format) == nullptr && resources.credential.empty()) {
        return finds;
    }
    CredentialReading reading;
    if (!options.detached_counts) {
        reading = TRY(read_whole(file, seen.format, options.credentials, resources));
    }
    if (!reading.found && !resources.credential.empty()) {
        reading =
            provenance::read_detached(resources.credential, file, seen.format, options.credentials);
        reading.where = options.fetched ? "fetched" : reading.where;
    }
    reading.link = provenance::find_credential_link(file, seen.format);
    add_link_findings(options, reading, seen.findings);
    if (reading.found) {
        add_findings(reading, seen);
        if (!resources.fragments.empty() && reading.intact()) {
            note(seen.findings, "provenance.fragments",
                 fmt::format("all {} fragments of the movie were checked with it",
                             resources.fragments.size()));
        }
        finds.says_synthetic = reading.intact() && says_synthetic(reading);
        if (options.manifest) {
            seen.manifest = provenance::write_crjson(reading);
        }
    }
    reading.store.clear();
    seen.provenance = std::move(reading);
    return finds;
}

}  // namespace colophon::label::internal
