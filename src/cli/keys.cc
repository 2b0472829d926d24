// SPDX-License-Identifier: Apache-2.0
#include "cli/keys.h"

#include "cli/config.h"
#include "cli/files.h"
#include "cli/terminal.h"
#include "core/bytes.h"
#include "core/result.h"
#include "label/metadata/security_data.h"
#include "label/watermark/key.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kKeyBytesMax = 64U << 10U;
constexpr const char* kLocalKeyName = "/label-key.pem";

Result<label::SigningKey> read_key(const std::string& path) {
    const std::string pem = TRY(read_small_file(path, kKeyBytesMax));
    auto key = label::SigningKey::from_pem(pem);
    if (!key.ok()) {
        return with_context(key.error(), path);
    }
    return key;
}

Result<label::SigningKey> make_local_key(const std::string& folder) {
    TRY(make_folders(folder));
    const std::string path = folder + kLocalKeyName;
    label::SigningKey key = TRY(label::SigningKey::generate());
    const auto written = write_secret_file(path, TRY(key.to_pem()));
    if (!written.ok() && written.error().code == ErrorCode::kConflict) {
        // Another process was quicker: its key is the local key.
        return read_key(path);
    }
    TRY(written);
    write_text(2, fmt::format("{} {}\n",
                              tr("A key that signs your labels was made:",
                                 "已生成用于签署标识的本地密钥："),
                              path));
    return key;
}

}  // namespace

Result<std::optional<label::SigningKey>> open_signing_key(const std::string& path) {
    if (path == "none") {
        return std::optional<label::SigningKey>();
    }
    if (!path.empty()) {
        return std::optional(TRY(read_key(path)));
    }
    const std::string folder = TRY(user_config_folder());
    const std::string local = folder + kLocalKeyName;
    if (access(local.c_str(), F_OK) == 0) {
        return std::optional(TRY(read_key(local)));
    }
    return std::optional(TRY(make_local_key(folder)));
}

Result<std::vector<label::TrustedKey>> open_trusted_keys(const std::vector<std::string>& paths) {
    std::vector<label::TrustedKey> keys;
    for (const std::string& path : paths) {
        const std::string pem = TRY(read_small_file(path, kKeyBytesMax));
        auto key =
            label::trusted_key_from_pem(std::filesystem::path(path).filename().string(), pem);
        if (!key.ok()) {
            return with_context(key.error(), path);
        }
        keys.push_back(std::move(key).value());
    }
    const auto folder = user_config_folder();
    const std::string local = folder.ok() ? *folder + kLocalKeyName : std::string();
    if (!local.empty() && access(local.c_str(), R_OK) == 0) {
        const label::SigningKey key = TRY(read_key(local));
        keys.push_back({.name = "local", .public_key = key.public_key()});
    }
    return keys;
}

Result<label::WatermarkKey> open_watermark_key(const std::string& path) {
    constexpr std::size_t kBytesMax = 256;
    std::string text = TRY(read_small_file(path, kBytesMax));
    text.erase(text.find_last_not_of(" \r\n\t") + 1);
    const Result<Buffer> bytes = from_hex(text);
    label::WatermarkKey key;
    if (!bytes.ok() || bytes->size() != key.bytes.size()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} is no watermark key: it takes 64 hexadecimal digits, as "
                                 "\"openssl rand -hex 32\" writes them",
                                 path)};
    }
    std::ranges::copy(*bytes, key.bytes.begin());
    return key;
}

}  // namespace colophon::cli
