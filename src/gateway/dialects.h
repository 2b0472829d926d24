// SPDX-License-Identifier: Apache-2.0
#pragma once

// Chat completions for an upstream that speaks Anthropic's messages, and messages for one that
// speaks chat completions. Requests and answers are translated before they are reviewed and
// labelled, so that the gates see what the client will read. What has no counterpart is left out,
// as far as it does not change what is asked; otherwise it is refused.

#include "core/json.h"
#include "core/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

// Each takes and returns a whole body; kInvalidArgument says what cannot be asked of the other
// side, kCorrupt what is wrong with an answer.
Result<json::Value> chat_to_messages(const json::Value& request);
Result<json::Value> messages_to_chat(const json::Value& request);
// `created`: Unix time in seconds, which chats say and messages do not.
Result<json::Value> message_as_chat(const json::Value& answer, std::int64_t created);
Result<json::Value> chat_as_message(const json::Value& answer);

// The same for streams: the data of one event in, of any number of events out.
class EventTranslator {
public:
    EventTranslator() = default;
    EventTranslator(const EventTranslator&) = delete;
    EventTranslator& operator=(const EventTranslator&) = delete;
    EventTranslator(EventTranslator&&) = delete;
    EventTranslator& operator=(EventTranslator&&) = delete;
    virtual ~EventTranslator() = default;
    virtual Result<std::vector<std::string>> take(std::string_view data) = 0;
    // The events that follow when the upstream closed without a word, after it had said why its
    // answer ended; nothing when it had not.
    virtual std::vector<std::string> close() { return {}; }
};

// Events of messages become chunks of a chat, with its "[DONE]".
std::unique_ptr<EventTranslator> messages_as_chunks(std::int64_t created);
// Chunks of a chat become events of messages; its "[DONE]" ends the message.
std::unique_ptr<EventTranslator> chunks_as_messages();

}  // namespace colophon::gateway
