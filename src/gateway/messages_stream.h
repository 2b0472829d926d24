// SPDX-License-Identifier: Apache-2.0
#pragma once

// An answer in the shape of Anthropic's messages, streamed or whole: one message with a list of
// blocks, of which texts, thinking and calls of tools are known. Events and blocks of other types
// do not go out, because nobody reviewed what they say.
//
//   message_start
//     content_block_start, content_block_delta ..., content_block_stop      a block -> gate
//   message_delta, message_stop                                             held until the record

#include "core/json.h"
#include "core/result.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

inline constexpr std::size_t kBlocksMax = 512;

class MessagesStream final : public TextStream {
public:
    explicit MessagesStream(AnswerRules rules) : rules_(std::move(rules)) {}

    Result<std::string> take(std::string_view data) override;
    void settle() override;
    std::string close(Ending ending) override;
    std::string error_event(const Refusal& refusal, const ErrorContext& context) override;
    bool said_end() const noexcept override { return stopped_; }
    bool all_finished() const noexcept override { return stopped_; }
    std::string text() const override;

    // Reviews and labels a whole message in its place.
    Result<void> pass_message(json::Value& message);

private:
    using TextStream::settle;
    struct Block {
        TextGate gate;
        std::string_view delta;   // type of its deltas
        std::string_view member;  // of the delta that has the text
        bool open = true;
    };
    Result<Block*> open_block(std::int64_t index, const json::Value& block);
    Result<std::string> take_start(json::Value value);
    Result<std::string> take_delta(const json::Value& value);
    Result<std::string> take_stop(const json::Value& value);
    std::string delta_event(std::int64_t index, const Block& block, std::string text) const;
    std::string end_blocks();

    AnswerRules rules_;
    std::map<std::int64_t, Block> blocks_;
    json::Value delta_;  // message_delta, as it came
    bool begun_ = false;
    bool stopped_ = false;
};

}  // namespace colophon::gateway
