// SPDX-License-Identifier: Apache-2.0
#include "ledger/record.h"

#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/json_writer.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {

namespace {

template <class Enum>
using Name = std::pair<Enum, std::string_view>;

constexpr std::size_t kUsualBytes = 1024;  // of what is written of one record

constexpr std::array kKindNames{
    Name<RecordKind>{RecordKind::kCall, "call"},
    Name<RecordKind>{RecordKind::kUnlabelledRelease, "unlabelled_release"},
    Name<RecordKind>{RecordKind::kVerification, "verification"},
    Name<RecordKind>{RecordKind::kAdministration, "administration"},
    Name<RecordKind>{RecordKind::kErasure, "erasure"},
    Name<RecordKind>{RecordKind::kPurge, "purge"},
};
constexpr std::array kOutcomeNames{
    Name<Outcome>{Outcome::kAnswered, "answered"},
    Name<Outcome>{Outcome::kRefused, "refused"},
    Name<Outcome>{Outcome::kFailed, "failed"},
    Name<Outcome>{Outcome::kCutOff, "cut_off"},
};

template <class Table, class Enum>
std::string_view name_of(const Table& table, Enum value) noexcept {
    for (const auto& [entry, name] : table) {
        if (entry == value) {
            return name;
        }
    }
    return "unknown";
}

template <class Enum, class Table>
std::optional<Enum> value_of(const Table& table, std::string_view text) noexcept {
    for (const auto& [entry, name] : table) {
        if (name == text) {
            return entry;
        }
    }
    return std::nullopt;
}

void put(json::Writer& object, std::string_view name, std::string_view text) {
    if (!text.empty()) {
        object.name(name);
        object.text(text);
    }
}

void put(json::Writer& object, std::string_view name, std::int64_t number) {
    if (number != 0) {
        object.name(name);
        object.number(number);
    }
}

void put(json::Writer& object, std::string_view name, const std::optional<std::int64_t>& number) {
    if (number) {
        object.name(name);
        object.number(*number);
    }
}

Error bad_member(std::string_view name) {
    return Error{ErrorCode::kCorrupt, fmt::format("a stored record is damaged: member {}", name)};
}

Result<std::string> text_member(const json::Value& object, std::string_view name) {
    const json::Value* value = object.find(name);
    if (value == nullptr) {
        return std::string();
    }
    if (const std::string* text = value->if_string()) {
        return *text;
    }
    return bad_member(name);
}

Result<std::optional<std::int64_t>> number_member(const json::Value& object,
                                                  std::string_view name) {
    const json::Value* value = object.find(name);
    if (value == nullptr) {
        return std::optional<std::int64_t>();
    }
    auto number = value->as_int();
    if (!number.ok()) {
        return bad_member(name);
    }
    return std::optional<std::int64_t>(*number);
}

// The elements of an array member; none when it is absent.
Result<const json::Array*> array_member(const json::Value& object, std::string_view name) {
    static const json::Array kNone;
    const json::Value* value = object.find(name);
    if (value == nullptr) {
        return &kNone;
    }
    const json::Array* array = value->if_array();
    if (array == nullptr) {
        return bad_member(name);
    }
    return array;
}

void write_verdicts(json::Writer& object, const std::vector<Verdict>& verdicts) {
    object.name("verdicts");
    object.begin_array();
    for (const Verdict& verdict : verdicts) {
        object.begin_object();
        put(object, "stage", verdict.stage);
        put(object, "decision", verdict.decision);
        put(object, "category", verdict.category);
        put(object, "rule", verdict.rule);
        object.end_object();
    }
    object.end_array();
}

Result<std::vector<Verdict>> read_verdicts(const json::Value& object) {
    std::vector<Verdict> verdicts;
    for (const json::Value& element : *TRY(array_member(object, "verdicts"))) {
        Verdict verdict;
        verdict.stage = TRY(text_member(element, "stage"));
        verdict.decision = TRY(text_member(element, "decision"));
        verdict.category = TRY(text_member(element, "category"));
        verdict.rule = TRY(text_member(element, "rule"));
        verdicts.push_back(std::move(verdict));
    }
    return verdicts;
}

void write_files(json::Writer& object, const std::vector<FilePrint>& files) {
    object.name("files");
    object.begin_array();
    for (const FilePrint& file : files) {
        object.begin_object();
        put(object, "stage", file.stage);
        put(object, "kind", file.kind);
        put(object, "labelled", std::int64_t{file.labelled ? 1 : 0});
        put(object, "print", file.print);
        put(object, "sound", file.sound);
        put(object, "lacks", file.lacks);
        object.end_object();
    }
    object.end_array();
}

Result<std::vector<FilePrint>> read_files(const json::Value& object) {
    std::vector<FilePrint> files;
    for (const json::Value& element : *TRY(array_member(object, "files"))) {
        FilePrint file;
        file.stage = TRY(text_member(element, "stage"));
        file.kind = TRY(text_member(element, "kind"));
        file.labelled = TRY(number_member(element, "labelled")).value_or(0) != 0;
        file.print = TRY(text_member(element, "print"));
        file.sound = TRY(text_member(element, "sound"));
        file.lacks = TRY(text_member(element, "lacks"));
        files.push_back(std::move(file));
    }
    return files;
}

Result<json::Value> parse_stored(std::string_view text) {
    // Twice the text that a record may hold, since JSON writes some characters as six.
    auto value = json::parse(text, {.bytes_max = 16 * kRecordTextBytesMax});
    if (!value.ok() || value->if_object() == nullptr) {
        return Error{ErrorCode::kCorrupt, "a stored record is damaged: it is no JSON object"};
    }
    return value;
}

template <class Id>
Result<std::optional<Id>> id_member(const json::Value& object, std::string_view name) {
    const std::string text = TRY(text_member(object, name));
    if (text.empty()) {
        return std::optional<Id>();
    }
    auto id = parse_random_id<Id>(text);
    if (!id.ok()) {
        return bad_member(name);
    }
    return std::optional<Id>(*id);
}

template <class Id>
Result<Id> needed_id_member(const json::Value& object, std::string_view name) {
    const std::optional<Id> id = TRY(id_member<Id>(object, name));
    if (!id) {
        return bad_member(name);
    }
    return *id;
}

Result<void> read_named_facts(const json::Value& object, Facts& facts) {
    const auto kind = parse_record_kind(TRY(text_member(object, "kind")));
    if (!kind) {
        return bad_member("kind");
    }
    facts.kind = *kind;
    const auto outcome = parse_outcome(TRY(text_member(object, "outcome")));
    if (!outcome) {
        return bad_member("outcome");
    }
    facts.outcome = *outcome;
    auto at = parse_time(TRY(text_member(object, "time")));
    if (!at.ok()) {
        return bad_member("time");
    }
    facts.at = *at;
    const std::string content_id = TRY(text_member(object, "content_id"));
    if (!content_id.empty()) {
        auto id = parse_content_id(content_id);
        if (!id.ok()) {
            return bad_member("content_id");
        }
        facts.content_id = *id;
    }
    return {};
}

Result<void> check_text(std::string_view name, std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return Error{ErrorCode::kLimit, fmt::format("{} of a record has {} bytes, more than {}",
                                                    name, text.size(), bytes_max)};
    }
    if (find_invalid_utf8(text) || text.find('\0') != std::string_view::npos) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("{} of a record is not UTF-8 without NUL", name)};
    }
    return {};
}

Result<void> check_files(const std::vector<FilePrint>& files) {
    if (files.size() > kRecordFilesMax) {
        return Error{ErrorCode::kLimit, "a record has too many files"};
    }
    std::size_t print_bytes = 0;
    for (const FilePrint& file : files) {
        print_bytes += file.print.size() + file.sound.size();
        for (const std::string* text : {&file.stage, &file.kind, &file.lacks}) {
            TRY(check_text("a file", *text, kRecordNameBytesMax));
        }
        for (const std::string* text : {&file.print, &file.sound}) {
            TRY(check_text("the print of a file", *text, kRecordPrintBytesMax));
        }
    }
    if (print_bytes > kRecordPrintBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("the prints of a record have {} bytes, more "
                                                    "than {}",
                                                    print_bytes, kRecordPrintBytesMax)};
    }
    return {};
}

}  // namespace

std::string write_facts(const Facts& facts) {
    std::string text;
    text.reserve(kUsualBytes);
    json::Writer object(text);
    object.begin_object();
    put(object, "id", to_string(facts.id));
    put(object, "kind", record_kind_name(facts.kind));
    put(object, "time", format_time(facts.at));
    put(object, "tenant", to_string(facts.tenant));
    if (facts.subject) {
        put(object, "subject", to_string(*facts.subject));
    }
    put(object, "operation", facts.operation);
    put(object, "model", facts.model);
    put(object, "model_version", facts.model_version);
    if (facts.content_id) {
        put(object, "content_id", to_string(*facts.content_id));
    }
    put(object, "outcome", outcome_name(facts.outcome));
    put(object, "outcome_code", facts.outcome_code);
    put(object, "label", facts.label);
    if (!facts.verdicts.empty()) {
        write_verdicts(object, facts.verdicts);
    }
    put(object, "total_ms", facts.durations.total_ms);
    put(object, "review_ms", facts.durations.review_ms);
    put(object, "upstream_ms", facts.durations.upstream_ms);
    put(object, "label_ms", facts.durations.label_ms);
    put(object, "input_tokens", facts.input_tokens);
    put(object, "output_tokens", facts.output_tokens);
    put(object, "policy_version", facts.policy_version);
    put(object, "detail", facts.detail);
    object.end_object();
    return text;
}

Result<Facts> read_facts(std::string_view text) {
    const json::Value object = TRY(parse_stored(text));
    Facts facts;
    facts.id = TRY(needed_id_member<RecordId>(object, "id"));
    facts.tenant = TRY(needed_id_member<TenantId>(object, "tenant"));
    facts.subject = TRY(id_member<SubjectId>(object, "subject"));
    TRY(read_named_facts(object, facts));
    facts.operation = TRY(text_member(object, "operation"));
    facts.model = TRY(text_member(object, "model"));
    facts.model_version = TRY(text_member(object, "model_version"));
    facts.outcome_code = TRY(text_member(object, "outcome_code"));
    facts.label = TRY(text_member(object, "label"));
    facts.verdicts = TRY(read_verdicts(object));
    facts.durations.total_ms = TRY(number_member(object, "total_ms"));
    facts.durations.review_ms = TRY(number_member(object, "review_ms"));
    facts.durations.upstream_ms = TRY(number_member(object, "upstream_ms"));
    facts.durations.label_ms = TRY(number_member(object, "label_ms"));
    facts.input_tokens = TRY(number_member(object, "input_tokens")).value_or(0);
    facts.output_tokens = TRY(number_member(object, "output_tokens")).value_or(0);
    facts.policy_version = TRY(text_member(object, "policy_version"));
    facts.detail = TRY(text_member(object, "detail"));
    return facts;
}

std::string write_private(const Private& personal) {
    std::string text;
    text.reserve(kUsualBytes + personal.input.size() + personal.output.size());
    json::Writer object(text);
    object.begin_object();
    put(object, "account", personal.account);
    put(object, "source_address", personal.source_address);
    put(object, "source_port", personal.source_port);
    put(object, "target_address", personal.target_address);
    put(object, "client", personal.client);
    put(object, "input", personal.input);
    put(object, "output", personal.output);
    if (!personal.contents.empty()) {
        object.name("contents");
        object.begin_array();
        for (const StoredContent& content : personal.contents) {
            object.begin_object();
            put(object, "role", content.role);
            put(object, "blob", content.blob);
            put(object, "media_type", content.media_type);
            put(object, "bytes", content.bytes);
            object.end_object();
        }
        object.end_array();
    }
    if (!personal.files.empty()) {
        write_files(object, personal.files);
    }
    object.end_object();
    return text;
}

Result<Private> read_private(std::string_view text) {
    const json::Value object = TRY(parse_stored(text));
    Private personal;
    personal.account = TRY(text_member(object, "account"));
    personal.source_address = TRY(text_member(object, "source_address"));
    personal.source_port = TRY(number_member(object, "source_port")).value_or(0);
    personal.target_address = TRY(text_member(object, "target_address"));
    personal.client = TRY(text_member(object, "client"));
    personal.input = TRY(text_member(object, "input"));
    personal.output = TRY(text_member(object, "output"));
    for (const json::Value& element : *TRY(array_member(object, "contents"))) {
        StoredContent content;
        content.role = TRY(text_member(element, "role"));
        content.blob = TRY(text_member(element, "blob"));
        content.media_type = TRY(text_member(element, "media_type"));
        content.bytes = TRY(number_member(element, "bytes")).value_or(0);
        personal.contents.push_back(std::move(content));
    }
    personal.files = TRY(read_files(object));
    return personal;
}

Result<void> check_record(const ServiceRecord& record) {
    const Facts& facts = record.facts;
    const Private& personal = record.personal;
    using Row = std::pair<std::string_view, std::string_view>;
    for (const auto& [name, text] :
         {Row{"operation", facts.operation}, Row{"model", facts.model},
          Row{"model version", facts.model_version}, Row{"outcome code", facts.outcome_code},
          Row{"policy version", facts.policy_version}, Row{"account", personal.account},
          Row{"source address", personal.source_address},
          Row{"target address", personal.target_address}, Row{"client", personal.client}}) {
        TRY(check_text(name, text, kRecordNameBytesMax));
    }
    TRY(check_text("label", facts.label, limits::kLabelBytesMax));
    TRY(check_text("detail", facts.detail, kRecordTextBytesMax));
    TRY(check_text("input", personal.input, kRecordTextBytesMax));
    TRY(check_text("output", personal.output, kRecordTextBytesMax));
    if (facts.verdicts.size() > kRecordVerdictsMax ||
        personal.contents.size() > kRecordContentsMax ||
        record.content_digests.size() > 2 * kRecordContentsMax) {
        return Error{ErrorCode::kLimit, "a record has too many verdicts or contents"};
    }
    for (const Verdict& verdict : facts.verdicts) {
        for (const std::string* text :
             {&verdict.stage, &verdict.decision, &verdict.category, &verdict.rule}) {
            TRY(check_text("a verdict", *text, kRecordNameBytesMax));
        }
    }
    for (const StoredContent& content : personal.contents) {
        for (const std::string* text : {&content.role, &content.blob, &content.media_type}) {
            TRY(check_text("a stored content", *text, kRecordNameBytesMax));
        }
    }
    return check_files(personal.files);
}

std::string_view record_kind_name(RecordKind kind) noexcept {
    return name_of(kKindNames, kind);
}
std::string_view outcome_name(Outcome outcome) noexcept {
    return name_of(kOutcomeNames, outcome);
}
std::optional<RecordKind> parse_record_kind(std::string_view text) noexcept {
    return value_of<RecordKind>(kKindNames, text);
}
std::optional<Outcome> parse_outcome(std::string_view text) noexcept {
    return value_of<Outcome>(kOutcomeNames, text);
}

}  // namespace colophon::ledger
