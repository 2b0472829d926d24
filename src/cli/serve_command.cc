// SPDX-License-Identifier: Apache-2.0
// colophon serve: the gateway over an installation.

#include "cli/api_service.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/credentials.h"
#include "cli/exit_code.h"
#include "cli/installation.h"
#include "cli/keys.h"
#include "cli/label_request.h"
#include "cli/ledger_routes.h"
#include "cli/media_service.h"
#include "cli/replay_run.h"
#include "cli/report.h"
#include "cli/review_files.h"
#include "cli/serve_config.h"
#include "cli/serve_settings.h"
#include "cli/sign_in_settings.h"
#include "cli/store_options.h"
#include "cli/terminal.h"
#include "console/api.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/gateway.h"
#include "gateway/job_runner.h"
#include "gateway/parts.h"
#include "gateway/settings.h"
#include "gateway/subject_endpoints.h"
#include "governance/agreements.h"
#include "http/client.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/server.h"
#include "http/systemd.h"
#include "http/tls.h"
#include "identity/budgets.h"
#include "identity/caches.h"
#include "identity/oidc.h"
#include "identity/provider_chain.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "label/record.h"
#include "ledger/conduct.h"
#include "ledger/log_keys.h"
#include "ledger/log_service.h"
#include "ledger/record.h"
#include "ledger/record_contents.h"
#include "ledger/records.h"
#include "review/library.h"
#include "review/live_library.h"
#include "review/policies.h"
#include "review/queue.h"
#include "review/review.h"
#include "storage/store.h"
#include "worker/spool.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kBlockingThreads = 8;
constexpr std::size_t kWaitingMax = 10'000;
constexpr std::size_t kVerificationThreads = 8;
constexpr std::size_t kVerificationsWaitingMax = 64;
constexpr std::size_t kWorkersWaitingMax = 256;
// Each look may have a whole file of the queue in memory.
constexpr std::size_t kLookers = 2;
constexpr std::size_t kLooksWaitingMax = 64;
constexpr const char* kUsualAddress = "127.0.0.1:8080";

struct Arguments {
    StoreChoice store;
    std::string address;
    bool check_only = false;
};

// As many connections as the system lets us have.
void raise_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

// Where large files are, when nobody says it: the first of these in which files can be made. /tmp
// is memory on many machines, and /var/tmp is not.
Result<worker::Spool> open_spool(const GatewayConfig& config) {
    const char* named = std::getenv("TMPDIR");
    std::vector<std::string> folders{"/var/tmp", "/tmp"};
    if (!config.spool.empty()) {
        folders = {config.spool};
    } else if (named != nullptr && *named != '\0') {
        folders = {named};
    }
    auto made = Result<worker::Spool>(Error{ErrorCode::kUnavailable, ""});
    for (const std::string& folder : folders) {
        made = worker::Spool::create(
            {.folder = folder, .bytes_max = static_cast<std::uint64_t>(config.spool_bytes_max)});
        if (made.ok()) {
            return made;
        }
    }
    return with_context(made.error(), "gateway.spool");
}

// What the configuration says, read and checked; nothing is opened for writing.
struct Loaded {
    Config config;
    std::shared_ptr<const gateway::Settings> settings;
    std::shared_ptr<http::TlsContext> tls;
    ServeAddress address;
    std::optional<identity::OidcSettings> sign_in;
};

Result<Loaded> load(const Arguments& arguments) {
    Loaded loaded;
    loaded.config = TRY(load_config());
    const ServerConfig& server = loaded.config.serve.server;
    loaded.settings = TRY(make_settings(loaded.config));
    std::string address = arguments.address.empty() ? server.address : arguments.address;
    loaded.address = TRY(parse_address(address.empty() ? kUsualAddress : address));
    if (server.tls_certificate.empty() != server.tls_key.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "server.tls_certificate and server.tls_key belong together"};
    }
    if (!server.tls_certificate.empty()) {
        loaded.tls = TRY(http::TlsContext::server(server.tls_certificate, server.tls_key));
    }
    loaded.sign_in = TRY(sign_in_settings(loaded.config.serve.sign_in));
    for (const auto& [value, name] : {std::pair(server.access_log, "server.access_log"),
                                      std::pair(server.metrics, "server.metrics")}) {
        if (!value.empty() && value != "stderr" && value != "none" && value != "local" &&
            value != "all") {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{} cannot be \"{}\"", name, value)};
        }
    }
    return loaded;
}

// Everything that runs. Members are destroyed from the last to the first.
class Service {
public:
    // create() opens what it needs.
    Service(Arguments arguments, Loaded loaded)
        : arguments_(std::move(arguments)), loaded_(std::move(loaded)) {}
    static Result<std::unique_ptr<Service>> create(const Arguments& arguments, Loaded loaded);
    Result<ExitCode> run();

private:
    Result<void> open_identity();
    Result<void> open_media();
    Result<void> open_gateway();
    void add_verification();
    Result<void> open_server();
    Result<void> listen();
    Result<void> open_library();
    Result<std::shared_ptr<const gateway::Settings>> under_policy(const Loaded& loaded);
    void take_rules(std::shared_ptr<const review::Reviewer> reviewer);
    void add_gauges();
    void on_signal(int signal);
    void reload();
    Result<void> take_configuration(const Loaded& loaded);
    gateway::AccessLog access_log() const;

    Arguments arguments_;
    Loaded loaded_;
    // The store answers into loops until its last commit, so they outlive it.
    std::vector<std::unique_ptr<http::Loop>> loops_;
    std::unique_ptr<Installation> installation_;
    std::optional<identity::Tenants> tenants_;
    std::optional<identity::Subjects> subjects_;
    std::unique_ptr<identity::KeyCache> keys_;
    std::unique_ptr<identity::SubjectCache> subject_cache_;
    std::unique_ptr<identity::Budgets> budgets_;  // where nodes share the store
    std::unique_ptr<identity::ProviderChain> providers_;
    std::optional<worker::Spool> spool_;
    std::unique_ptr<MediaService> media_;
    std::unique_ptr<MediaService> lookers_;
    Metrics metrics_;
    std::unique_ptr<review::ReviewQueue> queue_;
    std::unique_ptr<ledger::LogService> logs_;
    std::unique_ptr<identity::Oidc> provider_;  // of sign-ins
    std::unique_ptr<console::ApiParts> api_;
    std::unique_ptr<gateway::Gateway> gateway_;
    std::unique_ptr<gateway::JobRunner> jobs_;
    std::mutex settings_mutex_;  // guards loaded_.settings once calls are served
    std::optional<ledger::Conduct> conduct_;
    std::optional<review::Library> library_;
    std::unique_ptr<review::LiveLibrary> live_;
    review::PolicyVersion policy_;  // of loaded_; by the thread that starts and reloads
    std::unique_ptr<http::Server> server_;
    // Their threads call into loops, gateway and store: they end first.
    std::unique_ptr<ThreadPool> workers_;
    std::unique_ptr<ThreadPool> blocking_;
    std::unique_ptr<ThreadPool> verifications_;
    std::unique_ptr<ThreadPool> looking_;
    std::atomic<bool> draining_{false};
    std::atomic<bool> metrics_for_all_{false};
    bool hurried_ = false;
};

Result<std::unique_ptr<Service>> Service::create(const Arguments& arguments, Loaded loaded) {
    auto service = std::make_unique<Service>(arguments, std::move(loaded));
    const Places places = TRY(resolve_places(arguments.store));
    service->installation_ = TRY(Installation::open(places));
    TRY(service->open_identity());
    TRY(service->open_media());
    TRY(service->open_gateway());
    TRY(service->open_library());
    TRY(service->open_server());
    return service;
}

Result<void> Service::open_identity() {
    tenants_.emplace(installation_->tenants());
    subjects_.emplace(installation_->subjects());
    keys_ = TRY(identity::KeyCache::open(installation_->store(), *tenants_));
    providers_ = TRY(installation_->providers());
    subject_cache_ = TRY(identity::SubjectCache::open(installation_->store(), *subjects_));
    if (installation_->store().engine() == storage::Engine::kPostgres) {
        budgets_ =
            TRY(identity::Budgets::open(installation_->store(), installation_->randomness()));
    }
    if (loaded_.sign_in) {
        HttpExchange exchange =
            TRY(http::make_client_exchange({.ca_file = loaded_.config.serve.sign_in.ca_file}));
        provider_ = TRY(identity::Oidc::create({.store = installation_->store(),
                                                .exchange = std::move(exchange),
                                                .clock = installation_->clock(),
                                                .random = installation_->randomness()},
                                               *loaded_.sign_in));
    }
    logs_ = ledger::LogService::start(installation_->log_parts(), TRY(installation_->logs()));
    return {};
}

Result<void> Service::open_media() {
    const LabelConfig& label = loaded_.config.label;
    const GatewayConfig& gateway = loaded_.config.serve.gateway;
    spool_ = TRY(open_spool(gateway));
    MediaService::Options looking;
    looking.workers = kLookers;
    lookers_ = std::make_unique<MediaService>(std::move(looking), std::nullopt);
    MediaService::Options options;
    options.spool = spool_;
    options.workers = static_cast<std::size_t>(gateway.workers);
    options.moving_call_max = std::chrono::seconds(gateway.video_label_seconds);
    options.font = TRY(find_font(label.font));
    options.recording = label.recording;
    options.key_id = label.metadata_key_id;
    options.trusted = TRY(open_trusted_keys(loaded_.config.verify.trust));
    options.watermark_key = loaded_.settings->label.watermark_key;
    SystemClock clock;
    const VerifyConfig& trust = loaded_.config.verify;
    options.credentials = TRY(open_credential_trust(trust.trust_list, trust.tsa_list, clock));
    if (loaded_.settings->label.profile != label::Profile::kCn) {
        options.signer = TRY(open_claim_signer(label, clock));
    }
    media_ = std::make_unique<MediaService>(std::move(options),
                                            TRY(open_signing_key(label.metadata_key)));
    return {};
}

gateway::AccessLog Service::access_log() const {
    if (loaded_.config.serve.server.access_log == "none") {
        return {};
    }
    return [](const std::string& line) { write_text(2, line + "\n"); };
}

Result<void> Service::open_gateway() {
    const ServeConfig& serve = loaded_.config.serve;
    blocking_ = std::make_unique<ThreadPool>(kBlockingThreads, kWaitingMax);
    workers_ = std::make_unique<ThreadPool>(static_cast<std::size_t>(serve.gateway.workers),
                                            kWorkersWaitingMax);
    std::vector<http::Loop*> loops;
    for (std::int64_t i = 0; i < serve.server.threads; ++i) {
        loops_.push_back(std::make_unique<http::Loop>());
        loops.push_back(loops_.back().get());
    }
    auto upstream_tls = TRY(http::TlsContext::client(serve.gateway.ca_file));
    looking_ = std::make_unique<ThreadPool>(kLookers, kLooksWaitingMax);
    queue_ = std::make_unique<review::ReviewQueue>(installation_->queue_parts(),
                                                   TRY(queue_rules(serve.review)));
    const gateway::Parts parts{
        .clock = installation_->clock(),
        .random = installation_->randomness(),
        .keys = *keys_,
        .subjects = *subject_cache_,
        .records = installation_->records(),
        .content_ids = installation_->content_ids(),
        .budgets = budgets_.get(),
        .answers = installation_->answers(),
        .jobs = installation_->jobs(),
        .queue = *queue_,
        .blocking = *blocking_,
        .workers = *workers_,
        .media = *media_,
        .spool = *spool_,
        .verification_json = verification_json,
        .sign_note = [&keys = installation_->log_keys()](
                         std::string_view text) { return ledger::sign_note(keys, text); },
        .count_hits = [this](std::span<const std::string> entries) { live_->count(entries); },
        .metrics = metrics_,
        .access_log = access_log(),
        .covering =
            [own = installation_.get()](const TenantId& tenant, const SubjectId& subject) {
                return governance::covering_agreement(own->store(), tenant, subject,
                                                      own->clock().now());
            },
        .move_out = [&contents = installation_->contents()](
                        ledger::ServiceRecord& record) { return contents.move_out(record); }};
    gateway_ =
        std::make_unique<gateway::Gateway>(parts, loaded_.settings, loops, std::move(upstream_tls));
    jobs_ = std::make_unique<gateway::JobRunner>(*gateway_, *loops_.front());
    api_ = make_api_parts({.installation = *installation_,
                           .keys = *keys_,
                           .blocking = *blocking_,
                           .logs = *logs_,
                           .queue = *queue_,
                           .lookers = *lookers_,
                           .looking = *looking_,
                           .benign = serve.review.benign,
                           .benign_per_million_max = serve.review.benign_per_million_max,
                           .test_banks = serve.review.test_banks,
                           .gateway = *gateway_,
                           .ca_file = serve.gateway.ca_file,
                           .provider = provider_.get()});
    console::add_api_routes(gateway_->router(), *api_);
    add_verification();
    metrics_for_all_ = serve.server.metrics == "all";
    add_public_routes(*gateway_, {.installation = *installation_,
                                  .logs = *logs_,
                                  .blocking = *blocking_,
                                  .metrics = metrics_,
                                  .draining = draining_,
                                  .can_record = [this] { return gateway_->can_record(); },
                                  .metrics_for_all = [this] { return metrics_for_all_.load(); }});
    return {};
}

void Service::add_verification() {
    verifications_ = std::make_unique<ThreadPool>(kVerificationThreads, kVerificationsWaitingMax);
    Installation& installation = *installation_;
    gateway::add_subject_routes(*gateway_, {.subjects =
                                                [&installation](const ledger::Actor& actor) {
                                                    return installation.subjects(
                                                        installation.recorder(actor),
                                                        installation.verification_recorder(actor));
                                                },
                                            .providers = *providers_,
                                            .waiting = *verifications_});
}

// The rules of the configuration's file and of the store, as one.
Result<void> Service::open_library() {
    ledger::Actor actor;
    actor.account = "colophon serve";
    conduct_.emplace(installation_->conduct(actor));
    library_.emplace(installation_->store(), installation_->clock(), *conduct_,
                     review::Library::Options{});
    review::LocalRules local = TRY(read_local_rules(loaded_.config.serve));
    loaded_.settings = TRY(under_policy(loaded_));
    live_ = TRY(
        review::LiveLibrary::start({.store = installation_->store(),
                                    .library = *library_,
                                    .clock = installation_->clock(),
                                    .publish =
                                        [this](std::shared_ptr<const review::Reviewer> reviewer) {
                                            take_rules(std::move(reviewer));
                                        },
                                    .fail = [](const Error& error) { print_error(error.what); }},
                                   std::move(local)));
    return {};
}

// The settings with the version of their policy, which is in force from now on.
Result<std::shared_ptr<const gateway::Settings>> Service::under_policy(const Loaded& loaded) {
    policy_ = TRY(put_policy_in_force(*installation_, loaded.config.serve, *loaded.settings));
    auto settings = std::make_shared<gateway::Settings>(*loaded.settings);
    settings->policy = policy_.id;
    return std::shared_ptr<const gateway::Settings>(std::move(settings));
}

void Service::take_rules(std::shared_ptr<const review::Reviewer> reviewer) {
    const std::lock_guard lock(settings_mutex_);
    auto settings = std::make_shared<gateway::Settings>(*loaded_.settings);
    settings->reviewer = std::move(reviewer);
    gateway_->replace_settings(std::move(settings));
}

Result<void> Service::open_server() {
    std::vector<http::Loop*> loops;
    loops.reserve(loops_.size());
    for (const auto& loop : loops_) {
        loops.push_back(loop.get());
    }
    http::Server::Options options{
        .limits = make_limits(loaded_.config.serve.server),
        .handler = [this](http::Exchange& exchange) { return gateway_->serve(exchange); },
        .refusal = gateway::Gateway::refusal_body};
    server_ = std::make_unique<http::Server>(loops, std::move(options));
    add_gauges();
    TRY(jobs_->start());
    return listen();
}

Result<void> Service::listen() {
    const std::vector<int> inherited = http::inherited_sockets();
    for (const int socket : inherited) {
        TRY(server_->adopt(socket, loaded_.tls));
    }
    if (inherited.empty()) {
        TRY(server_->listen(loaded_.address.host, loaded_.address.port, loaded_.tls));
    }
    return {};
}

void Service::add_gauges() {
    const http::ServerCounts& counts = server_->counts();
    metrics_.gauge("colophon_http_connections", "Open connections",
                   [&counts] { return static_cast<double>(counts.connections.load()); });
    metrics_.gauge("colophon_http_active_requests", "Requests that are being answered",
                   [&counts] { return static_cast<double>(counts.active.load()); });
    metrics_.gauge("colophon_http_refused_connections", "Connections beyond a limit",
                   [&counts] { return static_cast<double>(counts.refused.load()); });
    metrics_.gauge("colophon_http_malformed_requests", "Requests that were no HTTP",
                   [&counts] { return static_cast<double>(counts.malformed.load()); });
    metrics_.gauge("colophon_http_timeouts", "Connections that were too slow",
                   [&counts] { return static_cast<double>(counts.timeouts.load()); });
    metrics_.gauge("colophon_spool_bytes", "Files on their way, in memory and on disk",
                   [this] { return static_cast<double>(spool_->held()); });
    for (const char* log : {"service", "conduct"}) {
        metrics_.gauge(fmt::format("colophon_ledger_{}_waiting", log),
                       "Leaves that wait for the log", [this, name = std::string(log)] {
                           for (const ledger::LogHealth& each : logs_->health()) {
                               if (ledger::log_class_name(each.log) == name) {
                                   return static_cast<double>(each.waiting);
                               }
                           }
                           return 0.0;
                       });
    }
}

Task<void> end_after(http::Loop& loop, std::chrono::seconds time, std::function<void()> end) {
    co_await loop.sleep(time);
    end();
}

// The first TERM or INT lets calls end, the second does not. HUP reads the configuration again.
void Service::on_signal(int signal) {
    if (signal == SIGHUP) {
        reload();
        return;
    }
    if (std::exchange(hurried_, true)) {
        write_text(2, fmt::format("colophon: {}\n", tr("stopping at once", "立即停止")));
        // Nothing is tidied up: what was answered is durable, what was not is the caller's to ask
        // again.
        ::_exit(static_cast<int>(ExitCode::kError));
    }
    draining_ = true;
    (void)http::notify_manager("STOPPING=1");
    const std::chrono::seconds time(loaded_.config.serve.server.drain_seconds);
    // Both calls and jobs; these are given back to other nodes, or have no more time than calls.
    const auto ended = [this, left = std::make_shared<std::atomic<int>>(2)] {
        if (--*left > 0) {
            return;
        }
        for (const auto& loop : loops_) {
            loop->stop();
        }
    };
    server_->drain(time, ended);
    const auto once = std::make_shared<std::atomic<bool>>(false);
    const auto jobs_ended = [ended, once] {
        if (!once->exchange(true)) {
            ended();
        }
    };
    jobs_->drain(jobs_ended);
    loops_.front()->spawn(end_after(*loops_.front(), time, jobs_ended));
}

// The settings of another configuration, with the library in force.
Result<void> Service::take_configuration(const Loaded& loaded) {
    review::LocalRules local = TRY(read_local_rules(loaded.config.serve));
    review::QueueRules rules = TRY(queue_rules(loaded.config.serve.review));
    const review::PolicyVersion policy_before = policy_;
    const auto settings = TRY(under_policy(loaded));
    std::shared_ptr<const gateway::Settings> before;
    {
        const std::lock_guard lock(settings_mutex_);
        before = std::exchange(loaded_.settings, settings);
    }
    auto done = live_->replace_local(std::move(local));
    if (!done.ok()) {
        {
            const std::lock_guard lock(settings_mutex_);
            loaded_.settings = std::move(before);
        }
        // When even that cannot be written down, it is said.
        const auto back = put_policy_back(*installation_, policy_before);
        return back.ok() ? done : Result<void>(with_context(back.error(), done.error().what));
    }
    queue_->replace_rules(std::move(rules));
    return done;
}

// Everything or nothing: what is wrong leaves all as it was.
void Service::reload() {
    (void)http::notify_manager("RELOADING=1");
    auto loaded = load(arguments_);
    const auto taken = loaded.ok() ? take_configuration(*loaded) : Result<void>(loaded.error());
    if (!taken.ok()) {
        print_error(taken.error().what);
        write_text(2, fmt::format("colophon: {}\n",
                                  tr("the old configuration stays in force", "仍沿用原配置")));
    } else {
        server_->set_limits(make_limits(loaded->config.serve.server));
        if (loaded->tls) {
            server_->replace_tls(loaded->tls);
        }
        metrics_for_all_ = loaded->config.serve.server.metrics == "all";
        write_text(2, fmt::format("colophon: {} {}\n",
                                  tr("configuration read again, version", "已重新读取配置，版本"),
                                  loaded->settings->version));
    }
    (void)http::notify_manager("READY=1");
}

Result<ExitCode> Service::run() {
    loops_.front()->on_signals({SIGTERM, SIGINT, SIGHUP},
                               [this](int signal) { on_signal(signal); });
    write_text(2,
               fmt::format("colophon: {} {}://{}:{}\n", tr("listening on", "监听地址"),
                           loaded_.tls ? "https" : "http", loaded_.address.host, server_->port()));
    (void)http::notify_manager("READY=1");
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < loops_.size(); ++i) {
        threads.emplace_back([&loop = *loops_[i]] { loop.run(); });
    }
    loops_.front()->run();
    for (std::thread& thread : threads) {
        thread.join();
    }
    return ExitCode::kGood;
}

Result<ExitCode> run_serve(const Arguments& arguments) {
    raise_descriptors();
    Loaded loaded = TRY(load(arguments));
    if (arguments.check_only) {
        const Places places = TRY(resolve_places(arguments.store));
        write_text(
            1, fmt::format("{}: {} {}, {} {}, {} {}\n",
                           loaded.config.path.empty() ? std::string(tr("no file", "无配置文件"))
                                                      : loaded.config.path,
                           tr("version", "版本"), loaded.settings->version, tr("models", "模型"),
                           loaded.settings->models.size(), tr("store", "存储"),
                           store_name(places.store)));
        return ExitCode::kGood;
    }
    const auto service = TRY(Service::create(arguments, std::move(loaded)));
    return service->run();
}

}  // namespace

void add_serve_command(CLI::App& app, Action& action) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb =
        app.add_subcommand("serve", std::string(tr("stand between applications and their models",
                                                   "运行网关：位于应用与模型之间")));
    add_store_options(*verb, arguments->store);
    verb->add_option("--address", arguments->address,
                     std::string(tr("where to listen: HOST:PORT; default 127.0.0.1:8080",
                                    "监听地址 HOST:PORT；默认 127.0.0.1:8080")));
    verb->add_flag(
        "--check-config", arguments->check_only,
        std::string(tr("only say whether the configuration is right", "仅检查配置是否正确")));
    verb->callback(
        [arguments, &action] { action = [arguments] { return finish(run_serve(*arguments)); }; });
}

}  // namespace colophon::cli
