// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_objects.h"

#include "core/bytes.h"
#include "core/random.h"
#include "storage/fault_files.h"
#include "storage/files.h"
#include "storage/objects.h"
#include "storage/objects_suite.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

namespace fs = std::filesystem;

std::size_t files_below(const fs::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        count += entry.is_regular_file() ? 1U : 0U;
    }
    return count;
}

TEST_CASE("a folder does what a store of objects must do") {
    const colophon::test::TempDir folder;
    SystemFiles files;
    SystemRandom random;
    const auto objects = open_directory_objects(folder.file("objects"), files, random);
    REQUIRE(objects.ok());
    check_objects(**objects);
    check_objects_together(**objects);
    CHECK(files_below(folder.path()) == 0);
}

TEST_CASE("an object and a folder cannot have one name") {
    const colophon::test::TempDir folder;
    SystemFiles files;
    SystemRandom random;
    const auto objects = open_directory_objects(folder.file("objects"), files, random);
    REQUIRE((*objects)->put("a/b", as_bytes("x"), Existing::kReplace).ok());
    for (const Existing existing : {Existing::kReplace, Existing::kKeep, Existing::kRefuse}) {
        CHECK((*objects)->put("a", as_bytes("y"), existing).error().code == ErrorCode::kConflict);
        CHECK((*objects)->put("a/b/c", as_bytes("y"), existing).error().code ==
              ErrorCode::kConflict);
    }
    CHECK((*objects)->get("a", 10).error().code == ErrorCode::kNotFound);
    CHECK((*objects)->remove("a").ok());
    CHECK(files_below(folder.path()) == 1);
}

TEST_CASE("only their owner can read objects") {
    const colophon::test::TempDir folder;
    SystemFiles files;
    SystemRandom random;
    const auto objects = open_directory_objects(folder.file("objects"), files, random);
    REQUIRE((*objects)->put("a/b", as_bytes("x"), Existing::kReplace).ok());
    for (const auto& entry : fs::recursive_directory_iterator(folder.path())) {
        const fs::perms others = fs::perms::group_all | fs::perms::others_all;
        CHECK((entry.status().permissions() & others) == fs::perms::none);
    }
}

TEST_CASE("what a process left unfinished goes when the store is opened, what lives stays") {
    const colophon::test::TempDir folder;
    SystemFiles files;
    SystemRandom random;
    const std::string root = folder.file("objects");
    const auto living = open_directory_objects(root, files, random);
    const auto writer = (*living)->write("lives", Existing::kReplace);
    REQUIRE((*writer)->append(as_bytes("half")).ok());
    // As a dead process leaves it: a folder that nobody holds.
    fs::create_directories(root + "/.part/00ff");
    colophon::test::write_file(root + "/.part/00ff/0", as_bytes("dead"));
    CHECK(files_below(root) == 2);
    const auto opened = open_directory_objects(root, files, random);
    REQUIRE(opened.ok());
    CHECK(files_below(root) == 1);
    CHECK_FALSE(fs::exists(root + "/.part/00ff"));
    CHECK((*writer)->append(as_bytes(" whole")).ok());
    CHECK((*writer)->commit().ok());
    CHECK(as_text((*opened)->get("lives", 100).value()) == "half whole");
}

// Puts, replaces and removes; what it was told is done stands in `told`.
struct Told {
    std::map<std::string, std::set<std::string>> may;  // what a name may hold; "" is absent
    int errors = 0;
};

void scenario(ObjectStore& objects, Told& told) {
    const auto put = [&](const std::string& name, const std::string& content, Existing existing) {
        const Result<void> done = objects.put(name, as_bytes(content), existing);
        auto& may = told.may.try_emplace(name, std::set<std::string>{""}).first->second;
        if (done.ok()) {
            may = {content};
        } else {
            ++told.errors;
            may.insert(content);
        }
    };
    put("a/first", "one", Existing::kRefuse);
    put("b/c/second", std::string(5000, 'x'), Existing::kKeep);
    put("a/first", "replaced", Existing::kReplace);
    put("a/third", "three", Existing::kReplace);
    const std::string large(3000, 'y');
    const std::array<NamedBytes, 3> several{{{.name = "a/first", .content = as_bytes("anew")},
                                             {.name = "d/fourth", .content = as_bytes(large)},
                                             {.name = "a/fifth", .content = {}}}};
    const Result<void> all = objects.put_all(several);
    for (const NamedBytes& each : several) {
        const std::string content(as_text(each.content));
        auto& may =
            told.may.try_emplace(std::string(each.name), std::set<std::string>{""}).first->second;
        if (all.ok()) {
            may = {content};
        } else {
            may.insert(content);
        }
    }
    told.errors += all.ok() ? 0 : 1;
    const Result<void> removed = objects.remove("a/third");
    if (removed.ok()) {
        told.may["a/third"] = {""};
    } else {
        ++told.errors;
        told.may["a/third"].insert("");
    }
}

void check_told(ObjectStore& objects, const Told& told) {
    for (const auto& [name, may] : told.may) {
        CAPTURE(name);
        const Result<Buffer> content = objects.get(name, 1U << 20U);
        if (content.ok()) {
            CHECK(may.contains(std::string(as_text(*content))));
        } else {
            CHECK(content.error().code == ErrorCode::kNotFound);
            CHECK(may.contains(""));
        }
    }
    CHECK(objects
              .list("",
                    [&](std::string_view name) {
                        CHECK(told.may.contains(std::string(name)));
                        return true;
                    })
              .ok());
}

TEST_CASE(
    "each failing call of the system, once and for good, is an error and harms nothing told") {
    for (const int code : {EIO, ENOSPC, EDQUOT, EMFILE, EROFS, EACCES}) {
        for (const bool sticky : {false, true}) {
            bool reached = true;
            int runs = 0;
            for (std::uint64_t at = 0; reached; ++at) {
                CAPTURE(code);
                CAPTURE(sticky);
                CAPTURE(at);
                MemoryFiles disk;
                FaultyFiles files(disk);
                SeededRandom random(at);
                files.plan(at, code, sticky);
                Told told;
                {
                    const auto objects = open_directory_objects("/objects", files, random);
                    if (objects.ok()) {
                        scenario(**objects, told);
                    }
                }
                reached = !files.hit().empty();
                CHECK((told.errors > 0 ? reached : true));
                files.clear();
                {
                    const auto again = open_directory_objects("/objects", files, random);
                    REQUIRE(again.ok());
                    check_told(**again, told);
                }
                CHECK(disk.open_descriptors() == 0);
                ++runs;
            }
            CHECK(runs > 60);
        }
    }
}

TEST_CASE("short and interrupted reads and writes are continued") {
    for (const Fault fault : {Fault::kShort, Fault::kInterrupted}) {
        bool reached = true;
        for (std::uint64_t at = 0; reached; ++at) {
            MemoryFiles disk;
            FaultyFiles files(disk);
            SeededRandom random(at);
            const auto objects = open_directory_objects("/objects", files, random);
            files.plan(at, 0, false, fault);
            const std::string content(4096, 'q');
            const Result<void> put = (*objects)->put("q", as_bytes(content), Existing::kReplace);
            const Result<Buffer> got = (*objects)->get("q", 4096);
            reached = !files.hit().empty();
            if (files.hit() == "write" || files.hit() == "read_at" || fault == Fault::kShort) {
                CHECK(put.ok());
                CHECK(as_text(got.value()) == content);
            }
            reached = reached || at < 16;
        }
    }
}

TEST_CASE("after a failed fsync nothing more is written or synced until the store is opened anew") {
    for (const bool folder : {false, true}) {
        MemoryFiles disk;
        FaultyFiles files(disk);
        SeededRandom random(1);
        auto objects = open_directory_objects("/objects", files, random);
        REQUIRE((*objects)->put("known", as_bytes("1"), Existing::kReplace).ok());
        // put(): create, write, fsync of the file, close, rename, open of the folder, its fsync.
        files.plan(folder ? 6 : 2, EIO, false);
        const Result<void> put = (*objects)->put("lost", as_bytes("2"), Existing::kReplace);
        CHECK(files.hit() == "sync");
        CHECK(put.error().code == ErrorCode::kUnavailable);
        CHECK((*objects)->put("next", as_bytes("3"), Existing::kReplace).error().code ==
              ErrorCode::kUnavailable);
        CHECK((*objects)->remove("known").error().code == ErrorCode::kUnavailable);
        CHECK(as_text((*objects)->get("known", 10).value()) == "1");
        CHECK(files.syncs_after_failed_sync() == 0);
        (*objects).reset();
        objects = open_directory_objects("/objects", files, random);
        CHECK((*objects)->put("next", as_bytes("3"), Existing::kReplace).ok());
    }
}

TEST_CASE("several objects cost one fsync each, and one for each of their folders") {
    MemoryFiles disk;
    FaultyFiles files(disk);
    SeededRandom random(1);
    const auto objects = open_directory_objects("/objects", files, random);
    REQUIRE((*objects)->put("a/x", as_bytes("0"), Existing::kReplace).ok());
    REQUIRE((*objects)->put("b/x", as_bytes("0"), Existing::kReplace).ok());
    const auto calls_of = [&](const std::vector<NamedBytes>& several) {
        const std::uint64_t before = files.calls();
        CHECK((*objects)->put_all(several).ok());
        return files.calls() - before;
    };
    const NamedBytes first{.name = "a/1", .content = as_bytes("1")};
    const NamedBytes second{.name = "a/2", .content = as_bytes("2")};
    const NamedBytes other{.name = "b/3", .content = as_bytes("3")};
    const std::uint64_t one = calls_of({first});
    const std::uint64_t two = calls_of({first, second});
    // Opening, syncing and closing the folder.
    CHECK(2 * one - two == 3);
    CHECK(calls_of({first, second, other}) == two + one);
    CHECK(calls_of({}) == 0);
    CHECK(as_text((*objects)->get("b/3", 10).value()) == "3");
    const NamedBytes bad{.name = "../3", .content = {}};
    CHECK((*objects)->put_all(std::vector{bad}).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a full disk fails one object and leaves no part of it; with room again all goes on") {
    MemoryFiles disk;
    FaultyFiles files(disk);
    SeededRandom random(1);
    const auto objects = open_directory_objects("/objects", files, random);
    for (std::uint64_t at = 0; at < 3; ++at) {
        files.plan(at, ENOSPC, true);
        const Result<void> put = (*objects)->put("full", as_bytes("x"), Existing::kReplace);
        CHECK(put.error().code == ErrorCode::kUnavailable);
        CHECK(put.error().what.find("No space left") != std::string::npos);
        files.clear();
        std::vector<Files::Entry> owners;
        std::vector<Files::Entry> parts;
        CHECK(disk.list("/objects/.part", owners) == 0);
        CHECK(disk.list("/objects/.part/" + owners.at(0).name, parts) == 0);
        CHECK((*objects)->put("fits", as_bytes("x"), Existing::kReplace).ok());
    }
}

TEST_CASE("a power cut at any call keeps all that was told and shows nothing torn") {
    bool reached = true;
    std::uint64_t recoveries = 0;
    for (std::uint64_t at = 0; reached; ++at) {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            CAPTURE(at);
            CAPTURE(seed);
            MemoryFiles disk;
            FaultyFiles files(disk);
            SeededRandom random(at * 100 + seed);
            files.plan(at, EIO, true);  // from here on nothing reaches the disk
            Told told;
            {
                const auto objects = open_directory_objects("/objects", files, random);
                if (objects.ok()) {
                    scenario(**objects, told);
                }
                reached = !files.hit().empty();
                disk.crash(random);
            }
            // The recovery is cut short too, at a call of its own.
            files.plan(seed * 3, EIO, true);
            (void)open_directory_objects("/objects", files, random);
            disk.crash(random);
            files.clear();
            const auto again = open_directory_objects("/objects", files, random);
            REQUIRE(again.ok());
            check_told(**again, told);
            std::vector<Files::Entry> owners;
            CHECK(disk.list("/objects/.part", owners) == 0);
            CHECK(owners.size() == 1);
            ++recoveries;
        }
    }
    CHECK(recoveries > 500);
}

// Writes numbers as objects for ever and says each that is done through the pipe.
[[noreturn]] void write_until_killed(const std::string& root, int out) {
    SystemFiles files;
    SystemRandom random;
    const auto objects = open_directory_objects(root, files, random);
    for (std::uint32_t number = 0; objects.ok(); ++number) {
        const std::string name = "n/" + std::to_string(number % 7) + "/" + std::to_string(number);
        const std::string content(20'000 + number, 'k');
        if (!(*objects)->put(name, as_bytes(content), Existing::kRefuse).ok()) {
            break;
        }
        if (::write(out, &number, sizeof number) != static_cast<ssize_t>(sizeof number)) {
            break;
        }
    }
    _exit(1);
}

TEST_SUITE("slow") {
    TEST_CASE("killed at any moment, a store keeps what it told and nothing else of an object") {
        SystemFiles files;
        SeededRandom random(7);
        for (int round = 0; round < 50; ++round) {
            const colophon::test::TempDir folder;
            const std::string root = folder.file("objects");
            std::array<int, 2> pipes{};
            REQUIRE(::pipe(pipes.data()) == 0);
            const pid_t child = ::fork();
            if (child == 0) {
                write_until_killed(root, pipes[1]);
            }
            REQUIRE(child > 0);
            ::close(pipes[1]);
            // Killed after a random number of objects, and somewhere within the next.
            const std::uint64_t objects_before = random.next().value() % 12;
            std::uint32_t last = 0;
            std::uint32_t told = 0;
            while (told < objects_before &&
                   ::read(pipes[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
                ++told;
            }
            ::usleep(static_cast<useconds_t>(random.next().value() % 3000));
            ::kill(child, SIGKILL);
            while (::read(pipes[0], &last, sizeof last) == static_cast<ssize_t>(sizeof last)) {
                ++told;
            }
            ::close(pipes[0]);
            CHECK(::waitpid(child, nullptr, 0) == child);
            const auto objects = open_directory_objects(root, files, random);
            REQUIRE(objects.ok());
            std::uint32_t found = 0;
            CHECK((*objects)
                      ->list("",
                             [&](std::string_view name) {
                                 const Buffer content = (*objects)->get(name, 1U << 20U).value();
                                 const auto number = std::stoul(
                                     std::string(name.substr(name.find_last_of('/') + 1)));
                                 CHECK(content == Buffer(20'000 + number, 'k'));
                                 ++found;
                                 return true;
                             })
                      .ok());
            CHECK(found >= told);
            CHECK(found <= told + 1);
            CHECK(files_below(root) == found);
        }
    }
}

}  // namespace
}  // namespace colophon::storage
