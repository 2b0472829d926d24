// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who calls and for whom, answered from memory. What another node changes is told by the store's
// notifications within a second; should one get lost, an entry lives kCacheTime at most.
//
// Threads: lookups may be made by any thread at once and never wait for the store; load() asks the
// store and blocks.

#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {

inline constexpr std::chrono::seconds kCacheTime{30};
inline constexpr std::size_t kCachedMax = 100'000;

class KeyCache {
public:
    // `tenants` and `store` outlive this.
    static Result<std::unique_ptr<KeyCache>> open(storage::Store& store, Tenants& tenants);

    // Nothing when it is not known here: load() it. kInvalidArgument for what can be no key.
    Result<std::optional<Caller>> find(std::string_view key_text);
    // kDenied as Tenants::authenticate().
    Result<Caller> load(std::string_view key_text);

    explicit KeyCache(Tenants& tenants) : tenants_(tenants) {}

private:
    struct Entry {
        Caller caller;
        std::chrono::steady_clock::time_point until;
    };
    void forget();

    Tenants& tenants_;
    std::mutex mutex_;  // guards the two below
    std::map<Digest256, Entry> entries_;
    std::uint64_t changes_ = 0;
    std::unique_ptr<storage::Subscription> subscription_;  // last: it calls the others
};

// What admission asks of a subject.
struct SubjectState {
    SubjectId id;
    bool verified = false;
    bool closed = false;
    bool needs_guardian = false;
};

class SubjectCache {
public:
    static Result<std::unique_ptr<SubjectCache>> open(storage::Store& store, Subjects& subjects);

    std::optional<SubjectState> find(const TenantId& tenant, std::string_view reference);
    // Nothing when the tenant has no such subject, which is not remembered.
    Result<std::optional<SubjectState>> load(const TenantId& tenant, std::string_view reference);

    explicit SubjectCache(Subjects& subjects) : subjects_(subjects) {}

private:
    using Key = std::pair<TenantId, std::string>;
    struct Entry {
        SubjectState state;
        std::chrono::steady_clock::time_point until;
    };
    void forget();

    Subjects& subjects_;
    std::mutex mutex_;  // guards the two below
    std::map<Key, Entry, std::less<>> entries_;
    std::uint64_t changes_ = 0;
    std::unique_ptr<storage::Subscription> subscription_;  // last: it calls the others
};

// Told when a key or a tenant changed, and when a subject did. The payload says nothing.
inline constexpr const char* kKeysChanged = "identity_keys";
inline constexpr const char* kSubjectsChanged = "identity_subjects";

}  // namespace colophon::identity
