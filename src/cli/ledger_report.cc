// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_report.h"

#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/utf8.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"
#include "ledger/verify/proof.h"
#include "ledger/verify/result.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

namespace verify = ledger::verify;

// A witness may state any time; beyond the year 9999 the number itself is shown.
std::string time_text(std::uint64_t milliseconds) {
    constexpr std::uint64_t kMillisecondsMax = 253'402'300'799'999;
    if (milliseconds > kMillisecondsMax) {
        return fmt::format("{} ms", milliseconds);
    }
    return format_time(Time(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds))));
}

std::string seconds_text(std::uint64_t seconds) {
    constexpr std::uint64_t kSecondsMax = 253'402'300'799;
    return seconds > kSecondsMax ? fmt::format("{} s", seconds) : time_text(seconds * 1000);
}

std::string_view verdict(bool good) {
    return good ? "good" : "broken";
}

json::Array texts_json(const std::vector<std::string>& texts) {
    json::Array out;
    for (const std::string& each : texts) {
        out.emplace_back(each);
    }
    return out;
}

void add_checkpoint(json::Object& out, const verify::SignedCheckpoint& checkpoint) {
    if (checkpoint.signers.empty()) {
        return;
    }
    json::Array witnesses;
    for (const verify::Cosigner& each : checkpoint.cosigners) {
        witnesses.emplace_back(
            json::Object{{"name", each.name}, {"time", seconds_text(each.seconds)}});
    }
    out.emplace_back("origin", checkpoint.origin);
    out.emplace_back("size", checkpoint.size);
    out.emplace_back("root", verify::root_text(checkpoint.root));
    out.emplace_back("signers", texts_json(checkpoint.signers));
    out.emplace_back("signatures", texts_json(checkpoint.signatures));
    out.emplace_back("witnesses", std::move(witnesses));
}

json::Array findings_json(const std::vector<verify::Finding>& findings) {
    json::Array out;
    for (const verify::Finding& each : findings) {
        out.emplace_back(
            json::Object{{"code", each.code}, {"where", each.where}, {"what", each.what}});
    }
    return out;
}

std::string head_line(const std::string& file, bool good) {
    const std::string_view word = good ? tr("good", "完好") : tr("broken", "已损坏");
    return fmt::format("{} {}\n", paint(pad_right(word, 13), good ? Colour::kGreen : Colour::kRed),
                       printable(file));
}

std::string row(std::string_view name, std::string_view value) {
    return fmt::format("  {} {}\n", pad_right(name, 11), printable(value));
}

std::string findings_lines(const std::vector<verify::Finding>& findings) {
    std::string out;
    for (const verify::Finding& each : findings) {
        out += fmt::format("  {} {}: {}\n", paint("✗", Colour::kRed),
                           printable(in_user_language(each.where)),
                           printable(in_user_language(each.what)));
    }
    return out;
}

std::string checkpoint_lines(const verify::SignedCheckpoint& checkpoint) {
    if (checkpoint.signers.empty()) {
        return {};
    }
    std::string out = row(tr("log", "日志"), checkpoint.origin);
    out += row(tr("entries", "条目数"), std::to_string(checkpoint.size));
    out += row(tr("root", "根哈希"), verify::root_text(checkpoint.root));
    for (const std::string& each : checkpoint.signers) {
        out += row(tr("signed by", "签名者"), each);
    }
    if (checkpoint.signatures.size() > 1) {
        for (const std::string& each : checkpoint.signatures) {
            out += row(tr("by key", "签名密钥"), each);
        }
    }
    for (const verify::Cosigner& each : checkpoint.cosigners) {
        out += row(tr("witness", "见证方"),
                   fmt::format("{}, {}", each.name, seconds_text(each.seconds)));
    }
    return out;
}

// A value as it is when it is text, otherwise in hexadecimal.
std::string shown_value(Bytes value) {
    return find_invalid_utf8(as_text(value)) ? "0x" + to_hex(value) : std::string(as_text(value));
}

std::string leaf_lines(const verify::ProofReport& report) {
    if (!report.leaf) {
        return row(tr("entry", "内容"),
                   fmt::format("{} {}", report.entry.size(), tr("bytes", "字节")));
    }
    const verify::LeafReading& leaf = *report.leaf;
    std::string out = row(tr("event", "事件"), leaf.type);
    out += row(tr("time", "时间"), time_text(leaf.milliseconds));
    out += row(tr("actor", "主体"), to_hex(leaf.actor));
    if (!leaf.object.empty()) {
        out += row(tr("object", "对象"), leaf.object);
    }
    if (!leaf.policy_version.empty()) {
        out += row(tr("policy", "规则版本"), leaf.policy_version);
    }
    for (const verify::LeafReading::Committed& each : leaf.commitments) {
        std::string value(tr("committed to, not shown", "已承诺，未披露"));
        for (const verify::OpenedValue& opened : report.opened) {
            if (opened.field == each.field) {
                value = shown_value(opened.value);
            }
        }
        out += row(each.field, value);
    }
    return out;
}

}  // namespace

json::Value checkpoint_json(const std::string& file, const verify::CheckpointReport& report) {
    json::Object out{{"file", file}, {"kind", "checkpoint"}, {"verdict", verdict(report.good)}};
    add_checkpoint(out, report.checkpoint);
    out.emplace_back("findings", findings_json(report.findings));
    return out;
}

json::Value log_json(const std::string& file, const verify::LogReport& report) {
    json::Object out{{"file", file}, {"kind", "log"}, {"verdict", verdict(report.good)}};
    add_checkpoint(out, report.checkpoint);
    out.emplace_back("entries_read", report.entries);
    out.emplace_back("files_read", report.files);
    out.emplace_back("bytes_read", report.bytes);
    out.emplace_back("older_extended", report.older_good);
    out.emplace_back("findings_count", report.findings_count);
    out.emplace_back("findings", findings_json(report.findings));
    return out;
}

json::Value proof_json(const std::string& file, const verify::ProofReport& report) {
    json::Object out{{"file", file}, {"kind", "proof"}, {"verdict", verdict(report.good)}};
    add_checkpoint(out, report.checkpoint);
    if (report.good) {
        out.emplace_back("index", report.index);
        out.emplace_back("entry_hash", verify::root_text(report.entry_hash));
    }
    if (report.leaf) {
        json::Array fields;
        for (const verify::LeafReading::Committed& each : report.leaf->commitments) {
            fields.emplace_back(each.field);
        }
        out.emplace_back("leaf", json::Object{{"type", report.leaf->type},
                                              {"time", time_text(report.leaf->milliseconds)},
                                              {"actor", to_hex(report.leaf->actor)},
                                              {"object", report.leaf->object},
                                              {"policy_version", report.leaf->policy_version},
                                              {"committed", std::move(fields)}});
    }
    json::Array opened;
    for (const verify::OpenedValue& each : report.opened) {
        opened.emplace_back(
            json::Object{{"field", each.field}, {"value", shown_value(each.value)}});
    }
    out.emplace_back("opened", std::move(opened));
    out.emplace_back("findings", findings_json(report.findings));
    return out;
}

json::Value result_json(const std::string& file, const verify::ResultReport& report) {
    json::Object out{{"file", file}, {"kind", "result"}, {"verdict", verdict(report.good)}};
    if (!report.sha256.empty()) {
        out.emplace_back("content",
                         json::Object{{"sha256", report.sha256}, {"bytes", report.bytes}});
        out.emplace_back("detector", report.detector);
        out.emplace_back("time", report.time);
        out.emplace_back("record", report.record);
        out.emplace_back("verification", report.verification);
    }
    out.emplace_back("signers", texts_json(report.signers));
    out.emplace_back("signatures", texts_json(report.signatures));
    out.emplace_back("findings", findings_json(report.findings));
    return out;
}

std::string result_text(const std::string& file, const verify::ResultReport& report) {
    std::string out = head_line(file, report.good);
    for (const std::string& signer : report.signers) {
        out += row(tr("signed by", "签名者"), signer);
    }
    if (!report.sha256.empty()) {
        out += row(tr("content", "内容"),
                   fmt::format("{}, {} {}", report.sha256, report.bytes, tr("bytes", "字节")));
        out += row(tr("said", "结论"), report.verification.string_or("verdict", ""));
        out += row(tr("detector", "检测工具"), report.detector);
        out += row(tr("time", "时间"), report.time);
    }
    return out + findings_lines(report.findings);
}

std::string checkpoint_text(const std::string& file, const verify::CheckpointReport& report) {
    return head_line(file, report.good) + checkpoint_lines(report.checkpoint) +
           findings_lines(report.findings);
}

std::string log_text(const std::string& file, const verify::LogReport& report) {
    std::string out = head_line(file, report.good) + checkpoint_lines(report.checkpoint);
    out += row(tr("checked", "已检查"),
               fmt::format("{} {}, {} {}", report.entries, tr("entries", "条目"), report.files,
                           tr("files", "个文件")));
    if (report.older_good > 0) {
        out += row(tr("extends", "延续自"), fmt::format("{} {}", report.older_good,
                                                        tr("older checkpoints", "个较早的检查点")));
    }
    out += findings_lines(report.findings);
    if (report.findings_count > report.findings.size()) {
        out += fmt::format("  … {} {}\n", report.findings_count - report.findings.size(),
                           tr("more", "项未列出"));
    }
    return out;
}

std::string proof_text(const std::string& file, const verify::ProofReport& report) {
    std::string out = head_line(file, report.good);
    if (report.good) {
        out += row(tr("entry", "条目"),
                   fmt::format("{} {} {}", report.index, tr("of", "/"), report.checkpoint.size));
        out += leaf_lines(report);
    }
    return out + checkpoint_lines(report.checkpoint) + findings_lines(report.findings);
}

}  // namespace colophon::cli
