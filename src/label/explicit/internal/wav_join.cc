// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/wav_join.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/sort.h"
#include "core/splice.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::uint16_t kFormatPcm = 0x0001;
constexpr std::uint16_t kFormatFloat = 0x0003;
constexpr std::uint16_t kFormatALaw = 0x0006;
constexpr std::uint16_t kFormatMuLaw = 0x0007;
constexpr std::uint16_t kFormatExtensible = 0xFFFE;
constexpr std::uint32_t kSizeElsewhere = 0xFFFFFFFF;  // the true one stands in ds64, or is unknown

struct WavChunk {
    std::string_view id;
    std::uint64_t header = 0;  // offset of the id
    Bytes body;
    std::uint64_t stated = 0;  // size, also where the file ends before it
};

struct WavFormat {
    std::uint16_t code = 0;
    std::uint16_t channels = 0;
    std::uint32_t sample_bytes = 0;
    std::uint32_t rate = 0;
};

struct Wav {
    bool wide = false;  // RF64 or BW64
    WavFormat format;
    std::vector<WavChunk> chunks;
    const WavChunk* find(std::string_view id) const {
        const auto found = std::ranges::find(chunks, id, &WavChunk::id);
        return found == chunks.end() ? nullptr : &*found;
    }
};

Result<WavFormat> read_format(const WavChunk& chunk) {
    ByteReader reader(chunk.body, chunk.header + 8);
    WavFormat format;
    format.code = TRY(reader.le16("format code"));
    format.channels = TRY(reader.le16("channel count"));
    format.rate = TRY(reader.le32("sampling rate"));
    TRY(reader.skip(4, "byte rate"));
    const std::uint16_t frame_bytes = TRY(reader.le16("frame size"));
    const std::uint16_t bits = TRY(reader.le16("sample size"));
    if (format.code == kFormatExtensible) {
        TRY(reader.skip(8, "extensible format"));
        format.code = TRY(reader.le16("sub-format"));
    }
    if (format.channels == 0 || format.channels > limits::kAudioChannelsMax || frame_bytes == 0 ||
        frame_bytes % format.channels != 0) {
        return corrupt_at("WAV frame size and channel count disagree", chunk.header);
    }
    format.sample_bytes = frame_bytes / format.channels;
    const bool integer = format.code == kFormatPcm && format.sample_bytes <= 4;
    const bool real =
        format.code == kFormatFloat && (format.sample_bytes == 4 || format.sample_bytes == 8);
    const bool law =
        (format.code == kFormatALaw || format.code == kFormatMuLaw) && format.sample_bytes == 1;
    if (!integer && !real && !law) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("WAV sound of format 0x{:04x} with {} bits is not supported",
                                 format.code, bits)};
    }
    return format;
}

Result<Wav> read_wav(Bytes file) {
    ByteReader reader(file);
    Wav wav;
    const std::string_view form = as_text(TRY(reader.take(4, "RIFF id")));
    wav.wide = form == "RF64" || form == "BW64";
    TRY(reader.skip(4, "RIFF size"));
    if ((!wav.wide && form != "RIFF") || as_text(TRY(reader.take(4, "RIFF form"))) != "WAVE") {
        return corrupt_at("no WAV file", 0);
    }
    std::optional<std::uint64_t> wide_data;
    while (reader.left() >= 8) {
        if (wav.chunks.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "the WAV file has too many chunks"};
        }
        WavChunk chunk;
        chunk.header = reader.offset();
        chunk.id = as_text(TRY(reader.take(4, "chunk id")));
        std::uint64_t size = TRY(reader.le32("chunk size"));
        if (chunk.id == "data") {
            if (size == kSizeElsewhere && wide_data) {
                size = *wide_data;
            }
            chunk.stated = size;
            // Programs that write to a pipe leave the size open: the data run to the end.
            size = std::min<std::uint64_t>(size, reader.left());
        }
        chunk.body = TRY(reader.take(size, "chunk"));
        if (chunk.id == "ds64" && chunk.body.size() >= 24) {
            wide_data = load_le64(chunk.body.subspan(8));
        }
        const bool padded = size % 2 == 1 && !reader.done();
        TRY(reader.skip(padded ? 1 : 0, "padding"));
        wav.chunks.push_back(chunk);
    }
    const WavChunk* format = wav.find("fmt ");
    if (format == nullptr || wav.find("data") == nullptr) {
        return corrupt_at("the WAV file has no format or no data", 0);
    }
    if (wav.wide && !wide_data) {
        return corrupt_at("the RF64 file has no ds64 chunk", 0);
    }
    wav.format = TRY(read_format(*format));
    return wav;
}

std::uint8_t to_mu_law(float sample) {
    // ITU-T G.711: 13-bit magnitude plus a bias of 33, sign, exponent, mantissa; all inverted.
    const float level = std::min(std::abs(sample), 1.0F) * 8192.0F;
    const unsigned biased = std::min(static_cast<unsigned>(std::lround(level)) + 33U, 8191U);
    const auto exponent = static_cast<unsigned>(std::bit_width(biased)) - 6U;
    const unsigned mantissa = (biased >> (exponent + 1U)) & 0xFU;
    const unsigned sign = sample < 0 ? 0x80U : 0U;
    return static_cast<std::uint8_t>(~(sign | (exponent << 4U) | mantissa));
}

std::uint8_t to_a_law(float sample) {
    const float level = std::min(std::abs(sample), 1.0F) * 4096.0F;
    const unsigned value = std::min(static_cast<unsigned>(std::lround(level)), 4095U);
    unsigned code = value >> 1U;
    if (value >= 32) {
        const auto exponent = static_cast<unsigned>(std::bit_width(value)) - 5U;
        code = (exponent << 4U) | ((value >> exponent) & 0xFU);
    }
    const unsigned sign = sample < 0 ? 0U : 0x80U;
    return static_cast<std::uint8_t>((sign | code) ^ 0x55U);
}

void append_integer(Buffer& out, float sample, std::uint32_t bytes) {
    const double scale = std::ldexp(1.0, static_cast<int>(8 * bytes - 1));
    const double value = std::round(static_cast<double>(sample) * scale);
    const auto number = static_cast<std::int64_t>(std::clamp(value, -scale, scale - 1.0));
    // Eight bits are unsigned in WAV, all others two's complement.
    auto bits = static_cast<std::uint64_t>(bytes == 1 ? number + 128 : number);
    for (std::uint32_t i = 0; i < bytes; ++i) {
        out.push_back(static_cast<std::uint8_t>(bits & 0xFFU));
        bits >>= 8U;
    }
}

void append_sample(Buffer& out, float sample, const WavFormat& format) {
    if (format.code == kFormatMuLaw) {
        out.push_back(to_mu_law(sample));
    } else if (format.code == kFormatALaw) {
        out.push_back(to_a_law(sample));
    } else if (format.code == kFormatPcm) {
        append_integer(out, sample, format.sample_bytes);
    } else if (format.sample_bytes == 4) {
        append_le32(out, std::bit_cast<std::uint32_t>(sample));
    } else {
        append_le64(out, std::bit_cast<std::uint64_t>(static_cast<double>(sample)));
    }
}

Buffer samples_of(const media::Pcm& pcm, const WavFormat& format) {
    Buffer out;
    out.reserve(pcm.samples() * pcm.planes.size() * format.sample_bytes);
    for (std::size_t i = 0; i < pcm.samples(); ++i) {
        for (const std::vector<float>& plane : pcm.planes) {
            append_sample(out, plane[i], format);
        }
    }
    return out;
}

// One replacement in the file: `removed` bytes at `offset` become `bytes`.
struct Edit {
    std::uint64_t offset = 0;
    std::uint64_t removed = 0;
    Buffer bytes;
};

Edit edit32(std::uint64_t offset, std::uint64_t value) {
    Edit edit{.offset = offset, .removed = 4, .bytes = {}};
    append_le32(edit.bytes,
                static_cast<std::uint32_t>(std::min<std::uint64_t>(value, kSizeElsewhere)));
    return edit;
}

// Moves the sample position that stands at `at` of a chunk's body.
void shift32(Buffer& body, std::size_t at, std::uint64_t samples) {
    const std::uint64_t moved = load_le32(Bytes(body).subspan(at)) + samples;
    store_le32(body, at,
               static_cast<std::uint32_t>(std::min<std::uint64_t>(moved, kSizeElsewhere)));
}

// Marks and loops point at samples, which now stand later. A chunk is exchanged as a whole: it may
// hold millions of them.
void shift_positions(const Wav& wav, std::uint64_t samples, std::vector<Edit>& edits) {
    struct Table {
        std::string_view id;
        std::size_t first;         // entry
        std::size_t positions[2];  // in an entry
    };
    constexpr std::size_t kEntryBytes = 24;
    constexpr Table kTables[] = {{"cue ", 4, {4, 20}}, {"smpl", 36, {8, 12}}};
    for (const WavChunk& chunk : wav.chunks) {
        for (const Table& table : kTables) {
            if (chunk.id != table.id || chunk.body.size() < table.first + kEntryBytes) {
                continue;
            }
            Edit edit{.offset = chunk.header + 8,
                      .removed = chunk.body.size(),
                      .bytes = to_buffer(chunk.body)};
            for (std::size_t at = table.first; at + kEntryBytes <= edit.bytes.size();
                 at += kEntryBytes) {
                shift32(edit.bytes, at + table.positions[0], samples);
                shift32(edit.bytes, at + table.positions[1], samples);
            }
            edits.push_back(std::move(edit));
        }
    }
}

void resize_wide(const Wav& wav, std::uint64_t riff, std::uint64_t data, std::uint64_t samples,
                 std::vector<Edit>& edits) {
    const WavChunk* ds64 = wav.find("ds64");
    if (ds64 == nullptr || ds64->body.size() < 24) {
        return;
    }
    Edit edit{.offset = ds64->header + 8, .removed = 24, .bytes = {}};
    append_le64(edit.bytes, riff);
    append_le64(edit.bytes, data);
    append_le64(edit.bytes, samples);
    edits.push_back(std::move(edit));
}

Splice splice_of(Bytes file, std::vector<Edit> edits) {
    sort_stably(edits, &Edit::offset);
    Splice splice;
    std::uint64_t at = 0;
    for (Edit& edit : edits) {
        COLOPHON_ASSERT(edit.offset >= at);
        splice.copy(at, edit.offset - at);
        splice.insert(std::move(edit.bytes));
        at = edit.offset + edit.removed;
    }
    splice.copy(at, file.size() - at);
    return splice;
}

}  // namespace

Result<Splice> join_wav(Bytes file, const media::Pcm& before, const media::Pcm& after) {
    const Wav wav = TRY(read_wav(file));
    const WavChunk& data = *wav.find("data");
    if (before.planes.size() != wav.format.channels || after.planes.size() != wav.format.channels) {
        return corrupt_at("the WAV file tells two different numbers of channels", 0);
    }
    const std::uint64_t frame_bytes = std::uint64_t{wav.format.channels} * wav.format.sample_bytes;
    // A last frame that is not whole would shift everything appended after it.
    const std::uint64_t kept =
        after.samples() == 0 ? data.body.size() : data.body.size() / frame_bytes * frame_bytes;
    Buffer head = samples_of(before, wav.format);
    Buffer tail = samples_of(after, wav.format);
    const std::uint64_t size = kept + head.size() + tail.size();
    const std::uint64_t data_at = data.header + 8;
    const std::uint64_t data_end = data_at + data.body.size();
    const bool padded = data.body.size() % 2 == 1 && data_end < file.size();
    const std::uint64_t rest_at = data_end + (padded ? 1 : 0);
    if (size % 2 == 1) {
        tail.push_back(0);
    }
    const std::uint64_t riff =
        data_at + head.size() + kept + tail.size() + (file.size() - rest_at) - 8;
    if (!wav.wide && riff > kSizeElsewhere - 1) {
        return Error{ErrorCode::kLimit, "the marked WAV file would pass 4 GiB: convert it to RF64"};
    }
    std::vector<Edit> edits;
    edits.push_back(edit32(4, wav.wide ? kSizeElsewhere : riff));
    edits.push_back(edit32(data.header + 4, wav.wide ? kSizeElsewhere : size));
    edits.push_back({.offset = data_at, .removed = 0, .bytes = std::move(head)});
    edits.push_back(
        {.offset = data_at + kept, .removed = rest_at - data_at - kept, .bytes = std::move(tail)});
    const WavChunk* fact = wav.find("fact");
    if (fact != nullptr && fact->body.size() >= 4) {
        edits.push_back(edit32(fact->header + 8, size / frame_bytes));
    }
    resize_wide(wav, riff, size, size / frame_bytes, edits);
    if (before.samples() > 0) {
        shift_positions(wav, before.samples(), edits);
    }
    return splice_of(file, std::move(edits));
}

Result<WavData> find_wav_data(Bytes start) {
    const Wav wav = TRY(read_wav(start));
    const WavChunk& data = *wav.find("data");
    const std::uint64_t frame_bytes = std::uint64_t{wav.format.channels} * wav.format.sample_bytes;
    return WavData{.offset = data.header + 8,
                   .size = data.stated,
                   .frame_bytes = frame_bytes,
                   .bytes_a_second = frame_bytes * wav.format.rate};
}

}  // namespace colophon::label::internal
