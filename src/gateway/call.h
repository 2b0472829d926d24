// SPDX-License-Identifier: Apache-2.0
#pragma once

// One call on its way, and the stages of that way:
//
//   authenticate -> admit -> review input -> call -> review output -> label -> record -> answer
//
// A stage is one function. It returns a Refusal when the call ends there; whatever happens, the
// call ends in exactly one service record (Recorder), committed before the answer's end.

#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/parts.h"
#include "gateway/recording.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "http/exchange.h"
#include "http/loop.h"
#include "http/router.h"
#include "identity/tenants.h"
#include "label/metadata/aigc.h"
#include "label/record.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "review/review.h"
#include "review/scope.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {

class KeepingExchange;

using SteadyTime = std::chrono::steady_clock::time_point;

// What went through and was flagged.
struct Flagged {
    review::Stage stage = review::Stage::kInput;
    review::Verdict verdict;
    // What was judged, where it is not what the record has of that stage.
    std::string text;
    Buffer file;
    std::string media_type;
};

struct Unsettled {
    review::Verdict verdict;
    std::string text;  // what was judged
};

struct Call {
    Call(http::Exchange& of, std::shared_ptr<const Settings> under)
        : exchange(of), settings(std::move(under)) {}

    http::Exchange& exchange;
    http::PathValues path;                     // what stands in the place of the pattern's {names}
    KeepingExchange* keeping = nullptr;        // the same, where the call has an idempotency key
    std::shared_ptr<const Settings> settings;  // of this call, whatever is reloaded meanwhile
    identity::Caller caller;
    ErrorContext errors;
    ledger::ServiceRecord record;
    std::vector<ledger::Print> prints;  // of what goes out
    bool has_text_print = false;
    bool has_chat_pictures = false;  // the request, in its messages
    bool filled = false;             // the record, by fill_record()
    bool recorded = false;
    bool in_tenant_quota = false;
    bool in_subject_quota = false;
    bool unlabelled = false;  // without its explicit label, by agreement (gateway/unlabelled.h)
    const ModelSettings* model = nullptr;  // points into settings
    const Target* target = nullptr;        // that answered; the same
    std::int64_t characters = 0;           // spoken
    std::int64_t pictures = 0;             // made
    std::int64_t videos = 0;               // the same
    std::int64_t video_seconds = 0;        // of those
    // Where there is no model: of content made elsewhere.
    label::ServiceClass service = label::ServiceClass::kContent;
    label::Origin origin = label::Origin::kGenerated;
    std::string aigc;   // the label as JSON, when there is one
    std::string trace;  // W3C trace id
    SteadyTime began = std::chrono::steady_clock::now();
    // So much of the time since then others took: the upstream, and the client who reads.
    std::chrono::steady_clock::duration waited{};
    std::int64_t cost = 0;  // in millionths of the currency, once the call is recorded
    json::Object detail;    // more for the record, without personal data
    // Entries of the feature library that matched, once for each text or picture.
    std::vector<std::string> matched;
    std::vector<Flagged> flagged;
    json::Object scores;  // the highest of a classifier, by stage
    // Of the request: what was held, and what was refused, while other steps were still to be asked
    // (settle_input()).
    std::vector<Unsettled> unsettled;
    std::optional<Refusal> unsettled_refusal;

    http::Loop& loop() const noexcept { return exchange.loop(); }
    ledger::Facts& facts() noexcept { return record.facts; }
};

// What a request is about, as its dialect says it.
struct Ask {
    std::string model;
    std::string account;  // the end user, as the tenant names it
    std::string text;     // everything that is to be reviewed
};

class Quotas;
class SharedQuotas;
class IdReserve;

// Everything that stages need besides the call.
struct Stages {
    const Parts& parts;
    Quotas& quotas;
    SharedQuotas* shared_quotas;  // instead of `quotas`, where nodes share them
    IdReserve& ids;
    Recording& recording;
};

// Where the call comes from, for the record.
void note_source(Call& call);
// [DSP-9] The end user alone, as the tenant names it: who is not registered, verified or has ended
// is refused.
Task<std::optional<Refusal>> admit_identity(const Stages& stages, Call& call,
                                            const std::string& account);
// [DSP-9] Who may ask: model, real-name status of the subject, quotas.
Task<std::optional<Refusal>> admit(const Stages& stages, Call& call, const Ask& ask);
// [DSP-10] What goes in. What is held goes before people, unless they have let this very text go.
Task<std::optional<Refusal>> review_input(const Stages& stages, Call& call, std::string_view text);
// The same while checks of others follow, which are asked after what the policy does not stop at:
// settle_input() is owed.
Task<std::optional<Refusal>> review_input_first(const Stages& stages, Call& call,
                                                std::string_view text);
// When all steps were asked: what was refused, or waits for a person, or nothing. `refusal` is what
// ended the last step, if anything did.
Task<std::optional<Refusal>> settle_input(const Stages& stages, Call& call,
                                          std::optional<Refusal> refusal);
// The rules for what comes out of this call, or goes in.
std::shared_ptr<const review::Reviewer> reviewer_of(const Call& call, review::Stage stage);
// Keeps the verdict; a refusal when it blocks.
std::optional<Refusal> note_verdict(Call& call, review::Stage stage,
                                    const review::Verdict& verdict);
// [DSP-16] A number for one piece of content, and the implicit label that bears it.
struct NumberedLabel {
    ContentId id;
    std::string aigc;  // as JSON
};
Task<Result<NumberedLabel>> new_label(const Stages& stages, Call& call);
// Gives the call its number and its implicit label.
Task<std::optional<Refusal>> make_label(const Stages& stages, Call& call);
label::LabelRecord label_record(const Call& call);

// Fills what is left of the record, and moves out of it what is too large.
Task<Result<void>> fill_record(const Stages& stages, Call& call);
// Fills what is left of the record and appends it. Returns when it is durable.
Task<Result<void>> append_record(const Stages& stages, Call& call);

// The fields that every answer of the gateway carries.
http::Headers answer_headers(const Call& call, std::string_view content_type);
json::Value aigc_value(std::string_view aigc);
std::int64_t milliseconds_since(SteadyTime began);

}  // namespace colophon::gateway
