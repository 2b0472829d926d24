// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a secret stands that a setting only names: "file:PATH" or "env:NAME". The one place that
// reads them; master keys, addresses of stores, keys of S3, PINs and passwords all come this way.

#include "core/bytes.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {

// Text that is overwritten when it goes.
class SecretText {
public:
    explicit SecretText(std::string text) : text_(std::move(text)) {}
    ~SecretText();
    SecretText(SecretText&&) = default;
    SecretText& operator=(SecretText&&) = delete;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;

    // Without the blanks at both ends.
    std::string_view text() const;

private:
    std::string text_;
};

// Who may read the file of a secret: keys are refused when others than the owner can, what an
// orchestrator mounts (an address, a password of another service) is taken as it lies.
enum class SecretFile : std::uint8_t { kOwnerOnly, kAny };

bool is_secret_source(std::string_view text) noexcept;

// Error{kInvalidArgument} for a text that is neither form, kNotFound when it is not there, kDenied
// for a file that this process may not read or that others may, kLimit above 4 KiB. The content is
// in no message.
Result<SecretText> read_secret(std::string_view source, SecretFile file);

}  // namespace colophon::storage
