// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/pkcs11_key.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/master_key.h"
#include "storage/secret.h"

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

constexpr std::uint8_t kWrappedVersion = 1;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kWrappedBytes = 1 + kNonceBytes + kSecretBytes + kTagBytes;
constexpr std::size_t kSlotsMax = 256;

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
        if (name == "type" && attribute == "type=secret-key") {
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
            why = "the key may not encrypt and decrypt";
            break;
        case CKR_MECHANISM_INVALID:
        case CKR_MECHANISM_PARAM_INVALID:
            kind = ErrorCode::kUnsupported;
            why = "it has no AES-GCM";
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

class Pkcs11Key final : public MasterKey {
public:
    Pkcs11Key(Pkcs11Uri uri, std::string pin, Random& random)
        : uri_(std::move(uri)), pin_(std::move(pin)), random_(random) {
        const Digest256 digest = sha256(as_bytes(
            fmt::format("colophon master key id 1 pkcs11\n{}\n{}", uri_.token, uri_.object)));
        std::copy_n(digest.begin(), id_.size(), id_.begin());
    }
    // The module stays loaded and initialized: another key of this process may be in it, and its
    // sessions with it.
    ~Pkcs11Key() override {
        close();
        wipe({reinterpret_cast<std::uint8_t*>(pin_.data()), pin_.size()});
    }
    Pkcs11Key(const Pkcs11Key&) = delete;
    Pkcs11Key& operator=(const Pkcs11Key&) = delete;
    Pkcs11Key(Pkcs11Key&&) = delete;
    Pkcs11Key& operator=(Pkcs11Key&&) = delete;

    Result<void> open() {
        TRY(load());
        const std::lock_guard guard(mutex_);
        return connect();
    }

    const MasterKeyId& id() const noexcept override { return id_; }

    Result<Buffer> wrap(const Secret& key, const DataKeyName& name) override {
        Buffer wrapped{kWrappedVersion};
        wrapped.resize(1 + kNonceBytes);
        const std::span<std::uint8_t> nonce = std::span(wrapped).subspan(1);
        TRY(random_.fill(nonce));
        Buffer sealed(kSecretBytes + kTagBytes);
        TRY(run(Direction::kEncrypt, nonce, key.bytes(), name, sealed));
        append(wrapped, sealed);
        return wrapped;
    }

    Result<Secret> unwrap(Bytes wrapped, const DataKeyName& name) override {
        if (wrapped.size() != kWrappedBytes || wrapped[0] != kWrappedVersion) {
            return Error{ErrorCode::kCorrupt, "a wrapped data key is not of a PKCS#11 token"};
        }
        // Modules may want the room of the tag too.
        Buffer out(kSecretBytes + kTagBytes);
        TRY(run(Direction::kDecrypt, wrapped.subspan(1, kNonceBytes),
                wrapped.subspan(1 + kNonceBytes), name, out));
        Secret key(out);
        wipe(out);
        return key;
    }

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
    // One message; `out` takes it whole.
    Result<void> run(Direction direction, Bytes nonce, Bytes in, const DataKeyName& name,
                     std::span<std::uint8_t> out);
    CK_RV run_once(Direction direction, Bytes nonce, Bytes in, const DataKeyName& name,
                   std::span<std::uint8_t> out);

    Pkcs11Uri uri_;
    std::string pin_;
    Random& random_;
    MasterKeyId id_{};
    CK_FUNCTION_LIST* calls_ = nullptr;
    std::mutex mutex_;
    CK_SESSION_HANDLE session_ = CK_INVALID_HANDLE;  // guarded by mutex_
    CK_OBJECT_HANDLE key_ = CK_INVALID_HANDLE;       // guarded by mutex_
};

Result<void> Pkcs11Key::load() {
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

Result<CK_SLOT_ID> Pkcs11Key::find_slot() {
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

Result<CK_OBJECT_HANDLE> Pkcs11Key::find_key() {
    CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    std::array<CK_ATTRIBUTE, 3> wanted{
        {{.type = CKA_CLASS, .pValue = &kind, .ulValueLen = sizeof kind},
         {.type = CKA_KEY_TYPE, .pValue = &type, .ulValueLen = sizeof type},
         {.type = CKA_LABEL,
          .pValue = uri_.object.data(),
          .ulValueLen = static_cast<CK_ULONG>(uri_.object.size())}}};
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
                     fmt::format("{} AES key of the PKCS#11 token '{}' has the label '{}'",
                                 count == 0 ? "no" : "more than one", uri_.token, uri_.object)};
    }
    return found[0];
}

Result<void> Pkcs11Key::connect() {
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

CK_RV Pkcs11Key::run_once(Direction direction, Bytes nonce, Bytes in, const DataKeyName& name,
                          std::span<std::uint8_t> out) {
    Buffer iv = to_buffer(nonce);
    Buffer place = to_buffer("colophon data key 1");
    append_be32(place, name.generation);
    append(place, name.owner);
    CK_GCM_PARAMS gcm{};
    gcm.iv_ptr = iv.data();
    gcm.iv_len = iv.size();
    gcm.iv_bits = iv.size() * 8;
    gcm.aad_ptr = place.data();
    gcm.aad_len = place.size();
    gcm.tag_bits = kTagBytes * 8;
    CK_MECHANISM mechanism{CKM_AES_GCM, &gcm, sizeof gcm};
    Buffer input = to_buffer(in);  // the interface takes no const
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
    const std::size_t expected = direction == Direction::kEncrypt ? out.size() : kSecretBytes;
    return code == CKR_OK && size != expected ? CKR_ENCRYPTED_DATA_INVALID : code;
}

Result<void> Pkcs11Key::run(Direction direction, Bytes nonce, Bytes in, const DataKeyName& name,
                            std::span<std::uint8_t> out) {
    const std::lock_guard guard(mutex_);
    if (session_ == CK_INVALID_HANDLE) {
        TRY(connect());
    }
    CK_RV code = run_once(direction, nonce, in, name, out);
    if (session_is_lost(code)) {
        TRY(connect());
        code = run_once(direction, nonce, in, name, out);
    }
    if (code == CKR_OK) {
        return {};
    }
    // Tokens differ in the word for a wrong tag; a session whose operation is still under way would
    // refuse the next one.
    close();
    if (code == CKR_ENCRYPTED_DATA_INVALID || code == CKR_ENCRYPTED_DATA_LEN_RANGE ||
        (direction == Direction::kDecrypt && code == CKR_GENERAL_ERROR)) {
        return Error{ErrorCode::kCorrupt,
                     "a wrapped data key does not open: it, its owner or the master key is not "
                     "that with which it was wrapped"};
    }
    return refused(direction == Direction::kEncrypt ? "wrap a data key" : "unwrap a data key",
                   code);
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

Result<std::unique_ptr<MasterKey>> open_pkcs11_key(const Pkcs11Uri& uri, const std::string& pin,
                                                   Random& random) {
    auto key = std::make_unique<Pkcs11Key>(uri, pin, random);
    TRY(key->open());
    return std::unique_ptr<MasterKey>(std::move(key));
}

}  // namespace colophon::storage
