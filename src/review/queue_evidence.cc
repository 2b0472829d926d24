// SPDX-License-Identifier: Apache-2.0
// Evidence as bytes: the length of a head, the head as JSON, the parts one after the other; and its
// end.
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "review/internal/queue_rows.h"
#include "review/queue.h"
#include "storage/row_values.h"
#include "storage/store.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::review {
namespace {

constexpr std::size_t kLengthBytes = 4;

// Of what one transaction removes: each may have kEvidenceInRowBytesMax.
constexpr storage::Statement kOutlived{
    "SELECT i.id FROM review_items i WHERE (i.content IS NOT NULL OR i.blob IS NOT NULL)"
    " AND (i.state >= 4 OR i.expires_at <= $1)"
    " AND NOT EXISTS (SELECT 1 FROM records r WHERE r.id = i.record) ORDER BY i.id LIMIT 200"};
constexpr storage::Statement kReleaseBlob{
    "INSERT INTO review_blob_releases (item, due_at) SELECT id, 0 FROM review_items"
    " WHERE id = $1 AND blob IS NOT NULL AND (state >= 4 OR expires_at <= $2)"
    " ON CONFLICT DO NOTHING"};
constexpr storage::Statement kForget{
    "UPDATE review_items SET content = NULL, print = NULL, blob = NULL WHERE id = $1 AND (state >= "
    "4 OR expires_at <= $2)"};
constexpr storage::Statement kReleaseOfSubject{
    "INSERT INTO review_blob_releases (item, due_at) SELECT id, 0 FROM review_items"
    " WHERE subject = $1 AND blob IS NOT NULL ON CONFLICT DO NOTHING"};
constexpr storage::Statement kForgetSubject{
    "UPDATE review_items SET content = NULL, print = NULL, blob = NULL WHERE subject = $1"};
constexpr storage::Statement kDue{
    "SELECT item FROM review_blob_releases WHERE due_at <= $1 ORDER BY due_at LIMIT 1000"};
constexpr storage::Statement kReleased{
    "DELETE FROM review_blob_releases WHERE item = $1 AND due_at <= $2"};

Error damaged() {
    return Error{ErrorCode::kCorrupt, "what is kept for an item of the review queue is damaged"};
}

json::Array spans_json(const Evidence& evidence) {
    json::Array spans;
    for (const Span& each : evidence.spans) {
        spans.emplace_back(
            json::Array{each.entry, std::uint64_t{each.begin}, std::uint64_t{each.end}});
    }
    return spans;
}

json::Object answer_json(const WaitingAnswer& answer) {
    json::Array headers;
    for (const auto& [name, value] : answer.headers) {
        headers.emplace_back(json::Array{name, value});
    }
    json::Object object{{"headers", std::move(headers)}, {"label", answer.label}};
    if (answer.content_id) {
        object.emplace_back("content_id", to_string(*answer.content_id));
    }
    return object;
}

Result<std::size_t> size_of(const json::Value& value) {
    return static_cast<std::size_t>(TRY(value.as_uint()));
}

// The list below that name, each of which is a list of so many.
Result<json::Array> tuples(const json::Value& head, std::string_view name, std::size_t count) {
    const json::Value* list = head.find(name);
    if (list == nullptr || list->if_array() == nullptr) {
        return damaged();
    }
    for (const json::Value& each : *list->if_array()) {
        if (each.if_array() == nullptr || each.if_array()->size() != count ||
            each.if_array()->front().if_string() == nullptr) {
            return damaged();
        }
    }
    return *list->if_array();
}

Result<WaitingAnswer> read_answer(const json::Value& head) {
    WaitingAnswer answer;
    answer.label = head.string_or("label", "");
    for (const json::Value& each : TRY(tuples(head, "headers", 2))) {
        const json::Array& pair = *each.if_array();
        if (pair[1].if_string() == nullptr) {
            return damaged();
        }
        answer.headers.emplace_back(*pair[0].if_string(), *pair[1].if_string());
    }
    if (const std::string id = head.string_or("content_id", ""); !id.empty()) {
        answer.content_id = TRY(parse_content_id(id));
    }
    return answer;
}

// The parts by their lengths, which fill all that is there.
Result<std::array<Bytes, 5>> cut(const json::Value& head, Bytes bytes) {
    std::array<Bytes, 5> parts;
    const json::Value* lengths = head.find("lengths");
    if (lengths == nullptr || lengths->if_array() == nullptr ||
        lengths->if_array()->size() != parts.size()) {
        return damaged();
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t size = TRY(size_of((*lengths->if_array())[i]));
        if (size > bytes.size()) {
            return damaged();
        }
        parts[i] = bytes.first(size);
        bytes = bytes.subspan(size);
    }
    if (!bytes.empty()) {
        return damaged();
    }
    return parts;
}

}  // namespace

std::string blob_holder(const ItemId& id) {
    return "review:" + to_string(id);
}

bool has_veil(const Evidence& evidence) noexcept {
    const std::string_view type = evidence.media_type;
    return !shown_file(evidence).empty() &&
           (type.starts_with("image/") || type.starts_with("video/"));
}

Bytes shown_file(const Evidence& evidence) {
    if (!evidence.file.empty() || evidence.media_type.empty() || !evidence.answer) {
        return evidence.file;
    }
    return as_bytes(evidence.answer->body);
}

Buffer write_evidence(const Evidence& evidence) {
    const WaitingAnswer none;
    const WaitingAnswer& answer = evidence.answer ? *evidence.answer : none;
    const std::array<Bytes, 5> parts{as_bytes(evidence.text), as_bytes(evidence.context),
                                     Bytes(evidence.file), as_bytes(answer.body),
                                     as_bytes(answer.text)};
    json::Array lengths;
    for (const Bytes& part : parts) {
        lengths.emplace_back(std::uint64_t{part.size()});
    }
    json::Object head{{"media_type", evidence.media_type},
                      {"spans", spans_json(evidence)},
                      {"lengths", std::move(lengths)}};
    if (evidence.answer) {
        head.emplace_back("answer", answer_json(answer));
    }
    const std::string text = json::write(head);
    Buffer out;
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
        out.push_back(static_cast<std::uint8_t>(text.size() >> (8 * i)));
    }
    const Bytes head_bytes = as_bytes(text);
    out.insert(out.end(), head_bytes.begin(), head_bytes.end());
    for (const Bytes& part : parts) {
        out.insert(out.end(), part.begin(), part.end());
    }
    return out;
}

Result<Evidence> read_evidence(Bytes bytes) {
    std::size_t size = 0;
    if (bytes.size() < kLengthBytes) {
        return damaged();
    }
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
        size |= static_cast<std::size_t>(bytes[i]) << (8 * i);
    }
    if (size > bytes.size() - kLengthBytes) {
        return damaged();
    }
    const json::Value head =
        TRY(json::parse(as_text(bytes.subspan(kLengthBytes, size)), {.bytes_max = size + 1}));
    const auto parts = TRY(cut(head, bytes.subspan(kLengthBytes + size)));
    Evidence evidence;
    evidence.text = as_text(parts[0]);
    evidence.context = as_text(parts[1]);
    evidence.file = to_buffer(parts[2]);
    evidence.media_type = head.string_or("media_type", "");
    for (const json::Value& each : TRY(tuples(head, "spans", 3))) {
        const json::Array& triple = *each.if_array();
        Span span{.entry = *triple[0].if_string(), .begin = 0, .end = 0};
        span.begin = TRY(size_of(triple[1]));
        span.end = TRY(size_of(triple[2]));
        if (span.begin > span.end || span.end > evidence.text.size()) {
            return damaged();
        }
        evidence.spans.push_back(std::move(span));
    }
    if (const json::Value* answer = head.find("answer")) {
        evidence.answer = TRY(read_answer(*answer));
        evidence.answer->body = as_text(parts[3]);
        evidence.answer->text = as_text(parts[4]);
    }
    return evidence;
}

// [DSP-10] The record of the call is what the law keeps; evidence is the content once more.
Result<std::int64_t> ReviewQueue::purge(const ledger::Conduct& conduct) {
    std::int64_t removed = 0;
    for (;;) {
        const Time now = parts_.clock.now();
        const storage::Rows rows = TRY(parts_.store.query(kOutlived, {storage::time_value(now)}));
        if (rows.empty()) {
            TRY(release_due());
            return removed;
        }
        const auto count = static_cast<std::int64_t>(rows.size());
        storage::Batch batch = TRY(conduct.prepare(
            {.operation = "review.purge", .facts = {{"items", count}}, .names = {}}));
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const ItemId id = TRY(storage::id_at<ItemId>(rows, row, 0));
            for (const storage::Statement& each : {kReleaseBlob, kForget}) {
                batch.operations.push_back(
                    {.statement = each,
                     .parameters = {storage::id_value(id), storage::time_value(now)}});
            }
        }
        TRY(parts_.store.apply(std::move(batch)));
        removed += count;
    }
}

Result<void> ReviewQueue::forget(const SubjectId& subject) {
    storage::Batch batch;
    for (const storage::Statement& each : {kReleaseOfSubject, kForgetSubject}) {
        batch.operations.push_back({.statement = each, .parameters = {storage::id_value(subject)}});
    }
    TRY(parts_.store.apply(std::move(batch)));
    return release_due();
}

Result<void> ReviewQueue::release_due() {
    const storage::Value now = storage::time_value(parts_.clock.now());
    for (;;) {
        const storage::Rows rows = TRY(parts_.store.query(kDue, {now}));
        if (rows.empty()) {
            return {};
        }
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const ItemId id = TRY(storage::id_at<ItemId>(rows, row, 0));
            // The blobs first: what fails in between is due again.
            TRY(parts_.blobs.release_all(blob_holder(id)));
            storage::Batch done;
            done.operations.push_back(
                {.statement = kReleased, .parameters = {storage::id_value(id), now}});
            TRY(parts_.store.apply(std::move(done)));
        }
    }
}

}  // namespace colophon::review
