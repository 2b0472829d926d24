// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a log lies: named byte strings for its files, and one signed head that only one writer may
// move. In memory for tests and tools, in folders for a single machine; a service puts its own
// store behind the same two faces.

#include "core/bytes.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace colophon::ledger {

struct NamedObject {
    std::string name;
    Buffer content;
};

// Names are relative paths of [A-Za-z0-9._-] segments, as tlog-tiles has them. A reader sees an
// object whole or not at all. Any method may be called from any thread.
class LogObjects {
public:
    LogObjects() = default;
    LogObjects(const LogObjects&) = delete;
    LogObjects& operator=(const LogObjects&) = delete;
    LogObjects(LogObjects&&) = delete;
    LogObjects& operator=(LogObjects&&) = delete;
    virtual ~LogObjects() = default;

    // Replaces what has this name. Durable after the next flush().
    virtual Result<void> put(std::string_view name, Bytes content) = 0;
    // The same for several, whose names differ.
    virtual Result<void> put_all(std::span<const NamedObject> objects);
    // Nothing when there is no such object.
    virtual Result<std::optional<Buffer>> get(std::string_view name) = 0;
    // The object of this name and all below "NAME/"; no error when there is none.
    virtual Result<void> remove(std::string_view name) = 0;
    // What was put before is durable when this returns.
    virtual Result<void> flush() = 0;
};

// The last checkpoint that was signed, whether or not it is published yet. It is what keeps two
// writers from signing two histories, so it must live where compare-and-swap is real: a database
// row, or a folder that one process locks.
class HeadStore {
public:
    HeadStore() = default;
    HeadStore(const HeadStore&) = delete;
    HeadStore& operator=(const HeadStore&) = delete;
    HeadStore(HeadStore&&) = delete;
    HeadStore& operator=(HeadStore&&) = delete;
    virtual ~HeadStore() = default;

    virtual Result<std::optional<std::string>> read() = 0;
    // Durable when it returns. kConflict when the head is not `expected`: somebody else signed.
    virtual Result<void> swap(const std::optional<std::string>& expected,
                              const std::string& next) = 0;
};

class MemoryObjects final : public LogObjects {
public:
    Result<void> put(std::string_view name, Bytes content) override;
    Result<std::optional<Buffer>> get(std::string_view name) override;
    Result<void> remove(std::string_view name) override;
    Result<void> flush() override { return {}; }

    std::map<std::string, Buffer, std::less<>> all() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, Buffer, std::less<>> objects_;  // guarded by mutex_
};

class MemoryHead final : public HeadStore {
public:
    Result<std::optional<std::string>> read() override;
    Result<void> swap(const std::optional<std::string>& expected, const std::string& next) override;

private:
    std::mutex mutex_;
    std::optional<std::string> head_;  // guarded by mutex_
};

// Files below a folder. flush() syncs the file system of the folder once, however many files were
// put.
class DirectoryObjects final : public LogObjects {
public:
    // Makes the folder when it is missing.
    static Result<std::unique_ptr<DirectoryObjects>> create(const std::string& folder);
    ~DirectoryObjects() override;
    DirectoryObjects(const DirectoryObjects&) = delete;
    DirectoryObjects& operator=(const DirectoryObjects&) = delete;

    Result<void> put(std::string_view name, Bytes content) override;
    Result<std::optional<Buffer>> get(std::string_view name) override;
    Result<void> remove(std::string_view name) override;
    Result<void> flush() override;

private:
    DirectoryObjects(std::string folder, int descriptor)
        : folder_(std::move(folder)), descriptor_(descriptor) {}
    std::string folder_;
    int descriptor_;
};

// A file "head" in a folder that is locked as long as this lives.
class DirectoryHead final : public HeadStore {
public:
    // Makes the folder when it is missing. kConflict when another process holds the lock.
    static Result<std::unique_ptr<DirectoryHead>> create(const std::string& folder);
    ~DirectoryHead() override;
    DirectoryHead(const DirectoryHead&) = delete;
    DirectoryHead& operator=(const DirectoryHead&) = delete;

    Result<std::optional<std::string>> read() override;
    Result<void> swap(const std::optional<std::string>& expected, const std::string& next) override;

private:
    DirectoryHead(std::unique_ptr<DirectoryObjects> objects, int lock)
        : objects_(std::move(objects)), lock_(lock) {}
    std::unique_ptr<DirectoryObjects> objects_;
    int lock_;
};

}  // namespace colophon::ledger
