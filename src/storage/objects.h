// SPDX-License-Identifier: Apache-2.0
#pragma once

// Named byte strings: in a directory, or in an S3-compatible store. Sealed bodies (storage/blobs.h)
// and the files of the log live here. An object appears whole or not at all, and is durable when
// the call that made it returns.
//
// Names are relative paths of [A-Za-z0-9._-] segments, at most kObjectNameBytesMax bytes and 255 a
// segment, no segment "." or ".." and none that ends in ".part"; anything else is
// Error{kInvalidArgument}.
//
// Threads: any method may be called from any thread at the same time.

#include "core/bytes.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace colophon::storage {

enum class Existing {
    kReplace,
    kKeep,    // an object of that name stays as it is, and that is no error
    kRefuse,  // Error{kConflict}
};

// Takes an object in pieces, in order. Nothing is visible before commit(); destroying an
// uncommitted writer leaves nothing behind. A writer must end before its store does.
class ObjectWriter {
public:
    ObjectWriter() = default;
    ObjectWriter(const ObjectWriter&) = delete;
    ObjectWriter& operator=(const ObjectWriter&) = delete;
    ObjectWriter(ObjectWriter&&) = delete;
    ObjectWriter& operator=(ObjectWriter&&) = delete;
    virtual ~ObjectWriter() = default;

    virtual Result<void> append(Bytes piece) = 0;
    // Once. After an error of either method the writer can only be destroyed.
    virtual Result<void> commit() = 0;
};

struct NamedBytes {
    std::string_view name;
    Bytes content;
};

class ObjectStore {
public:
    ObjectStore() = default;
    ObjectStore(const ObjectStore&) = delete;
    ObjectStore& operator=(const ObjectStore&) = delete;
    ObjectStore(ObjectStore&&) = delete;
    ObjectStore& operator=(ObjectStore&&) = delete;
    virtual ~ObjectStore() = default;

    // For objects that fit in memory; at most kObjectInMemoryBytesMax.
    Result<void> put(std::string_view name, Bytes content, Existing existing);
    // Puts each of them and replaces what was there; cheaper than one by one. All are durable when
    // it returns without an error; with one, some may be there. Names differ.
    virtual Result<void> put_all(std::span<const NamedBytes> objects);
    virtual Result<std::unique_ptr<ObjectWriter>> write(std::string_view name,
                                                        Existing existing) = 0;

    // Error{kNotFound} when there is none; Error{kLimit} when it is larger than `bytes_max` or than
    // kObjectInMemoryBytesMax.
    virtual Result<Buffer> get(std::string_view name, std::uint64_t bytes_max) = 0;
    // [offset, offset + size) of an object, cut at its end; size is at most
    // kObjectInMemoryBytesMax.
    virtual Result<Buffer> get_range(std::string_view name, std::uint64_t offset,
                                     std::uint64_t size) = 0;
    // The size in bytes, or nothing when there is no such object.
    virtual Result<std::optional<std::uint64_t>> size(std::string_view name) = 0;
    // Calls `each` with every name that starts with `prefix`, in byte order, until it returns
    // false. What is written or removed meanwhile may or may not be seen. `prefix` is empty or the
    // beginning of a name.
    virtual Result<void> list(std::string_view prefix,
                              const std::function<bool(std::string_view name)>& each) = 0;
    // No error when there is none.
    virtual Result<void> remove(std::string_view name) = 0;
};

// Error{kInvalidArgument} says what is wrong with a name, or with the beginning of one.
Result<void> check_object_name(std::string_view name);
Result<void> check_object_prefix(std::string_view prefix);
// Error{kLimit} for more than put() takes.
Result<void> check_put_bytes(Bytes content);

}  // namespace colophon::storage
