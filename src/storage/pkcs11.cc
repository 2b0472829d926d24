// SPDX-License-Identifier: Apache-2.0
#include "storage/pkcs11.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "storage/secret.h"
#include "storage/secret_source.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kSlotsMax = 256;
constexpr std::size_t kSignatureBytesMax = 2048;  // RSA of 16384 bits

int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

Result<std::string> unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low < 0 || high * 16 + low == 0) {
            return Error{ErrorCode::kInvalidArgument,
                         "a pkcs11: address has a % without two hexadecimal digits"};
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

Result<void> take_attribute(Pkcs11Uri& uri, std::string_view attribute, bool in_query) {
    const std::size_t equals = attribute.find('=');
    const std::string_view name = attribute.substr(0, equals);
    std::string* place = nullptr;
    if (!in_query) {
        place = name == "token" ? &uri.token : name == "object" ? &uri.object : nullptr;
        if (attribute == "type=secret-key" || attribute == "type=private") {
            return {};
        }
    } else {
        place = name == "module-path"  ? &uri.module_path
                : name == "pin-source" ? &uri.pin_source
                                       : nullptr;
    }
    if (equals == std::string_view::npos || place == nullptr || !place->empty()) {
        // The value may be a secret (pin-value), the name is not.
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a pkcs11: address cannot have '{}' there or twice; it has token "
                                 "and object, then ?, module-path and pin-source",
                                 name.substr(0, 32))};
    }
    *place = TRY(unescape(attribute.substr(equals + 1)));
    return {};
}

Result<void> take_attributes(Pkcs11Uri& uri, std::string_view text, char between, bool in_query) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(between), text.size());
        TRY(take_attribute(uri, text.substr(0, end), in_query));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

Error refused(std::string_view what, CK_RV code) {
    ErrorCode kind = ErrorCode::kUnavailable;
    std::string_view why = "without a reason";
    switch (code) {
        case CKR_PIN_INCORRECT:
        case CKR_PIN_INVALID:
        case CKR_PIN_LEN_RANGE:
            kind = ErrorCode::kDenied;
            why = "the PIN is wrong";
            break;
        case CKR_PIN_LOCKED:
            kind = ErrorCode::kDenied;
            why = "the PIN is locked";
            break;
        case CKR_KEY_FUNCTION_NOT_PERMITTED:
            kind = ErrorCode::kDenied;
            why = "the key may not be used for that";
            break;
        case CKR_MECHANISM_INVALID:
        case CKR_MECHANISM_PARAM_INVALID:
            kind = ErrorCode::kUnsupported;
            why = "it does not know the mechanism";
            break;
        default:
            break;
    }
    return Error{kind, fmt::format("the PKCS#11 token refused to {}: {}, 0x{:08x}", what, why,
                                   static_cast<unsigned long>(code))};
}

// After these a new session may do.
bool session_is_lost(CK_RV code) {
    return code == CKR_SESSION_HANDLE_INVALID || code == CKR_SESSION_CLOSED ||
           code == CKR_USER_NOT_LOGGED_IN || code == CKR_DEVICE_REMOVED ||
           code == CKR_TOKEN_NOT_PRESENT || code == CKR_KEY_HANDLE_INVALID ||
           code == CKR_OBJECT_HANDLE_INVALID;
}

// Labels of tokens are padded with blanks.
std::string_view label_of(const CK_TOKEN_INFO& info) {
    const std::string_view padded(reinterpret_cast<const char*>(info.label), sizeof info.label);
    return padded.substr(0, padded.find_last_not_of(' ') + 1);
}

class Token final : public Pkcs11Key {
public:
    Token(Pkcs11Uri uri, Pkcs11Kind kind, std::string pin)
        : uri_(std::move(uri)), kind_(kind), pin_(std::move(pin)) {}
    // The module stays loaded and initialized: another key of this process may be in it, and its
    // sessions with it.
    ~Token() override {
        close();
        wipe({reinterpret_cast<std::uint8_t*>(pin_.data()), pin_.size()});
    }
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    Token(Token&&) = delete;
    Token& operator=(Token&&) = delete;

    Result<void> open() {
        TRY(load());
        const std::lock_guard guard(mutex_);
        return connect();
    }

    Result<void> encrypt(Bytes nonce, Bytes bound, Bytes in, std::span<std::uint8_t> out) override;
    Result<void> decrypt(Bytes nonce, Bytes bound, Bytes in, std::span<std::uint8_t> out) override;
    Result<Buffer> sign(Pkcs11Signing how, Bytes digest_or_message) override;

private:
    enum class Direction { kEncrypt, kDecrypt };

    Result<void> load();
    Result<void> connect();
    Result<CK_SLOT_ID> find_slot();
    Result<CK_OBJECT_HANDLE> find_key();
    void close() {
        if (session_ != CK_INVALID_HANDLE) {
            calls_->C_CloseSession(session_);
            session_ = CK_INVALID_HANDLE;
        }
    }
    // `call` in a session; once more in a new one when the session was lost.
    template <class Call>
    Result<CK_RV> in_session(const Call& call) {
        const std::lock_guard guard(mutex_);
        if (session_ == CK_INVALID_HANDLE) {
            TRY(connect());
        }
        CK_RV code = call();
        if (session_is_lost(code)) {
            TRY(connect());
            code = call();
        }
        if (code != CKR_OK) {
            // A session whose operation is still under way would refuse the next one.
            close();
        }
        return code;
    }
    CK_RV crypt_once(Direction direction, Bytes nonce, Bytes bound, Bytes in,
                     std::span<std::uint8_t> out);
    CK_RV sign_once(CK_MECHANISM mechanism, Bytes in, Buffer& signature);

    Pkcs11Uri uri_;
    Pkcs11Kind kind_;
    std::string pin_;
    CK_FUNCTION_LIST* calls_ = nullptr;
    std::mutex mutex_;
    CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;  // guarded by mutex_
    CK_OBJECT_HANDLE key_ = CK_INVALID_HANDLE;       // guarded by mutex_
};

Result<void> Token::load() {
    void* module = ::dlopen(uri_.module_path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
        return Error{ErrorCode::kNotFound,
                     fmt::format("the PKCS#11 module {} cannot be loaded", uri_.module_path)};
    }
    const auto get_list =
        reinterpret_cast<CK_C_GetFunctionList>(::dlsym(module, "C_GetFunctionList"));
    if (get_list == nullptr || get_list(&calls_) != CKR_OK || calls_ == nullptr) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} is no PKCS#11 module", uri_.module_path)};
    }
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV code = calls_->C_Initialize(&arguments);
    if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
        return refused("start", code);
    }
    return {};
}

Result<CK_SLOT_ID> Token::find_slot() {
    std::vector<CK_SLOT_ID> slots(kSlotsMax);
    CK_ULONG count = slots.size();
    if (const CK_RV code = calls_->C_GetSlotList(CK_TRUE, slots.data(), &count); code != CKR_OK) {
        return refused("list its slots", code);
    }
    slots.resize(count);
    for (const CK_SLOT_ID slot : slots) {
        CK_TOKEN_INFO info{};
        if (calls_->C_GetTokenInfo(slot, &info) == CKR_OK && label_of(info) == uri_.token) {
            return slot;
        }
    }
    return Error{ErrorCode::kNotFound,
                 fmt::format("no PKCS#11 token has the label '{}'", uri_.token)};
}

Result<CK_OBJECT_HANDLE> Token::find_key() {
    const bool aes = kind_ == Pkcs11Kind::kAes;
    CK_OBJECT_CLASS kind = aes ? CKO_SECRET_KEY : CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_AES;
    std::vector<CK_ATTRIBUTE> wanted{
        {.type = CKA_CLASS, .pValue = &kind, .ulValueLen = sizeof kind},
        {.type = CKA_LABEL,
         .pValue = uri_.object.data(),
         .ulValueLen = static_cast<CK_ULONG>(uri_.object.size())}};
    if (aes) {
        wanted.push_back({.type = CKA_KEY_TYPE, .pValue = &type, .ulValueLen = sizeof type});
    }
    if (const CK_RV code = calls_->C_FindObjectsInit(session_, wanted.data(), wanted.size());
        code != CKR_OK) {
        return refused("look for the key", code);
    }
    std::array<CK_OBJECT_HANDLE, 2> found{};
    CK_ULONG count = 0;
    const CK_RV code = calls_->C_FindObjects(session_, found.data(), found.size(), &count);
    calls_->C_FindObjectsFinal(session_);
    if (code != CKR_OK) {
        return refused("look for the key", code);
    }
    if (count != 1) {
        return Error{count == 0 ? ErrorCode::kNotFound : ErrorCode::kConflict,
                     fmt::format("{} {} key of the PKCS#11 token '{}' has the label '{}'",
                                 count == 0 ? "no" : "more than one", aes ? "AES" : "private",
                                 uri_.token, uri_.object)};
    }
    return found[0];
}

Result<void> Token::connect() {
    close();
    const CK_SLOT_ID slot = TRY(find_slot());
    CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
    if (const CK_RV code =
            calls_->C_OpenSession(slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
        code != CKR_OK) {
        return refused("open a session", code);
    }
    session_ = session;
    const CK_RV code =
        calls_->C_Login(session_, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin_.data()),
                        static_cast<CK_ULONG>(pin_.size()));
    if (code != CKR_OK && code != CKR_USER_ALREADY_LOGGED_IN) {
        return refused("log in", code);
    }
    key_ = TRY(find_key());
    return {};
}

CK_RV Token::crypt_once(Direction direction, Bytes nonce, Bytes bound, Bytes in,
                        std::span<std::uint8_t> out) {
    // The interface takes no const.
    Buffer iv = to_buffer(nonce);
    Buffer aad = to_buffer(bound);
    Buffer input = to_buffer(in);
    CK_GCM_PARAMS gcm{};
    gcm.iv_ptr = iv.data();
    gcm.iv_len = iv.size();
    gcm.iv_bits = iv.size() * 8;
    gcm.aad_ptr = aad.data();
    gcm.aad_len = aad.size();
    gcm.tag_bits = kTagBytes * 8;
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof gcm};
    CK_ULONG size = out.size();
    CK_RV code = CKR_OK;
    if (direction == Direction::kEncrypt) {
        code = calls_->C_EncryptInit(session_, &mechanism, key_);
        if (code == CKR_OK) {
            code = calls_->C_Encrypt(session_, input.data(), input.size(), out.data(), &size);
        }
    } else {
        code = calls_->C_DecryptInit(session_, &mechanism, key_);
        if (code == CKR_OK) {
            code = calls_->C_Decrypt(session_, input.data(), input.size(), out.data(), &size);
        }
    }
    wipe(input);
    const std::size_t expected =
        direction == Direction::kEncrypt ? in.size() + kTagBytes : in.size() - kTagBytes;
    return code == CKR_OK && size != expected ? CKR_ENCRYPTED_DATA_INVALID : code;
}

Result<void> Token::encrypt(Bytes nonce, Bytes bound, Bytes in, std::span<std::uint8_t> out) {
    COLOPHON_ASSERT(out.size() >= in.size() + kTagBytes);
    const CK_RV code =
        TRY(in_session([&] { return crypt_once(Direction::kEncrypt, nonce, bound, in, out); }));
    return code == CKR_OK ? Result<void>() : refused("encrypt", code);
}

Result<void> Token::decrypt(Bytes nonce, Bytes bound, Bytes in, std::span<std::uint8_t> out) {
    // Modules may want the room of the tag too.
    COLOPHON_ASSERT(in.size() >= kTagBytes && out.size() >= in.size());
    const CK_RV code =
        TRY(in_session([&] { return crypt_once(Direction::kDecrypt, nonce, bound, in, out); }));
    if (code == CKR_OK) {
        return {};
    }
    // Tokens differ in the word for a wrong tag.
    if (code == CKR_ENCRYPTED_DATA_INVALID || code == CKR_ENCRYPTED_DATA_LEN_RANGE ||
        code == CKR_GENERAL_ERROR) {
        return Error{ErrorCode::kCorrupt, "what the PKCS#11 token shall decrypt does not open"};
    }
    return refused("decrypt", code);
}

CK_RV Token::sign_once(CK_MECHANISM mechanism, Bytes in, Buffer& signature) {
    Buffer input = to_buffer(in);
    signature.resize(kSignatureBytesMax);
    CK_ULONG size = signature.size();
    CK_RV code = calls_->C_SignInit(session_, &mechanism, key_);
    if (code == CKR_OK) {
        code = calls_->C_Sign(session_, input.data(), input.size(), signature.data(), &size);
    }
    signature.resize(code == CKR_OK ? std::min<std::size_t>(size, signature.size()) : 0);
    return code;
}

Result<Buffer> Token::sign(Pkcs11Signing how, Bytes digest_or_message) {
    CK_RSA_PKCS_PSS_PARAMS pss{};
    CK_MECHANISM mechanism{};
    switch (how) {
        case Pkcs11Signing::kEcdsa:
            mechanism.mechanism = CKM_ECDSA;
            break;
        case Pkcs11Signing::kEdDsa:
            mechanism.mechanism = CKM_EDDSA;
            break;
        case Pkcs11Signing::kPssSha256:
            pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
            break;
        case Pkcs11Signing::kPssSha384:
            pss = {CKM_SHA384, CKG_MGF1_SHA384, 48};
            break;
        case Pkcs11Signing::kPssSha512:
            pss = {CKM_SHA512, CKG_MGF1_SHA512, 64};
            break;
    }
    if (pss.s_len != 0) {
        mechanism = {CKM_RSA_PKCS_PSS, &pss, sizeof pss};
    }
    Buffer signature;
    const CK_RV code =
        TRY(in_session([&] { return sign_once(mechanism, digest_or_message, signature); }));
    if (code != CKR_OK) {
        return refused("sign", code);
    }
    return signature;
}

}  // namespace

Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view address) {
    constexpr std::string_view kScheme = "pkcs11:";
    std::string_view text = address;
    if (!text.starts_with(kScheme)) {
        return Error{ErrorCode::kInvalidArgument, "an address of a token begins with pkcs11:"};
    }
    text.remove_prefix(kScheme.size());
    const std::size_t question = std::min(text.find('?'), text.size());
    Pkcs11Uri uri;
    TRY(take_attributes(uri, text.substr(0, question), ';', false));
    TRY(take_attributes(uri, text.substr(std::min(question + 1, text.size())), '&', true));
    if (uri.token.empty() || uri.object.empty() || uri.module_path.empty() ||
        uri.pin_source.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "a pkcs11: address needs token, object, module-path and pin-source"};
    }
    return uri;
}

Result<std::unique_ptr<Pkcs11Key>> Pkcs11Key::open(const Pkcs11Uri& uri, Pkcs11Kind kind) {
    const SecretText pin = TRY(read_secret(uri.pin_source, SecretFile::kOwnerOnly));
    auto token = std::make_unique<Token>(uri, kind, std::string(pin.text()));
    TRY(token->open());
    return std::unique_ptr<Pkcs11Key>(std::move(token));
}

}  // namespace colophon::storage
