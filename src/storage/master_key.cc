// SPDX-License-Identifier: Apache-2.0
#include "storage/master_key.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/internal/hmac.h"
#include "storage/pkcs11.h"
#include "storage/sealing.h"
#include "storage/secret.h"
#include "storage/secret_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {
namespace {

class SoftwareKey final : public MasterKey {
public:
    SoftwareKey(Secret key, Suite suite, Random& random)
        : key_(std::move(key)), suite_(suite), random_(random) {
        const Digest256 digest =
            hmac(DigestAlgorithm::kSha256, key_.bytes(), {as_bytes("colophon master key id 1")});
        std::copy_n(digest.begin(), id_.size(), id_.begin());
    }

    const MasterKeyId& id() const noexcept override { return id_; }

    Result<Buffer> wrap(const Secret& key, const DataKeyName& name) override {
        return seal(key_, context(name), {.suite = suite_, .generation = name.generation},
                    key.bytes(), random_);
    }

    Result<Secret> unwrap(Bytes wrapped, const DataKeyName& name) override {
        // The generation stands in the header, which is bound.
        if (TRY(read_sealed_header(wrapped)).generation != name.generation) {
            return Error{ErrorCode::kCorrupt, "a wrapped data key is that of another generation"};
        }
        Buffer bytes = TRY(unseal(key_, context(name), wrapped));
        if (bytes.size() != kSecretBytes) {
            wipe(bytes);
            return Error{ErrorCode::kCorrupt, "a wrapped data key has the wrong size"};
        }
        Secret key(bytes);
        wipe(bytes);
        return key;
    }

private:
    static SealContext context(const DataKeyName& name) {
        return {.owner = name.owner, .purpose = "colophon data key", .id = {}};
    }

    Secret key_;
    Suite suite_;
    Random& random_;
    MasterKeyId id_{};
};

// Wraps inside a token:
//
//   wrapped | version 1 | nonce 12 bytes | AES-GCM of the data key | tag 16 bytes |
class TokenKey final : public MasterKey {
public:
    TokenKey(const Pkcs11Uri& uri, std::unique_ptr<Pkcs11Key> key, Random& random)
        : key_(std::move(key)), random_(random) {
        const Digest256 digest = sha256(as_bytes(
            fmt::format("colophon master key id 1 pkcs11\n{}\n{}", uri.token, uri.object)));
        std::copy_n(digest.begin(), id_.size(), id_.begin());
    }

    const MasterKeyId& id() const noexcept override { return id_; }

    Result<Buffer> wrap(const Secret& key, const DataKeyName& name) override {
        Buffer wrapped(kTokenWrappedBytes);
        wrapped[0] = kTokenWrappedVersion;
        const std::span<std::uint8_t> nonce = std::span(wrapped).subspan(1, kNonceBytes);
        TRY(random_.fill(nonce));
        TRY(key_->encrypt(nonce, context(name), key.bytes(),
                          std::span(wrapped).subspan(1 + kNonceBytes)));
        return wrapped;
    }

    Result<Secret> unwrap(Bytes wrapped, const DataKeyName& name) override {
        if (wrapped.size() != kTokenWrappedBytes || wrapped[0] != kTokenWrappedVersion) {
            return Error{ErrorCode::kCorrupt, "a wrapped data key is not of a PKCS#11 token"};
        }
        Buffer out(kSecretBytes + kTagBytes);
        const auto opened = key_->decrypt(wrapped.subspan(1, kNonceBytes), context(name),
                                          wrapped.subspan(1 + kNonceBytes), out);
        if (!opened.ok()) {
            wipe(out);
            return opened.error().code == ErrorCode::kCorrupt
                       ? Error{ErrorCode::kCorrupt,
                               "a wrapped data key does not open: it, its owner or the master key "
                               "is not that with which it was wrapped"}
                       : opened.error();
        }
        Secret key(out);
        wipe(out);
        return key;
    }

private:
    static constexpr std::uint8_t kTokenWrappedVersion = 1;
    static constexpr std::size_t kNonceBytes = 12;
    static constexpr std::size_t kTagBytes = 16;
    static constexpr std::size_t kTokenWrappedBytes = 1 + kNonceBytes + kSecretBytes + kTagBytes;

    static Buffer context(const DataKeyName& name) {
        Buffer place = to_buffer("colophon data key 1");
        append_be32(place, name.generation);
        append(place, name.owner);
        return place;
    }

    std::unique_ptr<Pkcs11Key> key_;
    Random& random_;
    MasterKeyId id_{};
};

Result<Secret> parse_key(std::string_view text, std::string_view source) {
    const Error wrong{ErrorCode::kInvalidArgument,
                      fmt::format("the master key in {} must be {} hexadecimal digits", source,
                                  2 * kSecretBytes)};
    if (text.size() != 2 * kSecretBytes) {
        return wrong;
    }
    Result<Buffer> bytes = from_hex(text);
    if (!bytes.ok()) {
        return wrong;
    }
    Secret key(*bytes);
    wipe(*bytes);
    // What a file that was only made and never filled would hold.
    if (std::ranges::all_of(key.bytes(), [&](std::uint8_t b) { return b == key.bytes()[0]; })) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("the master key in {} is one byte repeated, which is no key", source)};
    }
    return key;
}

}  // namespace

Result<std::unique_ptr<MasterKey>> open_master_key(std::string_view source, Suite suite,
                                                   Random& random) {
    if (source.starts_with("pkcs11:")) {
        const Pkcs11Uri uri = TRY(parse_pkcs11_uri(source));
        std::unique_ptr<Pkcs11Key> key = TRY(Pkcs11Key::open(uri, Pkcs11Kind::kAes));
        return std::unique_ptr<MasterKey>(std::make_unique<TokenKey>(uri, std::move(key), random));
    }
    const SecretText text = TRY(read_secret(source, SecretFile::kOwnerOnly));
    Secret key = TRY(parse_key(text.text(), source));
    return std::unique_ptr<MasterKey>(std::make_unique<SoftwareKey>(std::move(key), suite, random));
}

Result<std::string> new_master_key_text(Random& random) {
    Secret key;
    TRY(random.fill(key.writable()));
    return to_hex(key.bytes()) + "\n";
}

}  // namespace colophon::storage
