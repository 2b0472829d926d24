// SPDX-License-Identifier: Apache-2.0
#include "storage/objects_suite.h"

#include "core/bytes.h"
#include "storage/limits.h"
#include "storage/objects.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::uint64_t kMax = 1U << 30U;

std::string text_of(ObjectStore& objects, std::string_view name) {
    const Result<Buffer> content = objects.get(name, kMax);
    return content.ok() ? std::string(as_text(*content)) : "error: " + content.error().what;
}

std::vector<std::string> names(ObjectStore& objects, std::string_view prefix,
                               std::size_t count_max = 1000) {
    std::vector<std::string> found;
    const Result<void> listed = objects.list(prefix, [&](std::string_view name) {
        found.emplace_back(name);
        return found.size() < count_max;
    });
    CHECK(listed.ok());
    return found;
}

using Names = std::vector<std::string>;

void check_put_and_get(ObjectStore& objects) {
    CHECK(objects.get("a/one", kMax).error().code == ErrorCode::kNotFound);
    CHECK(objects.get_range("a/one", 0, 1).error().code == ErrorCode::kNotFound);
    CHECK_FALSE(objects.size("a/one").value().has_value());
    REQUIRE(objects.put("a/one", as_bytes("first"), Existing::kRefuse).ok());
    CHECK(text_of(objects, "a/one") == "first");
    CHECK(objects.size("a/one").value() == 5U);
    CHECK(objects.put("a/one", as_bytes("second"), Existing::kRefuse).error().code ==
          ErrorCode::kConflict);
    CHECK(objects.put("a/one", as_bytes("third"), Existing::kKeep).ok());
    CHECK(text_of(objects, "a/one") == "first");
    CHECK(objects.put("a/one", as_bytes("fourth"), Existing::kReplace).ok());
    CHECK(text_of(objects, "a/one") == "fourth");
    CHECK(objects.put("a/empty", {}, Existing::kKeep).ok());
    CHECK(text_of(objects, "a/empty").empty());
    CHECK(objects.size("a/empty").value() == 0U);
    CHECK(objects.get("a/one", 5).error().code == ErrorCode::kLimit);
    CHECK(objects.get("a/one", 6).ok());
}

void check_ranges(ObjectStore& objects) {
    REQUIRE(objects.put("r", as_bytes("0123456789"), Existing::kReplace).ok());
    const auto range = [&](std::uint64_t offset, std::uint64_t size) {
        const Result<Buffer> part = objects.get_range("r", offset, size);
        return part.ok() ? std::string(as_text(*part)) : "error: " + part.error().what;
    };
    CHECK(range(0, 3) == "012");
    CHECK(range(7, 3) == "789");
    CHECK(range(7, 30) == "789");
    CHECK(range(10, 1).empty());
    CHECK(range(1000, 1).empty());
    CHECK(range(4, 0).empty());
    CHECK(objects.get_range("r", 0, kObjectInMemoryBytesMax + 1).error().code == ErrorCode::kLimit);
    CHECK(objects.remove("r").ok());
}

void check_writers(ObjectStore& objects) {
    {
        const auto writer = objects.write("w/dropped", Existing::kReplace);
        REQUIRE(writer.ok());
        CHECK((*writer)->append(as_bytes("half")).ok());
    }
    CHECK_FALSE(objects.size("w/dropped").value().has_value());
    const auto first = objects.write("w/race", Existing::kRefuse);
    const auto second = objects.write("w/race", Existing::kRefuse);
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK((*first)->append(as_bytes("fir")).ok());
    CHECK((*second)->append(as_bytes("second")).ok());
    CHECK((*first)->append(as_bytes("st")).ok());
    CHECK_FALSE(objects.size("w/race").value().has_value());
    CHECK((*first)->commit().ok());
    CHECK((*second)->commit().error().code == ErrorCode::kConflict);
    CHECK(text_of(objects, "w/race") == "first");
    CHECK(objects.remove("w/race").ok());
}

void check_lists(ObjectStore& objects) {
    // In byte order '-' and '.' come before '/', which comes before letters and digits.
    const Names all = {"l/a-", "l/a.b", "l/a/b", "l/a/c/d", "l/a0", "l/ab", "l/b"};
    for (const std::string& name : all) {
        REQUIRE(objects.put(name, as_bytes(name), Existing::kReplace).ok());
    }
    CHECK(names(objects, "l/") == all);
    CHECK(names(objects, "l/a/") == Names{"l/a/b", "l/a/c/d"});
    CHECK(names(objects, "l/a") == Names(all.begin(), all.begin() + 6));
    CHECK(names(objects, "l/a/c") == Names{"l/a/c/d"});
    CHECK(names(objects, "l/nothing").empty());
    CHECK(names(objects, "l/a/b/c").empty());
    CHECK(names(objects, "l/", 2) == Names{"l/a-", "l/a.b"});
    for (const std::string& name : all) {
        CHECK(objects.remove(name).ok());
    }
    CHECK(names(objects, "l/").empty());
}

void check_names(ObjectStore& objects) {
    for (const std::string_view bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.",
                                       "a.part", "x.part/b", "a b", "a\\b", "\xC3\xA9", "a\n"}) {
        CAPTURE(bad);
        CHECK(objects.put(bad, {}, Existing::kReplace).error().code == ErrorCode::kInvalidArgument);
        CHECK(objects.get(bad, 1).error().code == ErrorCode::kInvalidArgument);
        CHECK(objects.get_range(bad, 0, 1).error().code == ErrorCode::kInvalidArgument);
        CHECK(objects.size(bad).error().code == ErrorCode::kInvalidArgument);
        CHECK(objects.remove(bad).error().code == ErrorCode::kInvalidArgument);
    }
    CHECK(objects.list("a/../", [](std::string_view) { return true; }).error().code ==
          ErrorCode::kInvalidArgument);
    const std::string longest =
        std::string(250, 'a') + "/" + std::string(kObjectNameBytesMax - 251, 'b');
    CHECK(objects.put(std::string_view(longest).substr(0, 260), as_bytes("x"), Existing::kReplace)
              .ok());
    CHECK(objects.remove(std::string_view(longest).substr(0, 260)).ok());
    CHECK(objects.put(longest, {}, Existing::kReplace).error().code == ErrorCode::kInvalidArgument);
    CHECK(objects.remove("never/was").ok());
}

}  // namespace

void check_several(ObjectStore& objects) {
    CHECK(objects.put("several/old", as_bytes("old"), Existing::kReplace).ok());
    const std::array<NamedBytes, 3> several{{{.name = "several/old", .content = as_bytes("new")},
                                             {.name = "several/empty", .content = {}},
                                             {.name = "several/b/c", .content = as_bytes("deep")}}};
    CHECK(objects.put_all(several).ok());
    CHECK(objects.put_all({}).ok());
    for (const NamedBytes& each : several) {
        CHECK(as_text(objects.get(each.name, kMax).value()) == as_text(each.content));
        CHECK(objects.remove(each.name).ok());
    }
    CHECK(names(objects, "several").empty());
}

void check_objects(ObjectStore& objects) {
    check_put_and_get(objects);
    check_several(objects);
    check_ranges(objects);
    check_writers(objects);
    check_lists(objects);
    check_names(objects);
    CHECK(objects.remove("a/one").ok());
    CHECK(objects.remove("a/empty").ok());
    CHECK(names(objects, "").empty());
}

void check_objects_together(ObjectStore& objects) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 12;
    std::atomic<int> made{0};
    std::atomic<int> torn{0};
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (int round = 0; round < kRounds; ++round) {
                const std::string content(1000, static_cast<char>('a' + thread));
                const std::string once = "together/" + std::to_string(round);
                made += objects.put(once, as_bytes(content), Existing::kRefuse).ok() ? 1 : 0;
                torn +=
                    objects.put("together/all", as_bytes(content), Existing::kReplace).ok() ? 0 : 1;
                const Result<Buffer> seen = objects.get("together/all", kMax);
                torn += seen.ok() && *seen == Buffer(1000, seen->front()) ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(made == kRounds);
    CHECK(torn == 0);
    for (const std::string& name : names(objects, "together/")) {
        CHECK(objects.remove(name).ok());
    }
}

}  // namespace colophon::storage
