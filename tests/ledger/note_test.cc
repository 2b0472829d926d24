// SPDX-License-Identifier: Apache-2.0
#include "ledger/note.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

// The example of C2SP signed-note: the poem is signed by a key that the page does not give.
constexpr std::string_view kPoem =
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU"
    "0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
// The verifier key of Tessera's published test log.
constexpr std::string_view kTesseraKey =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

NoteSigner make_signer(std::uint64_t seed, SignatureType type = SignatureType::kEd25519) {
    SeededRandom random(seed);
    return NoteSigner::generate("log.example/" + std::to_string(seed), type, random).value();
}

std::string signed_note(const std::string& text, const std::vector<NoteSigner>& signers) {
    Note note{.text = text, .signatures = {}};
    for (const NoteSigner& signer : signers) {
        note.signatures.push_back(signer.sign(text, 1700000000).value());
    }
    return format_note(note);
}

TEST_CASE("the example of the specification is read and written back") {
    const auto note = parse_note(kPoem);
    REQUIRE(note.ok());
    CHECK(note->text ==
          "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito "
          "sera.\n");
    REQUIRE(note->signatures.size() == 1);
    CHECK(note->signatures[0].name == "quasimodo.example/salvatore");
    CHECK(note->signatures[0].key_id == 0x367BA04B);
    CHECK(note->signatures[0].bytes.size() == 64);
    CHECK(format_note(*note) == kPoem);
}

TEST_CASE("a published key is read, has its key id and is written back") {
    const auto key = NoteVerifier::parse(kTesseraKey);
    REQUIRE(key.ok());
    CHECK(key->name() == "example.com/log/testdata");
    CHECK(key->key_id() == 0x33D7B496);
    CHECK(key->type() == SignatureType::kEd25519);
    CHECK(key->vkey() == kTesseraKey);
}

TEST_CASE("keys that are no keys are refused") {
    std::string wrong_id(kTesseraKey);
    wrong_id.replace(wrong_id.find("33d7"), 4, "33d8");
    CHECK(NoteVerifier::parse(wrong_id).error().what.find("a character is wrong") !=
          std::string::npos);
    for (const std::string_view text :
         {"", "+", "++", "a+b", "a b+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
          "a+33d7b496+", "a+33d7b496+AQ==", "a+33d7+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
          "a+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkS",
          "\xE3\x80\x80+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"}) {
        CAPTURE(text);
        CHECK(NoteVerifier::parse(text).error().code == ErrorCode::kInvalidArgument);
    }
    CHECK(NoteVerifier::parse("a+33d7b496+/+HTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
              .error()
              .code == ErrorCode::kUnsupported);
}

TEST_CASE("a private key is written and read, and a damaged one is refused without being shown") {
    const NoteSigner signer = make_signer(1);
    const std::string text = signer.to_text();
    CHECK(text.starts_with("PRIVATE+KEY+log.example/1+"));
    const auto back = NoteSigner::parse(text);
    REQUIRE(back.ok());
    CHECK(back->verifier().vkey() == signer.verifier().vkey());
    CHECK(back->sign("x\n").value().bytes == signer.sign("x\n").value().bytes);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string wrong = text;
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        const auto refused = NoteSigner::parse(wrong);
        // Upper case in the hexadecimal digits is the same key id.
        if (refused.ok()) {
            CHECK(refused->verifier().vkey() == signer.verifier().vkey());
            continue;
        }
        CHECK(refused.error().what.find(text.substr(text.size() - 12)) == std::string::npos);
    }
}

TEST_CASE("a signed note opens by its key and by no other") {
    const NoteSigner signer = make_signer(1);
    const std::string note = signed_note("hello\n\nworld\n", {signer});
    const std::array known{signer.verifier()};
    const auto opened = open_note(note, known);
    REQUIRE(opened.ok());
    CHECK(opened->text == "hello\n\nworld\n");
    CHECK(opened->verified.size() == 1);
    const std::array other{make_signer(2).verifier()};
    CHECK(open_note(note, other).error().what == "no known key signed this note");
    CHECK(open_note(note, {}).error().code == ErrorCode::kDenied);
}

TEST_CASE("a wrong signature of a known key fails the note, whatever else is good") {
    const NoteSigner one = make_signer(1);
    const NoteSigner two = make_signer(2);
    Note note{.text = "text\n", .signatures = {}};
    note.signatures = {one.sign(note.text).value(), two.sign("other text\n").value()};
    const std::array both{one.verifier(), two.verifier()};
    CHECK(open_note(format_note(note), both)
              .error()
              .what.starts_with("the signature of log.example/2 is wrong"));
    // Nobody knows the second key: its line says nothing.
    const std::array first{one.verifier()};
    const auto opened = open_note(format_note(note), first);
    REQUIRE(opened.ok());
    CHECK(opened->unknown.size() == 1);
    // The same name with another key id, and the same key id under another name, are other keys.
    note.signatures[1] = one.sign(note.text).value();
    note.signatures[1].key_id ^= 1U;
    note.signatures.push_back(one.sign(note.text).value());
    note.signatures[2].name = "else.example";
    CHECK(open_note(format_note(note), first)->unknown.size() == 2);
    // Twice by one key counts once.
    note.signatures = {one.sign(note.text).value(), one.sign(note.text).value()};
    CHECK(open_note(format_note(note), first)->verified.size() == 1);
}

TEST_CASE("every bit of a signed note counts") {
    const NoteSigner signer = make_signer(3);
    const std::string note = signed_note("log.example\n300\nAAAA\n", {signer});
    const std::array known{signer.verifier()};
    REQUIRE(open_note(note, known).ok());
    for (std::size_t bit = 0; bit < note.size() * 8; ++bit) {
        std::string wrong = note;
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ static_cast<char>(1U << (bit % 8)));
        CAPTURE(bit);
        REQUIRE_FALSE(open_note(wrong, known).ok());
    }
}

TEST_CASE("SM2 signs beside Ed25519, and each line is judged by who knows its key") {
    SeededRandom random(9);
    const NoteSigner first =
        NoteSigner::generate("log.example/records", SignatureType::kEd25519, random).value();
    const NoteSigner sm2 =
        NoteSigner::generate("log.example/records", SignatureType::kSm2, random).value();
    const NoteSigner again = NoteSigner::parse(sm2.to_text()).value();
    CHECK(again.verifier().vkey() == sm2.verifier().vkey());
    const NoteVerifier read = NoteVerifier::parse(sm2.verifier().vkey()).value();
    CHECK(read.type() == SignatureType::kSm2);
    const std::string text =
        "log.example/records\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    Note note{.text = text, .signatures = {first.sign(text).value(), again.sign(text).value()}};
    const std::vector<NoteVerifier> both{first.verifier(), read};
    CHECK(open_note(format_note(note), both).value().verified.size() == 2);
    CHECK(open_note(format_note(note), std::vector{first.verifier()}).value().unknown.size() == 1);
    CHECK(open_note(format_note(note), std::vector{read}).value().verified.size() == 1);
    note.signatures[1].bytes.back() ^= 0x01U;
    CHECK(open_note(format_note(note), both).error().code == ErrorCode::kDenied);
    CHECK(open_note(format_note(note), std::vector{first.verifier()}).ok());
    // Others who use the type 0xff have another name behind it.
    Buffer other{0xff};
    append(other, as_bytes(std::string_view("colophon/sm2-sm3/v2")));
    append(other, Buffer(65, 4));
    CHECK(NoteVerifier::parse("a+00000000+" + to_base64(other)).error().code ==
          ErrorCode::kUnsupported);
}

TEST_CASE("a cosignature states its time and covers it") {
    const NoteSigner witness = make_signer(4, SignatureType::kCosignature);
    const std::string text = "log.example\n1\nAAAA\n";
    const NoteSignature signature = witness.sign(text, 1700000000).value();
    CHECK(signature.bytes.size() == 72);
    CHECK(cosignature_seconds(signature) == 1700000000);
    CHECK(witness.verifier().verify(text, signature));
    NoteSignature later = signature;
    later.bytes[7] ^= 1U;
    CHECK(cosignature_seconds(later) == 1700000001);
    CHECK_FALSE(witness.verifier().verify(text, later));
    NoteSignature shorter = signature;
    shorter.bytes.pop_back();
    CHECK_FALSE(witness.verifier().verify(text, shorter));
    // A key of type 0x04 has another key id than the same key of type 0x01.
    CHECK(NoteVerifier::parse(witness.verifier().vkey()).value().type() ==
          SignatureType::kCosignature);
}

struct BadNote {
    std::string_view why;
    std::string bytes;
    std::string_view what;  // must stand in the message
};

TEST_CASE("a note that breaks the grammar is refused, and the message says how") {
    const std::string line = "— a AAAAAAAA\n";  // six bytes: a key id and two more
    const std::vector<BadNote> rows{
        {"empty", "", "no empty line"},
        {"no empty line", "text\n" + line, "no empty line"},
        {"no signature", "text\n\n", "missing"},
        {"last line does not end", "text\n\n" + line.substr(0, line.size() - 1), "not end"},
        {"carriage return", "text\r\n\n" + line, "control character at byte 4"},
        {"tab", "te\txt\n\n" + line, "control character at byte 2"},
        {"NUL", std::string("te\0xt\n\n", 7) + line, "control character at byte 2"},
        {"invalid UTF-8", "te\xFFxt\n\n" + line, "not UTF-8 at byte 2"},
        {"overlong UTF-8", "\xC0\xAF\n\n" + line, "not UTF-8 at byte 0"},
        {"hyphen for the dash", "text\n\n- a AAAAAAAA\n", "em dash"},
        {"en dash", "text\n\n– a AAAAAAAA\n", "em dash"},
        {"two spaces before the name", "text\n\n—  a AAAAAAAA\n", "no key name"},
        {"two spaces behind the name", "text\n\n— a  AAAAAAAA\n", "not base64"},
        {"no name", "text\n\n— AAAAAAAA\n", "no key name"},
        {"plus in the name", "text\n\n— a+b AAAAAAAA\n", "no key name"},
        {"ideographic space in the name", "text\n\n— a\xE3\x80\x80 AAAAAAAA\n", "no key name"},
        {"no padding", "text\n\n— a AAAAAAA\n", "not base64"},
        {"trailing bits", "text\n\n— a AAAAAAB=\n", "not base64"},
        {"three bytes", "text\n\n— a AAAA\n", "not base64"},
        {"only a key id", "text\n\n— a AAAAAA==\n", "not base64"},
        {"text behind the base64", "text\n\n— a AAAAAAAA x\n", "not base64"},
        {"a blank between signatures", "text\n\n" + line + "\n" + "x\n", "em dash"},
    };
    for (const BadNote& row : rows) {
        CAPTURE(row.why);
        const auto note = parse_note(row.bytes);
        REQUIRE_FALSE(note.ok());
        CHECK(note.error().code == ErrorCode::kCorrupt);
        CHECK_MESSAGE(note.error().what.find(row.what) != std::string::npos, note.error().what);
    }
    // The last empty line divides: here the text ends with an empty line of its own.
    CHECK(parse_note("text\n\n\n" + line)->text == "text\n\n");
}

TEST_CASE("seventeen and a hundred signatures are read, more and a megabyte are not") {
    std::string note = "text\n\n";
    for (int i = 0; i < 17; ++i) {
        note += "— a AAAAAAAA\n";
    }
    CHECK(parse_note(note)->signatures.size() == 17);
    for (int i = 17; i < 100; ++i) {
        note += "— a AAAAAAAA\n";
    }
    CHECK(parse_note(note)->signatures.size() == 100);
    CHECK(parse_note(note + "— a AAAAAAAA\n").error().code == ErrorCode::kLimit);
    CHECK(parse_note(std::string((1U << 20U) + 1, 'x')).error().code == ErrorCode::kLimit);
}

TEST_CASE("names of keys have no spaces and no plus") {
    for (const std::string_view good : {"a", "log.example/2026", "日志.example", "a-b_c.d"}) {
        CHECK(is_key_name(good));
    }
    for (const std::string_view bad : {"", " ", "a b", "a+b", "a\tb",
                                       "a\xC2\xA0"
                                       "b",
                                       "a\xE2\x80\x83", "\xFF", "a\n"}) {
        CHECK_FALSE(is_key_name(bad));
    }
    CHECK_FALSE(is_key_name(std::string(256, 'a')));
}

}  // namespace
}  // namespace colophon::ledger
