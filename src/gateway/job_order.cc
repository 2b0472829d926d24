// SPDX-License-Identifier: Apache-2.0
#include "gateway/job_order.h"

#include "core/assert.h"
#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/pictures.h"
#include "gateway/video_upstreams.h"
#include "http/multipart.h"
#include "ledger/media_jobs.h"
#include "ledger/record.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace colophon::gateway {
namespace {

Error damaged() {
    return Error{ErrorCode::kCorrupt, "a job in the database is damaged"};
}

// What was asked, as the record of the call that asked has it.
json::Value private_json(const ledger::Private& from) {
    ledger::Private asked = from;
    asked.output.clear();
    asked.contents.clear();
    const std::string text = ledger::write_private(asked);
    auto value = json::parse(text, {.bytes_max = text.size() + 1});
    COLOPHON_ASSERT(value.ok());
    return std::move(*value);
}

json::Object ask_json(const VideoAsk& ask) {
    return {{"model", ask.model},
            {"prompt", ask.prompt},
            {"body", ask.body},
            {"form", ask.form},
            {"reference", to_base64(as_bytes(ask.reference))},
            {"reference_type", ask.reference_type}};
}

json::Object ask_json(const PictureAsk& ask) {
    json::Object value{
        {"model", ask.model}, {"prompt", ask.prompt}, {"body", ask.body}, {"edit", ask.edit}};
    if (ask.edit) {
        const std::string boundary = boundary_of(ask);
        value.emplace_back("boundary", boundary);
        value.emplace_back("parts", to_base64(as_bytes(http::write_form(ask.parts, boundary))));
    }
    return value;
}

bool is_set(const json::Value& value, std::string_view name) {
    const json::Value* flag = value.find(name);
    return flag != nullptr && flag->if_bool() != nullptr && *flag->if_bool();
}

Result<json::Value> body_in(const json::Value& value) {
    const json::Value* body = value.find("body");
    if (body == nullptr || body->if_object() == nullptr) {
        return damaged();
    }
    return *body;
}

Result<VideoAsk> video_ask(const json::Value& value) {
    const Buffer reference = TRY(from_base64(text_member(value, "reference")));
    VideoAsk ask;
    ask.model = value.string_or("model", "");
    ask.prompt = value.string_or("prompt", "");
    ask.body = TRY(body_in(value));
    ask.form = is_set(value, "form");
    ask.reference = as_text(reference);
    ask.reference_type = value.string_or("reference_type", "");
    return ask;
}

Result<PictureAsk> picture_ask(const json::Value& value) {
    PictureAsk ask;
    ask.model = value.string_or("model", "");
    ask.prompt = value.string_or("prompt", "");
    ask.edit = is_set(value, "edit");
    ask.body = TRY(body_in(value));
    if (ask.edit) {
        const Buffer parts = TRY(from_base64(text_member(value, "parts")));
        ask.form = std::make_shared<const std::string>(as_text(parts));
        ask.parts = TRY(http::parse_form(*ask.form, text_member(value, "boundary")));
    }
    return ask;
}

}  // namespace

std::string write_order(const JobOrder& order) {
    json::Object value = std::visit([](const auto& ask) { return ask_json(ask); }, order.ask);
    value.emplace_back("from", private_json(order.from));
    value.emplace_back("unlabelled", order.unlabelled);
    value.emplace_back("trace", order.trace);
    return json::write(value);
}

Result<JobOrder> read_order(ledger::JobKind kind, std::string_view text) {
    const json::Value value = TRY(json::parse(text, {.bytes_max = text.size() + 1}));
    const json::Value* from = value.find("from");
    if (from == nullptr) {
        return damaged();
    }
    JobOrder order;
    if (kind == ledger::JobKind::kVideo) {
        order.ask = TRY(video_ask(value));
    } else {
        order.ask = TRY(picture_ask(value));
    }
    order.from = TRY(ledger::read_private(json::write(*from)));
    order.unlabelled = is_set(value, "unlabelled");
    order.trace = value.string_or("trace", "");
    return order;
}

}  // namespace colophon::gateway
