// SPDX-License-Identifier: Apache-2.0
#include "ledger/verify/proof.h"

#include "core/bytes.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/internal/hash.h"
#include "ledger/verify/internal/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger::verify {
namespace {

using internal::Hash;

constexpr std::string_view kProof = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kEvidence = "colophon/ledger-evidence@v1";
constexpr std::size_t kFileBytesMax = 2U << 20U;
constexpr std::size_t kEntryBytesMax = 65535;
constexpr std::size_t kHashesMax = 64;
constexpr std::size_t kOpeningsMax = 64;
constexpr std::size_t kSaltBytes = 32;

// What stands behind "WORD " when the line begins so.
std::optional<std::string_view> after(std::string_view line, std::string_view word) {
    if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ') {
        return std::nullopt;
    }
    return line.substr(word.size() + 1);
}

struct Opening {
    std::string_view field;
    Buffer salt;
    Buffer value;
};

std::optional<Opening> read_opening(std::string_view line) {
    const auto rest = after(line, "open");
    const std::size_t first = rest ? rest->find(' ') : std::string_view::npos;
    const std::size_t second = first == std::string_view::npos ? first : rest->find(' ', first + 1);
    if (second == std::string_view::npos || first == 0) {
        return std::nullopt;
    }
    auto salt = internal::read_base64(rest->substr(first + 1, second - first - 1));
    auto value = internal::read_base64(rest->substr(second + 1));
    if (!salt || salt->size() != kSaltBytes || !value) {
        return std::nullopt;
    }
    return Opening{
        .field = rest->substr(0, first), .salt = std::move(*salt), .value = std::move(*value)};
}

class ProofCheck {
public:
    ProofCheck(std::string_view file, std::optional<Bytes> entry, std::span<const Key> keys)
        : text_(file), entry_(entry), keys_(keys) {}

    ProofReport run() {
        if (text_.size() > kFileBytesMax) {
            find("ledger.proof", "the file has more than two megabytes");
        } else if (read_evidence() && read_proof() && read_checkpoint()) {
            judge();
        }
        report_.good = report_.findings.empty();
        return std::move(report_);
    }

private:
    bool find(std::string code, std::string what) {
        report_.findings.push_back(
            {std::move(code), fmt::format("line {}", line_), std::move(what)});
        return false;
    }
    std::optional<std::string_view> next() {
        ++line_;
        return internal::take_line(text_);
    }

    bool read_evidence() {
        if (kind_of(text_) == FileKind::kProof) {
            if (!entry_) {
                line_ = 1;
                return find("ledger.entry",
                            "a proof file is about an entry that must be given; "
                            "only an evidence file has it inside");
            }
            report_.entry = to_buffer(*entry_);
            return true;
        }
        if (kind_of(text_) == FileKind::kOther) {
            line_ = 1;
            return find("ledger.proof", "neither a proof file nor an evidence file");
        }
        (void)next();
        const auto line = next();
        const auto word = line ? after(*line, "entry") : std::nullopt;
        auto bytes = word ? internal::read_base64(*word) : std::nullopt;
        if (!bytes || bytes->size() > kEntryBytesMax) {
            return find("ledger.proof", "no entry in base64");
        }
        report_.entry = std::move(*bytes);
        if (entry_ && to_buffer(*entry_) != report_.entry) {
            return find("ledger.entry", "the entry in the file is not the one that was given");
        }
        for (auto each = next(); !each || !each->empty(); each = next()) {
            auto opening = each ? read_opening(*each) : std::nullopt;
            if (!opening || openings_.size() == kOpeningsMax) {
                return find("ledger.proof", "no opened value: open FIELD SALT VALUE");
            }
            openings_.push_back(std::move(*opening));
        }
        return true;
    }

    bool read_proof() {
        if (next() != kProof) {
            return find("ledger.proof", "\"c2sp.org/tlog-proof@v1\" must stand here");
        }
        auto line = next();
        if (const auto extra = line ? after(*line, "extra") : std::nullopt) {
            if (!internal::read_base64(*extra)) {
                return find("ledger.proof", "extra data is base64");
            }
            line = next();
        }
        const auto word = line ? after(*line, "index") : std::nullopt;
        const auto index = word ? internal::read_number(*word) : std::nullopt;
        if (!index) {
            return find("ledger.proof", "\"index N\" must stand here");
        }
        report_.index = *index;
        for (line = next(); !line || !line->empty(); line = next()) {
            const auto hash = line ? internal::read_hash(*line) : std::nullopt;
            if (!hash || hashes_.size() == kHashesMax) {
                return find("ledger.proof",
                            "a hash is base64 of 32 bytes, and there are at most "
                            "64");
            }
            hashes_.push_back(*hash);
        }
        return true;
    }

    bool read_checkpoint() {
        CheckpointReport opened =
            check_checkpoint(text_, keys_, fmt::format("checkpoint at line {}", line_ + 1));
        if (!opened.good) {
            report_.findings = std::move(opened.findings);
            return false;
        }
        report_.checkpoint = std::move(opened.checkpoint);
        return true;
    }

    void judge() {
        line_ = 1;
        report_.entry_hash = internal::hash_leaf(report_.entry);
        Hash root{};
        if (report_.index >= report_.checkpoint.size) {
            find("ledger.proof", fmt::format("entry {} cannot be in a log of {} entries",
                                             report_.index, report_.checkpoint.size));
            return;
        }
        if (!internal::root_of_proof(report_.entry_hash, report_.index, report_.checkpoint.size,
                                     hashes_, root) ||
            root != report_.checkpoint.root) {
            find("ledger.proof",
                 fmt::format("the proof does not lead from this entry, as number {}, to the signed "
                             "root: the entry, the number or the proof was changed",
                             report_.index));
            return;
        }
        report_.leaf = read_leaf(report_.entry);
        for (Opening& opening : openings_) {
            judge_opening(opening);
        }
    }

    void judge_opening(Opening& opening) {
        if (!report_.leaf) {
            find("ledger.opening",
                 "values are opened, but the entry is no leaf that commits to any");
            return;
        }
        const auto committed = std::ranges::find_if(
            report_.leaf->commitments,
            [&](const LeafReading::Committed& each) { return each.field == opening.field; });
        Buffer message = to_buffer("colophon/v1/");
        append(message, opening.field);
        message.push_back(0);
        append(message, opening.value);
        if (committed == report_.leaf->commitments.end() ||
            committed->digest != internal::hmac_sha256(opening.salt, message)) {
            find("ledger.opening",
                 fmt::format("the value of {} is not the one that was logged", opening.field));
            return;
        }
        report_.opened.push_back(
            {.field = std::string(opening.field), .value = std::move(opening.value)});
    }

    std::string_view text_;
    std::optional<Bytes> entry_;
    std::span<const Key> keys_;
    std::size_t line_ = 0;
    std::vector<Opening> openings_;
    std::vector<Hash> hashes_;
    ProofReport report_;
};

// Bounded steps through an entry; each is false behind the end.
class Steps {
public:
    explicit Steps(Bytes bytes) : bytes_(bytes) {}
    bool take(std::size_t count, Bytes& out) {
        if (count > bytes_.size()) {
            return false;
        }
        out = bytes_.first(count);
        bytes_ = bytes_.subspan(count);
        return true;
    }
    // A length in one byte and as many characters, each allowed by `is_good`.
    template <class IsGood>
    bool text(std::string& out, bool may_be_empty, IsGood is_good) {
        constexpr std::size_t kTextBytesMax = 64;
        Bytes size;
        Bytes part;
        if (!take(1, size) || size[0] > kTextBytesMax || (size[0] == 0 && !may_be_empty) ||
            !take(size[0], part) || !std::ranges::all_of(part, is_good)) {
            return false;
        }
        out = as_text(part);
        return true;
    }
    bool empty() const { return bytes_.empty(); }

private:
    Bytes bytes_;
};

bool is_word_byte(std::uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}
bool is_visible(std::uint8_t c) {
    return c > 0x20 && c < 0x7F;
}

bool read_commitments(Steps& steps, std::size_t count, LeafReading& leaf) {
    for (std::size_t i = 0; i < count; ++i) {
        LeafReading::Committed committed;
        Bytes digest;
        if (!steps.text(committed.field, false, is_word_byte) ||
            !steps.take(committed.digest.size(), digest) ||
            (i > 0 && leaf.commitments.back().field >= committed.field)) {
            return false;
        }
        std::ranges::copy(digest, committed.digest.begin());
        leaf.commitments.push_back(std::move(committed));
    }
    return true;
}

}  // namespace

FileKind kind_of(std::string_view file) {
    const std::string_view line = file.substr(0, file.find('\n'));
    return line == kProof      ? FileKind::kProof
           : line == kEvidence ? FileKind::kEvidence
                               : FileKind::kOther;
}

ProofReport check_proof(std::string_view file, std::optional<Bytes> entry,
                        std::span<const Key> keys) {
    return ProofCheck(file, entry, keys).run();
}

std::optional<LeafReading> read_leaf(Bytes entry) {
    constexpr std::uint8_t kVersion = 1;
    constexpr std::size_t kCommitmentsMax = 64;
    Steps steps(entry);
    LeafReading leaf;
    Bytes version;
    Bytes time;
    Bytes actor;
    Bytes count;
    Bytes nonce;
    if (!steps.take(1, version) || version[0] != kVersion ||
        !steps.text(leaf.type, false, is_word_byte) || !steps.take(8, time) ||
        !steps.take(leaf.actor.size(), actor) || !steps.text(leaf.object, true, is_visible) ||
        !steps.text(leaf.policy_version, true, is_visible) || !steps.take(1, count) ||
        count[0] > kCommitmentsMax || !read_commitments(steps, count[0], leaf) ||
        !steps.take(16, nonce) || !steps.empty()) {
        return std::nullopt;
    }
    leaf.milliseconds = load_be64(time);
    if (leaf.milliseconds >> 63U != 0) {
        return std::nullopt;
    }
    std::ranges::copy(actor, leaf.actor.begin());
    return leaf;
}

}  // namespace colophon::ledger::verify
