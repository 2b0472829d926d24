// SPDX-License-Identifier: Apache-2.0
#pragma once

// Defaults from colophon.toml: the first of ./colophon.toml, $COLOPHON_CONFIG and
// ~/.config/colophon/colophon.toml that is there. Every key may also come from the environment as
// COLOPHON_SECTION_KEY, which wins; a command-line option wins over both.

#include "cli/serve_config.h"
#include "core/result.h"

#include <optional>
#include <string>
#include <vector>

namespace colophon::cli {

struct LabelConfig {
    std::string producer;
    std::string producer_name;
    std::string propagator;
    std::string system;
    std::string profile;
    std::string language;
    std::string service;
    std::string marks;
    std::string origin;
    std::string text;
    std::string position;
    std::string sound;
    std::string recording;
    std::string metadata_key;
    std::string metadata_key_id;
    std::string font;
    std::string key;         // of the watermark: a file of 64 hexadecimal digits
    std::string issuer;      // of the watermark: 0 .. 65535
    std::string payload;     // of the watermark: "standard", "long"
    std::string sign_key;    // of Content Credentials: a PEM file, or a form of cli/signing_keys.h
    std::string sign_cert;   // PEM file of its certificate and those above it
    std::string sign_token;  // file:PATH or env:NAME: what a signing service wants to see
    std::string time_stamp;  // address of a time-stamp authority, or "none"
    std::string ocsp;        // a file with an OCSP response, "responder" or "none"
};

struct VerifyConfig {
    std::vector<std::string> trust;       // PEM files of public keys
    std::vector<std::string> trust_list;  // PEM files of anchors of Content Credentials
    std::vector<std::string> tsa_list;    // PEM files of anchors of time-stamp authorities
};

struct StorageConfig {
    std::string data;  // folder of the embedded store
    std::string url;   // or the address of PostgreSQL; may be file:PATH or env:NAME
};

// Where objects lie: in a folder, or in an S3-compatible store (storage/s3_objects.h).
struct ObjectsConfig {
    std::string folder;
    std::string endpoint;
    std::string region;
    std::string bucket;
    std::string prefix;
    std::string access_key;          // these three may be file:PATH or env:NAME
    std::string secret_key;          // must be one of them
    std::string session_token;       // must be one of them
    std::string addressing;          // "path", "host"
    std::string conditional_writes;  // "on", "off"
};

struct KeysConfig {
    std::string master;               // file:PATH, env:NAME or pkcs11:...
    std::vector<std::string> others;  // that only open
    std::string suite;                // "aes", "sm4"
};

struct LedgerConfig {
    std::string origin;  // of the logs' names: an address without scheme
    std::string policy;  // file with the witnesses that are asked to cosign
};

struct IdentityConfig {
    std::vector<std::string> providers;  // files that describe them, in the order of asking
    std::string after_doubt;             // "stop", "go-on"
};

struct Config {
    std::string path;  // of the file that was read; empty when none was
    LabelConfig label;
    VerifyConfig verify;
    StorageConfig storage;
    ObjectsConfig objects;
    KeysConfig keys;
    LedgerConfig ledger;
    IdentityConfig identity;
    ServeConfig serve;
};

// kInvalidArgument names the file, the line and the key: unknown keys are errors, so that a typing
// mistake never goes unnoticed.
Result<Config> load_config();

// Fills what `options` leaves empty.
void merge_config(LabelConfig& options, const LabelConfig& defaults);

// ~/.config/colophon (or $XDG_CONFIG_HOME/colophon). kNotFound when there is no home.
Result<std::string> user_config_folder();

}  // namespace colophon::cli
