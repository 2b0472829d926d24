// SPDX-License-Identifier: Apache-2.0
#pragma once

// The service records of all nodes: append, find, open [DSP-10] [DSP-16].
//
// An append is one batch of storage: the record, the ways to find it, and its leaf for the log, all
// in one transaction with one durable commit that it shares with the calls beside it. Whoever was
// told that a record is kept may answer its caller; the leaf reaches the log within the sequencer's
// next batch (ledger/sequencer.h).
//
// Threads: any method may be called from any thread at the same time.

#include "core/hmac.h"
#include "core/random.h"
#include "fingerprint/text.h"
#include "ledger/content_ids.h"
#include "ledger/leaf.h"
#include "ledger/record.h"
#include "storage/data_keys.h"
#include "storage/migration.h"
#include "storage/sealing.h"
#include "storage/store.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

namespace internal {
class PrintKeys;
}  // namespace internal

std::span<const storage::Migration> record_migrations();

// Logs are apart by how long their records are kept, because a log can only be cut at its start.
enum class LogClass : std::uint8_t {
    kService = 1,  // calls, verifications: months
    kConduct,      // what staff and the system did: years
};
inline constexpr std::array kLogClasses{LogClass::kService, LogClass::kConduct};
LogClass log_class(RecordKind kind) noexcept;
std::string_view log_class_name(LogClass log) noexcept;  // "service", "conduct": part of its origin

// 48 bits of milliseconds since 1970, then 80 random bits. Ids are therefore in the order of time,
// and what is written together lies together in every index. kInvalidArgument for times that do not
// fit.
Result<RecordId> make_record_id(Time at, Random& random);
// The smallest id that a record of this time can have.
Result<RecordId> first_record_id(Time at);

// A perceptual print of what went out, cut into bands: two contents that are near each other share
// at least one band (ledger/likeness.h). Bands are stored as keyed numbers and prints masked, so
// that the database alone says nothing of contents; the print itself is compared by whoever asks.
struct Print {
    std::int64_t kind = 0;
    Buffer print;
    std::vector<std::int64_t> bands;
};

struct SimilarRecord {
    RecordId record;
    Buffer print;
    bool operator==(const SimilarRecord&) const = default;
};

struct SimilarRecords {
    std::vector<SimilarRecord> found;
    bool cut = false;  // more than kSimilarCandidatesMax
};

struct RecordQuery {
    std::optional<TenantId> tenant;
    std::optional<SubjectId> subject;
    std::optional<RecordKind> kind;
    Time from;                      // inclusive
    Time until;                     // exclusive
    std::optional<RecordId> after;  // the last record of the page before
    std::size_t records_max = 100;  // 1..kRecordPageMax
};
inline constexpr std::size_t kRecordPageMax = 1000;
inline constexpr std::size_t kRecordPrintsMax = 64;
inline constexpr std::size_t kPrintBandsMax = 64;
inline constexpr std::size_t kPrintBytesMax = 4096;
// What one question costs at most: so many looks into an index, so many prints read.
inline constexpr std::size_t kSimilarBandsMax = 8192;
inline constexpr std::size_t kSimilarCandidatesMax = 50'000;

// The opening of one commitment of a record's leaf: "facts", "account", "source", "target",
// "client", "input", "output" or "contents" (the digests in hexadecimal, one a line).
Opening open_field(Bytes record_salt, std::string_view field, std::string_view value);

class Records {
public:
    struct Options {
        // Keys the hashes by which content is found: with the database alone nobody can try out
        // what was said.
        std::array<std::uint8_t, 32> digest_key{};
        // Of ContentIds: records lie in their index in the order in which the ids were given.
        ContentIdKey content_id_key{};
        storage::Suite suite = storage::Suite::kAes256Gcm;  // of what is sealed from now on
    };
    // All that is passed in outlives this.
    Records(storage::Store& store, storage::DataKeys& keys, Random& random, const Options& options);

    // facts.id comes from make_record_id(facts.at). `done` is called once, from a thread of the
    // store, after the record is durable or was not kept: kLimit or kInvalidArgument
    // (check_record), kConflict (id or content id is taken, or the
    // subject's key was destroyed), kUnavailable.
    void append(const ServiceRecord& record, std::span<const Print> prints,
                storage::Store::Done done);
    Result<void> append(const ServiceRecord& record, std::span<const Print> prints = {});

    // kNotFound when there is none.
    Result<Facts> find(RecordId id);
    Result<Facts> find(ContentId id);
    // By the SHA-256 of a file or text that went in or out; newest first, at most kRecordPageMax.
    Result<std::vector<RecordId>> find_by_digest(const Digest256& digest);
    // Prints that share a band, each once, the newest records first; of each band the newest
    // kRecordPageMax. kLimit for more than kSimilarBandsMax bands.
    Result<SimilarRecords> find_similar(std::int64_t kind, std::span<const std::int64_t> bands);
    // The prints that were appended with it, in their order, without bands; none for a record that
    // is not there.
    Result<std::vector<Print>> prints_of(RecordId record);
    // The last record of the time before records kept what review compares of files
    // (ledger/file_prints.h); nothing when there is none.
    Result<std::optional<RecordId>> last_without_files();
    // Under this installation's key; nothing for a text without letters.
    Result<std::optional<Print>> print_of_text(std::string_view text) const;
    // What is left of the prints of a subject's records goes; for an erasure.
    Result<void> forget_prints(SubjectId subject);
    // Newest first.
    Result<std::vector<Facts>> list(const RecordQuery& query);

    // The private half. kNotFound: no such record. kDenied: its subject was erased.
    Result<Private> open(RecordId id);
    // What opens the commitments of the record's leaf, for a proof to a third party.
    struct Disclosure {
        std::string facts;
        Buffer salt;
        std::optional<std::int64_t> log;    // absent until the sequencer took it
        std::optional<std::int64_t> entry;  // its index in that log
        Buffer waiting_leaf;                // until then
    };
    Result<Disclosure> disclose(RecordId id);
    // The openings of these fields of the record's leaf (open_field(); "contents" is not kept).
    // kNotFound for a field that the record has not, kDenied when its subject was erased and a
    // field is private.
    Result<std::vector<Opening>> openings(RecordId id, std::span<const std::string> fields);

    // What append() would apply, for a caller whose own change belongs to the same transaction.
    Result<storage::Batch> prepare(const ServiceRecord& record, std::span<const Print> prints = {});

    // For whoever removes records (retention.h).
    internal::PrintKeys print_keys() const;

private:
    storage::Value number_of(ContentId id) const;
    // As the outbox and the record have them; each once.
    Buffer keyed_digests(std::span<const Digest256> digests) const;
    struct PrintColumns {
        Buffer kept;     // as the record has them
        Buffer waiting;  // their bands, as the outbox has them
    };
    // Prints that have a table of their own join the batch.
    PrintColumns add_prints(storage::Batch& batch, const RecordId& record,
                            std::span<const Print> prints) const;

    storage::Store& store_;
    storage::DataKeys& keys_;
    Random& random_;
    Options options_;
    HmacSha256 digest_key_;
    fingerprint::TextPrinter text_printer_;
    ContentIdCipher content_ids_;
};

}  // namespace colophon::ledger
