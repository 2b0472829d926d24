// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two file systems for tests. MemoryFiles keeps apart what is visible and what has reached the
// disk, and crash() makes of them one of the states in which a power cut may leave a disk.
// FaultyFiles makes the k-th call fail, once or from then on.

#include "core/bytes.h"
#include "core/random.h"
#include "storage/files.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace colophon::storage {

class MemoryFiles final : public Files {
public:
    MemoryFiles();

    // The machine loses power and comes back: descriptors and locks are gone; each unsynced file
    // keeps what was synced, all of it or a torn part; each unsynced change of a folder happened or
    // did not.
    void crash(Random& random);

    int create(const std::string& path) override;
    int open(const std::string& path) override;
    int open_folder(const std::string& path) override;
    int close(int fd) override;
    std::int64_t write(int fd, Bytes bytes) override;
    std::int64_t read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) override;
    std::int64_t size(int fd) override;
    int sync(int fd) override;
    int lock(int fd) override;
    int same(int fd, const std::string& path) override;
    int link(const std::string& from, const std::string& to) override;
    int rename(const std::string& from, const std::string& to) override;
    int unlink(const std::string& path) override;
    int make_folder(const std::string& path) override;
    int remove_folder(const std::string& path) override;
    int list(const std::string& path, std::vector<Entry>& entries) override;

    std::size_t open_descriptors() const { return open_.size(); }

private:
    struct Node;
    using Child = std::shared_ptr<Node>;
    struct Node {
        bool folder = false;
        Buffer content;
        Buffer synced;
        std::map<std::string, Child> children;
        std::map<std::string, Child> synced_children;
    };

    Child find(const std::string& path) const;
    Child parent(const std::string& path, std::string& name) const;
    void crash_folder(Node& folder, Random& random, std::set<Node*>& seen);
    int add(Child node);

    Child root_;
    std::map<int, Child> open_;
    std::map<int, Node*> locks_;
    int next_ = 3;
};

enum class Fault {
    kError,  // `code`
    kShort,  // a write or read does half of its bytes; every other call works
    kInterrupted,
};

class FaultyFiles final : public Files {
public:
    explicit FaultyFiles(Files& below) : below_(below) {}

    // Call number `at` (from 0) fails; with `sticky` every later one too.
    void plan(std::uint64_t at, int code, bool sticky, Fault fault = Fault::kError);
    void clear() { planned_ = false; }
    std::uint64_t calls() const { return calls_; }
    // Which call the fault hit first; nothing when it was not reached.
    const std::string& hit() const { return hit_; }
    std::uint64_t syncs_after_failed_sync() const { return syncs_after_failure_; }

    int create(const std::string& path) override;
    int open(const std::string& path) override;
    int open_folder(const std::string& path) override;
    int close(int fd) override;
    std::int64_t write(int fd, Bytes bytes) override;
    std::int64_t read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) override;
    std::int64_t size(int fd) override;
    int sync(int fd) override;
    int lock(int fd) override;
    int same(int fd, const std::string& path) override;
    int link(const std::string& from, const std::string& to) override;
    int rename(const std::string& from, const std::string& to) override;
    int unlink(const std::string& path) override;
    int make_folder(const std::string& path) override;
    int remove_folder(const std::string& path) override;
    int list(const std::string& path, std::vector<Entry>& entries) override;

private:
    // The error that this call must answer; 0 when it goes through.
    int strike(const char* call);
    bool halves(const char* call);

    Files& below_;
    bool planned_ = false;
    bool sticky_ = false;
    Fault fault_ = Fault::kError;
    int code_ = 0;
    std::uint64_t at_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t syncs_after_failure_ = 0;
    bool sync_failed_ = false;
    std::string hit_;
};

}  // namespace colophon::storage
