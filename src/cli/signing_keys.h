// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keys that sign Content Credentials and are not in a file of ours:
//
//   pkcs11:token=LABEL;object=LABEL?module-path=...&pin-source=...   inside a token
//   command:PROGRAM ARGUMENT...   a program: the message on its standard input, the signature on
//                                 its standard output; COLOPHON_SIGN_ALGORITHM says "ES256"
//   https://HOST/PATH             a service: POST of the message, the signature in the answer;
//                                 the header Colophon-Sign-Algorithm says "ES256"
//
// The signature is plain bytes: of ECDSA r and s of equal length, or DER.

#include "core/result.h"
#include "label/provenance/certificate.h"

#include <memory>
#include <string>
#include <string_view>

namespace colophon::cli {

// Whether the text has one of the forms above; otherwise it names a file.
bool is_remote_key(std::string_view source) noexcept;

// `token`: file:PATH or env:NAME of what a service wants as "Authorization: Bearer"; may be empty.
// kInvalidArgument: none of the forms, plain http to another machine. What else goes wrong is found
// when the key first signs, of a token at once.
Result<std::shared_ptr<label::provenance::SigningKey>> open_remote_key(const std::string& source,
                                                                       const std::string& token);

}  // namespace colophon::cli
