// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content of any size, sealed chunk by chunk under its owner's data key and kept as an object. It
// is addressed by a keyed digest of the content: within one owner the same content is kept once,
// and whoever does not have the key cannot test whether an owner has a certain file.
//
// A blob lives as long as somebody holds it: put() names a holder (a record, a case), release()
// ends that, and with the last holder the object goes. Retention is the holders' business: who must
// keep something does not release it. Destroying the owner's key makes all of it unreadable at
// once; release() and sweep() free the space.
//
// What happens in which order, so that a crash at any point leaves nothing that is not found again:
//   put:      row without digest -> object -> digest and holder into the row
//   release:  holder and digest out of the row -> object removed -> row removed
// A row without digest older than a day belongs to a process that died; sweep() ends it.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/random.h"
#include "storage/data_keys.h"
#include "storage/objects.h"
#include "storage/sealing.h"
#include "storage/store.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::storage {

struct BlobHandle {
    std::string owner;
    Digest256 digest{};
};

class BlobWriter {
public:
    ~BlobWriter();
    BlobWriter(const BlobWriter&) = delete;
    BlobWriter& operator=(const BlobWriter&) = delete;
    BlobWriter(BlobWriter&&) = delete;
    BlobWriter& operator=(BlobWriter&&) = delete;

    Result<void> append(Bytes piece);
    // Once. The content is durable and held by `holder` when this returns.
    Result<BlobHandle> commit(std::string_view holder);

    struct State;
    explicit BlobWriter(std::unique_ptr<State> state);  // Blobs::write() makes the state

private:
    std::unique_ptr<State> state_;
};

class Blobs {
public:
    struct Parts {
        Store& store;          // with object_migrations()
        ObjectStore& objects;  // below "blobs/"
        DataKeys& keys;
        Clock& clock;
        Random& random;
    };
    // The parts must outlive the blobs, and the blobs their writers.
    Blobs(Parts parts, Suite suite) : parts_(parts), suite_(suite) {}

    // Small content is looked for before it is written, so that a second copy costs no upload.
    // `holder` is text of 1 to 200 bytes without personal data; putting again for the same holder
    // changes nothing.
    Result<BlobHandle> put(std::string_view owner, std::string_view holder, Bytes content);
    Result<std::unique_ptr<BlobWriter>> write(std::string_view owner);
    // One more holder. Error{kNotFound} when there is no such blob.
    Result<void> hold(const BlobHandle& blob, std::string_view holder);
    // No error when it was done before.
    Result<void> release(const BlobHandle& blob, std::string_view holder);
    // Of every blob that it holds, whoever the owners are.
    Result<void> release_all(std::string_view holder);

    // Error{kNotFound} when there is no such blob or its owner's key was destroyed, Error{kCorrupt}
    // when what is kept is not what was put, Error{kLimit} when it has more than `bytes_max`.
    Result<Buffer> get(const BlobHandle& blob, std::uint64_t bytes_max);
    // [offset, offset + size) of the content, cut at its end; costs the chunks it touches.
    Result<Buffer> get_range(const BlobHandle& blob, std::uint64_t offset, std::uint64_t size);
    Result<std::uint64_t> size(const BlobHandle& blob);

    // Ends what processes that died left; returns how many objects went.
    Result<std::size_t> sweep();

private:
    friend class BlobWriter;
    struct Row {
        std::string object;
        std::uint64_t content_bytes = 0;
    };
    Result<Row> find(const BlobHandle& blob);
    Result<Digest256> digest(std::string_view owner, Bytes content);
    Result<bool> hold_if_there(const BlobHandle& blob, std::string_view holder);
    // One holder less; the object's name when it was the last one.
    static Result<std::optional<std::string>> let_go(Transaction& transaction,
                                                     const std::string& object,
                                                     std::string_view holder);
    // The object of a row that has no digest any more, then the row.
    Result<void> remove_object(const std::string& object);

    Parts parts_;
    Suite suite_;
};

}  // namespace colophon::storage
