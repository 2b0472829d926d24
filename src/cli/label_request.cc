// SPDX-License-Identifier: Apache-2.0
#include "cli/label_request.h"

#include "cli/config.h"
#include "cli/credentials.h"
#include "cli/keys.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/existing.h"
#include "label/explicit/audio.h"
#include "label/explicit/image.h"
#include "label/explicit/text.h"
#include "label/explicit/wording.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/metadata/container.h"
#include "label/metadata/provider_code.h"
#include "label/metadata/security_data.h"
#include "label/metadata/xmp.h"
#include "label/plan.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/record.h"
#include "label/watermark/payload.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace colophon::cli {
namespace {

constexpr std::array<const char*, 3> kFonts{
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
};

Error unknown(std::string_view option, std::string_view value, std::string_view known) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is no {}; known are {}", value, option, known)};
}

// A value that an option may not have is wrong usage, whatever the rule that it breaks is called
// where it is checked.
Result<void> as_usage(Result<void> checked) {
    if (!checked.ok()) {
        return Error{ErrorCode::kInvalidArgument, checked.error().what};
    }
    return checked;
}

Result<void> set_system(const std::string& system, label::LabelRecord& record) {
    const std::size_t slash = system.find('/');
    record.system_name = system.substr(0, slash);
    record.system_version = slash == std::string::npos ? std::string() : system.substr(slash + 1);
    if (record.system_name.empty() && !system.empty()) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("\"{}\" names no system; --system is NAME or NAME/VERSION", system)};
    }
    label::MetadataFields fields{.aigc = "{}", .iptc = {}};
    fields.iptc.ai_system_used = record.system_name;
    fields.iptc.ai_system_version_used = record.system_version;
    return as_usage(label::check_xmp_fields(fields));
}

Result<void> set_record(const LabelArguments& arguments, label::LabelRecord& record) {
    const LabelConfig& values = arguments.values;
    record.producer_code = values.producer;
    record.producer_name = values.producer_name;
    record.propagator_code = values.propagator;
    if (arguments.propagate && record.producer_code.empty() && record.producer_name.empty()) {
        // Who only passes content on is nobody's producer; the fields of the producer stay as they
        // are, so that any name of ours will do.
        record.producer_code = record.propagator_code;
    }
    if (record.producer_code.empty() && record.producer_name.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "who produces this content? give --producer CODE (27 characters, with your "
                     "unified social credit code inside), or put  producer = \"CODE\"  under "
                     "[label] in colophon.toml"};
    }
    TRY(set_system(values.system, record));
    if (!values.origin.empty()) {
        const auto origin = label::parse_origin(values.origin);
        if (!origin) {
            return unknown("origin", values.origin, "generated, edited and suspected");
        }
        record.origin = *origin;
    }
    if (!arguments.content_id.empty()) {
        const auto id = parse_content_id(arguments.content_id);
        if (id.ok()) {
            record.content_id = *id;
        } else {
            record.own_id = arguments.content_id;
        }
    }
    return {};
}

Result<void> set_policies(const LabelArguments& arguments, label::ApplyOptions& options) {
    const LabelConfig& values = arguments.values;
    if (!values.profile.empty()) {
        const auto profile = label::parse_profile(values.profile);
        if (!profile) {
            return unknown("profile", values.profile, "cn, eu, us-ca and all");
        }
        options.profile = *profile;
    }
    const bool foreign =
        options.profile == label::Profile::kEu || options.profile == label::Profile::kUsCa;
    options.language = foreign ? label::Language::kEn : label::Language::kZh;
    if (!values.language.empty()) {
        const auto language = label::parse_language(values.language);
        if (!language) {
            return unknown("language", values.language, "zh and en");
        }
        options.language = *language;
    }
    if (values.sound == "rhythm") {
        options.sound_form = label::SoundForm::kRhythm;
    } else if (!values.sound.empty() && values.sound != "spoken") {
        return unknown("form of a sound label", values.sound, "spoken and rhythm");
    }
    if (arguments.propagate && arguments.relabel) {
        return Error{ErrorCode::kInvalidArgument,
                     "--propagate keeps the producer, --relabel replaces it: choose one"};
    }
    if (arguments.propagate) {
        options.existing = label::ExistingPolicy::kPropagate;
    } else if (arguments.relabel) {
        options.existing = label::ExistingPolicy::kRelabel;
    }
    if (arguments.binding == "boxes") {
        options.binding = label::provenance::BindingWish::kBoxes;
    } else if (!arguments.binding.empty() && arguments.binding != "bytes") {
        return unknown("binding", arguments.binding, "bytes and boxes");
    }
    options.user_declares = arguments.declared;
    options.text = values.text;
    return {};
}

Result<void> set_place(std::string_view position, label::Kind kind, label::ApplyOptions& options) {
    if (position.empty()) {
        return {};
    }
    if (kind == label::Kind::kImage || kind == label::Kind::kVideo) {
        const auto place = label::parse_image_place(position);
        if (!place) {
            return unknown("place in a picture", position,
                           "bottom-right, bottom-left, top-right, top-left, bottom, top, left and "
                           "right");
        }
        options.image_place = *place;
        return {};
    }
    const bool corner = position == "corner" && kind == label::Kind::kText;
    if (position != "start" && position != "end" && position != "both" && !corner) {
        return unknown(
            kind == label::Kind::kText ? "place in a text" : "place in a sound", position,
            kind == label::Kind::kText ? "start, end, both and corner" : "start, end and both");
    }
    options.text_place = corner                ? label::TextPlace::kCorner
                         : position == "start" ? label::TextPlace::kStart
                         : position == "end"   ? label::TextPlace::kEnd
                                               : label::TextPlace::kBoth;
    options.sound_place = position == "start" ? label::SoundPlace::kStart
                          : position == "end" ? label::SoundPlace::kEnd
                                              : label::SoundPlace::kBoth;
    return {};
}

// The long payload names the provider by the code that others can look up.
Result<void> check_provider(const label::LabelRecord& record) {
    if (record.producer_code.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "--payload long writes who made the content as a unified social credit code; "
                     "give --producer CODE (27 characters, with that code inside)"};
    }
    const auto code = TRY(label::parse_provider_code(record.producer_code));
    TRY(label::MarkProvider::create(code.credit_code));
    return {};
}

Result<void> set_watermark(const LabelConfig& values, label::ApplyOptions& options) {
    if (!values.key.empty()) {
        options.watermark_key = TRY(open_watermark_key(values.key));
    }
    const std::string& issuer = values.issuer;
    const char* const end = issuer.data() + issuer.size();
    if (!issuer.empty()) {
        const auto [stop, error] = std::from_chars(issuer.data(), end, options.issuer.value);
        if (error != std::errc() || stop != end) {
            return unknown("issuer", issuer, "the numbers from 0 to 65535");
        }
    }
    if (values.payload == "long") {
        options.payload = label::PayloadForm::kLong;
        return check_provider(options.record);
    }
    if (!values.payload.empty() && values.payload != "standard") {
        return unknown("payload of a watermark", values.payload, "standard and long");
    }
    return {};
}

// What of words and place can be refused without knowing the file: some kind of file must take
// them.
Result<void> check_explicit(const LabelConfig& values, const label::ApplyOptions& options) {
    if (!values.text.empty()) {
        TRY(label::check_wording(values.text, options.profile,
                                 values.position == "corner" ? label::WordingForm::kCornerMark
                                                             : label::WordingForm::kFull));
    }
    label::ApplyOptions scratch;
    constexpr std::array kKinds{label::Kind::kImage, label::Kind::kText, label::Kind::kAudio};
    if (std::ranges::none_of(kKinds, [&](label::Kind kind) {
            return set_place(values.position, kind, scratch).ok();
        })) {
        return unknown("position", values.position,
                       "for pictures bottom-right, bottom-left, top-right, top-left, bottom, top, "
                       "left and right, for sounds start, end and both, for texts those and "
                       "corner");
    }
    return {};
}

}  // namespace

Result<std::string> find_font(const std::string& wanted) {
    if (!wanted.empty()) {
        if (access(wanted.c_str(), R_OK) != 0) {
            return Error{ErrorCode::kNotFound, "cannot read the font " + wanted};
        }
        return wanted;
    }
    for (const char* path : kFonts) {
        if (access(path, R_OK) == 0) {
            return std::string(path);
        }
    }
    return Error{ErrorCode::kNotFound,
                 "no font with Chinese characters was found: install the package "
                 "fonts-wqy-microhei, or give --font FILE"};
}

bool LabelRequest::may_sign_credentials() const noexcept {
    return detached_ ||
           (marks_ ? marks_->has(label::Mark::kProvenance) : base_.profile != label::Profile::kCn);
}

Result<LabelRequest> LabelRequest::create(const LabelArguments& arguments,
                                          const VerifyConfig& trust, Clock& clock) {
    LabelRequest request;
    const LabelConfig& values = arguments.values;
    TRY(set_record(arguments, request.base_.record));
    TRY(set_policies(arguments, request.base_));
    TRY(set_watermark(values, request.base_));
    if (!values.marks.empty()) {
        request.marks_ = TRY(label::parse_marks(values.marks));
    } else if (arguments.propagate) {
        // A platform passes on what it was given; it adds itself, and does not draw on the content.
        request.marks_ = label::MarkSet().add(label::Mark::kMetadata);
    }
    if (arguments.detached && arguments.embedded) {
        return Error{ErrorCode::kInvalidArgument,
                     "--detached puts Content Credentials beside the file, --embedded into it: "
                     "choose one"};
    }
    request.base_.detached_counts = arguments.credential_counts;
    request.detached_ = arguments.detached;
    request.embedded_ = arguments.embedded;
    request.takes_files_beside_ = arguments.takes_files_beside;
    if (arguments.detached && !arguments.takes_files_beside) {
        return Error{ErrorCode::kInvalidArgument,
                     "--detached writes a second file beside the first; standard output is none"};
    }
    if (!values.service.empty()) {
        request.service_ = label::parse_service(values.service);
        if (!request.service_) {
            return unknown("service", values.service,
                           "dialogue, voice, face, scene, content and other");
        }
    }
    TRY(check_explicit(values, request.base_));
    request.position_ = values.position;
    request.recording_ = values.recording;
    if (request.needs_font()) {
        request.font_ = TRY(find_font(values.font));
    }
    TRY(request.check_label());  // before a key is made for it
    const bool signs =
        !arguments.propagate && (!request.marks_ || request.marks_->has(label::Mark::kMetadata));
    auto key =
        signs ? TRY(open_signing_key(values.metadata_key)) : std::optional<label::SigningKey>();
    if (key) {
        request.key_ = std::make_shared<const label::SigningKey>(std::move(*key));
    }
    request.key_id_ = values.metadata_key_id;
    TRY(request.check_label());
    if (request.may_sign_credentials()) {
        request.signer_ = TRY(open_claim_signer(values, clock));
        request.base_.credentials =
            TRY(open_credential_trust(trust.trust_list, trust.tsa_list, clock));
    }
    return request;
}

// Tries the label of a file with any content id: what is wrong in it is wrong in every file.
Result<void> LabelRequest::check_label() const {
    label::LabelRecord record = base_.record;
    if (record.produce_id().empty()) {
        record.content_id = ContentId{};
    }
    label::AigcLabel label = label::own_label(record, "");
    TRY(as_usage(label::check_aigc(label)));
    if (key_) {
        label.reserved_code1 = TRY(label::make_security_data(label, *key_, key_id_));
        TRY(as_usage(label::check_aigc(label)));
    }
    return {};
}

label::LabelPlan LabelRequest::plan_for(label::Format format) const {
    const label::ServiceClass service =
        service_.value_or(label::default_service(label::facts(format).kind));
    label::LabelPlan plan = label::plan(service, base_.profile, format);
    if (marks_) {
        plan.owed = *marks_;
        plan.tried = {};
    }
    const bool possible =
        takes_files_beside_ || (embedded_ && label::provenance::find_carrier(format) != nullptr);
    const bool owed = plan.out_of_reach.has(label::Mark::kProvenance) && !marks_;
    if (detached_ || (possible && owed)) {
        plan.owed.add(label::Mark::kProvenance);
        plan.out_of_reach.remove(label::Mark::kProvenance);
    }
    return plan;
}

Result<label::ApplyOptions> LabelRequest::options_for(label::Format format, Clock& clock,
                                                      Random& random) const {
    label::ApplyOptions options = base_;
    const label::Kind kind = label::facts(format).kind;
    const label::LabelPlan plan = plan_for(format);
    options.marks = plan.owed;
    options.optional = plan.tried;
    if (plan.tried.has(label::Mark::kWatermark)) {
        options.marks.add(label::Mark::kWatermark);
    }
    options.record.service = service_.value_or(label::default_service(kind));
    options.record.created_at = clock.now();
    if (options.record.own_id.empty() && !options.record.content_id) {
        options.record.content_id = ContentId{TRY(random.next()) & ContentId::kMax};
    }
    if (options.marks.has(label::Mark::kExplicit)) {
        TRY(set_place(position_, kind, options));
    }
    const bool as_producer = options.existing != label::ExistingPolicy::kPropagate;
    if (key_ && as_producer && options.marks.has(label::Mark::kMetadata)) {
        const label::AigcLabel label = label::own_label(options.record, "");
        options.reserved_code1 = TRY(label::make_security_data(label, *key_, key_id_));
    }
    if (options.marks.has(label::Mark::kProvenance)) {
        const bool carries = embedded_ ? label::provenance::find_carrier(format) != nullptr
                                       : label::provenance::find_usual_carrier(format) != nullptr;
        options.detached = detached_ || (!carries && takes_files_beside_);
        TRY(random.fill(options.manifest_id));
        TRY(random.fill(options.instance_id));
    }
    return options;
}

}  // namespace colophon::cli
