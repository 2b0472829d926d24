// SPDX-License-Identifier: Apache-2.0
// The verifying half of SecurityData. What producers write differs in the case of names, in the
// form of keys and signatures, and in what they hash; each form that was seen is tried, none is
// guessed. Everything here is small and bounded: a hostile value costs a few hundred
// verifications, not more.

#include "label/metadata/security_data.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"
#include "label/metadata/internal/aigc_fields.h"
#include "label/metadata/internal/sm2.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

// A label carries one signature and one key, perhaps two of each.
constexpr std::size_t kSecurityItemsMax = 4;
constexpr std::size_t kSecurityHexMax = 16U << 10U;

bool equal_fold(std::string_view left, std::string_view right) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(left, right, {}, lower, lower);
}

const json::Value* find_fold(const json::Value& value, std::string_view name) {
    const json::Object* object = value.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    const auto row = std::ranges::find_if(
        *object, [&](const json::Member& member) { return equal_fold(member.first, name); });
    return row == object->end() ? nullptr : &row->second;
}

std::string text_of(const json::Value& value, std::string_view name) {
    const json::Value* member = find_fold(value, name);
    const std::string* text = member == nullptr ? nullptr : member->if_string();
    return text == nullptr ? std::string() : *text;
}

// Hexadecimal in either case, as every producer seen writes it.
std::optional<Buffer> binary(const std::string& text) {
    if (text.empty() || text.size() > kSecurityHexMax) {
        return std::nullopt;
    }
    auto bytes = from_hex(text);
    return bytes.ok() ? std::optional(std::move(bytes).value()) : std::nullopt;
}

enum class Algorithm { kSm2, kRsa, kUnknown };

Algorithm algorithm_of(const json::Value& item) {
    const std::string id = text_of(item, "AlgID");
    if (id == internal::kSm2WithSm3 || id.empty()) {
        return Algorithm::kSm2;
    }
    return id == internal::kSha256WithRsa ? Algorithm::kRsa : Algorithm::kUnknown;
}

struct Protection {
    Algorithm algorithm = Algorithm::kUnknown;
    std::string algorithm_id;
    std::string target;  // TBSData.Type: what is signed
    std::optional<Buffer> signature;
};

struct KeyItem {
    internal::Key key;
    std::string id;
};

struct SecurityData {
    std::vector<Protection> protections;
    std::vector<KeyItem> keys;
    bool unreadable_key = false;
    bool bindings = false;
};

Protection read_protection(const json::Value& item) {
    Protection out;
    out.algorithm = algorithm_of(item);
    out.algorithm_id = text_of(item, "AlgID");
    if (const json::Value* target = find_fold(item, "TBSData")) {
        const std::string* plain = target->if_string();
        out.target = plain != nullptr ? *plain : text_of(*target, "Type");
    }
    out.signature = binary(text_of(item, "Signature"));
    return out;
}

void read_key(const json::Value& item, SecurityData& data) {
    KeyItem out;
    out.id = text_of(item, "KeyID");
    for (const std::string_view name : {"KeyValue", "CertValue", "Value", "Cert"}) {
        const auto bytes = binary(text_of(item, name));
        if (bytes && !out.key) {
            out.key = internal::parse_public_key(*bytes);
        }
    }
    if (out.key) {
        data.keys.push_back(std::move(out));
    } else {
        data.unreadable_key = true;
    }
}

void read_item(const json::Value& item, SecurityData& data) {
    const std::string type = text_of(item, "Type");
    const bool has_key = find_fold(item, "KeyValue") != nullptr;
    if (equal_fold(type, "DS") && data.protections.size() < kSecurityItemsMax) {
        data.protections.push_back(read_protection(item));
    } else if ((equal_fold(type, "PubKey") || equal_fold(type, "Cert") || has_key) &&
               data.keys.size() < kSecurityItemsMax) {
        read_key(item, data);
    }
}

// Nothing when the value is no SecurityData at all: opaque vendor values are not to be judged.
std::optional<SecurityData> read_security_data(std::string_view text) {
    const auto value = json::parse(text);
    if (!value.ok() || value->if_object() == nullptr) {
        return std::nullopt;
    }
    const json::Value* body = find_fold(*value, "SecurityData");
    if (body == nullptr) {
        body = find_fold(*value, "Content");
    }
    if (body == nullptr) {
        body = &*value;
    }
    const json::Value* list = find_fold(*body, "PubSD");
    const json::Array* items = list == nullptr ? nullptr : list->if_array();
    if (items == nullptr) {
        return std::nullopt;
    }
    SecurityData data;
    std::size_t looked_at = 0;
    for (const json::Value& item : *items) {
        if (++looked_at > 4 * kSecurityItemsMax) {
            break;
        }
        read_item(item, data);
    }
    for (const std::string_view name : {"Bindings", "Bnd"}) {
        const json::Value* bindings = find_fold(*body, name);
        const json::Array* array = bindings == nullptr ? nullptr : bindings->if_array();
        data.bindings = data.bindings || (array != nullptr && !array->empty()) ||
                        (bindings != nullptr && bindings->if_object() != nullptr);
    }
    return data;
}

bool signs_content(const Protection& protection) {
    return equal_fold(protection.target, "Bnd") || equal_fold(protection.target, "Bindings") ||
           equal_fold(protection.target, "Content");
}

enum class Match { kNone, kSingle, kDouble };

// Some producers sign the digest of the message instead of the message, so that it is hashed twice.
Match try_key(const Protection& protection, evp_pkey_st* key, Bytes message) {
    const Bytes signature(*protection.signature);
    if (protection.algorithm == Algorithm::kSm2) {
        if (internal::verify_sm2(key, message, signature)) {
            return Match::kSingle;
        }
        return internal::verify_sm2(key, sm3(message), signature) ? Match::kDouble : Match::kNone;
    }
    if (internal::verify_rsa_sha256(key, message, signature)) {
        return Match::kSingle;
    }
    return internal::verify_rsa_sha256(key, sha256(message), signature) ? Match::kDouble
                                                                        : Match::kNone;
}

bool usable(const Protection& protection, const evp_pkey_st* key) {
    return protection.algorithm == Algorithm::kSm2 ? internal::is_sm2(key) : internal::is_rsa(key);
}

// One trusted key, ready for use.
struct Anchor {
    const TrustedKey* trusted;
    internal::Key key;
    std::string id;
};

class Verifier {
public:
    Verifier(const AigcLabel& label, const std::vector<TrustedKey>& trusted)
        : message_(signed_message(label)) {
        for (const TrustedKey& each : trusted) {
            if (auto key = internal::parse_public_key(each.public_key)) {
                anchors_.push_back(
                    {&each, std::move(key), internal::key_id_of_spki(each.public_key)});
            }
        }
    }

    SignatureReading verify(const SecurityData& data) {
        if (!data.keys.empty()) {
            const KeyItem& first = data.keys.front();
            reading_.key_id = first.id.empty()
                                  ? internal::key_id_of_spki(internal::to_spki(first.key.get()))
                                  : first.id;
        }
        for (const Protection& protection : data.protections) {
            take(protection, data);
        }
        if (data.bindings) {
            note_once("signature.binding_unchecked",
                      "a binding to the content is there; its rules are not public, so it is not "
                      "checked");
        }
        conclude(data);
        return std::move(reading_);
    }

private:
    void take(const Protection& protection, const SecurityData& data) {
        if (signs_content(protection)) {
            note_once("signature.binding_unchecked",
                      "a signature over a binding to the content is there; its rules are not "
                      "public, so it is not checked");
            return;
        }
        if (protection.algorithm == Algorithm::kUnknown) {
            ++unsupported_;
            warn(reading_.findings, "signature.algorithm",
                 fmt::format("the signature algorithm {} is not known",
                             internal::shorten(protection.algorithm_id)));
            return;
        }
        if (!protection.signature) {
            ++invalid_;
            fault(reading_.findings, "signature.invalid",
                  "the signature is empty, too long or not hexadecimal");
            return;
        }
        if (!match_anchor(protection) && !match_file_key(protection, data)) {
            reject(protection, data);
        }
    }

    bool match_anchor(const Protection& protection) {
        for (const Anchor& anchor : anchors_) {
            const Match match = usable(protection, anchor.key.get())
                                    ? try_key(protection, anchor.key.get(), as_bytes(message_))
                                    : Match::kNone;
            if (match != Match::kNone) {
                accept(match);
                reading_.trusted = true;
                reading_.key_id = reading_.key_id.empty() ? anchor.id : reading_.key_id;
                return true;
            }
        }
        return false;
    }

    bool match_file_key(const Protection& protection, const SecurityData& data) {
        for (const KeyItem& item : data.keys) {
            const Match match = usable(protection, item.key.get())
                                    ? try_key(protection, item.key.get(), as_bytes(message_))
                                    : Match::kNone;
            if (match == Match::kNone) {
                continue;
            }
            accept(match);
            note_once("signature.untrusted_key",
                      "the key that verifies comes from the file itself: it shows that the label "
                      "was not changed, not who signed it");
            for (const Anchor& anchor : anchors_) {
                if (!item.id.empty() && (item.id == anchor.id || item.id == anchor.trusted->name)) {
                    fault(reading_.findings, "signature.key_mismatch",
                          fmt::format("the key calls itself {}, which is a trusted key, but is "
                                      "another one",
                                      internal::shorten(item.id)));
                }
            }
            return true;
        }
        return false;
    }

    void reject(const Protection& protection, const SecurityData& data) {
        const bool had_key = std::ranges::any_of(
            data.keys, [&](const KeyItem& item) { return usable(protection, item.key.get()); });
        if (had_key) {
            ++invalid_;
            fault(reading_.findings, "signature.invalid",
                  "the signature does not belong to this Label, ContentProducer and ProduceID: one "
                  "of them was changed, or the key was");
            return;
        }
        ++unsupported_;
        warn(reading_.findings, "signature.no_key",
             data.unreadable_key ? "the key in the label has a form that is not known"
                                 : "no key is there that could verify the signature");
    }

    void accept(Match match) {
        ++valid_;
        if (match == Match::kDouble) {
            reading_.double_hash = true;
            note_once("signature.double_hash",
                      "the signature is over the digest of the message, not over the message");
        }
    }

    // One broken signature over the label outweighs a good one beside it: whoever changes a label
    // can always add a signature of his own.
    void conclude(const SecurityData& data) {
        if (invalid_ > 0) {
            reading_.state = SignatureState::kInvalid;
            reading_.trusted = false;
        } else if (valid_ > 0) {
            reading_.state = SignatureState::kValid;
        } else if (unsupported_ > 0 || !data.protections.empty()) {
            reading_.state = SignatureState::kUnsupported;
        } else {
            note_once("signature.none", "SecurityData without a signature over the label");
        }
    }

    void note_once(std::string_view code, std::string what) {
        if (std::ranges::find(reading_.findings, code, &Finding::code) == reading_.findings.end()) {
            note(reading_.findings, code, std::move(what));
        }
    }

    std::string message_;
    std::vector<Anchor> anchors_;
    SignatureReading reading_;
    std::size_t valid_ = 0;
    std::size_t invalid_ = 0;
    std::size_t unsupported_ = 0;
};

}  // namespace

// [TC260-PG-202511A] Signature first by a trusted key, then by the key in the file.
SignatureReading verify_security_data(const AigcLabel& label,
                                      const std::vector<TrustedKey>& trusted) {
    SignatureReading reading;
    if (label.reserved_code1.empty()) {
        return reading;
    }
    const auto data = read_security_data(label.reserved_code1);
    if (!data) {
        note(reading.findings, "signature.opaque",
             fmt::format("ReservedCode1 holds {} bytes that are no SecurityData; they cannot be "
                         "checked",
                         label.reserved_code1.size()));
        return reading;
    }
    return Verifier(label, trusted).verify(*data);
}

std::string_view signature_state_name(SignatureState state) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"none", "valid", "invalid", "unsupported"};
    return kNames[static_cast<std::size_t>(state)];
}

}  // namespace colophon::label
