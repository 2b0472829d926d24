// SPDX-License-Identifier: Apache-2.0
// The examples of deploy/: what they configure is a service that runs, started as they start it.

#include "core/bytes.h"
#include "core/json.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::Background;
using test::PostgresServer;
using test::TempDir;

constexpr const char* kMasterKey =
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

json::Value yaml(const std::string& name) {
    auto read =
        json::parse(test::run_tool_ok({"node", COLOPHON_SOURCE_DIR "/tests/witness/yaml.mjs",
                                       COLOPHON_SOURCE_DIR "/build/witness/node_modules",
                                       COLOPHON_SOURCE_DIR "/deploy/" + name}));
    REQUIRE(read.ok());
    return std::move(*read);
}

const json::Value& at(const json::Value& value, const std::vector<std::string>& path) {
    const json::Value* found = &value;
    for (const std::string& name : path) {
        const json::Value* next = found->if_array() != nullptr
                                      ? &found->if_array()->at(std::stoul(name))
                                      : found->find(name);
        REQUIRE_MESSAGE(next != nullptr, name);
        found = next;
    }
    return *found;
}

std::string text_at(const json::Value& value, const std::vector<std::string>& path) {
    const std::string* text = at(value, path).if_string();
    REQUIRE(text != nullptr);
    return *text;
}

std::vector<std::string> words_at(const json::Value& value, const std::vector<std::string>& path) {
    std::vector<std::string> words;
    for (const json::Value& each : *at(value, path).if_array()) {
        words.push_back(*each.if_string());
    }
    return words;
}

// Runs the image's program with nothing in the environment but what the example gives.
struct House {
    TempDir dir;
    std::string store = PostgresServer::shared().new_address();
    std::vector<std::string> variables;

    void set(const std::string& name, const std::string& value) {
        variables.push_back(name + "=" + value);
    }
    std::vector<std::string> command(const std::vector<std::string>& words) const {
        std::vector<std::string> argv{
            "/usr/bin/env", "-i", "-C", dir.file(""), "PATH=/usr/bin:/bin", "HOME=" + dir.file("")};
        argv.insert(argv.end(), variables.begin(), variables.end());
        argv.emplace_back(COLOPHON_PROGRAM);
        argv.insert(argv.end(), words.begin(), words.end());
        return argv;
    }
    std::string ok(const std::vector<std::string>& words) const {
        return test::run_tool_ok(command(words));
    }
};

// ${NAME}, ${NAME:?} and ${NAME:-OTHERWISE}, as Compose fills them in.
std::string filled(std::string text,
                   const std::vector<std::pair<std::string, std::string>>& values) {
    for (std::size_t start = 0; (start = text.find("${")) != std::string::npos;) {
        const std::size_t end = text.find('}', start);
        REQUIRE(end != std::string::npos);
        const std::string inside = text.substr(start + 2, end - start - 2);
        const std::size_t colon = inside.find(':');
        std::string value = colon != std::string::npos && inside.substr(colon, 2) == ":-"
                                ? inside.substr(colon + 2)
                                : std::string();
        for (const auto& [name, given] : values) {
            value = inside.substr(0, colon) == name ? given : value;
        }
        REQUIRE_MESSAGE(!value.empty(), inside);
        text.replace(start, end + 1 - start, value);
    }
    return text;
}

std::unique_ptr<Background> start(House& house, const std::vector<std::string>& words,
                                  const std::string& name, std::string& address) {
    auto node = std::make_unique<Background>(house.command(words), house.dir.file(name));
    for (int i = 0; i < 300 && address.empty(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        const std::string said = node->err();
        const std::size_t from = said.find("http://");
        const std::size_t end = said.find('\n', from);
        if (from != std::string::npos && end != std::string::npos) {
            address = said.substr(from, end - from);
        }
    }
    REQUIRE_MESSAGE(!address.empty(), node->err());
    return node;
}

}  // namespace

TEST_CASE("the Compose example is two nodes that share what they know" *
          doctest::test_suite("slow gateway")) {
    const json::Value compose = yaml("compose.yaml");
    House house;
    // What differs here from a machine with containers: where PostgreSQL and the folders are.
    for (const auto& [name, value] :
         *at(compose, {"services", "node1", "environment"}).if_object()) {
        if (name == "DATABASE") {
            CHECK(value.if_string()->starts_with("postgres://colophon:${DATABASE_PASSWORD:?}@"));
            house.set(name, house.store);
        } else if (name == "COLOPHON_OBJECTS_FOLDER") {
            house.set(name, house.dir.file("objects"));
        } else if (name == "COLOPHON_CONFIG") {
            house.set(name, house.dir.file("colophon.toml"));
        } else {
            house.set(name, filled(*value.if_string(),
                                   {{"MASTER_KEY", kMasterKey},
                                    {"COLOPHON_LABEL_PRODUCER", "001191000000000000000K10001"}}));
        }
    }
    test::write_file(house.dir.file("colophon.toml"),
                     as_bytes(text_at(compose, {"configs", "colophon", "content"})));
    CHECK(text_at(compose, {"services", "node1", "configs", "0", "target"}) ==
          text_at(compose, {"services", "node1", "environment", "COLOPHON_CONFIG"}));

    (void)house.ok(words_at(compose, {"services", "init", "command"}));
    (void)house.ok(words_at(compose, {"services", "init", "command"}));  // at each `up`
    house.set("COLOPHON_SERVER_ADDRESS", "127.0.0.1:0");  // the image says 0.0.0.0:8080
    std::string first;
    std::string second;
    const auto node1 =
        start(house, words_at(compose, {"services", "node1", "command"}), "1", first);
    const auto node2 =
        start(house, words_at(compose, {"services", "node2", "command"}), "2", second);
    for (const std::string& address : {first, second}) {
        const std::string ready = test::run_tool_ok({"curl", "-sS", "-o", house.dir.file("body"),
                                                     "-w", "%{http_code}", address + "/readyz"});
        CHECK(ready == "200");
    }
    (void)house.ok({"admin", "tenant", "create", "demo"});
    const auto key = json::parse(house.ok({"admin", "key", "create", "demo", "--json"}));
    REQUIRE(key.ok());
    for (const std::string& address : {first, second}) {
        const std::string models = test::run_tool_ok(
            {"curl", "-sS", "-H", "Authorization: Bearer " + key->string_or("secret", ""),
             address + "/v1/models"});
        CHECK_MESSAGE(models.find("\"voice\"") != std::string::npos, models);
    }
    node1->signal(15);
    CHECK(node1->wait() == 0);
    node2->signal(15);
    CHECK(node2->wait() == 0);
}

TEST_CASE("the Kubernetes example is a configuration that the program takes") {
    const json::Value list = yaml("kubernetes.yaml");
    House house;
    const json::Value& deployment = at(list, {"items", "2"});
    CHECK(text_at(deployment, {"kind"}) == "Deployment");
    for (const json::Value& each :
         *at(deployment, {"spec", "template", "spec", "containers", "0", "env"}).if_array()) {
        const std::string name = each.string_or("name", "");
        const std::string given = each.string_or("value", "");
        if (name == "COLOPHON_CONFIG") {
            house.set(name, house.dir.file("colophon.toml"));
        } else if (name == "MASTER_KEY") {
            house.set(name, kMasterKey);
        } else if (given.empty()) {
            house.set(name, name == "DATABASE" ? house.store : "of the secret");
        } else {
            house.set(name, given);
        }
    }
    test::write_file(house.dir.file("colophon.toml"),
                     as_bytes(text_at(list, {"items", "0", "data", "colophon.toml"})));
    const std::string checked = house.ok({"serve", "--check-config"});
    CHECK_MESSAGE(checked.find("store PostgreSQL") != std::string::npos, checked);
    // The same container makes the store, and the probes are endpoints that there are.
    CHECK(words_at(list, {"items", "1", "spec", "template", "spec", "containers", "0", "args"}) ==
          std::vector<std::string>{"admin", "init"});
    const json::Value& node = at(deployment, {"spec", "template", "spec", "containers", "0"});
    CHECK(text_at(node, {"readinessProbe", "httpGet", "path"}) == "/readyz");
    CHECK(text_at(node, {"livenessProbe", "httpGet", "path"}) == "/healthz");
}

}  // namespace colophon
