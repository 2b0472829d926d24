// SPDX-License-Identifier: Apache-2.0
#pragma once

// The key over all keys: it seals the data keys (storage/data_keys.h) and nothing else. It lives in
// a file, in the environment, or in a PKCS#11 token that never gives it away.
//
//   file:/etc/colophon/master.key    64 hexadecimal digits; only its owner may read the file
//   env:NAME                         the same digits in a variable of the environment
//   pkcs11:token=LABEL;object=LABEL?module-path=/usr/lib/libx.so&pin-source=file:/etc/colophon/pin
//                                    RFC 7512; an AES key of 256 bits; pin-source may be env:NAME

#include "core/bytes.h"
#include "core/random.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::storage {

// Tells one master key from another; says nothing about its bits.
using MasterKeyId = std::array<std::uint8_t, 8>;

// Whose data key is wrapped: bound to the wrapped bytes, so that rows cannot be exchanged.
struct DataKeyName {
    std::string_view owner;
    std::uint32_t generation = 0;
};

class MasterKey {
public:
    MasterKey() = default;
    MasterKey(const MasterKey&) = delete;
    MasterKey& operator=(const MasterKey&) = delete;
    MasterKey(MasterKey&&) = delete;
    MasterKey& operator=(MasterKey&&) = delete;
    virtual ~MasterKey() = default;

    virtual const MasterKeyId& id() const noexcept = 0;
    virtual Result<Buffer> wrap(const Secret& key, const DataKeyName& name) = 0;
    // Error{kCorrupt} when `wrapped` is not what this key wrapped under that name.
    virtual Result<Secret> unwrap(Bytes wrapped, const DataKeyName& name) = 0;
};

// Error{kInvalidArgument} for a source that is none of the three or a key of the wrong form,
// Error{kNotFound} when it is not there, Error{kDenied} when a file may be read by others or the
// token refuses, Error{kUnavailable} when the token does not answer. No message holds a secret.
// `suite` is that of keys from files and the environment; tokens use AES-256-GCM. `random` must
// outlive the key. Threads: any method from any thread.
Result<std::unique_ptr<MasterKey>> open_master_key(std::string_view source, Suite suite,
                                                   Random& random);

// What a new key's file holds: 64 hexadecimal digits and a line end.
Result<std::string> new_master_key_text(Random& random);

}  // namespace colophon::storage
