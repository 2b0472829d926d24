// SPDX-License-Identifier: Apache-2.0
// /v1/labels and /v1/verifications: the label engine for content that was made elsewhere.
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/json_edit.h"
#include "gateway/media_label.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/unlabelled.h"
#include "gateway/upload.h"
#include "gateway/video_review.h"
#include "http/message.h"
#include "label/format.h"
#include "label/verify.h"
#include "ledger/file_prints.h"
#include "ledger/record.h"
#include "review/entry.h"
#include "review/queue.h"
#include "review/review.h"
#include "review/scope.h"
#include "worker/spool.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

// The first line of a signed result (docs/formats/verification-result.md).
constexpr std::string_view kResultHead = "colophon verification 1\n";

Refusal file_failure(const Error& error) {
    Refusal refusal = invalid_request(error.what, "");
    if (error.code == ErrorCode::kUnavailable) {
        return label_failure(error);
    }
    refusal.status = error.code == ErrorCode::kLimit         ? 413
                     : error.code == ErrorCode::kUnsupported ? 415
                     : error.code == ErrorCode::kConflict    ? 409
                                                             : 422;
    refusal.code = error_code_name(error.code);
    return refusal;
}

// What a file of that format is judged to be. It comes in and is to go out, so all entries are for
// it, of either stage. `print`: what was compared, for the record; stays empty when nothing was.
Result<review::Verdict> judge(const Gateway& gateway, const Call& call,
                              const worker::SpooledFile& file, label::Format format,
                              ledger::FilePrint& print) {
    const auto reviewer = reviewer_of(call, review::Stage::kBoth);
    const label::Kind kind = label::facts(format).kind;
    if (label::is_written_text(format)) {
        const Buffer text = TRY(file.content());
        return reviewer->review(as_text(text));
    }
    if (kind == label::Kind::kAudio && reviewer->has_sounds()) {
        const auto sound = TRY(gateway.parts().media.sound_print(file));
        print = ledger::sound_file(sound);
        return reviewer->review(sound);
    }
    if (kind == label::Kind::kImage && reviewer->has_pictures()) {
        const auto hashes = TRY(gateway.parts().media.picture_hashes(file));
        print = ledger::picture_file(hashes);
        return reviewer->review(hashes);
    }
    if (kind == label::Kind::kImage && call.settings->picture_prints == PicturePrints::kAlways) {
        const auto hashes = gateway.parts().media.picture_hashes(file);
        print = hashes.ok() ? ledger::picture_file(*hashes)
                            : ledger::file_without_print(ledger::kPictureFile, hashes.error().what);
    }
    if (kind == label::Kind::kVideo) {
        return judge_video(gateway.parts().media, *reviewer, file, print);
    }
    return review::Verdict();
}

struct Judged {
    label::Format format = label::Format::kPlainText;
    ledger::FilePrint print;
};

Result<review::Verdict> judge_upload(const Gateway& gateway, const Call& call, const Upload& upload,
                                     Judged& judged) {
    judged.format = TRY(gateway.parts().media.probe(upload.file(), upload.name));
    if (label::facts(judged.format).kind == label::Kind::kText) {
        judged.print =
            ledger::file_without_print("text", label::is_written_text(judged.format)
                                                   ? "the text of a file is not kept in the record"
                                                   : "documents are not compared");
    }
    return judge(gateway, call, upload.file(), judged.format, judged.print);
}

Task<Result<Buffer>> content_of(const Gateway& gateway, Call& call,
                                const worker::SpooledFile& file) {
    const auto read = [&] { return file.content(); };
    co_return co_await gateway.parts().blocking.run(call.loop(), read);
}

// What was flagged comes before people with the file, where the queue takes such, and the file.
Task<std::optional<Refusal>> show_flagged(Gateway& gateway, Call& call, const Upload& upload,
                                          label::Format format) {
    if (!keep_flagged(gateway.stages(), call, upload.file().size())) {
        co_return std::nullopt;
    }
    const auto shown = co_await content_of(gateway, call, upload.file());
    if (!shown.ok()) {
        co_return spool_failure(shown.error());
    }
    if (label::is_written_text(format)) {
        note_flagged(gateway.stages(), call, as_text(*shown));
    } else {
        note_flagged(gateway.stages(), call, *shown, label::facts(format).media_type);
    }
    co_return std::nullopt;
}

// [DSP-10] Nothing is labelled for somebody to publish that may not be published.
Task<std::optional<Refusal>> review_file(Gateway& gateway, Call& call, const Upload& upload,
                                         label::Format& format) {
    const SteadyTime began = std::chrono::steady_clock::now();
    Judged judged;
    const auto look = [&] { return judge_upload(gateway, call, upload, judged); };
    const auto verdict = co_await gateway.parts().workers.run(call.loop(), look);
    format = judged.format;
    call.facts().durations.review_ms = milliseconds_since(began);
    if (!judged.print.kind.empty()) {
        keep_print(call, review::Stage::kBoth, std::move(judged.print));
    }
    if (!verdict.ok()) {
        co_return file_failure(verdict.error());
    }
    auto refusal = note_verdict(call, review::Stage::kInput, *verdict);
    if (verdict->decision == review::Decision::kFlag) {
        auto unread = co_await show_flagged(gateway, call, upload, format);
        if (unread) {
            co_return unread;
        }
    }
    co_return refusal;
}

// The labelled file waits for people, with the file as it came; too large, it stays refused.
Task<std::optional<Refusal>> hold_file(Gateway& gateway, Call& call, const Upload& upload,
                                       const Media::Labelled& labelled, Refusal held) {
    if (upload.file().size() + labelled.file.size() > review::kEvidenceBytesMax) {
        call.facts().label.clear();
        call.detail.emplace_back("ticket", "none: too large to wait");
        co_return held;
    }
    auto shown = co_await content_of(gateway, call, upload.file());
    auto content = co_await content_of(gateway, call, labelled.file);
    if (!shown.ok() || !content.ok()) {
        co_return spool_failure(shown.ok() ? content.error() : shown.error());
    }
    Holding holding;
    if (label::is_written_text(labelled.format)) {
        holding.text = as_text(*shown);
    } else {
        holding.file = std::move(*shown);
    }
    const LabelledContent waiting{.content = std::move(*content), .format = labelled.format};
    co_await hold_labelled(gateway.stages(), call, std::move(holding), waiting, held);
    co_return held;
}

Task<std::optional<Refusal>> serve_label(Gateway& gateway, Call& call) {
    if (auto refusal = refuse_unlabelled(call)) {
        co_return refusal;
    }
    Upload upload;
    auto refusal = co_await read_upload(gateway.parts(), call, UploadFor::kLabel, upload);
    if (refusal) {
        co_return refusal;
    }
    // It is judged first: what may not go out costs no number.
    label::Format format = label::Format::kPlainText;
    auto held = co_await review_file(gateway, call, upload, format);
    if (held && held->code != kHeldForReview) {
        co_return held;
    }
    refusal = co_await make_label(gateway.stages(), call);
    if (refusal) {
        co_return refusal;
    }
    auto labelled = co_await label_file(gateway, call, upload.file(), upload.name);
    if (labelled.ok() && labelled->format != format) {
        labelled = Error{ErrorCode::kConflict, "the file is of another kind than it was judged as"};
    }
    if (!labelled.ok()) {
        call.facts().label.clear();
        co_return file_failure(labelled.error());
    }
    if (held) {
        co_return co_await hold_file(gateway, call, upload, *labelled, std::move(*held));
    }
    http::Headers headers = answer_headers(call, label::facts(labelled->format).media_type);
    co_return co_await record_and_answer_file(gateway, call, std::move(headers), labelled->file);
}

// What the record of a content id says, as far as it is the caller's own.
Task<json::Value> known_record(Gateway& gateway, Call& call, ContentId id) {
    const auto look = [&] { return gateway.parts().records.find(id); };
    const auto facts = co_await gateway.parts().blocking.run(call.loop(), look);
    if (!facts.ok()) {
        co_return json::Object{{"known", false}};
    }
    json::Object known{{"known", true}};
    if (facts->tenant == call.caller.tenant) {
        known.emplace_back("record", to_string(facts->id));
        known.emplace_back("time", format_time(facts->at));
        known.emplace_back("operation", facts->operation);
        known.emplace_back("model", facts->model);
    }
    co_return known;
}

// What a signed result is made over: whoever has it needs neither this service nor the rest of the
// answer. The first line keeps it apart from everything else that the key of the log signs.
std::string result_text(Gateway& gateway, const Call& call, std::uint64_t bytes,
                        const json::Value& verification) {
    const json::Object result{
        {"content",
         json::Object{{"sha256", to_hex(call.record.content_digests.front())}, {"bytes", bytes}}},
        {"detector", std::string("colophon/" COLOPHON_VERSION)},
        {"time", format_time(gateway.parts().clock.now())},
        {"record", to_string(call.record.facts.id)},
        {"verification", verification}};
    return std::string(kResultHead) + json::write(result) + "\n";
}

Task<std::optional<Refusal>> serve_verification(Gateway& gateway, Call& call) {
    Upload upload;
    auto refusal = co_await read_upload(gateway.parts(), call, UploadFor::kVerification, upload);
    if (refusal) {
        co_return refusal;
    }
    const auto verify = [&] {
        return gateway.parts().media.verify(upload.file(), upload.name, {});
    };
    const auto seen = co_await gateway.parts().workers.run(call.loop(), verify);
    if (!seen.ok()) {
        co_return file_failure(seen.error());
    }
    json::Value answer = gateway.parts().verification_json(upload.name, *seen);
    call.detail.emplace_back("verdict", std::string(label::verdict_name(seen->verdict)));
    if (seen->metadata && seen->metadata->content_id) {
        json::Value known = co_await known_record(gateway, call, *seen->metadata->content_id);
        set_member(answer, "ledger", std::move(known));
    }
    if (upload.wants_signed) {
        const std::string text = result_text(gateway, call, upload.file().size(), answer);
        const auto sign = [&] { return gateway.parts().sign_note(text); };
        auto result = co_await gateway.parts().blocking.run(call.loop(), sign);
        if (!result.ok()) {
            co_return own_failure("signing_failed", result.error().what);
        }
        set_member(answer, "signed", std::move(*result));
    }
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(answer);
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
}

}  // namespace

void add_file_routes(Gateway& gateway) {
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/labels",
                      .operation = "labels.create",
                      .right = "label",
                      .summary = "a file, raw or in a form, given back with its labels",
                      .request_schema = {},
                      .response_schema = {},
                      .handle = {}},
                     serve_label);
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/verifications",
                      .operation = "verifications.create",
                      .right = "label",
                      .summary = "what the labels of a file, raw or in a form, say, and whether "
                                 "they are intact",
                      .request_schema = {},
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     serve_verification);
}

}  // namespace colophon::gateway
