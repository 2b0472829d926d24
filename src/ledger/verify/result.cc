// SPDX-License-Identifier: Apache-2.0
#include "ledger/verify/result.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "ledger/verify/checkpoint.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::ledger::verify {
namespace {

constexpr std::string_view kHead = "colophon verification 1\n";
constexpr std::size_t kDigestChars = 64;

bool is_hex_digest(std::string_view text) {
    return text.size() == kDigestChars && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

// Why the text is no result; empty when it is one.
std::string_view read_text(std::string_view text, ResultReport& out) {
    if (!text.starts_with(kHead)) {
        return "it does not begin with \"colophon verification 1\"";
    }
    text.remove_prefix(kHead.size());
    if (!text.ends_with('\n') || text.find('\n') != text.size() - 1) {
        return "one line of JSON stands below the first";
    }
    auto parsed = json::parse(text);
    const json::Value* content = parsed.ok() ? parsed->find("content") : nullptr;
    const json::Value* bytes = content == nullptr ? nullptr : content->find("bytes");
    const json::Value* verification = parsed.ok() ? parsed->find("verification") : nullptr;
    if (bytes == nullptr || verification == nullptr || verification->if_object() == nullptr) {
        return "content and verification are not there";
    }
    const auto size = bytes->as_uint();
    out.sha256 = content->string_or("sha256", "");
    if (!size.ok() || !is_hex_digest(out.sha256)) {
        return "the digest and size of the content are not there";
    }
    out.bytes = *size;
    out.detector = parsed->string_or("detector", "");
    out.time = parsed->string_or("time", "");
    out.record = parsed->string_or("record", "");
    if (out.detector.empty() || out.time.empty()) {
        return "detector and time are not there";
    }
    out.verification = *verification;
    return "";
}

}  // namespace

bool is_result(std::string_view file) {
    return file.starts_with(kHead);
}

ResultReport check_result(std::string_view note, std::span<const Key> keys,
                          const std::optional<Digest256>& content, std::string_view where) {
    ResultReport report;
    SignedText opened = open_signed(note, keys, where);
    report.signers = std::move(opened.signers);
    report.signatures = std::move(opened.signatures);
    report.findings = std::move(opened.findings);
    if (!opened.good) {
        return report;
    }
    const auto find = [&](std::string code, std::string what) {
        report.findings.push_back({std::move(code), std::string(where), std::move(what)});
    };
    if (const std::string_view fault = read_text(opened.text, report); !fault.empty()) {
        find("ledger.result", "no result of a verification: " + std::string(fault));
        return report;
    }
    if (content && to_hex(*content) != report.sha256) {
        find("ledger.content", "the result is about another file: its SHA-256 differs");
        return report;
    }
    report.good = true;
    return report;
}

}  // namespace colophon::ledger::verify
