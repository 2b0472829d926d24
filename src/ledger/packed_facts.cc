// SPDX-License-Identifier: Apache-2.0
#include "ledger/internal/packed_facts.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "storage/value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::ledger::internal {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeadBytes = 5;
constexpr std::size_t kRepeatMin = 4;
constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kNibbleFull = 15;
constexpr std::size_t kBackMax = 0xFFFF;
constexpr unsigned kDictionaryBits = 10;
constexpr unsigned kTextBits = 9;

constexpr std::string_view kDictionary =
    R"({"kind":"verification","outcome":"refused","outcome_code":"failed","decision":"bl)"
    R"(ock","rule":"review","label_ms":"images","operation":"speech","videos","administr)"
    R"(ation","erasure","purge","unlabelled_release","operation":"responses","operation")"
    R"(:"messages","model":"","stage":"output","decision":"flag","detail":"{\"code\":\")"
    R"(\"service\":\"image\",\"service\":\"sound\",\"service\":\"video\",\"stream\":true)"
    R"(,\"format\":\"{"id":"01a2","kind":"call","time":"2026-12-","tenant":"","subject":)"
    R"("","operation":"chat","model":"","model_version":"","content_id":"","outcome":"an)"
    R"(swered","label":"{\"Label\":\"1\",\"ContentProducer\":\"001191\",\"ProduceID\":\")"
    R"(\",\"ReservedCode1\":\"\",\"ContentPropagator\":\"001191\",\"PropagateID\":\"\",)"
    R"(\"ReservedCode2\":\"\"}","verdicts":[{"stage":"input","decision":"allow"},{"stage)"
    R"(":"output","decision":"allow"}],"total_ms":0,"review_ms":0,"upstream_ms":0,"input)"
    R"(_tokens":1,"output_tokens":1,"policy_version":"policy-/library-","detail":"{\"ups)"
    R"(tream\":\"","\"service\":\"dialogue\"}"})";

std::uint32_t four_at(const char* at) {
    std::uint32_t four = 0;
    std::memcpy(&four, at, sizeof(four));
    return four;
}

std::size_t slot_of(std::uint32_t four, unsigned bits) {
    return (four * 2654435761U) >> (32U - bits);
}

// Where in the dictionary four bytes stand, plus one.
using DictionarySlots = std::array<std::uint16_t, 1U << kDictionaryBits>;
const DictionarySlots& dictionary_slots() {
    static const DictionarySlots kSlots = [] {
        DictionarySlots slots{};
        for (std::size_t i = 0; i + kRepeatMin <= kDictionary.size(); ++i) {
            slots[slot_of(four_at(kDictionary.data() + i), kDictionaryBits)] =
                static_cast<std::uint16_t>(i + 1);
        }
        return slots;
    }();
    return kSlots;
}

// How many bytes are the same at both places, at most `most`.
std::size_t alike(const char* a, const char* b, std::size_t most) {
    std::size_t count = 0;
    while (count + 8 <= most) {
        std::uint64_t left = 0;
        std::uint64_t right = 0;
        std::memcpy(&left, a + count, 8);
        std::memcpy(&right, b + count, 8);
        if (left != right) {
            const int zeros = std::endian::native == std::endian::little
                                  ? std::countr_zero(left ^ right)
                                  : std::countl_zero(left ^ right);
            return count + static_cast<std::size_t>(zeros) / 8;
        }
        count += 8;
    }
    while (count < most && a[count] == b[count]) {
        ++count;
    }
    return count;
}

struct Repeat {
    std::size_t back = 0;
    std::size_t bytes = 0;
};

// Finds what of a text was there before, from its front to its end.
class Repeats {
public:
    explicit Repeats(std::string_view text) : text_(text) {}

    // At this place, which has kRepeatMin bytes; nothing when it is shorter than that.
    Repeat at(std::size_t place) {
        const char* here = text_.data() + place;
        const std::size_t rest = text_.size() - place;
        const std::uint32_t four = four_at(here);
        Repeat best;
        const std::size_t known = dictionary_[slot_of(four, kDictionaryBits)];
        if (known != 0) {
            const std::size_t bytes = alike(kDictionary.data() + known - 1, here,
                                            std::min(rest, kDictionary.size() - (known - 1)));
            const std::size_t back = kDictionary.size() - (known - 1) + place;
            if (bytes >= kRepeatMin && back <= kBackMax) {
                best = {.back = back, .bytes = bytes};
            }
        }
        std::uint16_t& last = slots_[slot_of(four, kTextBits)];
        if (last != 0) {
            const std::size_t bytes = alike(text_.data() + last - 1, here, rest);
            if (bytes >= kRepeatMin && bytes > best.bytes) {
                best = {.back = place - (last - 1U), .bytes = bytes};
            }
        }
        last = static_cast<std::uint16_t>(place + 1);
        return best;
    }

private:
    std::string_view text_;
    const DictionarySlots& dictionary_ = dictionary_slots();
    std::array<std::uint16_t, 1U << kTextBits> slots_{};  // places in the text, plus one
};

bool is_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Whether 32 hexadecimal digits stand there, as ids are written.
bool is_id(std::string_view text, std::size_t at) {
    return text.size() - at >= kIdDigits && is_digit(text[at + kIdDigits - 1]) &&
           std::ranges::all_of(text.substr(at, kIdDigits), is_digit);
}

std::uint8_t digit_value(char c) {
    return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
}

// Writes what is packed, into room that was made for the longest that it can be.
class Packing {
public:
    // Bytes that stand there as they are take one more for each 255 and a token; whatever is
    // repeated or written as an id takes less than it was.
    explicit Packing(std::size_t text_size)
        : out_(kHeadBytes + text_size + text_size / 0xFF + 2), at_(out_.data()) {
        put(kVersion);
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            put(static_cast<std::uint8_t>(text_size >> shift));
        }
    }

    void id(std::string_view plain, std::string_view digits) {
        put(static_cast<std::uint8_t>(std::min(plain.size(), kNibbleFull) << 4U));
        put_plain(plain);
        put(0);
        put(0);
        for (std::size_t i = 0; i < digits.size(); i += 2) {
            put(static_cast<std::uint8_t>(digit_value(digits[i]) << 4U |
                                          digit_value(digits[i + 1])));
        }
    }

    void sequence(std::string_view plain, const Repeat& repeat) {
        const std::size_t repeated = repeat.bytes == 0 ? 0 : repeat.bytes - kRepeatMin;
        put(static_cast<std::uint8_t>(std::min(plain.size(), kNibbleFull) << 4U |
                                      std::min(repeated, kNibbleFull)));
        put_plain(plain);
        if (repeat.bytes != 0) {
            put(static_cast<std::uint8_t>(repeat.back));
            put(static_cast<std::uint8_t>(repeat.back >> 8U));
            put_rest(repeated);
        }
    }

    Buffer take() {
        const auto size = static_cast<std::size_t>(at_ - out_.data());
        COLOPHON_ASSERT(size <= out_.size());
        out_.resize(size);
        return std::move(out_);
    }

private:
    void put(std::uint8_t byte) { *at_++ = byte; }
    void put_plain(std::string_view plain) {
        put_rest(plain.size());
        std::memcpy(at_, plain.data(), plain.size());
        at_ += plain.size();
    }
    void put_rest(std::size_t count) {
        if (count < kNibbleFull) {
            return;
        }
        count -= kNibbleFull;
        for (; count >= 0xFF; count -= 0xFF) {
            put(0xFF);
        }
        put(static_cast<std::uint8_t>(count));
    }

    Buffer out_;
    std::uint8_t* at_;
};

Error damaged() {
    return Error{ErrorCode::kCorrupt, "the facts of a record are damaged"};
}

class Unpacking {
public:
    // What a few bytes say of their size is believed only so far.
    Unpacking(Bytes packed, std::size_t size) : rest_(packed), size_(size) {
        text_.reserve(std::min(size, packed.size() * 8));
    }

    Result<std::string> run() {
        while (!rest_.empty()) {
            const std::uint8_t token = TRY(next());
            const std::size_t plain = TRY(count(token >> 4U));
            if (plain > rest_.size() || plain > size_ - text_.size()) {
                return damaged();
            }
            text_ += as_text(rest_.first(plain));
            rest_ = rest_.subspan(plain);
            if (rest_.empty()) {
                break;
            }
            const std::size_t low = TRY(next());
            const std::size_t back = low | static_cast<std::size_t>(TRY(next())) << 8U;
            const std::size_t bytes = TRY(count(token & kNibbleFull)) + kRepeatMin;
            TRY(back == 0 ? id() : repeat(back, bytes));
        }
        if (text_.size() != size_) {
            return damaged();
        }
        return std::move(text_);
    }

private:
    Result<std::uint8_t> next() {
        if (rest_.empty()) {
            return damaged();
        }
        const std::uint8_t byte = rest_.front();
        rest_ = rest_.subspan(1);
        return byte;
    }

    Result<std::size_t> count(std::size_t nibble) {
        std::size_t all = nibble;
        while (nibble == kNibbleFull) {
            const std::uint8_t more = TRY(next());
            all += more;
            if (all > size_) {
                return damaged();
            }
            if (more != 0xFF) {
                break;
            }
        }
        return all;
    }

    Result<void> id() {
        if (rest_.size() < kIdDigits / 2 || size_ - text_.size() < kIdDigits) {
            return damaged();
        }
        text_ += to_hex(rest_.first(kIdDigits / 2));
        rest_ = rest_.subspan(kIdDigits / 2);
        return {};
    }

    Result<void> repeat(std::size_t back, std::size_t bytes) {
        const std::size_t end = kDictionary.size() + text_.size();
        if (back > end || bytes > size_ - text_.size()) {
            return damaged();
        }
        std::size_t from = end - back;
        if (from < kDictionary.size()) {
            const std::string_view piece = kDictionary.substr(from, bytes);
            text_ += piece;
            from += piece.size();
            bytes -= piece.size();
        }
        // What is repeated may be what this writes.
        for (; bytes > 0; --bytes) {
            text_ += text_[from++ - kDictionary.size()];
        }
        return {};
    }

    Bytes rest_;
    std::size_t size_;
    std::string text_;
};

}  // namespace

Buffer pack_facts(std::string_view text) {
    COLOPHON_ASSERT(text.size() <= kFactsTextMax);
    Packing packing(text.size());
    Repeats repeats(text);
    std::size_t plain_from = 0;
    std::size_t at = 0;
    const std::size_t end = std::min(text.size(), kBackMax);
    while (at + kRepeatMin <= end) {
        if (is_id(text, at)) {
            packing.id(text.substr(plain_from, at - plain_from), text.substr(at, kIdDigits));
            at += kIdDigits;
            plain_from = at;
            continue;
        }
        const Repeat repeat = repeats.at(at);
        if (repeat.bytes == 0) {
            // Random digits repeat nothing: the longer none was found, the fewer places are tried.
            at += 1 + (at - plain_from) / 16;
            continue;
        }
        packing.sequence(text.substr(plain_from, at - plain_from), repeat);
        at += repeat.bytes;
        plain_from = at;
    }
    if (plain_from < text.size()) {
        packing.sequence(text.substr(plain_from), {});
    }
    return packing.take();
}

Result<std::string> unpack_facts(Bytes packed) {
    if (packed.size() < kHeadBytes) {
        return damaged();
    }
    if (packed.front() != kVersion) {
        return Error{ErrorCode::kUnsupported,
                     "the facts of a record were written by a later version of Colophon"};
    }
    const std::size_t size = load_be32(packed.subspan(1));
    if (size > kFactsTextMax) {
        return damaged();
    }
    return Unpacking(packed.subspan(kHeadBytes), size).run();
}

std::string_view facts_dictionary() noexcept {
    return kDictionary;
}

Result<std::string> facts_text_at(const storage::Rows& rows, std::size_t row, std::size_t column) {
    if (rows.is_null(row, column + 1)) {
        const std::string_view text = TRY(rows.text(row, column));
        return std::string(text);
    }
    const Bytes packed = TRY(rows.bytes(row, column + 1));
    return unpack_facts(packed);
}

}  // namespace colophon::ledger::internal
