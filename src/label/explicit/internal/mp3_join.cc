// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/mp3_join.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/id3v2.h"
#include "media/audio.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// What the four header bytes say (ISO/IEC 11172-3 and 13818-3, layer III, and MPEG 2.5).
struct FrameHead {
    std::uint32_t size = 0;  // bytes
    bool mono = false;
    bool version1 = false;
    std::uint32_t rate = 0;
};

std::optional<FrameHead> read_head(Bytes bytes) {
    constexpr std::array<std::uint32_t, 15> kRates1{0,   32,  40,  48,  56,  64,  80, 96,
                                                    112, 128, 160, 192, 224, 256, 320};
    constexpr std::array<std::uint32_t, 15> kRates2{0,  8,  16, 24,  32,  40,  48, 56,
                                                    64, 80, 96, 112, 128, 144, 160};
    constexpr std::array<std::uint32_t, 3> kSampling{44100, 48000, 32000};
    if (bytes.size() < 4 || bytes[0] != 0xFF || (bytes[1] & 0xE6U) != 0xE2U) {
        return std::nullopt;
    }
    const unsigned version = (bytes[1] >> 3U) & 3U;  // 0: 2.5, 2: 2, 3: 1
    const unsigned bit_rate = bytes[2] >> 4U;
    const unsigned sampling = (bytes[2] >> 2U) & 3U;
    if (version == 1 || bit_rate == 0 || bit_rate == 15 || sampling == 3) {
        return std::nullopt;
    }
    FrameHead head;
    head.version1 = version == 3;
    head.mono = (bytes[3] >> 6U) == 3;
    head.rate = kSampling[sampling] / (version == 3 ? 1U : version == 2 ? 2U : 4U);
    const std::uint32_t kilobits = head.version1 ? kRates1[bit_rate] : kRates2[bit_rate];
    const std::uint32_t padding = (bytes[2] >> 1U) & 1U;
    head.size = (head.version1 ? 144'000U : 72'000U) * kilobits / head.rate + padding;
    return head;
}

// The size of one tag that ends where `bytes` end: ID3v1, APEv2 or Lyrics3v2.
std::size_t last_tag_size(Bytes bytes) {
    if (bytes.size() >= 128 && starts_with(bytes.last(128), "TAG")) {
        return 128;
    }
    if (bytes.size() >= 32 && starts_with(bytes.last(32), "APETAGEX")) {
        const Bytes footer = bytes.last(32);
        const bool has_header = (load_le32(footer.subspan(20)) & 0x80000000U) != 0;
        const std::uint64_t size =
            std::uint64_t{load_le32(footer.subspan(12))} + (has_header ? 32U : 0U);
        return size <= bytes.size() ? static_cast<std::size_t>(size) : 0;
    }
    if (bytes.size() >= 15 && starts_with(bytes.last(9), "LYRICS200")) {
        std::size_t size = 0;
        for (const std::uint8_t digit : bytes.last(15).first(6)) {
            if (digit < '0' || digit > '9') {
                return 0;
            }
            size = size * 10 + (digit - std::size_t{'0'});
        }
        return size + 15 <= bytes.size() ? size + 15 : 0;
    }
    return 0;
}

struct Mp3 {
    std::size_t first = 0;  // offset of the first frame
    std::size_t end = 0;    // where the frames end and trailing tags begin
    FrameHead head;         // of the first frame
};

Result<Mp3> read_mp3(Bytes file) {
    const std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    const std::uint64_t at = tags.empty() ? 0 : tags.back().end();
    Mp3 mp3;
    mp3.end = file.size();
    for (std::size_t size = 1; size > 0 && mp3.end > at;) {
        size = last_tag_size(file.subspan(at, mp3.end - at));
        mp3.end -= size;
    }
    // Between the tag and the sound there may be padding. Two frames in a row are a beginning.
    for (std::size_t i = at; i + 4 <= mp3.end; ++i) {
        const auto head = read_head(file.subspan(i, mp3.end - i));
        if (!head || head->size > mp3.end - i) {
            continue;
        }
        const Bytes rest = file.subspan(i + head->size, mp3.end - i - head->size);
        const auto next = read_head(rest);
        if (rest.empty() || (next && next->rate == head->rate)) {
            mp3.first = i;
            mp3.head = *head;
            return mp3;
        }
    }
    return corrupt_at("no MPEG layer III frame", at);
}

// CRC-16 with the polynomial 0x8005, bits reflected, as the LAME tag has it.
std::uint16_t crc16(std::uint16_t crc, Bytes bytes) {
    for (const std::uint8_t byte : bytes) {
        crc = static_cast<std::uint16_t>(crc ^ byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = static_cast<std::uint16_t>((crc >> 1U) ^ ((crc & 1U) != 0 ? 0xA001U : 0U));
        }
    }
    return crc;
}

void store_be16(Buffer& out, std::size_t at, std::uint16_t value) {
    out[at] = static_cast<std::uint8_t>(value >> 8U);
    out[at + 1] = static_cast<std::uint8_t>(value & 0xFFU);
}

// The new frames, and how many.
struct Added {
    Buffer bytes;
    std::uint32_t frames = 0;
    std::uint32_t delay = 0;
};

Result<Added> encode(const media::Pcm& pcm, const media::AudioFacts& facts) {
    Added added;
    if (pcm.samples() == 0) {
        return added;
    }
    const media::CodedSound coded = TRY(media::encode_like(pcm, facts));
    for (const media::CodedPacket& packet : coded.packets) {
        append(added.bytes, packet.bytes);
        ++added.frames;
    }
    added.delay = coded.delay_samples;
    return added;
}

// Where the fields of a Xing or Info frame stand in it.
struct Xing {
    std::size_t frames = 0;  // 0: not there; the same for the others
    std::size_t bytes = 0;
    std::size_t table = 0;
    std::size_t lame = 0;
};

std::optional<Xing> read_xing(Bytes frame, const FrameHead& head) {
    const bool checked = (frame[1] & 1U) == 0;
    const std::size_t side = head.version1 ? (head.mono ? 17 : 32) : (head.mono ? 9 : 17);
    std::size_t at = 4 + side + (checked ? 2 : 0);
    if (frame.size() < at + 8 ||
        !(starts_with(frame.subspan(at), "Xing") || starts_with(frame.subspan(at), "Info"))) {
        return std::nullopt;
    }
    const std::uint32_t flags = load_be32(frame.subspan(at + 4));
    at += 8;
    Xing xing;
    const auto field = [&](std::uint32_t flag, std::size_t size) {
        const std::size_t place = at;
        if ((flags & flag) == 0 || place + size > frame.size()) {
            return std::size_t{0};
        }
        at += size;
        return place;
    };
    xing.frames = field(1, 4);
    xing.bytes = field(2, 4);
    xing.table = field(4, 100);
    field(8, 4);
    if (at + 36 <= frame.size() &&
        (starts_with(frame.subspan(at), "LAME") || starts_with(frame.subspan(at), "Lav"))) {
        xing.lame = at;
    }
    return xing;
}

struct Shape {
    double frames = 0;  // of the programme
    double bytes = 0;
    const Added* before = nullptr;
    const Added* after = nullptr;
};

// Entry i says at which 256th of the bytes i percent of the frames are over.
void update_table(Buffer& frame, std::size_t at, const Shape& shape) {
    std::array<double, 101> old{};
    for (std::size_t i = 0; i < 100; ++i) {
        old[i] = frame[at + i];
    }
    old[100] = 256;
    const double frames = shape.before->frames + shape.frames + shape.after->frames;
    const auto head_bytes = static_cast<double>(shape.before->bytes.size());
    const auto tail_bytes = static_cast<double>(shape.after->bytes.size());
    const double bytes = head_bytes + shape.bytes + tail_bytes;
    for (std::size_t i = 0; i < 100; ++i) {
        const double wanted = static_cast<double>(i) / 100 * frames - shape.before->frames;
        double place = 0;
        if (wanted < 0) {
            place = head_bytes * (1 + wanted / std::max(1U, shape.before->frames));
        } else if (wanted < shape.frames) {
            const double percent = wanted / shape.frames * 100;
            const auto low = std::min(static_cast<std::size_t>(percent), std::size_t{99});
            const double part = percent - static_cast<double>(low);
            place = head_bytes + (old[low] * (1 - part) + old[low + 1] * part) / 256 * shape.bytes;
        } else {
            place = head_bytes + shape.bytes +
                    tail_bytes * (wanted - shape.frames) / std::max(1U, shape.after->frames);
        }
        frame[at + i] = static_cast<std::uint8_t>(std::clamp(place / bytes * 256, 0.0, 255.0));
    }
}

void update_lame(Buffer& frame, std::size_t at, const Shape& shape, Bytes programme) {
    constexpr std::size_t kDelayAt = 21;
    constexpr std::size_t kLengthAt = 28;
    constexpr std::size_t kMusicCrcAt = 32;
    constexpr std::size_t kTagCrcAt = 34;
    constexpr std::uint32_t kDecoderDelay = 529;
    std::uint32_t gaps = load_be24(Bytes(frame).subspan(at + kDelayAt));
    if (shape.before->frames > 0) {
        const std::uint32_t delay =
            shape.before->delay - std::min(shape.before->delay, kDecoderDelay);
        gaps = (gaps & 0xFFFU) | (std::min(delay, 0xFFFU) << 12U);
    }
    if (shape.after->frames > 0) {
        gaps &= 0xFFF000U;
    }
    frame[at + kDelayAt] = static_cast<std::uint8_t>(gaps >> 16U);
    store_be16(frame, at + kDelayAt + 1, static_cast<std::uint16_t>(gaps & 0xFFFFU));
    store_be32(frame, at + kLengthAt,
               static_cast<std::uint32_t>(frame.size() + shape.before->bytes.size() +
                                          programme.size() + shape.after->bytes.size()));
    std::uint16_t crc = crc16(0, shape.before->bytes);
    crc = crc16(crc, programme);
    store_be16(frame, at + kMusicCrcAt, crc16(crc, shape.after->bytes));
    store_be16(frame, at + kTagCrcAt, crc16(0, Bytes(frame).first(at + kTagCrcAt)));
}

Buffer updated(Bytes old, const Xing& xing, const Added& before, const Added& after,
               Bytes programme) {
    Buffer frame = to_buffer(old);
    Shape shape{.frames = 0,
                .bytes = static_cast<double>(programme.size()),
                .before = &before,
                .after = &after};
    if (xing.frames > 0) {
        const std::uint32_t frames = load_be32(old.subspan(xing.frames));
        shape.frames = frames;
        store_be32(frame, xing.frames, frames + before.frames + after.frames);
    }
    if (xing.bytes > 0) {
        store_be32(frame, xing.bytes,
                   static_cast<std::uint32_t>(old.size() + before.bytes.size() + programme.size() +
                                              after.bytes.size()));
    }
    if (xing.table > 0 && shape.frames > 0) {
        update_table(frame, xing.table, shape);
    }
    if (xing.lame > 0) {
        update_lame(frame, xing.lame, shape, programme);
    }
    return frame;
}

}  // namespace

Result<Splice> join_mp3(Bytes file, const media::AudioFacts& facts, const media::Pcm& before,
                        const media::Pcm& after) {
    const Mp3 mp3 = TRY(read_mp3(file));
    Added head = TRY(encode(before, facts));
    Added tail = TRY(encode(after, facts));
    const Bytes first = file.subspan(mp3.first, mp3.head.size);
    Splice splice;
    splice.copy(0, mp3.first);
    std::size_t programme_at = mp3.first;
    if (const auto xing = read_xing(first, mp3.head)) {
        programme_at += mp3.head.size;
        const Bytes programme = file.subspan(programme_at, mp3.end - programme_at);
        splice.insert(updated(first, *xing, head, tail, programme));
    }
    splice.insert(std::move(head.bytes));
    splice.copy(programme_at, mp3.end - programme_at);
    splice.insert(std::move(tail.bytes));
    splice.copy(mp3.end, file.size() - mp3.end);
    return splice;
}

}  // namespace colophon::label::internal
