// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signed notes, C2SP signed-note: a text, an empty line, and one line for each signature. Keys are
// texts too. docs/formats/ledger-checkpoint.md has the grammar.
//
// Types of signature: 0x01 Ed25519 over the text, 0x04 a witness's cosignature (Ed25519 over a time
// and the text, C2SP tlog-cosignature), 0xff with the name kSm2KeyKind SM2 over the text, with SM3
// and in DER. Lines of other types are kept and not judged.

#include "core/bytes.h"
#include "core/random.h"
#include "core/signature.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

enum class SignatureType : std::uint8_t { kEd25519 = 0x01, kCosignature = 0x04, kSm2 = 0xff };
// Type 0xff is shared by all who have no number: what follows it says whose it is.
inline constexpr std::string_view kSm2KeyKind = "colophon/sm2-sm3/v1";

struct NoteSignature {
    std::string name;
    std::uint32_t key_id = 0;
    Buffer bytes;  // what stands behind the key id
};

struct Note {
    std::string text;  // ends with a line feed
    std::vector<NoteSignature> signatures;
};

// kCorrupt names what is wrong; kLimit above 1 MiB or 100 signatures.
Result<Note> parse_note(std::string_view bytes);
// The bytes of a note. The text ends with a line feed, and there is a signature (asserted).
std::string format_note(const Note& note);
// One line of a signature with its line feed, and back.
std::string format_signature_line(const NoteSignature& signature);
Result<NoteSignature> parse_signature_line(std::string_view line);  // without its line feed

// Not empty, UTF-8, neither '+' nor any space of Unicode, at most 255 bytes.
bool is_key_name(std::string_view name);

// A public key, written NAME+8 hex digits+base64(type || key), a "vkey"; of SM2 the key is a point
// of 65 bytes, and kSm2KeyKind stands before it.
class NoteVerifier {
public:
    // kInvalidArgument when it is none, kUnsupported for a type that is not judged here.
    static Result<NoteVerifier> parse(std::string_view vkey);

    const std::string& name() const noexcept { return name_; }
    std::uint32_t key_id() const noexcept { return key_id_; }
    SignatureType type() const noexcept { return type_; }
    std::string vkey() const;
    bool signed_by(const NoteSignature& signature) const noexcept {
        return signature.key_id == key_id_ && signature.name == name_;
    }
    // Whether `signature`, which names this key, is good for the text.
    bool verify(std::string_view text, const NoteSignature& signature) const;

private:
    friend class NoteSigner;
    NoteVerifier(std::string name, SignatureType type, Buffer key);

    std::string name_;
    SignatureType type_;
    Buffer key_;
    std::uint32_t key_id_;
};

// A private key, written PRIVATE+KEY+NAME+8 hex digits+base64(type || seed). Never in a message.
class NoteSigner {
public:
    static Result<NoteSigner> parse(std::string_view text);
    static Result<NoteSigner> generate(std::string_view name, SignatureType type, Random& random);

    const NoteVerifier& verifier() const noexcept { return verifier_; }
    std::string to_text() const;
    // `seconds` (POSIX) is what a cosignature of type 0x04 states.
    Result<NoteSignature> sign(std::string_view text, std::uint64_t seconds = 0) const;

private:
    NoteSigner(NoteVerifier verifier, Buffer seed)
        : verifier_(std::move(verifier)), seed_(std::move(seed)) {}

    NoteVerifier verifier_;
    Buffer seed_;
};

// The time that a cosignature states; nothing when it has not the form of one.
std::optional<std::uint64_t> cosignature_seconds(const NoteSignature& signature);

struct OpenedNote {
    std::string text;
    std::vector<NoteSignature> verified;  // by known keys, in their order, each key once
    std::vector<NoteSignature> unknown;
};

// Opens a note by the keys that the reader knows. kDenied when the signature of a known key is
// wrong, even if another one is good, or when no known key signed; otherwise as parse_note().
Result<OpenedNote> open_note(std::string_view bytes, std::span<const NoteVerifier> known);

}  // namespace colophon::ledger
