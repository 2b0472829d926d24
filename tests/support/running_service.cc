// SPDX-License-Identifier: Apache-2.0
#include "support/running_service.h"

#include "core/bytes.h"
#include "core/json.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (std::string& word : words) {
        out.push_back(word.data());
    }
    out.push_back(nullptr);
    return out;
}

std::string text_of(const std::string& path) {
    return std::filesystem::exists(path) ? std::string(as_text(read_file(path))) : std::string();
}

// The first whole line with `words` in it that the program printed, once it has.
template <class Read>
std::string line_with(std::string_view words, Read read) {
    for (int i = 0; i < 1000; ++i) {
        const std::string text = read();
        const std::size_t at = text.find(words);
        const std::size_t end = at == std::string::npos ? at : text.find('\n', at);
        if (end != std::string::npos) {
            return text.substr(at, end - at);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
}

constexpr const char* kModels[] = {"echo", "letters",   "tools",    "error-500", "flaky",
                                   "hang", "stall",     "cut",      "no-done",   "garbage",
                                   "huge", "backwards", "paced-100"};

}  // namespace

Background::Background(std::vector<std::string> argv, const std::string& path,
                       std::vector<std::string> environment)
    : path_(path) {
    const std::vector<char*> words = pointers(argv);
    const std::vector<char*> variables = pointers(environment);
    process_ = ::fork();
    REQUIRE(process_ >= 0);
    if (process_ == 0) {
        const int out = ::open((path + ".out").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
        const int err = ::open((path + ".err").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
        ::dup2(out, 1);
        ::dup2(err, 2);
        ::execve(words[0], words.data(), variables.data());
        ::_exit(127);
    }
}

Background::~Background() {
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
}

void Background::signal(int number) const {
    REQUIRE(process_ > 0);
    ::kill(process_, number);
}

int Background::wait() {
    for (int i = 0; i < 1000; ++i) {
        int status = 0;
        if (::waitpid(process_, &status, WNOHANG) == process_) {
            process_ = -1;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return -1;
}

std::string Background::out() const {
    return text_of(path_ + ".out");
}

std::string Background::err() const {
    return text_of(path_ + ".err");
}

std::vector<std::string> RunningService::on_postgres(const std::string& address) {
    return {"COLOPHON_STORAGE_URL=" + address, "COLOPHON_OBJECTS_FOLDER=objects",
            "COLOPHON_KEYS_MASTER=file:master.key"};
}

RunningService::RunningService(const std::string& more, std::vector<std::string> given)
    : variables(std::move(given)) {
    upstream = std::make_unique<Background>(std::vector<std::string>{COLOPHON_BENCH_UPSTREAM},
                                            dir.file("upstream"));
    upstream_port = line_with("", [&] { return upstream->out(); });
    REQUIRE_FALSE(upstream_port.empty());
    std::string config =
        "[label]\nproducer = \"001191000000000000000K10000\"\nsystem = \"demo/1\"\n"
        "[server]\naddress = \"127.0.0.1:0\"\ndrain_seconds = 5\n"
        "[gateway]\nfiling = \"demo-filing\"\nappeal = \"https://a.example/appeal\"\n"
        "[review]\nwords = \"" +
        dir.file("words.txt") +
        "\"\n"
        "[[upstream]]\nname = \"bench\"\nurl = \"http://127.0.0.1:" +
        upstream_port + "/v1\"\nfirst_byte_seconds = 1\nidle_seconds = 1\n";
    for (const char* model : kModels) {
        config += std::string("[[model]]\nname = \"") + model + "\"\nupstream = \"bench\"\n";
    }
    // The same upstream, spoken to in Anthropic's dialect.
    config +=
        "[[upstream]]\nname = \"native\"\ndialect = \"anthropic\"\n"
        "url = \"http://127.0.0.1:" +
        upstream_port + "/v1\"\nfirst_byte_seconds = 1\nidle_seconds = 1\n";
    for (const char* model : {"echo", "letters", "tools", "backwards", "cut"}) {
        config += std::string("[[model]]\nname = \"native-") + model +
                  "\"\ninput_price = \"2.50\"\noutput_price = \"10\"\n"
                  "targets = [{upstream = \"native\", model = \"" +
                  model + "\"}]\n";
    }
    config += "[[model]]\nname = \"picture\"\nkind = \"image\"\nupstream = \"bench\"\n" + more;
    write_file(dir.file("colophon.toml"), as_bytes(config));
    write_file(dir.file("words.txt"), as_bytes("politics\tforbidden\n"));
    ok({"admin", "init"});
    tenant =
        json::parse(ok({"admin", "tenant", "create", "demo", "--json"}))->string_or("tenant", "");
    const auto made = json::parse(ok({"admin", "key", "create", "demo", "--json"}));
    key = made->string_or("secret", "");
    key_id = made->string_or("key", "");
    ok({"admin", "subject", "add", "demo", "alice"});
    write_file(dir.file("mobile.txt"), as_bytes("13800138000\n"));
    const std::string number = "file:" + dir.file("mobile.txt");
    const auto asked = json::parse(
        ok({"admin", "subject", "mobile", "demo", "alice", "--number", number, "--json"}));
    ok({"admin", "subject", "mobile", "demo", "alice", "--number", number, "--code",
        asked->string_or("code", "")});
    ok({"admin", "subject", "add", "demo", "bob"});
}

ToolRun RunningService::colophon(std::vector<std::string> arguments) const {
    std::vector<std::string> command{"env",
                                     "-i",
                                     "-C",
                                     dir.path().string(),
                                     "PATH=/usr/bin:/bin",
                                     "LANG=C.UTF-8",
                                     "HOME=" + dir.path().string()};
    command.insert(command.end(), variables.begin(), variables.end());
    command.emplace_back(COLOPHON_PROGRAM);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_tool(command);
}

std::string RunningService::ok(std::vector<std::string> arguments) const {
    const ToolRun run = colophon(std::move(arguments));
    REQUIRE_MESSAGE(run.exit_code == 0, run.err);
    return run.out;
}

Node RunningService::start_node(const std::string& name) const {
    std::vector<std::string> environment{"PATH=/usr/bin:/bin", "LANG=C.UTF-8",
                                         "HOME=" + dir.path().string()};
    environment.insert(environment.end(), variables.begin(), variables.end());
    Node node;
    node.process = std::make_unique<Background>(
        std::vector<std::string>{"/usr/bin/env", "-C", dir.path().string(), COLOPHON_PROGRAM,
                                 "serve"},
        dir.file(name), environment);
    const std::string line = line_with("listening on ", [&] { return node.process->err(); });
    const std::size_t colon = line.rfind(':');
    REQUIRE_MESSAGE(line.starts_with("listening on http://127.0.0.1:"), node.process->err());
    node.port = line.substr(colon + 1);
    return node;
}

void RunningService::start() {
    Node node = start_node("serve");
    service = std::move(node.process);
    port = node.port;
}

std::string RunningService::url(const std::string& path) const {
    return "http://127.0.0.1:" + port + path;
}

std::string RunningService::curl(std::vector<std::string> arguments) const {
    std::vector<std::string> command{"curl", "-sS", "-m",
                                     "20",   "-H",  "Authorization: Bearer " + key};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_tool(command).out;
}

}  // namespace colophon::test
