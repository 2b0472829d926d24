// SPDX-License-Identifier: Apache-2.0
#include "gateway/held.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "core/utf8.h"
#include "fingerprint/video.h"
#include "gateway/call.h"
#include "gateway/media_label.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "label/format.h"
#include "ledger/record.h"
#include "review/entry.h"
#include "review/queue.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/spans.h"
#include "worker/prints.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

// So much of what was asked stands beside an answer.
constexpr std::size_t kContextBytesMax = 64U << 10U;

// The last verdict of that stage that held something says what stands against it.
review::HeldCall held_call(const Call& call, review::Stage stage) {
    review::HeldCall held;
    const ledger::Facts& facts = call.record.facts;
    held.tenant = facts.tenant;
    held.subject = facts.subject;
    held.record = facts.id;
    held.stage = stage;
    held.operation = facts.operation;
    held.model = facts.model;
    const auto& verdicts = facts.verdicts;
    const auto last = std::find_if(verdicts.rbegin(), verdicts.rend(), [](const auto& each) {
        return each.decision == review::decision_name(review::Decision::kHold);
    });
    if (last != verdicts.rend()) {
        held.category = last->category;
        held.rule = last->rule;
    }
    held.entries = call.matched;
    std::ranges::sort(held.entries);
    const auto twice = std::ranges::unique(held.entries);
    held.entries.erase(twice.begin(), twice.end());
    return held;
}

// By what near copies of a picture, sound or video are found; none where none can be made.
Task<review::EvidencePrints> prints_of(const Stages& stages, Call& call, Bytes file,
                                       std::string_view media_type) {
    const bool picture = media_type.starts_with("image/");
    const bool video = media_type.starts_with("video/");
    if (file.empty() || (!picture && !video && !media_type.starts_with("audio/"))) {
        co_return review::EvidencePrints();
    }
    const auto look = [&]() -> Result<review::EvidencePrints> {
        review::EvidencePrints prints;
        if (picture) {
            prints.picture = TRY(stages.parts.media.picture_hashes(file));
        } else if (video) {
            worker::FilePrints all = TRY(stages.parts.media.video_prints(file));
            prints.video = all.video ? std::move(*all.video) : fingerprint::VideoPrint();
        } else {
            prints.sound = TRY(stages.parts.media.sound_print(file));
        }
        return prints;
    };
    auto prints = co_await stages.parts.workers.run(call.loop(), look);
    co_return prints.ok() ? std::move(*prints) : review::EvidencePrints();
}

review::Evidence evidence_of(const Call& call, Holding holding) {
    review::Evidence evidence;
    evidence.spans = review::spans_of(*reviewer_of(call, holding.stage), holding.text);
    evidence.text = std::move(holding.text);
    evidence.file = std::move(holding.file);
    evidence.media_type = std::move(holding.media_type);
    evidence.answer = std::move(holding.answer);
    if (evidence.answer) {
        evidence.context = utf8_prefix(call.record.personal.input, kContextBytesMax);
    }
    return evidence;
}

// Nothing when one of them is none, or there are too many.
std::optional<std::vector<review::ItemId>> named_tickets(std::string_view header) {
    std::vector<review::ItemId> tickets;
    while (!header.empty()) {
        const std::size_t comma = std::min(header.find(','), header.size());
        std::string_view name = header.substr(0, comma);
        header.remove_prefix(std::min(comma + 1, header.size()));
        while (name.starts_with(' ')) {
            name.remove_prefix(1);
        }
        while (name.ends_with(' ')) {
            name.remove_suffix(1);
        }
        const auto id = parse_random_id<review::ItemId>(name);
        if (!id.ok() || tickets.size() == kTicketsMax) {
            return std::nullopt;
        }
        tickets.push_back(*id);
    }
    return tickets;
}

}  // namespace

void hand_over_label(Call& call, review::WaitingAnswer& answer) {
    answer.content_id = std::exchange(call.facts().content_id, std::nullopt);
    answer.label = std::exchange(call.facts().label, {});
}

Task<void> hold(const Stages& stages, Call& call, Holding holding, Refusal& refusal) {
    // It would be given out when the agreement may be over [AILM-9].
    if (call.unlabelled && holding.answer) {
        call.detail.emplace_back("ticket", "none: without explicit label");
        co_return;
    }
    const review::HeldCall held = held_call(call, holding.stage);
    review::Evidence evidence = evidence_of(call, std::move(holding));
    evidence.prints =
        co_await prints_of(stages, call, review::shown_file(evidence), evidence.media_type);
    const auto put = [&] { return stages.parts.queue.add(held, evidence); };
    const auto id = co_await stages.parts.blocking.run(call.loop(), put);
    if (id.ok()) {
        refusal.ticket = to_string(*id);
        call.detail.emplace_back("ticket", refusal.ticket);
        co_return;
    }
    if (id.error().code == ErrorCode::kLimit) {
        call.detail.emplace_back("ticket", "none: too large to wait");
        co_return;
    }
    refusal = own_failure("review_unavailable", "what was held cannot be put before people now");
}

Task<void> hold_labelled(const Stages& stages, Call& call, Holding holding,
                         const LabelledContent& labelled, Refusal& refusal) {
    const std::string type(label::facts(labelled.format).media_type);
    if (!holding.file.empty()) {
        holding.media_type = type;
    }
    review::WaitingAnswer answer;
    answer.headers.emplace_back("content-type", type);
    answer.body = std::string(as_text(labelled.content));
    hand_over_label(call, answer);
    holding.answer = std::move(answer);
    co_await hold(stages, call, std::move(holding), refusal);
}

bool keep_flagged(const Stages& stages, Call& call, std::uint64_t bytes) {
    if (call.flagged.empty() || !stages.parts.queue.rules()->takes_flagged) {
        return false;
    }
    if (bytes > review::kEvidenceBytesMax) {
        call.flagged.pop_back();
        call.detail.emplace_back("flagged_file", "none: too large to wait");
        return false;
    }
    return true;
}

void note_flagged(const Stages& stages, Call& call, Bytes file, std::string_view media_type) {
    if (call.flagged.empty() || !stages.parts.queue.rules()->takes_flagged) {
        return;
    }
    Flagged& last = call.flagged.back();
    last.file = to_buffer(file);
    last.media_type = media_type;
}

void note_flagged(const Stages& stages, Call& call, std::string_view text) {
    if (!call.flagged.empty() && stages.parts.queue.rules()->takes_flagged) {
        call.flagged.back().text = text;
    }
}

Task<void> queue_flagged(const Stages& stages, Call& call) {
    std::vector<Flagged> all = std::exchange(call.flagged, {});
    if (!stages.parts.queue.rules()->takes_flagged) {
        co_return;
    }
    json::Array items;
    for (Flagged& each : all) {
        review::HeldCall about = held_call(call, each.stage);
        about.category = each.verdict.category;
        about.rule = each.verdict.rule;
        about.entries = each.verdict.entries;
        const ledger::Private& personal = call.record.personal;
        const bool input = each.stage == review::Stage::kInput;
        Holding holding{
            .stage = each.stage,
            .text = each.text.empty() ? (input ? personal.input : personal.output) : each.text,
            .file = std::move(each.file),
            .media_type = std::move(each.media_type),
            .answer = {}};
        review::Evidence evidence = evidence_of(call, std::move(holding));
        if (!input) {
            evidence.context = utf8_prefix(personal.input, kContextBytesMax);
        }
        evidence.prints = co_await prints_of(stages, call, evidence.file, evidence.media_type);
        const auto put = [&] {
            return stages.parts.queue.add(about, evidence, review::Cause::kFlagged);
        };
        const auto id = co_await stages.parts.blocking.run(call.loop(), put);
        items.emplace_back(id.ok() ? to_string(*id) : "none: " + id.error().what);
    }
    call.detail.emplace_back("flagged_items", std::move(items));
}

Task<std::optional<Refusal>> held_input(const Stages& stages, Call& call, HeldInput input) {
    const auto tickets = named_tickets(call.exchange.request().header(kTicketHeader));
    if (!tickets) {
        co_return invalid_request("the header Colophon-Ticket names no ticket", "");
    }
    const std::string_view shown = input.file.empty() ? input.text : as_text(input.file);
    for (const review::ItemId& id : *tickets) {
        const auto ask = [&] {
            return stages.parts.queue.is_released(id, {.tenant = call.caller.tenant,
                                                       .subject = call.facts().subject,
                                                       .text = shown,
                                                       .entries = input.verdict.entries});
        };
        const auto released = co_await stages.parts.blocking.run(call.loop(), ask);
        if (!released.ok()) {
            co_return own_failure("review_unavailable", "the ticket cannot be looked up now");
        }
        if (*released) {
            input.verdict.decision = review::Decision::kFlag;
            call.detail.emplace_back("released_by", to_string(id));
            auto refusal = note_verdict(call, review::Stage::kInput, input.verdict);
            if (!refusal) {
                call.flagged.pop_back();  // people have seen it
            }
            co_return refusal;
        }
    }
    auto refusal = note_verdict(call, review::Stage::kInput, input.verdict);
    if (refusal) {
        Holding holding{.stage = review::Stage::kInput,
                        .text = std::string(input.text),
                        .file = to_buffer(input.file),
                        .media_type = std::string(input.media_type),
                        .answer = {}};
        co_await hold(stages, call, std::move(holding), *refusal);
    }
    co_return refusal;
}

}  // namespace colophon::gateway
