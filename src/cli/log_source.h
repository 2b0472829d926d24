// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where `colophon ledger` finds logs, keys and policies: folders, addresses, files of the user.

#include "core/bytes.h"
#include "ledger/policy.h"
#include "ledger/tiles.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"

#include <optional>
#include <string>
#include <vector>

namespace colophon::cli {

// The files of a log below a folder. A name that is not there is nothing, no error.
ledger::verify::Fetch folder_fetch(const std::string& folder);
// The same below an address, over HTTP: 404 and 410 are nothing, other statuses errors.
Result<ledger::verify::Fetch> url_fetch(const std::string& address);
bool is_url(const std::string& text);
// Either of both.
Result<ledger::verify::Fetch> open_log(const std::string& place);
// The same as tiles, for proofs.
ledger::ReadTile tiles_of_log(const ledger::verify::Fetch& fetch);

// Whose signatures count.
struct Trust {
    std::vector<ledger::verify::Key> keys;  // of logs and witnesses
    std::optional<ledger::Policy> policy;
};
// Each of `keys` is a key's text or a file that holds it, one a line; `policy` a file or empty.
// kInvalidArgument when there is no key of a log.
Result<Trust> open_trust(const std::vector<std::string>& keys, const std::string& policy);

// Whether the witnesses that the policy asks for signed; true without a policy.
bool quorum_met(const Trust& trust, const ledger::verify::SignedCheckpoint& checkpoint);

}  // namespace colophon::cli
