// SPDX-License-Identifier: Apache-2.0
#include "storage/secret_source.h"

#include "core/bytes.h"
#include "core/result.h"
#include "storage/secret.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::storage {
namespace {

constexpr std::size_t kSecretFileBytesMax = 4096;
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kFile = "file:";
constexpr std::string_view kVariable = "env:";

Error file_error(const std::string& path) {
    const ErrorCode code = errno == ENOENT   ? ErrorCode::kNotFound
                           : errno == EACCES ? ErrorCode::kDenied
                                             : ErrorCode::kUnavailable;
    return Error{code, fmt::format("cannot read the secret in {}: {}", path, std::strerror(errno))};
}

Result<SecretText> read_from(int fd, const std::string& path, SecretFile file) {
    struct stat facts{};
    if (::fstat(fd, &facts) != 0) {
        return file_error(path);
    }
    constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
    if (file == SecretFile::kOwnerOnly && (facts.st_mode & kOthers) != 0) {
        return Error{ErrorCode::kDenied,
                     fmt::format("the secret in {} may be read by others than its owner: set its "
                                 "mode to 600",
                                 path)};
    }
    std::string text(kSecretFileBytesMax + 1, '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t got = ::read(fd, text.data() + have, text.size() - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            const Error error = file_error(path);
            const SecretText wiped(std::move(text));
            return error;
        }
        if (got == 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    const bool fits = have <= kSecretFileBytesMax;
    text.resize(have);
    SecretText secret(std::move(text));
    if (!fits) {
        return Error{ErrorCode::kLimit, fmt::format("the secret in {} is larger than {} bytes",
                                                    path, kSecretFileBytesMax)};
    }
    return secret;
}

}  // namespace

SecretText::~SecretText() {
    wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()});
}

std::string_view SecretText::text() const {
    const std::string_view all = text_;
    const std::size_t first = all.find_first_not_of(kBlanks);
    return first == std::string_view::npos
               ? std::string_view()
               : all.substr(first, all.find_last_not_of(kBlanks) - first + 1);
}

bool is_secret_source(std::string_view text) noexcept {
    return text.starts_with(kFile) || text.starts_with(kVariable);
}

Result<SecretText> read_secret(std::string_view source, SecretFile file) {
    if (source.starts_with(kFile)) {
        const std::string path(source.substr(kFile.size()));
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return file_error(path);
        }
        Result<SecretText> text = read_from(fd, path, file);
        ::close(fd);
        return text;
    }
    if (source.starts_with(kVariable)) {
        const std::string name(source.substr(kVariable.size()));
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

}  // namespace colophon::storage
