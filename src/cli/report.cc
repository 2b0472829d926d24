// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include "cli/terminal.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/propagation.h"
#include "label/provenance/credential.h"
#include "label/provenance/validate.h"
#include "label/verify.h"
#include "label/watermark/detect.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "label/watermark/video.h"
#include "worker/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::size_t kNameColumns = 14;
constexpr std::size_t kFindingsShownMax = 12;

// Two digits are all that a measurement of pixels can promise.
double rounded(double value) {
    return std::round(value * 100.0) / 100.0;
}

json::Value findings_json(const label::Findings& findings) {
    json::Array array;
    for (const label::Finding& each : findings) {
        array.emplace_back(json::Object{{"code", each.code},
                                        {"level", label::finding_level_name(each.level)},
                                        {"what", each.what}});
    }
    return array;
}

json::Value explicit_json(const label::ExplicitReading& reading) {
    json::Object object{{"found", reading.found}};
    if (reading.height_percent) {
        object.emplace_back("height_percent", rounded(*reading.height_percent));
    }
    if (reading.contrast) {
        object.emplace_back("contrast", rounded(*reading.contrast));
    }
    if (reading.seconds) {
        object.emplace_back("seconds", rounded(*reading.seconds));
    }
    if (reading.found) {
        object.emplace_back("text", reading.text);
        object.emplace_back("where", reading.where);
    }
    return object;
}

json::Value iptc_json(const label::IptcFields& iptc) {
    json::Object object;
    if (!iptc.digital_source_type.empty()) {
        object.emplace_back("digital_source_type", iptc.digital_source_type);
    }
    if (!iptc.ai_system_used.empty()) {
        object.emplace_back("ai_system_used", iptc.ai_system_used);
    }
    if (!iptc.ai_system_version_used.empty()) {
        object.emplace_back("ai_system_version_used", iptc.ai_system_version_used);
    }
    return object;
}

json::Value metadata_json(const label::MetadataVerification& metadata) {
    json::Object object{{"found", metadata.found}};
    if (metadata.found) {
        object.emplace_back("label", metadata.label.label);
        object.emplace_back("producer", metadata.label.content_producer);
        object.emplace_back("produce_id", metadata.label.produce_id);
        if (metadata.content_id) {
            object.emplace_back("content_id", to_string(*metadata.content_id));
        }
        object.emplace_back("propagator", metadata.label.content_propagator);
        object.emplace_back("propagate_id", metadata.label.propagate_id);
        object.emplace_back("where", metadata.where);
        object.emplace_back("offset", metadata.offset);
        object.emplace_back("signature", label::signature_state_name(metadata.signature));
        object.emplace_back("trusted", metadata.trusted);
        if (!metadata.key_id.empty()) {
            object.emplace_back("key_id", metadata.key_id);
        }
    }
    if (json::Value iptc = iptc_json(metadata.iptc); !iptc.if_object()->empty()) {
        object.emplace_back("iptc", std::move(iptc));
    }
    return object;
}

void add_payload(json::Object& object, const label::WatermarkPayload& payload) {
    if (payload.form == label::PayloadForm::kShort) {
        object.emplace_back("handle", payload.content_id.value);
        return;
    }
    if (payload.form == label::PayloadForm::kLong) {
        object.emplace_back("provider", payload.provider.text());
    } else {
        object.emplace_back("issuer", std::uint64_t{payload.issuer.value});
    }
    object.emplace_back("content_id", to_string(payload.content_id));
}

// A part of a video that carries a mark, and which segments of the marked original it is.
json::Value range_json(const label::MarkedRange& range) {
    json::Object object{{"from", rounded(range.from_seconds)}, {"to", rounded(range.to_seconds)}};
    add_payload(object, range.payload);
    object.emplace_back("first_segment", std::uint64_t{range.payload.segment});
    object.emplace_back("last_segment", std::uint64_t{range.last_segment});
    object.emplace_back("score", rounded(range.score));
    return object;
}

json::Value watermark_json(const label::WatermarkVerification& watermark) {
    const label::WatermarkReading& reading = watermark.reading;
    const bool found = reading.state == label::WatermarkState::kFound;
    json::Object object{{"found", found}};
    if (reading.state == label::WatermarkState::kPresent) {
        object.emplace_back("unreadable", true);
    }
    if (!found) {
        return object;
    }
    add_payload(object, reading.payload);
    object.emplace_back("score", rounded(reading.score));
    object.emplace_back("strength", label::watermark_strength_name(watermark.strength));
    const label::WatermarkGeometry& geometry = reading.geometry;
    object.emplace_back("geometry", json::Object{{"untouched", geometry.untouched},
                                                 {"turn_degrees", rounded(geometry.turn_degrees)},
                                                 {"mirrored", geometry.mirrored},
                                                 {"period_x", rounded(geometry.period_x)},
                                                 {"period_y", rounded(geometry.period_y)}});
    if (!watermark.ranges.empty()) {
        json::Array ranges;
        for (const label::MarkedRange& range : watermark.ranges) {
            ranges.emplace_back(range_json(range));
        }
        object.emplace_back("ranges", std::move(ranges));
        object.emplace_back("seconds", rounded(watermark.seconds));
    }
    return object;
}

std::string_view last_word(const std::string& uri) {
    return std::string_view(uri).substr(uri.find_last_of('/') + 1);
}

json::Array failures_json(const label::provenance::CredentialReading& reading) {
    json::Array failures;
    for (const label::provenance::Status& each : reading.statuses) {
        if (each.kind == label::provenance::StatusKind::kFailure) {
            failures.emplace_back(each.code);
        }
    }
    return failures;
}

json::Value provenance_json(const label::provenance::CredentialReading& reading) {
    json::Object object{{"found", reading.found}};
    if (!reading.link.empty()) {
        object.emplace_back("link", reading.link);
    }
    if (!reading.found) {
        if (!reading.statuses.empty()) {
            object.emplace_back("failures", failures_json(reading));
        }
        return object;
    }
    object.emplace_back("intact", reading.intact());
    object.emplace_back("trusted", reading.trusted());
    object.emplace_back("signer", reading.signer);
    object.emplace_back("source_type", last_word(reading.source_type));
    object.emplace_back("where", reading.where);
    object.emplace_back("organization", reading.organization);
    object.emplace_back("issuer", reading.issuer);
    object.emplace_back("algorithm", reading.algorithm);
    object.emplace_back("generator", reading.generator);
    object.emplace_back("manifest", reading.manifest_label);
    object.emplace_back("manifests", std::uint64_t{reading.manifests});
    if (reading.signed_at) {
        object.emplace_back("signed_at", format_time(*reading.signed_at));
        object.emplace_back("time_authority", reading.time_authority);
    }
    object.emplace_back("failures", failures_json(reading));
    return object;
}

Colour colour_of(label::Verdict verdict) {
    switch (verdict) {
        case label::Verdict::kIntact:
            return Colour::kGreen;
        case label::Verdict::kAbsent:
            return Colour::kYellow;
        case label::Verdict::kAltered:
        case label::Verdict::kStripped:
        case label::Verdict::kForged:
        case label::Verdict::kUnreadable:
            break;
    }
    return Colour::kRed;
}

std::string_view verdict_word(label::Verdict verdict) {
    switch (verdict) {
        case label::Verdict::kIntact:
            return tr("intact", "完好");
        case label::Verdict::kAltered:
            return tr("altered", "被篡改");
        case label::Verdict::kStripped:
            return tr("stripped", "被去除");
        case label::Verdict::kForged:
            return tr("forged", "伪造");
        case label::Verdict::kAbsent:
            return tr("absent", "无标识");
        case label::Verdict::kUnreadable:
            break;
    }
    return tr("unreadable", "无法读取");
}

// What an intact label says of the content [AILM-6].
std::string_view intact_sentence(label::PropagationStatus status) {
    switch (status) {
        case label::PropagationStatus::kPossible:
            return tr("Labelled as possibly AI-generated; nothing speaks against the label.",
                      "已标识为可能的人工智能生成合成内容，未发现标识异常。");
        case label::PropagationStatus::kSuspected:
            return tr("Labelled as suspected to be AI-generated; nothing speaks against the label.",
                      "已标识为疑似人工智能生成合成内容，未发现标识异常。");
        case label::PropagationStatus::kConfirmed:
        case label::PropagationStatus::kNone:
            break;
    }
    return tr("Labelled as AI-generated; nothing speaks against the label.",
              "已标识为人工智能生成合成内容，未发现标识异常。");
}

std::string_view verdict_sentence(const label::Verification& seen) {
    const bool credential = seen.provenance && seen.provenance->found;
    switch (seen.verdict) {
        case label::Verdict::kIntact:
            if (credential && seen.metadata && !seen.metadata->found) {
                return tr(
                    "Content Credentials say that a model made it; no metadata label is "
                    "beside them.",
                    "内容凭证载明由模型生成，未发现元数据标识。");
            }
            if (seen.metadata && !seen.metadata->found) {
                return tr("An explicit label is there, and no metadata label beside it.",
                          "存在显式标识，未发现元数据标识。");
            }
            return intact_sentence(seen.metadata ? seen.propagation
                                                 : label::PropagationStatus::kConfirmed);
        case label::Verdict::kAltered:
            if (credential && !seen.provenance->intact()) {
                return tr("The file or its Content Credentials were changed after signing.",
                          "文件或其内容凭证在签署之后被改动。");
            }
            return tr("The label was changed after it was signed.", "标识在签名之后被改动。");
        case label::Verdict::kStripped:
            return tr("One mark is there, another that belongs beside it is gone.",
                      "部分标识仍在，应有的另一部分标识缺失。");
        case label::Verdict::kForged:
            return tr("The marks contradict each other, or name a provider that cannot exist.",
                      "标识相互矛盾，或所载服务提供者编码不可能存在。");
        case label::Verdict::kAbsent:
            return tr("No label was found. That does not prove that no model made it.",
                      "未发现标识；这并不证明内容并非人工智能生成。");
        case label::Verdict::kUnreadable:
            break;
    }
    return tr("There is a label, but it cannot be read.", "存在标识，但无法读取。");
}

std::string_view signature_sentence(const label::MetadataVerification& metadata) {
    switch (metadata.signature) {
        case label::SignatureState::kNone:
            return tr("none: a change of the label would not be noticed",
                      "无签名：标识若被改动无法察觉");
        case label::SignatureState::kValid:
            return metadata.trusted
                       ? tr("valid, by a key that you trust", "有效，且为受信任的密钥")
                       : tr("valid, by a key that you do not know", "有效，但密钥不在信任列表中");
        case label::SignatureState::kInvalid:
            return tr("does not fit the label", "与标识不符");
        case label::SignatureState::kUnsupported:
            break;
    }
    return tr("of a kind that is not known here", "不支持的签名类型");
}

class Lines {
public:
    void add(std::string_view name, std::string_view text) {
        out_ += fmt::format("  {}{}\n", paint(pad_right(name, kNameColumns), Colour::kDim), text);
    }
    void plain(std::string_view text) { out_ += fmt::format("  {}\n", text); }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

std::string explicit_words(const label::ExplicitReading& reading) {
    if (!reading.found) {
        return std::string(tr("not found", "未发现"));
    }
    std::string text = fmt::format("\"{}\"{}{}", printable(reading.text), tr(", ", "，"),
                                   printable(in_user_language(reading.where)));
    if (reading.height_percent) {
        text += fmt::format("{} {:.1f} %", tr("; height over shortest side", "；高度占最短边"),
                            *reading.height_percent);
    }
    if (reading.contrast) {
        text += fmt::format("{} {:.1f}:1", tr("; contrast", "；对比度"), *reading.contrast);
    }
    if (reading.seconds) {
        text +=
            fmt::format("{} {:.1f} s", tr("; shown for at least", "；至少显示"), *reading.seconds);
    }
    return text;
}

std::string label_words(const label::AigcLabel& label, const std::string& where) {
    std::string words = fmt::format("Label {}", printable(label.label));
    if (!label.content_producer.empty()) {
        words += fmt::format(" · {}", printable(label.content_producer));
    }
    return fmt::format("{} · {}", words, where);
}

void add_content_id(Lines& lines, const label::AigcLabel& label) {
    if (!label.produce_id.empty()) {
        lines.add(tr("content id", "内容编号"), printable(label.produce_id));
    }
}

void add_metadata(Lines& lines, const label::MetadataVerification& metadata) {
    if (!metadata.found) {
        lines.add(tr("metadata", "元数据"), tr("no AIGC label", "无 AIGC 标识"));
    } else {
        lines.add(tr("metadata", "元数据"), label_words(metadata.label, metadata.where));
        add_content_id(lines, metadata.label);
        if (metadata.label.content_propagator != metadata.label.content_producer &&
            !metadata.label.content_propagator.empty()) {
            lines.add(tr("propagator", "传播者"),
                      fmt::format("{} · {}", printable(metadata.label.content_propagator),
                                  printable(metadata.label.propagate_id)));
        }
        std::string signature(signature_sentence(metadata));
        if (!metadata.key_id.empty()) {
            signature += fmt::format(" ({})", printable(metadata.key_id));
        }
        lines.add(tr("signature", "签名"), signature);
    }
    if (!metadata.iptc.digital_source_type.empty()) {
        const std::string& uri = metadata.iptc.digital_source_type;
        std::string words = uri.substr(uri.find_last_of('/') + 1);
        for (const std::string* part :
             {&metadata.iptc.ai_system_used, &metadata.iptc.ai_system_version_used}) {
            words += part->empty() ? "" : " " + *part;
        }
        lines.add("IPTC", printable(words));
    }
}

std::string_view strength_word(label::WatermarkStrength strength) {
    switch (strength) {
        case label::WatermarkStrength::kRobust:
            return tr("robust", "牢固");
        case label::WatermarkStrength::kFair:
            return tr("fair", "一般");
        case label::WatermarkStrength::kFragile:
            break;
    }
    return tr("fragile", "脆弱");
}

// What has happened to the picture since it was marked, as far as its mark tells. The scale is that
// of pictures whose shortest side had up to 768 pixels; larger ones have larger tiles.
std::string geometry_words(const label::WatermarkGeometry& geometry, label::PayloadForm form) {
    constexpr double kTile = 70;
    if (geometry.untouched) {
        return {};
    }
    std::string words;
    if (geometry.mirrored) {
        words += tr("; mirrored", "；镜像");
    }
    if (std::fabs(geometry.turn_degrees) >= 0.2) {
        words += fmt::format("{} {:.1f}°", tr("; turned by", "；旋转"), geometry.turn_degrees);
    }
    if (form == label::PayloadForm::kSegment) {
        // The tiles of a video tell how large the whole of it would be at its present scale.
        const double side =
            std::min(geometry.period_x, geometry.period_y) / kTile * label::kVideoCanonicalSide;
        words += fmt::format(
            "{} {:.0f} {}",
            tr("; scaled or cut, the whole would have", "；经缩放或裁剪，完整画面最短边约"), side,
            tr("lines at its shortest side", "像素"));
        return words;
    }
    const double scale_x = geometry.period_x / kTile;
    const double scale_y = geometry.period_y / kTile;
    if (std::fabs(scale_x / scale_y - 1) >= 0.01) {
        words += fmt::format("{} {:.2f} x {:.2f}", tr("; scaled to", "；缩放至"), scale_x, scale_y);
    } else if (std::fabs(scale_x - 1) >= 0.005) {
        words += fmt::format("{} {:.2f}", tr("; scaled to", "；缩放至"), scale_x);
    }
    return words.empty() ? std::string(tr("; cut", "；经裁剪")) : words;
}

// Which parts of a video carry a mark: the first few of them.
std::string range_words(const label::WatermarkVerification& watermark) {
    constexpr std::size_t kShown = 6;
    if (watermark.ranges.empty()) {
        return {};
    }
    std::string words;
    for (std::size_t i = 0; i < std::min(watermark.ranges.size(), kShown); ++i) {
        const label::MarkedRange& range = watermark.ranges[i];
        words += fmt::format("{}{:.1f}-{:.1f}", i == 0 ? "; " : ", ", range.from_seconds,
                             range.to_seconds);
    }
    return fmt::format("{}{} / {:.1f} s", words, watermark.ranges.size() > kShown ? ", ..." : "",
                       watermark.seconds);
}

std::string payload_words(const label::WatermarkPayload& payload) {
    switch (payload.form) {
        case label::PayloadForm::kShort:
            return fmt::format("{} {:08x}", tr("short form", "短格式"), payload.content_id.value);
        case label::PayloadForm::kLong:
            return fmt::format("{} · {} {}", to_string(payload.content_id),
                               tr("provider", "服务提供者"), payload.provider.text());
        case label::PayloadForm::kStandard:
        case label::PayloadForm::kSegment:
            break;
    }
    return fmt::format("{} · {} {}", to_string(payload.content_id), tr("issuer", "发行者"),
                       payload.issuer.value);
}

void add_watermark(Lines& lines, const label::WatermarkVerification& watermark) {
    const label::WatermarkReading& reading = watermark.reading;
    std::string words;
    switch (reading.state) {
        case label::WatermarkState::kAbsent:
            words = tr("not found", "未发现");
            break;
        case label::WatermarkState::kPresent:
            words = tr("there, but cannot be read", "存在，但无法读出");
            break;
        case label::WatermarkState::kFound:
            words = payload_words(reading.payload);
            words += fmt::format(" · {}{}", strength_word(watermark.strength),
                                 geometry_words(reading.geometry, reading.payload.form));
            words += range_words(watermark);
            break;
    }
    lines.add(tr("watermark", "水印"), words);
}

std::string_view credential_sentence(const label::provenance::CredentialReading& reading) {
    switch (reading.state) {
        case label::provenance::CredentialState::kTrusted:
            return tr("intact, by a signer that you trust", "完好，签署者受信任");
        case label::provenance::CredentialState::kValid:
            return tr("intact, by a signer that you do not know", "完好，签署者不在信任列表中");
        case label::provenance::CredentialState::kInvalid:
            break;
    }
    return tr("do not hold", "无效");
}

void add_provenance(Lines& lines, const label::provenance::CredentialReading& reading) {
    const std::string_view name = tr("provenance", "内容凭证");
    std::string words(credential_sentence(reading));
    if (!reading.signer.empty()) {
        words += fmt::format(" · {}", printable(reading.signer));
    }
    if (!reading.source_type.empty()) {
        words += fmt::format(" · {}", printable(std::string(last_word(reading.source_type))));
    }
    if (reading.signed_at) {
        words += fmt::format(" · {}", format_time(*reading.signed_at));
    }
    lines.add(name, words);
}

void add_findings(Lines& lines, const label::Findings& findings) {
    std::size_t shown = 0;
    for (const label::Finding& each : findings) {
        if (each.level == label::FindingLevel::kInfo) {
            // What was done with a label that was there already is always told.
            if (each.code.starts_with("label.")) {
                lines.plain(printable(in_user_language(each.what)));
            }
            continue;
        }
        if (++shown > kFindingsShownMax) {
            lines.plain(tr("… more with --json", "…… 其余见 --json"));
            return;
        }
        const Colour colour =
            each.level == label::FindingLevel::kError ? Colour::kRed : Colour::kYellow;
        lines.plain(fmt::format("{} {}{}{}", paint("!", colour), each.code, tr(": ", "："),
                                printable(in_user_language(each.what))));
    }
}

}  // namespace

json::Value verification_json(const std::string& file, const label::Verification& seen) {
    const label::FormatFacts& row = label::facts(seen.format);
    json::Object object{{"file", file},
                        {"kind", label::kind_name(row.kind)},
                        {"format", row.name},
                        {"verdict", label::verdict_name(seen.verdict)}};
    if (seen.explicit_mark) {
        object.emplace_back("explicit", explicit_json(*seen.explicit_mark));
    }
    if (seen.metadata) {
        object.emplace_back("metadata", metadata_json(*seen.metadata));
    }
    if (seen.watermark) {
        object.emplace_back("watermark", watermark_json(*seen.watermark));
    }
    if (seen.provenance) {
        object.emplace_back("provenance", provenance_json(*seen.provenance));
    }
    object.emplace_back("propagation", label::propagation_status_name(seen.propagation));
    object.emplace_back("findings", findings_json(seen.findings));
    return object;
}

json::Value label_json(const std::string& file, const Written& written, label::Format format,
                       const worker::LabelReport& report) {
    const label::FormatFacts& row = label::facts(format);
    json::Object object{{"file", file},
                        {"output", written.file},
                        {"kind", label::kind_name(row.kind)},
                        {"format", row.name},
                        {"marks", label::to_string(report.written)}};
    if (report.explicit_mark) {
        object.emplace_back("explicit", explicit_json(*report.explicit_mark));
    }
    if (report.watermark) {
        object.emplace_back("watermark", watermark_json(*report.watermark));
    }
    if (report.label) {
        object.emplace_back("metadata",
                            json::Object{{"label", report.label->label},
                                         {"producer", report.label->content_producer},
                                         {"produce_id", report.label->produce_id},
                                         {"propagator", report.label->content_propagator},
                                         {"propagate_id", report.label->propagate_id},
                                         {"where", report.where}});
    }
    if (!report.credential.empty()) {
        json::Object credential{{"manifest", report.credential}};
        if (!written.credential.empty()) {
            credential.emplace_back("file", written.credential);
        }
        object.emplace_back("provenance", std::move(credential));
    }
    object.emplace_back("findings", findings_json(report.findings));
    return object;
}

json::Value error_json(const std::string& file, const Error& error) {
    return json::Object{
        {"file", file},
        {"error", json::Object{{"code", error_code_name(error.code)}, {"what", error.what}}}};
}

std::string verification_text(const std::string& file, const label::Verification& seen) {
    Lines lines;
    lines.plain(verdict_sentence(seen));
    if (seen.explicit_mark) {
        lines.add(tr("explicit", "显式标识"), explicit_words(*seen.explicit_mark));
    }
    if (seen.watermark) {
        add_watermark(lines, *seen.watermark);
    }
    if (seen.metadata) {
        add_metadata(lines, *seen.metadata);
    }
    if (seen.provenance && seen.provenance->found) {
        add_provenance(lines, *seen.provenance);
    } else if (seen.provenance && !seen.provenance->link.empty()) {
        lines.add(tr("provenance", "内容凭证"), fmt::format("{} · {}", tr("elsewhere", "位于别处"),
                                                            printable(seen.provenance->link)));
    }
    const std::string_view prompt = label::propagation_prompt(seen.propagation, user_language());
    if (!prompt.empty()) {
        lines.add(tr("tell readers", "发布提示"), prompt);
    }
    add_findings(lines, seen.findings);
    return verification_line(file, seen) + lines.take();
}

std::string verification_line(const std::string& file, const label::Verification& seen) {
    const std::string word = pad_right(verdict_word(seen.verdict), kNameColumns);
    return fmt::format("{}{}  {}\n", paint(word, colour_of(seen.verdict)),
                       paint(printable(file), Colour::kBold), label::facts(seen.format).name);
}

std::string label_text(const std::string& file, const Written& written, label::Format format,
                       const worker::LabelReport& report) {
    Lines lines;
    if (report.explicit_mark) {
        lines.add(tr("explicit", "显式标识"), explicit_words(*report.explicit_mark));
    }
    if (report.watermark) {
        add_watermark(lines, *report.watermark);
    }
    if (report.label) {
        lines.add(tr("metadata", "元数据"), label_words(*report.label, report.where));
        add_content_id(lines, *report.label);
    }
    if (!report.credential.empty()) {
        lines.add(tr("provenance", "内容凭证"),
                  written.credential.empty()
                      ? report.credential
                      : fmt::format("{} · {}", report.credential, printable(written.credential)));
    }
    add_findings(lines, report.findings);
    const std::string word = pad_right(tr("labelled", "已标识"), kNameColumns);
    return fmt::format("{}{} → {}  {}\n", paint(word, Colour::kGreen), printable(file),
                       paint(printable(written.file), Colour::kBold), label::facts(format).name) +
           lines.take();
}

}  // namespace colophon::cli
