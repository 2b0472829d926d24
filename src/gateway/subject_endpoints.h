// SPDX-License-Identifier: Apache-2.0
#pragma once

// The end users of a tenant over HTTP [DSP-9]: registered, verified by one of the four means,
// looked at. An application with the right "subjects" calls these for its users; providers that
// answer later call the last one, which believes nothing but their signature.
//
//   POST /api/subjects                       register: {"subject","kind"}
//   GET  /api/subjects/standing              by the header Colophon-Subject
//   POST /api/subjects/verifications         ask the providers: {"subject","means","name","number"}
//   POST /api/subjects/codes                 a code for a mobile number: {"subject","number"}
//   POST /api/subjects/codes/confirmations   {"subject","number","code"}
//   POST /api/providers/{name}/callbacks

#include "core/thread_pool.h"
#include "gateway/gateway.h"
#include "identity/provider_chain.h"
#include "identity/subjects.h"
#include "ledger/conduct.h"

#include <functional>

namespace colophon::gateway {

// All of it outlives the gateway.
struct SubjectParts {
    // The subjects, with records in the name of an actor.
    std::function<identity::Subjects(ledger::Actor)> subjects;
    identity::ProviderChain& providers;
    // Of its own: a provider that hangs must not hold up the keys of other calls.
    ThreadPool& waiting;
};

void add_subject_routes(Gateway& gateway, const SubjectParts& parts);

}  // namespace colophon::gateway
