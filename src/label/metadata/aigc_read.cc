// SPDX-License-Identifier: Apache-2.0
// The tolerant reader of the AIGC object. It works from the outside in: take off what a container
// left around the text, find the object, tell the schema, collect the fields. What it corrects it
// reports; what it cannot place it never guesses.

#include "core/bytes.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"
#include "label/metadata/internal/aigc_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

using internal::kAigcFields;
using internal::shorten;

// How many unknown or repeated keys are reported one by one; a hostile file has a million.
constexpr std::size_t kKeyFindingsMax = 16;
// How far into the text an object may begin: the charset words of EXIF and its editors are shorter.
constexpr std::size_t kPrefixBytesMax = 64;

// Keys are compared without case and without the separators of snake_case and kebab-case.
std::string fold(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c != '_' && c != '-') {
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return out;
}

bool is_padding(char c) noexcept {
    return c == '\0' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view strip(std::string_view text) noexcept {
    while (!text.empty() && is_padding(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_padding(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// The object that starts at text[0], by its braces; all of the text when they do not balance, so
// that the parser names the fault.
std::string_view first_object(std::string_view text) noexcept {
    std::size_t depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\' ? 1U : 0U;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return text.substr(0, i + 1);
        }
    }
    return text;
}

int base64_digit(char c) noexcept {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char plain = c == '-' ? '+' : c == '_' ? '/' : c;
    const std::size_t at = kDigits.find(plain);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Base64 of RFC 4648 in either alphabet, padding optional. Nothing when it is something else.
std::optional<std::string> decode_base64(std::string_view text) {
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    std::string out;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const int digit = base64_digit(c);
        if (digit < 0) {
            return std::nullopt;
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>((bits >> count) & 0xFFU);
        }
    }
    return out;
}

// The text of the object inside what a container handed over, and how it was dressed.
struct Dressed {
    std::string object;
    Findings findings;
};

void note_prefix(Dressed& dressed, std::string_view prefix) {
    std::string_view word = strip(prefix);
    while (!word.empty() && (word.back() == ':' || word.back() == '=' || is_padding(word.back()))) {
        word.remove_suffix(1);
    }
    std::string folded = fold(word);
    const auto quotes = std::ranges::remove(folded, '"');
    folded.erase(quotes.begin(), quotes.end());
    if (folded.ends_with("aigc")) {
        // Variant 6 of the wild.
        note(dressed.findings, "metadata.bare_blob",
             "the label stands as a blob AIGC{...} instead of a keyed value");
    } else if (!word.empty()) {
        note(dressed.findings, "metadata.framing",
             fmt::format("{} bytes before the label were skipped: {}", prefix.size(),
                         shorten(word)));
    }
}

// A value that is not JSON yet: Base64, or a JSON string with the object inside. One layer only.
std::optional<std::string> undress(std::string_view text, Findings& findings) {
    if (text.starts_with('"')) {
        const auto value = json::parse(text);
        const std::string* inner = value.ok() ? value->if_string() : nullptr;
        if (inner != nullptr && strip(*inner).starts_with('{')) {
            warn(findings, "metadata.json_string", "the label is a JSON string inside a string");
            return *inner;
        }
        return std::nullopt;
    }
    auto decoded = decode_base64(text);
    if (decoded && strip(*decoded).starts_with('{')) {
        warn(findings, "metadata.base64", "the label is Base64; the standard wants the JSON text");
        return decoded;
    }
    return std::nullopt;
}

Result<Dressed> find_object(std::string_view text) {
    Dressed dressed;
    std::string_view rest = strip(text);
    std::string held;
    if (rest.starts_with("\xEF\xBB\xBF")) {
        rest.remove_prefix(3);
        note(dressed.findings, "metadata.framing", "a byte order mark stands before the label");
    }
    if (!rest.starts_with('{')) {
        if (auto inner = undress(rest, dressed.findings)) {
            held = std::move(*inner);
            rest = strip(held);
        }
    }
    const std::size_t open = rest.find('{');
    if (open == std::string_view::npos || open > kPrefixBytesMax) {
        return corrupt_at("no JSON object in the label", 0);
    }
    note_prefix(dressed, rest.substr(0, open));
    rest.remove_prefix(open);
    const std::string_view object = first_object(rest);
    const std::string_view tail = strip(rest.substr(object.size()));
    if (!tail.empty()) {
        warn(dressed.findings, "metadata.framing",
             fmt::format("{} bytes behind the label were skipped", tail.size()));
    }
    dressed.object = object;
    return dressed;
}

// The value of a field as text. Numbers and nested objects are what some writers put there.
std::string field_text(const internal::AigcField& field, const json::Value& value,
                       Findings& findings) {
    if (const std::string* text = value.if_string()) {
        return *text;
    }
    const bool nested = value.if_object() != nullptr || value.if_array() != nullptr;
    const bool reserved = field.name.starts_with("Reserved");
    if (nested && reserved) {
        warn(findings, "metadata.reserved_object",
             fmt::format("{} is nested JSON; the standard wants it as a string", field.name));
    } else if (value.is_number() && field.name == "Label") {
        warn(findings, "metadata.label_number", "Label is a number; the standard wants a string");
    } else {
        warn(findings, "metadata.not_string", fmt::format("{} is not a string", field.name));
    }
    return value.is_null() ? std::string() : json::write(value);
}

// Collects the fields of one object, in whatever order and spelling they come.
class FieldCollector {
public:
    explicit FieldCollector(AigcReading& reading) : reading_(reading) {}

    void take(const json::Object& object) {
        for (const json::Member& member : object) {
            take_member(member);
        }
        if (unknown_ > kKeyFindingsMax) {
            warn(reading_.findings, "metadata.unknown_field",
                 fmt::format("{} further keys are no fields of the standard",
                             unknown_ - kKeyFindingsMax));
        }
        report_missing();
    }

    bool any() const noexcept {
        return std::ranges::any_of(seen_, [](std::size_t count) { return count > 0; });
    }

private:
    void take_member(const json::Member& member) {
        for (std::size_t i = 0; i < kAigcFields.size(); ++i) {
            if (member.first == kAigcFields[i].name || fold(member.first) == folded_[i]) {
                take_field(i, member);
                return;
            }
        }
        if (++unknown_ <= kKeyFindingsMax) {
            warn(reading_.findings, "metadata.unknown_field",
                 fmt::format("the key \"{}\" is no field of the standard", shorten(member.first)));
        }
    }

    void take_field(std::size_t index, const json::Member& member) {
        const internal::AigcField& field = kAigcFields[index];
        std::string& slot = reading_.label.*field.member;
        Findings findings;
        if (member.first != field.name) {
            warn(findings, "metadata.field_case",
                 fmt::format("the key \"{}\" should be \"{}\"", shorten(member.first), field.name));
        }
        std::string text = field_text(field, member.second, findings);
        if (++seen_[index] > kKeyFindingsMax) {
            slot = std::move(text);
            return;
        }
        std::ranges::move(findings, std::back_inserter(reading_.findings));
        if (seen_[index] > 1) {
            // Parsers disagree which of two wins (most take the last, as here), so two different
            // values mean that two readers see two labels.
            const bool same = slot == text;
            reading_.findings.push_back({"metadata.duplicate_field",
                                         same ? FindingLevel::kWarning : FindingLevel::kError,
                                         fmt::format("the key {} stands there twice{}", field.name,
                                                     same ? "" : ", with different values")});
        } else if (index < last_) {
            unordered_ = true;
        }
        last_ = std::max(last_, index);
        slot = std::move(text);
    }

    void report_missing() {
        if (!any()) {
            return;
        }
        for (std::size_t i = 0; i < kAigcFields.size(); ++i) {
            if (seen_[i] == 0) {
                warn(reading_.findings, "metadata.missing_field",
                     fmt::format("the field {} is missing", kAigcFields[i].name));
            }
        }
        if (unordered_) {
            note(reading_.findings, "metadata.field_order",
                 "the fields are not in the order of the standard");
        }
    }

    static std::array<std::string, kAigcFields.size()> fold_names() {
        std::array<std::string, kAigcFields.size()> names;
        std::ranges::transform(kAigcFields, names.begin(),
                               [](const internal::AigcField& field) { return fold(field.name); });
        return names;
    }

    AigcReading& reading_;
    std::array<std::string, kAigcFields.size()> folded_ = fold_names();
    std::array<std::size_t, kAigcFields.size()> seen_{};
    std::size_t unknown_ = 0;
    std::size_t last_ = 0;
    bool unordered_ = false;
};

const json::Value* find_folded(const json::Object& object, std::string_view folded) {
    const auto row = std::ranges::find_if(
        object, [&](const json::Member& member) { return fold(member.first) == folded; });
    return row == object.end() ? nullptr : &row->second;
}

std::string scalar_text(const json::Value* value) {
    if (value == nullptr || value->is_null()) {
        return {};
    }
    const std::string* text = value->if_string();
    return text != nullptr ? *text : json::write(*value);
}

// Variant 5: what Tencent Cloud puts into ImageDescription. The statement that a service made it is
// there, and so is the number; the user and the time have no field in the standard.
bool read_tencent_cloud(const json::Object& object, AigcReading& reading) {
    const json::Value* provider = find_folded(object, "serviceprovider");
    const json::Value* content = find_folded(object, "contentid");
    if (provider == nullptr ||
        (content == nullptr && find_folded(object, "serviceuser") == nullptr)) {
        return false;
    }
    reading.schema = AigcSchema::kTencentCloud;
    reading.label.label = "1";
    reading.label.content_producer = scalar_text(provider);
    reading.label.produce_id = scalar_text(content);
    warn(reading.findings, "metadata.foreign_schema",
         fmt::format("the schema of Tencent Cloud (ServiceProvider, ServiceUser, Time, ContentId), "
                     "not that of the standard; time \"{}\"",
                     shorten(scalar_text(find_folded(object, "time")))));
    return true;
}

// Variant 17: a disclosure whose two values ByteDance does not document. A disclosure is what its
// publisher says, so it is read as "may be".
bool read_bytedance(const json::Object& object, AigcReading& reading) {
    const json::Value* type = find_folded(object, "aigclabeltype");
    const std::string value = scalar_text(type);
    if (value != "1" && value != "2") {
        return false;
    }
    reading.schema = AigcSchema::kByteDance;
    reading.label.label = "2";
    warn(reading.findings, "metadata.foreign_schema",
         fmt::format("aigc_label_type {} of ByteDance: a disclosure, not a label of the standard",
                     value));
    return true;
}

// The object inside {"AIGC": ...}, whose value may again be a string of JSON.
Result<json::Value> unwrap(json::Value outer, AigcReading& reading) {
    json::Object* members = outer.if_object();
    if (members == nullptr) {
        return corrupt_at("the label is no JSON object", 0);
    }
    json::Value* found = nullptr;
    std::size_t others = 0;
    bool repeated = false;
    bool differs = false;
    for (json::Member& member : *members) {
        if (fold(member.first) != "aigc") {
            ++others;
        } else if (found == nullptr) {
            found = &member.second;
        } else {
            repeated = true;
            differs = differs || json::write(member.second) != json::write(*found);
        }
    }
    if (found == nullptr) {
        return outer;
    }
    json::Value inner = std::move(*found);
    if (const std::string* text = inner.if_string()) {
        inner = TRY(json::parse(strip(*text)));
        warn(reading.findings, "metadata.json_string", "the AIGC object is a string of JSON");
    }
    if (inner.if_object() == nullptr) {
        return corrupt_at("AIGC is no JSON object", 0);
    }
    reading.wrapped = true;
    if (others > 0) {
        warn(reading.findings, "metadata.unknown_field",
             fmt::format("{} further keys stand beside AIGC", others));
    }
    if (repeated) {
        reading.findings.push_back({"metadata.duplicate_field",
                                    differs ? FindingLevel::kError : FindingLevel::kWarning,
                                    "the key AIGC stands there twice"});
    }
    return inner;
}

}  // namespace

std::string internal::shorten(std::string_view text) {
    constexpr std::size_t kCharsMax = 40;
    std::string out;
    std::size_t at = 0;
    for (std::size_t count = 0; at < text.size(); ++count) {
        if (count == kCharsMax) {
            return out + "...";
        }
        const auto c = next_code_point(text, at);
        at += c ? 0U : 1U;
        append_utf8(out, c.value_or(0xFFFD) < 0x20 || c == 0x7F ? U'?' : c.value_or(0xFFFD));
    }
    return out;
}

Result<AigcReading> read_aigc(std::string_view text) {
    if (text.size() > limits::kLabelBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a label of {} bytes; at most {} are read",
                                                    text.size(), limits::kLabelBytesMax)};
    }
    AigcReading reading;
    Dressed dressed = TRY(find_object(text));
    reading.findings = std::move(dressed.findings);
    json::Value outer = TRY(json::parse(dressed.object));
    const json::Value value = TRY(unwrap(std::move(outer), reading));
    const json::Object& object = *value.if_object();
    AigcReading standard = reading;
    FieldCollector fields(standard);
    fields.take(object);
    if (fields.any()) {
        return standard;
    }
    if (read_tencent_cloud(object, reading) || read_bytedance(object, reading)) {
        return reading;
    }
    return corrupt_at("the JSON object has none of the fields of a label", 0);
}

}  // namespace colophon::label
