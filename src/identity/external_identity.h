// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who somebody is for a sign-in provider: its address and its own name for the person, which is
// unique there and says nothing elsewhere.

#include <string>

namespace colophon::identity {

struct ExternalIdentity {
    std::string issuer;
    std::string subject;
};

}  // namespace colophon::identity
