// SPDX-License-Identifier: Apache-2.0
// Items of the queue that are nearly the same: texts by the marks that winnowing keeps, pictures by
// PDQ, sounds by their items, videos by their pictures. The print of an item lies beside its
// evidence, sealed under the same key, so that it goes with it.
//
//   print   a byte that says of what: 1 text, 2 picture, 3 sound, 4 video; then
//           text     up to kTextMarksMax of its least marks, 8 bytes each
//           picture  its hashes as it is, turned and mirrored, 32 bytes each
//           sound    up to kSoundItemsKept of its items, 4 bytes each
//           video    up to kVideoFramesKept of its pictures: time in milliseconds, 4 bytes, the
//                    highest first; quality, 1; hash, 32
#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "fingerprint/text.h"
#include "fingerprint/video.h"
#include "review/internal/queue_rows.h"
#include "review/queue.h"
#include "storage/row_values.h"
#include "storage/sealer.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::Rows;
using storage::Statement;
using storage::time_value;

constexpr std::string_view kPrintPurpose = "review_items.print";
constexpr std::size_t kTextMarksMax = 256;
constexpr std::size_t kSoundItemsKept = 1024;  // two minutes
constexpr std::uint8_t kOfText = 1;
constexpr std::uint8_t kOfPicture = 2;
constexpr std::uint8_t kOfSound = 3;
constexpr std::uint8_t kOfVideo = 4;
// A minute in which all is motion, or more: two of them are compared in 0.1 ms.
constexpr std::size_t kVideoFramesKept = 240;
constexpr std::size_t kTimeBytes = 4;
constexpr std::size_t kFrameBytes = kTimeBytes + 1 + fingerprint::kPdqBits / 8;

constexpr Statement kPrintOf{"SELECT owner, print FROM review_items WHERE id = $1"};
// The newest of what waits; more is more than anybody decides about at once.
constexpr Statement kOthers{
    "SELECT " COLOPHON_ITEM_COLUMNS
    ", i.owner, i.print FROM review_items i WHERE i.state <= 2 AND i.cause <> 2"
    " AND i.expires_at > $2 AND i.tenant = $3 AND i.stage = $4 AND i.id <> $1"
    " AND i.print IS NOT NULL ORDER BY i.created_at DESC, i.id LIMIT 5000"};
constexpr std::size_t kOwnerColumn = 23;

Buffer tagged(std::uint8_t of, Bytes print) {
    Buffer out(1 + print.size(), of);
    std::ranges::copy(print, out.begin() + 1);
    return out;
}

Result<std::vector<fingerprint::PdqHash>> hashes_of(Bytes print) {
    constexpr std::size_t kHashBytes = fingerprint::kPdqBits / 8;
    std::vector<fingerprint::PdqHash> hashes;
    while (!print.empty()) {
        const Bytes one = print.first(std::min(print.size(), kHashBytes));
        hashes.push_back(TRY(fingerprint::parse_pdq_bytes(one)));
        print = print.subspan(one.size());
    }
    return hashes;
}

double sound_likeness(const fingerprint::SoundPrint& a, const fingerprint::SoundPrint& b) {
    const auto stretch = fingerprint::match_sounds(a, b);
    const std::size_t shorter = std::min(a.items.size(), b.items.size());
    return stretch && shorter > 0
               ? static_cast<double>(stretch->items) / static_cast<double>(shorter)
               : 0;
}

Buffer frames_to_bytes(const fingerprint::VideoPrint& print) {
    Buffer out;
    for (const fingerprint::VideoFramePrint& frame : print.frames) {
        if (out.size() == kVideoFramesKept * kFrameBytes) {
            break;
        }
        if (frame.quality < fingerprint::kPdqQualityMin) {
            continue;
        }
        const auto time = static_cast<std::uint32_t>(frame.time_ms);
        for (unsigned shift = 32; shift > 0; shift -= 8) {
            out.push_back(static_cast<std::uint8_t>(time >> (shift - 8)));
        }
        out.push_back(static_cast<std::uint8_t>(frame.quality));
        const auto hash = fingerprint::to_bytes(frame.hash);
        out.insert(out.end(), hash.begin(), hash.end());
    }
    return out;
}

Result<fingerprint::VideoPrint> frames_of(Bytes print) {
    fingerprint::VideoPrint video;
    if (print.size() % kFrameBytes != 0) {
        return Error{ErrorCode::kCorrupt, "the print of a video that is kept has another form"};
    }
    for (; !print.empty(); print = print.subspan(kFrameBytes)) {
        std::uint32_t time = 0;
        for (const std::uint8_t byte : print.first(kTimeBytes)) {
            time = time << 8U | byte;
        }
        video.frames.push_back({.number = video.frames.size(),
                                .time_ms = time,
                                .hash = TRY(fingerprint::parse_pdq_bytes(
                                    print.subspan(kTimeBytes + 1, fingerprint::kPdqBits / 8))),
                                .quality = print[kTimeBytes]});
    }
    return video;
}

// How much of the one is in the other, of which it may be a part.
std::optional<double> video_likeness(const fingerprint::VideoPrint& a,
                                     const fingerprint::VideoPrint& b) {
    constexpr double kPercent = 100;
    const fingerprint::VideoMatch match = fingerprint::match_videos(a, b);
    if (!fingerprint::is_copy(match)) {
        return std::nullopt;
    }
    return std::max({match.query_percent, match.other_percent, match.query_aligned_percent,
                     match.other_aligned_percent}) /
           kPercent;
}

// 0 .. 1, or nothing when they are no near copies.
Result<std::optional<double>> likeness_of(Bytes one, Bytes other) {
    std::optional<double> none;
    if (one.empty() || other.empty() || one[0] != other[0]) {
        return none;
    }
    const std::uint8_t of = one[0];
    one = one.subspan(1);
    other = other.subspan(1);
    if (of == kOfText) {
        const auto a = TRY(fingerprint::parse_text_print(one));
        const auto b = TRY(fingerprint::parse_text_print(other));
        const double likeness = fingerprint::sketch_likeness(a, b);
        return likeness >= kNearTextLikeness ? std::optional(likeness) : none;
    }
    if (of == kOfPicture) {
        const auto mine = TRY(hashes_of(one));
        const auto theirs = TRY(hashes_of(other));
        int least = static_cast<int>(fingerprint::kPdqBits);
        for (const fingerprint::PdqHash& hash : theirs) {
            least =
                mine.empty() ? least : std::min(least, fingerprint::distance(mine.front(), hash));
        }
        return least <= fingerprint::kPdqDistanceMax
                   ? std::optional(1 - least / static_cast<double>(fingerprint::kPdqBits))
                   : none;
    }
    if (of == kOfVideo) {
        const auto a = TRY(frames_of(one));
        const auto b = TRY(frames_of(other));
        return video_likeness(a, b);
    }
    const auto a = TRY(fingerprint::parse_sound_print_bytes(one));
    const auto b = TRY(fingerprint::parse_sound_print_bytes(other));
    const double likeness = sound_likeness(a, b);
    return likeness > 0 ? std::optional(likeness) : none;
}

}  // namespace

Result<Buffer> ReviewQueue::print_of(const TenantId& tenant, const Evidence& evidence) const {
    const EvidencePrints& prints = evidence.prints;
    if (!prints.picture.empty()) {
        Buffer all;
        for (const fingerprint::PdqHash& hash : prints.picture) {
            const auto bytes = fingerprint::to_bytes(hash);
            all.insert(all.end(), bytes.begin(), bytes.end());
        }
        return tagged(kOfPicture, all);
    }
    if (!prints.sound.items.empty()) {
        fingerprint::SoundPrint kept = prints.sound;
        kept.items.resize(std::min(kept.items.size(), kSoundItemsKept));
        return tagged(kOfSound, fingerprint::to_bytes(kept));
    }
    if (!prints.video.frames.empty()) {
        const Buffer frames = frames_to_bytes(prints.video);
        return frames.empty() ? Buffer() : tagged(kOfVideo, frames);
    }
    if (!shown_file(evidence).empty() || evidence.text.empty()) {
        return Buffer();
    }
    // Under a key of the tenant: who reads the table cannot try texts.
    const fingerprint::TextPrintKey key{.bytes = TRY(parts_.sealer.keyed_digest(
                                            as_bytes("marks"), to_string(tenant), kPrintPurpose))};
    auto print = fingerprint::print_text(evidence.text, key);
    if (!print.ok() || print->marks.empty()) {
        return Buffer();  // no text that could be like another
    }
    print->marks.resize(std::min(print->marks.size(), kTextMarksMax));
    return tagged(kOfText, fingerprint::to_bytes(*print));
}

Result<storage::Value> ReviewQueue::sealed_print(const ItemId& id, const HeldCall& call,
                                                 const std::string& owner,
                                                 const Evidence& evidence) const {
    const Buffer print = TRY(print_of(call.tenant, evidence));
    if (print.empty()) {
        return storage::null();
    }
    const std::string name = to_string(id);
    return storage::bytes(
        TRY(parts_.sealer.seal(print, {.owner = owner, .purpose = kPrintPurpose, .id = name})));
}

// Nothing when none is kept, or its key was destroyed.
Result<Buffer> ReviewQueue::open_print(const ItemId& id, const Rows& rows, std::size_t row,
                                       std::size_t column) const {
    if (rows.is_null(row, column + 1)) {
        return Buffer();
    }
    const std::string_view owner = TRY(rows.text(row, column));
    const Bytes sealed = TRY(rows.bytes(row, column + 1));
    const std::string name = to_string(id);
    auto print = parts_.sealer.open(sealed, {.owner = owner, .purpose = kPrintPurpose, .id = name});
    if (!print.ok() && print.error().code == ErrorCode::kNotFound) {
        return Buffer();
    }
    return print;
}

Result<void> ReviewQueue::add_near(const Item& like, std::vector<Item>& similar) const {
    const ItemId& kept = like.sample_of ? *like.sample_of : like.id;
    const Rows own = TRY(parts_.store.query(kPrintOf, {storage::id_value(kept)}));
    if (own.empty()) {
        return {};
    }
    const Buffer print = TRY(open_print(kept, own, 0, 0));
    if (print.empty()) {
        return {};
    }
    const Time now = parts_.clock.now();
    const Rows rows = TRY(parts_.store.query(
        kOthers, {storage::id_value(like.id), time_value(now), storage::id_value(like.call.tenant),
                  integer(static_cast<std::int64_t>(like.call.stage))}));
    std::vector<Item> near;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const ItemId id = TRY(storage::id_at<ItemId>(rows, row, 0));
        const Buffer other = TRY(open_print(id, rows, row, kOwnerColumn));
        const auto likeness = TRY(likeness_of(print, other));
        if (!likeness) {
            continue;
        }
        const auto known = std::ranges::find(similar, id, &Item::id);
        if (known != similar.end()) {
            known->likeness = likeness;
            continue;
        }
        near.push_back(TRY(item_at(rows, row, now)));
        near.back().likeness = likeness;
    }
    std::ranges::sort(near, [](const Item& a, const Item& b) {
        const double one = a.likeness.value_or(0);
        const double other = b.likeness.value_or(0);
        return one != other ? one > other : a.id.bytes < b.id.bytes;
    });
    for (Item& item : near) {
        similar.push_back(std::move(item));
    }
    return {};
}

}  // namespace colophon::review
