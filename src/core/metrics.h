// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counters, gauges and histograms, written out in Prometheus' text format (0.0.4).
//
// Threads: any method from any thread. What counter() and its like return lives as long as the
// registry and costs one atomic addition; finding it by its labels costs a lock.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {

class Counter {
public:
    void add(std::uint64_t count = 1) noexcept {
        value_.fetch_add(count, std::memory_order_relaxed);
    }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Histogram {
public:
    // Upper bounds, ascending; one more bucket takes what is above them all.
    explicit Histogram(std::vector<double> bounds)
        : bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {}
    void observe(double value) noexcept;

    const std::vector<double>& bounds() const noexcept { return bounds_; }
    std::uint64_t bucket(std::size_t index) const noexcept { return buckets_[index].value(); }
    double sum() const noexcept;

private:
    std::vector<double> bounds_;
    std::vector<Counter> buckets_;
    std::atomic<std::int64_t> sum_nanos_{0};
};

class Metrics {
public:
    using Labels = std::vector<std::pair<std::string, std::string>>;

    // A family has one help text and one kind; a second name for it is a bug of ours. At most
    // kSeriesMax series a family: what comes beyond is counted under the label values "other".
    static constexpr std::size_t kSeriesMax = 1000;
    Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Histogram& histogram(std::string_view name, std::string_view help,
                         const std::vector<double>& bounds, const Labels& labels = {});
    // Read when the metrics are written.
    void gauge(std::string_view name, std::string_view help, std::function<double()> read);

    std::string write() const;

private:
    struct Family {
        std::string help;
        std::map<std::string, std::unique_ptr<Counter>> counters;
        std::map<std::string, std::unique_ptr<Histogram>> histograms;
        std::function<double()> gauge;
    };
    Family& family(std::string_view name, std::string_view help);

    mutable std::mutex mutex_;
    std::map<std::string, Family, std::less<>> families_;  // guarded by mutex_
};

}  // namespace colophon
