// SPDX-License-Identifier: Apache-2.0
#pragma once

// The versions of the policy of review (review/policy.h) that were ever in force, in the store of
// all nodes [DSP-10]. A version is its content: what a node begins with or reads again and nobody
// had before gets the next number; what somebody had is that version. Content is JSON; large parts
// (word lists, classifiers) lie beside it as sealed objects and are named by their digests. Nothing
// is ever deleted.
//
// Threads: any method from any thread at the same time; each blocks.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "storage/objects.h"
#include "storage/sealer.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kPolicyBytesMax = 8U << 20U;
inline constexpr std::size_t kPolicyPageMax = 1000;
inline constexpr int kPolicyDepthMax = 16;

struct PolicyVersion {
    std::int64_t number = 0;  // 1, 2, ...
    std::string id;           // "policy-" and 12 digits of the SHA-256 of the content
    std::string digest;       // all of them
    std::string content;
    Time made;
    std::string made_by;
    // When it last came into force anywhere, and whether nothing came after it.
    Time used;
    bool in_force = false;
};

// One coming into force.
struct PolicyUse {
    std::int64_t number = 0;
    Time at;
    std::string by;
};

// What a policy names by its digest.
struct PolicyPart {
    std::string sha256;  // hexadecimal
    Buffer bytes;
};

class Policies {
public:
    struct Parts {
        storage::Store& store;
        storage::ObjectStore& objects;
        storage::Sealer& sealer;
        std::string owner;  // whose key seals the parts: the installation
        Clock& clock;
    };
    explicit Policies(Parts parts) : parts_(std::move(parts)) {}

    // The id that this content has.
    static std::string id_of(std::string_view content);

    // This content is in force on this node from now on. Keeps it and its parts where they are new,
    // and writes a record of conduct when another version was in force before: all nodes of one
    // configuration write one. kLimit: too large to be kept.
    Result<PolicyVersion> put_in_force(const std::string& content,
                                       const std::vector<PolicyPart>& parts, const std::string& by,
                                       const ledger::Conduct& conduct);

    // By number, id, digest or at least 6 digits of it; kNotFound, kConflict for the beginning of
    // two.
    Result<PolicyVersion> find(std::string_view name);
    // The newest first, without content; those with smaller numbers than `before`.
    Result<std::vector<PolicyVersion>> list(std::optional<std::int64_t> before, std::size_t most);
    // The newest first.
    Result<std::vector<PolicyUse>> uses(std::int64_t number);
    // kNotFound says which part is gone, kCorrupt that it is another one.
    Result<Buffer> part(std::string_view sha256);

private:
    Parts parts_;
};

}  // namespace colophon::review
