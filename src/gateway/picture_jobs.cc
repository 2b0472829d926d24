// SPDX-License-Identifier: Apache-2.0
#include "gateway/picture_jobs.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/dashscope.h"
#include "gateway/gateway.h"
#include "gateway/image_upstreams.h"
#include "gateway/job_work.h"
#include "gateway/pictures.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/text_stream.h"
#include "gateway/video_upstreams.h"
#include "http/loop.h"
#include "http/upstream.h"
#include "label/record.h"
#include "ledger/media_jobs.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

const PictureAsk& ask_of(const JobWork& work) {
    return std::get<PictureAsk>(work.order.ask);
}

class PictureMaker final : public JobMaker {
public:
    explicit PictureMaker(Gateway& gateway) : gateway_(gateway) {}

    ledger::JobKind kind() const noexcept override { return ledger::JobKind::kPictures; }
    const char* operation() const noexcept override { return "images.make"; }
    const JobSettings& limits(const Settings& settings) const noexcept override {
        return settings.pictures;
    }
    Result<http::UpstreamRequest> request(const JobWork& work, const std::string& key,
                                          const UpstreamSettings& upstream,
                                          const Target& target) const override {
        return picture_request(ask_of(work), key, upstream, target);
    }
    bool makes_at_once(const JobWork& work, const UpstreamSettings& upstream,
                       const Target& target) const override {
        return upstream.dialect != Dialect::kDashscope ||
               (ask_of(work).edit && dashscope_edits_at_once(target));
    }
    Result<json::Value> made_at_once(const UpstreamSettings& upstream,
                                     std::string_view answer) const override {
        return pictures_in(upstream, answer);
    }
    Result<std::string> task(const UpstreamSettings& /*upstream*/,
                             std::string_view answer) const override {
        return dashscope_task(answer);
    }
    http::UpstreamRequest question(const UpstreamSettings& upstream, const Target& target,
                                   std::string_view task) const override {
        return video_question(upstream, target, task);
    }
    Result<JobStatus> status(const UpstreamSettings& /*upstream*/,
                             std::string_view answer) const override {
        JobStatus to;
        to.made = TRY(dashscope_pictures(answer));
        to.done = !to.made.is_null();
        if (!to.done) {
            to.progress = dashscope_progress(answer);
        }
        return to;
    }
    std::optional<http::UpstreamRequest> cancel(const UpstreamSettings& upstream,
                                                const Target& target,
                                                std::string_view task) const override {
        return video_cancel(upstream, target, task);
    }
    std::size_t answer_bytes_max(const UpstreamSettings& /*upstream*/,
                                 const Settings& settings) const noexcept override {
        return settings.answer_bytes_max;
    }
    Task<std::optional<Refusal>> finish(JobWork& work, const json::Value& made) override;
    const Words& words() const noexcept override {
        static constexpr Words kWords{
            .gone = "the job was deleted before its pictures were made",
            .unknown =
                "the server that asked for these pictures stopped before it had the "
                "upstream's answer, so they are not asked for again",
            .given_up = "these pictures were tried too often and are given up",
            .no_upstream = "the upstream of these pictures is configured no more",
            .not_kept = "the pictures cannot be kept now"};
        return kWords;
    }

private:
    Gateway& gateway_;
};

// [DSP-10] [DSP-16] The line of a direct call, from the upstream's answer on; then it is kept for
// whoever comes back.
Task<std::optional<Refusal>> PictureMaker::finish(JobWork& work, const json::Value& made) {
    Call& call = work.call;
    call.origin = ask_of(work).edit ? label::Origin::kEdited : label::Origin::kGenerated;
    const Usage usage = usage_of(made);
    call.facts().input_tokens = usage.input;
    call.facts().output_tokens = usage.output;
    auto refusal = co_await check_unlabelled(gateway_, work);
    if (refusal) {
        co_return refusal;
    }
    json::Value answer = made;
    PictureTerms terms;
    terms.form = form_of(ask_of(work));
    terms.told = [&work](std::size_t done, std::size_t all) {
        work.advance(kJobFetched + static_cast<int>(done * (99 - kJobFetched) / all));
    };
    const std::size_t before = call.record.content_digests.size();
    refusal = co_await finish_pictures(gateway_, call, *work.upstream, answer, std::move(terms));
    if (refusal) {
        co_return refusal;
    }
    work.task_ended = true;
    const auto& digests = call.record.content_digests;
    work.outcome.media_type = "application/json";
    work.outcome.digests.assign(digests.begin() + static_cast<std::ptrdiff_t>(before),
                                digests.end());
    const std::string text = json::write(answer);
    auto content = ledger::MediaJobs::Content::of(as_bytes(text));
    co_return co_await keep_content(gateway_, work, *this, std::move(content));
}

}  // namespace

std::unique_ptr<JobMaker> make_picture_maker(Gateway& gateway, http::Loop& /*loop*/) {
    return std::make_unique<PictureMaker>(gateway);
}

}  // namespace colophon::gateway
