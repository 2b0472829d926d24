// SPDX-License-Identifier: Apache-2.0
#include "gateway/call_meters.h"

#include "core/metrics.h"
#include "gateway/call.h"
#include "gateway/settings.h"
#include "ledger/record.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace colophon::gateway {
namespace {

// Kinds of calls whose series are kept at hand; as many as a family has series.
constexpr std::size_t kKnownMax = Metrics::kSeriesMax;

// Seconds; OpenTelemetry's buckets for GenAI durations.
const std::vector<double> kDurations{0.01, 0.02, 0.04, 0.08,  0.16,  0.32,  0.64,
                                     1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92};
const std::vector<double> kTokens{1,     4,     16,     64,      256,     1024,     4096,
                                  16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

// Of what we add ourselves.
const std::vector<double> kOverheads{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                     0.01,   0.025,   0.05,   0.1,   0.25,   1};

}  // namespace

CallMeters::CallMeters(Metrics& metrics)
    : metrics_(metrics),
      overheads_(metrics.histogram(
          "colophon_added_overhead_seconds",
          "Duration of calls without the wait for upstream, client and store", kOverheads, {})) {}

Histogram& CallMeters::tokens(const Metrics::Labels& labels, const char* kind) {
    Metrics::Labels each = labels;
    each.emplace_back("gen_ai_token_type", kind);
    return metrics_.histogram("gen_ai_client_token_usage", "Tokens of calls", kTokens, each);
}

void CallMeters::count(const Call& call, const std::string& operation, const std::string& code) {
    const ledger::Facts& facts = call.record.facts;
    const std::string model = call.model == nullptr ? std::string("none") : call.model->name;
    const auto labels = [&] {
        return Metrics::Labels{{"gen_ai_operation_name", operation},
                               {"gen_ai_request_model", model}};
    };
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - call.began;
    {
        std::string kind = operation;
        (kind += '\0') += model;
        (kind += '\0') += code;
        const std::lock_guard lock(mutex_);
        if (known_.size() >= kKnownMax && !known_.contains(kind)) {
            known_.clear();
        }
        Series& series = known_[kind];
        if (series.calls == nullptr) {
            Metrics::Labels outcome = labels();
            outcome.emplace_back("outcome", code.empty() ? std::string("answered") : code);
            series.calls =
                &metrics_.counter("colophon_calls_total", "Calls by how they ended", outcome);
            series.durations = &metrics_.histogram("gen_ai_server_request_duration_seconds",
                                                   "Duration of calls", kDurations, labels());
        }
        if (facts.input_tokens > 0 && series.input_tokens == nullptr) {
            series.input_tokens = &tokens(labels(), "input");
        }
        if (facts.output_tokens > 0 && series.output_tokens == nullptr) {
            series.output_tokens = &tokens(labels(), "output");
        }
        series.calls->add();
        series.durations->observe(took.count());
        if (facts.input_tokens > 0) {
            series.input_tokens->observe(static_cast<double>(facts.input_tokens));
        }
        if (facts.output_tokens > 0) {
            series.output_tokens->observe(static_cast<double>(facts.output_tokens));
        }
    }
    if (call.cost > 0) {
        metrics_
            .counter("colophon_cost_millionths_total",
                     "Cost of calls by the prices of the configuration, in millionths of the "
                     "currency",
                     {{"gen_ai_request_model", model},
                      {"upstream", call.target->upstream},
                      {"currency", call.settings->currency}})
            .add(static_cast<std::uint64_t>(call.cost));
    }
}

}  // namespace colophon::gateway
