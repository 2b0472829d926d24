// SPDX-License-Identifier: Apache-2.0
#include "gateway/pictures.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/dashscope.h"
#include "gateway/file_prints.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/image_upstreams.h"
#include "gateway/json_edit.h"
#include "gateway/media_label.h"
#include "gateway/picture_review.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/webhook_texts.h"
#include "http/multipart.h"
#include "http/upstream.h"
#include "label/format.h"
#include "ledger/file_prints.h"
#include "review/queue.h"
#include "review/scope.h"

#include <fmt/format.h>

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

constexpr std::size_t kPicturesMax = 10;

// The name of a file may say whose it is; what it ends with says how to read it.
std::string neutral_name(std::string_view name) {
    constexpr std::size_t kEndingMax = 5;
    const std::size_t dot = name.rfind('.');
    std::string ending(dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1));
    const bool plain =
        ending.size() <= kEndingMax && std::ranges::all_of(ending, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        });
    return plain && !ending.empty() ? "file." + ending : std::string("file");
}

http::UpstreamRequest edit_request(const PictureAsk& ask, const UpstreamSettings& upstream,
                                   const Target& target) {
    http::UpstreamRequest out;
    out.url = upstream.url;
    out.url.path += "/images/edits";
    const std::string boundary = boundary_of(ask);
    out.headers.push_back({"content-type", "multipart/form-data; boundary=" + boundary});
    if (!upstream.key.empty()) {
        out.headers.push_back({"authorization", "Bearer " + upstream.key});
    }
    std::vector<http::FormPart> parts = ask.parts;
    for (http::FormPart& part : parts) {
        if (part.file_name) {
            part.file_name = neutral_name(*part.file_name);
        }
    }
    parts.push_back({.name = "model", .file_name = {}, .media_type = {}, .data = target.model});
    out.body = http::write_form(parts, boundary);
    return out;
}

Task<Result<Buffer>> picture_of(Gateway& gateway, Call& call, const UpstreamSettings& upstream,
                                const json::Value& item) {
    const std::string_view coded = text_member(item, "b64_json");
    if (!coded.empty()) {
        auto bytes = from_base64(coded);
        if (!bytes.ok()) {
            co_return Error{ErrorCode::kCorrupt, "the upstream's picture is no base64"};
        }
        co_return std::move(*bytes);
    }
    const std::string address(text_member(item, "url"));
    if (address.empty()) {
        co_return Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"};
    }
    co_return co_await fetch_content(gateway, call, upstream, address);
}

// What the upstream says that it was asked instead goes out like any other text, or not at all.
void pass_prompt(Call& call, json::Value& item) {
    const std::string_view said = text_member(item, "revised_prompt");
    if (!said.empty() && reviewer_of(call, review::Stage::kOutput)->review(said).blocked()) {
        remove_member(item, "revised_prompt");
    }
}

// A picture that was held, and why.
struct HeldPicture {
    Refusal refusal;
    Buffer file;
};

struct Drawn {
    const UpstreamSettings& upstream;
    json::Value& answer;
    const PictureTerms& terms;
};

// The picture where the client looks for it. A link would have to be kept, and guarded, for an
// hour; the data themselves are a URL too.
void put_picture(json::Value& item, PictureForm form, const LabelledContent& labelled) {
    std::string coded = to_base64(labelled.content);
    if (form == PictureForm::kBase64) {
        remove_member(item, "url");
        set_member(item, "b64_json", std::move(coded));
        return;
    }
    remove_member(item, "b64_json");
    set_member(item, "url",
               fmt::format("data:{};base64,{}", label::facts(labelled.format).media_type, coded));
}

// Every picture of one call bears the same content id; the first that fails ends the call. One that
// is held does not: the answer is made for the person who is to look at it.
Task<std::optional<Refusal>> label_pictures(Gateway& gateway, Call& call, Drawn drawn,
                                            std::optional<HeldPicture>& held) {
    json::Value& answer = drawn.answer;
    json::Value* data = member(answer, "data");
    json::Array* list = data == nullptr ? nullptr : data->if_array();
    if (list == nullptr || list->empty() || list->size() > kPicturesMax) {
        co_return upstream_failure(
            Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"});
    }
    call.pictures = static_cast<std::int64_t>(list->size());
    std::size_t done = 0;
    for (json::Value& item : *list) {
        pass_prompt(call, item);
        auto picture = co_await picture_of(gateway, call, drawn.upstream, item);
        if (!picture.ok()) {
            co_return upstream_failure(picture.error());
        }
        auto refusal = co_await guard_picture(gateway, call, *picture);
        if (refusal && refusal->code != kHeldForReview) {
            keep_unprinted(call, review::Stage::kOutput, ledger::kPictureFile, kRefusedBefore);
            co_return refusal;
        }
        if (refusal && !held) {
            held = HeldPicture{.refusal = std::move(*refusal), .file = *picture};
        }
        refusal = co_await review_picture(gateway, call, review::Stage::kOutput, *picture);
        if (refusal && refusal->code != kHeldForReview) {
            co_return refusal;
        }
        if (refusal && !held) {
            held = HeldPicture{.refusal = std::move(*refusal), .file = *picture};
        }
        auto labelled = co_await label_content(gateway, call, std::move(*picture));
        if (!labelled.ok()) {
            co_return label_failure(labelled.error());
        }
        if (label::facts(labelled->format).kind != label::Kind::kImage) {
            co_return upstream_failure(
                Error{ErrorCode::kCorrupt, "the upstream's answer has no picture"});
        }
        put_picture(item, drawn.terms.form, *labelled);
        if (drawn.terms.told) {
            drawn.terms.told(++done, list->size());
        }
    }
    set_member(answer, "aigc", aigc_value(call.aigc));
    co_return std::nullopt;
}

Task<Refusal> hold_pictures(Gateway& gateway, Call& call, const json::Value& answer,
                            HeldPicture held) {
    review::WaitingAnswer waiting;
    waiting.body = json::write(answer);
    waiting.headers.emplace_back("content-type", "application/json");
    hand_over_label(call, waiting);
    const std::string type(media_type_of(held.file));
    Holding holding{.stage = review::Stage::kOutput,
                    .text = call.record.personal.input,
                    .file = std::move(held.file),
                    .media_type = type,
                    .answer = std::move(waiting)};
    co_await hold(gateway.stages(), call, std::move(holding), held.refusal);
    co_return std::move(held.refusal);
}

}  // namespace

std::string boundary_of(const PictureAsk& ask) {
    // No form contains its own digest.
    return "colophon-" + to_hex(sha256(as_bytes(*ask.form))).substr(0, 32);
}

Result<http::UpstreamRequest> picture_request(const PictureAsk& ask, const std::string& key,
                                              const UpstreamSettings& upstream,
                                              const Target& target) {
    if (ask.edit && upstream.dialect == Dialect::kDashscope) {
        return dashscope_edit(ask, upstream, target);
    }
    if (ask.edit && upstream.dialect != Dialect::kOpenai) {
        return Error{ErrorCode::kInvalidArgument, "this model's upstream edits no pictures"};
    }
    http::UpstreamRequest out;
    if (ask.edit) {
        out = edit_request(ask, upstream, target);
    } else {
        out = TRY(media_request(ask.body, ask.prompt, "/images/generations", upstream, target));
    }
    if (!key.empty() && upstream.dialect == Dialect::kOpenai) {
        out.headers.push_back({"idempotency-key", key});
    }
    return out;
}

PictureForm form_of(const PictureAsk& ask) {
    constexpr std::string_view kField = "response_format";
    bool as_url = text_member(ask.body, kField) == "url";
    for (const http::FormPart& part : ask.parts) {
        as_url = as_url || (part.name == kField && part.data == "url");
    }
    return as_url ? PictureForm::kUrl : PictureForm::kBase64;
}

Task<std::optional<Refusal>> finish_pictures(Gateway& gateway, Call& call,
                                             const UpstreamSettings& upstream, json::Value& answer,
                                             PictureTerms terms) {
    auto unnumbered = co_await make_label(gateway.stages(), call);
    if (unnumbered) {
        co_return unnumbered;
    }
    std::optional<HeldPicture> held;
    const Drawn drawn{.upstream = upstream, .answer = answer, .terms = terms};
    auto refusal = co_await label_pictures(gateway, call, drawn, held);
    if (!refusal && held) {
        refusal = co_await hold_pictures(gateway, call, answer, std::move(*held));
    }
    if (refusal) {
        call.facts().label.clear();
    }
    co_return refusal;
}

}  // namespace colophon::gateway
