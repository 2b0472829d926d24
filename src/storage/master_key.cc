// SPDX-License-Identifier: Apache-2.0
#include "storage/master_key.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/internal/hmac.h"
#include "storage/internal/pkcs11_key.h"
#include "storage/sealing.h"
#include "storage/secret.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {
namespace {

constexpr std::size_t kSecretFileBytesMax = 4096;
constexpr std::string_view kBlanks = " \t\r\n";

// Text that is overwritten when it goes.
class SecretText {
public:
    explicit SecretText(std::string text) : text_(std::move(text)) {}
    ~SecretText() { wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()}); }
    SecretText(SecretText&&) = default;
    SecretText& operator=(SecretText&&) = delete;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;

    // Without the blanks at both ends.
    std::string_view text() const {
        const std::string_view all = text_;
        const std::size_t first = all.find_first_not_of(kBlanks);
        return first == std::string_view::npos
                   ? std::string_view()
                   : all.substr(first, all.find_last_not_of(kBlanks) - first + 1);
    }

private:
    std::string text_;
};

Error file_error(const std::string& path) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::kNotFound
                           : errno == EACCES ? ErrorCode::kDenied
                                             : ErrorCode::kUnavailable;
    return Error{code, fmt::format("cannot read the secret in {}: {}", path, std::strerror(errno))};
}

Result<SecretText> read_from(int fd, const std::string& path) {
    struct stat facts{};
    if (::fstat(fd, &facts) != 0) {
        return file_error(path);
    }
    constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
    if ((facts.st_mode & kOthers) != 0) {
        return Error{ErrorCode::kDenied,
                     fmt::format("the secret in {} may be read by others than its owner: set its "
                                 "mode to 600",
                                 path)};
    }
    std::string text(kSecretFileBytesMax + 1, '\0');
    const ssize_t got = ::read(fd, text.data(), text.size());
    if (got < 0) {
        return file_error(path);
    }
    if (static_cast<std::size_t>(got) > kSecretFileBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("the secret in {} is larger than {} bytes",
                                                    path, kSecretFileBytesMax)};
    }
    std::fill(text.begin() + got, text.end(), ' ');
    return SecretText(std::move(text));
}

// "file:PATH" or "env:NAME".
Result<SecretText> read_secret(std::string_view source) {
    if (source.starts_with("file:")) {
        const std::string path(source.substr(5));
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return file_error(path);
        }
        Result<SecretText> text = read_from(fd, path);
        ::close(fd);
        return text;
    }
    if (source.starts_with("env:")) {
        const std::string name(source.substr(4));
        const char* value = std::getenv(name.c_str());
        if (value == nullptr || *value == '\0') {
            return Error{ErrorCode::kNotFound,
                         fmt::format("the variable {} of the environment is not set", name)};
        }
        return SecretText(value);
    }
    return Error{ErrorCode::kInvalidArgument,
                 "a secret comes from file:PATH or env:NAME, not from the configuration itself"};
}

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
        const SecretText pin = TRY(read_secret(uri.pin_source));
        return open_pkcs11_key(uri, std::string(pin.text()), random);
    }
    const SecretText text = TRY(read_secret(source));
    Secret key = TRY(parse_key(text.text(), source));
    return std::unique_ptr<MasterKey>(std::make_unique<SoftwareKey>(std::move(key), suite, random));
}

Result<std::string> new_master_key_text(Random& random) {
    Secret key;
    TRY(random.fill(key.writable()));
    return to_hex(key.bytes()) + "\n";
}

}  // namespace colophon::storage
