// SPDX-License-Identifier: Apache-2.0
#include "review/queue.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "ledger/records.h"
#include "review/internal/queue_rows.h"
#include "review/library.h"
#include "review/queue_house.h"
#include "support/music.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::review {

TEST_CASE("a person sees the file that was held, or the answer where it is that file") {
    Evidence evidence;
    evidence.text = "what was asked";
    CHECK(shown_file(evidence).empty());
    evidence.answer =
        WaitingAnswer{.headers = {}, .body = "film", .text = {}, .label = {}, .content_id = {}};
    CHECK(shown_file(evidence).empty());
    evidence.media_type = "video/mp4";
    CHECK(as_text(shown_file(evidence)) == "film");
    CHECK(as_text(shown_file(read_evidence(write_evidence(evidence)).value())) == "film");
    evidence.file = {1, 2};
    CHECK(shown_file(evidence).size() == 2);
}

TEST_CASE("[DSP-10] what was held is claimed, looked at, released by a person and delivered") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = house.add();
        const TenantId tenant = house.stores.tenant;
        CHECK(good(house.queue.ticket(tenant, id)).state == ItemState::kWaiting);
        CHECK(code_of(house.queue.deliver(tenant, id)) == ErrorCode::kConflict);
        CHECK(code_of(house.look(kLi, id)) == ErrorCode::kConflict);
        const auto claimed = good(house.queue.claim_next(kLi, ""));
        REQUIRE(claimed);
        CHECK(claimed->id == id);
        CHECK(claimed->claimed_by == "li.wei");
        CHECK(!good(house.queue.claim_next(kWang, "")));
        const Evidence seen = good(house.look(kLi, id)).evidence;
        CHECK(seen.text == "some words");
        CHECK(seen.context == "what was asked");
        REQUIRE(seen.spans.size() == 1);
        CHECK(seen.spans[0] == Span{"w-1", 1, 3});
        const Item done = good(house.queue.decide(kLi, id, kRelease, house.conduct));
        CHECK(done.state == ItemState::kReleased);
        CHECK(kinds(done) == std::vector{ActKind::kQueued, ActKind::kClaimed, ActKind::kViewed,
                                         ActKind::kDecided});
        CHECK(house.operations() == std::vector<std::string>{"review.decide", "review.view"});
        CHECK(good(house.queue.deliver(tenant, id)) == House::evidence("some words").answer);
        // Again, for a client that lost it; the first time counts.
        const auto first = good(house.queue.find(id)).delivered;
        house.stores.clock.advance(minutes(1));
        good(house.queue.deliver(tenant, id));
        CHECK(good(house.queue.find(id)).delivered == first);
        CHECK(code_of(house.queue.undo(kLi, id, house.conduct)) == ErrorCode::kConflict);
    });
}

TEST_CASE("a ticket is its tenant's alone") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = house.add();
        const TenantId other = good(make_random_id<TenantId>(house.stores.random));
        CHECK(code_of(house.queue.ticket(other, id)) == ErrorCode::kNotFound);
        CHECK(code_of(house.queue.deliver(other, id)) == ErrorCode::kNotFound);
        const ItemId none = good(make_random_id<ItemId>(house.stores.random));
        CHECK(code_of(house.queue.ticket(house.stores.tenant, none)) == ErrorCode::kNotFound);
    });
}

TEST_CASE("two must agree where the house wants it, and a lead decides where they differ") {
    each_engine([](TestStore& store) {
        QueueRules rules = plain_rules();
        rules.four_eyes = {"A1a"};
        House house(store, rules);
        const ItemId agreed = house.add("one", "A1a");
        CHECK(house.decide(kLi, agreed, kRelease).state == ItemState::kSecond);
        CHECK(code_of(house.queue.claim(kLi, agreed)) == ErrorCode::kConflict);
        CHECK(!good(house.queue.claim_next(kLi, "")));
        CHECK(house.decide(kWang, agreed, kRelease).state == ItemState::kReleased);

        const ItemId differed = house.add("two", "A1a");
        house.decide(kLi, differed, kRelease);
        CHECK(house.decide(kWang, differed, kRefuse).state == ItemState::kEscalated);
        const Person third{.name = "zhao.min"};
        CHECK(code_of(house.queue.claim(third, differed)) == ErrorCode::kDenied);
        CHECK(!good(house.queue.claim_next(third, "")));
        CHECK(house.decide(kLead, differed, kRefuse).state == ItemState::kRefused);

        // Where one is enough, he may ask for another, or for a lead.
        const ItemId asked = house.add("three");
        good(house.queue.claim(kLi, asked));
        CHECK(good(house.queue.ask_another(kLi, asked, house.conduct)).opinions == 2);
        CHECK(good(house.queue.decide(kLi, asked, kRefuse, house.conduct)).state ==
              ItemState::kSecond);
        CHECK(house.decide(kWang, asked, kRefuse).state == ItemState::kRefused);
        const ItemId escalated = house.add("four");
        CHECK(house.decide(kLi, escalated, kEscalate).state == ItemState::kEscalated);
        good(house.queue.claim(kLead, escalated));
        CHECK(code_of(house.queue.decide(kLead, escalated, kEscalate, house.conduct)) ==
              ErrorCode::kInvalidArgument);
        CHECK(good(house.queue.decide(kLead, escalated, kRelease, house.conduct)).state ==
              ItemState::kReleased);

        const QueueFigures figures = good(house.queue.figures());
        CHECK(figures.pairs == 3);
        CHECK(figures.agreed == 2);
        REQUIRE(figures.kappa);
        // Rows: release, refuse: {1, 1}, {0, 1}; same 2/3, chance 4/9.
        CHECK(*figures.kappa == doctest::Approx(0.4));
        CHECK(figures.released == 2);
        CHECK(figures.refused == 2);
    });
}

TEST_CASE("a claim ends after a while, and with it the right to decide") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = house.add();
        good(house.queue.claim(kLi, id));
        CHECK(code_of(house.queue.claim(kWang, id)) == ErrorCode::kConflict);
        house.stores.clock.advance(minutes(10));
        good(house.queue.extend(kLi, id));
        house.stores.clock.advance(minutes(14));
        CHECK(good(house.queue.find(id)).claimed_by == "li.wei");
        house.stores.clock.advance(minutes(2));
        CHECK(good(house.queue.find(id)).claimed_by.empty());
        CHECK(code_of(house.queue.extend(kLi, id)) == ErrorCode::kConflict);
        CHECK(code_of(house.queue.decide(kLi, id, kRelease, house.conduct)) ==
              ErrorCode::kConflict);
        CHECK(good(house.queue.claim_next(kWang, ""))->id == id);
        CHECK(code_of(house.queue.decide(kLi, id, kRelease, house.conduct)) ==
              ErrorCode::kConflict);
        good(house.queue.give_back(kWang, id));
        CHECK(code_of(house.queue.give_back(kWang, id)) == ErrorCode::kConflict);
        CHECK(good(house.queue.claim_next(kLi, ""))->id == id);
    });
}

TEST_CASE("urgent items come first, then those that are due first") {
    each_engine([](TestStore& store) {
        QueueRules rules = plain_rules();
        rules.urgent = {"A1d"};
        House house(store, rules);
        const ItemId early = house.add("early");
        const ItemId late = house.add("late", "A4e");
        const ItemId urgent = house.add("urgent", "A1d");
        const auto order = good(house.queue.list({}));
        REQUIRE(order.size() == 3);
        CHECK(order[0].id == urgent);
        CHECK(order[1].id == early);
        CHECK(order[2].id == late);
        CHECK(good(house.queue.claim_next(kLi, "A4e"))->id == late);
        CHECK(good(house.queue.claim_next(kLi, ""))->id == urgent);
        CHECK(good(house.queue.claim_next(kLi, ""))->id == early);
        CHECK(!good(house.queue.claim_next(kLi, "")));
        ItemQuery due;
        due.overdue = true;
        CHECK(good(house.queue.list(due)).empty());
        house.stores.clock.advance(hours(2));
        CHECK(good(house.queue.list(due)).size() == 3);
        CHECK(good(house.queue.figures()).overdue == 3);
        house.stores.clock.advance(hours(72));
        CHECK(good(house.queue.list(due)).empty());
        ItemQuery over;
        over.state = ItemState::kExpired;
        CHECK(good(house.queue.list(over)).size() == 3);
        over.state = ItemState::kWaiting;
        CHECK(good(house.queue.list(over)).empty());
        CHECK(good(house.queue.figures()).expired == 3);
        CHECK(good(house.queue.ticket(house.stores.tenant, early)).state == ItemState::kExpired);
        CHECK(code_of(house.queue.claim(kLi, early)) == ErrorCode::kConflict);
    });
}

TEST_CASE("a decision is taken back while nobody has had what it let out") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = house.add();
        house.decide(kLi, id, kRelease);
        CHECK(code_of(house.queue.undo(kWang, id, house.conduct)) == ErrorCode::kConflict);
        const Item open = good(house.queue.undo(kLi, id, house.conduct));
        CHECK(open.state == ItemState::kWaiting);
        CHECK(open.claimed_by == "li.wei");
        CHECK(code_of(house.queue.deliver(house.stores.tenant, id)) == ErrorCode::kConflict);
        CHECK(good(house.queue.decide(kLi, id, kRefuse, house.conduct)).state ==
              ItemState::kRefused);
        house.stores.clock.advance(minutes(11));
        CHECK(code_of(house.queue.undo(kLi, id, house.conduct)) == ErrorCode::kConflict);
        CHECK(house.operations() ==
              std::vector<std::string>{"review.decide", "review.decide", "review.undo"});
    });
}

TEST_CASE("nobody decides more than is good for him, nor keeps more than he can look at") {
    each_engine([](TestStore& store) {
        QueueRules rules = plain_rules();
        rules.claims_at_once = 2;
        rules.decisions_a_day = 3;
        House house(store, rules);
        for (int i = 0; i < 6; ++i) {
            house.add("number " + std::to_string(i));
        }
        std::vector<ItemId> mine;
        for (int i = 0; i < 2; ++i) {
            mine.push_back(good(house.queue.claim_next(kLi, ""))->id);
        }
        CHECK(code_of(house.queue.claim_next(kLi, "")) == ErrorCode::kLimit);
        for (const ItemId& id : mine) {
            good(house.queue.decide(kLi, id, kRefuse, house.conduct));
        }
        house.decide(kLi, good(house.queue.claim_next(kLi, ""))->id, kRefuse);
        CHECK(code_of(house.queue.claim_next(kLi, "")) == ErrorCode::kLimit);
        house.stores.clock.advance(hours(25));
        CHECK(good(house.queue.claim_next(kLi, "")));
    });
}

TEST_CASE("a sample is decided again by another person, and a lead decides where they differ") {
    each_engine([](TestStore& store) {
        QueueRules rules = plain_rules();
        rules.sample_per_mille = 1000;
        House house(store, rules);
        const ItemId id = house.add("words");
        house.decide(kLi, id, kRefuse);
        CHECK(!good(house.queue.claim_next(kLi, "")));
        const auto sample = good(house.queue.claim_next(kWang, ""));
        REQUIRE(sample);
        CHECK(sample->cause == Cause::kSample);
        CHECK(sample->sample_of == id);
        CHECK(good(house.look(kWang, sample->id)).evidence.text == "words");
        CHECK(good(house.queue.decide(kWang, sample->id, kRelease, house.conduct)).state ==
              ItemState::kEscalated);
        CHECK(house.decide(kLead, sample->id, kRelease).state == ItemState::kReleased);
        // The client's ticket stays as it was; the sample is none.
        CHECK(good(house.queue.ticket(house.stores.tenant, id)).state == ItemState::kRefused);
        CHECK(code_of(house.queue.ticket(house.stores.tenant, sample->id)) == ErrorCode::kNotFound);
        const QueueFigures figures = good(house.queue.figures());
        CHECK(figures.pairs == 1);
        CHECK(figures.agreed == 0);
        const auto li = std::ranges::find(figures.people, "li.wei", &PersonFigures::name);
        REQUIRE(li != figures.people.end());
        CHECK(li->sampled == 1);
        CHECK(li->differed == 1);
    });
}

TEST_CASE("similar items are decided together, each for itself, but for those that others have") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId first = house.add("a");
        const ItemId second = house.add("b");
        const ItemId taken = house.add("c");
        HeldCall call = house.call();
        call.entries = {"w-2"};
        const ItemId same = good(house.queue.add(call, House::evidence("a")));
        const ItemId other = good(house.queue.add(call, House::evidence("d")));
        const auto similar = good(house.queue.similar(first));
        CHECK(similar.size() == 3);
        good(house.queue.claim(kWang, taken));
        const std::vector all{second, taken, same, other};
        CHECK(code_of(house.queue.decide_similar(kLi, first, all, house.conduct)) ==
              ErrorCode::kConflict);
        house.decide(kLi, first, kRelease);
        CHECK(good(house.queue.decide_similar(kLi, first, all, house.conduct)) ==
              std::vector{second, same});
        CHECK(good(house.queue.find(second)).state == ItemState::kReleased);
        CHECK(good(house.queue.find(taken)).state == ItemState::kWaiting);
        CHECK(good(house.queue.find(other)).state == ItemState::kWaiting);
    });
}

// [DSP-10]
TEST_CASE("near copies of texts, pictures, sounds and videos are similar items, best first") {
    each_engine([](TestStore& store) {
        House house(store);
        int entry = 0;
        const auto add = [&](const Evidence& evidence) {
            house.stores.clock.advance(std::chrono::milliseconds(10));
            HeldCall call = house.call();
            call.entries = {"e-" + std::to_string(++entry)};
            return good(house.queue.add(call, evidence));
        };
        std::string text;
        for (int i = 0; i < 60; ++i) {
            text += "sentence " + std::to_string(i * i * 7919 % 10'007) + " of what was said. ";
        }
        std::string little = text;
        little.replace(100, 60, "other words, which somebody put here instead");
        std::string more = text;
        more.replace(100, 500, "and here there is nothing left of a quarter of the text at all");
        const ItemId first = add(House::evidence(text));
        const ItemId changed = add(House::evidence(more));
        const ItemId near = add(House::evidence(little));
        const ItemId none = add(House::evidence("nothing of that kind was said in this text here"));
        const auto texts = good(house.queue.similar(first));
        REQUIRE(texts.size() == 2);
        CHECK(texts[0].id == near);
        CHECK(texts[1].id == changed);
        CHECK(texts[0].likeness.value() > texts[1].likeness.value());
        CHECK(texts[1].likeness.value() >= kNearTextLikeness);
        CHECK(good(house.queue.similar(none)).empty());
        // Nobody finds those of another tenant.
        HeldCall foreign = house.call();
        foreign.tenant = good(make_random_id<TenantId>(house.stores.random));
        foreign.subject.reset();
        foreign.entries = {"foreign"};
        good(house.queue.add(foreign, House::evidence(text)));
        CHECK(good(house.queue.similar(first)).size() == 2);

        const auto picture = [&](std::uint64_t word) {
            Evidence evidence = House::evidence("a picture");
            evidence.file = to_buffer(as_bytes("file " + std::to_string(entry)));
            evidence.media_type = "image/png";
            evidence.prints.picture.resize(2);
            evidence.prints.picture[0].words = {word, 1, 2, 3};
            evidence.prints.picture[1].words = {~word, 4, 5, 6};
            return add(evidence);
        };
        const ItemId shown = picture(0xffff);
        const ItemId like_it = picture(0xfffe);
        picture(0x5555'5555'5555'5555);
        const auto pictures = good(house.queue.similar(shown));
        REQUIRE(pictures.size() == 1);
        CHECK(pictures[0].id == like_it);
        CHECK(pictures[0].likeness.value() == doctest::Approx(1 - 1 / 256.0));

        const auto sound = [&](std::uint32_t seed, std::size_t begin) {
            fingerprint::SoundPrinter printer;
            printer.push(test::make_music(seed, 30, fingerprint::kSoundRate));
            Evidence evidence = House::evidence("a song");
            evidence.file = to_buffer(as_bytes("file " + std::to_string(entry)));
            evidence.media_type = "audio/mpeg";
            const auto& items = printer.print().items;
            evidence.prints.sound.items.assign(items.begin() + static_cast<std::ptrdiff_t>(begin),
                                               items.end());
            return add(evidence);
        };
        const ItemId sung = sound(1, 0);
        const ItemId part = sound(1, 90);
        sound(2, 0);
        const auto sounds = good(house.queue.similar(sung));
        REQUIRE(sounds.size() == 1);
        CHECK(sounds[0].id == part);
        CHECK(sounds[0].likeness.value() == doctest::Approx(1));
        // A film, a part of it with another beginning, and a film of other pictures.
        const auto film = [&](std::uint64_t seed, std::size_t begin, std::size_t count,
                              std::int64_t later) {
            Evidence evidence = House::evidence("a film");
            evidence.file = to_buffer(as_bytes("file " + std::to_string(entry)));
            evidence.media_type = "video/mp4";
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t word = (begin + i + 1) * 0x9e37'79b9'7f4a'7c15U * seed;
                fingerprint::VideoFramePrint frame;
                frame.number = i;
                frame.time_ms = static_cast<std::int64_t>(i) * 250 + later;
                frame.quality = 90;
                frame.hash.words = {word, word * 31, ~word, word ^ (word >> 7U)};
                evidence.prints.video.frames.push_back(frame);
            }
            return add(evidence);
        };
        const ItemId whole = film(1, 0, 60, 0);
        const ItemId cut = film(1, 20, 30, 7'000);
        film(999'983, 0, 60, 0);
        const auto films = good(house.queue.similar(whole));
        REQUIRE(films.size() == 1);
        CHECK(films[0].id == cut);
        CHECK(films[0].likeness.value() == doctest::Approx(1));
        CHECK(good(house.queue.similar(cut)).size() == 1);

        // With one ruling, as those with the same content.
        house.decide(kLi, sung, kRelease);
        CHECK(good(house.queue.decide_similar(kLi, sung, std::vector{part, none}, house.conduct)) ==
              std::vector{part});
    });
}

// [DSP-10]
TEST_CASE("what was only flagged comes after what was held, once, and holds nobody up") {
    each_engine([](TestStore& store) {
        House house(store);
        Evidence evidence = House::evidence("flagged words");
        evidence.answer.reset();
        const auto flag = [&] {
            house.stores.clock.advance(std::chrono::milliseconds(10));
            return good(house.queue.add(house.call(), evidence, Cause::kFlagged));
        };
        const ItemId flagged = flag();
        CHECK(flag() == flagged);
        const ItemId held = house.add("held words");
        const auto next = good(house.queue.claim_next(kLi, ""));
        REQUIRE(next);
        CHECK(next->id == held);
        const auto after = good(house.queue.claim_next(kLi, ""));
        REQUIRE(after);
        CHECK(after->id == flagged);
        CHECK(after->cause == Cause::kFlagged);
        CHECK(cause_name(after->cause) == "flagged");
        CHECK(after->priority == -1);
        // It is no ticket: what it is about has gone out.
        CHECK(code_of(house.queue.ticket(house.stores.tenant, flagged)) == ErrorCode::kNotFound);
        CHECK(house.decide(kLi, flagged, kRelease).state == ItemState::kReleased);
        CHECK(code_of(house.queue.deliver(house.stores.tenant, flagged)) == ErrorCode::kNotFound);
        // Decided, it waits no longer: the next is another.
        CHECK(flag() != flagged);
    });
}

TEST_CASE("a released input passes as it was shown, and not otherwise") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = good(house.queue.add(house.call(Stage::kInput), House::evidence("ask")));
        const std::vector<std::string> entries{"w-1"};
        const std::vector<std::string> more{"w-1", "w-9"};
        const auto released = [&](std::string_view text, const std::vector<std::string>& of,
                                  std::optional<SubjectId> subject) {
            return good(house.queue.is_released(
                id,
                {.tenant = house.stores.tenant, .subject = subject, .text = text, .entries = of}));
        };
        CHECK(!released("ask", entries, house.stores.subject));
        house.decide(kLi, id, kRelease);
        CHECK(!released("ask", more, house.stores.subject));
        CHECK(!released("asked", entries, house.stores.subject));
        CHECK(!released("ask", entries, std::nullopt));
        CHECK(released("ask", entries, house.stores.subject));
        CHECK(released("ask", entries, house.stores.subject));
        CHECK(code_of(house.queue.undo(kLi, id, house.conduct)) == ErrorCode::kConflict);
        house.stores.clock.advance(hours(73));
        CHECK(!released("ask", entries, house.stores.subject));
    });
}

TEST_CASE("an item is never claimed by two, and none is lost between them") {
    each_engine([](TestStore& store) {
        House house(store);
        constexpr int kItems = 40;
        for (int i = 0; i < kItems; ++i) {
            house.add("number " + std::to_string(i));
        }
        std::mutex mutex;
        std::map<ItemId, int> times;
        std::atomic<bool> failed = false;
        const auto work = [&](const std::string& name) {
            const Person person{.name = name};
            for (;;) {
                const auto item = house.queue.claim_next(person, "");
                if (!item.ok()) {
                    failed = true;
                    return;
                }
                if (!*item) {
                    return;
                }
                const std::lock_guard lock(mutex);
                ++times[(*item)->id];
                if (!house.queue.decide(person, (*item)->id, kRefuse, house.conduct).ok()) {
                    failed = true;
                }
            }
        };
        std::vector<std::thread> people;
        for (const char* name : {"a", "b", "c", "d"}) {
            people.emplace_back(work, name);
        }
        for (std::thread& each : people) {
            each.join();
        }
        CHECK(!failed);
        CHECK(times.size() == kItems);
        CHECK(std::ranges::all_of(times, [](const auto& each) { return each.second == 1; }));
    });
}

TEST_CASE("[DSP-10] evidence goes when the record of its call has gone, what was decided stays") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId waiting = house.add("still open");
        const ItemId decided = house.add("decided");
        const ledger::ServiceRecord record = house.stores.record();
        good(house.records.append(record));
        HeldCall call = house.call();
        call.record = record.facts.id;
        const ItemId kept = good(house.queue.add(call, House::evidence("decided, on record")));
        house.decide(kLi, decided, kRelease);
        house.decide(kLi, kept, kRefuse);

        CHECK(good(house.queue.purge(house.conduct)) == 1);
        CHECK(good(house.queue.purge(house.conduct)) == 0);
        CHECK(code_of(house.look(kLead, decided)) == ErrorCode::kNotFound);
        CHECK(code_of(house.queue.deliver(house.stores.tenant, decided)) == ErrorCode::kNotFound);
        const Item after = good(house.queue.find(decided));
        CHECK(after.state == ItemState::kReleased);
        CHECK(after.acts.size() == 3);
        CHECK(good(house.look(kLead, kept)).evidence.text == "decided, on record");
        CHECK(good(house.look(kLead, waiting)).evidence.text == "still open");
        CHECK(std::ranges::count(house.operations(), "review.purge") == 1);

        house.stores.clock.advance(hours(73));  // nobody can decide it any more
        CHECK(good(house.queue.purge(house.conduct)) == 1);
        CHECK(code_of(house.look(kLead, waiting)) == ErrorCode::kNotFound);
    });
}

TEST_CASE("an erased person's item cannot be read, and its ticket has nothing to give") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = house.add();
        house.decide(kLi, id, kRelease);
        good(house.stores.keys->destroy(to_string(house.stores.subject)));
        CHECK(code_of(house.queue.deliver(house.stores.tenant, id)) == ErrorCode::kNotFound);
        CHECK(code_of(house.look(kLead, id)) == ErrorCode::kNotFound);
        CHECK(good(house.queue.find(id)).state == ItemState::kReleased);
    });
}

TEST_CASE("decisions without a fitting reason and evidence beyond the limit are refused") {
    each_engine([](TestStore& store) {
        House house(store);
        const ItemId id = house.add();
        good(house.queue.claim(kLi, id));
        for (const PersonsDecision& wrong :
             {PersonsDecision{Ruling::kRelease, "confirmed", ""},
              PersonsDecision{Ruling::kRefuse, "", ""},
              PersonsDecision{Ruling::kRefuse, "confirmed", std::string(3000, 'x')},
              PersonsDecision{Ruling::kRefuse, "confirmed", "\xff"}}) {
            CHECK(code_of(house.queue.decide(kLi, id, wrong, house.conduct)) ==
                  ErrorCode::kInvalidArgument);
        }
        CHECK(code_of(house.queue.add(house.call(),
                                      House::evidence(std::string(kEvidenceBytesMax, 'x')))) ==
              ErrorCode::kLimit);
    });
}

TEST_CASE("evidence that was cut or changed is told from what was kept") {
    Evidence evidence = House::evidence("some words");
    evidence.file = {1, 2, 3};
    const Buffer whole = write_evidence(evidence);
    const Evidence read = good(read_evidence(whole));
    CHECK(read.text == evidence.text);
    CHECK(read.file == evidence.file);
    CHECK(read.answer == evidence.answer);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK(!read_evidence(Bytes(whole).first(size)).ok());
    }
    Buffer longer = whole;
    longer.push_back(0);
    CHECK(code_of(read_evidence(longer)) == ErrorCode::kCorrupt);
}

}  // namespace colophon::review
