// SPDX-License-Identifier: Apache-2.0
// Several `colophon serve` processes on one PostgreSQL, with objects in a folder or on an S3
// server: quotas, records, jobs and revocations over all of them, one of them killed.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "support/http_load.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/swift_server.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using std::chrono::steady_clock;
using test::HttpConnection;
using test::HttpLoad;
using test::Node;
using test::PostgresServer;
using test::RunningService;
using test::SwiftServer;

constexpr const char* kChat =
    R"({"model":"echo","user":"alice","messages":[{"role":"user","content":"hello"}]})";

double seconds_since(steady_clock::time_point when) {
    return std::chrono::duration<double>(steady_clock::now() - when).count();
}

// All objects on a real S3 server, and nothing on the disk of a node that another would need.
std::vector<std::string> on_s3(const std::string& prefix) {
    return {"COLOPHON_OBJECTS_ENDPOINT=" + SwiftServer::shared().endpoint(),
            "COLOPHON_OBJECTS_BUCKET=bucket",
            "COLOPHON_OBJECTS_PREFIX=" + prefix,
            std::string("COLOPHON_OBJECTS_ACCESS_KEY=") + SwiftServer::kAccessKey,
            "COLOPHON_OBJECTS_SECRET_KEY=env:S3_SECRET",
            std::string("S3_SECRET=") + SwiftServer::kSecretKey,
            "COLOPHON_OBJECTS_CONDITIONAL_WRITES=off"};
}

// A service whose nodes share a PostgreSQL, with these lines in [gateway].
struct Cluster {
    explicit Cluster(std::size_t count, std::vector<std::string> variables = {})
        : address(PostgresServer::shared().new_address()) {
        for (std::string& each : RunningService::on_postgres(address)) {
            const bool folder = each.starts_with("COLOPHON_OBJECTS_FOLDER");
            const bool elsewhere = std::ranges::any_of(variables, [](const std::string& other) {
                return other.starts_with("COLOPHON_OBJECTS_ENDPOINT");
            });
            if (!folder || !elsewhere) {
                variables.push_back(std::move(each));
            }
        }
        variables.emplace_back("COLOPHON_SERVER_ACCESS_LOG=none");
        service = std::make_unique<RunningService>("", std::move(variables));
        for (std::size_t i = 0; i < count; ++i) {
            nodes.push_back(service->start_node("node" + std::to_string(i)));
        }
    }

    HttpLoad::Call call() const {
        return {.path = "/v1/chat/completions",
                .header_lines = {"Authorization: Bearer " + service->key},
                .body = kChat};
    }
    test::HttpReply ask(const Node& node) const {
        HttpConnection connection(node.port);
        const HttpLoad::Call all = call();
        return connection.post(all.path, all.header_lines, all.body);
    }
    // The id of a job for a picture; empty when it was refused.
    std::string add_job(const Node& node) const {
        HttpConnection connection(node.port);
        const test::HttpReply reply =
            connection.post("/v1/images/generations", call().header_lines,
                            R"({"model":"picture","user":"alice","prompt":"a hill",)"
                            R"("background":true})");
        if (reply.status != 202) {
            CHECK(reply.status == 429);
            return {};
        }
        return json::parse(reply.body)->string_or("id", "");
    }
    json::Value get(const Node& node, const std::string& path) const {
        const std::string text = service->curl({node.url("/v1/images/jobs/" + path)});
        auto value = json::parse(text, {.bytes_max = text.size() + 1});
        REQUIRE_MESSAGE(value.ok(), text.substr(0, 1000));
        return *value;
    }
    json::Value ended(const Node& node, const std::string& id) const {
        const auto begun = steady_clock::now();
        for (;;) {
            json::Value job = get(node, id);
            const std::string status = job.string_or("status", "");
            if (status == "completed" || status == "failed") {
                return job;
            }
            REQUIRE_MESSAGE(seconds_since(begun) < 90, json::write(job));
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
    void check_pictures(const Node& node, const std::string& id,
                        const std::string& content_id) const {
        const json::Value answer = get(node, id + "/content");
        REQUIRE_MESSAGE(answer.find("data") != nullptr, json::write(answer).substr(0, 1000));
        const auto picture =
            from_base64(answer.find("data")->if_array()->front().string_or("b64_json", ""));
        REQUIRE(picture.ok());
        const std::string file = service->dir.file("made.png");
        test::write_file(file, *picture);
        const auto seen = json::parse(service->ok({"verify", "--json", file}));
        CHECK(seen->string_or("verdict", "") == "intact");
        CHECK(seen->find("metadata")->string_or("content_id", "") == content_id);
    }
    // The ids of the records of calls that were answered.
    std::set<std::string> answered() const {
        std::set<std::string> ids;
        const std::string all =
            service->ok({"ledger", "records", "--json", "--kind", "call", "--limit", "100000"});
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t end = all.find('\n', at);
            const auto record = json::parse(all.substr(at, end - at));
            REQUIRE(record.ok());
            if (record->string_or("outcome", "") == "answered") {
                ids.insert(record->string_or("id", ""));
            }
            at = end + 1;
        }
        return ids;
    }

    std::string address;
    std::unique_ptr<RunningService> service;
    std::vector<Node> nodes;
};

// How long each node went on answering 200 after the command had ended; -1 when it still does after
// ten seconds.
std::vector<double> seconds_until_refused(const Cluster& cluster, int status) {
    std::vector<double> took(cluster.nodes.size(), -1);
    const auto changed = steady_clock::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < cluster.nodes.size(); ++i) {
        threads.emplace_back([&, i] {
            while (seconds_since(changed) < 10) {
                if (cluster.ask(cluster.nodes[i]).status == status) {
                    took[i] = seconds_since(changed);
                    return;
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return took;
}

void check_seen_everywhere(const Cluster& cluster, const std::string& what, int status,
                           const std::vector<std::string>& command) {
    CAPTURE(what);
    for (const Node& node : cluster.nodes) {
        REQUIRE(cluster.ask(node).status == 200);
    }
    cluster.service->ok(command);
    for (const double took : seconds_until_refused(cluster, status)) {
        MESSAGE(what, ": refused ", took, " s after the command had ended");
        CHECK(took >= 0);
        CHECK(took < 1);
    }
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("two nodes share the quota of a tenant within one percent") {
        Cluster cluster(2, {"COLOPHON_GATEWAY_TENANT_CALLS_A_MINUTE=1800"});
        const auto begun = steady_clock::now();
        std::vector<std::unique_ptr<HttpLoad>> loads;
        for (const Node& node : cluster.nodes) {
            loads.push_back(std::make_unique<HttpLoad>(node.port, cluster.call(), 6));
        }
        const auto both = [&](int status) {
            return loads[0]->count(status) + loads[1]->count(status);
        };
        // Until the quota was used up for a while on both.
        while ((loads[0]->count(429) < 100 || loads[1]->count(429) < 100) &&
               seconds_since(begun) < 120) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        for (const auto& load : loads) {
            load->stop();
        }
        const double allowed = 1800 + 30 * seconds_since(begun);
        const auto answered = static_cast<double>(both(200));
        MESSAGE("answered ", answered, " of ", allowed, ": ", loads[0]->count(200), " and ",
                loads[1]->count(200), ", refused ", both(429));
        for (const auto& load : loads) {
            for (const auto& [status, count] : load->counts()) {
                const bool expected = status == 200 || status == 429;
                CHECK_MESSAGE(expected, count, " answers of status ", status);
            }
        }
        CHECK(answered <= allowed * 1.01);
        CHECK(answered >= allowed * 0.99);
        CHECK(cluster.answered().size() == both(200));
    }

    TEST_CASE("a node that is killed loses no record of an acknowledged call, and no quota") {
        Cluster cluster(3, {"COLOPHON_GATEWAY_TENANT_CALLS_A_MINUTE=2400",
                            "COLOPHON_GATEWAY_TENANT_CALLS_AT_ONCE=9"});
        const auto begun = steady_clock::now();
        std::vector<std::unique_ptr<HttpLoad>> loads;
        for (const Node& node : cluster.nodes) {
            loads.push_back(std::make_unique<HttpLoad>(node.port, cluster.call(), 4));
        }
        const auto all = [&](int status) {
            std::size_t sum = 0;
            for (const auto& load : loads) {
                sum += load->count(status);
            }
            return sum;
        };
        while (loads[0]->count(200) < 200 && seconds_since(begun) < 60) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        cluster.nodes[0].process->signal(SIGKILL);
        loads[0]->stop();
        const std::size_t before = all(200);
        const std::size_t of_killed = loads[0]->count(200);
        CHECK(of_killed >= 200);
        // The places of the dead node are free again after a while, and the rest of the quota is
        // used by the others.
        const auto allowed_now = [&] { return 2400 + 40 * seconds_since(begun); };
        while (static_cast<double>(all(200)) < allowed_now() * 0.995 &&
               seconds_since(begun) < 120) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        for (const auto& load : loads) {
            load->stop();
        }
        const double allowed = allowed_now();
        MESSAGE("answered ", all(200), " of ", allowed, ", ", of_killed,
                " by the node that was killed, ", before, " before that");
        CHECK(static_cast<double>(all(200)) <= allowed * 1.01);
        CHECK(static_cast<double>(all(200)) >= allowed * 0.99);
        const std::set<std::string> kept = cluster.answered();
        std::size_t lost = 0;
        for (const auto& load : loads) {
            for (const std::string& record : load->records()) {
                lost += kept.contains(record) ? 0U : 1U;
            }
        }
        CHECK(lost == 0);
        // Calls that were being answered when the node died may have a record and no answer.
        CHECK(kept.size() >= all(200));
        CHECK(kept.size() <= all(200) + 4);
        cluster.service->ok({"ledger", "check"});
    }

    TEST_CASE("with objects on an S3 server a killed node loses no record, no quota and no job") {
        for (const std::size_t count : {std::size_t{2}, std::size_t{3}}) {
            CAPTURE(count);
            std::vector<std::string> variables = on_s3("nodes-" + std::to_string(count) + "/");
            variables.emplace_back("COLOPHON_GATEWAY_TENANT_CALLS_A_MINUTE=1800");
            variables.emplace_back("COLOPHON_GATEWAY_SUBJECT_PICTURE_JOBS_AT_ONCE=0");
            Cluster cluster(count, std::move(variables));
            const auto begun = steady_clock::now();
            std::vector<std::unique_ptr<HttpLoad>> loads;
            for (const Node& node : cluster.nodes) {
                loads.push_back(std::make_unique<HttpLoad>(node.port, cluster.call(), 4));
            }
            const auto all = [&](int status) {
                std::size_t sum = 0;
                for (const auto& load : loads) {
                    sum += load->count(status);
                }
                return sum;
            };
            // Jobs at every node, while it serves calls.
            std::vector<std::string> jobs;
            std::size_t jobs_asked = 0;
            const auto add_jobs = [&](std::size_t first) {
                for (int i = 0; i < 4; ++i) {
                    for (std::size_t n = first; n < cluster.nodes.size(); ++n) {
                        const std::string id = cluster.add_job(cluster.nodes[n]);
                        ++jobs_asked;
                        if (!id.empty()) {
                            jobs.push_back(id);
                        }
                    }
                }
            };
            add_jobs(0);
            while (loads[0]->count(200) < 100 && seconds_since(begun) < 60) {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
            }
            add_jobs(0);
            cluster.nodes[0].process->signal(SIGKILL);
            loads[0]->stop();
            const std::size_t of_killed = loads[0]->count(200);
            add_jobs(1);
            const auto allowed_now = [&] { return 1800 + 30 * seconds_since(begun); };
            while (static_cast<double>(all(200) + jobs_asked) < allowed_now() * 0.995 &&
                   seconds_since(begun) < 120) {
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
            for (const auto& load : loads) {
                load->stop();
            }
            const double allowed = allowed_now();
            const std::size_t admitted = all(200) + jobs.size();
            MESSAGE(count, " nodes: admitted ", admitted, " of ", allowed, ", ", of_killed,
                    " by the node that was killed; ", jobs.size(), " jobs of ", jobs_asked);
            CHECK(of_killed >= 100);
            CHECK(jobs.size() >= 4);
            CHECK(static_cast<double>(admitted) <= allowed * 1.01);
            CHECK(static_cast<double>(admitted) >= allowed * 0.99);
            // Every job that was acknowledged ends, and any node that lives gives what it made.
            std::size_t completed = 0;
            for (const std::string& id : jobs) {
                const json::Value job = cluster.ended(cluster.nodes.back(), id);
                const std::string status = job.string_or("status", "");
                if (status == "completed") {
                    ++completed;
                    cluster.check_pictures(cluster.nodes[1], id, job.string_or("content_id", ""));
                } else {
                    // It was just being asked for when its node died.
                    CHECK_MESSAGE(json::write(job).find("submission_unknown") != std::string::npos,
                                  json::write(job));
                }
            }
            MESSAGE(completed, " jobs have their pictures");
            CHECK(completed + 16 >= jobs.size());
            const std::set<std::string> kept = cluster.answered();
            std::size_t lost = 0;
            for (const auto& load : loads) {
                for (const std::string& record : load->records()) {
                    lost += kept.contains(record) ? 0U : 1U;
                }
            }
            CHECK(lost == 0);
            cluster.service->ok({"ledger", "check"});
        }
    }

    TEST_CASE("what is revoked, closed or disabled is refused on every node within a second") {
        const Cluster cluster(3);
        check_seen_everywhere(cluster, "subject closed", 403,
                              {"admin", "subject", "close", "demo", "alice"});
        const Cluster second(3);
        check_seen_everywhere(second, "key revoked", 401,
                              {"admin", "key", "revoke", second.service->key_id});
        const Cluster third(2);
        check_seen_everywhere(third, "tenant disabled", 401,
                              {"admin", "tenant", "disable", "demo"});
    }
}

}  // namespace colophon
