// SPDX-License-Identifier: Apache-2.0
#include "ledger/proof_file.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/leaf.h"
#include "ledger/limits.h"
#include "ledger/merkle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::ledger {
namespace {

constexpr std::string_view kProofFirst = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kEvidenceFirst = "colophon/ledger-evidence@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::string_view kEntry = "entry ";
constexpr std::string_view kOpen = "open ";

class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}

    // kCorrupt when no line feed follows.
    Result<std::string_view> next() {
        const std::size_t end = text_.find('\n');
        if (end == std::string_view::npos) {
            return Error{ErrorCode::kCorrupt, fmt::format("proof: line {} is missing or does not "
                                                          "end",
                                                          number_ + 1)};
        }
        ++number_;
        const std::string_view line = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return line;
    }
    std::string_view peek() const { return text_.substr(0, text_.find('\n')); }
    std::string_view rest() const { return text_; }
    Error wrong(std::string_view what) const {
        return {ErrorCode::kCorrupt, fmt::format("proof: line {} is no {}", number_, what)};
    }

private:
    std::string_view text_;
    std::size_t number_ = 0;
};

Result<Lines> open(std::string_view text) {
    if (text.size() > limits::kProofFileBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a proof of {} bytes; at most {} are read",
                                                    text.size(), limits::kProofFileBytesMax)};
    }
    return Lines(text);
}

Result<std::uint64_t> parse_index(const Lines& lines, std::string_view line) {
    constexpr std::size_t kDigitsMax = 19;
    if (!line.starts_with(kIndex)) {
        return lines.wrong("\"index N\"");
    }
    line.remove_prefix(kIndex.size());
    if (line.empty() || line.size() > kDigitsMax || (line.size() > 1 && line[0] == '0') ||
        !std::ranges::all_of(line, [](char c) { return c >= '0' && c <= '9'; })) {
        return lines.wrong("index: decimal digits without leading zeros");
    }
    std::uint64_t index = 0;
    for (const char c : line) {
        index = index * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return index;
}

Result<ProofFile> parse_proof_lines(Lines& lines) {
    if (TRY(lines.next()) != kProofFirst) {
        return lines.wrong("\"c2sp.org/tlog-proof@v1\"");
    }
    ProofFile file;
    if (lines.peek().starts_with(kExtra)) {
        auto extra = from_base64(TRY(lines.next()).substr(kExtra.size()));
        if (!extra.ok() || extra->empty()) {
            return lines.wrong("extra data in base64");
        }
        file.extra = std::move(extra).value();
    }
    const std::string_view index = TRY(lines.next());
    file.index = TRY(parse_index(lines, index));
    for (std::string_view line = TRY(lines.next()); !line.empty(); line = TRY(lines.next())) {
        const auto hash = from_base64(line);
        if (!hash.ok() || hash->size() != sizeof(Hash)) {
            return lines.wrong("hash: base64 of 32 bytes");
        }
        if (file.proof.size() == limits::kProofHashesMax) {
            return Error{ErrorCode::kLimit, "proof: more than 64 hashes"};
        }
        file.proof.emplace_back();
        std::ranges::copy(*hash, file.proof.back().begin());
    }
    file.checkpoint = lines.rest();
    if (file.checkpoint.empty()) {
        return Error{ErrorCode::kCorrupt, "proof: no checkpoint behind the empty line"};
    }
    return file;
}

// "open FIELD SALT VALUE"; the value may be empty.
Result<Opening> parse_opening(const Lines& lines, std::string_view line) {
    line.remove_prefix(kOpen.size());
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos || !is_leaf_word(line.substr(0, first))) {
        return lines.wrong("\"open FIELD SALT VALUE\"");
    }
    const auto salt = from_base64(line.substr(first + 1, second - first - 1));
    auto value = from_base64(line.substr(second + 1));
    if (!salt.ok() || salt->size() != sizeof(Salt) || !value.ok()) {
        return lines.wrong("opening: a salt of 32 bytes and a value, both in base64");
    }
    Opening opening{.field = std::string(line.substr(0, first)), .salt = {}, .value = {}};
    std::ranges::copy(*salt, opening.salt.begin());
    opening.value = std::move(value).value();
    return opening;
}

}  // namespace

std::string format_proof(const ProofFile& file) {
    std::string out = std::string(kProofFirst) + "\n";
    if (!file.extra.empty()) {
        out += std::string(kExtra) + to_base64(file.extra) + "\n";
    }
    out += fmt::format("{}{}\n", kIndex, file.index);
    for (const Hash& hash : file.proof) {
        out += to_base64(hash) + "\n";
    }
    return out + "\n" + file.checkpoint;
}

Result<ProofFile> parse_proof(std::string_view text) {
    Lines lines = TRY(open(text));
    return parse_proof_lines(lines);
}

std::string format_evidence(const Evidence& evidence) {
    std::string out = std::string(kEvidenceFirst) + "\n";
    out += std::string(kEntry) + to_base64(evidence.entry) + "\n";
    for (const Opening& opening : evidence.openings) {
        out += fmt::format("{}{} {} {}\n", kOpen, opening.field, to_base64(opening.salt),
                           to_base64(opening.value));
    }
    return out + "\n" + format_proof(evidence.proof);
}

Result<Evidence> parse_evidence(std::string_view text) {
    Lines lines = TRY(open(text));
    if (TRY(lines.next()) != kEvidenceFirst) {
        return lines.wrong("\"colophon/ledger-evidence@v1\"");
    }
    const std::string_view entry = TRY(lines.next());
    auto bytes = from_base64(entry.substr(std::min(entry.size(), kEntry.size())));
    if (!entry.starts_with(kEntry) || !bytes.ok() || bytes->size() > limits::kEntryBytesMax) {
        return lines.wrong("\"entry\" and at most 65,535 bytes in base64");
    }
    Evidence evidence;
    evidence.entry = std::move(bytes).value();
    for (std::string_view line = TRY(lines.next()); !line.empty(); line = TRY(lines.next())) {
        if (!line.starts_with(kOpen)) {
            return lines.wrong("\"open FIELD SALT VALUE\"");
        }
        if (evidence.openings.size() == limits::kLeafCommitmentsMax) {
            return Error{ErrorCode::kLimit, "proof: more than 64 opened values"};
        }
        evidence.openings.push_back(TRY(parse_opening(lines, line)));
    }
    evidence.proof = TRY(parse_proof_lines(lines));
    return evidence;
}

}  // namespace colophon::ledger
