// SPDX-License-Identifier: Apache-2.0
#include "ledger/verify/checkpoint.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/utf8.h"
#include "ledger/verify/internal/hash.h"
#include "ledger/verify/internal/text.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger::verify {
namespace {

constexpr std::uint8_t kTypeLog = 0x01;
constexpr std::uint8_t kTypeWitness = 0x04;
constexpr std::uint8_t kTypeNamed = 0xFF;
constexpr std::string_view kSm2Name = "colophon/sm2-sm3/v1";
constexpr std::string_view kSm2User = "1234567812345678";
constexpr std::size_t kEd25519Bytes = 32;
constexpr std::size_t kSm2Bytes = 65;
constexpr std::size_t kNoteBytesMax = 1U << 20U;
constexpr std::size_t kLinesMax = 100;
constexpr std::size_t kTimeBytes = 8;

struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};

// SubjectPublicKeyInfo: id-ecPublicKey on the curve sm2p256v1, and the point.
std::unique_ptr<EVP_PKEY, Free> sm2_key(Bytes point) {
    Buffer der{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
               0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D, 0x03, 0x42, 0x00};
    append(der, point);
    const unsigned char* at = der.data();
    return std::unique_ptr<EVP_PKEY, Free>(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

// SM2 over SM3 of the message, by the user that the standard names when none is agreed on.
bool good_sm2(const Key& key, std::string_view message, Bytes signature) {
    const auto made = sm2_key(key.bytes);
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    const std::unique_ptr<EVP_PKEY_CTX, Free> user(made ? EVP_PKEY_CTX_new(made.get(), nullptr)
                                                        : nullptr);
    bool good =
        context && user &&
        EVP_PKEY_CTX_set1_id(user.get(), kSm2User.data(), static_cast<int>(kSm2User.size())) == 1;
    if (good) {
        const Bytes bytes = as_bytes(message);
        EVP_MD_CTX_set_pkey_ctx(context.get(), user.get());
        good = EVP_DigestVerifyInit(context.get(), nullptr, EVP_sm3(), nullptr, made.get()) == 1 &&
               EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(),
                                bytes.size()) == 1;
    }
    ERR_clear_error();
    return good;
}

bool good_signature(const Key& key, std::string_view message, Bytes signature) {
    constexpr std::size_t kSignatureBytes = 64;
    if (signature.size() != kSignatureBytes) {
        return false;
    }
    const std::unique_ptr<EVP_PKEY, Free> made(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()));
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    const Bytes bytes = as_bytes(message);
    const bool good =
        made && context &&
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, made.get()) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(),
                         bytes.size()) == 1;
    ERR_clear_error();
    return good;
}

std::uint32_t make_id(std::string_view name, std::uint8_t type, Bytes key) {
    Buffer message = to_buffer(name);
    message.insert(message.end(), {'\n', type});
    append(message, key);
    return load_be32(internal::sha256_of(message));
}

struct Line {
    std::string_view name;
    std::uint32_t id = 0;
    Buffer signature;
};

// "— NAME BASE64"
std::optional<Line> read_signature(std::string_view line) {
    constexpr std::string_view kStart = "\u2014 ";
    constexpr std::size_t kIdBytes = 4;
    if (!line.starts_with(kStart)) {
        return std::nullopt;
    }
    line.remove_prefix(kStart.size());
    const std::size_t space = line.find(' ');
    if (space == 0 || space == std::string_view::npos ||
        line.substr(0, space).find('+') != std::string_view::npos) {
        return std::nullopt;
    }
    const auto bytes = internal::read_base64(line.substr(space + 1));
    if (!bytes || bytes->size() <= kIdBytes) {
        return std::nullopt;
    }
    return Line{.name = line.substr(0, space),
                .id = load_be32(*bytes),
                .signature = to_buffer(Bytes(*bytes).subspan(kIdBytes))};
}

struct Parts {
    std::string_view text;
    std::vector<Line> lines;
};

// Why the bytes are no signed note; empty when they are one.
std::string_view split_note(std::string_view note, Parts& parts) {
    if (note.size() > kNoteBytesMax) {
        return "more than a megabyte";
    }
    if (find_invalid_utf8(note)) {
        return "not UTF-8";
    }
    if (std::ranges::any_of(
            note, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; })) {
        return "a control character";
    }
    const std::size_t blank = note.rfind("\n\n");
    if (blank == std::string_view::npos) {
        return "no empty line before the signatures";
    }
    parts.text = note.substr(0, blank + 1);
    std::string_view rest = note.substr(blank + 2);
    while (const auto line = internal::take_line(rest)) {
        auto signature = read_signature(*line);
        if (!signature || parts.lines.size() == kLinesMax) {
            return "a line below the empty one is no signature, or there are more than 100";
        }
        parts.lines.push_back(std::move(*signature));
    }
    return !rest.empty() || parts.lines.empty() ? "the last signature line does not end" : "";
}

// Why the text is no checkpoint; empty when it is one.
std::string_view read_text(std::string_view text, SignedCheckpoint& out) {
    const auto origin = internal::take_line(text);
    const auto size = internal::take_line(text);
    const auto root = internal::take_line(text);
    if (!origin || origin->empty() || !size || !root) {
        return "origin, size and root are not there";
    }
    const auto number = internal::read_number(*size);
    const auto hash = internal::read_hash(*root);
    if (!number || *number > (1ULL << 62U)) {
        return "the size is no decimal number";
    }
    if (!hash) {
        return "the root is not base64 of 32 bytes";
    }
    while (const auto line = internal::take_line(text)) {
        if (line->empty()) {
            return "an empty line below the root";
        }
    }
    out.origin = *origin;
    out.size = *number;
    out.root = *hash;
    return "";
}

class Reader {
public:
    Reader(std::span<const Key> keys, std::string_view where) : keys_(keys), where_(where) {}

    // The text, when the signatures are good; otherwise the report says why not.
    std::optional<std::string_view> open(std::string_view note) {
        Parts parts;
        if (const std::string_view fault = split_note(note, parts); !fault.empty()) {
            bad("ledger.checkpoint", "no signed note: " + std::string(fault));
            return std::nullopt;
        }
        for (const Line& line : parts.lines) {
            if (!judge(line, parts.text)) {
                return std::nullopt;
            }
        }
        if (report_.checkpoint.signers.empty()) {
            bad("ledger.signature", "no key of the log that you gave signed it");
            return std::nullopt;
        }
        return parts.text;
    }

    CheckpointReport read(std::string_view note) {
        const auto text = open(note);
        if (!text) {
            return std::move(report_);
        }
        SignedCheckpoint& checkpoint = report_.checkpoint;
        if (const std::string_view fault = read_text(*text, checkpoint); !fault.empty()) {
            bad("ledger.checkpoint", "no checkpoint: " + std::string(fault));
            return std::move(report_);
        }
        if (std::ranges::find(checkpoint.signers, checkpoint.origin) == checkpoint.signers.end()) {
            bad("ledger.signature", fmt::format("it speaks of the log {}, but the key is of {}",
                                                checkpoint.origin, checkpoint.signers.front()));
            return std::move(report_);
        }
        report_.good = true;
        return std::move(report_);
    }

    SignedText read_signed(std::string_view note) {
        SignedText out;
        if (const auto text = open(note)) {
            out.text = *text;
        }
        out.good = !out.text.empty();
        out.signers = std::move(report_.checkpoint.signers);
        out.signatures = std::move(report_.checkpoint.signatures);
        out.findings = std::move(report_.findings);
        return out;
    }

private:
    void bad(std::string code, std::string what) {
        report_.good = false;
        report_.findings.push_back({std::move(code), std::string(where_), std::move(what)});
    }

    // False when the signature of a known key is wrong, which ends it.
    bool judge(const Line& line, std::string_view text) {
        const auto key = std::ranges::find_if(
            keys_, [&](const Key& each) { return each.id == line.id && each.name == line.name; });
        if (key == keys_.end()) {
            return true;
        }
        std::uint64_t seconds = 0;
        bool good = false;
        if (key->sm2) {
            good = good_sm2(*key, text, line.signature);
        } else if (!key->witness) {
            good = good_signature(*key, text, line.signature);
        } else if (line.signature.size() > kTimeBytes) {
            seconds = load_be64(line.signature);
            good = good_signature(*key, fmt::format("cosignature/v1\ntime {}\n{}", seconds, text),
                                  Bytes(line.signature).subspan(kTimeBytes));
        }
        if (!good) {
            report_ = CheckpointReport{.good = false,
                                       .checkpoint = {},
                                       .findings = {{"ledger.signature", std::string(where_),
                                                     fmt::format("the signature of {} is wrong: "
                                                                 "the text was changed, or "
                                                                 "somebody else signed it",
                                                                 key->name)}}};
            return false;
        }
        SignedCheckpoint& checkpoint = report_.checkpoint;
        if (!key->witness) {
            if (std::ranges::find(checkpoint.signers, key->name) == checkpoint.signers.end()) {
                checkpoint.signers.push_back(key->name);
            }
            checkpoint.signatures.push_back(
                fmt::format("{} {:08x}", key->sm2 ? "sm2-sm3" : "ed25519", key->id));
        } else if (std::ranges::none_of(checkpoint.cosigners, [&](const Cosigner& each) {
                       return each.key_id == key->id && each.name == key->name;
                   })) {
            checkpoint.cosigners.push_back(
                {.name = key->name, .key_id = key->id, .seconds = seconds});
        }
        return true;
    }

    std::span<const Key> keys_;
    std::string_view where_;
    CheckpointReport report_;
};

}  // namespace

Result<Key> read_key(std::string_view text) {
    const Error bad{ErrorCode::kInvalidArgument,
                    "a public key of a log is written NAME+8 hex digits+base64"};
    const std::size_t first = text.find('+');
    const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
    if (first == 0 || second == std::string_view::npos) {
        return bad;
    }
    const auto id = from_hex(text.substr(first + 1, second - first - 1));
    const auto data = internal::read_base64(text.substr(second + 1));
    if (!id.ok() || id->size() != 4 || !data || data->empty()) {
        return bad;
    }
    const std::uint8_t type = data->front();
    const Bytes rest = Bytes(*data).subspan(1);
    const bool sm2 = type == kTypeNamed && as_text(rest).starts_with(kSm2Name);
    if (type != kTypeLog && type != kTypeWitness && !sm2) {
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("a key of type 0x{:02x}; 0x01 (log), 0x04 (witness) and SM2 are known",
                        type)};
    }
    const Key key{.name = std::string(text.substr(0, first)),
                  .id = load_be32(*id),
                  .witness = type == kTypeWitness,
                  .sm2 = sm2,
                  .bytes = to_buffer(rest.subspan(sm2 ? kSm2Name.size() : 0))};
    if (key.bytes.size() != (sm2 ? kSm2Bytes : kEd25519Bytes)) {
        return bad;
    }
    if (make_id(key.name, type, rest) != key.id) {
        return Error{ErrorCode::kInvalidArgument,
                     "the key does not have the key id that stands in it: a character is wrong"};
    }
    return key;
}

CheckpointReport check_checkpoint(std::string_view note, std::span<const Key> keys,
                                  std::string_view where) {
    return Reader(keys, where).read(note);
}

SignedText open_signed(std::string_view note, std::span<const Key> keys, std::string_view where) {
    return Reader(keys, where).read_signed(note);
}

std::string root_text(const std::array<std::uint8_t, 32>& root) {
    return internal::write_base64(root);
}

}  // namespace colophon::ledger::verify
