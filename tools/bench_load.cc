// SPDX-License-Identifier: Apache-2.0
// bench_load [--header NAME:VALUE]... [--text TEXT] URL KEY BODY_FILE SECONDS CONCURRENCY [PID...]:
// posts the body again and again over kept connections and prints one line of JSON: calls a second,
// times, failures, and how much processor time each of the processes took for a call and for an
// event of a stream. With --text an answer counts as failed that does not hold the text, whole and
// in order; of a stream that is what its pieces make together. It runs on one thread.

#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/sse.h"
#include "http/upstream.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20U;

struct Load {
    http::Loop loop;
    http::Upstream upstream{loop, {.tls = nullptr, .kept_max = 100'000}};
    http::Url url;
    std::string key;
    std::string body;
    http::Headers headers;
    std::string text;
    Clock::time_point end;
    std::vector<double> milliseconds;
    std::uint64_t events = 0;
    std::uint64_t failed = 0;
    std::size_t running = 0;
};

// What the first choice says, in one answer or in a piece of it.
std::string content_of(const json::Value& answer, std::string_view member) {
    const json::Value* choices = answer.find("choices");
    const json::Array* list = choices == nullptr ? nullptr : choices->if_array();
    const json::Value* said =
        list == nullptr || list->empty() ? nullptr : list->front().find(member);
    return said == nullptr ? "" : said->string_or("content", "");
}

struct Said {
    std::string text;
    std::uint64_t events = 0;
};

Said read_answer(const std::string& body) {
    const auto whole = json::parse(body, {.bytes_max = kAnswerBytesMax});
    if (whole.ok()) {
        return {.text = content_of(*whole, "message"), .events = 0};
    }
    Said said;
    http::SseReader reader;
    reader.feed(body);
    for (auto event = reader.next(); event.ok() && event->has_value(); event = reader.next()) {
        ++said.events;
        const auto piece = json::parse((*event)->data, {.bytes_max = kAnswerBytesMax});
        if (piece.ok()) {
            said.text += content_of(*piece, "delta");
        }
    }
    return said;
}

Task<bool> call(Load& load) {
    http::UpstreamRequest request;
    request.url = load.url;
    request.body = load.body;
    request.headers = load.headers;
    request.headers.push_back({"content-type", "application/json"});
    request.headers.push_back({"authorization", "Bearer " + load.key});
    auto response = co_await load.upstream.send(std::move(request));
    if (!response.ok() || (*response)->head().status != 200) {
        co_return false;
    }
    const auto body = co_await (*response)->read_all(kAnswerBytesMax);
    if (!body.ok()) {
        co_return false;
    }
    const Said said = read_answer(*body);
    load.events += said.events;
    co_return said.text.find(load.text) != std::string::npos;
}

Task<void> client(Load& load) {
    while (Clock::now() < load.end) {
        const auto began = Clock::now();
        const bool good = co_await call(load);
        if (good) {
            load.milliseconds.push_back(
                std::chrono::duration<double, std::milli>(Clock::now() - began).count());
        } else {
            ++load.failed;
        }
    }
    if (--load.running == 0) {
        load.loop.stop();
    }
}

// User and system time of a process in microseconds.
double processor_time(const std::string& process) {
    std::ifstream in("/proc/" + process + "/stat");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    std::size_t at = text.rfind(')');
    double ticks = 0;
    for (int field = 2; field < 15 && at != std::string::npos; ++field) {
        at = text.find(' ', at + 1);
        if (field >= 12 && at != std::string::npos) {
            ticks += std::strtod(text.c_str() + at, nullptr);
        }
    }
    return ticks * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double at_rank(const std::vector<double>& sorted, double share) {
    return sorted.empty()
               ? 0.0
               : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

struct Arguments {
    http::Headers headers;
    std::string text;
    std::vector<std::string> others;
};

Arguments read_arguments(const std::vector<std::string>& given) {
    Arguments arguments;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const bool more = i + 1 < given.size();
        if (given[i] == "--header" && more) {
            const std::string& header = given[++i];
            const std::size_t colon = std::min(header.find(':'), header.size() - 1);
            arguments.headers.push_back({header.substr(0, colon), header.substr(colon + 1)});
        } else if (given[i] == "--text" && more) {
            arguments.text = given[++i];
        } else {
            arguments.others.push_back(given[i]);
        }
    }
    return arguments;
}

double share(double part, double of) {
    return of > 0 ? part / of : 0.0;
}

int run(const Arguments& given) {
    const std::vector<std::string>& arguments = given.others;
    Load load;
    const auto url = http::parse_url(arguments[0]);
    if (!url.ok()) {
        (void)std::fprintf(stderr, "bench_load: %s\n", url.error().what.c_str());
        return 1;
    }
    load.url = *url;
    load.key = arguments[1];
    load.headers = given.headers;
    load.text = given.text;
    std::ifstream in(arguments[2]);
    load.body.assign(std::istreambuf_iterator<char>(in), {});
    const double seconds = std::strtod(arguments[3].c_str(), nullptr);
    load.running = std::strtoul(arguments[4].c_str(), nullptr, 10);
    const std::vector<std::string> processes(arguments.begin() + 5, arguments.end());
    std::vector<double> before;
    std::ranges::transform(processes, std::back_inserter(before), processor_time);
    const auto began = Clock::now();
    load.end = began + std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6));
    for (std::size_t i = load.running; i > 0; --i) {
        load.loop.spawn(client(load));
    }
    load.loop.run();
    const double took = std::chrono::duration<double>(Clock::now() - began).count();
    std::ranges::sort(load.milliseconds);
    const auto calls = static_cast<double>(load.milliseconds.size());
    json::Array costs;
    json::Array event_costs;
    for (std::size_t i = 0; i < processes.size(); ++i) {
        const double spent = processor_time(processes[i]) - before[i];
        costs.emplace_back(share(spent, calls));
        event_costs.emplace_back(share(spent, static_cast<double>(load.events)));
    }
    json::Object line{{"calls", calls},
                      {"failed", load.failed},
                      {"calls_a_second", calls / took},
                      {"p50_ms", at_rank(load.milliseconds, 0.5)},
                      {"p99_ms", at_rank(load.milliseconds, 0.99)},
                      {"microseconds_a_call", std::move(costs)}};
    if (load.events > 0) {
        line.emplace_back("events", load.events);
        line.emplace_back("microseconds_an_event", std::move(event_costs));
    }
    (void)std::printf("%s\n", json::write(line).c_str());
    return load.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace colophon

int main(int argc, char** argv) {
    const auto arguments = colophon::read_arguments({argv + 1, argv + argc});
    if (arguments.others.size() < 5) {
        (void)std::fprintf(stderr,
                           "usage: bench_load [--header NAME:VALUE]... [--text TEXT] URL KEY "
                           "BODY_FILE SECONDS CONCURRENCY [PID...]\n");
        return 64;
    }
    return colophon::run(arguments);
}
