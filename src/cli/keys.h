// SPDX-License-Identifier: Apache-2.0
#pragma once

// The key that signs metadata labels. Without one in the options a local key is made on first use.

#include "core/result.h"
#include "label/metadata/security_data.h"
#include "label/watermark/key.h"

#include <optional>
#include <string>
#include <vector>

namespace colophon::cli {

// `path`: a PEM file; "none": no signature (nothing is returned); empty: the local key, which is
// made on first use, and the user is told where.
Result<std::optional<label::SigningKey>> open_signing_key(const std::string& path);

// A watermark key: a file of 64 hexadecimal digits, as `openssl rand -hex 32` writes.
// kInvalidArgument names the file.
Result<label::WatermarkKey> open_watermark_key(const std::string& path);

// The public keys in PEM files, and the local key's when there is one.
Result<std::vector<label::TrustedKey>> open_trusted_keys(const std::vector<std::string>& paths);

}  // namespace colophon::cli
