// SPDX-License-Identifier: Apache-2.0
#pragma once

// Asking witnesses to cosign: C2SP tlog-witness, over an HTTP exchange. Each witness is told how
// the new checkpoint extends what it signed last, and signs that it has seen no other history. A
// witness that knows another size is asked again from there; one that fails is left alone for a
// while, so that a log does not wait for a witness that is down.
//
// Not safe to call from two threads at once: one sequencer has one.

#include "core/clock.h"
#include "core/http_exchange.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::ledger {

struct WitnessAddress {
    NoteVerifier key;  // of type 0x04
    std::string url;   // "https://witness.example"; "/add-checkpoint" comes behind it
};

struct WitnessState {
    std::string name;
    bool cosigned = false;  // the last checkpoint
    // What went wrong, without any text of the witness; empty when nothing did.
    std::string why;
    // The witness has seen more entries than this log has: it was put back to an older state, and
    // going on would sign a second history.
    bool ahead = false;
};

class Witnesses {
public:
    struct Options {
        std::chrono::milliseconds request_max{2'000};
        std::chrono::milliseconds left_alone{30'000};  // after a failure
    };
    Witnesses(std::vector<WitnessAddress> witnesses, HttpExchange exchange, Clock& clock,
              const Options& options)
        : exchange_(std::move(exchange)), clock_(clock), options_(options) {
        for (WitnessAddress& each : witnesses) {
            seats_.push_back({.address = std::move(each), .state = {}, .size = 0, .ask_again = {}});
            seats_.back().state.name = seats_.back().address.key.name();
        }
    }

    // The signed checkpoint with the cosignatures that could be got; `nodes` are those of its tree.
    // Never fails because of a witness.
    Result<std::string> cosign(const std::string& signed_checkpoint, const Checkpoint& checkpoint,
                               const ReadNode& nodes);

    // As the last cosign() left them, in the order given.
    std::vector<WitnessState> states() const;

private:
    struct Seat {
        WitnessAddress address;
        WitnessState state;
        std::uint64_t size = 0;  // that the witness is believed to know
        Time ask_again;
    };
    struct Asked {
        const std::string& note;
        const std::string& text;  // of the note, which is cosigned
        const Checkpoint& checkpoint;
        const ReadNode& nodes;
    };
    std::vector<NoteSignature> ask(Seat& seat, const Asked& asked);
    Result<std::vector<NoteSignature>> ask_once(Seat& seat, const Asked& asked, bool& stale);

    HttpExchange exchange_;
    Clock& clock_;
    Options options_;
    std::vector<Seat> seats_;
};

}  // namespace colophon::ledger
