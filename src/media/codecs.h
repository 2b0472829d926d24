// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which media libraries a task needs, and loading them.
//
// FFmpeg and libvips bring some 160 shared objects, whose loading takes longer than most of what is
// done to a file. The program is therefore not linked with any media library: each set is loaded
// when it is first needed, or by load() before a process is locked, after which nothing can be
// loaded any more. Functions of this module load what they need by themselves and fail with
// kUnavailable where that is not possible.

#include "core/result.h"

#include <cstdint>
#include <initializer_list>

namespace colophon::media {

enum class Codec : std::uint8_t {
    kLetters,  // FreeType and HarfBuzz
    kJpeg,
    kPng,
    kWebp,
    kTiff,
    kVips,  // reading GIF and HEIF
    kHeif,  // libvips too, made ready to write HEIF
    kSound,
};

class CodecSet {
public:
    constexpr CodecSet() = default;
    constexpr CodecSet(std::initializer_list<Codec> codecs) {
        for (const Codec codec : codecs) {
            add(codec);
        }
    }
    // From bits(); what is not known is left out.
    static constexpr CodecSet from_bits(std::uint64_t bits) noexcept {
        CodecSet set;
        set.bits_ = static_cast<std::uint8_t>(bits);
        return set;
    }
    constexpr bool has(Codec codec) const noexcept { return (bits_ & bit(codec)) != 0; }
    constexpr bool has_all(CodecSet others) const noexcept {
        return (others.bits_ & ~unsigned{bits_}) == 0;
    }
    constexpr CodecSet& add(Codec codec) noexcept {
        bits_ = static_cast<std::uint8_t>(bits_ | bit(codec));
        return *this;
    }
    constexpr CodecSet& add(CodecSet others) noexcept {
        bits_ = static_cast<std::uint8_t>(bits_ | others.bits_);
        return *this;
    }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr std::uint8_t bits() const noexcept { return bits_; }
    bool operator==(const CodecSet&) const = default;

private:
    static constexpr unsigned bit(Codec codec) noexcept {
        return 1U << static_cast<unsigned>(codec);
    }
    std::uint8_t bits_ = 0;
};

// Loads the libraries and whatever they themselves load later: codecs, tables, configuration. After
// it they open no file. Each is loaded once in a process; safe from several threads.
// kUnavailable names the library that is missing or does not start.
Result<void> load(CodecSet codecs);

}  // namespace colophon::media
