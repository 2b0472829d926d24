// SPDX-License-Identifier: Apache-2.0
#pragma once

// The queue of people: what review held waits here until somebody decides, and so do samples of
// decisions that another person is to take again [DSP-10].
//
//   waiting ───claim, decide──► released | refused
//      │  └─ where two must agree ──► second ──another person──► released | refused
//      │                                └─ they differ ──► escalated ──a lead──► released | refused
//      └─ escalate ──► escalated                    nobody in time: expired, as good as refused
//
// An item is claimed before it is decided, by one person at a time and for a while. Content lies
// sealed under the key of the person or tenant that it is of: small in its row, large as a blob
// that the item holds (storage/blobs.h). Each look at it and each decision is recorded by its own
// transaction. A decision can be taken back for a while, until the client has had what was
// released.
//
// Threads: any method from any thread at the same time; each blocks.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/random.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "ledger/conduct.h"
#include "review/scope.h"
#include "storage/blobs.h"
#include "storage/migration.h"
#include "storage/sealer.h"
#include "storage/store.h"
#include "storage/value.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {

std::span<const storage::Migration> queue_migrations();

// Told when an item came or changed. The payload says nothing.
inline constexpr const char* kQueueChanged = "review_queue";

inline constexpr std::size_t kEvidenceBytesMax = 64U << 20U;      // of one item, all in all
inline constexpr std::size_t kEvidenceInRowBytesMax = 4U << 20U;  // larger: a blob
inline constexpr std::size_t kSpansMax = 256;
inline constexpr std::size_t kNoteBytesMax = 2000;
inline constexpr std::size_t kItemsPageMax = 1000;
inline constexpr std::size_t kSimilarMax = 1000;  // items that one decision is for

using ItemId = RandomId<struct ReviewItemTag>;  // also the number of the client's ticket

enum class ItemState : std::uint8_t {
    kWaiting = 1,
    kSecond,  // one of two has decided
    kEscalated,
    kReleased,
    kRefused,
    kExpired,
};
std::string_view item_state_name(ItemState state) noexcept;  // "waiting", ...
std::optional<ItemState> parse_item_state(std::string_view name) noexcept;
constexpr bool is_open(ItemState state) noexcept {
    return state <= ItemState::kEscalated;
}

enum class Cause : std::uint8_t {
    kHeld = 1,
    kSample,
    kFlagged,  // it went out, and people look at it afterwards
};
std::string_view cause_name(Cause cause) noexcept;  // "held", "sample", "flagged"

// Where an entry matched: bytes of the text that a person reads.
struct Span {
    std::string entry;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool operator==(const Span&) const = default;
};

// An answer that waits for its release, with all its marks.
struct WaitingAnswer {
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string text;   // what of it goes into the record
    std::string label;  // the AIGC object
    std::optional<ContentId> content_id;
    bool operator==(const WaitingAnswer&) const = default;
};

// By what near copies of a file are found; of a text nobody needs to say. Kept apart from the rest.
struct EvidencePrints {
    std::vector<fingerprint::PdqHash> picture;  // as it is, turned and mirrored
    fingerprint::SoundPrint sound;
    fingerprint::VideoPrint video;
};

// What a person sees, and what the client gets. Sealed as one.
struct Evidence {
    std::string text;  // what was held: of a picture, what was asked for
    std::vector<Span> spans;
    std::string context;  // what was asked, where an answer is held
    std::string media_type;
    Buffer file;  // a picture or video that was held; empty: the body of the answer is it
    std::optional<WaitingAnswer> answer;
    EvidencePrints prints;
};
// The picture or video that a person sees; empty where it is a text.
Bytes shown_file(const Evidence& evidence);

// The call that was held, without its content; names nobody.
struct HeldCall {
    TenantId tenant;
    std::optional<SubjectId> subject;
    RecordId record;  // of the call
    Stage stage = Stage::kInput;
    std::string operation;
    std::string model;
    std::string category;
    std::string rule;
    std::vector<std::string> entries;
};

enum class ActKind : std::uint8_t {
    kQueued = 1,
    kClaimed,
    kReturned,
    kViewed,
    kDecided,
    kUndone,
    kAsked,  // for the opinion of another
    kDelivered,
    kViewedOriginal,  // of a picture or video: without its veil
};
std::string_view act_name(ActKind kind) noexcept;  // "queued", ...

enum class Ruling : std::uint8_t { kRelease = 1, kRefuse, kEscalate };
std::string_view ruling_name(Ruling ruling) noexcept;  // "release", ...
std::optional<Ruling> parse_ruling(std::string_view name) noexcept;

// Why it was decided so; each belongs to one ruling.
struct ReasonCode {
    std::string_view code;
    Ruling ruling;
    std::string_view meaning;
};
std::span<const ReasonCode> reason_codes() noexcept;

struct PersonsDecision {
    Ruling ruling = Ruling::kRefuse;
    std::string reason;  // one of reason_codes()
    std::string note;    // up to kNoteBytesMax bytes; names nobody
};

// One link of the chain of custody.
struct Act {
    ActKind kind = ActKind::kQueued;
    std::string by;  // empty: the service itself
    Time at;
    std::optional<Ruling> ruling;
    std::string reason;
    std::string note;
    bool undone = false;
};

struct Item {
    ItemId id;
    Cause cause = Cause::kHeld;
    ItemState state = ItemState::kWaiting;
    HeldCall call;
    std::optional<ItemId> sample_of;
    std::int64_t priority = 0;
    int opinions = 1;  // so many must agree
    Time created;
    Time due;
    Time expires;
    std::string claimed_by;  // empty: nobody, now
    std::optional<Time> claimed_until;
    std::optional<Time> decided;
    std::optional<Time> delivered;
    std::string evidence_digest;  // SHA-256 of the sealed evidence, hexadecimal
    std::vector<Act> acts;        // of find() only
    // Of similar() only, where the content is a near copy: 1 the same, 0 nothing in common.
    std::optional<double> likeness;
};
// Two texts of which at least so much is shared are near copies.
inline constexpr double kNearTextLikeness = 0.5;

// What the house wants. May change while the service runs.
struct QueueRules {
    std::chrono::minutes claim{15};
    std::chrono::minutes due{60};
    std::chrono::hours expires{72};
    std::chrono::minutes undo{10};
    std::vector<std::string> four_eyes;  // categories in which two must agree
    std::vector<std::string> urgent;     // categories that come before others
    std::int64_t sample_per_mille = 20;  // of decisions, to be taken again by another
    std::int64_t decisions_a_day = 800;  // of one person in 24 hours; 0: no limit
    std::int64_t claims_at_once = 5;     // of one person
    bool takes_flagged = false;          // what was only flagged comes before people as well
};

// Who works on the queue.
struct Person {
    std::string name;
    bool lead = false;  // decides what was escalated
};

struct ItemQuery {
    std::optional<ItemState> state;
    std::string category;
    std::optional<TenantId> tenant;
    bool overdue = false;
    std::size_t items_max = 100;
    std::size_t skip = 0;
};

// What a client may know of what it waits for.
struct Ticket {
    ItemId id;
    ItemState state = ItemState::kWaiting;
    Stage stage = Stage::kInput;
    std::optional<SubjectId> subject;
    std::string category;
    RecordId record;
    Time expires;
    bool has_answer = false;
};

struct PersonFigures {
    std::string name;
    std::uint64_t decided = 0;
    std::uint64_t sampled = 0;   // decisions of his that another took again
    std::uint64_t differed = 0;  // of these, otherwise
};

// Of the last thirty days, but for what is open.
struct QueueFigures {
    std::uint64_t waiting = 0;
    std::uint64_t second = 0;
    std::uint64_t escalated = 0;
    std::uint64_t overdue = 0;
    std::optional<Time> oldest;
    std::uint64_t released = 0;
    std::uint64_t refused = 0;
    std::uint64_t expired = 0;
    std::optional<std::chrono::milliseconds> median_wait;  // until the last decision
    std::optional<std::chrono::milliseconds> p95_wait;
    // Two people about the same item, without knowing of each other: how often they ruled the same,
    // and Cohen's kappa (1 agreement, 0 chance), where it is defined.
    std::uint64_t pairs = 0;
    std::uint64_t agreed = 0;
    std::optional<double> kappa;
    std::vector<PersonFigures> people;
};

// Pictures and videos are shown behind a veil (worker/veil.h) until a person asks for the original;
// texts and sounds have none, sounds play when they are started.
bool has_veil(const Evidence& evidence) noexcept;

// What is shown instead of the file.
struct Veil {
    Buffer file;
    std::string media_type;
    std::uint64_t pictures = 1;  // of an animation or of pages, of which the first is shown
    std::int64_t speed = 1;      // of a video; of an animation every so many pictures are shown
};

// How a person looks at an item.
struct Look {
    bool original = false;
    // Makes the veil of a file, where there is to be one. Its error is the look's: a file without a
    // veil is never shown instead, and nothing is recorded.
    std::function<Result<Veil>(Bytes file)> veil;
};

struct Viewed {
    Evidence evidence;
    std::optional<Veil> veil;
};

class ReviewQueue {
public:
    struct Parts {
        storage::Store& store;
        storage::Sealer& sealer;
        storage::Blobs& blobs;
        Clock& clock;
        Random& random;
    };
    ReviewQueue(const Parts& parts, QueueRules rules)
        : parts_(parts), rules_(std::make_shared<const QueueRules>(std::move(rules))) {}

    void replace_rules(QueueRules rules);
    std::shared_ptr<const QueueRules> rules() const;

    // --- For calls

    // kLimit when there is more evidence than is kept.
    // What was flagged and waits already, with the same content and entries, is the same item.
    Result<ItemId> add(const HeldCall& call, const Evidence& evidence, Cause cause = Cause::kHeld);
    // kNotFound for those of other tenants too.
    Result<Ticket> ticket(const TenantId& tenant, const ItemId& id) const;
    // What was released, and that the client has it from now on. kConflict when it was not
    // released, kNotFound when there is no answer or the person was erased.
    Result<WaitingAnswer> deliver(const TenantId& tenant, const ItemId& id);
    // Whether people let this text go in, in spite of these entries.
    struct Input {
        TenantId tenant;
        std::optional<SubjectId> subject;
        std::string_view text;  // or the bytes of a file
        std::span<const std::string> entries;
    };
    Result<bool> is_released(const ItemId& id, const Input& input);

    // --- For people

    Result<std::vector<Item>> list(const ItemQuery& query) const;
    Result<Item> find(const ItemId& id) const;
    // The next item for that person: urgent ones first, then by when they are due. Nothing when
    // there is none; kLimit when the person has enough.
    Result<std::optional<Item>> claim_next(const Person& person, const std::string& category);
    Result<Item> claim(const Person& person, const ItemId& id);  // kConflict: somebody has it
    Result<Item> extend(const Person& person, const ItemId& id);
    Result<void> give_back(const Person& person, const ItemId& id);
    // Recorded by `conduct`: "review.view" with the digest of the veil where there is one,
    // "review.view_original" when a picture or video is seen as it is. Of who has claimed it, or of
    // a lead.
    Result<Viewed> view(const Person& person, const ItemId& id, const Look& look,
                        const ledger::Conduct& conduct);
    // What follows from it. kConflict when the person has not claimed it, or has decided it before.
    Result<Item> decide(const Person& person, const ItemId& id, const PersonsDecision& decision,
                        const ledger::Conduct& conduct);
    // Another person shall decide too.
    Result<Item> ask_another(const Person& person, const ItemId& id,
                             const ledger::Conduct& conduct);
    // The own last decision. kConflict when it is too late.
    Result<Item> undo(const Person& person, const ItemId& id, const ledger::Conduct& conduct);
    // Open items with the same content of the same tenant, or held by exactly the same entries,
    // and then near copies of it, the most alike first.
    Result<std::vector<Item>> similar(const ItemId& id) const;
    // The same decision about items that are similar to one that the person has decided; each is
    // decided and recorded apart. Those that somebody has claimed meanwhile are left out: the
    // answer is what was decided.
    Result<std::vector<ItemId>> decide_similar(const Person& person, const ItemId& like,
                                               std::span<const ItemId> items,
                                               const ledger::Conduct& conduct);

    Result<QueueFigures> figures() const;

    // Texts that people have decided about, the oldest first, for a classifier to learn from. That
    // they are opened is recorded before the first is. What was erased is passed over.
    struct Decided {
        std::string category;  // empty: all
        Time since;
    };
    using DecidedVisitor = std::function<Result<void>(const Item& item, const Evidence& evidence)>;
    Result<void> visit_decided(const Decided& which, const ledger::Conduct& conduct,
                               const DecidedVisitor& visit) const;

    // Evidence goes with the record of its call: what is kept of items that nobody can decide any
    // more and whose record was purged is removed, and each transaction that does so is recorded.
    // What was decided, by whom and why stays. Returns how many items lost their evidence.
    Result<std::int64_t> purge(const ledger::Conduct& conduct);
    // Of a person who was erased: what the key that is gone had sealed gives its room back.
    Result<void> forget(const SubjectId& subject);

private:
    struct Deciding;
    Result<void> check_room(const Person& person, const QueueRules& rules) const;
    Result<void> check_may_decide(const Person& person, const Item& item) const;
    Result<bool> try_claim(const Person& person, const Item& item);
    Result<Evidence> open(const Item& item) const;
    Result<storage::Value> keep(const ItemId& id, const std::string& owner, Bytes sealed);
    Result<Buffer> sealed_blob(const std::string& owner, Bytes digest) const;
    Result<void> release_due();
    Result<Digest256> digest_of(const TenantId& tenant, Bytes content) const;
    Result<Buffer> print_of(const TenantId& tenant, const Evidence& evidence) const;
    Result<storage::Value> sealed_print(const ItemId& id, const HeldCall& call,
                                        const std::string& owner, const Evidence& evidence) const;
    Result<Buffer> open_print(const ItemId& id, const storage::Rows& rows, std::size_t row,
                              std::size_t column) const;
    Result<void> add_near(const Item& like, std::vector<Item>& similar) const;
    Result<ItemState> state_after(const Deciding& what) const;
    Result<Item> decide_item(const Deciding& what, const ledger::Conduct& conduct);
    Result<void> add_sample(storage::Batch& batch, const Item& item) const;

    Parts parts_;
    mutable std::mutex mutex_;
    std::shared_ptr<const QueueRules> rules_;  // guarded by mutex_
};

}  // namespace colophon::review
