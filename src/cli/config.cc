// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include "cli/files.h"
#include "core/result.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kConfigBytesMax = 1U << 20U;

// One row for each key of the section [label].
struct TextKey {
    std::string_view name;
    std::string LabelConfig::* field;
};
constexpr std::array kLabelKeys{
    TextKey{"producer", &LabelConfig::producer},
    TextKey{"producer_name", &LabelConfig::producer_name},
    TextKey{"propagator", &LabelConfig::propagator},
    TextKey{"system", &LabelConfig::system},
    TextKey{"profile", &LabelConfig::profile},
    TextKey{"language", &LabelConfig::language},
    TextKey{"service", &LabelConfig::service},
    TextKey{"marks", &LabelConfig::marks},
    TextKey{"origin", &LabelConfig::origin},
    TextKey{"text", &LabelConfig::text},
    TextKey{"position", &LabelConfig::position},
    TextKey{"sound", &LabelConfig::sound},
    TextKey{"recording", &LabelConfig::recording},
    TextKey{"metadata_key", &LabelConfig::metadata_key},
    TextKey{"metadata_key_id", &LabelConfig::metadata_key_id},
    TextKey{"font", &LabelConfig::font},
    TextKey{"sign_key", &LabelConfig::sign_key},
    TextKey{"sign_cert", &LabelConfig::sign_cert},
    TextKey{"time_stamp", &LabelConfig::time_stamp},
};

// One row for each key of the section [verify], all lists of files.
struct ListKey {
    std::string_view name;
    std::vector<std::string> VerifyConfig::* field;
    const char* variable;
};
constexpr std::array kVerifyKeys{
    ListKey{"trust", &VerifyConfig::trust, "COLOPHON_VERIFY_TRUST"},
    ListKey{"trust_list", &VerifyConfig::trust_list, "COLOPHON_VERIFY_TRUST_LIST"},
    ListKey{"tsa_list", &VerifyConfig::tsa_list, "COLOPHON_VERIFY_TSA_LIST"},
};

struct StorageKey {
    std::string_view name;
    std::string StorageConfig::* field;
    const char* variable;
};
constexpr std::array kStorageKeys{
    StorageKey{"data", &StorageConfig::data, "COLOPHON_STORAGE_DATA"},
    StorageKey{"url", &StorageConfig::url, "COLOPHON_STORAGE_URL"},
};

Error wrong(const std::string& path, const toml::node& node, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}, line {}: {}", path, node.source().begin.line, what)};
}

Result<void> read_label(const std::string& path, const toml::table& section, LabelConfig& label) {
    for (const auto& [key, node] : section) {
        const auto* row = std::ranges::find(kLabelKeys, key.str(), &TextKey::name);
        if (row == kLabelKeys.end()) {
            return wrong(path, node, fmt::format("[label] has no key \"{}\"", key.str()));
        }
        const auto value = node.value<std::string>();
        if (!value) {
            return wrong(path, node, fmt::format("{} must be a text in quotes", key.str()));
        }
        label.*(row->field) = *value;
    }
    return {};
}

Result<void> read_verify(const std::string& path, const toml::table& section,
                         VerifyConfig& verify) {
    for (const auto& [key, node] : section) {
        const auto* row = std::ranges::find(kVerifyKeys, key.str(), &ListKey::name);
        if (row == kVerifyKeys.end()) {
            return wrong(path, node, fmt::format("[verify] has no key \"{}\"", key.str()));
        }
        const toml::array* list = node.as_array();
        if (list == nullptr) {
            return wrong(path, node, fmt::format("{} must be a list of files", key.str()));
        }
        for (const toml::node& each : *list) {
            const auto value = each.value<std::string>();
            if (!value) {
                return wrong(path, each, fmt::format("{} must be a list of files", key.str()));
            }
            (verify.*(row->field)).push_back(*value);
        }
    }
    return {};
}

Result<void> read_storage(const std::string& path, const toml::table& section,
                          StorageConfig& storage) {
    for (const auto& [key, node] : section) {
        const auto* row = std::ranges::find(kStorageKeys, key.str(), &StorageKey::name);
        if (row == kStorageKeys.end()) {
            return wrong(path, node, fmt::format("[storage] has no key \"{}\"", key.str()));
        }
        const auto value = node.value<std::string>();
        if (!value) {
            return wrong(path, node, fmt::format("{} must be a text in quotes", key.str()));
        }
        storage.*(row->field) = *value;
    }
    return {};
}

// A variable replaces both keys, since they exclude each other.
void read_storage_environment(StorageConfig& storage) {
    StorageConfig named;
    bool any = false;
    for (const StorageKey& row : kStorageKeys) {
        const char* value = std::getenv(row.variable);
        if (value != nullptr && *value != '\0') {
            named.*(row.field) = value;
            any = true;
        }
    }
    if (any) {
        storage = named;
    }
}

Result<void> read_section(const std::string& path, std::string_view name,
                          const toml::table& section, Config& config) {
    if (name == "label") {
        return read_label(path, section, config.label);
    }
    if (name == "verify") {
        return read_verify(path, section, config.verify);
    }
    if (name == "storage") {
        return read_storage(path, section, config.storage);
    }
    return wrong(path, section, fmt::format("there is no section [{}]", name));
}

Result<void> read_table(const std::string& path, const toml::table& table, Config& config) {
    for (const auto& [key, node] : table) {
        const toml::table* section = node.as_table();
        if (section == nullptr) {
            return wrong(path, node, fmt::format("\"{}\" stands in no section", key.str()));
        }
        TRY(read_section(path, key.str(), *section, config));
    }
    return {};
}

Result<void> read_file(const std::string& path, Config& config) {
    const std::string text = TRY(read_small_file(path, kConfigBytesMax));
    config.path = path;
    try {
        const toml::table table = toml::parse(text, path);
        return read_table(path, table, config);
    } catch (const toml::parse_error& failure) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{}, line {}: {}", path, failure.source().begin.line,
                                 failure.description())};
    }
}

void read_environment(Config& config) {
    for (const TextKey& row : kLabelKeys) {
        std::string name = "COLOPHON_LABEL_";
        for (const char c : row.name) {
            name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        }
        if (const char* value = std::getenv(name.c_str())) {
            config.label.*(row.field) = value;
        }
    }
    read_storage_environment(config.storage);
    for (const ListKey& row : kVerifyKeys) {
        if (const char* value = std::getenv(row.variable)) {
            std::vector<std::string>& list = config.verify.*(row.field);
            list.clear();
            std::istringstream paths(value);
            for (std::string path; std::getline(paths, path, ':');) {
                list.push_back(path);
            }
        }
    }
}

bool readable(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

}  // namespace

void merge_config(LabelConfig& options, const LabelConfig& defaults) {
    // A name given now means that name, not the code of the usual producer.
    const bool named = options.producer.empty() && !options.producer_name.empty();
    for (const TextKey& row : kLabelKeys) {
        if (named && row.name == "producer") {
            continue;
        }
        if ((options.*(row.field)).empty()) {
            options.*(row.field) = defaults.*(row.field);
        }
    }
}

Result<std::string> user_config_folder() {
    const char* xdg = std::getenv("XDG_CONFIG_HOME");
    if (xdg != nullptr && *xdg != '\0') {
        return fmt::format("{}/colophon", xdg);
    }
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0') {
        return Error{ErrorCode::kNotFound,
                     "neither HOME nor XDG_CONFIG_HOME is set, so there is no place for keys"};
    }
    return fmt::format("{}/.config/colophon", home);
}

Result<Config> load_config() {
    Config config;
    const char* named = std::getenv("COLOPHON_CONFIG");
    const auto folder = user_config_folder();
    if (readable("colophon.toml")) {
        TRY(read_file("colophon.toml", config));
    } else if (named != nullptr && *named != '\0') {
        TRY(read_file(named, config));
    } else if (folder.ok() && readable(*folder + "/colophon.toml")) {
        TRY(read_file(*folder + "/colophon.toml", config));
    }
    read_environment(config);
    return config;
}

}  // namespace colophon::cli
