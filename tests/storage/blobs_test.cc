// SPDX-License-Identifier: Apache-2.0
#include "storage/blobs.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/data_keys.h"
#include "storage/directory_objects.h"
#include "storage/engines.h"
#include "storage/fault_files.h"
#include "storage/key_setup.h"
#include "storage/objects.h"
#include "storage/sealing.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {
namespace {

std::vector<std::string> kept(ObjectStore& objects) {
    std::vector<std::string> names;
    good(objects.list("blobs/", [&](std::string_view name) {
        names.emplace_back(name);
        return true;
    }));
    return names;
}

Buffer content_of(std::size_t size) {
    SeededRandom random(size);
    Buffer content(size);
    CHECK(random.fill(content).ok());
    return content;
}

class BlobSetup : public KeySetup {
public:
    explicit BlobSetup(TestStore& given)
        : KeySetup(given),
          keys(open(first)),
          blobs({*store, *objects, *keys, clock, random}, Suite::kAes256Gcm) {}
    std::unique_ptr<DataKeys> keys;
    Blobs blobs;
};

TEST_CASE("a blob comes back whole and in ranges, at every size around a chunk") {
    each_engine([](TestStore& store) {
        BlobSetup setup(store);
        for (const Suite suite : {Suite::kAes256Gcm, Suite::kSm4HmacSm3}) {
            Blobs blobs({*store, *setup.objects, *setup.keys, setup.clock, setup.random}, suite);
            for (const std::size_t size :
                 {std::size_t{0}, std::size_t{1}, kSealChunkBytes - 1, kSealChunkBytes,
                  kSealChunkBytes + 1, 3 * kSealChunkBytes + 77}) {
                CAPTURE(size);
                const Buffer content = content_of(size);
                const BlobHandle blob = good(blobs.put("owner", "record/1", content));
                CHECK(good(blobs.get(blob, 1U << 30U)) == content);
                CHECK(good(blobs.size(blob)) == size);
                for (const std::uint64_t offset :
                     {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{kSealChunkBytes - 1},
                      std::uint64_t{kSealChunkBytes}, std::uint64_t{2 * kSealChunkBytes + 5},
                      UINT64_MAX}) {
                    for (const std::uint64_t count :
                         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                          std::uint64_t{kSealChunkBytes + 3}}) {
                        const std::size_t from = std::min<std::uint64_t>(offset, size);
                        const std::size_t some = std::min<std::uint64_t>(count, size - from);
                        const Buffer range = good(blobs.get_range(blob, offset, count));
                        CHECK(std::ranges::equal(range, Bytes(content).subspan(from, some)));
                    }
                }
                good(blobs.release(blob, "record/1"));
            }
            CHECK(kept(*setup.objects).empty());
        }
    });
}

TEST_CASE("the same content is kept once per owner and goes with its last holder") {
    each_engine([](TestStore& store) {
        BlobSetup setup(store);
        const Buffer content = content_of(100'000);
        const BlobHandle one = good(setup.blobs.put("a", "record/1", content));
        const BlobHandle two = good(setup.blobs.put("a", "record/2", content));
        const auto writer = good(setup.blobs.write("a"));
        good(writer->append(Bytes(content).first(70'000)));
        good(writer->append(Bytes(content).subspan(70'000)));
        const BlobHandle three = good(writer->commit("record/3"));
        const BlobHandle other = good(setup.blobs.put("b", "record/1", content));
        CHECK(one.digest == two.digest);
        CHECK(one.digest == three.digest);
        // Nobody can see that two owners have the same, nor test what one has.
        CHECK(one.digest != other.digest);
        CHECK(one.digest != sha256(content));
        CHECK(kept(*setup.objects).size() == 3);  // with the copy that its writer still holds
    });
}

TEST_CASE("a second copy that was written leaves no object behind") {
    each_engine([](TestStore& store) {
        BlobSetup setup(store);
        const Buffer content = content_of(1000);
        const BlobHandle blob = good(setup.blobs.put("a", "record/1", content));
        {
            const auto writer = good(setup.blobs.write("a"));
            good(writer->append(content));
            good(writer->commit("record/2"));
        }
        {
            const auto dropped = good(setup.blobs.write("a"));
            good(dropped->append(content));
        }
        CHECK(kept(*setup.objects).size() == 1);
        good(setup.blobs.hold(blob, "case/9"));
        good(setup.blobs.release(blob, "record/1"));
        good(setup.blobs.release(blob, "record/1"));
        good(setup.blobs.release(blob, "record/2"));
        CHECK(good(setup.blobs.get(blob, 1000)) == content);
        good(setup.blobs.release(blob, "case/9"));
        CHECK(code_of(setup.blobs.get(blob, 1000)) == ErrorCode::kNotFound);
        CHECK(code_of(setup.blobs.hold(blob, "case/9")) == ErrorCode::kNotFound);
        CHECK(kept(*setup.objects).empty());
        CHECK(good(store->query({"SELECT object FROM blobs"}, {})).empty());
    });
}

TEST_CASE("[P2] with its owner's key a blob is gone, although its object is there") {
    each_engine([](TestStore& store) {
        BlobSetup setup(store);
        const BlobHandle blob = good(setup.blobs.put("a", "record/1", content_of(100)));
        const BlobHandle other = good(setup.blobs.put("b", "record/1", content_of(100)));
        good(setup.keys->destroy("a"));
        CHECK(kept(*setup.objects).size() == 2);
        CHECK(code_of(setup.blobs.get(blob, 1000)) == ErrorCode::kNotFound);
        CHECK(good(setup.blobs.get(other, 1000)) == content_of(100));
        CHECK(code_of(setup.blobs.put("a", "record/2", content_of(5))) == ErrorCode::kConflict);
        good(setup.blobs.release(blob, "record/1"));
        CHECK(kept(*setup.objects).size() == 1);
    });
}

TEST_CASE("[D8] a changed, cut or exchanged object is noticed and never served") {
    each_engine([](TestStore& store) {
        BlobSetup setup(store);
        const BlobHandle blob =
            good(setup.blobs.put("a", "record/1", content_of(2 * kSealChunkBytes)));
        const std::string name = kept(*setup.objects).at(0);
        const Buffer whole = good(setup.objects->get(name, 1U << 20U));
        const auto refused = [&](const Buffer& changed) {
            good(setup.objects->put(name, changed, Existing::kReplace));
            return !setup.blobs.get(blob, 1U << 20U).ok();
        };
        for (std::size_t at = 0; at < whole.size(); at += 1009) {
            Buffer changed = whole;
            changed[at] ^= 0x10U;
            CHECK(refused(changed));
        }
        CHECK(refused(Buffer(whole.begin(), whole.begin() + kSealedHeaderBytes + 65'552)));
        CHECK(refused(Buffer(whole.begin(), whole.end() - 1)));
        CHECK(refused(Buffer()));
        const BlobHandle second =
            good(setup.blobs.put("a", "record/1", Buffer(2 * kSealChunkBytes, 'x')));
        for (const std::string& other : kept(*setup.objects)) {
            if (other != name) {
                CHECK(refused(good(setup.objects->get(other, 1U << 20U))));
            }
        }
        good(setup.objects->put(name, whole, Existing::kReplace));
        CHECK(setup.blobs.get(blob, 1U << 20U).ok());
        CHECK(setup.blobs.get(second, 1U << 20U).ok());
        CHECK(code_of(setup.blobs.get(blob, 1000)) == ErrorCode::kLimit);
    });
}

TEST_CASE("whichever call of the disk fails, a blob is there or not, and a sweep leaves no rest") {
    TestStore store(Engine::kSqlite);
    BlobSetup setup(store);
    int failures = 0;
    bool reached = true;
    for (std::uint64_t at = 0; reached; ++at) {
        CAPTURE(at);
        const Buffer content = content_of(1000 + at);
        Result<BlobHandle> blob = Error{ErrorCode::kUnavailable, ""};
        {
            FaultyFiles files(setup.files);
            const auto objects =
                good(open_directory_objects(setup.folder.file("faulty"), files, setup.random));
            Blobs blobs({*store, *objects, *setup.keys, setup.clock, setup.random},
                        Suite::kAes256Gcm);
            files.plan(at, ENOSPC, true);
            blob = blobs.put("a", "record/1", content);
            reached = !files.hit().empty();
            files.clear();
        }
        const auto objects =
            good(open_directory_objects(setup.folder.file("faulty"), setup.files, setup.random));
        Blobs blobs({*store, *objects, *setup.keys, setup.clock, setup.random}, Suite::kAes256Gcm);
        if (blob.ok()) {
            CHECK(good(blobs.get(*blob, 1U << 20U)) == content);
            good(blobs.release(*blob, "record/1"));
        } else {
            ++failures;
        }
        setup.clock.advance(std::chrono::hours(25));
        good(blobs.sweep());
        CHECK(kept(*objects).empty());
        CHECK(good(store->query({"SELECT object FROM blobs"}, {})).empty());
    }
    CHECK(failures >= 10);
}

TEST_CASE("a sweep leaves alone what is being written") {
    each_engine([](TestStore& store) {
        BlobSetup setup(store);
        const auto writer = good(setup.blobs.write("a"));
        good(writer->append(content_of(100)));
        setup.clock.advance(std::chrono::hours(23));
        CHECK(good(setup.blobs.sweep()) == 0);
        CHECK(writer->commit("record/1").ok());
        const auto late = good(setup.blobs.write("a"));
        good(late->append(content_of(200)));
        setup.clock.advance(std::chrono::hours(25));
        CHECK(good(setup.blobs.sweep()) == 1);
        CHECK(code_of(late->commit("record/2")) == ErrorCode::kUnavailable);
    });
}

TEST_CASE("[P1] objects hold nothing of their content") {
    TestStore store(Engine::kSqlite);
    BlobSetup setup(store);
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += "prompt of 13800138000 ";
    }
    good(setup.blobs.put("a", "record/1", as_bytes(text)));
    std::size_t files_seen = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(setup.folder.file("objects"))) {
        if (entry.is_regular_file()) {
            const Buffer bytes = test::read_file(entry.path().string());
            CHECK(as_text(bytes).find("13800138000") == std::string_view::npos);
            CHECK(as_text(bytes).find("prompt") == std::string_view::npos);
            ++files_seen;
        }
    }
    CHECK(files_seen == 1);
}

}  // namespace
}  // namespace colophon::storage
