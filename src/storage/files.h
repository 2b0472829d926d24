// SPDX-License-Identifier: Apache-2.0
#pragma once

// The system calls that a store of files makes, as a seam: tests fail each of them in turn, and
// keep what was not yet on the disk from surviving a crash. Calls mean what their POSIX namesakes
// mean; they answer -errno where those answer -1.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace colophon::storage {

class Files {
public:
    struct Entry {
        std::string name;
        bool folder = false;
    };

    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    Files(Files&&) = delete;
    Files& operator=(Files&&) = delete;
    virtual ~Files() = default;

    // A descriptor of a new file that only its owner may read; -EEXIST when the name is taken.
    virtual int create(const std::string& path) = 0;
    // To read; links are not followed.
    virtual int open(const std::string& path) = 0;
    virtual int open_folder(const std::string& path) = 0;
    virtual int close(int fd) = 0;

    // The number of bytes done, which may be fewer than asked for.
    virtual std::int64_t write(int fd, Bytes bytes) = 0;
    virtual std::int64_t read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) = 0;
    // The bytes of a regular file; -EISDIR for a folder.
    virtual std::int64_t size(int fd) = 0;
    virtual int sync(int fd) = 0;
    // Holds a folder for this process until the descriptor is closed; -EWOULDBLOCK when another
    // holds it.
    virtual int lock(int fd) = 0;
    // 1 when `fd` is what stands at `path` now, 0 when something else or nothing does.
    virtual int same(int fd, const std::string& path) = 0;

    virtual int link(const std::string& from, const std::string& to) = 0;
    virtual int rename(const std::string& from, const std::string& to) = 0;
    virtual int unlink(const std::string& path) = 0;
    virtual int make_folder(const std::string& path) = 0;
    virtual int remove_folder(const std::string& path) = 0;
    // Names in a folder, without "." and "..", in no order; links and devices are left out.
    virtual int list(const std::string& path, std::vector<Entry>& entries) = 0;
};

// The system itself.
class SystemFiles final : public Files {
public:
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
};

}  // namespace colophon::storage
