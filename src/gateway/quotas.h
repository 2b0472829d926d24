// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many calls at once, calls a minute and tokens a minute a tenant and a subject may use, on
// this node.

#include "core/ids.h"
#include "gateway/settings.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace colophon::gateway {

class Quotas {
public:
    using Key = std::array<std::uint8_t, 16>;

    // Takes one call out of the quota; says what was used up, and for how many seconds, otherwise.
    struct Refused {
        std::string what;
        int seconds = 1;
    };
    std::optional<Refused> enter(const Key& key, const Quota& quota);
    // The call ended. Tokens are charged when they are known: one call may overdraw, the next
    // waits.
    void leave(const Key& key, const Quota& quota, std::int64_t tokens);

private:
    struct Bucket {
        std::size_t active = 0;
        double requests = 0;
        double tokens = 0;
        std::chrono::steady_clock::time_point filled;
        bool is_new = true;
    };
    void fill(Bucket& bucket, const Quota& quota);

    std::mutex mutex_;
    std::map<Key, Bucket> buckets_;  // guarded by mutex_
};

}  // namespace colophon::gateway
