// SPDX-License-Identifier: Apache-2.0
#include "worker/internal/watermark_message.h"

#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "label/verify.h"
#include "label/watermark/detect.h"
#include "label/watermark/payload.h"
#include "label/watermark/picture.h"
#include "label/watermark/video.h"
#include "worker/internal/fields.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::worker::internal {
namespace {

constexpr std::size_t kRangesMax = 1U << 16U;

// Empty: nobody is named.
Result<label::MarkProvider> decode_provider(Fields& fields) {
    const std::string code = fields.text("provider");
    return code.empty() ? label::MarkProvider() : label::MarkProvider::create(code);
}

json::Value encode_ranges(const std::vector<label::MarkedRange>& ranges) {
    json::Array array;
    for (const label::MarkedRange& each : ranges) {
        array.emplace_back(json::Object{{"from", each.from_seconds},
                                        {"to", each.to_seconds},
                                        {"form", static_cast<std::int64_t>(each.payload.form)},
                                        {"issuer", std::uint64_t{each.payload.issuer.value}},
                                        {"content_id", each.payload.content_id.value},
                                        {"provider", std::string(each.payload.provider.text())},
                                        {"segment", std::uint64_t{each.payload.segment}},
                                        {"last_segment", std::uint64_t{each.last_segment}},
                                        {"score", each.score}});
    }
    return array;
}

Result<std::vector<label::MarkedRange>> decode_ranges(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() > kRangesMax) {
        return Error{ErrorCode::kCorrupt, "no list of marked ranges"};
    }
    std::vector<label::MarkedRange> ranges;
    for (const json::Value& each : *array) {
        Fields fields(each);
        label::MarkedRange range;
        range.from_seconds = fields.real("from");
        range.to_seconds = fields.real("to");
        range.payload.form = fields.choice("form", label::kPayloadForms.back());
        range.payload.provider = fields.take(decode_provider(fields), "provider");
        range.payload.issuer.value =
            static_cast<std::uint16_t>(fields.number("issuer", UINT16_MAX));
        range.payload.content_id.value = fields.number("content_id", ContentId::kMax);
        range.payload.segment =
            static_cast<std::uint16_t>(fields.number("segment", label::kSegmentMax));
        range.last_segment =
            static_cast<std::uint16_t>(fields.number("last_segment", label::kSegmentMax));
        range.score = fields.real("score");
        TRY(fields.finish("marked range"));
        ranges.push_back(range);
    }
    return ranges;
}

}  // namespace

json::Value encode_watermark(const label::WatermarkVerification& watermark) {
    const label::WatermarkReading& reading = watermark.reading;
    return json::Object{{"state", static_cast<std::int64_t>(reading.state)},
                        {"form", static_cast<std::int64_t>(reading.payload.form)},
                        {"issuer", std::uint64_t{reading.payload.issuer.value}},
                        {"content_id", reading.payload.content_id.value},
                        {"provider", std::string(reading.payload.provider.text())},
                        {"segment", std::uint64_t{reading.payload.segment}},
                        {"ranges", encode_ranges(watermark.ranges)},
                        {"seconds", watermark.seconds},
                        {"score", reading.score},
                        {"pilot_score", reading.pilot_score},
                        {"turn", reading.geometry.turn_degrees},
                        {"mirrored", reading.geometry.mirrored},
                        {"period_x", reading.geometry.period_x},
                        {"period_y", reading.geometry.period_y},
                        {"untouched", reading.geometry.untouched},
                        {"strength", static_cast<std::int64_t>(watermark.strength)}};
}

Result<label::WatermarkVerification> decode_watermark(const json::Value& value) {
    Fields fields(value);
    label::WatermarkVerification watermark;
    label::WatermarkReading& reading = watermark.reading;
    reading.state = fields.choice("state", label::WatermarkState::kFound);
    reading.payload.form = fields.choice("form", label::kPayloadForms.back());
    reading.payload.provider = fields.take(decode_provider(fields), "provider");
    reading.payload.segment =
        static_cast<std::uint16_t>(fields.number("segment", label::kSegmentMax));
    watermark.ranges = fields.take(decode_ranges(fields.find("ranges")), "ranges");
    watermark.seconds = fields.real("seconds");
    reading.payload.issuer.value = static_cast<std::uint16_t>(fields.number("issuer", UINT16_MAX));
    reading.payload.content_id.value = fields.number("content_id", ContentId::kMax);
    reading.score = fields.real("score");
    reading.pilot_score = fields.real("pilot_score");
    reading.geometry = {.turn_degrees = fields.real("turn"),
                        .mirrored = fields.flag("mirrored"),
                        .period_x = fields.real("period_x"),
                        .period_y = fields.real("period_y"),
                        .untouched = fields.flag("untouched")};
    watermark.strength = fields.choice("strength", label::WatermarkStrength::kFragile);
    TRY(fields.finish("reading of the watermark"));
    return watermark;
}

}  // namespace colophon::worker::internal
