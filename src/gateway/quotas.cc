// SPDX-License-Identifier: Apache-2.0
#include "gateway/quotas.h"

#include "gateway/settings.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>

namespace colophon::gateway {
namespace {

constexpr double kMinute = 60;
constexpr std::size_t kBucketsMax = 100'000;

int seconds_for(double missing, std::size_t a_minute) {
    const double seconds = std::ceil(missing * kMinute / static_cast<double>(a_minute));
    return static_cast<int>(std::clamp(seconds, 1.0, kMinute));
}

}  // namespace

void Quotas::fill(Bucket& bucket, const Quota& quota) {
    const auto now = std::chrono::steady_clock::now();
    const auto requests = static_cast<double>(quota.requests_a_minute);
    const auto tokens = static_cast<double>(quota.tokens_a_minute);
    if (bucket.is_new) {
        bucket.is_new = false;
        bucket.requests = requests;
        bucket.tokens = tokens;
    } else {
        const double minutes = std::chrono::duration<double>(now - bucket.filled).count() / kMinute;
        bucket.requests = std::min(requests, bucket.requests + requests * minutes);
        bucket.tokens = std::min(tokens, bucket.tokens + tokens * minutes);
    }
    bucket.filled = now;
}

std::optional<Quotas::Refused> Quotas::enter(const Key& key, const Quota& quota) {
    if (quota.concurrency == 0 && quota.requests_a_minute == 0 && quota.tokens_a_minute == 0) {
        return std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    if (buckets_.size() > kBucketsMax) {
        for (auto each = buckets_.begin(); each != buckets_.end();) {
            each = each->second.active == 0 ? buckets_.erase(each) : std::next(each);
        }
    }
    Bucket& bucket = buckets_[key];
    fill(bucket, quota);
    if (quota.concurrency > 0 && bucket.active >= quota.concurrency) {
        return Refused{.what = "too many calls at once", .seconds = 1};
    }
    if (quota.requests_a_minute > 0 && bucket.requests < 1) {
        return Refused{.what = "too many calls in this minute",
                       .seconds = seconds_for(1 - bucket.requests, quota.requests_a_minute)};
    }
    if (quota.tokens_a_minute > 0 && bucket.tokens <= 0) {
        return Refused{.what = "too many tokens in this minute",
                       .seconds = seconds_for(1 - bucket.tokens, quota.tokens_a_minute)};
    }
    ++bucket.active;
    bucket.requests -= 1;
    return std::nullopt;
}

void Quotas::leave(const Key& key, const Quota& quota, std::int64_t tokens) {
    if (quota.concurrency == 0 && quota.requests_a_minute == 0 && quota.tokens_a_minute == 0) {
        return;
    }
    const std::lock_guard lock(mutex_);
    Bucket& bucket = buckets_[key];
    if (bucket.active > 0) {
        --bucket.active;
    }
    bucket.tokens -= static_cast<double>(tokens);
}

}  // namespace colophon::gateway
