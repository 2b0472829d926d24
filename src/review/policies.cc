// SPDX-License-Identifier: Apache-2.0
#include "review/policies.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "storage/batch.h"
#include "storage/limits.h"
#include "storage/objects.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_at;
using storage::time_value;
using storage::Transaction;

constexpr std::size_t kIdDigits = 12;
constexpr std::size_t kDigitsLeast = 6;
constexpr std::size_t kDigits = 64;
constexpr std::string_view kPrefix = "policy-";
constexpr const char* kPurpose = "review.policy_part";

constexpr Statement kLast{
    "SELECT p.number, p.digest FROM review_policy_uses u"
    " JOIN review_policies p ON p.number = u.number ORDER BY u.place DESC LIMIT 1"};
constexpr Statement kOfDigest{
    "SELECT number, digest, made_at, made_by, content FROM review_policies WHERE digest = $1"};
constexpr Statement kMost{"SELECT COALESCE(MAX(number), 0) FROM review_policies"};
constexpr Statement kInsert{
    "INSERT INTO review_policies (number, digest, content, made_at, made_by)"
    " VALUES ($1, $2, $3, $4, $5)"};
constexpr Statement kUse{
    "INSERT INTO review_policy_uses (place, number, used_at, used_by)"
    " SELECT COALESCE(MAX(place), 0) + 1, $1, $2, $3 FROM review_policy_uses"};
constexpr Statement kOfNumber{
    "SELECT number, digest, made_at, made_by, content FROM review_policies WHERE number = $1"};
// A beginning of the digest: what sorts from it on, and before what follows all of those.
constexpr Statement kOfBeginning{
    "SELECT number, digest, made_at, made_by, content FROM review_policies"
    " WHERE digest >= $1 AND digest < $2 ORDER BY digest LIMIT 2"};
constexpr Statement kList{
    "SELECT number, digest, made_at, made_by, '' FROM review_policies"
    " WHERE number < $1 ORDER BY number DESC LIMIT $2"};
constexpr Statement kUsesOf{
    "SELECT number, used_at, used_by FROM review_policy_uses WHERE number = $1"
    " ORDER BY place DESC LIMIT 1000"};
constexpr Statement kLastUse{
    "SELECT MAX(used_at), (SELECT number FROM review_policy_uses ORDER BY place DESC LIMIT 1)"
    " FROM review_policy_uses WHERE number = $1"};

Result<PolicyVersion> version_at(const Rows& rows, std::size_t row) {
    PolicyVersion version;
    version.number = TRY(rows.integer(row, 0));
    version.digest = TRY(rows.text(row, 1));
    version.made = TRY(time_at(rows, row, 2));
    version.made_by = TRY(rows.text(row, 3));
    version.content = TRY(rows.text(row, 4));
    version.id = std::string(kPrefix) + version.digest.substr(0, kIdDigits);
    return version;
}

std::string object_name(std::string_view sha256) {
    return fmt::format("review/policies/{}", sha256);
}

bool is_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_number(std::string_view text) {
    constexpr std::size_t kNumberDigitsMax = 9;
    return !text.empty() && text.size() <= kNumberDigitsMax &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Error no_such(std::string_view name) {
    return {ErrorCode::kNotFound, fmt::format("there is no version \"{}\" of the policy", name)};
}

// Of the digests that begin so.
Result<PolicyVersion> find_digest(storage::Store& store, std::string_view name,
                                  const std::string& beginning) {
    std::string after = beginning;
    ++after.back();  // no digit is the last character that there is
    const Rows rows = TRY(store.query(kOfBeginning, {text(beginning), text(after)}));
    if (rows.size() > 1) {
        return Error{ErrorCode::kConflict,
                     fmt::format("several versions of the policy begin with \"{}\"", name)};
    }
    if (rows.empty()) {
        return no_such(name);
    }
    return version_at(rows, 0);
}

Result<void> add_use(storage::Store& store, PolicyVersion& version) {
    const Rows rows = TRY(store.query(kLastUse, {integer(version.number)}));
    version.used = rows.is_null(0, 0) ? version.made : TRY(time_at(rows, 0, 0));
    version.in_force = !rows.is_null(0, 1) && TRY(rows.integer(0, 1)) == version.number;
    return {};
}

}  // namespace

std::string Policies::id_of(std::string_view content) {
    return std::string(kPrefix) + to_hex(sha256(as_bytes(content))).substr(0, kIdDigits);
}

Result<PolicyVersion> Policies::put_in_force(const std::string& content,
                                             const std::vector<PolicyPart>& parts,
                                             const std::string& by,
                                             const ledger::Conduct& conduct) {
    if (content.size() > kPolicyBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a policy of review has at most {} bytes", kPolicyBytesMax)};
    }
    // Parts first: a version whose parts are not there yet could not be replayed.
    for (const PolicyPart& part : parts) {
        const std::string name = object_name(part.sha256);
        if (TRY(parts_.objects.size(name))) {
            continue;
        }
        const Buffer sealed = TRY(parts_.sealer.seal(
            part.bytes, {parts_.owner, kPurpose, std::string_view(part.sha256)}));
        TRY(parts_.objects.put(name, sealed, storage::Existing::kKeep));
    }
    const std::string digest = to_hex(sha256(as_bytes(content)));
    const std::string id = id_of(content);
    const storage::Batch record =
        TRY(conduct.prepare({.operation = "review.policy",
                             .facts = {{"policy", id}, {"sha256", digest}},
                             .names = {}}));
    const Time now = parts_.clock.now();
    const auto body = [&](Transaction& transaction) -> Result<void> {
        const Rows last = TRY(transaction.query(kLast, {}));
        if (last.size() == 1 && TRY(last.text(0, 1)) == digest) {
            return {};  // another node, or this one before, said so already
        }
        const Rows known = TRY(transaction.query(kOfDigest, {text(digest)}));
        std::int64_t number = 0;
        if (known.size() == 1) {
            number = TRY(known.integer(0, 0));
        } else {
            const Rows most = TRY(transaction.query(kMost, {}));
            number = TRY(most.integer(0, 0)) + 1;
            TRY(transaction.execute(kInsert, {integer(number), text(digest), text(content),
                                              time_value(now), text(by)}));
        }
        TRY(transaction.execute(kUse, {integer(number), time_value(now), text(by)}));
        return storage::execute_batch(transaction, record);
    };
    TRY(parts_.store.transact(body));
    return find(digest);
}

Result<PolicyVersion> Policies::find(std::string_view name) {
    PolicyVersion version;
    if (is_number(name)) {
        const Rows rows =
            TRY(parts_.store.query(kOfNumber, {integer(std::stoll(std::string(name)))}));
        if (rows.size() == 1) {
            version = TRY(version_at(rows, 0));
        }
    }
    if (version.number == 0) {
        std::string_view digits = name;
        if (digits.starts_with(kPrefix)) {
            digits.remove_prefix(kPrefix.size());
        }
        if (digits.size() < kDigitsLeast || digits.size() > kDigits || !is_hex(digits)) {
            return no_such(name);
        }
        version = TRY(find_digest(parts_.store, name, std::string(digits)));
    }
    if (to_hex(sha256(as_bytes(version.content))) != version.digest) {
        return Error{ErrorCode::kCorrupt, "a policy that is kept is not what its digest says"};
    }
    TRY(add_use(parts_.store, version));
    return version;
}

Result<std::vector<PolicyVersion>> Policies::list(std::optional<std::int64_t> before,
                                                  std::size_t most) {
    constexpr std::int64_t kAll = std::int64_t{1} << 40U;
    const Rows rows = TRY(parts_.store.query(
        kList, {integer(before.value_or(kAll)),
                integer(static_cast<std::int64_t>(std::min(most, kPolicyPageMax)))}));
    std::vector<PolicyVersion> versions;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        PolicyVersion version = TRY(version_at(rows, row));
        TRY(add_use(parts_.store, version));
        versions.push_back(std::move(version));
    }
    return versions;
}

Result<std::vector<PolicyUse>> Policies::uses(std::int64_t number) {
    const Rows rows = TRY(parts_.store.query(kUsesOf, {integer(number)}));
    std::vector<PolicyUse> all;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        PolicyUse use;
        use.number = TRY(rows.integer(row, 0));
        use.at = TRY(time_at(rows, row, 1));
        use.by = TRY(rows.text(row, 2));
        all.push_back(std::move(use));
    }
    return all;
}

Result<Buffer> Policies::part(std::string_view sha256_digits) {
    const std::string name = object_name(sha256_digits);
    const auto sealed = parts_.objects.get(name, storage::kObjectInMemoryBytesMax);
    if (!sealed.ok() && sealed.error().code == ErrorCode::kNotFound) {
        return Error{ErrorCode::kNotFound,
                     fmt::format("a part of this policy is gone: the object {}", name)};
    }
    const Buffer bytes = TRY(sealed);
    Buffer part = TRY(parts_.sealer.open(bytes, {parts_.owner, kPurpose, sha256_digits}));
    if (to_hex(sha256(part)) != sha256_digits) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("a part of this policy is another one: the object {}", name)};
    }
    return part;
}

}  // namespace colophon::review
