// SPDX-License-Identifier: Apache-2.0
// /v1/labels and /v1/verifications: the label engine for content that was made elsewhere.
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/call.h"
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
#include "review/review.h"
#include "review/scope.h"

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
Result<review::Verdict> judge(const Gateway& gateway, const Call& call, const std::string& file,
                              label::Format format, ledger::FilePrint& print) {
    const auto reviewer = reviewer_of(call, review::Stage::kBoth);
    const label::Kind kind = label::facts(format).kind;
    if (label::is_written_text(format)) {
        return reviewer->review(file);
    }
    if (kind == label::Kind::kAudio && reviewer->has_sounds()) {
        const auto sound = TRY(gateway.parts().media.sound_print(as_bytes(file)));
        print = ledger::sound_file(sound);
        return reviewer->review(sound);
    }
    if (kind == label::Kind::kImage && reviewer->has_pictures()) {
        const auto hashes = TRY(gateway.parts().media.picture_hashes(as_bytes(file)));
        print = ledger::picture_file(hashes);
        return reviewer->review(hashes);
    }
    if (kind == label::Kind::kImage && call.settings->picture_prints == PicturePrints::kAlways) {
        const auto hashes = gateway.parts().media.picture_hashes(as_bytes(file));
        print = hashes.ok() ? ledger::picture_file(*hashes)
                            : ledger::file_without_print(ledger::kPictureFile, hashes.error().what);
    }
    if (kind == label::Kind::kVideo) {
        return judge_video(gateway.parts().media, *reviewer, as_bytes(file), print);
    }
    return review::Verdict();
}

// [DSP-10] Nothing is labelled for somebody to publish that may not be published.
Task<std::optional<Refusal>> review_file(Gateway& gateway, Call& call, const std::string& file,
                                         label::Format format) {
    const SteadyTime began = std::chrono::steady_clock::now();
    ledger::FilePrint print;
    if (label::facts(format).kind == label::Kind::kText) {
        print = ledger::file_without_print(
            "text", label::is_written_text(format) ? "the text of a file is not kept in the record"
                                                   : "documents are not compared");
    }
    const auto look = [&] { return judge(gateway, call, file, format, print); };
    const auto verdict = co_await gateway.parts().workers.run(call.loop(), look);
    call.facts().durations.review_ms = milliseconds_since(began);
    if (!print.kind.empty()) {
        keep_print(call, review::Stage::kBoth, std::move(print));
    }
    if (!verdict.ok()) {
        co_return file_failure(verdict.error());
    }
    auto refusal = note_verdict(call, review::Stage::kInput, *verdict);
    if (verdict->decision == review::Decision::kFlag && label::is_written_text(format)) {
        note_flagged(gateway.stages(), call, std::string_view(file));
    } else if (verdict->decision == review::Decision::kFlag) {
        note_flagged(gateway.stages(), call, as_bytes(file), label::facts(format).media_type);
    }
    co_return refusal;
}

Task<std::optional<Refusal>> serve_label(Gateway& gateway, Call& call) {
    if (auto refusal = refuse_unlabelled(call)) {
        co_return refusal;
    }
    Upload upload;
    if (auto refusal = co_await read_upload(call, UploadFor::kLabel, upload)) {
        co_return refusal;
    }
    const std::string& file = upload.file;
    call.record.content_digests.push_back(sha256(as_bytes(file)));
    // It is judged first: what may not go out costs no number and no worker.
    const auto format = label::detect_format(as_bytes(file), upload.name);
    if (!format) {
        co_return file_failure(
            Error{ErrorCode::kUnsupported, "a kind of file that is not known here"});
    }
    auto held = co_await review_file(gateway, call, file, *format);
    if (held && held->code != kHeldForReview) {
        co_return held;
    }
    auto refusal = co_await make_label(gateway.stages(), call);
    if (refusal) {
        co_return refusal;
    }
    auto labelled = co_await label_file(gateway, call, to_buffer(as_bytes(file)), upload.name);
    if (labelled.ok() && labelled->format != *format) {
        labelled = Error{ErrorCode::kConflict, "the file is of another kind than it was judged as"};
    }
    if (!labelled.ok()) {
        call.facts().label.clear();
        co_return file_failure(labelled.error());
    }
    if (held) {
        Holding holding;
        if (label::is_written_text(labelled->format)) {
            holding.text = file;
        } else {
            holding.file = to_buffer(as_bytes(file));
        }
        co_await hold_labelled(gateway.stages(), call, std::move(holding), *labelled, *held);
        co_return held;
    }
    http::Headers headers = answer_headers(call, label::facts(labelled->format).media_type);
    std::string out(as_text(labelled->file));
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
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
std::string result_text(Gateway& gateway, const Call& call, const std::string& file,
                        const json::Value& verification) {
    const json::Object result{
        {"content", json::Object{{"sha256", to_hex(call.record.content_digests.front())},
                                 {"bytes", static_cast<std::uint64_t>(file.size())}}},
        {"detector", std::string("colophon/" COLOPHON_VERSION)},
        {"time", format_time(gateway.parts().clock.now())},
        {"record", to_string(call.record.facts.id)},
        {"verification", verification}};
    return std::string(kResultHead) + json::write(result) + "\n";
}

Task<std::optional<Refusal>> serve_verification(Gateway& gateway, Call& call) {
    Upload upload;
    if (auto refusal = co_await read_upload(call, UploadFor::kVerification, upload)) {
        co_return refusal;
    }
    const std::string& file = upload.file;
    call.record.content_digests.push_back(sha256(as_bytes(file)));
    const auto verify = [&] {
        return gateway.parts().media.verify(as_bytes(file), upload.name, {});
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
        const std::string text = result_text(gateway, call, file, answer);
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
