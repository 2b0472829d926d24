// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files on their way through the service: they come piece by piece, are read and written by workers
// through a descriptor, and go out piece by piece. They have no name, so that nothing is left of
// them when they are let go, or when the process ends. Small ones are in memory, others on a disk.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "worker/channel.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace colophon::worker {

class Spool;

// Blocks while it reads and writes. One thread at a time may write.
class SpooledFile {
public:
    // In memory, whatever its size; outside any spool.
    static Result<SpooledFile> of(Bytes content);
    ~SpooledFile();
    SpooledFile(SpooledFile&& other) noexcept;
    SpooledFile& operator=(SpooledFile&& other) noexcept;
    SpooledFile(const SpooledFile&) = delete;
    SpooledFile& operator=(const SpooledFile&) = delete;

    // kLimit when the spool is full; kUnavailable with the system's reason.
    Result<void> append(Bytes bytes);
    // After others wrote through the descriptor: its size is what the system says.
    Result<void> settle();

    int descriptor() const noexcept { return fd_.get(); }
    std::uint64_t size() const noexcept { return size_; }
    // Up to out.size() bytes from there; fewer at the end of the file only.
    Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) const;
    Result<Buffer> content() const;    // all of it
    Result<Digest256> sha256() const;  // of its content

private:
    friend class Spool;
    struct Place;  // what files of one spool share
    SpooledFile(std::shared_ptr<Place> place, Fd fd, bool on_disk);
    Result<void> move_to_disk();
    void let_go() noexcept;

    std::shared_ptr<Place> place_;  // nothing: outside any spool
    Fd fd_;
    bool on_disk_ = false;
    std::uint64_t size_ = 0;
    std::uint64_t charged_ = 0;  // to the place
};

class Spool {
public:
    struct Options {
        std::string folder;                          // where files on disk are
        std::uint64_t bytes_max = 4ULL << 30U;       // of all files at a time
        std::uint64_t memory_bytes_max = 4U << 20U;  // a file that is larger lies on the disk
    };
    // kInvalidArgument when no file can be made in the folder.
    static Result<Spool> create(Options options);

    // Empty; `expected`: how large it will be, as far as that is known.
    Result<SpooledFile> file(std::uint64_t expected = 0) const;
    Result<SpooledFile> hold(Bytes content) const;
    std::uint64_t held() const noexcept;  // bytes of its files

private:
    explicit Spool(std::shared_ptr<SpooledFile::Place> place) : place_(std::move(place)) {}
    std::shared_ptr<SpooledFile::Place> place_;
};

}  // namespace colophon::worker
