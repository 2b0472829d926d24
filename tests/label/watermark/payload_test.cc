// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/payload.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "label/watermark/key.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
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

TEST_CASE("every flipped bit and every pair of them is noticed") {
    const WatermarkKey& key = published_watermark_key();
    std::vector<std::uint8_t> bits = pack_payload(kPayload, key);
    for (std::size_t i = 0; i < bits.size(); ++i) {
        bits[i] ^= 1U;
        CHECK_FALSE(unpack_payload(bits, PayloadForm::kStandard, key));
        for (std::size_t j = i + 1; j < bits.size(); ++j) {
            bits[j] ^= 1U;
            CHECK_FALSE(unpack_payload(bits, PayloadForm::kStandard, key));
            bits[j] ^= 1U;
        }
        bits[i] ^= 1U;
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
