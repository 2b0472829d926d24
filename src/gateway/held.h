// SPDX-License-Identifier: Apache-2.0
#pragma once

// What review held goes before people (review/queue.h), and the caller gets a ticket for it
// [DSP-10]. Of a request: once it is released, the same request passes that names the ticket in the
// header Colophon-Ticket (several with
// commas between them, where it was held for several reasons). Of an answer: it waits with all its
// marks, and is had by the ticket (gateway/ticket_endpoints.cc), which is a call with a record of
// its own.

#include "core/bytes.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/media_label.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "review/queue.h"
#include "review/review.h"
#include "review/scope.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::gateway {

inline constexpr const char* kTicketHeader = "colophon-ticket";
inline constexpr std::size_t kTicketsMax = 8;  // of one request

struct Holding {
    review::Stage stage = review::Stage::kOutput;
    std::string text;  // what a person reads
    Buffer file;       // and sees
    std::string media_type;
    std::optional<review::WaitingAnswer> answer;
};

// Gives the refusal a ticket. What is too large to wait has none, and stays refused; when the queue
// fails, the refusal says that instead.
Task<void> hold(const Stages& stages, Call& call, Holding holding, Refusal& refusal);

// Nothing of this call goes out, so its number and label are those of the answer that waits.
void hand_over_label(Call& call, review::WaitingAnswer& answer);

// The same of a file that has its label, which is what the caller gets once people released it.
// They see what `holding` has, before it was labelled.
Task<void> hold_labelled(const Stages& stages, Call& call, Holding holding,
                         const LabelledContent& labelled, Refusal& refusal);

// What was only flagged comes before people afterwards, where the rules of the queue say so. The
// call goes on whatever comes of it; its record says which items they are.
Task<void> queue_flagged(const Stages& stages, Call& call);
// Whether the file of so many bytes that was flagged last is to come before people. One that is too
// large for them is flagged no more, and the record says so.
bool keep_flagged(const Stages& stages, Call& call, std::uint64_t bytes);
// The flagged verdict of that stage, if the last one was, was about this.
void note_flagged(const Stages& stages, Call& call, Bytes file, std::string_view media_type);
void note_flagged(const Stages& stages, Call& call, std::string_view text);

struct HeldInput {
    std::string_view text;
    Bytes file;
    std::string_view media_type;
    review::Verdict& verdict;  // that held it
};
// Nothing when people have released it; the verdict is kept either way.
Task<std::optional<Refusal>> held_input(const Stages& stages, Call& call, HeldInput input);

}  // namespace colophon::gateway
