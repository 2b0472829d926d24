// SPDX-License-Identifier: Apache-2.0
// Content Credentials in plain text: characters that nobody sees, and a hash over form C.

#include "core/bytes.h"
#include "core/nfc.h"
#include "core/splice.h"
#include "core/utf8.h"
#include "label/format.h"
#include "label/provenance/carrier.h"
#include "label/provenance/credential.h"
#include "label/provenance/internal/text_wrapper.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label::provenance {
namespace {

constexpr std::string_view kText = "Words of a text.\nAnd more.\n";

std::string sign(std::string_view text, std::uint8_t number = 1,
                 SignatureAlgorithm algorithm = SignatureAlgorithm::kEs256) {
    return std::string(
        as_text(test::sign(as_bytes(text), Format::kPlainText, test::input(number), algorithm)));
}

CredentialReading read(std::string_view text) {
    return test::read(as_bytes(text), Format::kPlainText);
}

TEST_CASE("signatures of every algorithm fit into a text, whichever bytes they come out with") {
    for (const SignatureAlgorithmFacts& row : all_signature_algorithms()) {
        if (row.algorithm == SignatureAlgorithm::kPs256 ||
            row.algorithm == SignatureAlgorithm::kPs512) {
            continue;
        }
        CAPTURE(row.name);
        // Each signature takes another number of bytes in the text.
        for (std::uint8_t i = 1; i <= 40; ++i) {
            const std::string text = sign(kText, i, row.algorithm);
            CHECK(text.starts_with(kText));
            CHECK(!find_invalid_utf8(text));
            CHECK(test::failures(read(text)) == "");
            CHECK(read(text).trusted());
        }
    }
}

TEST_CASE("the wrapper is that of the specification, byte for byte") {
    const Buffer store{0x00, 0x0F, 0x10, 0xFF};
    const std::string text = internal::write_text_wrapper(store);
    CHECK(text.size() == internal::text_wrapper_bytes(store));
    // U+FEFF, then "C" is 0x43: U+E0100 + 0x33.
    CHECK(text.starts_with("\xEF\xBB\xBF\xF3\xA0\x84\xB3"));
    // The store: U+FE00, U+FE0F, U+E0100, U+E01EF.
    CHECK(text.ends_with("\xEF\xB8\x80\xEF\xB8\x8F\xF3\xA0\x84\x80\xF3\xA0\x87\xAF"));
    const auto found = internal::find_text_wrappers("before" + text + "after");
    REQUIRE(found.size() == 1);
    CHECK(found[0].store == store);
    CHECK(found[0].range == ByteRange{.offset = 6, .size = text.size()});
    CHECK(found[0].problem == "");
}

// What editors and clipboards do to a text.
TEST_CASE("another normalization of the same characters is the same text") {
    const std::string composed = "caf\xC3\xA9 \xEA\xB0\x80\n";
    const std::string decomposed = "cafe\xCC\x81 \xE1\x84\x80\xE1\x85\xA1\n";
    REQUIRE(to_nfc(decomposed).value() == composed);
    const std::string text = sign(composed);
    const std::string wrapper = text.substr(composed.size());
    CHECK(read(decomposed + wrapper).trusted());
    CHECK(read(sign(decomposed)).trusted());
    CHECK(!read("cafe\n" + wrapper).intact());
    // A byte order mark is a character of the text.
    CHECK(read(sign("\xEF\xBB\xBFwords")).trusted());
    CHECK(!read(text.substr(0, 4) + text).intact());
}

TEST_CASE("a text may be signed again, and stands around its credential or before it") {
    const std::string once = sign(kText);
    const std::string twice = sign(once, 2);
    CHECK(twice.starts_with(kText));
    CHECK(internal::find_text_wrappers(twice).size() == 1);
    CHECK(read(twice).trusted());
    CHECK(read(sign("")).trusted());
    // Words behind the credential were not signed.
    CHECK(test::failures(read(once + "more")) == "assertion.dataHash.mismatch");
    // Moved in front of the words it lies elsewhere than it says.
    const std::string wrapper = once.substr(kText.size());
    CHECK(test::failures(read(wrapper + std::string(kText))) == "assertion.dataHash.malformed");
}

TEST_CASE("two credentials, and a broken one, are told by the codes of the specification") {
    const std::string once = sign(kText);
    const std::string wrapper = once.substr(kText.size());
    CHECK(test::failures(read(once + " " + wrapper)) == "manifest.text.multipleWrappers");
    // The last characters are gone, as when a text is copied in part.
    const CredentialReading cut = read(once.substr(0, once.size() - 400));
    CHECK(cut.found);
    CHECK(test::failures(cut) == "manifest.text.corruptedWrapper");
    // One more selector than the length says.
    const CredentialReading longer = read(once + "\xEF\xB8\x80");
    CHECK(longer.found);
    CHECK(test::failures(longer) == "manifest.text.corruptedWrapper");
    // A mark and some selectors are no wrapper yet.
    CHECK(!read("a\xEF\xBB\xBF\xEF\xB8\x8F").found);
}

TEST_CASE("a text that is no UTF-8 gets its credential beside it") {
    CredentialSigner by = test::signer();
    for (const std::string_view text : {"\xFF\xFE\x31\x00", "\xCE\xD2"}) {
        const auto made = add_credential(as_bytes(text), Format::kPlainText, test::input(), by);
        REQUIRE(!made.ok());
        CHECK(made.error().code == ErrorCode::kUnsupported);
        CHECK(make_detached_credential(as_bytes(text), Format::kPlainText, test::input(), by).ok());
    }
}

TEST_CASE("plain text is a carrier that is asked for by name") {
    CHECK(find_carrier(Format::kPlainText) != nullptr);
    CHECK(find_usual_carrier(Format::kPlainText) == nullptr);
    CHECK(find_usual_carrier(Format::kMarkdown) == find_carrier(Format::kMarkdown));
}

}  // namespace
}  // namespace colophon::label::provenance
