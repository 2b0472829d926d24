// SPDX-License-Identifier: Apache-2.0
// Evidence that is too large for a row, and how people look at pictures and videos.
#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/records.h"
#include "review/queue.h"
#include "review/queue_house.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {
namespace {

std::int64_t count(TestStore& store, const std::string& what) {
    const std::string text = "SELECT COUNT(*) FROM " + what;
    return good(good(store->query(storage::Statement{text.c_str()}, {})).integer(0, 0));
}

std::vector<std::string> objects(House& house) {
    std::vector<std::string> names;
    good(house.stores.objects->list("blobs/", [&](std::string_view name) {
        names.emplace_back(name);
        return true;
    }));
    return names;
}

// A film whose bytes are all different from each other's places.
Buffer film(std::size_t bytes) {
    Buffer file(bytes);
    std::uint32_t state = 1;
    for (std::uint8_t& each : file) {
        state = state * 1664525U + 1013904223U;
        each = static_cast<std::uint8_t>(state >> 24U);
    }
    return file;
}

Evidence large(std::size_t bytes) {
    Evidence evidence = House::evidence("a hill");
    evidence.media_type = "video/mp4";
    evidence.file = film(bytes);
    evidence.answer->body = "labelled";
    return evidence;
}

}  // namespace

TEST_CASE("[DSP-10] what is too large for a row waits as a blob, whole, and is delivered") {
    each_engine([](TestStore& store) {
        House house(store);
        const Evidence evidence = large(std::size_t{40} << 20U);
        const ItemId id = good(house.queue.add(house.call(), evidence));
        CHECK(count(store, "review_items WHERE content IS NULL AND blob IS NOT NULL") == 1);
        CHECK(count(store, "review_blob_releases") == 0);
        REQUIRE(objects(house).size() == 1);
        const std::string object = objects(house).front();
        CHECK(good(house.stores.objects->size(object)).value_or(0) > evidence.file.size());
        // Nobody reads it in the object store.
        const Buffer head = good(house.stores.objects->get_range(object, 0, 1 << 20U));
        CHECK(std::ranges::search(head, Bytes(evidence.file).first(16)).empty());

        good(house.queue.claim(kLi, id));
        const Viewed seen = good(house.look(kLi, id, true));
        CHECK(seen.evidence.file == evidence.file);
        CHECK(!seen.veil);
        good(house.queue.decide(kLi, id, kRelease, house.conduct));
        CHECK(good(house.queue.deliver(house.stores.tenant, id)) == evidence.answer);
        // A small one beside it stays in its row.
        house.add("words");
        CHECK(count(store, "review_items WHERE content IS NOT NULL AND blob IS NULL") == 1);
        CHECK(objects(house).size() == 1);
    });
}

TEST_CASE("a blob that was changed, or that is another item's, does not open") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId one = good(house.queue.add(house.call(), large(5U << 20U)));
        const ItemId two = good(house.queue.add(house.call(), large(6U << 20U)));
        CHECK(good(house.look(kLead, one, true)).evidence.file.size() == 5U << 20U);
        storage::Batch swap;
        swap.operations.push_back(
            {.statement = storage::Statement{"UPDATE review_items SET blob = (SELECT o.blob FROM "
                                             "review_items o WHERE o.id = $2)"
                                             " WHERE id = $1"},
             .parameters = {storage::id_value(one), storage::id_value(two)}});
        good(store->apply(std::move(swap)));
        CHECK(code_of(house.look(kLead, one, true)) == ErrorCode::kCorrupt);
        for (const std::string& name : objects(house)) {
            Buffer bytes = good(house.stores.objects->get(name, 16U << 20U));
            bytes[bytes.size() / 2] ^= 1U;
            good(house.stores.objects->put(name, bytes, storage::Existing::kReplace));
        }
        CHECK(code_of(house.look(kLead, two, true)) == ErrorCode::kCorrupt);
    });
}

TEST_CASE("[DSP-10] blobs of evidence go with the record, with the person, and without an item") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId decided = good(house.queue.add(house.call(), large(5U << 20U)));
        const ItemId waiting = good(house.queue.add(house.call(), large(6U << 20U)));
        CHECK(objects(house).size() == 2);
        house.decide(kLi, decided, kRefuse);
        CHECK(good(house.queue.purge(house.conduct)) == 1);
        CHECK(objects(house).size() == 1);
        CHECK(count(store, "review_blob_releases") == 0);
        CHECK(code_of(house.look(kLead, decided)) == ErrorCode::kNotFound);
        CHECK(good(house.look(kLead, waiting, true)).evidence.file.size() == 6U << 20U);

        // Erased: unreadable with the key, gone with forget(), as is what lies in rows.
        const ItemId small = house.add("words");
        good(house.stores.keys->destroy(to_string(house.stores.subject)));
        CHECK(code_of(house.look(kLead, waiting)) == ErrorCode::kNotFound);
        good(house.queue.forget(house.stores.subject));
        CHECK(objects(house).empty());
        CHECK(count(store, "review_items WHERE content IS NOT NULL OR blob IS NOT NULL") == 0);
        CHECK(count(store, "blobs") == 0);
        CHECK(good(house.queue.find(small)).state == ItemState::kWaiting);

        // A process that died between the blob and its item: the intent finds it a day later.
        const std::string owner = to_string(house.stores.tenant);
        const ItemId never = good(make_random_id<ItemId>(house.stores.random));
        storage::Batch intent;
        intent.operations.push_back(
            {.statement =
                 storage::Statement{
                     "INSERT INTO review_blob_releases (item, due_at) VALUES ($1, $2)"},
             .parameters = {storage::id_value(never),
                            storage::time_value(house.stores.clock.now() + hours(24))}});
        good(store->apply(std::move(intent)));
        good(house.blobs.put(owner, "review:" + to_string(never), film(1000)));
        good(house.queue.purge(house.conduct));
        CHECK(objects(house).size() == 1);
        house.stores.clock.advance(hours(25));
        good(house.queue.purge(house.conduct));
        CHECK(objects(house).empty());
    });
}

TEST_CASE(
    "[DSP-10] a picture is seen through a veil first, and a look at the original is its own") {
    each_engine([](TestStore& store) {
        House house(store);
        Evidence picture = House::evidence("a lighthouse");
        picture.media_type = "image/png";
        picture.file = film(1000);
        CHECK(has_veil(picture));
        const ItemId id = good(house.queue.add(house.call(), picture));
        good(house.queue.claim(kLi, id));
        const Viewed veiled = good(house.look(kLi, id));
        REQUIRE(veiled.veil);
        CHECK(as_text(veiled.veil->file) == "veil of 1000");
        CHECK(house.operations() == std::vector<std::string>{"review.view"});
        const Viewed bare = good(house.look(kLi, id, true));
        CHECK(!bare.veil);
        CHECK(bare.evidence.file == picture.file);
        CHECK(house.operations() ==
              std::vector<std::string>{"review.view", "review.view_original"});
        CHECK(kinds(good(house.queue.find(id))) == std::vector{ActKind::kQueued, ActKind::kClaimed,
                                                               ActKind::kViewed,
                                                               ActKind::kViewedOriginal});
        CHECK(act_name(ActKind::kViewedOriginal) == "viewed_original");

        // Where no veil can be made nobody sees anything, and nobody is said to have.
        const auto broken = [](Bytes) -> Result<Veil> {
            return Error{ErrorCode::kUnsupported, "no veil"};
        };
        CHECK(code_of(house.queue.view(kLi, id, {.original = false, .veil = broken},
                                       house.conduct)) == ErrorCode::kUnsupported);
        CHECK(good(house.queue.find(id)).acts.size() == 4);
        CHECK(house.operations().size() == 2);
        // Of texts and sounds there is one view only.
        Evidence sound = House::evidence("a song");
        sound.media_type = "audio/wav";
        sound.file = film(1000);
        CHECK(!has_veil(sound));
        const ItemId heard = good(house.queue.add(house.call(), sound));
        CHECK(!good(house.look(kLead, heard, true)).veil);
        CHECK(!good(house.look(kLead, heard)).veil);
        CHECK(kinds(good(house.queue.find(heard))) ==
              std::vector{ActKind::kQueued, ActKind::kViewed, ActKind::kViewed});
    });
}

}  // namespace colophon::review
