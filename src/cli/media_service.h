// SPDX-License-Identifier: Apache-2.0
#pragma once

// The workers and the voice behind the gateway: as many locked processes as files are labelled at a
// time.

#include "cli/prompts.h"
#include "core/bytes.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "gateway/parts.h"
#include "label/apply.h"
#include "label/metadata/aigc.h"
#include "label/metadata/security_data.h"
#include "label/provenance/signer.h"
#include "label/provenance/validate.h"
#include "label/verify.h"
#include "label/watermark/key.h"
#include "worker/client.h"
#include "worker/spool.h"
#include "worker/veil.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {

class MediaService final : public gateway::Media {
public:
    struct Options {
        std::size_t workers = 2;
        std::chrono::seconds moving_call_max{3600};  // of what says how far it is
        std::string font;
        std::string recording;  // of the spoken label; empty: the synthesizer
        std::string key_id;
        std::vector<label::TrustedKey> trusted;
        label::WatermarkKey watermark_key = label::published_watermark_key();  // to be found too
        // Who signs Content Credentials; nullptr where no profile owes them.
        std::shared_ptr<label::provenance::ClaimSigner> signer;
        label::provenance::Trust credentials;  // its time is that of each call
        std::optional<worker::Spool> spool;    // where labelled files are; none: in memory
    };
    MediaService(Options options, std::optional<label::SigningKey> key);
    ~MediaService() override;
    MediaService(const MediaService&) = delete;
    MediaService& operator=(const MediaService&) = delete;
    MediaService(MediaService&&) = delete;
    MediaService& operator=(MediaService&&) = delete;

    Result<label::Format> probe(const worker::SpooledFile& file, std::string_view name) override;
    Result<Labelled> label(const worker::SpooledFile& file, std::string_view name,
                           label::ApplyOptions options, gateway::ExplicitLabel explicit_label,
                           const Progress& progress) override;
    Result<label::Verification> verify(const worker::SpooledFile& file, std::string_view name,
                                       label::VerifyOptions options) override;
    Result<std::string> sign(const label::AigcLabel& label) override;
    Result<std::vector<fingerprint::PdqHash>> picture_hashes(
        const worker::SpooledFile& file) override;
    Result<worker::FilePrints> video_prints(const worker::SpooledFile& file) override;
    Result<fingerprint::SoundPrint> sound_print(const worker::SpooledFile& file) override;
    Result<std::vector<worker::FileFrame>> video_frames(const worker::SpooledFile& file) override;
    Result<Buffer> speak(std::string_view text, const Voice& voice,
                         gateway::SoundFormat format) override;

    // What is shown of a picture or video at first. kUnsupported for what has no veil.
    Result<worker::Veil> veil(Bytes shown);

private:
    class Lease;
    // A worker and whom it tells how far it is.
    struct Place {
        std::unique_ptr<worker::Worker> worker;
        std::shared_ptr<Progress> progress;
    };
    label::provenance::Trust trust_now() const;
    // Waits for a free worker.
    Lease borrow();

    Options options_;
    std::optional<label::SigningKey> key_;
    Prompts prompts_;
    std::mutex mutex_;
    std::condition_variable some_free_;
    std::vector<Place> free_;  // guarded by mutex_
};

}  // namespace colophon::cli
