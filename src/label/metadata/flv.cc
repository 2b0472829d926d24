// SPDX-License-Identifier: Apache-2.0
// Reads labels from Flash Video: the member AIGC of the object that the script tag onMetaData
// carries. [TC260-PG-20257A]
//
// FLV has no index, so the walk touches the 15 bytes before every tag; audio and video data are
// never read.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/flv_tags.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

void read_script_tag(Bytes file, const flv::Tag& tag, MetadataReading& reading) {
    const auto script = flv::read_script(flv::data(file, tag), tag.data_offset());
    if (!script.ok()) {
        warn(reading.findings, "metadata.flv_script", script.error().what);
        return;
    }
    for (const flv::ScriptString& string : script->strings) {
        const bool named = string.key.find("AIGC") != std::string_view::npos;
        if (string.value.size() > limits::kLabelBytesMax ||
            !(named || may_be_label(string.value)) || string.value.empty() ||
            reading.sites.size() >= limits::kLabelSitesMax) {
            continue;
        }
        const bool standard = script->name == "onMetaData" && string.key == "AIGC";
        reading.sites.push_back({.where = "flv " + std::string(script->name.substr(0, 64)) + " " +
                                          std::string(string.key.substr(0, 64)),
                                 .value = std::string(string.value),
                                 .offset = tag.offset,
                                 .standard_place = standard});
    }
}

}  // namespace

Result<MetadataReading> read_flv(Bytes file) {
    MetadataReading reading;
    flv::TagReader tags = TRY(flv::TagReader::create(file));
    std::size_t scripts = 0;
    while (const auto tag = TRY(tags.next())) {
        if (tag->type != flv::kScriptTag) {
            continue;
        }
        // Metadata stands in the first script tags; later ones are cue points of the stream.
        if (++scripts > limits::kLabelSitesMax) {
            break;
        }
        read_script_tag(file, *tag, reading);
    }
    return reading;
}

}  // namespace colophon::label::internal
