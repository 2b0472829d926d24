// SPDX-License-Identifier: Apache-2.0
#include "storage/sealing.h"

#include "core/bytes.h"
#include "core/random.h"
#include "storage/secret.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::array kSuites{Suite::kAes256Gcm, Suite::kSm4HmacSm3};
constexpr SealContext kContext{.owner = "5f3c", .purpose = "identity.phone", .id = "row 7"};

Secret key_of(std::uint8_t fill) {
    return Secret(Buffer(kSecretBytes, fill));
}

Buffer content_of(std::size_t size) {
    SeededRandom random(size);
    Buffer content(size);
    CHECK(random.fill(content).ok());
    return content;
}

Buffer sealed_with(Suite suite, Bytes content, std::uint64_t seed = 1) {
    SeededRandom random(seed);
    return seal(key_of(1), kContext, {.suite = suite, .generation = 3}, content, random).value();
}

void check_refused(Bytes sealed) {
    const Result<Buffer> opened = unseal(key_of(1), kContext, sealed);
    CHECK_FALSE(opened.ok());
}

TEST_CASE("what is sealed opens again at every size around a chunk, whole and in pieces") {
    for (const Suite suite : kSuites) {
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{17},
              kSealChunkBytes - 1, kSealChunkBytes, kSealChunkBytes + 1, 2 * kSealChunkBytes,
              3 * kSealChunkBytes + 5}) {
            CAPTURE(size);
            const Buffer content = content_of(size);
            const Buffer sealed = sealed_with(suite, content);
            CHECK(sealed.size() == sealed_bytes(suite, size));
            CHECK(content_bytes(suite, sealed.size()).value() == size);
            CHECK(unseal(key_of(1), kContext, sealed).value() == content);
            CHECK(read_sealed_header(sealed)->suite == suite);
            CHECK(read_sealed_header(sealed)->generation == 3);
            for (const std::size_t piece :
                 {std::size_t{4093}, kSealChunkBytes, std::size_t{100'000}}) {
                SeededRandom random(1);
                SealStream stream = SealStream::start(key_of(1), kContext,
                                                      {.suite = suite, .generation = 3}, random)
                                        .value();
                Buffer out;
                for (std::size_t at = 0; at < size; at += piece) {
                    stream.append(Bytes(content).subspan(at, std::min(piece, size - at)), out);
                }
                stream.finish(out);
                CHECK(out == sealed);
            }
        }
    }
}

TEST_CASE("no count of bytes belongs to two contents, and impossible counts are refused") {
    for (const Suite suite : kSuites) {
        std::set<std::uint64_t> counts;
        for (std::uint64_t size = 0; size < 3 * kSealChunkBytes; ++size) {
            counts.insert(sealed_bytes(suite, size));
            if (content_bytes(suite, sealed_bytes(suite, size)).value() != size) {
                FAIL_CHECK("a size is not found again: " << size);
            }
        }
        CHECK(counts.size() == 3 * kSealChunkBytes);
        int refused = 0;
        for (std::uint64_t size = 0; size < *counts.rbegin(); ++size) {
            refused += content_bytes(suite, size).ok() ? 0 : 1;
        }
        // Below the smallest, and between a full last chunk and one byte more, twice.
        CHECK(refused == static_cast<int>(24 + seal_tag_bytes(suite) * 3));
    }
}

TEST_CASE("[S15] a flipped bit anywhere keeps sealed bytes shut") {
    for (const Suite suite : kSuites) {
        const Buffer sealed = sealed_with(suite, as_bytes("a small secret"));
        for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
            Buffer changed = sealed;
            changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            check_refused(changed);
        }
    }
}

TEST_CASE("[S15] a cut anywhere keeps sealed bytes shut, at the end of a chunk too") {
    for (const Suite suite : kSuites) {
        const Buffer small = sealed_with(suite, as_bytes("a small secret"));
        for (std::size_t size = 0; size < small.size(); ++size) {
            check_refused(Bytes(small).first(size));
        }
        const Buffer large = sealed_with(suite, content_of(3 * kSealChunkBytes));
        const std::size_t chunk = kSealChunkBytes + seal_tag_bytes(suite);
        for (std::size_t chunks = 0; chunks < 3; ++chunks) {
            check_refused(Bytes(large).first(kSealedHeaderBytes + chunks * chunk));
            check_refused(Bytes(large).first(kSealedHeaderBytes + chunks * chunk + 1));
        }
        Buffer longer = large;
        longer.push_back(0);
        check_refused(longer);
        append(longer, Bytes(large).last(chunk));
        check_refused(longer);
    }
}

TEST_CASE("[S15] chunks in another order, doubled or from another sealing do not open") {
    for (const Suite suite : kSuites) {
        const Buffer content(3 * kSealChunkBytes, 'x');
        const Buffer first = sealed_with(suite, content, 1);
        const Buffer second = sealed_with(suite, content, 2);
        const std::size_t chunk = kSealChunkBytes + seal_tag_bytes(suite);
        const auto at = [&](std::size_t index) {
            return static_cast<std::ptrdiff_t>(kSealedHeaderBytes + index * chunk);
        };
        Buffer swapped = first;
        std::swap_ranges(swapped.begin() + at(0), swapped.begin() + at(1), swapped.begin() + at(1));
        check_refused(swapped);
        Buffer doubled = first;
        std::copy(first.begin() + at(0), first.begin() + at(1), doubled.begin() + at(1));
        check_refused(doubled);
        Buffer without_middle(first.begin(), first.begin() + at(1));
        without_middle.insert(without_middle.end(), first.begin() + at(2), first.end());
        check_refused(without_middle);
        Buffer mixed = first;
        std::copy(second.begin() + at(1), second.begin() + at(2), mixed.begin() + at(1));
        check_refused(mixed);
    }
}

TEST_CASE("[S15] sealed bytes open in their own place only: owner, purpose, row and key") {
    for (const Suite suite : kSuites) {
        const Buffer sealed = sealed_with(suite, as_bytes("13800138000"));
        CHECK(unseal(key_of(1), kContext, sealed).ok());
        CHECK_FALSE(unseal(key_of(2), kContext, sealed).ok());
        for (const SealContext& other : {SealContext{"5f3d", "identity.phone", "row 7"},
                                         SealContext{"5f3c", "identity.name", "row 7"},
                                         SealContext{"5f3c", "identity.phone", "row 8"},
                                         // The same letters, divided otherwise.
                                         SealContext{"5f3", "cidentity.phone", "row 7"},
                                         SealContext{"5f3c", "identity.phoner", "ow 7"}}) {
            CHECK_FALSE(unseal(key_of(1), other, sealed).ok());
        }
    }
}

TEST_CASE("[P5] the same value sealed twice shares no bytes but those of the header") {
    SystemRandom random;
    std::set<Buffer> seen;
    for (int round = 0; round < 2000; ++round) {
        const Buffer sealed =
            seal(key_of(1), kContext, {}, as_bytes("13800138000"), random).value();
        seen.insert(Buffer(sealed.begin() + 8, sealed.begin() + 24));   // the random bits
        seen.insert(Buffer(sealed.begin() + 24, sealed.begin() + 35));  // the value
    }
    CHECK(seen.size() == 4000);
}

TEST_CASE("sealed bytes show nothing of their content") {
    const std::string phone = "13800138000";
    std::string text;
    while (text.size() < 3 * kSealChunkBytes) {
        text += phone + "\n";
    }
    for (const Suite suite : kSuites) {
        const Buffer sealed = sealed_with(suite, as_bytes(text));
        CHECK(as_text(sealed).find("138001") == std::string_view::npos);
        // Bits are even: the deviation of a fair coin over 1.5 million throws is about 630.
        std::int64_t ones = 0;
        for (const std::uint8_t byte : sealed) {
            ones += __builtin_popcount(byte);
        }
        const auto half = static_cast<std::int64_t>(sealed.size() * 4);
        CHECK(std::abs(ones - half) < 5000);
    }
}

TEST_CASE("headers of later versions are told from damage") {
    Buffer sealed = sealed_with(Suite::kAes256Gcm, as_bytes("x"));
    const auto code = [&](std::size_t at, std::uint8_t value) {
        Buffer changed = sealed;
        changed[at] = value;
        return read_sealed_header(changed).error().code;
    };
    CHECK(code(0, 0) == ErrorCode::kCorrupt);
    CHECK(code(0, 2) == ErrorCode::kUnsupported);
    CHECK(code(1, 9) == ErrorCode::kUnsupported);
    CHECK(code(2, 20) == ErrorCode::kUnsupported);
    CHECK(code(3, 1) == ErrorCode::kUnsupported);
    CHECK(read_sealed_header(Bytes(sealed).first(23)).error().code == ErrorCode::kCorrupt);
}

// The format as docs/formats/sealed.md says it, read by somebody who has only the page.
constexpr std::string_view kReader = R"(
import hmac, hashlib, struct, sys
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
sealed, key = open(sys.argv[1], 'rb').read(), bytes([1]) * 32
def counted(text): return struct.pack('>I', len(text)) + text
place = (counted(b'colophon sealed bytes 1') + sealed[:24] + counted(b'5f3c')
         + counted(b'identity.phone') + counted(b'row 7'))
sm = sealed[1] == 2
digest, tag = ('sm3', 32) if sm else ('sha256', 16)
own = hmac.new(key, place + b'\x01', digest).digest()
body, step, out, index = sealed[24:], (1 << sealed[2]) + tag, b'', 0
while True:
    chunk, last = body[:step], len(body) <= step
    if sm:
        mac = hmac.new(hmac.new(key, place + b'\x02', digest).digest(),
                       struct.pack('>QB', index, last) + chunk[:-32], digest).digest()
        assert mac == chunk[-32:]
        cipher = Cipher(algorithms.SM4(own[:16]), modes.CTR(struct.pack('>QQ', index, 0)))
        out += cipher.decryptor().update(chunk[:-32])
    else:
        out += AESGCM(own).decrypt(struct.pack('>QHBB', index, 0, 0, last), chunk, None)
    if last: break
    body, index = body[step:], index + 1
sys.stdout.buffer.write(out)
)";

TEST_CASE("another program opens what was sealed, with the page of the format alone") {
    const colophon::test::TempDir folder;
    for (const Suite suite : kSuites) {
        for (const std::size_t size : {std::size_t{0}, std::size_t{11}, 2 * kSealChunkBytes + 9}) {
            const Buffer content = content_of(size);
            colophon::test::write_file(folder.file("sealed"), sealed_with(suite, content));
            const std::string out = colophon::test::run_tool_ok(
                {"/usr/bin/python3", "-c", std::string(kReader), folder.file("sealed")});
            CHECK(as_bytes(out).size() == content.size());
            CHECK(std::ranges::equal(as_bytes(out), content));
        }
    }
}

TEST_CASE("a secret leaves nothing behind when it goes") {
    alignas(Secret) std::array<std::uint8_t, sizeof(Secret)> memory{};
    auto* secret = std::construct_at(reinterpret_cast<Secret*>(memory.data()), Buffer(32, 0xAB));
    CHECK(std::ranges::count(memory, 0xAB) == 32);
    Secret moved = std::move(*secret);
    CHECK(std::ranges::count(memory, 0xAB) == 0);
    *secret = std::move(moved);
    CHECK(std::ranges::count(moved.bytes(), 0xAB) ==
          0);  // NOLINT(bugprone-use-after-move): that is it
    std::destroy_at(secret);
    CHECK(std::ranges::count(memory, 0xAB) == 0);
}

}  // namespace
}  // namespace colophon::storage
