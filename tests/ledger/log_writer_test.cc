// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_writer.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/checkpoint.h"
#include "ledger/log_fixture.h"
#include "ledger/log_objects.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/tiles.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::string_view kOrigin = "log.example/records";

LogWriterOptions options(std::uint64_t key = 1) {
    SeededRandom random(key);
    LogWriterOptions out{.origin = std::string(kOrigin), .signers = {}, .at_least = {}};
    out.signers.push_back(NoteSigner::generate(kOrigin, SignatureType::kEd25519, random).value());
    return out;
}

struct Batch {
    std::vector<Buffer> entries;
    std::vector<Bytes> views;
};

// Entries `first` to `first + count`, each different.
Batch batch(std::uint64_t first, std::uint64_t count) {
    Batch out;
    for (std::uint64_t i = first; i < first + count; ++i) {
        out.entries.push_back(to_buffer("entry " + std::to_string(i)));
    }
    out.views.assign(out.entries.begin(), out.entries.end());
    return out;
}

// The log is exactly the tiles of its size over the numbered entries, and its checkpoint says so.
void check_log(MemoryObjects& objects, std::uint64_t size, const NoteVerifier& key) {
    const std::array known{key};
    const auto bytes = objects.get("checkpoint").value();
    REQUIRE(bytes);
    const auto opened = open_checkpoint(as_text(*bytes), kOrigin, known);
    REQUIRE(opened.ok());
    REQUIRE(opened->checkpoint.tree.size == size);
    const test::MemoryTree tree(test::numbered_leaves(size));
    REQUIRE(opened->checkpoint.tree.root == test::defined_root(tree.leaves(), 0, size));
    for (const Tile& tile : tiles_of(size)) {
        CAPTURE(tile_path(tile));
        const auto content = objects.get(tile_path(tile)).value();
        REQUIRE(content);
        const std::uint64_t first = tile.index * 256;
        if (tile.kind == TileKind::kEntries) {
            const auto entries = parse_bundle(*content, tile.width).value();
            for (std::uint64_t i = 0; i < tile.width; ++i) {
                REQUIRE(as_text(entries[i]) == "entry " + std::to_string(first + i));
            }
            continue;
        }
        const Hashes hashes = parse_tile(*content, tile.width).value();
        for (std::uint64_t i = 0; i < tile.width; ++i) {
            REQUIRE(hashes[i] == tree.reader()({tile.level * 8, first + i}).value());
        }
    }
}

TEST_CASE("batches of all sizes make the log of the specification") {
    MemoryObjects objects;
    MemoryHead head;
    LogWriter writer = LogWriter::open(objects, head, options()).value();
    check_log(objects, 0, options().signers[0].verifier());
    std::uint64_t size = 0;
    for (const std::uint64_t count : {1U, 254U, 1U, 1U, 255U, 256U, 300U, 0U, 513U, 7U}) {
        const Batch entries = batch(size, count);
        const auto done = writer.integrate(entries.views);
        REQUIRE(done.ok());
        CHECK(done->first_index == size);
        size += count;
        check_log(objects, size, options().signers[0].verifier());
        CHECK(as_text(*objects.get("checkpoint").value()) == done->checkpoint);
    }
    for (std::uint64_t index = 0; index < size; index += 13) {
        CHECK(as_text(read_entry(tile_reader(objects), index, size).value()) ==
              "entry " + std::to_string(index));
    }
    CHECK(read_entry(tile_reader(objects), size, size).error().code == ErrorCode::kNotFound);
}

TEST_CASE("partial tiles stay until the full tile is there, and nothing else stays") {
    MemoryObjects objects;
    MemoryHead head;
    LogWriter writer = LogWriter::open(objects, head, options()).value();
    std::uint64_t size = 0;
    for (const std::uint64_t count : {100U, 100U, 50U}) {
        CHECK(writer.integrate(batch(size, count).views).ok());
        size += count;
    }
    std::set<std::string> names;
    for (const auto& [name, content] : objects.all()) {
        names.insert(name);
    }
    CHECK(names == std::set<std::string>{"checkpoint", "tile/0/000.p/100", "tile/0/000.p/200",
                                         "tile/0/000.p/250", "tile/entries/000.p/100",
                                         "tile/entries/000.p/200", "tile/entries/000.p/250"});
    CHECK(writer.integrate(batch(size, 10).views).ok());
    names.clear();
    for (const auto& [name, content] : objects.all()) {
        names.insert(name);
    }
    CHECK(names == std::set<std::string>{"checkpoint", "tile/0/000", "tile/0/001.p/4",
                                         "tile/1/000.p/1", "tile/entries/000",
                                         "tile/entries/001.p/4"});
}

TEST_CASE("a log is opened again and goes on where it was") {
    MemoryObjects objects;
    MemoryHead head;
    std::uint64_t size = 0;
    for (int round = 0; round < 12; ++round) {
        LogWriter writer = LogWriter::open(objects, head, options()).value();
        CHECK(writer.checkpoint().tree.size == size);
        REQUIRE(writer.integrate(batch(size, 47).views).ok());
        size += 47;
    }
    check_log(objects, size, options().signers[0].verifier());
}

TEST_CASE("the shortest and the longest entry are logged, a longer one leaves no trace") {
    MemoryObjects objects;
    MemoryHead head;
    LogWriter writer = LogWriter::open(objects, head, options()).value();
    const Buffer longest(65535, 0x5A);
    const Buffer longer(65536, 0x5A);
    const Buffer one{0x01};
    const std::vector<Bytes> good{Bytes(), one, longest};
    REQUIRE(writer.integrate(good).ok());
    const auto before = objects.all();
    const std::vector<Bytes> bad{one, longer};
    const auto refused = writer.integrate(bad);
    CHECK(refused.error().code == ErrorCode::kLimit);
    CHECK(refused.error().what == "entry 1 of the batch has 65536 bytes; at most 65535 fit");
    CHECK(objects.all() == before);
    const std::vector<Bytes> many((1U << 16U) + 1, Bytes(one));
    CHECK(writer.integrate(many).error().code == ErrorCode::kLimit);
    CHECK(objects.all() == before);
    // A refused batch is no failure of the log.
    CHECK(writer.integrate(good).ok());
    CHECK(read_entry(tile_reader(objects), 5, 6).value() == longest);
}

// Fails the n-th call, as a process that is killed there.
class FailingObjects final : public LogObjects {
public:
    explicit FailingObjects(MemoryObjects& inner) : inner_(&inner) {}
    std::size_t calls = 0;
    std::size_t fail_at = ~std::size_t{0};

    Result<void> put(std::string_view name, Bytes content) override {
        TRY(count());
        return inner_->put(name, content);
    }
    Result<std::optional<Buffer>> get(std::string_view name) override {
        TRY(count());
        return inner_->get(name);
    }
    Result<void> remove(std::string_view name) override {
        TRY(count());
        return inner_->remove(name);
    }
    Result<void> flush() override { return count(); }

private:
    Result<void> count() {
        if (calls++ >= fail_at) {
            return Error{ErrorCode::kUnavailable, "the disk is gone"};
        }
        return {};
    }
    MemoryObjects* inner_;
};

// What anybody has seen so far must be a prefix of what there is now.
void check_extends(MemoryObjects& objects, const Checkpoint& seen) {
    const auto bytes = objects.get("checkpoint").value();
    REQUIRE(bytes);
    const std::array known{options().signers[0].verifier()};
    const auto now = open_checkpoint(as_text(*bytes), kOrigin, known).value().checkpoint;
    REQUIRE(now.tree.size >= seen.tree.size);
    TileNodes nodes(now.tree.size, tile_reader(objects));
    REQUIRE(root_at(now.tree.size, nodes.reader()).value() == now.tree.root);
    if (seen.tree.size > 0) {
        const auto proof = consistency_proof(seen.tree.size, now.tree.size, nodes.reader());
        REQUIRE(proof.ok());
        REQUIRE(verify_consistency(seen.tree, now.tree, *proof));
    }
}

// Kills the writer at each of its calls in turn, with 250 entries in the log, and opens again with
// other entries than those that were lost.
void check_crash(std::size_t fail_at, bool& reached_the_end) {
    MemoryObjects objects;
    MemoryHead head;
    FailingObjects failing(objects);
    LogWriter writer = LogWriter::open(failing, head, options()).value();
    REQUIRE(writer.integrate(batch(0, 250).views).ok());
    const Checkpoint seen = writer.checkpoint();
    failing.fail_at = failing.calls + fail_at;
    const auto done = writer.integrate(batch(250, 20).views);
    reached_the_end = done.ok();
    if (!done.ok()) {
        // A writer that failed does not go on by itself.
        CHECK(writer.integrate(batch(250, 1).views).error().code == ErrorCode::kUnavailable);
    }
    check_extends(objects, seen);
    failing.fail_at = ~std::size_t{0};
    LogWriter again = LogWriter::open(failing, head, options()).value();
    const std::uint64_t size = again.checkpoint().tree.size;
    REQUIRE((size == 250 || size == 270));
    check_extends(objects, seen);
    check_log(objects, size, options().signers[0].verifier());
    REQUIRE(again.integrate(batch(size, 300).views).ok());
    check_log(objects, size + 300, options().signers[0].verifier());
    check_extends(objects, seen);
}

TEST_CASE("a crash at any call leaves a log that extends its last published checkpoint") {
    bool end = false;
    std::size_t fail_at = 0;
    for (; !end; ++fail_at) {
        CAPTURE(fail_at);
        check_crash(fail_at, end);
    }
    // put and flush of the stage, reads, six tiles and bundles, the checkpoint, the clearing up.
    CHECK(fail_at >= 24);
}

TEST_CASE("a crash while opening an interrupted log is mended by the next opening") {
    for (std::size_t crash = 0; crash < 40; ++crash) {
        MemoryObjects objects;
        MemoryHead head;
        FailingObjects failing(objects);
        LogWriter writer = LogWriter::open(failing, head, options()).value();
        REQUIRE(writer.integrate(batch(0, 250).views).ok());
        // Signed, but not one tile written.
        std::size_t before = 0;
        for (;; ++before) {
            MemoryHead probe;
            failing.fail_at = failing.calls + before;
            if (writer.integrate(batch(250, 20).views).ok() ||
                writer.checkpoint().tree.size == 270) {
                break;
            }
            failing.fail_at = ~std::size_t{0};
            writer = LogWriter::open(failing, head, options()).value();
        }
        failing.fail_at = failing.calls + crash;
        const auto interrupted = LogWriter::open(failing, head, options());
        failing.fail_at = ~std::size_t{0};
        REQUIRE(LogWriter::open(failing, head, options()).ok());
        check_log(objects, 270, options().signers[0].verifier());
        if (interrupted.ok()) {
            break;
        }
    }
}

TEST_CASE("of two writers on one log only one goes on, and the log has one history") {
    MemoryObjects objects;
    MemoryHead head;
    LogWriter one = LogWriter::open(objects, head, options()).value();
    LogWriter two = LogWriter::open(objects, head, options()).value();
    REQUIRE(one.integrate(batch(0, 5).views).ok());
    const auto lost = two.integrate(batch(100, 5).views);
    CHECK(lost.error().code == ErrorCode::kConflict);
    check_log(objects, 5, options().signers[0].verifier());
    REQUIRE(one.integrate(batch(5, 5).views).ok());
    check_log(objects, 10, options().signers[0].verifier());
}

TEST_CASE("a folder is locked by the process that writes it") {
    const colophon::test::TempDir dir;
    const auto first = DirectoryHead::create(dir.file("state"));
    REQUIRE(first.ok());
    const auto second = DirectoryHead::create(dir.file("state"));
    CHECK(second.error().code == ErrorCode::kConflict);
}

TEST_CASE("a log in folders is the same as in memory, and is opened again") {
    const colophon::test::TempDir dir;
    MemoryObjects memory;
    MemoryHead memory_head;
    LogWriter reference = LogWriter::open(memory, memory_head, options()).value();
    std::uint64_t size = 0;
    for (const std::uint64_t count : {200U, 100U, 1U}) {
        const auto objects = DirectoryObjects::create(dir.file("log")).value();
        const auto head = DirectoryHead::create(dir.file("state")).value();
        LogWriter writer = LogWriter::open(*objects, *head, options()).value();
        REQUIRE(writer.integrate(batch(size, count).views).ok());
        REQUIRE(reference.integrate(batch(size, count).views).ok());
        size += count;
    }
    std::size_t files = 0;
    for (const auto& [name, content] : memory.all()) {
        CAPTURE(name);
        CHECK(colophon::test::read_file(dir.file("log/" + name)) == content);
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.file("log"))) {
        files += entry.is_regular_file() ? 1U : 0U;
    }
    CHECK(files == memory.all().size());
    const auto objects = DirectoryObjects::create(dir.file("log")).value();
    for (const std::string_view name : {"", "..", "a/../b", "/a", "a//b", "a b", "x.part", "a/"}) {
        CHECK(objects->get(name).error().code == ErrorCode::kInvalidArgument);
    }
}

TEST_CASE("an older copy of the log is not appended to") {
    MemoryObjects objects;
    MemoryHead head;
    LogWriter writer = LogWriter::open(objects, head, options()).value();
    REQUIRE(writer.integrate(batch(0, 10).views).ok());
    const auto backup = *head.read().value();
    REQUIRE(writer.integrate(batch(10, 10).views).ok());
    LogWriterOptions seen = options();
    seen.at_least = writer.checkpoint().tree;
    CHECK(LogWriter::open(objects, head, seen).ok());
    // The head restored, the files not: the published checkpoint speaks.
    MemoryHead restored;
    REQUIRE(restored.swap(std::nullopt, backup).ok());
    const auto refused = LogWriter::open(objects, restored, options());
    CHECK(refused.error().code == ErrorCode::kConflict);
    // All restored: only a witness can tell.
    MemoryObjects old_objects;
    MemoryHead old_head;
    LogWriter older = LogWriter::open(old_objects, old_head, options()).value();
    REQUIRE(older.integrate(batch(0, 10).views).ok());
    CHECK(LogWriter::open(old_objects, old_head, seen)
              .error()
              .what.starts_with("somebody has seen this log with 20 entries, and here it has 10"));
    // The head lost.
    MemoryHead lost;
    CHECK(LogWriter::open(objects, lost, options()).error().code == ErrorCode::kConflict);
}

TEST_CASE("damage at the right edge is noticed before anything is signed over it") {
    for (const std::string_view name : {"tile/0/000.p/200", "tile/entries/000.p/200"}) {
        MemoryObjects objects;
        MemoryHead head;
        LogWriter writer = LogWriter::open(objects, head, options()).value();
        REQUIRE(writer.integrate(batch(0, 200).views).ok());
        Buffer content = *objects.get(name).value();
        content[content.size() / 2] ^= 0x04U;
        REQUIRE(objects.put(name, content).ok());
        const auto before = *head.read().value();
        CHECK_FALSE(writer.integrate(batch(200, 100).views).ok());
        CHECK(*head.read().value() == before);
        CHECK(LogWriter::open(objects, head, options()).error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("another key or a key of another name opens nothing") {
    MemoryObjects objects;
    MemoryHead head;
    REQUIRE(LogWriter::open(objects, head, options(1)).ok());
    CHECK(LogWriter::open(objects, head, options(2)).error().code == ErrorCode::kDenied);
    LogWriterOptions other = options(1);
    other.origin = "log.example/else";
    CHECK(LogWriter::open(objects, head, other).error().code == ErrorCode::kInvalidArgument);
    // Both keys for a while, then the new one alone.
    LogWriterOptions both = options(1);
    both.signers.push_back(options(2).signers[0]);
    LogWriter writer = LogWriter::open(objects, head, both).value();
    REQUIRE(writer.integrate(batch(0, 1).views).ok());
    CHECK(LogWriter::open(objects, head, options(2)).ok());
}

// Signed with a key that Tessera publishes for this purpose (testdata/build_log.sh); the words are
// spelled as there, and the checkpoints are those of testdata/log, byte for byte.
TEST_CASE("the published test log of Tessera is made again, byte for byte") {
    constexpr std::string_view kKey =
        "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/"
        "SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
    constexpr std::array<std::string_view, 15> kWords{
        "one",  "two", "three",  "four",  "five",     "six",     "seven", "eit",
        "nain", "ten", "ileven", "twelf", "threeten", "fourten", "fivten"};
    const std::map<std::uint64_t, std::string_view> published{
        {0,
         "example.com/log/testdata\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— "
         "example.com/log/testdata "
         "M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgt"
         "Qc=\n"},
        {1,
         "example.com/log/testdata\n1\n0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=\n\n— "
         "example.com/log/testdata "
         "M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/SCh"
         "AM=\n"},
        {11,
         "example.com/log/testdata\n11\nYok1cS5VdokGLBy73BC2I16b3atss6KBN9jnIi6Fz/A=\n\n— "
         "example.com/log/testdata "
         "M9e0lqbRtWirJwbUy4w3VrK2RyzfW8P+OIkc8t6b6AVG/tQd1Q2SN+uCLYzNNFnf/PhzeCdURSGQe1MRnohCxPu21"
         "wg=\n"},
        {15,
         "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n— "
         "example.com/log/testdata "
         "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74e"
         "wI=\n"}};
    MemoryObjects objects;
    MemoryHead head;
    LogWriterOptions tessera{.origin = "example.com/log/testdata", .signers = {}, .at_least = {}};
    tessera.signers.push_back(NoteSigner::parse(kKey).value());
    LogWriter writer = LogWriter::open(objects, head, tessera).value();
    std::size_t compared = 0;
    for (std::size_t size = 0;; ++size) {
        if (const auto found = published.find(size); found != published.end()) {
            CHECK(writer.signed_checkpoint() == found->second);
            ++compared;
        }
        if (size == 7) {
            CHECK(to_base64(writer.checkpoint().tree.root) ==
                  "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=");
        }
        if (size == kWords.size()) {
            break;
        }
        const std::array<Bytes, 1> entry{as_bytes(kWords[size])};
        REQUIRE(writer.integrate(entry).ok());
    }
    CHECK(compared == published.size());
    CHECK(as_text(*objects.get("tile/entries/000.p/2").value()) == std::string_view("\x00\x03"
                                                                                    "one\x00\x03"
                                                                                    "two",
                                                                                    10));
}

}  // namespace
}  // namespace colophon::ledger
