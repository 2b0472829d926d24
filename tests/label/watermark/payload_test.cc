// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/payload.h"

#include "core/bytes.h"
#include "core/credit_code.h"
#include "core/ids.h"
#include "label/watermark/key.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr WatermarkPayload kPayload{
    .form = PayloadForm::kStandard, .issuer = {0xbeef}, .content_id = {0x123456789abc}};

WatermarkKey other_key() {
    WatermarkKey key = published_watermark_key();
    key.bytes[31] ^= 1U;
    return key;
}

WatermarkPayload long_payload(std::string_view credit_code) {
    return {.form = PayloadForm::kLong,
            .issuer = {},
            .content_id = {0x123456789abc},
            .provider = MarkProvider::create(credit_code).value()};
}

std::string with_check(std::string code) {
    const auto* check = std::ranges::find_if(
        kCreditCodeAlphabet, [&](char last) { return check_credit_code(code + last).ok(); });
    return code + *check;
}

// Whether these numbers, with the checksum that belongs to them, are a payload.
bool reads_as_long(std::uint64_t region, std::uint64_t organisation, const WatermarkKey& key) {
    Buffer bytes{static_cast<std::uint8_t>(PayloadForm::kLong)};
    append_be64(bytes, (organisation & 0xffffU) << 48U | 0x123456789abcU);
    append_be64(bytes, region << 32U | organisation >> 16U);
    const auto sum =
        static_cast<std::uint32_t>(crc32(0, bytes.data(), static_cast<unsigned>(bytes.size())));
    Buffer message;
    append_be32(message, static_cast<std::uint32_t>(region));
    append_be16(message, static_cast<std::uint16_t>(organisation >> 32U));
    append_be32(message, static_cast<std::uint32_t>(organisation));
    append_be16(message, 0x1234);
    append_be32(message, 0x56789abc);
    append_be32(message, sum);
    KeyStream stream(key, "whitening, long");
    std::vector<std::uint8_t> bits;
    for (const std::uint8_t byte : message) {
        for (unsigned i = 8; i-- > 0;) {
            const unsigned white = stream.bit() ? 1U : 0U;
            bits.push_back(static_cast<std::uint8_t>((byte >> i & 1U) ^ white));
        }
    }
    return unpack_payload(bits, PayloadForm::kLong, key).has_value();
}

}  // namespace

TEST_CASE("a payload comes back from its bits, and the short form keeps 32 of them") {
    const WatermarkKey& key = published_watermark_key();
    const std::vector<std::uint8_t> bits = pack_payload(kPayload, key);
    CHECK(bits.size() == 96);
    CHECK(unpack_payload(bits, PayloadForm::kStandard, key) == kPayload);

    WatermarkPayload handle = kPayload;
    handle.form = PayloadForm::kShort;
    const std::vector<std::uint8_t> few = pack_payload(handle, key);
    CHECK(few.size() == 64);
    const std::optional<WatermarkPayload> read = unpack_payload(few, PayloadForm::kShort, key);
    REQUIRE(read);
    CHECK(read->content_id.value == 0x56789abc);
    CHECK(read->issuer.value == 0);
}

TEST_CASE("the long form names the provider by its credit code, in 128 bits") {
    const WatermarkKey& key = published_watermark_key();
    const WatermarkPayload payload = long_payload("91350100M000100Y43");
    const std::vector<std::uint8_t> bits = pack_payload(payload, key);
    CHECK(bits.size() == 160);
    const std::optional<WatermarkPayload> read = unpack_payload(bits, PayloadForm::kLong, key);
    CHECK(read == payload);
    REQUIRE(read);
    CHECK(read->provider.text() == "91350100M000100Y43");
    // (9 * 31 + 1) * 10^6 + 350100, M000100Y4 in base 31, and the content id:
    // python3 -c 'v=0
    // for c in "M000100Y4": v = v*31 + "0123456789ABCDEFGHJKLMNPQRTUWXY".index(c)
    // print("%08x%012x" % (280*10**6 + 350100, v))'
    CHECK(to_hex(payload_bytes(payload)) ==
          "10b5cd94"
          "104a29ab363c"
          "123456789abc");
    CHECK(to_hex(payload_bytes(kPayload)) == "beef123456789abc");
}

TEST_CASE("every credit code comes back from its bits, at the ends of its numbers too") {
    const WatermarkKey& key = published_watermark_key();
    std::mt19937_64 random(5);
    for (int round = 0; round < 3000; ++round) {
        std::string code;
        for (std::size_t i = 0; i < kCreditCodeChars - 1; ++i) {
            const bool digit = i >= 2 && i < 8;
            const std::size_t count = digit ? 10 : kCreditCodeAlphabet.size();
            code += kCreditCodeAlphabet[round == 0 ? 0 : round == 1 ? count - 1 : random() % count];
        }
        const WatermarkPayload payload = long_payload(with_check(code));
        CHECK(unpack_payload(pack_payload(payload, key), PayloadForm::kLong, key) == payload);
    }
}

TEST_CASE("a provider is named by a code that is right, with digits for its region") {
    CHECK(MarkProvider::create("91350100M000100Y43").ok());
    const auto refusal = [](std::string_view code) {
        const auto provider = MarkProvider::create(code);
        return provider.ok() ? std::string() : provider.error().what;
    };
    CHECK(refusal("91350100M000100Y44").find("check character") != std::string::npos);
    CHECK(refusal("").find("18 characters") != std::string::npos);
    // The check character is right.
    CHECK(refusal(with_check("91A50100M000100Y4")).find("positions 3 to 8") != std::string::npos);
    CHECK_FALSE(MarkProvider().known());
    CHECK(MarkProvider().text().empty());
}

TEST_CASE("bits whose checksum fits but that are no credit code are no payload") {
    const WatermarkKey& key = published_watermark_key();
    // The largest region is 961 * 10^6 - 1, the largest organisation 31^9 - 1.
    CHECK(reads_as_long(960'999'999, 26'439'622'160'670, key));
    CHECK_FALSE(reads_as_long(961'000'000, 26'439'622'160'670, key));
    CHECK_FALSE(reads_as_long(960'999'999, 26'439'622'160'671, key));
    CHECK_FALSE(reads_as_long(0xffffffff, 0xffffffffffff, key));
}

TEST_CASE("what earlier versions wrote still reads: the bits of three payloads as they were") {
    const WatermarkKey& key = published_watermark_key();
    const auto text = [&](const WatermarkPayload& payload) {
        std::string bits;
        for (const std::uint8_t bit : pack_payload(payload, key)) {
            bits += static_cast<char>('0' + bit);
        }
        return bits;
    };
    CHECK(text(kPayload) ==
          "1001110011110110110011001111101010110110010110111011010111101110010100011100011101110010"
          "00000011");
    CHECK(text({.form = PayloadForm::kShort, .issuer = {}, .content_id = {0x56789abc}}) ==
          "1101001111011001111111100111000100010000001100010110100100111111");
    CHECK(text({.form = PayloadForm::kSegment,
                .issuer = {0xbeef},
                .content_id = {0x123456789abc},
                .segment = 0xabc}) ==
          "1111100101101011111001010001001000101110000110111111110110000011101001111001100000000111"
          "111"
          "00011000011110010");
}

TEST_CASE("every flipped bit and every pair of them is noticed") {
    const WatermarkKey& key = published_watermark_key();
    for (const WatermarkPayload& payload : {kPayload, long_payload("91350100M000100Y43")}) {
        std::vector<std::uint8_t> bits = pack_payload(payload, key);
        std::size_t missed = 0;
        for (std::size_t i = 0; i < bits.size(); ++i) {
            bits[i] ^= 1U;
            missed += unpack_payload(bits, payload.form, key) ? 1U : 0U;
            for (std::size_t j = i + 1; j < bits.size(); ++j) {
                bits[j] ^= 1U;
                missed += unpack_payload(bits, payload.form, key) ? 1U : 0U;
                bits[j] ^= 1U;
            }
            bits[i] ^= 1U;
        }
        CHECK(missed == 0);
        CHECK(unpack_payload(bits, payload.form, key) == payload);
    }
}

TEST_CASE("without the key, bits say nothing: they are whitened, and another key refuses them") {
    const WatermarkKey& key = published_watermark_key();
    const WatermarkPayload empty;
    const std::vector<std::uint8_t> bits = pack_payload(empty, key);
    const auto ones = std::count(bits.begin(), bits.end(), 1);
    CHECK(ones > 28);
    CHECK(ones < 68);
    CHECK_FALSE(unpack_payload(bits, PayloadForm::kStandard, other_key()));
    CHECK_FALSE(unpack_payload(std::vector<std::uint8_t>(96, 0), PayloadForm::kStandard, key));
    CHECK_FALSE(unpack_payload(std::vector<std::uint8_t>(96, 1), PayloadForm::kStandard, key));
}

TEST_CASE(
    "a key stream depends on key and purpose alone, and its permutations hold each number once") {
    const WatermarkKey& key = published_watermark_key();
    KeyStream one(key, "a");
    KeyStream same(key, "a");
    KeyStream purpose(key, "b");
    KeyStream foreign(other_key(), "a");
    const std::uint32_t first = one.next();
    CHECK(first == same.next());
    CHECK(first != purpose.next());
    CHECK(first != foreign.next());

    std::vector<std::uint32_t> order = one.permutation(907);
    CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < order.size(); ++i) {
        CHECK(order[i] == i);
    }
}

TEST_CASE("the published key is the digest that its page tells") {
    // printf 'colophon watermark, published key 1' | sha256sum
    CHECK(to_hex(published_watermark_key().bytes) ==
          "08c67121111ace5a6fd103dfbf4dc55ca88edc5efbdeed121e8797aad0de8523");
}

}  // namespace colophon::label::internal
