// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files that somebody only names: fetched here, so that what was reviewed and labelled is what is
// passed on, and the address reaches nobody.

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "http/upstream.h"

#include <string>

namespace colophon::gateway {

// The address is somebody else's text: only public ones are followed, and those of `own`, a server
// of ours, where it is given.
Task<Result<Buffer>> fetch_file(Gateway& gateway, Call& call, std::string address,
                                const http::Url* own = nullptr);

}  // namespace colophon::gateway
