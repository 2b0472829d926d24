// SPDX-License-Identifier: Apache-2.0
#include "worker/protocol.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/existing.h"
#include "label/explicit/audio.h"
#include "label/explicit/image.h"
#include "label/explicit/reading.h"
#include "label/explicit/text.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/propagation.h"
#include "label/provenance/certificate.h"
#include "label/provenance/credential.h"
#include "label/provenance/validate.h"
#include "label/record.h"
#include "label/verify.h"
#include "label/watermark/detect.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"
#include "worker/internal/credential_message.h"
#include "worker/internal/fields.h"
#include "worker/internal/inquiry_message.h"
#include "worker/internal/watermark_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

using internal::decode_credential;
using internal::decode_watermark;
using internal::encode_credential;
using internal::encode_watermark;
using internal::Fields;

constexpr std::size_t kFindingsMax = 4096;
constexpr std::size_t kAnchorsMax = 1024;

json::Value encode_findings(const label::Findings& findings) {
    json::Array array;
    for (const label::Finding& each : findings) {
        array.emplace_back(json::Object{{"code", each.code},
                                        {"level", static_cast<std::int64_t>(each.level)},
                                        {"what", each.what}});
    }
    return array;
}

Result<label::Findings> decode_findings(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() > kFindingsMax) {
        return Error{ErrorCode::kCorrupt, "no list of findings"};
    }
    label::Findings findings;
    for (const json::Value& each : *array) {
        Fields fields(each);
        label::Finding finding{.code = fields.text("code"),
                               .level = fields.choice("level", label::FindingLevel::kError),
                               .what = fields.text("what")};
        TRY(fields.finish("finding"));
        findings.push_back(std::move(finding));
    }
    return findings;
}

json::Value encode_aigc(const label::AigcLabel& label) {
    return json::Object{{"label", label.label},
                        {"producer", label.content_producer},
                        {"produce_id", label.produce_id},
                        {"reserved1", label.reserved_code1},
                        {"propagator", label.content_propagator},
                        {"propagate_id", label.propagate_id},
                        {"reserved2", label.reserved_code2}};
}

Result<label::AigcLabel> decode_aigc(const json::Value& value) {
    Fields fields(value);
    label::AigcLabel label{.label = fields.text("label"),
                           .content_producer = fields.text("producer"),
                           .produce_id = fields.text("produce_id"),
                           .reserved_code1 = fields.text("reserved1"),
                           .content_propagator = fields.text("propagator"),
                           .propagate_id = fields.text("propagate_id"),
                           .reserved_code2 = fields.text("reserved2")};
    TRY(fields.finish("label"));
    return label;
}

json::Value encode_explicit(const label::ExplicitReading& reading) {
    json::Object object{{"found", reading.found},
                        {"text", reading.text},
                        {"where", reading.where},
                        {"findings", encode_findings(reading.findings)}};
    if (reading.height_percent) {
        object.emplace_back("height_percent", *reading.height_percent);
    }
    if (reading.contrast) {
        object.emplace_back("contrast", *reading.contrast);
    }
    if (reading.seconds) {
        object.emplace_back("seconds", *reading.seconds);
    }
    return object;
}

Result<label::ExplicitReading> decode_explicit(const json::Value& value) {
    Fields fields(value);
    label::ExplicitReading reading{
        .found = fields.flag("found"),
        .text = fields.text("text"),
        .where = fields.text("where"),
        .height_percent = fields.optional_real("height_percent"),
        .contrast = fields.optional_real("contrast"),
        .seconds = fields.optional_real("seconds"),
        .findings = fields.take(decode_findings(fields.find("findings")), "findings")};
    TRY(fields.finish("reading of the explicit label"));
    return reading;
}

json::Value encode_record(const label::LabelRecord& record) {
    json::Object object{{"origin", static_cast<std::int64_t>(record.origin)},
                        {"service", static_cast<std::int64_t>(record.service)},
                        {"producer_code", record.producer_code},
                        {"producer_name", record.producer_name},
                        {"system_name", record.system_name},
                        {"system_version", record.system_version},
                        {"own_id", record.own_id},
                        {"created_at", format_time(record.created_at)},
                        {"propagator_code", record.propagator_code}};
    if (record.content_id) {
        object.emplace_back("content_id", record.content_id->value);
    }
    return object;
}

Result<label::LabelRecord> decode_record(const json::Value& value) {
    Fields fields(value);
    label::LabelRecord record;
    record.origin = fields.choice("origin", label::Origin::kSuspected);
    record.service = fields.choice("service", label::ServiceClass::kOther);
    record.producer_code = fields.text("producer_code");
    record.producer_name = fields.text("producer_name");
    record.system_name = fields.text("system_name");
    record.system_version = fields.text("system_version");
    record.own_id = fields.text("own_id");
    record.created_at = fields.take(parse_time(fields.text("created_at")), "created_at");
    record.propagator_code = fields.text("propagator_code");
    if (fields.find("content_id") != nullptr) {
        record.content_id = ContentId{fields.number("content_id", ContentId::kMax)};
    }
    TRY(fields.finish("record"));
    return record;
}

json::Value encode_metadata(const label::MetadataVerification& metadata) {
    json::Object object{{"found", metadata.found},
                        {"label", encode_aigc(metadata.label)},
                        {"where", metadata.where},
                        {"offset", metadata.offset},
                        {"sites", std::uint64_t{metadata.sites}},
                        {"signature", static_cast<std::int64_t>(metadata.signature)},
                        {"trusted", metadata.trusted},
                        {"key_id", metadata.key_id},
                        {"source_type", metadata.iptc.digital_source_type},
                        {"system", metadata.iptc.ai_system_used},
                        {"system_version", metadata.iptc.ai_system_version_used}};
    if (metadata.content_id) {
        object.emplace_back("content_id", metadata.content_id->value);
    }
    return object;
}

Result<label::MetadataVerification> decode_metadata(const json::Value& value) {
    Fields fields(value);
    label::MetadataVerification metadata;
    metadata.found = fields.flag("found");
    if (const json::Value* label = fields.find("label")) {
        metadata.label = fields.take(decode_aigc(*label), "label");
    }
    metadata.where = fields.text("where");
    metadata.offset = fields.number("offset", UINT64_MAX);
    metadata.sites = fields.number("sites", limits::kContainerItemsMax);
    metadata.signature = fields.choice("signature", label::SignatureState::kUnsupported);
    metadata.trusted = fields.flag("trusted");
    metadata.key_id = fields.text("key_id");
    metadata.iptc = {.digital_source_type = fields.text("source_type"),
                     .ai_system_used = fields.text("system"),
                     .ai_system_version_used = fields.text("system_version")};
    if (fields.find("content_id") != nullptr) {
        metadata.content_id = ContentId{fields.number("content_id", ContentId::kMax)};
    }
    TRY(fields.finish("reading of the metadata label"));
    return metadata;
}

json::Value encode_key(const label::WatermarkKey& key) {
    return to_hex(key.bytes);
}

Result<label::WatermarkKey> decode_key(std::string_view hex) {
    const Buffer bytes = TRY(from_hex(hex));
    label::WatermarkKey key;
    if (bytes.size() != key.bytes.size()) {
        return Error{ErrorCode::kCorrupt, "no watermark key"};
    }
    std::ranges::copy(bytes, key.bytes.begin());
    return key;
}

json::Value encode_certificates(const std::vector<label::provenance::Certificate>& list) {
    json::Array array;
    for (const label::provenance::Certificate& each : list) {
        array.emplace_back(to_hex(each.der()));
    }
    return array;
}

Result<std::vector<label::provenance::Certificate>> decode_certificates(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() > kAnchorsMax) {
        return Error{ErrorCode::kCorrupt, "no list of certificates"};
    }
    std::vector<label::provenance::Certificate> list;
    for (const json::Value& each : *array) {
        const std::string* text = each.if_string();
        const Buffer der = TRY(from_hex(text == nullptr ? std::string_view("x") : *text));
        list.push_back(TRY(label::provenance::Certificate::create(der)));
    }
    return list;
}

json::Value encode_trust(const label::provenance::Trust& trust) {
    return json::Object{{"signers", encode_certificates(trust.signers)},
                        {"time_stamps", encode_certificates(trust.time_stamps)},
                        {"now", format_time(trust.now)},
                        {"inquiry", internal::encode_inquiry(trust.inquiry)}};
}

Result<label::provenance::Trust> decode_trust(const json::Value* value) {
    if (value == nullptr) {
        return Error{ErrorCode::kCorrupt, "no trust"};
    }
    Fields fields(*value);
    label::provenance::Trust trust{
        .signers = TRY(decode_certificates(fields.find("signers"))),
        .time_stamps = TRY(decode_certificates(fields.find("time_stamps"))),
        .now = fields.take(parse_time(fields.text("now")), "now"),
        .inquiry = {}};
    if (const json::Value* inquiry = fields.find("inquiry")) {
        trust.inquiry = fields.take(internal::decode_inquiry(*inquiry), "inquiry");
    }
    TRY(fields.finish("trust"));
    return trust;
}

using RandomBytes = std::array<std::uint8_t, 16>;

RandomBytes random_bytes(Fields& fields, std::string_view name) {
    const Buffer bytes = fields.take(from_hex(fields.text(name)), name);
    RandomBytes out{};
    if (bytes.size() != out.size()) {
        fields.fail(name);
        return out;
    }
    std::ranges::copy(bytes, out.begin());
    return out;
}

}  // namespace

json::Value encode(const label::ApplyOptions& options) {
    return json::Object{{"record", encode_record(options.record)},
                        {"profile", static_cast<std::int64_t>(options.profile)},
                        {"language", static_cast<std::int64_t>(options.language)},
                        {"marks", label::to_string(options.marks)},
                        {"optional", label::to_string(options.optional)},
                        {"watermark_key", encode_key(options.watermark_key)},
                        {"issuer", std::uint64_t{options.issuer.value}},
                        {"payload", static_cast<std::int64_t>(options.payload)},
                        {"text", options.text},
                        {"image_place", static_cast<std::int64_t>(options.image_place)},
                        {"text_place", static_cast<std::int64_t>(options.text_place)},
                        {"sound_form", static_cast<std::int64_t>(options.sound_form)},
                        {"sound_place", static_cast<std::int64_t>(options.sound_place)},
                        {"existing", static_cast<std::int64_t>(options.existing)},
                        {"declared", options.user_declares},
                        {"reserved1", options.reserved_code1},
                        {"manifest_id", to_hex(options.manifest_id)},
                        {"instance_id", to_hex(options.instance_id)},
                        {"credentials", encode_trust(options.credentials)},
                        {"detached", options.detached},
                        {"detached_counts", options.detached_counts},
                        {"binding", static_cast<std::int64_t>(options.binding)}};
}

Result<label::ApplyOptions> decode_apply_options(const json::Value& value) {
    Fields fields(value);
    label::ApplyOptions options;
    if (const json::Value* record = fields.find("record")) {
        options.record = fields.take(decode_record(*record), "record");
    } else {
        fields.fail("record");
    }
    options.profile = fields.choice("profile", label::Profile::kAll);
    options.language = fields.choice("language", label::Language::kEn);
    options.marks = fields.take(label::parse_marks(fields.text("marks")), "marks");
    options.optional = fields.take(label::parse_marks(fields.text("optional")), "optional");
    options.watermark_key = fields.take(decode_key(fields.text("watermark_key")), "watermark_key");
    options.issuer.value = static_cast<std::uint16_t>(fields.number("issuer", UINT16_MAX));
    options.payload = fields.choice("payload", label::kPayloadForms.back());
    options.text = fields.text("text");
    options.image_place = fields.choice("image_place", label::ImagePlace::kRight);
    options.text_place = fields.choice("text_place", label::TextPlace::kCorner);
    options.sound_form = fields.choice("sound_form", label::SoundForm::kRhythm);
    options.sound_place = fields.choice("sound_place", label::SoundPlace::kBoth);
    options.existing = fields.choice("existing", label::ExistingPolicy::kRelabel);
    options.user_declares = fields.flag("declared");
    options.reserved_code1 = fields.text("reserved1");
    options.manifest_id = random_bytes(fields, "manifest_id");
    options.instance_id = random_bytes(fields, "instance_id");
    options.credentials = fields.take(decode_trust(fields.find("credentials")), "credentials");
    options.detached = fields.flag("detached");
    options.detached_counts = fields.flag("detached_counts");
    options.binding = fields.choice("binding", label::provenance::BindingWish::kBoxes);
    TRY(fields.finish("label request"));
    return options;
}

json::Value encode(const label::VerifyOptions& options) {
    json::Array trusted;
    for (const label::TrustedKey& key : options.trusted) {
        trusted.emplace_back(json::Object{{"name", key.name}, {"key", to_hex(key.public_key)}});
    }
    json::Array wordings(options.wordings.begin(), options.wordings.end());
    json::Array keys;
    for (const label::WatermarkKey& key : options.watermark_keys) {
        keys.push_back(encode_key(key));
    }
    json::Object object{{"marks", label::to_string(options.marks)},
                        {"expected", label::to_string(options.expected)},
                        {"watermark_keys", std::move(keys)},
                        {"effort", static_cast<std::int64_t>(options.effort)},
                        {"trusted", std::move(trusted)},
                        {"wordings", std::move(wordings)},
                        {"declared", options.user_declares},
                        {"credentials", encode_trust(options.credentials)},
                        {"manifest", options.manifest},
                        {"detached_counts", options.detached_counts}};
    if (options.fetched) {
        object.emplace_back("fetched_from", options.fetched->from);
        object.emplace_back("fetch_failure", options.fetched->failure);
    }
    return object;
}

Result<label::VerifyOptions> decode_verify_options(const json::Value& value) {
    Fields fields(value);
    label::VerifyOptions options;
    options.marks = fields.take(label::parse_marks(fields.text("marks")), "marks");
    options.expected = fields.take(label::parse_marks(fields.text("expected")), "expected");
    options.user_declares = fields.flag("declared");
    options.credentials = fields.take(decode_trust(fields.find("credentials")), "credentials");
    options.manifest = fields.flag("manifest");
    options.detached_counts = fields.flag("detached_counts");
    if (fields.find("fetched_from") != nullptr) {
        options.fetched = label::FetchedCredential{.from = fields.text("fetched_from"),
                                                   .failure = fields.text("fetch_failure")};
    }
    const json::Value* trusted = fields.find("trusted");
    const json::Value* wordings = fields.find("wordings");
    const json::Value* keys = fields.find("watermark_keys");
    for (const json::Value* list : {trusted, wordings, keys}) {
        if (list == nullptr || list->if_array() == nullptr) {
            return Error{ErrorCode::kCorrupt, "the verify request lacks its lists"};
        }
    }
    options.effort = fields.choice("effort", label::DetectEffort::kThorough);
    options.watermark_keys.clear();
    for (const json::Value& each : *keys->if_array()) {
        const std::string* hex = each.if_string();
        options.watermark_keys.push_back(TRY(decode_key(hex == nullptr ? "" : *hex)));
    }
    for (const json::Value& each : *trusted->if_array()) {
        Fields key(each);
        options.trusted.push_back(
            {.name = key.text("name"), .public_key = key.take(from_hex(key.text("key")), "key")});
        TRY(key.finish("trusted key"));
    }
    for (const json::Value& each : *wordings->if_array()) {
        if (each.if_string() == nullptr) {
            return Error{ErrorCode::kCorrupt, "a wording that is no text"};
        }
        options.wordings.push_back(*each.if_string());
    }
    TRY(fields.finish("verify request"));
    return options;
}

json::Value encode(const label::Verification& seen) {
    json::Object object{{"format", static_cast<std::int64_t>(seen.format)},
                        {"verdict", static_cast<std::int64_t>(seen.verdict)},
                        {"propagation", static_cast<std::int64_t>(seen.propagation)},
                        {"findings", encode_findings(seen.findings)}};
    if (seen.explicit_mark) {
        object.emplace_back("explicit", encode_explicit(*seen.explicit_mark));
    }
    if (seen.metadata) {
        object.emplace_back("metadata", encode_metadata(*seen.metadata));
    }
    if (seen.watermark) {
        object.emplace_back("watermark", encode_watermark(*seen.watermark));
    }
    if (seen.provenance) {
        object.emplace_back("provenance", encode_credential(*seen.provenance));
        object.emplace_back("manifest", seen.manifest);
    }
    return object;
}

Result<label::Verification> decode_verification(const json::Value& value) {
    Fields fields(value);
    label::Verification seen;
    seen.format = fields.choice("format", label::Format::kOdp);
    seen.verdict = fields.choice("verdict", label::Verdict::kUnreadable);
    seen.propagation = fields.choice("propagation", label::PropagationStatus::kSuspected);
    seen.findings = fields.take(decode_findings(fields.find("findings")), "findings");
    if (const json::Value* part = fields.find("explicit")) {
        seen.explicit_mark = fields.take(decode_explicit(*part), "explicit");
    }
    if (const json::Value* part = fields.find("metadata")) {
        seen.metadata = fields.take(decode_metadata(*part), "metadata");
    }
    if (const json::Value* part = fields.find("watermark")) {
        seen.watermark = fields.take(decode_watermark(*part), "watermark");
    }
    if (const json::Value* part = fields.find("provenance")) {
        seen.provenance = fields.take(decode_credential(*part), "provenance");
        seen.manifest = fields.text("manifest");
    }
    TRY(fields.finish("verification"));
    return seen;
}

json::Value encode_sizes(const std::vector<std::uint64_t>& sizes) {
    return json::Array(sizes.begin(), sizes.end());
}

Result<std::vector<std::uint64_t>> decode_sizes(const json::Value* value) {
    const json::Array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr || list->size() > label::provenance::kFragmentsMax) {
        return Error{ErrorCode::kCorrupt, "a list of sizes is wrong"};
    }
    std::vector<std::uint64_t> sizes;
    for (const json::Value& each : *list) {
        sizes.push_back(TRY(each.as_uint()));
    }
    return sizes;
}

json::Value encode(const LabelReport& report) {
    json::Object object{{"written", label::to_string(report.written)},
                        {"where", report.where},
                        {"credential", report.credential},
                        {"detached", to_base64(report.detached)},
                        {"fragments", encode_sizes(report.fragments)},
                        {"findings", encode_findings(report.findings)}};
    if (report.explicit_mark) {
        object.emplace_back("explicit", encode_explicit(*report.explicit_mark));
    }
    if (report.watermark) {
        object.emplace_back("watermark", encode_watermark(*report.watermark));
    }
    if (report.label) {
        object.emplace_back("label", encode_aigc(*report.label));
    }
    return object;
}

Result<LabelReport> decode_label_report(const json::Value& value) {
    Fields fields(value);
    LabelReport report;
    report.written = fields.take(label::parse_marks(fields.text("written")), "written");
    report.where = fields.text("where");
    report.credential = fields.text("credential");
    report.detached = fields.take(from_base64(fields.text("detached")), "detached");
    report.fragments = fields.take(decode_sizes(fields.find("fragments")), "fragments");
    report.findings = fields.take(decode_findings(fields.find("findings")), "findings");
    if (const json::Value* part = fields.find("explicit")) {
        report.explicit_mark = fields.take(decode_explicit(*part), "explicit");
    }
    if (const json::Value* part = fields.find("watermark")) {
        report.watermark = fields.take(decode_watermark(*part), "watermark");
    }
    if (const json::Value* part = fields.find("label")) {
        report.label = fields.take(decode_aigc(*part), "label");
    }
    TRY(fields.finish("label report"));
    return report;
}

json::Value encode(const Error& error) {
    return json::Object{{"code", static_cast<std::int64_t>(error.code)}, {"what", error.what}};
}

Error decode_error(const json::Value& value) {
    Fields fields(value);
    Error error{.code = fields.choice("code", ErrorCode::kUnavailable),
                .what = fields.text("what")};
    const auto complete = fields.finish("error");
    return complete.ok() ? error : complete.error();
}

}  // namespace colophon::worker
