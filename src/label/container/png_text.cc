// SPDX-License-Identifier: Apache-2.0
#include "label/container/png_text.h"

#include "core/bytes.h"
#include "label/container/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

// Cuts `bytes` up to and with the next zero and returns what stood before it.
std::optional<std::string_view> take_string(Bytes& bytes) {
    const auto zero = std::ranges::find(bytes, std::uint8_t{0});
    if (zero == bytes.end()) {
        return std::nullopt;
    }
    const auto size = static_cast<std::size_t>(zero - bytes.begin());
    const std::string_view text = as_text(bytes.first(size));
    bytes = bytes.subspan(size + 1);
    return text;
}

Result<void> inflate_all(z_stream& stream, std::uint64_t bytes_max, std::string& out) {
    constexpr std::size_t kStep = 64U << 10U;
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        const std::size_t used = out.size();
        if (used > bytes_max) {
            return Error{ErrorCode::kLimit,
                         "a compressed text of more than " + std::to_string(bytes_max) + " bytes"};
        }
        out.resize(used + kStep);
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
        stream.avail_out = static_cast<uInt>(kStep);
        state = inflate(&stream, Z_NO_FLUSH);
        out.resize(used + kStep - stream.avail_out);
        // Z_BUF_ERROR: no input is left and the stream has not ended.
        if (state != Z_OK && state != Z_STREAM_END) {
            return Error{ErrorCode::kCorrupt, "a compressed text is not a whole zlib stream"};
        }
    }
    return {};
}

}  // namespace

bool is_png_text(const PngChunk& chunk) noexcept {
    return chunk.type == "tEXt" || chunk.type == "zTXt" || chunk.type == "iTXt";
}

Result<PngText> parse_png_text(const PngChunk& chunk) {
    PngText text;
    Bytes rest = chunk.data;
    const auto keyword = take_string(rest);
    if (!keyword) {
        return corrupt_at("a PNG text chunk without the zero behind its keyword", chunk.offset);
    }
    text.keyword = *keyword;
    std::uint8_t method = 0;
    if (chunk.type == "zTXt") {
        if (rest.empty()) {
            return corrupt_at("a PNG zTXt chunk without compression method", chunk.offset);
        }
        text.compressed = true;
        method = rest[0];
        rest = rest.subspan(1);
    } else if (chunk.type == "iTXt") {
        if (rest.size() < 2) {
            return corrupt_at("a PNG iTXt chunk without compression flag", chunk.offset);
        }
        text.utf8 = true;
        text.compressed = rest[0] != 0;
        method = rest[1];
        rest = rest.subspan(2);
        if (!take_string(rest) || !take_string(rest)) {
            return corrupt_at("a PNG iTXt chunk without language or translated keyword",
                              chunk.offset);
        }
    }
    if (text.compressed && method != 0) {
        return corrupt_at("a PNG text chunk compressed by method " + std::to_string(method),
                          chunk.offset);
    }
    text.stored = rest;
    return text;
}

Result<std::string> inflate_text(Bytes compressed, std::uint64_t bytes_max) {
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) {
        return Error{ErrorCode::kUnavailable, "no memory to inflate a text"};
    }
    std::string out;
    // zlib takes a pointer to non-const input and does not write to it. PNG chunks are below 2^31
    // bytes, so the size fits.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    stream.next_in = const_cast<Bytef*>(compressed.data());
    stream.avail_in = static_cast<uInt>(compressed.size());
    const Result<void> result = inflate_all(stream, bytes_max, out);
    inflateEnd(&stream);
    if (!result.ok()) {
        return result.error();
    }
    return out;
}

Buffer make_png_itxt(std::string_view keyword, std::string_view text) {
    Buffer data = to_buffer(keyword);
    data.insert(data.end(), 5, 0);  // end of keyword, not compressed, method, no language, no name
    append(data, text);
    return make_png_chunk("iTXt", data);
}

}  // namespace colophon::label
