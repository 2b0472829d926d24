// SPDX-License-Identifier: Apache-2.0
#pragma once

// A master key inside a PKCS#11 token (OASIS, version 2.40): data keys go in and come out by
// C_Encrypt and C_Decrypt with CKM_AES_GCM; the key itself stays where it is.

#include "core/random.h"
#include "storage/master_key.h"

#include <memory>
#include <string>
#include <string_view>

namespace colophon::storage {

struct Pkcs11Uri {
    std::string token;
    std::string object;
    std::string module_path;
    std::string pin_source;  // "file:..." or "env:..."
};

// Error{kInvalidArgument} names what is missing, unknown or badly escaped.
Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view address);

Result<std::unique_ptr<MasterKey>> open_pkcs11_key(const Pkcs11Uri& uri, const std::string& pin,
                                                   Random& random);

}  // namespace colophon::storage
