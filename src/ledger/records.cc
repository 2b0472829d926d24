// SPDX-License-Identifier: Apache-2.0
#include "ledger/records.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/random.h"
#include "ledger/internal/find_runs.h"
#include "ledger/internal/outbox.h"
#include "ledger/internal/packed_facts.h"
#include "ledger/internal/record_rows.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/leaf.h"
#include "ledger/record.h"
#include "storage/data_keys.h"
#include "storage/row_values.h"
#include "storage/sealing.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {

namespace {

using internal::bytes_or_null;
using internal::owner_of;
using storage::id_value;
using storage::Statement;

constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kTimeBytes = 6;
constexpr std::string_view kPrivatePurpose = "records.private";

// A byte is six in JSON at most (check_record).
static_assert(6 * (kRecordTextBytesMax + limits::kLabelBytesMax +
                   (8 + 4 * kRecordVerdictsMax) * kRecordNameBytesMax) <
              internal::kFactsTextMax);

constexpr Statement kInsertRecord{
    "INSERT INTO records (id, kind, tenant, subject, content_number, facts, facts_packed, sealed, "
    "salt, digests, prints, in_runs) VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, 1)"};
constexpr Statement kInsertBlob{
    "INSERT INTO record_blobs (record, blob, subject) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};
// Its blobs are the record's from now on (ledger/record_contents.h).
constexpr Statement kKeepBlobs{"DELETE FROM record_blob_releases WHERE record = $1"};

internal::RecordOwners owners_of(const Facts& facts) {
    internal::RecordOwners owners{.kind = static_cast<std::int64_t>(facts.kind),
                                  .tenant = internal::owner_find_key(facts.tenant.bytes),
                                  .subject = std::nullopt};
    if (facts.subject) {
        owners.subject = internal::owner_find_key(facts.subject->bytes);
    }
    return owners;
}

Result<Facts> facts_at(const storage::Rows& rows, std::size_t row, std::size_t column) {
    const std::string text = TRY(internal::facts_text_at(rows, row, column));
    return read_facts(text);
}

Result<Facts> one_record(const Result<storage::Rows>& answer) {
    if (!answer.ok()) {
        return answer.error();
    }
    if (answer->empty()) {
        return Error{ErrorCode::kNotFound, "there is no such record"};
    }
    return facts_at(*answer, 0, 0);
}

// The salt of one commitment, so that fields can be opened one by one while a single deletable
// secret stands behind all of them.
Salt field_salt(const HmacSha256& record_salt, std::string_view field) {
    return record_salt.of({as_bytes(field)});
}

std::string contents_text(const ServiceRecord& record) {
    std::string contents;
    for (const Digest256& digest : record.content_digests) {
        contents += to_hex(digest);
        contents += '\n';
    }
    return contents;
}

std::string source_text(const Private& personal) {
    std::string source = personal.source_address;
    if (!source.empty()) {
        source += ' ';
        source += std::to_string(personal.source_port);
    }
    return source;
}

// What the leaf commits to: name and value, names ascending. Values that are absent are empty here,
// and not committed to. Record and facts outlive this.
class CommittedValues {
public:
    CommittedValues(const ServiceRecord& record, std::string_view facts)
        : contents_(contents_text(record)),
          source_(source_text(record.personal)),
          values_{{
              {"account", record.personal.account},
              {"client", record.personal.client},
              {"contents", contents_},
              {"facts", facts},
              {"input", record.personal.input},
              {"output", record.personal.output},
              {"source", source_},
              {"target", record.personal.target_address},
          }} {}
    ~CommittedValues() = default;
    CommittedValues(const CommittedValues&) = delete;
    CommittedValues& operator=(const CommittedValues&) = delete;
    CommittedValues(CommittedValues&&) = delete;
    CommittedValues& operator=(CommittedValues&&) = delete;

    auto begin() const noexcept { return values_.begin(); }
    auto end() const noexcept { return values_.end(); }

private:
    std::string contents_;
    std::string source_;
    std::array<std::pair<std::string_view, std::string_view>, 8> values_;
};

Result<Buffer> leaf_of(const ServiceRecord& record, std::string_view facts, Bytes salt,
                       Random& random) {
    Leaf leaf;
    leaf.type = record_kind_name(record.facts.kind);
    leaf.time = record.facts.at;
    if (record.facts.subject) {
        leaf.actor = record.facts.subject->bytes;
    }
    leaf.object = record.facts.content_id ? to_string(*record.facts.content_id) : std::string();
    leaf.policy_version = record.facts.policy_version;
    const HmacSha256 salts(salt);
    for (const auto& [field, value] : CommittedValues(record, facts)) {
        if (!value.empty()) {
            leaf.commitments.push_back(
                {std::string(field), commit(field_salt(salts, field), field, as_bytes(value))});
        }
    }
    leaf.nonce = TRY(make_nonce(random));
    return encode_leaf(leaf);
}

}  // namespace

LogClass log_class(RecordKind kind) noexcept {
    switch (kind) {
        case RecordKind::kCall:
        case RecordKind::kUnlabelledRelease:
        case RecordKind::kVerification:
            return LogClass::kService;
        case RecordKind::kAdministration:
        case RecordKind::kErasure:
        case RecordKind::kPurge:
            break;
    }
    return LogClass::kConduct;
}

std::string_view log_class_name(LogClass log) noexcept {
    return log == LogClass::kService ? "service" : "conduct";
}

Result<RecordId> first_record_id(Time at) {
    const std::int64_t milliseconds = at.time_since_epoch().count();
    if (milliseconds < 0 || milliseconds >> (8 * kTimeBytes) != 0) {
        return Error{ErrorCode::kInvalidArgument, "a record's time lies between 1970 and 10889"};
    }
    RecordId id;
    auto rest = static_cast<std::uint64_t>(milliseconds);
    for (std::size_t i = kTimeBytes; i-- > 0;) {
        id.bytes[i] = static_cast<std::uint8_t>(rest);
        rest >>= 8U;
    }
    return id;
}

Result<RecordId> make_record_id(Time at, Random& random) {
    RecordId id = TRY(first_record_id(at));
    TRY(random.fill(std::span(id.bytes).subspan(kTimeBytes)));
    return id;
}

Records::Records(storage::Store& store, storage::DataKeys& keys, Random& random,
                 const Options& options)
    : store_(store),
      keys_(keys),
      random_(random),
      options_(options),
      digest_key_(options.digest_key),
      text_printer_({.bytes = digest_key_.of({as_bytes("print.text")})}),
      content_ids_(options.content_id_key) {}

Result<storage::Batch> Records::prepare(const ServiceRecord& record,
                                        std::span<const Print> prints) {
    TRY(check_record(record));
    TRY(internal::check_prints(prints));
    const Facts& facts = record.facts;
    const RecordId first = TRY(first_record_id(facts.at));
    if (!std::equal(first.bytes.begin(), first.bytes.begin() + kTimeBytes,
                    facts.id.bytes.begin())) {
        return Error{ErrorCode::kInvalidArgument, "a record's id does not begin with its time"};
    }
    const std::string facts_text = write_facts(facts);
    Buffer salt(kSaltBytes);
    TRY(random_.fill(salt));
    const std::string owner = owner_of(facts);
    const std::string id_text = to_string(facts.id);
    const storage::DataKey key = TRY(keys_.newest(owner));
    Buffer sealed =
        TRY(storage::seal(*key.secret, {.owner = owner, .purpose = kPrivatePurpose, .id = id_text},
                          {.suite = options_.suite, .generation = key.generation},
                          as_bytes(write_private(record.personal)), random_));
    Buffer leaf = TRY(leaf_of(record, facts_text, salt, random_));
    const storage::Value id = id_value(facts.id);
    Buffer digests = keyed_digests(record.content_digests);

    const storage::Value subject = facts.subject ? id_value(*facts.subject) : storage::null();

    storage::Batch batch;
    batch.operations.reserve(3 + prints.size() + record.personal.contents.size());
    batch.operations.emplace_back();  // the record, before what refers to it
    PrintColumns prints_of_row = add_prints(batch, facts.id, prints);
    batch.operations.front() = {
        kInsertRecord,
        storage::moved_values(id, static_cast<std::int64_t>(facts.kind), id_value(facts.tenant),
                              subject,
                              facts.content_id ? number_of(*facts.content_id) : storage::null(),
                              internal::pack_facts(facts_text), std::move(sealed), std::move(salt),
                              bytes_or_null(digests), bytes_or_null(std::move(prints_of_row.kept))),
        storage::Affects::kOne};
    for (const StoredContent& content : record.personal.contents) {
        batch.operations.push_back({kInsertBlob, {id, storage::text(content.blob), subject}});
    }
    if (!record.personal.contents.empty()) {
        batch.operations.push_back({kKeepBlobs, {id}});
    }
    batch.operations.push_back(internal::put_into_outbox(
        log_class(facts.kind), {.record = to_buffer(facts.id.bytes),
                                .leaf = std::move(leaf),
                                .digests = std::move(digests),
                                .bands = std::move(prints_of_row.waiting),
                                .owners = internal::pack_owners(owners_of(facts))}));
    return batch;
}

void Records::append(const ServiceRecord& record, std::span<const Print> prints,
                     storage::Store::Done done) {
    auto batch = prepare(record, prints);
    if (!batch.ok()) {
        done(std::move(batch).error());
        return;
    }
    store_.apply(std::move(batch).value(), std::move(done));
}

Result<void> Records::append(const ServiceRecord& record, std::span<const Print> prints) {
    storage::Batch batch = TRY(prepare(record, prints));
    return store_.apply(std::move(batch));
}

Result<Facts> Records::find(RecordId id) {
    static constexpr Statement kFind{"SELECT facts, facts_packed FROM records WHERE id = $1"};
    return one_record(store_.query(kFind, {id_value(id)}));
}

Result<Facts> Records::find(ContentId id) {
    static constexpr Statement kFind{
        "SELECT facts, facts_packed FROM records WHERE content_number = $1"};
    static constexpr Statement kFindOld{
        "SELECT facts, facts_packed FROM records WHERE content_id = $1"};
    const storage::Rows rows = TRY(store_.query(kFind, {number_of(id)}));
    if (!rows.empty()) {
        return facts_at(rows, 0, 0);
    }
    return one_record(
        store_.query(kFindOld, {storage::integer(static_cast<std::int64_t>(id.value))}));
}

Result<std::optional<RecordId>> Records::last_without_files() {
    static constexpr Statement kFind{"SELECT record FROM record_marks WHERE name = 'files'"};
    const storage::Rows rows = TRY(store_.query(kFind, {}));
    if (rows.empty()) {
        return std::optional<RecordId>();
    }
    return std::optional(TRY(storage::id_at<RecordId>(rows, 0, 0)));
}

Buffer Records::keyed_digests(std::span<const Digest256> digests) const {
    std::vector<Digest256> keyed;
    keyed.reserve(digests.size());
    for (const Digest256& digest : digests) {
        keyed.push_back(digest_key_.of({digest}));
    }
    return internal::pack_digests(std::move(keyed));
}

storage::Value Records::number_of(ContentId id) const {
    return storage::integer(static_cast<std::int64_t>(content_ids_.decipher(id)));
}

Result<std::vector<RecordId>> Records::find_by_digest(const Digest256& digest) {
    // Ids begin with their time, so that the greatest is the newest.
    static constexpr Statement kFindOld{
        "SELECT record FROM record_digests WHERE digest = $1 ORDER BY record DESC LIMIT 1000"};
    static_assert(kRecordPageMax == 1000);
    static constexpr Statement kDigests{"SELECT digests FROM records WHERE id = $1"};
    const Digest256 keyed = digest_key_.of({digest});
    std::vector<RecordId> found;
    const auto has_it = [&](Bytes packed) -> Result<bool> {
        const auto digests = TRY(internal::unpack_digests(packed));
        return std::ranges::binary_search(digests, keyed);
    };
    // Of one state: what the sequencer takes meanwhile is in one of both.
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        found.clear();
        const auto each = [&](const internal::WaitingLeaf& leaf) -> Result<void> {
            if (TRY(has_it(leaf.digests))) {
                found.push_back(TRY(internal::record_id_of(leaf.record)));
            }
            return {};
        };
        TRY(internal::visit_outboxes(snapshot, each));
        auto runs = TRY(internal::FindRuns::open(snapshot));
        for (const auto& [record, number] : TRY(runs.newest(
                 internal::kDigestFind, internal::digest_find_key(keyed), kRecordPageMax))) {
            const storage::Rows rows = TRY(snapshot.query(kDigests, {id_value(record)}));
            if (rows.empty() || rows.is_null(0, 0)) {
                continue;
            }
            const Bytes packed = TRY(rows.bytes(0, 0));
            if (TRY(has_it(packed))) {
                found.push_back(record);
            }
        }
        const storage::Rows old = TRY(snapshot.query(kFindOld, {storage::bytes(keyed)}));
        for (std::size_t row = 0; row < old.size(); ++row) {
            found.push_back(TRY(storage::id_at<RecordId>(old, row, 0)));
        }
        return {};
    };
    TRY(store_.snapshot(body));
    std::ranges::sort(found, std::ranges::greater(), &RecordId::bytes);
    found.resize(std::min(found.size(), kRecordPageMax));
    return found;
}

std::string internal::owner_of(const Facts& facts) {
    return facts.subject ? to_string(*facts.subject) : to_string(facts.tenant);
}

Result<Private> Records::open(RecordId id) {
    static constexpr Statement kFind{
        "SELECT facts, facts_packed, sealed FROM records WHERE id = $1"};
    const storage::Rows rows = TRY(store_.query(kFind, {id_value(id)}));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, "there is no such record"};
    }
    const Facts facts = TRY(facts_at(rows, 0, 0));
    const std::string owner = owner_of(facts);
    const std::string id_text = to_string(id);
    const Bytes sealed = TRY(rows.bytes(0, 2));
    const storage::SealedHeader header = TRY(storage::read_sealed_header(sealed));
    auto key = keys_.find(owner, header.generation);
    if (!key.ok()) {
        return key.error().code == ErrorCode::kNotFound
                   ? Error{ErrorCode::kDenied, "the person of this record was erased"}
                   : std::move(key).error();
    }
    const Buffer opened = TRY(storage::unseal(
        *key->secret, {.owner = owner, .purpose = kPrivatePurpose, .id = id_text}, sealed));
    return read_private(as_text(opened));
}

Result<std::vector<Opening>> Records::openings(RecordId id, std::span<const std::string> fields) {
    const Disclosure disclosure = TRY(disclose(id));
    ServiceRecord record;
    if (std::ranges::any_of(fields, [](const std::string& field) { return field != "facts"; })) {
        record.personal = TRY(open(id));
    }
    const CommittedValues values(record, disclosure.facts);
    std::vector<Opening> openings;
    for (const std::string& field : fields) {
        const auto found = std::ranges::find_if(values, [&](const auto& value) {
            return value.first == field && !value.second.empty();
        });
        if (found == values.end()) {
            return Error{ErrorCode::kNotFound,
                         fmt::format("the record has no field {} that could be opened", field)};
        }
        openings.push_back(open_field(disclosure.salt, field, found->second));
    }
    return openings;
}

Result<Records::Disclosure> Records::disclose(RecordId id) {
    static constexpr Statement kFind{
        "SELECT r.facts, r.facts_packed, r.salt, e.log, e.entry FROM records r "
        "LEFT JOIN log_entries e ON e.record = r.id WHERE r.id = $1"};
    storage::Rows rows;
    Disclosure disclosure;
    // Of one state: a leaf waits, or is an entry.
    const auto body = [&](storage::Snapshot& snapshot) -> Result<void> {
        rows = TRY(snapshot.query(kFind, {id_value(id)}));
        disclosure.waiting_leaf.clear();
        if (!rows.empty() && rows.is_null(0, 3)) {
            auto leaf = TRY(internal::waiting_leaf(snapshot, id.bytes));
            disclosure.waiting_leaf = std::move(leaf).value_or(Buffer());
        }
        return {};
    };
    TRY(store_.snapshot(body));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, "there is no such record"};
    }
    disclosure.facts = TRY(internal::facts_text_at(rows, 0, 0));
    const Bytes salt = TRY(rows.bytes(0, 2));
    disclosure.salt = to_buffer(salt);
    if (!rows.is_null(0, 3)) {
        disclosure.log = TRY(rows.integer(0, 3));
        disclosure.entry = TRY(rows.integer(0, 4));
    }
    return disclosure;
}

Opening open_field(Bytes record_salt, std::string_view field, std::string_view value) {
    return {std::string(field), field_salt(HmacSha256(record_salt), field), to_buffer(value)};
}

}  // namespace colophon::ledger
