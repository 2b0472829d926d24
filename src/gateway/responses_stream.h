// SPDX-License-Identifier: Apache-2.0
#pragma once

// An answer in the shape of OpenAI's Responses API, streamed or whole: a response with a list of
// items, each of which has texts. Its events are typed and numbered; an event of a type that is not
// known here does not go out, because nobody reviewed what it says.
//
//   response.created
//     response.output_item.added                 one item: a message, reasoning, a call of a tool
//       response.content_part.added              one text of it
//         response.output_text.delta ...         pieces -> gate
//       response.output_text.done
//     response.output_item.done
//   response.completed                           held until the record is kept

#include "core/json.h"
#include "core/result.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "review/review.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace colophon::gateway {

inline constexpr std::size_t kItemsMax = 512;  // texts of one answer

class ResponsesStream final : public TextStream {
public:
    explicit ResponsesStream(AnswerRules rules) : rules_(std::move(rules)) {}

    Result<std::string> take(std::string_view data) override;
    void settle() override;
    std::string close(Ending ending) override;
    std::string error_event(const Refusal& refusal, const ErrorContext& context) override;
    bool said_end() const noexcept override { return !last_.is_null(); }
    bool all_finished() const noexcept override { return said_end(); }
    std::string text() const override;

    // Reviews and labels a whole response in its place.
    Result<void> pass_response(json::Value& response);

private:
    using TextStream::settle;
    struct Kind;
    // Item, row of the table of kinds, number of the text within the item.
    using Key = std::tuple<std::int64_t, const Kind*, std::int64_t>;
    struct Part {
        TextGate gate;
        json::Object ids;  // members that say where it stands, as the upstream wrote them
        bool finished = false;
    };
    struct Item {
        json::Value skeleton;
        bool done = false;
    };
    static const Kind* kind_of_event(std::string_view type, std::string_view ending);
    static const Kind* kind_of_part(std::string_view part);

    Result<Part*> part_of(const Key& key);
    Result<std::string> take_lifecycle(json::Value value, std::string_view type);
    Result<std::string> take_delta(json::Value value, const Kind& kind);
    Result<std::string> take_done(json::Value value, const Kind& kind);
    Result<std::string> take_item(json::Value value, bool done);
    Result<std::string> take_part(json::Value value, std::string_view type);
    // The text as it went out; what was held of it becomes an event in `before_`.
    Result<std::string> final_text(const Key& key, const json::Value* whole);
    Result<void> pass_parts(json::Value& list, std::int64_t item);
    Result<void> pass_item(json::Value& item, std::int64_t at);
    Result<void> pass_output(json::Value& response);
    std::string close_blocked();
    std::string end_labels();
    void add_label(json::Value& response) const;
    std::string event(json::Value value);

    AnswerRules rules_;
    std::map<Key, Part> parts_;
    std::map<std::int64_t, Item> items_;
    std::map<std::int64_t, std::string> names_;  // of tools, by the item that calls them
    json::Value frame_;                          // the response as it began
    json::Value last_;                           // the final event, as it will go out
    std::string before_;
    std::int64_t sequence_ = 0;
};

}  // namespace colophon::gateway
