// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the gateway is told: models, upstreams, labels, quotas. A snapshot does not change; a reload
// makes another one, and calls that are going on end with theirs.

#include "core/ids.h"
#include "gateway/cost.h"
#include "gateway/course.h"
#include "gateway/template_upstream.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "label/record.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"
#include "review/review.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

// How an upstream is spoken to.
enum class Dialect : std::uint8_t {
    kOpenai,     // OpenAI's API, and whoever speaks it
    kAnthropic,  // messages
    kDashscope,  // tasks that make pictures and videos
    kTemplate,   // as a file describes it
    kBuiltin,    // the speech synthesizer of this machine
};

// Whether addresses of content that an upstream names may lie where it lies itself, in the own
// network; otherwise they are public.
enum class Fetch : std::uint8_t { kPublic, kOwn };

// NOLINTBEGIN(readability-redundant-member-init)
struct UpstreamSettings {
    std::string name;
    Dialect dialect = Dialect::kOpenai;
    http::Url url = {};  // with the base path: https://api.example.com/v1
    std::string key = {};
    http::UpstreamTimes times = {};
    std::size_t concurrency_max = 1000;
    Fetch fetch = Fetch::kPublic;
    // Of tasks: from submission to the pictures or the video.
    std::chrono::seconds task_time{300};
    // Whether it serves a request once whose Idempotency-Key it knows, so that a request of which
    // nobody knows what became may be sent again.
    bool keeps_keys = false;
    std::shared_ptr<const UpstreamTemplate> pattern = {};  // of kTemplate
};

struct Target {
    std::string upstream;
    std::string model;  // as that upstream calls it
    unsigned weight = 1;
    Price price = {};
};

enum class ModelKind : std::uint8_t { kText, kSpeech, kImage, kVideo };

// Where the words of the explicit label of a text stand [GB45438-5.1].
enum class TextLabelPlace : std::uint8_t {
    kText,       // in the first and last part of the answer
    kInterface,  // the application shows them beside the answer; it gets them in `aigc_notice`
};

struct ModelSettings {
    std::string name;
    ModelKind kind = ModelKind::kText;
    label::ServiceClass service = label::ServiceClass::kDialogue;
    TextLabelPlace text_label = TextLabelPlace::kText;
    std::vector<Target> targets = {};
    std::vector<std::string> tenants = {};  // hexadecimal ids; empty: all
    unsigned attempts = 2;                  // calls to upstreams for one call of ours
};

// What happens to parts of a chat that cannot be reviewed, where the library has something.
enum class UnseenParts : std::uint8_t { kRefuse, kPass, kHold };

// What happens to sounds within a chat, where the library has sounds: they are compared, and then
// go on, or before a person who hears them.
enum class ChatSounds : std::uint8_t { kCompare, kHold, kRefuse };

// Of which pictures the record keeps prints as they came or were made: of all, so that they can be
// judged by what enters the library later, or of those that are compared anyway.
enum class PicturePrints : std::uint8_t { kAlways, kCompared };

// 0 is no limit.
struct Quota {
    std::size_t concurrency = 0;
    std::size_t requests_a_minute = 0;
    std::size_t tokens_a_minute = 0;
};

// What holds for jobs of one kind.
struct JobSettings {
    std::chrono::hours kept{24};            // from its end
    std::size_t tenant_jobs_at_once = 100;  // on their way; 0: no limit
    std::size_t subject_jobs_at_once = 10;
    std::size_t jobs_at_once = 32;  // on this node
};

struct VideoSettings {
    std::size_t bytes_max = 256U << 20U;  // of a video of an upstream
    std::size_t labelled_at_once = 1;     // of a node's jobs: fetched, reviewed, labelled
    JobSettings jobs = {};
};

struct LabelSettings {
    label::LabelRecord record = {};  // producer, system; the rest is of each call
    label::Profile profile = label::Profile::kCn;
    label::Language language = label::Language::kZh;
    std::string text = {};  // wording of the explicit label; empty: the usual one
    label::WatermarkKey watermark_key = label::published_watermark_key();
    IssuerId issuer = {};  // of watermarks
    label::PayloadForm payload = label::PayloadForm::kStandard;
};

struct Settings {
    std::map<std::string, UpstreamSettings, std::less<>> upstreams = {};
    std::map<std::string, ModelSettings, std::less<>> models = {};
    std::vector<WebhookSettings> webhooks = {};  // as they stand in the configuration
    Courses courses = {};                        // which of them are asked about which calls
    LabelSettings label = {};
    std::string filing = {};    // number of the algorithm's filing
    std::string appeal = {};    // address of the page for complaints and appeals
    std::string currency = {};  // of all prices
    bool subject_required = true;
    UnseenParts unseen_parts = UnseenParts::kRefuse;
    ChatSounds chat_sounds = ChatSounds::kCompare;
    PicturePrints picture_prints = PicturePrints::kAlways;
    Quota tenant_quota = {};
    Quota subject_quota = {};
    VideoSettings video = {};
    JobSettings pictures = {};                      // that are made by jobs
    std::uint64_t body_bytes_max = 16ULL << 20U;    // of a JSON request
    std::uint64_t file_bytes_max = 256ULL << 20U;   // of a file to be labelled or verified
    std::size_t answer_bytes_max = 64U << 20U;      // of an upstream's answer
    std::chrono::hours idempotency_time{24};        // how long answers are kept for their keys
    std::size_t idempotency_bytes_max = 8U << 20U;  // of an answer that is kept
    std::shared_ptr<const review::Reviewer> reviewer = {};
    std::string policy = {};   // version of the policy of review (review/policies.h)
    std::string version = {};  // digest of the configuration: goes into records and metrics
};
// NOLINTEND(readability-redundant-member-init)

}  // namespace colophon::gateway
