// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/text_wrapper.h"

#include "core/bytes.h"
#include "core/nfc.h"
#include "core/utf8.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr char32_t kMark = 0xFEFF;
constexpr char32_t kLow = 0xFE00;
constexpr char32_t kHigh = 0xE0100;
constexpr unsigned kLowCount = 16;
constexpr std::string_view kMagic("C2PATXT\0", 8);
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeadBytes = 13;  // magic, version, length
constexpr std::size_t kWrappersMax = 64;
constexpr std::uint64_t kMarkBytes = 3;

void append_selector(std::string& out, std::uint8_t byte) {
    append_utf8(out, byte < kLowCount ? kLow + byte : kHigh + (byte - kLowCount));
}

std::optional<std::uint8_t> byte_of(char32_t selector) noexcept {
    if (selector >= kLow && selector < kLow + kLowCount) {
        return static_cast<std::uint8_t>(selector - kLow);
    }
    if (selector >= kHigh && selector < kHigh + (256 - kLowCount)) {
        return static_cast<std::uint8_t>(selector - kHigh + kLowCount);
    }
    return std::nullopt;
}

std::string beginning() {
    std::string text;
    append_utf8(text, kMark);
    for (const char c : kMagic) {
        append_selector(text, static_cast<std::uint8_t>(c));
    }
    return text;
}

Buffer head_of(std::uint64_t size) {
    Buffer head = to_buffer(kMagic);
    head.push_back(kVersion);
    append_be32(head, static_cast<std::uint32_t>(size));
    return head;
}

// All selectors that follow on each other: more or fewer than the length says is a broken wrapper.
TextWrapper read_wrapper(std::string_view text, std::size_t begin) {
    TextWrapper wrapper;
    Buffer bytes;
    std::size_t at = begin + kMarkBytes;
    for (std::size_t next = at;; at = next) {
        const auto code = next_code_point(text, next);
        const auto byte = code ? byte_of(*code) : std::nullopt;
        if (!byte) {
            break;
        }
        bytes.push_back(*byte);
    }
    wrapper.range = {.offset = begin, .size = at - begin};
    if (bytes.size() < kHeadBytes || bytes[kMagic.size()] != kVersion) {
        wrapper.problem = "the manifest in the text is cut off, or of a version that is not known";
    } else if (load_be32(Bytes(bytes).subspan(kMagic.size() + 1)) != bytes.size() - kHeadBytes) {
        wrapper.problem = "the manifest in the text is longer or shorter than it says";
    } else {
        wrapper.store = to_buffer(Bytes(bytes).subspan(kHeadBytes));
    }
    return wrapper;
}

// The one range that the assertion leaves out; nothing when there is another number.
std::optional<ByteRange> exclusion_of(const cbor::Value& assertion) {
    const cbor::Array* list = assertion.array("exclusions");
    if (list == nullptr || list->size() != 1) {
        return std::nullopt;
    }
    const std::uint64_t* start = list->front().number("start");
    const std::uint64_t* length = list->front().number("length");
    return start == nullptr || length == nullptr
               ? std::nullopt
               : std::optional(ByteRange{.offset = *start, .size = *length});
}

}  // namespace

std::vector<TextWrapper> find_text_wrappers(std::string_view text) {
    static const std::string kBeginning = beginning();
    std::vector<TextWrapper> found;
    for (std::size_t at = text.find(kBeginning);
         at != std::string_view::npos && found.size() < kWrappersMax;) {
        found.push_back(read_wrapper(text, at));
        at = text.find(kBeginning, static_cast<std::size_t>(found.back().range.end()));
    }
    return found;
}

std::string write_text_wrapper(Bytes store) {
    std::string text;
    text.reserve(static_cast<std::size_t>(text_wrapper_bytes(store)));
    append_utf8(text, kMark);
    for (const std::uint8_t byte : head_of(store.size())) {
        append_selector(text, byte);
    }
    for (const std::uint8_t byte : store) {
        append_selector(text, byte);
    }
    return text;
}

std::uint64_t text_wrapper_bytes(Bytes store) noexcept {
    const auto selectors = [](Bytes bytes) {
        const auto high = std::ranges::count_if(bytes, [](auto b) { return b >= kLowCount; });
        return 3 * std::uint64_t{bytes.size()} + static_cast<std::uint64_t>(high);
    };
    return kMarkBytes + selectors(head_of(store.size())) + selectors(store);
}

void check_text_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                     Report& report) {
    const auto algorithm = algorithm_of(assertion.value->text("alg"), claim, assertion.uri, report);
    if (!algorithm) {
        return;
    }
    if (!content.store_problem.empty()) {
        report.fail(content.problem_code.empty() ? "assertion.dataHash.mismatch"
                                                 : std::string_view(content.problem_code),
                    assertion.uri, content.store_problem);
        return;
    }
    const ByteRange& wrapper = content.store_ranges.front();
    const Buffer before = content.view.read({.offset = 0, .size = wrapper.offset});
    const Buffer after =
        content.view.read({.offset = wrapper.end(), .size = content.view.size() - wrapper.end()});
    std::string text(as_text(before));
    const auto start = to_nfc(text);
    text += as_text(after);
    const auto normal = to_nfc(text);
    if (!start.ok() || !normal.ok()) {
        report.fail("assertion.dataHash.mismatch", assertion.uri,
                    start.ok() ? normal.error().what : start.error().what);
        return;
    }
    const ByteRange expected{.offset = start->size(), .size = wrapper.size};
    if (exclusion_of(*assertion.value) != expected) {
        report.fail("assertion.dataHash.malformed", assertion.uri,
                    "the range that is left out is not that of the manifest");
        return;
    }
    const Buffer* wanted = assertion.value->bytes("hash");
    if (wanted == nullptr || hash(*algorithm, as_bytes(*normal)) != *wanted) {
        report.fail("assertion.dataHash.mismatch", assertion.uri,
                    "the file was changed after it was signed");
        return;
    }
    report.success("assertion.dataHash.match", assertion.uri);
}

}  // namespace colophon::label::provenance::internal
