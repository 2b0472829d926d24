// SPDX-License-Identifier: Apache-2.0
#include "cli/installation.h"

#include "cli/config.h"
#include "cli/files.h"
#include "cli/store_options.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/http_exchange.h"
#include "core/random.h"
#include "core/result.h"
#include "http/client.h"
#include "identity/erasure.h"
#include "identity/limits.h"
#include "identity/password.h"
#include "identity/provider.h"
#include "identity/provider_chain.h"
#include "identity/provider_template.h"
#include "identity/recorder.h"
#include "identity/sealer.h"
#include "identity/staff.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "identity/verification_record.h"
#include "ledger/answers.h"
#include "ledger/conduct.h"
#include "ledger/content_ids.h"
#include "ledger/log_keys.h"
#include "ledger/log_service.h"
#include "ledger/media_jobs.h"
#include "ledger/note.h"
#include "ledger/policy.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "ledger/witnessing.h"
#include "review/queue.h"
#include "storage/blobs.h"
#include "storage/data_keys.h"
#include "storage/directory_objects.h"
#include "storage/files.h"
#include "storage/master_key.h"
#include "storage/migration.h"
#include "storage/objects.h"
#include "storage/s3_objects.h"
#include "storage/sealer.h"
#include "storage/sealing.h"
#include "storage/secret_source.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::string_view kFile = "file:";

Result<storage::Suite> suite_of(const std::string& name) {
    if (name.empty() || name == "aes") {
        return storage::Suite::kAes256Gcm;
    }
    if (name == "sm4") {
        return storage::Suite::kSm4HmacSm3;
    }
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("keys.suite is aes or sm4, not {}", name)};
}

Result<std::string> optional_secret(const std::string& source) {
    if (source.empty()) {
        return std::string();
    }
    const storage::SecretText text = TRY(storage::read_secret(source, storage::SecretFile::kAny));
    return std::string(text.text());
}

Result<storage::S3Settings> s3_settings(const ObjectsConfig& objects) {
    storage::S3Settings settings;
    settings.endpoint = objects.endpoint;
    settings.bucket = objects.bucket;
    settings.prefix = objects.prefix;
    if (!objects.region.empty()) {
        settings.region = objects.region;
    }
    if (objects.addressing == "host") {
        settings.addressing = storage::S3Addressing::kVirtualHost;
    } else if (!objects.addressing.empty() && objects.addressing != "path") {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("objects.addressing is path or host, not {}", objects.addressing)};
    }
    if (!objects.conditional_writes.empty() && objects.conditional_writes != "on" &&
        objects.conditional_writes != "off") {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("objects.conditional_writes is on or off, not {}",
                                 objects.conditional_writes)};
    }
    settings.conditional_writes = objects.conditional_writes != "off";
    settings.access_key = storage::is_secret_source(objects.access_key)
                              ? TRY(optional_secret(objects.access_key))
                              : objects.access_key;
    settings.secret_key = TRY(optional_secret(objects.secret_key));
    settings.session_token = TRY(optional_secret(objects.session_token));
    return settings;
}

// What stands still as long as the installation is open.
struct Base {
    SystemClock clock;
    SystemRandom random;
    storage::SystemFiles files;
};

Result<std::unique_ptr<storage::ObjectStore>> open_objects(const ObjectsConfig& objects, Base& base,
                                                           Missing missing) {
    if (!objects.endpoint.empty()) {
        storage::S3Settings settings = TRY(s3_settings(objects));
        HttpExchange exchange = TRY(http::make_client_exchange());
        return storage::open_s3_objects(
            std::move(settings),
            {.exchange = std::move(exchange),
             .clock = base.clock,
             .random = base.random,
             .pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }});
    }
    if (missing == Missing::kCreate) {
        TRY(make_folders(objects.folder));
    } else if (!is_folder(objects.folder)) {
        return Error{ErrorCode::kNotFound,
                     fmt::format("there is no folder {}: make it with `colophon admin init`",
                                 objects.folder)};
    }
    return storage::open_directory_objects(objects.folder, base.files, base.random);
}

Result<storage::MasterKeys> open_masters(const KeysConfig& keys, storage::Suite suite,
                                         Random& random) {
    storage::MasterKeys masters;
    masters.master = TRY(storage::open_master_key(keys.master, suite, random));
    for (const std::string& other : keys.others) {
        masters.others.push_back(TRY(storage::open_master_key(other, suite, random)));
    }
    return masters;
}

}  // namespace

Result<Places> resolve_places(const StoreChoice& choice) {
    Config config = TRY(load_config());
    Places places{.store = TRY(resolve_store(choice)),
                  .objects = std::move(config.objects),
                  .keys = std::move(config.keys),
                  .ledger = std::move(config.ledger),
                  .identity = std::move(config.identity)};
    const bool embedded = places.store.url.empty();
    if (!places.objects.folder.empty() && !places.objects.endpoint.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "objects.folder and objects.endpoint exclude each other"};
    }
    if (places.objects.folder.empty() && places.objects.endpoint.empty()) {
        if (!embedded) {
            return Error{
                ErrorCode::kInvalidArgument,
                "with PostgreSQL objects.folder or objects.endpoint must say where objects "
                "lie"};
        }
        places.objects.folder = places.store.data + "/objects";
    }
    if (places.keys.master.empty()) {
        if (!embedded) {
            return Error{ErrorCode::kInvalidArgument,
                         "with PostgreSQL keys.master must say where the master key is"};
        }
        places.keys.master = fmt::format("{}{}/master.key", kFile, places.store.data);
    }
    TRY(suite_of(places.keys.suite));
    return places;
}

// In the order in which they depend on each other, so that they end in the reverse one.
struct Installation::State {
    Base base;
    storage::Suite suite = storage::Suite::kAes256Gcm;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<storage::ObjectStore> objects;
    std::unique_ptr<storage::DataKeys> data_keys;
    std::optional<storage::Sealer> sealer;
    // Digests that must stay the same whatever suite new content is sealed by.
    std::optional<storage::Sealer> derivation;
    std::optional<storage::Blobs> blobs;
    std::optional<ledger::Records> records;
    std::optional<ledger::RecordContents> contents;
    std::optional<ledger::ContentIds> content_ids;
    std::optional<ledger::KeptAnswers> answers;
    std::optional<ledger::MediaJobs> jobs;
    std::optional<ledger::LogKeys> log_keys;
    std::unique_ptr<identity::PasswordHasher> hasher;
    identity::Sealer identity_sealer;
    identity::SubjectKeys subject_keys;
    Buffer throttle_key;
    LedgerConfig log_settings;
    IdentityConfig provider_settings;

    Result<Digest256> derive(std::string_view purpose) {
        return derivation->keyed_digest(as_bytes(purpose), kInstallationOwner, purpose);
    }

    Result<void> open(const Places& places, Missing missing) {
        suite = TRY(suite_of(places.keys.suite));
        log_settings = places.ledger;
        provider_settings = places.identity;
        objects = TRY(open_objects(places.objects, base, missing));
        storage::MasterKeys masters = TRY(open_masters(places.keys, suite, base.random));
        data_keys = TRY(storage::DataKeys::open(
            {.store = *store, .tombstones = *objects, .clock = base.clock, .random = base.random},
            std::move(masters), {}));
        sealer.emplace(*data_keys, suite, base.random);
        derivation.emplace(*data_keys, storage::Suite::kAes256Gcm, base.random);
        log_keys.emplace(
            ledger::LogKeys::Parts{
                .store = *store, .sealer = *sealer, .clock = base.clock, .random = base.random},
            kInstallationOwner);
        return {};
    }

    Result<void> wire() {
        blobs.emplace(storage::Blobs::Parts{.store = *store,
                                            .objects = *objects,
                                            .keys = *data_keys,
                                            .clock = base.clock,
                                            .random = base.random},
                      suite);
        const Digest256 digest_key = TRY(derive("records.digests"));
        const Digest256 content_id_key = TRY(derive("content_ids.permutation"));
        records.emplace(
            *store, *data_keys, base.random,
            ledger::Records::Options{
                .digest_key = digest_key, .content_id_key = content_id_key, .suite = suite});
        contents.emplace(*store, *blobs, *records, base.clock);
        content_ids.emplace(*store, content_id_key);
        const Digest256 answer_key = TRY(derive("answers.digests"));
        answers.emplace(
            ledger::KeptAnswers::Parts{
                .store = *store, .sealer = *sealer, .clock = base.clock, .random = base.random},
            answer_key);
        jobs.emplace(ledger::MediaJobs::Parts{.store = *store,
                                              .sealer = *sealer,
                                              .blobs = *blobs,
                                              .records = *records,
                                              .clock = base.clock,
                                              .random = base.random});
        hasher = TRY(identity::PasswordHasher::create());
        subject_keys.index = to_buffer(TRY(derive("subjects.indexes")));
        subject_keys.codes = to_buffer(TRY(derive("subjects.codes")));
        throttle_key = to_buffer(TRY(derive("staff.throttles")));
        identity_sealer.seal = [this](const identity::SealPlace& place, Bytes content) {
            return sealer->seal(content,
                                {.owner = place.owner, .purpose = place.purpose, .id = {}});
        };
        identity_sealer.open = [this](const identity::SealPlace& place, Bytes sealed) {
            return sealer->open(sealed, {.owner = place.owner, .purpose = place.purpose, .id = {}});
        };
        return {};
    }
};

Result<std::unique_ptr<Installation>> Installation::open(const Places& places) {
    auto state = std::make_unique<State>();
    state->store = TRY(open_checked_store(places.store));
    TRY(state->open(places, Missing::kRefuse));
    TRY(state->wire());
    auto installation = std::make_unique<Installation>(std::move(state));
    TRY(identity::finish_erasures(
        installation->data_keys(),
        installation->conduct(
            {.account = "colophon", .source_address = {}, .source_port = 0, .client = "start"})));
    return installation;
}

Installation::Installation(std::unique_ptr<State> state) : state_(std::move(state)) {}
Installation::~Installation() = default;

Clock& Installation::clock() noexcept {
    return state_->base.clock;
}
Random& Installation::randomness() noexcept {
    return state_->base.random;
}
storage::Store& Installation::store() noexcept {
    return *state_->store;
}
storage::ObjectStore& Installation::objects() noexcept {
    return *state_->objects;
}
storage::DataKeys& Installation::data_keys() noexcept {
    return *state_->data_keys;
}
storage::Sealer& Installation::sealer() noexcept {
    return *state_->sealer;
}
storage::Blobs& Installation::blobs() noexcept {
    return *state_->blobs;
}
ledger::Records& Installation::records() noexcept {
    return *state_->records;
}
ledger::RecordContents& Installation::contents() noexcept {
    return *state_->contents;
}
ledger::ContentIds& Installation::content_ids() noexcept {
    return *state_->content_ids;
}
ledger::KeptAnswers& Installation::answers() noexcept {
    return *state_->answers;
}
ledger::MediaJobs& Installation::jobs() noexcept {
    return *state_->jobs;
}
const identity::Sealer& Installation::identity_sealer() noexcept {
    return state_->identity_sealer;
}
ledger::LogKeys& Installation::log_keys() noexcept {
    return *state_->log_keys;
}

ledger::Conduct Installation::conduct(ledger::Actor actor) {
    return {records(), clock(), randomness(), std::move(actor)};
}

identity::Recorder Installation::recorder(ledger::Actor actor) {
    return [conduct = conduct(std::move(actor))](const identity::Change& change) {
        return conduct.prepare(
            {.operation = change.operation, .facts = change.facts, .names = change.names});
    };
}

identity::Tenants Installation::tenants(identity::Recorder recorder) {
    return {store(), clock(), randomness(), std::move(recorder)};
}

identity::VerificationRecorder Installation::verification_recorder(ledger::Actor actor) {
    return identity::verification_recorder(
        {.records = records(), .clock = clock(), .random = randomness()}, std::move(actor));
}

identity::Subjects Installation::subjects(identity::Recorder recorder,
                                          identity::VerificationRecorder verifications) {
    return {{.store = store(),
             .sealer = state_->identity_sealer,
             .clock = clock(),
             .random = randomness(),
             .recorder = std::move(recorder),
             .verifications = std::move(verifications)},
            state_->subject_keys};
}

Result<void> erase_person(Installation& installation, const identity::Erasure& erasure,
                          const ledger::Actor& actor) {
    identity::Subjects subjects = installation.subjects(installation.recorder(actor));
    const ledger::Conduct conduct = installation.conduct(actor);
    const identity::ErasureParts parts{.store = installation.store(),
                                       .keys = installation.data_keys(),
                                       .subjects = subjects,
                                       .records = installation.records(),
                                       .conduct = conduct,
                                       .clock = installation.clock()};
    TRY(identity::erase_subject(parts, erasure));
    // Unreadable already; this gives the room back.
    TRY(installation.contents().release_due());
    return review::ReviewQueue(installation.queue_parts(), {}).forget(erasure.subject);
}

review::ReviewQueue::Parts Installation::queue_parts() noexcept {
    return {.store = store(),
            .sealer = sealer(),
            .blobs = blobs(),
            .clock = clock(),
            .random = randomness()};
}

identity::Staff Installation::staff(identity::Recorder recorder) {
    return {{.store = store(),
             .hasher = *state_->hasher,
             .sealer = state_->identity_sealer,
             .clock = clock(),
             .random = randomness(),
             .recorder = std::move(recorder)},
            state_->throttle_key};
}

namespace {

constexpr std::size_t kPolicyBytesMax = 256U << 10U;

// The witnesses that the policy names with an address.
Result<std::vector<ledger::WitnessAddress>> witnesses_of(const std::string& file) {
    std::vector<ledger::WitnessAddress> witnesses;
    if (file.empty()) {
        return witnesses;
    }
    auto policy = ledger::Policy::parse(TRY(read_small_file(file, kPolicyBytesMax)));
    if (!policy.ok()) {
        Error error = with_context(policy.error(), file);
        error.code = ErrorCode::kInvalidArgument;
        return error;
    }
    for (const ledger::PolicyWitness& each : policy->witnesses()) {
        if (!each.url.empty()) {
            witnesses.push_back({.key = each.key, .url = each.url});
        }
    }
    return witnesses;
}

Result<std::vector<ledger::ServiceLog>> logs_of(ledger::LogKeys& keys,
                                                const LedgerConfig& settings) {
    const auto witnesses = TRY(witnesses_of(settings.policy));
    HttpExchange exchange;
    if (!witnesses.empty()) {
        exchange = TRY(http::make_client_exchange());
    }
    std::vector<ledger::ServiceLog> logs;
    for (const ledger::LogClass log : ledger::kLogClasses) {
        std::vector<ledger::NoteSigner> signers = TRY(keys.signers(log));
        std::string origin = signers.front().verifier().name();
        logs.push_back({.log = log,
                        .origin = std::move(origin),
                        .signers = std::move(signers),
                        .witnesses = witnesses,
                        .exchange = exchange,
                        .signing = [&keys, log]() -> Result<ledger::LogSigning> {
                            ledger::LogSigning signing;
                            signing.signers = TRY(keys.signers(log));
                            signing.former = TRY(keys.former(log));
                            return signing;
                        }});
    }
    return logs;
}

}  // namespace

Result<std::vector<ledger::ServiceLog>> Installation::logs() {
    return logs_of(log_keys(), state_->log_settings);
}

ledger::LogService::Parts Installation::log_parts() {
    return {.store = store(), .objects = objects(), .clock = clock(), .random = randomness()};
}

Result<std::unique_ptr<identity::ProviderChain>> Installation::providers() {
    const IdentityConfig& settings = state_->provider_settings;
    if (!settings.after_doubt.empty() && settings.after_doubt != "stop" &&
        settings.after_doubt != "go-on") {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("identity.after_doubt is stop or go-on, not {}", settings.after_doubt)};
    }
    const identity::SecretSource secrets = [](std::string_view source) -> Result<std::string> {
        return optional_secret(std::string(source));
    };
    std::vector<std::unique_ptr<identity::Provider>> providers;
    for (const std::string& file : settings.providers) {
        const std::string text = TRY(read_small_file(file, identity::kProviderTemplateBytesMax));
        auto description = identity::parse_provider_template(text, secrets);
        if (!description.ok()) {
            Error error = with_context(description.error(), file);
            error.code = ErrorCode::kInvalidArgument;
            return error;
        }
        HttpExchange exchange = TRY(http::make_client_exchange());
        providers.push_back(std::make_unique<identity::Provider>(
            std::move(description).value(), std::move(exchange), clock(), randomness()));
    }
    return std::make_unique<identity::ProviderChain>(
        std::move(providers),
        settings.after_doubt == "go-on" ? identity::AfterDoubt::kGoOn : identity::AfterDoubt::kStop,
        clock());
}

struct LogView::State {
    Base base;
    std::unique_ptr<storage::Store> store;
    std::unique_ptr<storage::ObjectStore> objects;
    std::vector<ledger::LogKey> keys;
};

Result<std::unique_ptr<LogView>> LogView::open(const Places& places) {
    auto state = std::make_unique<State>();
    state->store = TRY(open_checked_store(places.store));
    state->objects = TRY(open_objects(places.objects, state->base, Missing::kRefuse));
    state->keys = TRY(ledger::log_keys(*state->store));
    return std::make_unique<LogView>(std::move(state));
}

LogView::LogView(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogView::~LogView() = default;

const std::vector<ledger::LogKey>& LogView::keys() const noexcept {
    return state_->keys;
}
storage::Store& LogView::store() noexcept {
    return *state_->store;
}
storage::ObjectStore& LogView::objects() noexcept {
    return *state_->objects;
}

namespace {

// The file that shall hold the master key and does not, while nothing needs an older one.
Result<std::string> make_master_key(const Places& places, storage::Store& store, Random& random) {
    if (!places.keys.master.starts_with(kFile)) {
        return std::string();
    }
    std::string path = places.keys.master.substr(kFile.size());
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored) || TRY(storage::any_data_keys(store))) {
        return std::string();
    }
    const std::string text = TRY(storage::new_master_key_text(random));
    const auto written = write_secret_file(path, text);
    if (!written.ok() && written.error().code == ErrorCode::kConflict) {
        return std::string();  // another process was quicker
    }
    TRY(written);
    return path;
}

// Nobody else's logs have this name, whether or not the operator thought of one.
Result<std::string> origin_of(const Places& places, Random& random) {
    if (!places.ledger.origin.empty()) {
        return places.ledger.origin;
    }
    Buffer name(8);
    TRY(random.fill(name));
    return fmt::format("colophon-{}.invalid", to_hex(name));
}

}  // namespace

Result<InitReport> init_installation(const Places& places) {
    InitReport report;
    Installation::State state;
    state.store = TRY(open_store(places.store, Missing::kCreate));
    report.steps = TRY(storage::migrate(*state.store, all_migrations(), state.base.clock));
    report.master_key_file = TRY(make_master_key(places, *state.store, state.base.random));
    TRY(state.open(places, Missing::kCreate));
    const std::string origin = TRY(origin_of(places, state.base.random));
    for (const ledger::LogClass log : ledger::kLogClasses) {
        TRY(state.log_keys->make(log, origin));
    }
    // An empty log that is signed: from now on nothing can be taken from it unseen.
    const ledger::LogService::Parts parts{.store = *state.store,
                                          .objects = *state.objects,
                                          .clock = state.base.clock,
                                          .random = state.base.random};
    for (const ledger::ServiceLog& log : TRY(logs_of(*state.log_keys, places.ledger))) {
        TRY(ledger::sequence_once(parts, log));
    }
    report.log_keys = TRY(ledger::log_keys(*state.store));
    return report;
}

}  // namespace colophon::cli
