// SPDX-License-Identifier: Apache-2.0
#include "core/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

constexpr double kNanos = 1e9;

std::string escaped(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

// {a="1",b="2"} without the braces; what stands between them names the series.
std::string series_of(const Metrics::Labels& labels, bool other) {
    std::string out;
    for (const auto& [name, value] : labels) {
        out += out.empty() ? "" : ",";
        out += name + "=\"" + (other ? "other" : escaped(value)) + "\"";
    }
    return out;
}

std::string with_braces(const std::string& series) {
    return series.empty() ? series : "{" + series + "}";
}

void write_histogram(std::string& out, const std::string& name, const std::string& series,
                     const Histogram& histogram) {
    std::uint64_t total = 0;
    const std::string lead = series.empty() ? "" : series + ",";
    for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
        total += histogram.bucket(i);
        const std::string bound = i < histogram.bounds().size()
                                      ? fmt::format("{}", histogram.bounds()[i])
                                      : std::string("+Inf");
        out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, lead, bound, total);
    }
    out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, with_braces(series), histogram.sum(),
                       name, with_braces(series), total);
}

}  // namespace

void Histogram::observe(double value) noexcept {
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    buckets_[static_cast<std::size_t>(at - bounds_.begin())].add();
    sum_nanos_.fetch_add(static_cast<std::int64_t>(std::llround(value * kNanos)),
                         std::memory_order_relaxed);
}

double Histogram::sum() const noexcept {
    return static_cast<double>(sum_nanos_.load(std::memory_order_relaxed)) / kNanos;
}

Metrics::Family& Metrics::family(std::string_view name, std::string_view help) {
    auto found = families_.find(name);
    if (found == families_.end()) {
        found = families_.emplace(std::string(name), Family{}).first;
        found->second.help = help;
    }
    return found->second;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    Family& all = family(name, help);
    const std::string key = series_of(labels, false);
    const auto found = all.counters.find(key);
    if (found != all.counters.end()) {
        return *found->second;
    }
    const bool full = all.counters.size() >= kSeriesMax;
    auto& made = all.counters[full ? series_of(labels, true) : key];
    if (!made) {
        made = std::make_unique<Counter>();
    }
    return *made;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              const std::vector<double>& bounds, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    Family& all = family(name, help);
    const std::string key = series_of(labels, false);
    const auto found = all.histograms.find(key);
    if (found != all.histograms.end()) {
        return *found->second;
    }
    const bool full = all.histograms.size() >= kSeriesMax;
    auto& made = all.histograms[full ? series_of(labels, true) : key];
    if (!made) {
        made = std::make_unique<Histogram>(bounds);
    }
    return *made;
}

void Metrics::gauge(std::string_view name, std::string_view help, std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    family(name, help).gauge = std::move(read);
}

std::string Metrics::write() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const auto& [name, all] : families_) {
        const std::string_view kind = all.gauge                ? "gauge"
                                      : all.histograms.empty() ? "counter"
                                                               : "histogram";
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, all.help, name, kind);
        if (all.gauge) {
            out += fmt::format("{} {}\n", name, all.gauge());
        }
        for (const auto& [series, counter] : all.counters) {
            out += fmt::format("{}{} {}\n", name, with_braces(series), counter->value());
        }
        for (const auto& [series, histogram] : all.histograms) {
            write_histogram(out, name, series, *histogram);
        }
    }
    return out;
}

}  // namespace colophon
