// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whose signatures a checkpoint needs: C2SP tlog-policy. A policy lists logs, witnesses, groups of
// witnesses with a threshold, and one quorum. docs/formats/ledger-policy.md has the grammar.

#include "core/bytes.h"
#include "ledger/note.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

struct PolicyLog {
    NoteVerifier key;
    std::string url;  // may be empty
};

struct PolicyWitness {
    std::string name;
    NoteVerifier key;
    std::string url;
};

class Policy {
public:
    // kCorrupt names the line and what is wrong with it; kLimit above 256 KiB or 256 of a kind.
    static Result<Policy> parse(std::string_view text);

    const std::vector<PolicyLog>& logs() const noexcept { return logs_; }
    const std::vector<PolicyWitness>& witnesses() const noexcept { return witnesses_; }
    // Whether enough witnesses signed; `cosigned` answers for each key.
    bool quorum(const std::function<bool(const NoteVerifier&)>& cosigned) const;

private:
    struct Group {
        std::string name;
        std::size_t threshold = 0;
        std::vector<std::size_t> members;  // places in nodes_
    };
    // A witness (its place in witnesses_) or a group (its place in groups_).
    struct Node {
        bool is_group = false;
        std::size_t place = 0;
        bool used = false;  // is a member of some group
    };
    static constexpr std::size_t kNoQuorum = ~std::size_t{0};

    friend class PolicyReader;
    std::vector<PolicyLog> logs_;
    std::vector<PolicyWitness> witnesses_;
    std::vector<Group> groups_;
    std::vector<Node> nodes_;  // in the order of definition: members come before their group
    std::size_t quorum_ = kNoQuorum;
};

}  // namespace colophon::ledger
