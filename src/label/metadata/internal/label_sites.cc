// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/label_sites.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/finding.h"
#include "label/internal/text_edit.h"
#include "label/internal/xml_scan.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/label_text.h"
#include "label/metadata/internal/rdf_edit.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::internal {
namespace {

constexpr std::size_t kNameCharsMax = 32;

void take_first(std::string& field, std::string& value) {
    if (field.empty()) {
        field = std::move(value);
    }
}

Result<std::string> without_xmp_labels(std::string_view packet) {
    internal::XmlScanner scanner(packet);
    internal::RdfCollector collector(packet);
    while (TRY(scanner.next())) {
        TRY(collector.feed(scanner));
    }
    return internal::apply_edits(packet, internal::plan_rdf_removal(packet, collector.facts()));
}

}  // namespace

bool is_label_name(std::string_view name) noexcept {
    return std::ranges::equal(name, std::string_view("AIGC"), [](char a, char b) {
        return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
    });
}

bool is_tc260_label(std::string_view text) {
    if (text.size() > limits::kLabelBytesMax || text.find('{') == std::string_view::npos) {
        return false;
    }
    return !find_tc260_labels(text).empty() && without_tc260_labels(text).empty();
}

Result<void> check_label_bytes(std::string_view value) {
    if (value.size() > limits::kLabelBytesMax) {
        return Error{ErrorCode::kLimit,
                     "a label of " + std::to_string(value.size()) + " bytes; at most " +
                         std::to_string(limits::kLabelBytesMax) + " are written (kLabelBytesMax)"};
    }
    return {};
}

std::string printable_name(std::string_view name) {
    std::string out(name.substr(0, kNameCharsMax));
    std::ranges::replace_if(out, [](char c) { return c < 0x20 || c >= 0x7F; }, '?');
    return out;
}

void collect_finding(MetadataReading& reading, Finding finding) {
    if (reading.findings.size() < limits::kLabelSitesMax) {
        reading.findings.push_back(std::move(finding));
    }
}

void collect_site(MetadataReading& reading, LabelSite site) {
    if (site.value.size() > limits::kLabelBytesMax) {
        collect_finding(reading, {.code = "metadata.too_long",
                                  .level = FindingLevel::kWarning,
                                  .what = site.where + ": a label of " +
                                          std::to_string(site.value.size()) + " bytes, at most " +
                                          std::to_string(limits::kLabelBytesMax) + " are read"});
        return;
    }
    if (reading.sites.size() < limits::kLabelSitesMax) {
        reading.sites.push_back(std::move(site));
        return;
    }
    const bool said = std::ranges::any_of(reading.findings, [](const Finding& finding) {
        return finding.code == "metadata.too_many";
    });
    if (!said) {
        collect_finding(reading, {.code = "metadata.too_many",
                                  .level = FindingLevel::kWarning,
                                  .what = "more than " + std::to_string(limits::kLabelSitesMax) +
                                          " labels in one file"});
    }
}

void collect_xmp(MetadataReading& reading, Bytes packet, const LabelSite& site) {
    auto xmp = read_xmp(as_text(packet));
    if (!xmp.ok()) {
        reading.damaged_label = reading.damaged_label || holds_label_bytes(as_text(packet));
        collect_finding(reading, {.code = "metadata.xmp",
                                  .level = FindingLevel::kWarning,
                                  .what = site.where + " at byte " + std::to_string(site.offset) +
                                          " cannot be read: " + xmp.error().what});
        return;
    }
    for (std::string& value : xmp->aigc) {
        LabelSite found = site;
        found.value = std::move(value);
        collect_site(reading, std::move(found));
    }
    take_first(reading.credential_link, xmp->credential_link);
    take_first(reading.iptc.digital_source_type, xmp->iptc.digital_source_type);
    take_first(reading.iptc.ai_system_used, xmp->iptc.ai_system_used);
    take_first(reading.iptc.ai_system_version_used, xmp->iptc.ai_system_version_used);
    for (Finding& finding : xmp->findings) {
        collect_finding(reading, std::move(finding));
    }
}

std::optional<std::string> strip_xmp_labels(Bytes packet) {
    const auto xmp = read_xmp(as_text(packet));
    if (!xmp.ok() || xmp->aigc.empty()) {
        return std::nullopt;
    }
    auto stripped = without_xmp_labels(as_text(packet));
    return stripped.ok() ? std::optional(std::move(*stripped)) : std::nullopt;
}

}  // namespace colophon::label::internal
