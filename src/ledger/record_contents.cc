// SPDX-License-Identifier: Apache-2.0
#include "ledger/record_contents.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/internal/record_rows.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/blobs.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using internal::owner_of;
using storage::Statement;
using storage::time_value;

// One that is there keeps its time: a second try does not put off the first one's end for ever.
constexpr Statement kIntend{
    "INSERT INTO record_blob_releases (record, due_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"};
constexpr Statement kDue{
    "SELECT record FROM record_blob_releases WHERE due_at <= $1 ORDER BY due_at LIMIT 1000"};
constexpr Statement kDone{"DELETE FROM record_blob_releases WHERE record = $1 AND due_at <= $2"};

std::string holder_of(Bytes record) {
    return "record:" + to_hex(record);
}

bool is_large(const std::string& text) noexcept {
    return text.size() > kRecordTextBytesMax;
}

Error no_content() {
    return Error{ErrorCode::kNotFound, "the record has no content of that role"};
}

}  // namespace

bool has_large_content(const ServiceRecord& record) noexcept {
    return is_large(record.personal.input) || is_large(record.personal.output);
}

Result<void> RecordContents::move_out(ServiceRecord& record) {
    if (!has_large_content(record)) {
        return {};
    }
    storage::Batch intent;
    intent.operations.push_back(
        {kIntend,
         {storage::id_value(record.facts.id), time_value(clock_.now() + kContentIntentMax)}});
    TRY(store_.apply(std::move(intent)));
    const std::string owner = owner_of(record.facts);
    const std::string holder = holder_of(record.facts.id.bytes);
    for (const auto& [role, text] : {std::pair("input", &record.personal.input),
                                     std::pair("output", &record.personal.output)}) {
        if (!is_large(*text)) {
            continue;
        }
        if (text->size() > kRecordContentBytesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a content has {} bytes, more than {}",
                                                        text->size(), kRecordContentBytesMax)};
        }
        const storage::BlobHandle blob = TRY(blobs_.put(owner, holder, as_bytes(*text)));
        const Digest256 digest = sha256(as_bytes(*text));
        if (std::ranges::find(record.content_digests, digest) == record.content_digests.end()) {
            record.content_digests.push_back(digest);
        }
        record.personal.contents.push_back({.role = role,
                                            .blob = to_hex(blob.digest),
                                            .media_type = "text/plain; charset=utf-8",
                                            .bytes = static_cast<std::int64_t>(text->size())});
        text->clear();
    }
    return {};
}

Result<Buffer> RecordContents::read(RecordId record, std::string_view role) {
    const Private personal = TRY(records_.open(record));
    const std::string& text = role == "input" ? personal.input : personal.output;
    if ((role == "input" || role == "output") && !text.empty()) {
        return to_buffer(as_bytes(text));
    }
    const auto found = std::ranges::find(personal.contents, role, &StoredContent::role);
    if (found == personal.contents.end()) {
        return no_content();
    }
    const Facts facts = TRY(records_.find(record));
    storage::BlobHandle blob{owner_of(facts), {}};
    const Buffer digest = TRY(from_hex(found->blob));
    if (digest.size() != blob.digest.size()) {
        return no_content();
    }
    std::ranges::copy(digest, blob.digest.begin());
    return blobs_.get(blob, kRecordContentBytesMax);
}

Result<std::size_t> RecordContents::release_due() {
    std::size_t released = 0;
    const storage::Value now = time_value(clock_.now());
    for (;;) {
        const storage::Rows rows = TRY(store_.query(kDue, {now}));
        if (rows.empty()) {
            return released;
        }
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const Bytes record = TRY(rows.bytes(row, 0));
            // The blobs first: what fails in between is due again.
            TRY(blobs_.release_all(holder_of(record)));
            storage::Batch done;
            done.operations.push_back({kDone, {storage::bytes(record), now}});
            TRY(store_.apply(std::move(done)));
            ++released;
        }
    }
}

}  // namespace colophon::ledger
