// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/collect.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/internal/label_text.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::internal {
namespace {

void take_first(std::string& field, std::string& value) {
    if (field.empty()) {
        field = std::move(value);
    }
}

}  // namespace

void add_site(MetadataReading& reading, LabelSite site) {
    if (site.value.size() > limits::kLabelBytesMax) {
        warn(reading.findings, "metadata.too_long",
             site.where + ": a label of " + std::to_string(site.value.size()) + " bytes, at most " +
                 std::to_string(limits::kLabelBytesMax) + " are read");
        return;
    }
    if (reading.sites.size() < limits::kLabelSitesMax) {
        reading.sites.push_back(std::move(site));
        return;
    }
    const bool said =
        !reading.findings.empty() && reading.findings.back().code == "metadata.too_many";
    if (!said) {
        warn(reading.findings, "metadata.too_many",
             "more than " + std::to_string(limits::kLabelSitesMax) + " labels in one file");
    }
}

void add_xmp(MetadataReading& reading, Bytes packet, LabelSite site) {
    auto xmp = read_xmp(as_text(packet));
    if (!xmp.ok()) {
        reading.damaged_label = reading.damaged_label || holds_label_bytes(as_text(packet));
        warn(reading.findings, "metadata.xmp",
             site.where + " at byte " + std::to_string(site.offset) +
                 " cannot be read: " + xmp.error().what);
        return;
    }
    for (std::string& value : xmp->aigc) {
        site.value = std::move(value);
        add_site(reading, site);
    }
    take_first(reading.credential_link, xmp->credential_link);
    take_first(reading.iptc.digital_source_type, xmp->iptc.digital_source_type);
    take_first(reading.iptc.ai_system_used, xmp->iptc.ai_system_used);
    take_first(reading.iptc.ai_system_version_used, xmp->iptc.ai_system_version_used);
    std::ranges::move(xmp->findings, std::back_inserter(reading.findings));
}

void add_exif(MetadataReading& reading, Bytes tiff, std::uint64_t base_offset,
              std::string_view where_prefix) {
    auto sites = find_exif_labels(tiff, base_offset, where_prefix);
    if (!sites.ok()) {
        reading.damaged_label = reading.damaged_label || holds_label_bytes(as_text(tiff));
        warn(reading.findings, "metadata.exif",
             std::string(where_prefix) + " EXIF at byte " + std::to_string(base_offset) +
                 " cannot be read: " + sites.error().what);
        return;
    }
    for (LabelSite& site : *sites) {
        add_site(reading, std::move(site));
    }
}

void add_text(MetadataReading& reading, std::string_view text, const LabelSite& site) {
    if (!may_be_label(text)) {
        return;
    }
    for (const TextLabel& label : find_text_labels(text)) {
        LabelSite found = site;
        found.value = text.substr(label.offset, label.size);
        add_site(reading, std::move(found));
    }
}

}  // namespace colophon::label::internal
