// SPDX-License-Identifier: Apache-2.0
#include "core/digest.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace colophon {
namespace {

TEST_CASE("digests agree with the published vectors") {
    struct Row {
        DigestAlgorithm algorithm;
        std::string text;
        std::string hex;
    };
    const Row rows[] = {
        // FIPS 180-4 examples.
        {DigestAlgorithm::kSha256, "",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {DigestAlgorithm::kSha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {DigestAlgorithm::kSha256, std::string(1000000, 'a'),
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        // GB/T 32905-2016, example 2.
        {DigestAlgorithm::kSm3, "abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
         "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"},
    };
    for (const Row& row : rows) {
        const Bytes bytes = as_bytes(row.text);
        const bool sha = row.algorithm == DigestAlgorithm::kSha256;
        CHECK(to_hex(sha ? sha256(bytes) : sm3(bytes)) == row.hex);
    }
}

TEST_CASE("input in parts gives the digest of the whole, wherever it is cut") {
    Buffer data(300);
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<std::uint8_t>(i * 7);
    }
    for (const DigestAlgorithm algorithm : {DigestAlgorithm::kSha256, DigestAlgorithm::kSm3}) {
        const Digest256 whole = algorithm == DigestAlgorithm::kSha256 ? sha256(data) : sm3(data);
        for (std::size_t part = 1; part <= 130; part += 3) {
            CAPTURE(part);
            Hasher hasher(algorithm);
            hasher.update({});
            for (std::size_t at = 0; at < data.size(); at += part) {
                hasher.update(Bytes(data).subspan(at, std::min(part, data.size() - at)));
            }
            CHECK(hasher.finish() == whole);
        }
    }
}

TEST_CASE("what is short is hashed as what is long, at each size") {
    Buffer data;
    for (std::size_t size = 0; size <= 200; ++size) {
        CAPTURE(size);
        Hasher hasher(DigestAlgorithm::kSha256);
        hasher.update(data);
        CHECK(hasher.finish() == sha256(data));
        data.push_back(static_cast<std::uint8_t>(size * 37 + 11));
    }
}

TEST_CASE("a hasher may move while it works") {
    Hasher first(DigestAlgorithm::kSm3);
    first.update(as_bytes("a"));
    Hasher second(std::move(first));
    second.update(as_bytes("b"));
    Hasher third(DigestAlgorithm::kSha256);
    third = std::move(second);
    third.update(as_bytes("c"));
    CHECK(third.finish() == sm3(as_bytes("abc")));
}

}  // namespace
}  // namespace colophon
