// SPDX-License-Identifier: Apache-2.0
#pragma once

// The service record: what one call was, who made it and what came of it [DSP-10] [DSP-16]. Its
// fields are at least those that the Provisions on the Security Assessment of services with the
// attribute of public opinion (2018, article 5, item 3) ask of a log: account, time, operation,
// source and target address, source port, client, content.
//
// A record has two halves. The *facts* name nobody and may be read by whoever may read records. The
// *private* half says who, from where and what; it is stored only sealed, under the data key of its
// subject, so that destroying the key erases the person and leaves the facts.
// Neither enters the log: a leaf holds salted commitments to both (ledger/leaf.h).

#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

// What is recorded; decides how long it is kept and in which log it stands (ledger/retention.h).
enum class RecordKind : std::uint8_t {
    kCall = 1,           // a call of the gateway, answered, refused or failed
    kUnlabelledRelease,  // content given out without explicit label by agreement [AILM-9]
    kVerification,       // a subject's identity was verified, or failed to be [DSP-9]
    kAdministration,     // staff changed a rule, a key, a subject, a setting
    kErasure,            // a subject's data key was destroyed
    kPurge,              // records past their time were removed
};

enum class Outcome : std::uint8_t {
    kAnswered = 1,
    kRefused,  // by a rule of ours; outcome_code says which
    kFailed,   // the model, the labelling or a part of ours failed: nothing went out
    kCutOff,   // a stream that review ended, or that the client left
};

// What a stage of review said.
struct Verdict {
    std::string stage;     // "input", "output"
    std::string decision;  // "allow", "flag", "hold", "block"
    std::string category;  // of the taxonomy; empty when allowed
    std::string rule;      // id and version of the library entry; empty when none
    bool operator==(const Verdict&) const = default;
};

// Milliseconds, as the stages took them; absent where a stage did not run.
struct Durations {
    std::optional<std::int64_t> total_ms;
    std::optional<std::int64_t> review_ms;
    std::optional<std::int64_t> upstream_ms;
    std::optional<std::int64_t> label_ms;
    bool operator==(const Durations&) const = default;
};

// Content that is kept beside the record because it is large or no text.
struct StoredContent {
    std::string role;        // "input", "output"
    std::string blob;        // handle in storage/blobs.h
    std::string media_type;  // "image/png"
    std::int64_t bytes = 0;
    bool operator==(const StoredContent&) const = default;
};

// What review compares of a file that came or was made, kept so that it can be compared again under
// other rules, or why it cannot (ledger/file_prints.h).
struct FilePrint {
    std::string stage;      // "input", "output"; "both": it came, to go out again
    std::string kind;       // "picture", "sound", "video"; of what is never compared, what it is
    bool labelled = false;  // of the file as it was given out; otherwise as it came, or was made
    std::string print;      // empty when there is none
    std::string sound;      // of a video that has one
    std::string lacks;      // what it cannot tell: all where `print` is empty
    bool operator==(const FilePrint&) const = default;
};

struct Facts {
    RecordId id;
    RecordKind kind = RecordKind::kCall;
    Time at;
    TenantId tenant;
    std::optional<SubjectId> subject;  // absent for what no end user did
    std::string operation;             // "chat.completions", "images.generations", "sanction.apply"
    std::string model;                 // as asked for; empty when none
    std::string model_version;         // as the upstream names what answered
    std::optional<ContentId> content_id;
    Outcome outcome = Outcome::kAnswered;
    std::string outcome_code;  // "input_blocked", ...; empty for kAnswered
    std::string label;         // the AIGC object as it was written; empty when nothing went out
    std::vector<Verdict> verdicts;
    Durations durations;
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::string policy_version;  // of the rules that decided
    std::string detail;          // more about what was done, as JSON; no personal data
    bool operator==(const Facts&) const = default;
};

struct Private {
    std::string account;         // as the tenant names its user
    std::string source_address;  // of the end user, as the application or the connection says
    std::int64_t source_port = 0;
    std::string target_address;  // what was connected to
    std::string client;          // user agent or device, as far as it was said
    std::string input;           // text of the request; files are StoredContent
    std::string output;          // text of the answer, with its label
    std::vector<StoredContent> contents;
    std::vector<FilePrint> files;  // in the order in which they were looked at
    bool operator==(const Private&) const = default;
};

struct ServiceRecord {
    Facts facts;
    Private personal;
    // Plain SHA-256 digests of what went in and out: of the text, and of each file as it was given
    // out. They are stored only under a keyed hash (ledger/records.h), because a plain digest of a
    // short text or a number is as good as the text.
    std::vector<Digest256> content_digests;
    bool operator==(const ServiceRecord&) const = default;
};

// What a record may carry at most; checked when it is appended, Error{kLimit} names the field.
inline constexpr std::size_t kRecordNameBytesMax = 512;  // operation, model, account, client, ...
inline constexpr std::size_t kRecordTextBytesMax = 4U << 20U;  // input, output; more goes to a blob
inline constexpr std::size_t kRecordVerdictsMax = 256;
inline constexpr std::size_t kRecordContentsMax = 64;
inline constexpr std::size_t kRecordFilesMax = 128;
inline constexpr std::size_t kRecordPrintBytesMax = 4U << 20U;  // of all its files

// JSON with fixed names and order, absent members left out: what is stored, and what is committed
// to.
std::string write_facts(const Facts& facts);
std::string write_private(const Private& personal);
// Error{kCorrupt} names the member.
Result<Facts> read_facts(std::string_view text);
Result<Private> read_private(std::string_view text);

// Error{kLimit} or {kInvalidArgument} that names the field; for records from outside the module.
Result<void> check_record(const ServiceRecord& record);

std::string_view record_kind_name(RecordKind kind) noexcept;  // "call", "unlabelled_release", ...
std::string_view outcome_name(Outcome outcome) noexcept;      // "answered", ...
std::optional<RecordKind> parse_record_kind(std::string_view text) noexcept;
std::optional<Outcome> parse_outcome(std::string_view text) noexcept;

}  // namespace colophon::ledger
