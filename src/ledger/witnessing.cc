// SPDX-License-Identifier: Apache-2.0
#include "ledger/witnessing.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/result.h"
#include "ledger/checkpoint.h"
#include "ledger/limits.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/witness.h"

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

std::string request_url(std::string_view url) {
    if (url.ends_with('/')) {
        url.remove_suffix(1);
    }
    return fmt::format("{}/add-checkpoint", url);
}

}  // namespace

Result<std::vector<NoteSignature>> Witnesses::ask_once(Seat& seat, const Asked& asked,
                                                       bool& stale) {
    const Tree& tree = asked.checkpoint.tree;
    stale = false;
    Hashes proof;
    if (seat.size > 0 && seat.size < tree.size) {
        proof = TRY(consistency_proof(seat.size, tree.size, asked.nodes));
    }
    const std::string body = TRY(format_add_checkpoint(seat.size, proof, asked.note));
    HttpRequest request;
    request.method = "POST";
    request.url = request_url(seat.address.url);
    request.headers = {{"content-type", "text/plain; charset=utf-8"}};
    request.body = as_bytes(body);
    request.connect_max = options_.request_max;
    request.total_max = options_.request_max;
    request.response_bytes_max = limits::kWitnessReplyBytesMax;
    const HttpResponse response = TRY(exchange_(request));
    WitnessAnswer answer = read_witness_answer(response.status, as_text(response.body), asked.text,
                                               std::span(&seat.address.key, 1), clock_.now());
    switch (answer.verdict) {
        case WitnessVerdict::kCosigned:
            seat.size = tree.size;
            return std::move(answer.cosignatures);
        case WitnessVerdict::kStale:
            if (answer.size > tree.size) {
                seat.state.ahead = true;
                return Error{ErrorCode::kConflict,
                             fmt::format("the witness has seen {} entries of this log, which has "
                                         "{}: it was put back to an older state",
                                         answer.size, tree.size)};
            }
            seat.size = answer.size;
            stale = true;
            return std::vector<NoteSignature>{};
        case WitnessVerdict::kRefused:
            break;
    }
    return Error{ErrorCode::kDenied, answer.why};
}

std::vector<NoteSignature> Witnesses::ask(Seat& seat, const Asked& asked) {
    seat.state.cosigned = false;
    if (clock_.now() < seat.ask_again) {
        return {};  // why it is left alone stands in its state
    }
    bool stale = false;
    auto signatures = ask_once(seat, asked, stale);
    if (signatures.ok() && stale) {
        signatures = ask_once(seat, asked, stale);
    }
    if (signatures.ok() && !signatures->empty()) {
        seat.state.cosigned = true;
        seat.state.why.clear();
        seat.state.ahead = false;
        return std::move(signatures).value();
    }
    seat.state.why = signatures.ok() ? "the witness changes its mind about the size of this log"
                                     : signatures.error().what;
    seat.ask_again = clock_.now() + options_.left_alone;
    return {};
}

Result<std::string> Witnesses::cosign(const std::string& signed_checkpoint,
                                      const Checkpoint& checkpoint, const ReadNode& nodes) {
    const Note note = TRY(parse_note(signed_checkpoint));
    std::vector<NoteSignature> all;
    for (Seat& seat : seats_) {
        for (NoteSignature& each : ask(seat, {.note = signed_checkpoint,
                                              .text = note.text,
                                              .checkpoint = checkpoint,
                                              .nodes = nodes})) {
            all.push_back(std::move(each));
        }
    }
    return add_signatures(signed_checkpoint, all);
}

std::vector<WitnessState> Witnesses::states() const {
    std::vector<WitnessState> states;
    states.reserve(seats_.size());
    for (const Seat& seat : seats_) {
        states.push_back(seat.state);
    }
    return states;
}

}  // namespace colophon::ledger
