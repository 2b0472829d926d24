// SPDX-License-Identifier: Apache-2.0
#pragma once

// Passwords from a person: typed twice without being shown on a terminal, one line from a pipe.

#include "core/result.h"
#include "storage/secret_source.h"

#include <string>

namespace colophon::cli {

// "prompt", or a source of storage::read_secret(). kInvalidArgument when the two do not agree or
// nothing was typed.
Result<storage::SecretText> read_password(const std::string& source);

}  // namespace colophon::cli
