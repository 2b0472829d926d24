// SPDX-License-Identifier: Apache-2.0
#include "identity/caches.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/api_key.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "storage/store.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

using std::chrono::steady_clock;

}  // namespace

Result<std::unique_ptr<KeyCache>> KeyCache::open(storage::Store& store, Tenants& tenants) {
    auto cache = std::make_unique<KeyCache>(tenants);
    KeyCache& own = *cache;
    cache->subscription_ =
        TRY(store.listen(kKeysChanged, [&own](std::string_view) { own.forget(); }));
    return cache;
}

void KeyCache::forget() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    entries_.clear();
}

Result<std::optional<Caller>> KeyCache::find(std::string_view key_text) {
    if (key_text.size() == kApiKeyChars) {
        const Digest256 digest = sha256(as_bytes(key_text));
        const auto now = steady_clock::now();
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(digest);
        if (found != entries_.end() && now < found->second.until) {
            return std::optional(found->second.caller);
        }
        if (found != entries_.end()) {
            entries_.erase(found);
        }
    }
    // Only what is not known is looked at: it may be no key at all.
    TRY(parse_api_key(key_text));
    return std::optional<Caller>();
}

Result<Caller> KeyCache::load(std::string_view key_text) {
    std::uint64_t before = 0;
    {
        const std::lock_guard lock(mutex_);
        before = changes_;
    }
    const Caller caller = TRY(tenants_.authenticate(key_text));
    const ApiKeyText key = TRY(parse_api_key(key_text));
    const std::lock_guard lock(mutex_);
    // What changed while we asked may be newer than the answer.
    if (before == changes_) {
        if (entries_.size() >= kCachedMax) {
            entries_.clear();
        }
        entries_[key.digest] = {.caller = caller, .until = steady_clock::now() + kCacheTime};
    }
    return caller;
}

Result<std::unique_ptr<SubjectCache>> SubjectCache::open(storage::Store& store,
                                                         Subjects& subjects) {
    auto cache = std::make_unique<SubjectCache>(subjects);
    SubjectCache& own = *cache;
    cache->subscription_ =
        TRY(store.listen(kSubjectsChanged, [&own](std::string_view) { own.forget(); }));
    return cache;
}

void SubjectCache::forget() {
    const std::lock_guard lock(mutex_);
    ++changes_;
    entries_.clear();
}

std::optional<SubjectState> SubjectCache::find(const TenantId& tenant, std::string_view reference) {
    const Key key(tenant, reference);
    const auto now = steady_clock::now();
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.until <= now) {
        return std::nullopt;
    }
    return found->second.state;
}

Result<std::optional<SubjectState>> SubjectCache::load(const TenantId& tenant,
                                                       std::string_view reference) {
    std::uint64_t before = 0;
    {
        const std::lock_guard lock(mutex_);
        before = changes_;
    }
    const std::optional<SubjectId> id = TRY(subjects_.find(tenant, reference));
    if (!id) {
        return std::optional<SubjectState>();
    }
    const Standing standing = TRY(subjects_.standing(tenant, *id));
    const SubjectState state{.id = *id,
                             .verified = standing.verified,
                             .closed = standing.closed,
                             .needs_guardian = standing.needs_guardian};
    const std::lock_guard lock(mutex_);
    if (before == changes_) {
        if (entries_.size() >= kCachedMax) {
            entries_.clear();
        }
        entries_[Key(tenant, reference)] = {.state = state,
                                            .until = steady_clock::now() + kCacheTime};
    }
    return std::optional(state);
}

}  // namespace colophon::identity
