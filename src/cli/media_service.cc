// SPDX-License-Identifier: Apache-2.0
#include "cli/media_service.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "gateway/parts.h"
#include "label/apply.h"
#include "label/existing.h"
#include "label/format.h"
#include "label/metadata/aigc.h"
#include "label/metadata/security_data.h"
#include "label/plan.h"
#include "label/provenance/signer.h"
#include "label/provenance/validate.h"
#include "label/verify.h"
#include "label/watermark/key.h"
#include "media/audio.h"
#include "media/speech.h"
#include "worker/client.h"
#include "worker/frames.h"
#include "worker/prints.h"
#include "worker/spool.h"
#include "worker/veil.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::uint32_t kVoiceRate = 24000;

struct SoundForm {
    gateway::SoundFormat format;
    media::AudioContainer container;
    media::AudioCodec codec;
    std::uint32_t bits;
    std::uint64_t bit_rate;
};
constexpr std::array kSoundForms{
    SoundForm{.format = gateway::SoundFormat::kWav,
              .container = media::AudioContainer::kWav,
              .codec = media::AudioCodec::kPcm,
              .bits = 16,
              .bit_rate = 0},
    SoundForm{.format = gateway::SoundFormat::kMp3,
              .container = media::AudioContainer::kMp3,
              .codec = media::AudioCodec::kMp3,
              .bits = 0,
              .bit_rate = 64'000},
    SoundForm{.format = gateway::SoundFormat::kFlac,
              .container = media::AudioContainer::kFlac,
              .codec = media::AudioCodec::kFlac,
              .bits = 16,
              .bit_rate = 0},
    SoundForm{.format = gateway::SoundFormat::kOpus,
              .container = media::AudioContainer::kOgg,
              .codec = media::AudioCodec::kOpus,
              .bits = 0,
              .bit_rate = 48'000},
    SoundForm{.format = gateway::SoundFormat::kM4a,
              .container = media::AudioContainer::kMp4,
              .codec = media::AudioCodec::kAac,
              .bits = 0,
              .bit_rate = 64'000},
};

// Mandarin when there is any Chinese character (their UTF-8 begins with E4 to E9).
std::string usual_voice(std::string_view text) {
    return text.find_first_of("\xE4\xE5\xE6\xE7\xE8\xE9") == std::string_view::npos ? "en" : "cmn";
}

}  // namespace

// One worker, given back at the end.
class MediaService::Lease {
public:
    Lease(MediaService& service, Place place) : service_(service), place_(std::move(place)) {}
    ~Lease() {
        *place_.progress = nullptr;
        {
            const std::lock_guard lock(service_.mutex_);
            service_.free_.push_back(std::move(place_));
        }
        service_.some_free_.notify_one();
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    worker::Worker& worker() noexcept { return *place_.worker; }
    // Of the calls of this lease.
    void tell(const Progress& progress) { *place_.progress = progress; }

private:
    MediaService& service_;
    Place place_;
};

MediaService::MediaService(Options options, std::optional<label::SigningKey> key)
    : options_(std::move(options)),
      key_(std::move(key)),
      prompts_(options_.recording.empty() ? std::vector<std::string>()
                                          : std::vector<std::string>{options_.recording}) {
    for (std::size_t i = 0; i < options_.workers; ++i) {
        worker::WorkerOptions worker;
        worker.font_path = options_.font;
        worker.moving_call_max = options_.moving_call_max;
        auto progress = std::make_shared<Progress>();
        worker.on_progress = [progress](double share) {
            if (*progress) {
                (*progress)(share);
            }
        };
        free_.push_back({.worker = std::make_unique<worker::Worker>(std::move(worker)),
                         .progress = std::move(progress)});
    }
}

MediaService::~MediaService() = default;

MediaService::Lease MediaService::borrow() {
    std::unique_lock lock(mutex_);
    some_free_.wait(lock, [this] { return !free_.empty(); });
    Place place = std::move(free_.back());
    free_.pop_back();
    return {*this, std::move(place)};
}

label::provenance::Trust MediaService::trust_now() const {
    label::provenance::Trust trust = options_.credentials;
    trust.now = SystemClock().now();
    return trust;
}

Result<std::string> MediaService::sign(const label::AigcLabel& label) {
    return key_ ? label::make_security_data(label, *key_, options_.key_id) : std::string();
}

namespace {

// Of what goes out, where it is of a kind that has prints. What cannot be printed is labelled all
// the same; a long video or sound would hold up its call.
worker::FilePrints prints_of(worker::Worker& worker, int file, label::Format format) {
    constexpr off_t kVideoBytesMax = off_t{16} << 20;
    constexpr off_t kSoundBytesMax = off_t{64} << 20;
    struct stat status{};
    const label::Kind kind = label::facts(format).kind;
    if (!worker::takes_prints(format) || ::fstat(file, &status) != 0 ||
        (kind == label::Kind::kVideo && status.st_size > kVideoBytesMax) ||
        (kind == label::Kind::kAudio && status.st_size > kSoundBytesMax)) {
        return {};
    }
    auto prints = worker.prints(file, format);
    return prints.ok() ? std::move(*prints) : worker::FilePrints();
}

}  // namespace

Result<std::vector<fingerprint::PdqHash>> MediaService::picture_hashes(
    const worker::SpooledFile& file) {
    Lease lease = borrow();
    const label::Format format = TRY(lease.worker().probe(file.descriptor(), ""));
    if (label::facts(format).kind != label::Kind::kImage || !worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version makes no hash of files of that kind"};
    }
    const worker::FilePrints prints = TRY(lease.worker().prints(file.descriptor(), format));
    if (!prints.picture) {
        return Error{ErrorCode::kCorrupt, "no picture can be read"};
    }
    const auto& hashes = prints.picture->hashes;
    return std::vector<fingerprint::PdqHash>(hashes.begin(), hashes.end());
}

Result<worker::FilePrints> MediaService::video_prints(const worker::SpooledFile& file) {
    Lease lease = borrow();
    const label::Format format = TRY(lease.worker().probe(file.descriptor(), ""));
    if (label::facts(format).kind != label::Kind::kVideo || !worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version makes no print of files of that kind"};
    }
    worker::FilePrints prints = TRY(lease.worker().prints(file.descriptor(), format));
    if (!prints.video) {
        return Error{ErrorCode::kCorrupt, "no picture can be read"};
    }
    return prints;
}

Result<fingerprint::SoundPrint> MediaService::sound_print(const worker::SpooledFile& file) {
    Lease lease = borrow();
    const label::Format format = TRY(lease.worker().probe(file.descriptor(), ""));
    if (label::facts(format).kind != label::Kind::kAudio || !worker::takes_prints(format)) {
        return Error{ErrorCode::kUnsupported, "this version makes no print of files of that kind"};
    }
    worker::FilePrints prints = TRY(lease.worker().prints(file.descriptor(), format));
    if (!prints.sound) {
        return Error{ErrorCode::kCorrupt, "no sound can be read"};
    }
    return std::move(*prints.sound);
}

Result<std::vector<worker::FileFrame>> MediaService::video_frames(const worker::SpooledFile& file) {
    const worker::SpooledFile out = TRY(worker::SpooledFile::of({}));
    Lease lease = borrow();
    const label::Format format = TRY(lease.worker().probe(file.descriptor(), ""));
    return lease.worker().frames(file.descriptor(), out.descriptor(), format);
}

Result<worker::Veil> MediaService::veil(Bytes shown) {
    const worker::SpooledFile file = TRY(worker::SpooledFile::of(shown));
    const worker::SpooledFile out = TRY(worker::SpooledFile::of({}));
    Lease lease = borrow();
    const label::Format format = TRY(lease.worker().probe(file.descriptor(), ""));
    return lease.worker().veil(file.descriptor(), out.descriptor(), format);
}

Result<label::Format> MediaService::probe(const worker::SpooledFile& file, std::string_view name) {
    Lease lease = borrow();
    return lease.worker().probe(file.descriptor(), name);
}

Result<gateway::Media::Labelled> MediaService::label(const worker::SpooledFile& file,
                                                     std::string_view name,
                                                     label::ApplyOptions options,
                                                     gateway::ExplicitLabel explicit_label,
                                                     const Progress& progress) {
    worker::SpooledFile out =
        TRY(options_.spool ? options_.spool->file(file.size()) : worker::SpooledFile::of({}));
    Lease lease = borrow();
    lease.tell(progress);
    Labelled labelled{.file = std::move(out), .format = {}, .report = {}, .prints = {}};
    labelled.format = TRY(lease.worker().probe(file.descriptor(), name));
    label::LabelPlan plan = label::plan(options.record.service, options.profile, labelled.format);
    if (explicit_label == gateway::ExplicitLabel::kLeftOut) {
        plan.owed.remove(label::Mark::kExplicit);
        // [AILM-9] The implicit label is never left out.
        if (!plan.owed.has(label::Mark::kMetadata)) {
            return Error{ErrorCode::kUnsupported,
                         "a file of this format has no place for the implicit label"};
        }
    }
    // [DSP-17] A file that owes words and cannot bear them does not go out.
    if (explicit_label != gateway::ExplicitLabel::kLeftOut &&
        plan.out_of_reach.has(label::Mark::kExplicit)) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("this version draws no explicit label in {}",
                                 label::facts(labelled.format).name)};
    }
    options.marks = plan.owed;
    options.optional = plan.tried;
    if (plan.tried.has(label::Mark::kWatermark)) {
        options.marks.add(label::Mark::kWatermark);
    }
    if (options.marks.has(label::Mark::kMetadata)) {
        options.reserved_code1 = TRY(sign(label::own_label(options.record, "")));
    }
    label::provenance::ClaimSigner* signer = nullptr;
    if (options.marks.has(label::Mark::kProvenance)) {
        SystemRandom random;
        TRY(random.fill(options.manifest_id));
        TRY(random.fill(options.instance_id));
        options.credentials = trust_now();
        signer = options_.signer.get();
    }
    TRY(prompts_.prepare_label(lease.worker(), options, labelled.format));
    labelled.report =
        TRY(lease.worker().label({.input = file.descriptor(), .output = labelled.file.descriptor()},
                                 labelled.format, options, signer));
    label::MarkSet written = labelled.report.written;
    if (plan.tried.has(label::Mark::kWatermark)) {
        written.remove(label::Mark::kWatermark);  // only where the picture can hold it
    }
    if (written != plan.owed) {
        return Error{ErrorCode::kUnsupported, fmt::format("the file bears {} and owes {}",
                                                          label::to_string(labelled.report.written),
                                                          label::to_string(plan.owed))};
    }
    labelled.prints = prints_of(lease.worker(), labelled.file.descriptor(), labelled.format);
    TRY(labelled.file.settle());
    return labelled;
}

Result<label::Verification> MediaService::verify(const worker::SpooledFile& file,
                                                 std::string_view name,
                                                 label::VerifyOptions options) {
    Lease lease = borrow();
    const label::Format format = TRY(lease.worker().probe(file.descriptor(), name));
    options.trusted = options_.trusted;
    options.credentials = trust_now();
    if (options_.watermark_key != label::published_watermark_key()) {
        options.watermark_keys.push_back(options_.watermark_key);
    }
    TRY(prompts_.prepare_verify(lease.worker(), format));
    return lease.worker().verify(file.descriptor(), format, options);
}

Result<Buffer> MediaService::speak(std::string_view text, const Voice& voice,
                                   gateway::SoundFormat format) {
    constexpr double kUsualSpeed = 175;
    media::ReadingOptions reading;
    reading.voice = voice.name.empty() ? usual_voice(text) : voice.name;
    reading.words_per_minute = kUsualSpeed * voice.speed;
    const media::Pcm spoken = TRY(media::read_aloud(text, reading));
    const media::Pcm pcm = TRY(media::resample(spoken, kVoiceRate));
    const auto* form = std::ranges::find(kSoundForms, format, &SoundForm::format);
    media::AudioFacts like;
    like.codec = form->codec;
    like.codec_name = form->codec == media::AudioCodec::kPcm ? "pcm_s16le" : "";
    like.bits = form->bits;
    like.bit_rate = form->bit_rate;
    return media::write_sound(pcm, form->container, like);
}

}  // namespace colophon::cli
