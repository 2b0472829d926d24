// SPDX-License-Identifier: Apache-2.0
// Prints of sounds as others write them.
//
//   byte   0          the algorithm, 1
//   bytes  1 .. 3     how many items, the higher byte first
//   then   3 bits a number, the lowest bits of a byte first: of each item's difference (XOR) from
//          the one before, how far each bit that is set lies from the set bit below it (the first
//          from place 0, places counted from 1), then 0; 7 stands for 7 and more
//   then   from the next byte, 5 bits a number: what each 7 lacks
#include "core/base64.h"
#include "core/bytes.h"
#include "core/result.h"
#include "fingerprint/sound.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace colophon::fingerprint {
namespace {

constexpr std::uint8_t kAlgorithm = 1;
constexpr std::size_t kHeadBytes = 4;
constexpr unsigned kStepBits = 3;
constexpr unsigned kMoreBits = 5;
constexpr unsigned kStepMost = 7;

Error wrong(std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("a sound print: {}", what)};
}

Error too_many_items() {
    return {ErrorCode::kLimit, fmt::format("a sound print has at most {} items", kSoundItemsMax)};
}

class BitWriter {
public:
    void put(unsigned value, unsigned bits) {
        held_ |= value << held_bits_;
        held_bits_ += bits;
        while (held_bits_ >= 8) {
            flush();
        }
    }
    void align() {
        if (held_bits_ > 0) {
            flush();
            held_bits_ = 0;
        }
    }
    Buffer bytes;

private:
    void flush() {
        bytes.push_back(static_cast<std::uint8_t>(held_));
        held_ >>= 8U;
        held_bits_ -= std::min(held_bits_, 8U);
    }
    unsigned held_ = 0;
    unsigned held_bits_ = 0;
};

class BitReader {
public:
    explicit BitReader(Bytes bytes) : bytes_(bytes) {}

    std::optional<unsigned> take(unsigned bits) {
        if (at_ + bits > bytes_.size() * 8) {
            return std::nullopt;
        }
        unsigned value = 0;
        for (unsigned i = 0; i < bits; ++i, ++at_) {
            value |= ((static_cast<unsigned>(bytes_[at_ / 8]) >> (at_ % 8)) & 1U) << i;
        }
        return value;
    }
    void align() { at_ = (at_ + 7) / 8 * 8; }
    bool at_end() const { return at_ == bytes_.size() * 8; }

private:
    Bytes bytes_;
    std::size_t at_ = 0;
};

std::string to_url_base64(Bytes bytes) {
    std::string text = to_base64(bytes);
    while (text.ends_with('=')) {
        text.pop_back();
    }
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

Result<Buffer> from_url_base64(std::string_view text) {
    if (text.find_first_of("+/=") != std::string_view::npos) {
        return wrong("it is not in base64 as URLs have it, without padding");
    }
    std::string usual(text);
    std::ranges::replace(usual, '-', '+');
    std::ranges::replace(usual, '_', '/');
    usual.append((4 - usual.size() % 4) % 4, '=');
    auto bytes = from_base64(usual);
    if (!bytes.ok()) {
        return wrong("it is not in base64 as URLs have it, without padding");
    }
    return bytes;
}

// All steps come before all that sevens lack.
Result<std::vector<unsigned>> read_steps(BitReader& reader, std::size_t items) {
    std::vector<unsigned> steps;
    while (items > 0) {
        const auto step = reader.take(kStepBits);
        if (!step) {
            return wrong("it ends within its items");
        }
        steps.push_back(*step);
        items -= static_cast<std::size_t>(*step == 0);
    }
    reader.align();
    for (unsigned& step : steps) {
        if (step != kStepMost) {
            continue;
        }
        const auto more = reader.take(kMoreBits);
        if (!more) {
            return wrong("it ends within its items");
        }
        step += *more;
    }
    reader.align();
    if (!reader.at_end()) {
        return wrong("bytes follow its items");
    }
    return steps;
}

Result<SoundPrint> parse_packed(std::string_view text) {
    const Buffer bytes = TRY(from_url_base64(text));
    if (bytes.size() < kHeadBytes) {
        return wrong("it is shorter than its head");
    }
    if (bytes[0] != kAlgorithm) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a sound print of Chromaprint's algorithm {}; 1 is known "
                                 "(fpcalc -algorithm 2)",
                                 bytes[0])};
    }
    const std::size_t items =
        (std::size_t{bytes[1]} << 16U) | (std::size_t{bytes[2]} << 8U) | std::size_t{bytes[3]};
    if (items > kSoundItemsMax) {
        return too_many_items();
    }
    BitReader reader(Bytes(bytes).subspan(kHeadBytes));
    const std::vector<unsigned> steps = TRY(read_steps(reader, items));
    SoundPrint print;
    std::uint32_t item = 0;
    unsigned place = 0;
    for (const unsigned step : steps) {
        if (step == 0) {
            print.items.push_back(item);
            place = 0;
            continue;
        }
        place += step;
        if (place > 32) {
            return wrong("an item has more than 32 bits");
        }
        item ^= std::uint32_t{1} << (place - 1);
    }
    return print;
}

// Unsigned as fpcalc -raw writes them, or signed, as some databases do.
Result<SoundPrint> parse_numbers(std::string_view text) {
    SoundPrint print;
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view field = text.substr(0, comma);
        std::int64_t number = 0;
        const auto [end, failed] =
            std::from_chars(field.data(), field.data() + field.size(), number);
        if (failed != std::errc() || end != field.data() + field.size() || number > 0xffffffffLL ||
            number < -0x80000000LL) {
            return wrong(fmt::format("number {} is none of 32 bits", print.items.size() + 1));
        }
        if (print.items.size() == kSoundItemsMax) {
            return too_many_items();
        }
        print.items.push_back(static_cast<std::uint32_t>(number));
        if (comma == text.size()) {
            return print;
        }
        text.remove_prefix(comma + 1);
    }
}

}  // namespace

std::string to_text(const SoundPrint& print) {
    BitWriter steps;
    BitWriter more;
    std::uint32_t before = 0;
    for (const std::uint32_t item : print.items) {
        std::uint32_t differs = item ^ before;
        before = item;
        unsigned last = 0;
        while (differs != 0) {
            const auto place = static_cast<unsigned>(std::countr_zero(differs)) + 1;
            const unsigned step = place - last;
            steps.put(std::min(step, kStepMost), kStepBits);
            if (step >= kStepMost) {
                more.put(step - kStepMost, kMoreBits);
            }
            last = place;
            differs &= differs - 1;
        }
        steps.put(0, kStepBits);
    }
    steps.align();
    more.align();
    const std::size_t size = print.items.size();
    Buffer bytes{kAlgorithm, static_cast<std::uint8_t>(size >> 16U),
                 static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
    bytes.insert(bytes.end(), steps.bytes.begin(), steps.bytes.end());
    bytes.insert(bytes.end(), more.bytes.begin(), more.bytes.end());
    return to_url_base64(bytes);
}

Result<SoundPrint> parse_sound_print(std::string_view text) {
    if (text.empty()) {
        return wrong("it is empty");
    }
    return text.find_first_not_of("0123456789-,") == std::string_view::npos ? parse_numbers(text)
                                                                            : parse_packed(text);
}

Buffer to_bytes(const SoundPrint& print) {
    Buffer bytes;
    bytes.reserve(4 * print.items.size());
    for (const std::uint32_t item : print.items) {
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            bytes.push_back(static_cast<std::uint8_t>(item >> shift));
        }
    }
    return bytes;
}

Result<SoundPrint> parse_sound_print_bytes(Bytes bytes) {
    if (bytes.size() % 4 != 0 || bytes.size() / 4 > kSoundItemsMax) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("a sound print of {} bytes is none", bytes.size())};
    }
    SoundPrint print;
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
        print.items.push_back((std::uint32_t{bytes[i]} << 24U) |
                              (std::uint32_t{bytes[i + 1]} << 16U) |
                              (std::uint32_t{bytes[i + 2]} << 8U) | std::uint32_t{bytes[i + 3]});
    }
    return print;
}

}  // namespace colophon::fingerprint
