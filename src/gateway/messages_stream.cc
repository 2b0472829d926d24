// SPDX-License-Identifier: Apache-2.0
#include "gateway/messages_stream.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/json_edit.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "http/limits.h"
#include "http/sse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 64;

// The blocks that are known, and where their text is.
struct BlockKind {
    std::string_view type;
    std::string_view member;        // of the block
    std::string_view delta;         // type of its deltas
    std::string_view delta_member;  // of such a delta
    bool labelled;                  // said to a person [GB45438-5.1]
};
constexpr std::array<BlockKind, 3> kBlocks{{
    {"text", "text", "text_delta", "text", true},
    {"thinking", "thinking", "thinking_delta", "thinking", false},
    {"tool_use", "input", "input_json_delta", "partial_json", false},
}};

Result<const BlockKind*> kind_of(const json::Value& block) {
    const std::string_view type = text_member(block, "type");
    const auto* row = std::ranges::find(kBlocks, type, &BlockKind::type);
    if (row == kBlocks.end()) {
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("the upstream answers with \"{}\", which cannot be reviewed or labelled",
                        type.substr(0, 100))};
    }
    return row;
}

// Tokens of a message: what was read from a cache was input too.
void note_usage(const json::Value* usage, Usage& to) {
    if (usage == nullptr) {
        return;
    }
    const std::int64_t input = count_member(*usage, "input_tokens") +
                               count_member(*usage, "cache_read_input_tokens") +
                               count_member(*usage, "cache_creation_input_tokens");
    const std::int64_t output = count_member(*usage, "output_tokens");
    to.input = std::max(to.input, input);
    to.output = std::max(to.output, output);
}

std::string event(const json::Value& value) {
    return http::write_sse(text_member(value, "type"), json::write(value));
}

}  // namespace

Result<MessagesStream::Block*> MessagesStream::open_block(std::int64_t index,
                                                          const json::Value& block) {
    const BlockKind* kind = TRY(kind_of(block));
    if (blocks_.contains(index) || blocks_.size() >= kBlocksMax) {
        return not_ours("a block begins twice, or there are too many");
    }
    const TextLabel label = kind->labelled ? rules_.label : TextLabel{};
    const bool is_call = kind->type == "tool_use";
    Block made{.gate = is_call ? rules_.call_gate(text_member(block, "name")) : rules_.gate(label),
               .delta = kind->delta,
               .member = kind->delta_member};
    return &blocks_.emplace(index, std::move(made)).first->second;
}

Result<std::string> MessagesStream::take_start(json::Value value) {
    const std::int64_t index = count_member(value, "index");
    json::Value* block = member(value, "content_block");
    if (block == nullptr) {
        return not_ours("an event has no block");
    }
    Block& own = *TRY(open_block(index, *block));
    const BlockKind* kind = TRY(kind_of(*block));
    std::string said(text_member(*block, kind->member));
    set_member(*block, kind->member,
               kind->type == "tool_use" ? json::Value(json::Object{}) : json::Value(""));
    remove_member(*block, "citations");
    std::string out = event(value);
    said = push(own.gate, said);
    if (!said.empty()) {
        out += delta_event(index, own, std::move(said));
    }
    return out;
}

std::string MessagesStream::delta_event(std::int64_t index, const Block& block,
                                        std::string text) const {
    return event(
        json::Object{{"type", "content_block_delta"},
                     {"index", index},
                     {"delta", json::Object{{"type", std::string(block.delta)},
                                            {std::string(block.member), std::move(text)}}}});
}

Result<std::string> MessagesStream::take_delta(const json::Value& value) {
    const std::int64_t index = count_member(value, "index");
    const auto found = blocks_.find(index);
    const json::Value* delta = value.find("delta");
    if (found == blocks_.end() || !found->second.open || delta == nullptr) {
        return not_ours("a piece of a text stands in a wrong place");
    }
    Block& block = found->second;
    const std::string_view type = text_member(*delta, "type");
    if (type == "signature_delta") {
        return event(value);  // of thinking; no text
    }
    if (type != block.delta) {
        return std::string();  // citations: foreign titles, and places that the label has moved
    }
    std::string out = push(block.gate, text_member(*delta, block.member));
    return out.empty() ? out : delta_event(index, block, std::move(out));
}

Result<std::string> MessagesStream::take_stop(const json::Value& value) {
    const std::int64_t index = count_member(value, "index");
    const auto found = blocks_.find(index);
    if (found == blocks_.end() || !found->second.open) {
        return not_ours("a block ends that did not begin");
    }
    settle(found->second.gate);
    if (blocked()) {
        return std::string();  // close() ends it
    }
    found->second.open = false;
    std::string rest = finish(found->second.gate);
    std::string out;
    if (!rest.empty()) {
        out = delta_event(index, found->second, std::move(rest));
    }
    return out + event(value);
}

Result<std::string> MessagesStream::take(std::string_view data) {
    auto parsed = json::parse(data, {.depth_max = kDepthMax, .bytes_max = http::kSseEventBytesMax});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return not_ours("an event is no JSON object");
    }
    json::Value value = std::move(*parsed);
    const std::string type(text_member(value, "type"));
    if (const json::Value* error = value.find("error"); error != nullptr && !error->is_null()) {
        return upstream_says(*error);
    }
    Result<std::string> out{std::string()};
    if (type == "message_start") {
        json::Value* message = member(value, "message");
        if (message == nullptr || message->if_object() == nullptr || begun_) {
            return not_ours("a message begins twice, or not at all");
        }
        begun_ = true;
        model_ = text_member(*message, "model");
        note_usage(message->find("usage"), usage_);
        set_member(*message, "content", json::Array{});
        set_member(*message, "aigc", rules_.aigc);
        out = event(value);
    } else if (type == "content_block_start") {
        out = take_start(std::move(value));
    } else if (type == "content_block_delta") {
        out = take_delta(value);
    } else if (type == "content_block_stop") {
        out = take_stop(value);
    } else if (type == "message_delta") {
        note_usage(value.find("usage"), usage_);
        delta_ = std::move(value);
    } else if (type == "message_stop") {
        const bool open =
            std::ranges::any_of(blocks_, [](const auto& each) { return each.second.open; });
        // Of a blocked message the block stays open until close().
        if (!begun_ || (open && !blocked())) {
            return not_ours("a message ends before its blocks");
        }
        stopped_ = true;
    }
    if (out.ok() && blocked()) {
        return std::string();
    }
    return out;
}

// The labels of the blocks that are cut off, and their ends.
std::string MessagesStream::end_blocks() {
    std::string out;
    for (auto& [index, block] : blocks_) {
        if (!block.open) {
            continue;
        }
        block.open = false;
        std::string rest = block.gate.finish_without_rest();
        if (!rest.empty()) {
            out += delta_event(index, block, std::move(rest));
        }
        out += event(json::Object{{"type", "content_block_stop"}, {"index", index}});
    }
    return out;
}

void MessagesStream::settle() {
    for (auto& [index, block] : blocks_) {
        settle(block.gate);
    }
}

std::string MessagesStream::close(Ending ending) {
    std::string out = end_blocks();
    if (ending == Ending::kBroken) {
        return out;
    }
    json::Value delta = delta_;
    if (delta.is_null()) {
        delta = json::Object{{"type", "message_delta"},
                             {"delta", json::Object{}},
                             {"usage", json::Object{{"output_tokens", usage_.output}}}};
    }
    if (ending == Ending::kBlocked) {
        set_member(delta, "delta",
                   json::Object{{"stop_reason", "refusal"}, {"stop_sequence", nullptr}});
    }
    set_member(delta, "aigc", rules_.aigc);
    if (!rules_.notice.empty()) {
        set_member(delta, "aigc_notice", rules_.notice);
    }
    add_ticket(delta);
    out += event(delta);
    return out + event(json::Object{{"type", "message_stop"}});
}

std::string MessagesStream::error_event(const Refusal& refusal, const ErrorContext& context) {
    return event(error_json(refusal, context));
}

std::string MessagesStream::text() const {
    std::string all;
    for (const auto& [index, block] : blocks_) {
        all += block.gate.text();
    }
    return all;
}

Result<void> MessagesStream::pass_message(json::Value& message) {
    json::Value* content = member(message, "content");
    json::Array* list = content == nullptr ? nullptr : content->if_array();
    if (list == nullptr) {
        return not_ours("a message has no list of blocks");
    }
    model_ = text_member(message, "model");
    note_usage(message.find("usage"), usage_);
    std::int64_t index = 0;
    for (json::Value& block : *list) {
        const BlockKind* kind = TRY(kind_of(block));
        Block& own = *TRY(open_block(index++, block));
        const json::Value* said = block.find(kind->member);
        // The input of a tool is a value: it goes out as it is, or not at all.
        const bool is_value = kind->type == "tool_use";
        std::string text = said == nullptr ? std::string()
                           : is_value      ? json::write(*said)
                                           : std::string(text_member(block, kind->member));
        text = push(own.gate, text);
        text += finish(own.gate);
        if (!is_value) {
            set_member(block, kind->member, std::move(text));
        }
        remove_member(block, "citations");
    }
    set_member(message, "aigc", rules_.aigc);
    if (!rules_.notice.empty()) {
        set_member(message, "aigc_notice", rules_.notice);
    }
    return {};
}

}  // namespace colophon::gateway
