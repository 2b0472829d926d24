// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a service tells its manager, and what it is given by it (sd_notify(3), sd_listen_fds(3)).
// Without a manager all of this does nothing.

#include "core/result.h"

#include <string_view>
#include <vector>

namespace colophon::http {

// "READY=1", "STOPPING=1", "RELOADING=1", "STATUS=..."; to $NOTIFY_SOCKET when there is one.
Result<void> notify_manager(std::string_view state);
// The sockets that were opened for this process, or none.
std::vector<int> inherited_sockets();

}  // namespace colophon::http
