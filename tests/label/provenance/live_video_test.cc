// SPDX-License-Identifier: Apache-2.0
// Live video that lies in files: segments with manifests of their own, and segments signed by
// session keys (C2PA 2.4, chapter 19). No validator of the others that the tests could install
// knows either.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "label/format.h"
#include "label/provenance/authority.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"
#include "label/provenance/credential.h"
#include "label/provenance/forge.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signers.h"
#include "label/provenance/validate.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using colophon::test::read_file;
using colophon::test::run_tool_ok;
using colophon::test::TempDir;
using test::Forge;
using test::forge_authority;
using test::put;

struct Stream {
    Buffer init;
    std::vector<Buffer> segments;
};

const Stream& plain_stream() {
    static const Stream kStream = [] {
        const TempDir dir;
        run_tool_ok({"ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i",
                     "testsrc=size=160x120:d=3", "-c:v", "libx264", "-g", "10", "-an", "-f", "dash",
                     "-seg_duration", "1", dir.file("movie.mpd")});
        Stream made{.init = read_file(dir.file("init-stream0.m4s")), .segments = {}};
        for (int i = 1; i <= 3; ++i) {
            made.segments.push_back(
                read_file(dir.file("chunk-stream0-0000" + std::to_string(i) + ".m4s")));
        }
        return made;
    }();
    return kStream;
}

void append_be32(Buffer& out, std::size_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(number >> static_cast<unsigned>(shift)));
    }
}

Buffer box(std::string_view type, Bytes payload) {
    Buffer out;
    append_be32(out, payload.size() + 8);
    append(out, as_bytes(type));
    append(out, payload);
    return out;
}

// The box of a manifest, the first of a segment and behind 'ftyp' of a beginning.
test::PlaceStore in_front(const Buffer& file) {
    return [file](Bytes store) {
        Buffer payload = to_buffer(Bytes(internal::kC2paUuid));
        append_be32(payload, 0);
        append(payload, as_bytes(std::string_view("manifest\0", 9)));
        payload.resize(payload.size() + 8);
        append(payload, store);
        const Buffer made = box("uuid", payload);
        const std::size_t at = as_text(file).substr(4, 4) == "ftyp" ? file[3] : 0;
        Buffer out(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(at));
        append(out, made);
        out.insert(out.end(), file.begin() + static_cast<std::ptrdiff_t>(at), file.end());
        return test::PlacedStore{.file = std::move(out),
                                 .ranges = {{.offset = at, .size = made.size()}}};
    };
}

Forge forge_of(const Buffer& file, std::uint8_t number) {
    Forge forge(Format::kMp4, number);
    forge.file = file;
    forge.place = in_front(file);
    forge.binding = "c2pa.hash.bmff.v3";
    return forge;
}

CredentialReading read(const Stream& stream, const Trust& trust = forge_authority().trust()) {
    std::vector<FileView> views;
    for (const Buffer& each : stream.segments) {
        views.emplace_back(each);
    }
    auto reading = read_fragmented_credential(stream.init, views, Format::kMp4, trust);
    REQUIRE_MESSAGE(reading.ok(), (reading.ok() ? std::string() : reading.error().what));
    return std::move(reading).value();
}

// A manifest in each segment; `change` what becomes of the assertion of the segment of that number.
Stream with_manifests(const std::function<void(std::size_t, cbor::Map&)>& change = {}) {
    Stream stream{.init = forge_of(plain_stream().init, 1).make(), .segments = {}};
    std::string previous = forge_of(plain_stream().init, 1).label;
    for (std::size_t i = 0; i < plain_stream().segments.size(); ++i) {
        Forge forge = forge_of(plain_stream().segments[i], static_cast<std::uint8_t>(i + 2));
        cbor::Map map{{"sequenceNumber", std::uint64_t{i + 1}},
                      {"streamId", "stream"},
                      {"continuityMethod", "c2pa.manifestId"},
                      {"previousManifestId", previous}};
        if (change) {
            change(i, map);
        }
        forge.set("c2pa.livevideo.segment", map);
        previous = forge.label;
        stream.segments.push_back(forge.make());
    }
    return stream;
}

Stream with_change(std::size_t index, std::string_view name, const cbor::Value& value) {
    return with_manifests([&](std::size_t i, cbor::Map& map) {
        if (i == index) {
            put(map, name, value);
        }
    });
}

TEST_CASE("segments with manifests of their own are intact together, in their order" *
          doctest::test_suite("slow pictures")) {
    const Stream stream = with_manifests();
    const CredentialReading reading = read(stream);
    CHECK(test::failures(reading) == "");
    CHECK(reading.trusted());
    CHECK(read(stream, {.signers = {}, .time_stamps = {}, .now = SystemClock().now()}).state ==
          CredentialState::kValid);
    // From the middle on, as who joins late has it.
    Stream late = stream;
    late.segments.erase(late.segments.begin());
    CHECK(read(late).trusted());
    const auto changed = [&](const std::function<void(Stream&)>& change) {
        Stream other = stream;
        change(other);
        return test::failures(read(other));
    };
    CHECK(changed([](Stream& s) { s.segments.erase(s.segments.begin() + 1); }) ==
          "livevideo.segment.invalid");
    CHECK(changed([](Stream& s) {
              std::swap(s.segments[0], s.segments[1]);
          }).find("livevideo.assertion.invalid") != std::string::npos);
    CHECK(changed([](Stream& s) {
              s.segments[1] = plain_stream().segments[1];
          }).find("livevideo.segment.invalid") != std::string::npos);
    CHECK(changed([](Stream& s) { s.segments[1].back() ^= 1U; }) == "livevideo.manifest.invalid");
    CHECK(changed([](Stream& s) {
              append(s.init, box("mdat", Buffer(8)));
          }).find("livevideo.init.invalid") != std::string::npos);
    CHECK(test::failures(read(with_change(2, "streamId", "another"))) ==
          "livevideo.assertion.invalid");
    CHECK(test::failures(read(with_change(1, "sequenceNumber", 1))) ==
          "livevideo.assertion.invalid");
    CHECK(test::failures(read(with_change(1, "continuityMethod", {}))) ==
          "livevideo.continuityMethod.invalid");
    CHECK(test::failures(read(with_change(1, "continuityMethod", "org.example.chain"))) ==
          "livevideo.continuityMethod.invalid");
    CHECK(test::failures(read(with_change(1, "previousManifestId", "urn:c2pa:x"))) ==
          "livevideo.segment.invalid");
}

// A key of the session, and what is signed by it.
struct Session {
    IssuedKey pair =
        issue(forge_authority().root, test::request(SignatureAlgorithm::kEs256), Purpose::kClaim)
            .value();
    SigningCredential key = SigningCredential::from_pem(pair.key_pem, pair.certificate_pem).value();

    // COSE_Sign1 over the payload, which stands in it or not.
    cbor::Value sign(Bytes payload, bool inside, const cbor::Value& iat = {}) const {
        cbor::Map header{{std::int64_t{1}, facts(SignatureAlgorithm::kEs256).cose}};
        if (!iat.is_null()) {
            header.emplace_back("iat", iat);
        }
        const Buffer protected_bytes = cbor::encode(header);
        const Buffer signature = key.sign(cose_signed_bytes(protected_bytes, payload)).value();
        return cbor::tagged(
            18, cbor::Array{protected_bytes,
                            cbor::Map{{std::int64_t{4}, to_buffer(std::string_view("one"))}},
                            inside ? cbor::Value(to_buffer(payload)) : cbor::Value(Buffer{}),
                            signature});
    }
    cbor::Map public_key() const {
        const TempDir dir;
        colophon::test::write_file(dir.file("key.pem"), as_bytes(pair.key_pem));
        run_tool_ok({"openssl", "pkey", "-in", dir.file("key.pem"), "-pubout", "-outform", "DER",
                     "-out", dir.file("key.der")});
        const Buffer der = read_file(dir.file("key.der"));
        const Buffer x(der.end() - 64, der.end() - 32);
        const Buffer y(der.end() - 32, der.end());
        return {{std::int64_t{1}, 2},
                {std::int64_t{2}, to_buffer(std::string_view("one"))},
                {std::int64_t{-1}, 1},
                {std::int64_t{-2}, x},
                {std::int64_t{-3}, y}};
    }
    cbor::Map assertion(Bytes signer) const {
        return {{"key", public_key()},
                {"minSequenceNumber", 1},
                {"createdAt",
                 cbor::tagged(0, format_time(SystemClock().now() - std::chrono::minutes(10)))},
                {"validityPeriod", 3600},
                {"signerBinding", sign(signer, false)}};
    }
};

struct SessionWish {
    std::function<void(cbor::Map&)> key = {};
    std::function<void(std::size_t, cbor::Map&)> info = {};
    cbor::Value iat = {};
    bool other_signer = false;  // another key than that of the manifest signs the segments
};

// One manifest, with a session key, and information in each segment that the key signs.
Stream with_session(const SessionWish& wish = {}) {
    const Session session;
    Forge init = forge_of(plain_stream().init, 1);
    const Buffer signer =
        certificates_from_pem(forge_authority().leaf.certificate_pem, 1).value().front().der();
    cbor::Map key = session.assertion(signer);
    if (wish.key) {
        wish.key(key);
    }
    init.set("c2pa.session-keys", cbor::Map{{"keys", cbor::Array{std::move(key)}}});
    Stream stream{.init = init.make(), .segments = {}};
    const Session other;
    for (std::size_t i = 0; i < plain_stream().segments.size(); ++i) {
        const Buffer& plain = plain_stream().segments[i];
        const std::vector<internal::BmffExclusion> exclusions{
            {.path = {"emsg"},
             .length = {},
             .data = {{.offset = 12,
                       .value = to_buffer(std::string_view("urn:c2pa:verifiable-segment-info"))}},
             .subset = {},
             .version = {},
             .flags = {}}};
        // In the assertion the scheme is counted from behind the header of its box (19.4.1).
        std::vector<internal::BmffExclusion> written = exclusions;
        written.front().data.front().offset = 0;
        const auto emsg = [&](Bytes message) {
            Buffer payload(4);
            append(payload,
                   as_bytes(std::string_view("urn:c2pa:verifiable-segment-info\0fseg\0", 38)));
            for (const std::size_t number :
                 {std::size_t{1000}, std::size_t{0}, std::size_t{1000}, i}) {
                append_be32(payload, number);
            }
            append(payload, message);
            Buffer file = box("emsg", payload);
            append(file, plain);
            return file;
        };
        const auto message = [&](Bytes file) {
            cbor::Map info{{"sequenceNumber", std::uint64_t{i + 1}},
                           {"manifestId", init.label},
                           {"bmffHash",
                            cbor::Map{{"alg", "sha256"},
                                      {"exclusions", internal::write_bmff_exclusions(written)},
                                      {"hash", internal::hash_bmff(HashAlgorithm::kSha256,
                                                                   FileView(file), exclusions, true)
                                                   .value()}}}};
            if (wish.info) {
                wish.info(i, info);
            }
            return cbor::encode(
                (wish.other_signer ? other : session).sign(cbor::encode(info), true, wish.iat));
        };
        const Buffer draft = emsg(message(emsg({})));
        stream.segments.push_back(emsg(message(draft)));
    }
    return stream;
}

TEST_CASE("segments that a session key signed are intact together" *
          doctest::test_suite("slow pictures")) {
    const Stream stream = with_session();
    const CredentialReading reading = read(stream);
    CHECK(test::failures(reading) == "");
    for (const Status& each : reading.statuses) {
        CAPTURE(each.code);
        CHECK_MESSAGE(each.kind != StatusKind::kFailure, each.what);
    }
    CHECK(reading.trusted());
    Stream changed = stream;
    changed.segments[2].back() ^= 1U;
    CHECK(test::failures(read(changed)) == "livevideo.segment.invalid");
    changed = stream;
    std::swap(changed.segments[0], changed.segments[2]);
    CHECK(test::failures(read(changed)).find("livevideo.segment.invalid") != std::string::npos);
    // The beginning without its manifest brings no key.
    changed = stream;
    changed.init = plain_stream().init;
    CHECK(!read(changed).intact());
    const auto with = [](const SessionWish& wish) {
        return test::failures(read(with_session(wish)));
    };
    CHECK(with({.other_signer = true}).find("livevideo.segment.invalid") != std::string::npos);
    CHECK(with({.key = [](cbor::Map& key) {
              put(key, "minSequenceNumber", 3);
          }}).find("livevideo.segment.invalid") != std::string::npos);
    CHECK(with({.key = [](cbor::Map& key) {
              put(key, "validityPeriod", "long");
          }}).find("livevideo.sessionkey.invalid") != std::string::npos);
    CHECK(with({.key = [](cbor::Map& key) {
              put(key, "signerBinding", Session().sign(as_bytes("another"), false));
          }}).find("livevideo.sessionkey.invalid") != std::string::npos);
    CHECK(with({.info = [](std::size_t, cbor::Map& info) {
              put(info, "manifestId", "other");
          }}).find("livevideo.segment.invalid") != std::string::npos);
    CHECK(with({.iat = std::uint64_t{1'000'000}}).find("livevideo.segment.invalid") !=
          std::string::npos);
}

TEST_CASE("what a changed bit does to a live video is noticed" *
          doctest::test_suite("slow attacks")) {
    SeededRandom random(19);
    for (const Stream& stream : {with_manifests(), with_session()}) {
        for (int i = 0; i < 300; ++i) {
            Stream changed = stream;
            Buffer& file = changed.segments[random.next().value() % 3];
            // The last ones of a box of media are as good as any.
            const auto at = static_cast<std::size_t>(random.next().value() % file.size());
            file[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
            std::vector<FileView> views;
            for (const Buffer& each : changed.segments) {
                views.emplace_back(each);
            }
            const auto reading = read_fragmented_credential(changed.init, views, Format::kMp4,
                                                            forge_authority().trust());
            CHECK_MESSAGE((!reading.ok() || !reading->intact()), "byte ", at);
        }
    }
}

}  // namespace
}  // namespace colophon::label::provenance
