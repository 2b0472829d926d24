// SPDX-License-Identifier: Apache-2.0
#include "ledger/policy.h"

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/limits.h"
#include "ledger/note.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using Words = std::vector<std::string_view>;

Words split_words(std::string_view line) {
    Words words;
    std::size_t at = 0;
    while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
        const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end;
    }
    return words;
}

// The same key under two names would be two witnesses.
std::string_view key_part(std::string_view vkey) {
    return vkey.substr(vkey.rfind('+') + 1);
}

}  // namespace

class PolicyReader {
public:
    Result<Policy> read(std::string_view text) {
        if (text.size() > limits::kPolicyBytesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a policy of {} bytes; at most {} are read",
                                                        text.size(), limits::kPolicyBytesMax)};
        }
        while (!text.empty()) {
            ++line_;
            const std::size_t end = text.find('\n');
            if (end == std::string_view::npos) {
                return wrong("the last line does not end");
            }
            TRY(read_line(text.substr(0, end)));
            text.remove_prefix(end + 1);
        }
        if (!has_quorum_) {
            return Error{ErrorCode::kCorrupt, "policy: there is no quorum line"};
        }
        return std::move(policy_);
    }

private:
    Error wrong(std::string_view what) const {
        return {ErrorCode::kCorrupt, fmt::format("policy: line {}: {}", line_, what)};
    }

    Result<void> read_line(std::string_view line) {
        const bool control = std::ranges::any_of(line, [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
        });
        if (control) {
            return wrong("a control character");
        }
        const Words words = split_words(line);
        if (words.empty() || words[0].starts_with('#')) {
            return {};
        }
        if (words[0] == "log") {
            return read_log(words);
        }
        if (words[0] == "witness") {
            return read_witness(words);
        }
        if (words[0] == "group") {
            return read_group(words);
        }
        if (words[0] == "quorum") {
            return read_quorum(words);
        }
        return wrong("starts with neither log, witness, group nor quorum");
    }

    Result<NoteVerifier> read_key(std::string_view vkey, SignatureType type) {
        auto key = NoteVerifier::parse(vkey);
        if (!key.ok()) {
            return wrong(key.error().what);
        }
        if (key->type() != type) {
            return wrong(type == SignatureType::kEd25519
                             ? "the key of a log has the type 0x01"
                             : "the key of a witness has the type 0x04");
        }
        return std::move(key).value();
    }

    Result<void> read_log(const Words& words) {
        if (words.size() != 2 && words.size() != 3) {
            return wrong("a log is written: log VKEY [URL]");
        }
        NoteVerifier key = TRY(read_key(words[1], SignatureType::kEd25519));
        const bool twice = std::ranges::any_of(policy_.logs_, [&](const PolicyLog& each) {
            return key_part(each.key.vkey()) == key_part(key.vkey());
        });
        if (twice) {
            return wrong("this log stands here twice");
        }
        if (policy_.logs_.size() == limits::kPolicyItemsMax) {
            return Error{ErrorCode::kLimit, "policy: more than 256 logs"};
        }
        policy_.logs_.push_back(
            {.key = std::move(key), .url = std::string(words.size() == 3 ? words[2] : "")});
        return {};
    }

    Result<void> read_witness(const Words& words) {
        if (words.size() != 3 && words.size() != 4) {
            return wrong("a witness is written: witness NAME VKEY [URL]");
        }
        NoteVerifier key = TRY(read_key(words[2], SignatureType::kCosignature));
        const bool twice = std::ranges::any_of(policy_.witnesses_, [&](const PolicyWitness& each) {
            return key_part(each.key.vkey()) == key_part(key.vkey());
        });
        if (twice) {
            return wrong("the key of this witness stands here twice");
        }
        TRY(define(words[1], {.is_group = false, .place = policy_.witnesses_.size()}));
        policy_.witnesses_.push_back({.name = std::string(words[1]),
                                      .key = std::move(key),
                                      .url = std::string(words.size() == 4 ? words[3] : "")});
        return {};
    }

    Result<void> read_group(const Words& words) {
        if (words.size() < 4) {
            return wrong("a group is written: group NAME any|all|K MEMBER...");
        }
        Policy::Group group{.name = std::string(words[1]), .threshold = 0, .members = {}};
        group.threshold = TRY(read_threshold(words[2], words.size() - 3));
        for (std::size_t i = 3; i < words.size(); ++i) {
            const auto member = names_.find(words[i]);
            if (member == names_.end()) {
                return wrong(fmt::format("{} is not defined above", words[i]));
            }
            Policy::Node& node = policy_.nodes_[member->second];
            if (std::exchange(node.used, true)) {
                return wrong(fmt::format("{} is a member of a group already", words[i]));
            }
            group.members.push_back(member->second);
        }
        TRY(define(words[1], {.is_group = true, .place = policy_.groups_.size()}));
        policy_.groups_.push_back(std::move(group));
        return {};
    }

    Result<std::size_t> read_threshold(std::string_view word, std::size_t members) const {
        if (word == "any") {
            return std::size_t{1};
        }
        if (word == "all") {
            return members;
        }
        std::size_t threshold = 0;
        for (const char c : word) {
            if (c < '0' || c > '9' || word.size() > 4 || word[0] == '0') {
                return wrong("a threshold is any, all or a number");
            }
            threshold = threshold * 10 + static_cast<std::size_t>(c - '0');
        }
        if (threshold > members) {
            return wrong(fmt::format("{} of {} members can never sign", threshold, members));
        }
        return threshold;
    }

    Result<void> read_quorum(const Words& words) {
        if (words.size() != 2) {
            return wrong("a quorum is written: quorum NAME|none");
        }
        if (std::exchange(has_quorum_, true)) {
            return wrong("a second quorum line");
        }
        if (words[1] == "none") {
            return {};
        }
        const auto name = names_.find(words[1]);
        if (name == names_.end()) {
            return wrong(fmt::format("{} is not defined above", words[1]));
        }
        policy_.quorum_ = name->second;
        return {};
    }

    Result<void> define(std::string_view name, Policy::Node node) {
        if (policy_.nodes_.size() == 2 * limits::kPolicyItemsMax) {
            return Error{ErrorCode::kLimit, "policy: more than 512 witnesses and groups"};
        }
        if (name == "none" || !names_.emplace(name, policy_.nodes_.size()).second) {
            return wrong(fmt::format("the name {} is taken", name));
        }
        policy_.nodes_.push_back(node);
        return {};
    }

    Policy policy_;
    std::map<std::string, std::size_t, std::less<>> names_;
    std::size_t line_ = 0;
    bool has_quorum_ = false;
};

Result<Policy> Policy::parse(std::string_view text) {
    return PolicyReader().read(text);
}

bool Policy::quorum(const std::function<bool(const NoteVerifier&)>& cosigned) const {
    if (quorum_ == kNoQuorum) {
        return true;
    }
    // Members stand before their groups, so one pass is enough.
    std::vector<bool> good(nodes_.size(), false);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (!nodes_[i].is_group) {
            good[i] = cosigned(witnesses_[nodes_[i].place].key);
            continue;
        }
        const Group& group = groups_[nodes_[i].place];
        const auto count =
            std::ranges::count_if(group.members, [&](std::size_t member) { return good[member]; });
        good[i] = static_cast<std::size_t>(count) >= group.threshold;
    }
    return good[quorum_];
}

}  // namespace colophon::ledger
