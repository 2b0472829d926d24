// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include "cli/files.h"
#include "cli/serve_sections.h"
#include "core/result.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {
namespace {

constexpr std::size_t kConfigBytesMax = 1U << 20U;

// One row for each key of a section that is a text.
template <class Section>
struct TextKey {
    std::string_view name;
    std::string Section::* field;
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
    TextKey{"key", &LabelConfig::key},
    TextKey{"issuer", &LabelConfig::issuer},
    TextKey{"payload", &LabelConfig::payload},
    TextKey{"sign_key", &LabelConfig::sign_key},
    TextKey{"sign_cert", &LabelConfig::sign_cert},
    TextKey{"sign_token", &LabelConfig::sign_token},
    TextKey{"time_stamp", &LabelConfig::time_stamp},
    TextKey{"ocsp", &LabelConfig::ocsp},
};

// One row for each key of the section [verify], all lists of files.
struct ListKey {
    std::string_view name;
    std::vector<std::string> VerifyConfig::* field;
};
constexpr std::array kVerifyKeys{
    ListKey{"trust", &VerifyConfig::trust},
    ListKey{"trust_list", &VerifyConfig::trust_list},
    ListKey{"tsa_list", &VerifyConfig::tsa_list},
};

constexpr std::array kStorageKeys{
    TextKey{"data", &StorageConfig::data},
    TextKey{"url", &StorageConfig::url},
};
constexpr std::array kObjectsKeys{
    TextKey{"folder", &ObjectsConfig::folder},
    TextKey{"endpoint", &ObjectsConfig::endpoint},
    TextKey{"region", &ObjectsConfig::region},
    TextKey{"bucket", &ObjectsConfig::bucket},
    TextKey{"prefix", &ObjectsConfig::prefix},
    TextKey{"access_key", &ObjectsConfig::access_key},
    TextKey{"secret_key", &ObjectsConfig::secret_key},
    TextKey{"session_token", &ObjectsConfig::session_token},
    TextKey{"addressing", &ObjectsConfig::addressing},
    TextKey{"conditional_writes", &ObjectsConfig::conditional_writes},
};
constexpr std::array kKeysKeys{
    TextKey{"master", &KeysConfig::master},
    TextKey{"suite", &KeysConfig::suite},
};
constexpr std::array kLedgerKeys{
    TextKey{"origin", &LedgerConfig::origin},
    TextKey{"policy", &LedgerConfig::policy},
};

constexpr std::array kIdentityKeys{
    TextKey{"after_doubt", &IdentityConfig::after_doubt},
};

Error wrong(const std::string& path, const toml::node& node, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}, line {}: {}", path, node.source().begin.line, what)};
}

struct Place {
    const std::string& path;   // of the file
    std::string_view section;  // "label"
};

Error no_such_key(const Place& place, const toml::key& key, const toml::node& node) {
    return wrong(place.path, node, fmt::format("[{}] has no key \"{}\"", place.section, key.str()));
}

template <class Section, std::size_t n>
Result<bool> read_text(const Place& place, const toml::key& key, const toml::node& node,
                       const std::array<TextKey<Section>, n>& rows, Section& section) {
    const auto* row = std::ranges::find(rows, key.str(), &TextKey<Section>::name);
    if (row == rows.end()) {
        return false;
    }
    const auto value = node.value<std::string>();
    if (!value) {
        return wrong(place.path, node, fmt::format("{} must be a text in quotes", key.str()));
    }
    section.*(row->field) = *value;
    return true;
}

// A section of texts alone.
template <class Section, std::size_t n>
Result<void> read_texts(const Place& place, const toml::table& table,
                        const std::array<TextKey<Section>, n>& rows, Section& section) {
    for (const auto& [key, node] : table) {
        if (!TRY(read_text(place, key, node, rows, section))) {
            return no_such_key(place, key, node);
        }
    }
    return {};
}

// What a list may be called in a message: "files", "secrets".
Result<void> read_list(const std::string& path, const toml::node& node, const Error& no_list,
                       std::vector<std::string>& out) {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
        return wrong(path, node, no_list.what);
    }
    for (const toml::node& each : *list) {
        const auto value = each.value<std::string>();
        if (!value) {
            return wrong(path, each, no_list.what);
        }
        out.push_back(*value);
    }
    return {};
}

Result<void> read_verify(const Place& place, const toml::table& table, VerifyConfig& verify) {
    for (const auto& [key, node] : table) {
        const auto* row = std::ranges::find(kVerifyKeys, key.str(), &ListKey::name);
        if (row == kVerifyKeys.end()) {
            return no_such_key(place, key, node);
        }
        const Error no_list{ErrorCode::kInvalidArgument,
                            fmt::format("{} must be a list of files", key.str())};
        TRY(read_list(place.path, node, no_list, verify.*(row->field)));
    }
    return {};
}

Result<void> read_keys(const Place& place, const toml::table& table, KeysConfig& keys) {
    static const Error kNoList{ErrorCode::kInvalidArgument,
                               "others must be a list of sources of keys"};
    for (const auto& [key, node] : table) {
        if (key.str() == "others") {
            TRY(read_list(place.path, node, kNoList, keys.others));
        } else if (!TRY(read_text(place, key, node, kKeysKeys, keys))) {
            return no_such_key(place, key, node);
        }
    }
    return {};
}

Result<void> read_identity(const Place& place, const toml::table& table, IdentityConfig& identity) {
    static const Error kNoList{ErrorCode::kInvalidArgument, "providers must be a list of files"};
    for (const auto& [key, node] : table) {
        if (key.str() == "providers") {
            TRY(read_list(place.path, node, kNoList, identity.providers));
        } else if (!TRY(read_text(place, key, node, kIdentityKeys, identity))) {
            return no_such_key(place, key, node);
        }
    }
    return {};
}

Result<void> read_section(const std::string& path, std::string_view name,
                          const toml::table& section, Config& config) {
    const Place place{.path = path, .section = name};
    if (name == "label") {
        return read_texts(place, section, kLabelKeys, config.label);
    }
    if (name == "verify") {
        return read_verify(place, section, config.verify);
    }
    if (name == "storage") {
        return read_texts(place, section, kStorageKeys, config.storage);
    }
    if (name == "objects") {
        return read_texts(place, section, kObjectsKeys, config.objects);
    }
    if (name == "keys") {
        return read_keys(place, section, config.keys);
    }
    if (name == "ledger") {
        return read_texts(place, section, kLedgerKeys, config.ledger);
    }
    if (name == "identity") {
        return read_identity(place, section, config.identity);
    }
    return wrong(path, section, fmt::format("there is no section [{}]", name));
}

Result<void> read_table(const std::string& path, const toml::table& table, Config& config) {
    for (const auto& [key, node] : table) {
        if (is_serve_section(key.str())) {
            TRY(read_serve_section(path, key.str(), node, config.serve));
            continue;
        }
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

const char* variable(std::string_view section, std::string_view key) {
    std::string name = "COLOPHON_";
    for (const char c : fmt::format("{}_{}", section, key)) {
        name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return std::getenv(name.c_str());
}

template <class Section, std::size_t n>
void read_variables(std::string_view name, const std::array<TextKey<Section>, n>& rows,
                    Section& section) {
    for (const TextKey<Section>& row : rows) {
        if (const char* value = variable(name, row.name)) {
            section.*(row.field) = value;
        }
    }
}

void read_list_variable(const char* value, char separator, std::vector<std::string>& out) {
    if (value == nullptr) {
        return;
    }
    out.clear();
    std::istringstream parts(value);
    for (std::string part; std::getline(parts, part, separator);) {
        if (!part.empty()) {
            out.push_back(part);
        }
    }
}

// Folder and address exclude each other, so a variable for either replaces both.
template <class Section>
bool any_variable(std::string_view name, const Section& keys) {
    return std::ranges::any_of(keys, [&](const auto& row) {
        const char* value = variable(name, row.name);
        return value != nullptr && *value != '\0';
    });
}

void read_environment(Config& config) {
    if (any_variable("storage", kStorageKeys)) {
        config.storage = {};
    }
    const auto places = std::span(kObjectsKeys).first(2);
    if (any_variable("objects", places)) {
        config.objects.folder.clear();
        config.objects.endpoint.clear();
    }
    read_variables("label", kLabelKeys, config.label);
    read_variables("storage", kStorageKeys, config.storage);
    read_variables("objects", kObjectsKeys, config.objects);
    read_variables("keys", kKeysKeys, config.keys);
    read_variables("ledger", kLedgerKeys, config.ledger);
    read_variables("identity", kIdentityKeys, config.identity);
    for (const ListKey& row : kVerifyKeys) {
        read_list_variable(variable("verify", row.name), ':', config.verify.*(row.field));
    }
    read_list_variable(variable("identity", "providers"), ':', config.identity.providers);
    // Sources of keys have colons in them.
    read_list_variable(variable("keys", "others"), ',', config.keys.others);
}

bool readable(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
}

}  // namespace

void merge_config(LabelConfig& options, const LabelConfig& defaults) {
    // A name given now means that name, not the code of the usual producer.
    const bool named = options.producer.empty() && !options.producer_name.empty();
    for (const TextKey<LabelConfig>& row : kLabelKeys) {
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
    TRY(read_serve_environment(config.serve));
    return config;
}

}  // namespace colophon::cli
