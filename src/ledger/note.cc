// SPDX-License-Identifier: Apache-2.0
#include "ledger/note.h"

#include "core/assert.h"
#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "core/result.h"
#include "core/signature.h"
#include "core/utf8.h"
#include "ledger/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr std::string_view kPrivate = "PRIVATE+KEY+";
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kTimeBytes = 8;

bool is_unicode_space(char32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

Error corrupt(std::string what) {
    return {ErrorCode::kCorrupt, "signed note: " + std::move(what)};
}

Buffer typed_key(SignatureType type, Bytes key) {
    Buffer bytes{static_cast<std::uint8_t>(type)};
    if (type == SignatureType::kSm2) {
        append(bytes, as_bytes(kSm2KeyKind));
    }
    append(bytes, key);
    return bytes;
}

// First four bytes of SHA-256(name || LF || type || key).
std::uint32_t key_id_of(std::string_view name, SignatureType type, Bytes key) {
    Buffer bytes = to_buffer(name);
    bytes.push_back('\n');
    append(bytes, typed_key(type, key));
    return load_be32(sha256(bytes));
}

Result<Buffer> public_key_of(SignatureType type, Bytes seed) {
    if (type == SignatureType::kSm2) {
        return sm2_public_key(seed);
    }
    const Ed25519Key key = TRY(ed25519_public_key(seed));
    return to_buffer(key);
}

struct KeyText {
    std::string_view name;
    SignatureType type = SignatureType::kEd25519;
    Buffer key;
    std::uint32_t key_id = 0;
};

enum class KeyHalf { kPublicHalf, kPrivateHalf };

std::size_t key_bytes(SignatureType type, KeyHalf half) {
    if (type != SignatureType::kSm2) {
        return kEd25519KeyBytes;
    }
    return half == KeyHalf::kPublicHalf ? kSm2PublicBytes : kSm2PrivateBytes;
}

// NAME+8 hex digits+base64(type || key).
Result<KeyText> parse_key_text(std::string_view text, KeyHalf half) {
    const Error bad{
        ErrorCode::kInvalidArgument,
        "a key is written NAME+8 hex digits+base64, as in example.com/log+33d7b496+AeHT…"};
    const std::size_t first = text.find('+');
    const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
    if (second == std::string_view::npos || !is_key_name(text.substr(0, first))) {
        return bad;
    }
    const auto id = from_hex(text.substr(first + 1, second - first - 1));
    const auto data = from_base64(text.substr(second + 1));
    if (!id.ok() || id->size() != kKeyIdBytes || !data.ok() || data->empty()) {
        return bad;
    }
    const auto type = static_cast<SignatureType>(data->front());
    const bool sm2 =
        type == SignatureType::kSm2 && as_text(*data).substr(1).starts_with(kSm2KeyKind);
    if (type != SignatureType::kEd25519 && type != SignatureType::kCosignature && !sm2) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("keys of type 0x{:02x} are not supported; 0x01, 0x04 and SM2 are",
                                 data->front())};
    }
    const Bytes key = Bytes(*data).subspan(sm2 ? 1 + kSm2KeyKind.size() : 1);
    if (key.size() != key_bytes(type, half)) {
        return bad;
    }
    return KeyText{.name = text.substr(0, first),
                   .type = type,
                   .key = to_buffer(key),
                   .key_id = load_be32(*id)};
}

// What a cosignature signs: the time and the whole text.
std::string cosigned_message(std::string_view text, std::uint64_t seconds) {
    return fmt::format("cosignature/v1\ntime {}\n{}", seconds, text);
}

}  // namespace

bool is_key_name(std::string_view name) {
    if (name.empty() || name.size() > limits::kKeyNameBytesMax) {
        return false;
    }
    std::size_t at = 0;
    while (at < name.size()) {
        const auto c = next_code_point(name, at);
        if (!c || *c == U'+' || *c < 0x20 || is_unicode_space(*c)) {
            return false;
        }
    }
    return true;
}

std::string format_signature_line(const NoteSignature& signature) {
    Buffer bytes;
    append_be32(bytes, signature.key_id);
    append(bytes, signature.bytes);
    return fmt::format("{}{} {}\n", kDash, signature.name, to_base64(bytes));
}

Result<NoteSignature> parse_signature_line(std::string_view line) {
    if (!line.starts_with(kDash)) {
        return corrupt("a signature line does not start with an em dash (U+2014) and a space");
    }
    line.remove_prefix(kDash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) {
        return corrupt("a signature line has no key name");
    }
    const auto bytes = from_base64(line.substr(space + 1));
    if (!bytes.ok() || bytes->size() <= kKeyIdBytes) {
        return corrupt("a signature is not base64 of a key id and a signature");
    }
    return NoteSignature{.name = std::string(line.substr(0, space)),
                         .key_id = load_be32(*bytes),
                         .bytes = to_buffer(Bytes(*bytes).subspan(kKeyIdBytes))};
}

Result<Note> parse_note(std::string_view bytes) {
    if (bytes.size() > limits::kNoteBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a signed note of {} bytes; at most {} are read", bytes.size(),
                                 limits::kNoteBytesMax)};
    }
    if (const auto at = find_invalid_utf8(bytes)) {
        return corrupt_at("signed note: not UTF-8", *at);
    }
    const auto control = std::ranges::find_if(
        bytes, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
    if (control != bytes.end()) {
        return corrupt_at("signed note: a control character",
                          static_cast<std::uint64_t>(control - bytes.begin()));
    }
    // The last empty line divides, so that the text may have empty lines of its own.
    const std::size_t blank = bytes.rfind("\n\n");
    if (blank == std::string_view::npos) {
        return corrupt("no empty line between the text and the signatures");
    }
    std::string_view lines = bytes.substr(blank + 2);
    if (lines.empty() || !lines.ends_with('\n')) {
        return corrupt("the last signature line is missing or does not end");
    }
    Note note{.text = std::string(bytes.substr(0, blank + 1)), .signatures = {}};
    while (!lines.empty()) {
        if (note.signatures.size() == limits::kNoteSignaturesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a signed note with more than {} signatures",
                                     limits::kNoteSignaturesMax)};
        }
        const std::size_t end = lines.find('\n');
        note.signatures.push_back(TRY(parse_signature_line(lines.substr(0, end))));
        lines.remove_prefix(end + 1);
    }
    return note;
}

std::string format_note(const Note& note) {
    COLOPHON_ASSERT(note.text.ends_with('\n') && !note.signatures.empty());
    std::string out = note.text + "\n";
    for (const NoteSignature& signature : note.signatures) {
        out += format_signature_line(signature);
    }
    return out;
}

NoteVerifier::NoteVerifier(std::string name, SignatureType type, Buffer key)
    : name_(std::move(name)),
      type_(type),
      key_(std::move(key)),
      key_id_(key_id_of(name_, type, key_)) {}

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
    KeyText text = TRY(parse_key_text(vkey, KeyHalf::kPublicHalf));
    NoteVerifier verifier(std::string(text.name), text.type, std::move(text.key));
    if (verifier.key_id() != text.key_id) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the key id of {} is {:08x}, not {:08x}: a character is wrong",
                                 text.name, verifier.key_id(), text.key_id)};
    }
    return verifier;
}

std::string NoteVerifier::vkey() const {
    return fmt::format("{}+{:08x}+{}", name_, key_id_, to_base64(typed_key(type_, key_)));
}

bool NoteVerifier::verify(std::string_view text, const NoteSignature& signature) const {
    if (type_ == SignatureType::kEd25519) {
        return ed25519_verify(key_, as_bytes(text), signature.bytes);
    }
    if (type_ == SignatureType::kSm2) {
        return sm2_verify(key_, as_bytes(text), signature.bytes);
    }
    const auto seconds = cosignature_seconds(signature);
    return seconds && ed25519_verify(key_, as_bytes(cosigned_message(text, *seconds)),
                                     Bytes(signature.bytes).subspan(kTimeBytes));
}

Result<NoteSigner> NoteSigner::parse(std::string_view text) {
    const Error bad{ErrorCode::kInvalidArgument,
                    "a private key of the log is written PRIVATE+KEY+NAME+8 hex digits+base64"};
    if (!text.starts_with(kPrivate)) {
        return bad;
    }
    const auto parsed = parse_key_text(text.substr(kPrivate.size()), KeyHalf::kPrivateHalf);
    if (!parsed.ok()) {
        return bad;
    }
    Buffer key = TRY(public_key_of(parsed->type, parsed->key));
    NoteVerifier verifier(std::string(parsed->name), parsed->type, std::move(key));
    if (verifier.key_id() != parsed->key_id) {
        return Error{ErrorCode::kInvalidArgument,
                     "the private key does not belong to its key id: a character is wrong"};
    }
    return NoteSigner(std::move(verifier), parsed->key);
}

Result<NoteSigner> NoteSigner::generate(std::string_view name, SignatureType type, Random& random) {
    if (!is_key_name(name)) {
        return Error{ErrorCode::kInvalidArgument,
                     "the name of a key has neither spaces nor '+' and at most 255 bytes"};
    }
    Buffer seed(key_bytes(type, KeyHalf::kPrivateHalf));
    auto key = Result<Buffer>(Buffer{});
    do {
        TRY(random.fill(seed));
        key = public_key_of(type, seed);
        // A number beyond the order of SM2's group, which one of 2^32 is, is drawn again.
    } while (!key.ok() && key.error().code == ErrorCode::kInvalidArgument);
    Buffer made = TRY(std::move(key));
    return NoteSigner(NoteVerifier(std::string(name), type, std::move(made)), std::move(seed));
}

std::string NoteSigner::to_text() const {
    return fmt::format("{}{}+{:08x}+{}", kPrivate, verifier_.name(), verifier_.key_id(),
                       to_base64(typed_key(verifier_.type(), seed_)));
}

Result<NoteSignature> NoteSigner::sign(std::string_view text, std::uint64_t seconds) const {
    NoteSignature out{.name = verifier_.name(), .key_id = verifier_.key_id(), .bytes = {}};
    std::string message(text);
    if (verifier_.type() == SignatureType::kCosignature) {
        append_be64(out.bytes, seconds);
        message = cosigned_message(text, seconds);
    }
    if (verifier_.type() == SignatureType::kSm2) {
        out.bytes = TRY(sm2_sign(seed_, as_bytes(message)));
        return out;
    }
    append(out.bytes, TRY(ed25519_sign(seed_, as_bytes(message))));
    return out;
}

std::optional<std::uint64_t> cosignature_seconds(const NoteSignature& signature) {
    if (signature.bytes.size() != kTimeBytes + kEd25519SignatureBytes) {
        return std::nullopt;
    }
    return load_be64(signature.bytes);
}

Result<OpenedNote> open_note(std::string_view bytes, std::span<const NoteVerifier> known) {
    Note note = TRY(parse_note(bytes));
    OpenedNote opened{.text = std::move(note.text), .verified = {}, .unknown = {}};
    for (NoteSignature& signature : note.signatures) {
        const auto key = std::ranges::find_if(
            known, [&](const NoteVerifier& each) { return each.signed_by(signature); });
        if (key == known.end()) {
            opened.unknown.push_back(std::move(signature));
            continue;
        }
        if (!key->verify(opened.text, signature)) {
            return Error{ErrorCode::kDenied,
                         fmt::format("the signature of {} is wrong: the note was changed, or "
                                     "somebody else signed it",
                                     key->name())};
        }
        const bool again = std::ranges::any_of(
            opened.verified, [&](const NoteSignature& each) { return key->signed_by(each); });
        if (!again) {
            opened.verified.push_back(std::move(signature));
        }
    }
    if (opened.verified.empty()) {
        return Error{ErrorCode::kDenied, "no known key signed this note"};
    }
    return opened;
}

}  // namespace colophon::ledger
